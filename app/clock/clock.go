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

// Offset is wall time plus a shift that may change at run time, at the wall's pace, faster or standing still; the demo sets
// it from the simulator's clock. The zero value is wall time.
type Offset struct{ course atomic.Pointer[course] }

// course is where an Offset stood at a moment of wall time and how fast it has run since.
type course struct {
	from  time.Time
	shift time.Duration
	rate  int64
}

func (c *course) at(wall time.Time) time.Time {
	if c == nil {
		return wall.UTC()
	}
	return wall.Add(c.shift + time.Duration(c.rate-1)*wall.Sub(c.from)).UTC()
}

// Now is wall time plus the shift.
func (o *Offset) Now() time.Time { return o.course.Load().at(time.Now()) }

// Set replaces the shift, at the wall's pace, and reports whether it changed by a second or more, which is worth waking
// sleepers for.
func (o *Offset) Set(d time.Duration) bool {
	wall := time.Now()
	before := o.course.Swap(&course{from: wall, shift: d, rate: 1}).at(wall)
	return wall.Add(d).Sub(before).Abs() >= time.Second
}

// Follow is told where another clock stands, d ahead of the wall's, and its pace: rate seconds per second of the wall's, 0
// when it stands still. A reading that only trembles around what is known already changes nothing, so that time does not
// step back with every reading. It reports whether the clock was set.
func (o *Offset) Follow(d time.Duration, rate int64) bool {
	wall := time.Now()
	known := o.course.Load()
	paced := (known == nil && rate == 1) || (known != nil && known.rate == rate)
	tremble := 500*time.Millisecond + time.Duration(rate)*250*time.Millisecond
	if paced && wall.Add(d).Sub(known.at(wall)).Abs() < tremble {
		return false
	}
	o.course.Store(&course{from: wall, shift: d, rate: rate})
	return true
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
