package schedule_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/schedule"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

var start = time.Date(2026, 11, 22, 10, 0, 30, 0, time.UTC)

func run(t *testing.T, services ...*schedule.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, s := range services {
		wg.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func TestATickRunsOnceOnTwoReplicasAndFollowsTheClock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var runs atomic.Int64
		clk := clock.Fixed(start)
		jobs := func() []schedule.Job {
			return []schedule.Job{{Name: "sync", Title: "同步", Spec: "*/5 * * * *", Run: func(context.Context) (string, error) {
				runs.Add(1)
				return "做完了", nil
			}}}
		}
		a, b := schedule.New(db, clk, slog.Default(), jobs), schedule.New(db, clk, slog.Default(), jobs)
		stop := run(t, a, b)
		time.Sleep(1300 * time.Millisecond)
		if runs.Load() != 0 {
			t.Fatal("ran before its tick")
		}
		clk.Advance(5 * time.Hour)
		eventually(t, "one run", func() bool { return runs.Load() == 1 })
		time.Sleep(1500 * time.Millisecond)
		stop()
		if n := runs.Load(); n != 1 {
			t.Fatalf("%d runs after five hours of simulated time on two replicas, want the newest tick once", n)
		}
		list, err := a.Runs(t.Context(), "sync", 10)
		if err != nil || len(list) != 1 || list[0].State != schedule.Done || list[0].Note != "做完了" || list[0].Tick != start.Add(5*time.Hour-30*time.Second).UnixMilli() {
			t.Fatalf("%+v %v", list, err)
		}
	})
}

func TestRunNowRunsAtOnceAndRefusesASecondTime(t *testing.T) {
	db := storetest.Open(t)
	gate := make(chan struct{})
	s := schedule.New(db, clock.Fixed(start), slog.Default(), func() []schedule.Job {
		return []schedule.Job{{Name: "slow", Spec: "0 3 * * *", Run: func(ctx context.Context) (string, error) {
			select {
			case <-gate:
			case <-ctx.Done():
			}
			return "", errors.New("boom")
		}}}
	})
	ctx := t.Context()
	if _, err := s.RunNow(ctx, "slow", account.Actor{AccountID: 5, Name: "王五"}); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("before Run: %v", err)
	}
	run(t, s)
	eventually(t, "started", func() bool {
		_, err := s.RunNow(ctx, "slow", account.Actor{AccountID: 5, Name: "王五"})
		return err == nil
	})
	if _, err := s.RunNow(ctx, "slow", account.Actor{AccountID: 5, Name: "王五"}); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("while running: %v", err)
	}
	if _, err := s.RunNow(ctx, "nothing", account.Actor{}); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("unknown job: %v", err)
	}
	close(gate)
	eventually(t, "the failure in the history", func() bool {
		list, err := s.Runs(ctx, "slow", 1)
		return err == nil && list[0].State == schedule.Failed && list[0].Note == "boom" && list[0].AskedBy == "王五"
	})
	states, err := s.Jobs(ctx)
	if err != nil || len(states) != 1 || states[0].Last == nil || states[0].Next != time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC).UnixMilli() {
		t.Fatalf("%+v %v: three in the morning is Shanghai's", states, err)
	}
}

func TestARunWhoseOwnerDiedIsTakenOver(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var runs atomic.Int64
		s := schedule.New(db, clock.Fixed(start), slog.Default(), func() []schedule.Job {
			return []schedule.Job{{Name: "sync", Spec: "0 3 * * *", Run: func(context.Context) (string, error) { runs.Add(1); return "", nil }}}
		})
		row := map[string]any{"id": 5, "job": "sync", "tick": 1, "state": "running", "note": "", "asked_by": "", "owner": "dead", "attempt": 1, "lease_until": time.Now().Add(-time.Second).UnixMilli(), "started_at": 1, "ended_at": 0}
		if err := db.Insert(t.Context(), "job_run", row); err != nil {
			t.Fatal(err)
		}
		hopeless := map[string]any{"id": 6, "job": "sync", "tick": 2, "state": "running", "note": "", "asked_by": "", "owner": "dead", "attempt": 3, "lease_until": time.Now().Add(-time.Second).UnixMilli(), "started_at": 1, "ended_at": 0}
		if err := db.Insert(t.Context(), "job_run", hopeless); err != nil {
			t.Fatal(err)
		}
		run(t, s)
		eventually(t, "both settled", func() bool {
			list, err := s.Runs(t.Context(), "sync", 10)
			return err == nil && len(list) == 2 && list[1].State == schedule.Done && list[1].Attempt == 2 && list[0].State == schedule.Failed
		})
		if runs.Load() != 1 {
			t.Fatalf("%d runs", runs.Load())
		}
	})
}

func TestAPanickingJobFailsAlone(t *testing.T) {
	db := storetest.Open(t)
	s := schedule.New(db, clock.Fixed(start), slog.Default(), func() []schedule.Job {
		return []schedule.Job{{Name: "bad", Spec: "@every 1m", Run: func(context.Context) (string, error) { panic("oh") }}}
	})
	run(t, s)
	eventually(t, "started", func() bool { _, err := s.RunNow(t.Context(), "bad", account.Actor{}); return err == nil })
	eventually(t, "failed", func() bool {
		list, err := s.Runs(t.Context(), "bad", 1)
		return err == nil && list[0].State == schedule.Failed
	})
}
