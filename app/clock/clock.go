// Package clock is the one source of platform time: tickets, tokens, contracts, cron and countdowns ask it,
// so that a demo can follow the simulator's clock. It never sleeps or sets timers.
// Every room below and above may call it.
package clock

import (
	"sync"
	"sync/atomic"
	"time"
)

// Clock tells platform time. Login sessions, leases, deadlines, rate limits and signature timestamps use wall time instead.
type Clock interface {
	// Now is the present moment in UTC.
	Now() time.Time
}

// System returns the machine's own clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time { return time.Now().UTC() }

// Offset is wall time plus a shift that may change at run time; the demo sets it from the simulator's clock.
type Offset struct{ shift atomic.Int64 }

// Now is wall time plus the shift.
func (o *Offset) Now() time.Time { return time.Now().UTC().Add(time.Duration(o.shift.Load())) }

// Set replaces the shift and reports whether it changed by a second or more, which is worth waking sleepers for.
func (o *Offset) Set(d time.Duration) bool {
	before := time.Duration(o.shift.Swap(int64(d)))
	return (d - before).Abs() >= time.Second
}

// Manual is a clock that stands still until told to move. For tests.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// Fixed returns a Manual clock that stands at t.
func Fixed(t time.Time) *Manual { return &Manual{now: t.UTC()} }

// Now is the moment the clock stands at.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock forward by d.
func (m *Manual) Advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// Millis is t as Unix milliseconds, the form in which the database keeps time.
func Millis(t time.Time) int64 { return t.UnixMilli() }

var (
	_ Clock = (*Offset)(nil)
	_ Clock = (*Manual)(nil)
)
