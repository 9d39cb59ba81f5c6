package schedule_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/schedule"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestFailedRunsOfADayAreListedAndCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := schedule.New(db, clock.Fixed(start), slog.Default(), func() []schedule.Job { return nil })
		for i, row := range []struct {
			state string
			ago   time.Duration
		}{{schedule.Failed, time.Hour}, {schedule.Done, time.Hour}, {schedule.Failed, 2 * time.Hour}, {schedule.Failed, 23 * time.Hour}, {schedule.Failed, 25 * time.Hour}} {
			at := start.Add(-row.ago).UnixMilli()
			err := db.Insert(ctx, "job_run", map[string]any{"id": i + 1, "job": "sync", "tick": at + int64(i), "state": row.state, "note": "", "asked_by": "", "owner": "", "attempt": 1, "lease_until": 0, "started_at": at, "ended_at": at})
			if err != nil {
				t.Fatal(err)
			}
		}
		since := start.Add(-24 * time.Hour)
		runs, total, err := s.Failures(ctx, since, 0, 2)
		if err != nil || total != 3 || len(runs) != 2 || runs[0].ID != 4 {
			t.Fatalf("first page %+v, total %d, error %v", runs, total, err)
		}
		runs, total, err = s.Failures(ctx, since, runs[1].ID, 2)
		if err != nil || total != 3 || len(runs) != 1 || runs[0].ID != 1 {
			t.Fatalf("second page %+v, total %d, error %v", runs, total, err)
		}
	})
}
