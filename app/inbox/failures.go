package inbox

import "sync"

// Failure is one refused push, as the binding wizard shows it.
type Failure struct {
	At     int64  // unix milliseconds, platform time
	Kind   string // wechat.TicketURL or wechat.MessageURL
	Reason string // a wechat.Reason
	Label  string // Chinese: what does not fit and what to compare
}

// failuresKept is how many are remembered per component.
const failuresKept = 20

// failureRing remembers the newest failures per bound component, in memory only. Unbound components are never added, so
// that strangers cannot fill it.
type failureRing struct {
	mu    sync.Mutex
	rings map[string][]Failure // oldest first
}

func newFailureRing() *failureRing { return &failureRing{rings: map[string][]Failure{}} }

func (f *failureRing) add(component string, one Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ring := append(f.rings[component], one)
	if n := len(ring) - failuresKept; n > 0 {
		ring = append(ring[:0], ring[n:]...)
	}
	f.rings[component] = ring
}

func (f *failureRing) list(component string) []Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	ring := f.rings[component]
	out := make([]Failure, 0, len(ring))
	for i := len(ring) - 1; i >= 0; i-- {
		out = append(out, ring[i])
	}
	return out
}
