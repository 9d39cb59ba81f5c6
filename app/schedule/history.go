package schedule

import (
	"context"
	"fmt"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
)

const runColumns = "id, job, tick, state, note, asked_by, attempt, started_at, ended_at"

var errNoJob = fault.New(fault.NotFound, "job_not_found", "没有这个定时任务")

func (s *Service) job(name string) (Job, error) {
	for _, j := range s.jobs() {
		if j.Name == name {
			return j, nil
		}
	}
	return Job{}, errNoJob
}

// Jobs lists every job with its newest run and its next tick.
func (s *Service) Jobs(ctx context.Context) ([]JobState, error) {
	var out []JobState
	now := s.clk.Now()
	for _, j := range s.jobs() {
		st := JobState{Name: j.Name, Title: j.Title, Spec: j.Spec}
		if sched, err := Parse(j.Spec); err == nil {
			st.Next = clock.Millis(sched.Next(now.In(location())))
		}
		var r Run
		found, err := s.db.One(ctx, &r, "SELECT "+runColumns+" FROM job_run WHERE job=? ORDER BY id DESC LIMIT 1", j.Name)
		if err != nil {
			return nil, fmt.Errorf("schedule: %w", err)
		}
		if found {
			st.Last = &r
		}
		out = append(out, st)
	}
	return out, nil
}

// Runs gives the newest runs of a job, at most 100.
func (s *Service) Runs(ctx context.Context, name string, limit int) ([]Run, error) {
	if _, err := s.job(name); err != nil {
		return nil, err
	}
	if limit < 1 || limit > 100 {
		limit = 20
	}
	var rows []Run
	if err := s.db.All(ctx, &rows, "SELECT "+runColumns+" FROM job_run WHERE job=? ORDER BY id DESC LIMIT ?", name, limit); err != nil {
		return nil, fmt.Errorf("schedule: %w", err)
	}
	return rows, nil
}

// RunNow starts a job at once (立即执行) for somebody and returns without waiting for its end. One that is running is not
// started twice.
func (s *Service) RunNow(ctx context.Context, name string, who account.Actor) (Run, error) {
	j, err := s.job(name)
	if err != nil {
		return Run{}, err
	}
	s.mu.Lock()
	base, busy := s.ctx, s.busy[name]
	s.mu.Unlock()
	if base == nil {
		return Run{}, fault.New(fault.Unavailable, "schedule_stopped", "定时任务还没有启动，请稍后再试")
	}
	already := fault.New(fault.Conflict, "job_running", "这个任务正在运行，请等它结束")
	if busy {
		return Run{}, already
	}
	tick := clock.Millis(s.clk.Now())
	if err := s.start(base, j, tick, who); err != nil {
		return Run{}, err
	}
	var r Run
	found, err := s.db.One(ctx, &r, "SELECT "+runColumns+" FROM job_run WHERE job=? AND tick=?", name, tick)
	if err == nil && !found {
		err = already
	}
	return r, err
}

// Prune forgets runs older than thirty days.
func (s *Service) Prune(ctx context.Context) (int64, error) {
	return s.db.Exec(ctx, "DELETE FROM job_run WHERE started_at<? AND state<>?", clock.Millis(s.clk.Now().Add(-keepRuns)), Running)
}
