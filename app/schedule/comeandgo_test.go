package schedule_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/schedule"
	"minifleet/app/store/storetest"
)

func TestJobsComeAndGo(t *testing.T) {
	var there atomic.Bool
	var runs atomic.Int64
	clk := clock.Fixed(start)
	s := schedule.New(storetest.Open(t), clk, slog.Default(), func() []schedule.Job {
		if !there.Load() {
			return nil
		}
		return []schedule.Job{{Name: "late", Title: "后来的", Spec: "*/5 * * * *", Run: func(context.Context) (string, error) {
			runs.Add(1)
			return "", nil
		}}}
	})
	looks := func() { time.Sleep(1300 * time.Millisecond) } // the service looks once a second
	run(t, s)
	looks()
	there.Store(true)
	looks()
	clk.Advance(5 * time.Minute)
	eventually(t, "a job that came later runs at its first tick", func() bool { return runs.Load() == 1 })
	there.Store(false)
	looks()
	clk.Advance(time.Hour)
	looks()
	there.Store(true)
	looks()
	looks()
	if n := runs.Load(); n != 1 {
		t.Errorf("%d runs: a job that came back made up for the time it was away", n)
	}
	clk.Advance(5 * time.Minute)
	eventually(t, "it runs at the next tick", func() bool { return runs.Load() == 2 })
}

func TestARunLeftBehindWaitsForItsPlugin(t *testing.T) {
	db := storetest.Open(t)
	var there atomic.Bool
	s := schedule.New(db, clock.Fixed(start), slog.Default(), func() []schedule.Job {
		if !there.Load() {
			return nil
		}
		return []schedule.Job{{Name: "late", Spec: "0 3 * * *", Run: func(context.Context) (string, error) { return "", nil }}}
	})
	left := func(id, tick int64, since time.Duration) {
		row := map[string]any{"id": id, "job": "late", "tick": tick, "state": "running", "note": "", "asked_by": "", "owner": "dead", "attempt": 1, "lease_until": time.Now().Add(-since).UnixMilli(), "started_at": 1, "ended_at": 0}
		if err := db.Insert(t.Context(), "job_run", row); err != nil {
			t.Fatal(err)
		}
	}
	left(5, 1, time.Second)
	left(6, 2, time.Hour)
	run(t, s)
	state := func(id int64) string {
		var row struct{ State string }
		if _, err := db.One(t.Context(), &row, "SELECT state FROM job_run WHERE id=?", id); err != nil {
			t.Fatal(err)
		}
		return row.State
	}
	eventually(t, "what nobody knows for an hour is given up", func() bool { return state(6) == schedule.Failed })
	if got := state(5); got != schedule.Running {
		t.Fatalf("a run whose plugin is still starting is %s", got)
	}
	there.Store(true)
	for end := time.Now().Add(40 * time.Second); state(5) != schedule.Done; time.Sleep(50 * time.Millisecond) { // left runs are looked for every ten seconds
		if time.Now().After(end) {
			t.Fatalf("after its plugin came the run is %s", state(5))
		}
	}
}
