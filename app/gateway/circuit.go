package gateway

import (
	"sync"
	"time"
)

const (
	circuitFailures = 5                // transport failures in a row that open it
	circuitRest     = 10 * time.Second // then nothing is sent for this long; doubled by each failed probe
	circuitRestMost = 2 * time.Minute
	circuitProbe    = time.Minute // a probe that never came back does not hold the others longer than this
)

// circuits keep a platform app from waiting for a WeChat that cannot be reached: after five calls in a row without an answer
// all are refused at once, until one probe is let through and answered. They belong to the process, not to all replicas,
// since what breaks is usually one machine's way out.
type circuits struct {
	now func() time.Time

	mu   sync.Mutex
	open map[string]*circuit
}

type circuit struct {
	failures int
	rest     time.Duration
	until    time.Time // closed for calls before; then one probe
	probing  time.Time // since when a probe is on its way, zero for none
}

func newCircuits(now func() time.Time) *circuits {
	return &circuits{now: now, open: map[string]*circuit{}}
}

// enter lets a call through (0), or tells how long to wait.
func (c *circuits) enter(component string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[component]
	if !ok || s.failures < circuitFailures {
		return 0
	}
	now := c.now()
	if wait := s.until.Sub(now); wait > 0 {
		return wait
	}
	if !s.probing.IsZero() && now.Sub(s.probing) < circuitProbe {
		return time.Second // somebody's probe is on its way
	}
	s.probing = now
	return 0
}

// leave notes whether an answer came.
func (c *circuits) leave(component string, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.open[component]
	if answered {
		if ok {
			delete(c.open, component)
		}
		return
	}
	if !ok {
		s = &circuit{}
		c.open[component] = s
	}
	s.failures++
	probe := !s.probing.IsZero()
	s.probing = time.Time{}
	switch {
	case s.failures < circuitFailures:
	case s.failures == circuitFailures:
		s.rest, s.until = circuitRest, c.now().Add(circuitRest)
	case probe:
		s.rest = min(2*s.rest, circuitRestMost)
		s.until = c.now().Add(s.rest)
	}
}

// dropped is a call that was given up by its own caller, which says nothing about the way to WeChat.
func (c *circuits) dropped(component string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.open[component]; ok {
		s.probing = time.Time{}
	}
}

// count tells how many are open.
func (c *circuits) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, s := range c.open {
		if s.failures >= circuitFailures {
			n++
		}
	}
	return n
}
