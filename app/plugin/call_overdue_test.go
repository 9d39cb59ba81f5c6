package plugin

import (
	"context"
	"testing"
	"time"
)

// rung is a context whose deadline is over while its timer has not rung.
type rung struct {
	context.Context
	deadline time.Time
}

func (r rung) Deadline() (time.Time, bool) { return r.deadline, true }

func TestACallIsOverdueBeforeItsTimerHasRung(t *testing.T) {
	for name, test := range map[string]struct {
		ctx  context.Context
		want bool
	}{
		"no deadline":            {context.Background(), false},
		"time left":              {rung{context.Background(), time.Now().Add(time.Hour)}, false},
		"over, and not rung yet": {rung{context.Background(), time.Now().Add(-time.Millisecond)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := overdue(test.ctx); got != test.want {
				t.Errorf("overdue is %t", got)
			}
		})
	}
}
