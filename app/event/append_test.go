package event

import (
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
