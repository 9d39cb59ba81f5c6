package simulator

import (
	"fmt"
	"math"
)

// timer is something that happens by itself when the simulated clock reaches DueMs: a registration nobody confirmed in
// 24 hours, a 试用小程序 that ends, a review that passes.
type timer struct {
	ID    int64  `json:"id"`
	DueMs int64  `json:"due_ms"`
	Kind  string `json:"kind"` // a timer… constant
	Ref   string `json:"ref"`  // document it is about
}

// Kinds of timers.
const (
	timerTask   = "task"   // a phone task: its 24 hours are over
	timerCheck  = "check"  // the register of companies has answered
	timerTrial  = "trial"  // a 试用小程序 ends
	timerReview = "review" // a review passes by itself
)

// later plans a timer. What it is about may have gone another way by then; its handler looks.
func (w *world) later(due int64, kind, ref string) {
	t := &timer{ID: w.ids.number(0), DueMs: due, Kind: kind, Ref: ref}
	w.timers.put(sequenceID(t.ID), t)
	w.nextDueMs = min(w.nextDueMs, due)
}

// settle carries out everything that is due, in the order of time. It costs nothing while nothing is due.
func (w *world) settle(now int64) error {
	for now >= w.nextDueMs {
		var first *timer
		next := int64(math.MaxInt64)
		for _, t := range w.timers.all() {
			switch {
			case first == nil || t.DueMs < first.DueMs:
				if first != nil {
					next = min(next, first.DueMs)
				}
				first = t
			default:
				next = min(next, t.DueMs)
			}
		}
		if first == nil {
			w.nextDueMs = math.MaxInt64
			return nil
		}
		if first.DueMs > now {
			w.nextDueMs = first.DueMs
			return nil
		}
		w.timers.delete(sequenceID(first.ID))
		w.nextDueMs = next
		if err := w.fire(first, now); err != nil {
			return fmt.Errorf("timer %s of %s: %w", first.Kind, first.Ref, err)
		}
	}
	return nil
}

func (w *world) fire(t *timer, now int64) error {
	switch t.Kind {
	case timerTask:
		return w.taskTimedOut(t.Ref, now)
	case timerCheck:
		return w.taskChecked(t.Ref, now)
	case timerTrial:
		return w.trialEnded(t.Ref, now)
	case timerReview:
		return w.reviewPassesByItself(t.Ref, now)
	}
	return fmt.Errorf("unknown kind")
}
