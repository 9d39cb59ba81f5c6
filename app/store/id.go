package store

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// idEpoch is the zero of the ids' clock: 2025-01-01 UTC in Unix milliseconds.
const idEpoch = 1735689600000

// ids makes int64 keys: 41 bits of milliseconds, 10 bits of a node drawn at random at start, 12 bits of sequence.
// They sort by time, stay positive until 2094, and travel as strings in JSON because JavaScript would round them.
type ids struct {
	mu   sync.Mutex
	node int64
	last int64
	seq  int64
}

func newIDs() *ids {
	var b [2]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	return &ids{node: int64(binary.BigEndian.Uint16(b[:]) & 0x3ff)}
}

// next never repeats within a process, also when the wall clock steps back: then it goes on from the last moment.
func (g *ids) next(now time.Time) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	ms := max(now.UnixMilli()-idEpoch, g.last)
	if ms == g.last {
		g.seq++
		if g.seq == 1<<12 {
			ms++
			g.seq = 0
		}
	} else {
		g.seq = 0
	}
	g.last = ms
	return ms<<22 | g.node<<12 | g.seq
}
