package simulator

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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
	timerExpiry = "expiry" // a certification nears its end or reaches it
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
		due := []*timer{}
		w.nextDueMs = math.MaxInt64
		for _, t := range w.timers.docs {
			if t.DueMs <= now {
				due = append(due, t)
			} else {
				w.nextDueMs = min(w.nextDueMs, t.DueMs)
			}
		}
		slices.SortFunc(due, func(a, b *timer) int { return cmp.Or(cmp.Compare(a.DueMs, b.DueMs), cmp.Compare(a.ID, b.ID)) })
		for _, t := range due {
			w.timers.delete(sequenceID(t.ID))
			if err := w.fire(t, now); err != nil {
				return fmt.Errorf("timer %s of %s: %w", t.Kind, t.Ref, err)
			}
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
	case timerExpiry:
		w.certificationNears(t.Ref, now)
		return nil
	}
	return fmt.Errorf("unknown kind")
}
