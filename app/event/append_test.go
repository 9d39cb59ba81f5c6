package event

import (
	"context"
	"testing"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestALonePushNeverWaitsForOthers(t *testing.T) {
	for crowd := range smallCrowd {
		if n := quorum(crowd); n != 1 {
			t.Errorf("of %d, %d are waited for", crowd, n)
		}
	}
	if n := quorum(32); n < 16 || n >= 32 {
		t.Errorf("of 32, %d are waited for: the disk is shared by few, or nobody works while it writes", n)
	}
}

func TestAPushWhoseCrowdHasGoneIsCommittedAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(db)
		l.crowd = 32
		run(t, l)
		before := l.Commits()
		must(t, l.Append(t.Context(), record("wxa", "alone")))
		l.mu.Lock()
		crowd := l.crowd
		l.mu.Unlock()
		if l.Commits() != before+1 || crowd >= smallCrowd {
			t.Errorf("%d commits; the next push would wait for a crowd of %d", l.Commits()-before, crowd)
		}
	})
}

func TestAnEventKeepsHowManyLedToIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := newLog(db)
		heard := make(chan Event, 3)
		must(t, l.Subscribe(t.Context(), Subscriber{Name: "depth", Types: []string{"*"}, Handle: func(_ context.Context, e Event) error { heard <- e; return nil }}))
		run(t, l)
		want := map[string]int{}
		for subject, hops := range map[string]int{"pushed": 0, "third": 3, "committed": 5} {
			r := record("wxa", subject)
			r.Subject, r.Hops, want[subject] = subject, hops, hops
			if subject == "committed" {
				must(t, l.AppendTx(t.Context(), []Record{r}))
			} else {
				must(t, l.Append(t.Context(), r))
			}
		}
		for range want {
			if e := <-heard; e.Hops != want[e.Subject] {
				t.Errorf("%s came with %d, want %d", e.Subject, e.Hops, want[e.Subject])
			}
		}
	})
}
