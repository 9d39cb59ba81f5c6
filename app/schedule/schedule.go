// Package schedule runs the cron jobs: one run per tick however many replicas there are, with history, 立即执行 and
// take-over of a run whose owner died. It knows nothing of what a job does.
// command gives it the core's jobs and the plugins'; web and admin show them.
package schedule

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
)

// Job is something to do regularly. Run must be safe to repeat: a run whose replica died is run again elsewhere.
type Job struct {
	Name  string // like component.tokens or version.sync-audits
	Title string // Chinese
	Spec  string // five cron fields, or @every 1m; Asia/Shanghai
	Run   func(ctx context.Context) (note string, err error)
}

// States of a run.
const (
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Run is one run of a job. Times are Unix milliseconds; Tick and the others are platform time.
type Run struct {
	ID        int64  `json:"id,string"`
	Job       string `json:"job"`
	Tick      int64  `json:"tick"`
	State     string `json:"state"`
	Note      string `json:"note"`
	AskedBy   string `json:"asked_by,omitempty"`
	Attempt   int    `json:"attempt"`
	StartedAt int64  `json:"started_at"`
	EndedAt   int64  `json:"ended_at"`
}

// JobState is a job with its newest run and its next tick.
type JobState struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Spec  string `json:"spec"`
	Next  int64  `json:"next"`
	Last  *Run   `json:"last"`
}

const (
	poll        = time.Second
	lease       = time.Minute
	extendEvery = 20 * time.Second
	attemptsMax = 3
	keepRuns    = 30 * 24 * time.Hour
	// unknownGrace is how long a run that was left behind waits for its job to be known again.
	unknownGrace = 10 * time.Minute
)

// Service is the room's door.
type Service struct {
	db    *store.DB
	clk   clock.Clock
	jobs  func() []Job
	log   *slog.Logger
	owner string

	mu      sync.Mutex
	last    map[string]time.Time // up to which moment ticks of a job were looked at
	busy    map[string]bool
	ctx     context.Context // of Run; nil while it does not run
	running sync.WaitGroup
}

// New makes the service. jobs is asked at every look, since plugins come and go.
func New(db *store.DB, clk clock.Clock, log *slog.Logger, jobs func() []Job) *Service {
	return &Service{db: db, clk: clk, log: log, jobs: jobs, owner: rand.Text(), last: map[string]time.Time{}, busy: map[string]bool{}}
}

func location() *time.Location { return time.FixedZone("CST", 8*3600) }

// Parse reads a spec; plugins' specs are checked with it when they are described.
func Parse(spec string) (cron.Schedule, error) {
	return cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(spec)
}

// Run looks for due ticks until ctx ends, then waits for the runs in hand, whose contexts end too.
func (s *Service) Run(ctx context.Context) error {
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	t := time.NewTicker(poll)
	defer t.Stop()
	for n := 0; ; n++ {
		s.due(ctx)
		if n%10 == 0 {
			s.takeOver(ctx)
		}
		select {
		case <-ctx.Done():
			s.mu.Lock()
			s.ctx = nil
			s.mu.Unlock()
			s.running.Wait()
			return nil
		case <-t.C:
		}
	}
}

// due starts each job that has a tick since the last look; of several missed ticks only the newest, so that a clock
// moved by hours brings one run and not a hundred.
func (s *Service) due(ctx context.Context) {
	now := s.clk.Now()
	jobs := s.jobs()
	s.forgetGone(jobs)
	for _, j := range jobs {
		sched, err := Parse(j.Spec)
		if err != nil {
			s.log.ErrorContext(ctx, "a job's schedule does not parse", "job", j.Name, "spec", j.Spec, "error", err)
			continue
		}
		s.mu.Lock()
		from, seen := s.last[j.Name]
		s.last[j.Name] = now
		s.mu.Unlock()
		if !seen || now.Before(from) {
			continue
		}
		tick, found := newest(sched, from, now)
		if !found {
			continue
		}
		if err := s.start(ctx, j, tick.UnixMilli(), account.Actor{}); err != nil {
			s.log.ErrorContext(ctx, "a job could not be started", "job", j.Name, "error", err)
		}
	}
}

// forgetGone makes a job that comes back, such as that of an extension, begin with its next tick: those it was away for are
// not made up for.
func (s *Service) forgetGone(jobs []Job) {
	there := make(map[string]bool, len(jobs))
	for _, j := range jobs {
		there[j.Name] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.last, func(name string, _ time.Time) bool { return !there[name] })
}

// newest finds the last tick in (from, to].
func newest(sched cron.Schedule, from, to time.Time) (tick time.Time, found bool) {
	if window := 48 * time.Hour; to.Sub(from) > window {
		from = to.Add(-window)
	}
	// @every schedules count from the moment they are asked about; aligned to the epoch, all replicas agree on ticks.
	if every, ok := sched.(cron.ConstantDelaySchedule); ok {
		t := to.Truncate(every.Delay)
		return t, t.After(from)
	}
	for t := sched.Next(from.In(location())); !t.After(to) && !t.IsZero(); t = sched.Next(t) {
		tick, found = t, true
	}
	return tick, found
}

// start takes the tick by inserting its row, for somebody or for the clock (nobody); another replica's row means that it runs there.
func (s *Service) start(ctx context.Context, j Job, tick int64, who account.Actor) error {
	s.mu.Lock()
	if s.busy[j.Name] {
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	now := clock.Millis(s.clk.Now())
	r := Run{ID: s.db.NewID(), Job: j.Name, Tick: tick, State: Running, AskedBy: who.Name, Attempt: 1, StartedAt: now}
	alive, err := s.db.Int(ctx, "SELECT COUNT(*) FROM job_run WHERE job=? AND state=? AND lease_until>?", j.Name, Running, time.Now().UnixMilli())
	if err != nil || alive > 0 {
		return err
	}
	added, err := s.db.InsertIgnore(ctx, "job_run", map[string]any{
		"id": r.ID, "job": r.Job, "tick": r.Tick, "state": r.State, "note": "", "asked_by": r.AskedBy, "asked_by_id": who.AccountID, "owner": s.owner, "attempt": r.Attempt,
		"lease_until": time.Now().Add(lease).UnixMilli(), "started_at": r.StartedAt, "ended_at": 0,
	})
	if err != nil || !added {
		return err
	}
	s.launch(ctx, j, r)
	return nil
}

func (s *Service) launch(ctx context.Context, j Job, r Run) {
	s.mu.Lock()
	s.busy[j.Name] = true
	s.mu.Unlock()
	s.running.Go(func() {
		defer func() {
			s.mu.Lock()
			delete(s.busy, j.Name)
			s.mu.Unlock()
		}()
		s.execute(ctx, j, r)
	})
}

func (s *Service) execute(ctx context.Context, j Job, r Run) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go s.keep(ctx, cancel, r)
	note, err := safely(ctx, j)
	state := Done
	if err != nil {
		state = Failed
		if note != "" {
			note += "；"
		}
		note += brief(err)
		s.log.WarnContext(ctx, "job failed", "job", j.Name, "error", err)
	}
	if r := []rune(note); len(r) > 900 {
		note = string(r[:900]) + "…"
	}
	// The outcome is written also when the platform is stopping, or the run would be repeated elsewhere.
	_, err = s.db.Exec(context.WithoutCancel(ctx), "UPDATE job_run SET state=?, note=?, ended_at=?, lease_until=0 WHERE id=? AND owner=?", state, note, clock.Millis(s.clk.Now()), r.ID, s.owner)
	if err != nil {
		s.log.ErrorContext(ctx, "a job's outcome was not written", "job", j.Name, "error", err)
	}
}

// safely turns a panic of a job into its failure: one job must not end the platform.
func safely(ctx context.Context, j Job) (note string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("job %s panicked: %v", j.Name, p)
		}
	}()
	return j.Run(ctx)
}

// brief is what the history shows of an error: the person's sentence where there is one.
func brief(err error) string {
	if f := fault.From(err); f.Kind != fault.Internal {
		return f.Message + "（" + err.Error() + "）"
	}
	return err.Error()
}

// keep extends the run's lease; when it was lost the run is told to stop.
func (s *Service) keep(ctx context.Context, cancel context.CancelFunc, r Run) {
	t := time.NewTicker(extendEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			n, err := s.db.Exec(ctx, "UPDATE job_run SET lease_until=? WHERE id=? AND owner=? AND state=?", time.Now().Add(lease).UnixMilli(), r.ID, s.owner, Running)
			if err == nil && n == 0 {
				cancel()
				return
			}
		}
	}
}

// takeOver runs again what another replica, or this one before a crash, left unfinished.
func (s *Service) takeOver(ctx context.Context) {
	var left []struct {
		Run
		LeaseUntil int64
	}
	if err := s.db.All(ctx, &left, "SELECT id, job, tick, state, note, asked_by, attempt, lease_until, started_at, ended_at FROM job_run WHERE state=? AND lease_until<?", Running, time.Now().UnixMilli()); err != nil {
		s.log.ErrorContext(ctx, "runs left behind could not be read", "error", err)
		return
	}
	jobs := map[string]Job{}
	for _, j := range s.jobs() {
		jobs[j.Name] = j
	}
	for _, r := range left {
		j, known := jobs[r.Job]
		if !known && time.Since(time.UnixMilli(r.LeaseUntil)) < unknownGrace {
			continue // its plugin may still be starting, or serves on another replica
		}
		state := Running
		if !known || r.Attempt >= attemptsMax {
			state = Failed
		}
		n, err := s.db.Exec(ctx, "UPDATE job_run SET owner=?, attempt=attempt+1, lease_until=?, state=?, note=? WHERE id=? AND attempt=? AND state=?",
			s.owner, time.Now().Add(lease).UnixMilli(), state, "上次运行中断", r.ID, r.Attempt, Running)
		if err != nil {
			s.log.ErrorContext(ctx, "a run left behind could not be taken over", "job", r.Job, "error", err)
			continue
		}
		if n > 0 && state == Running {
			r.Attempt++
			s.launch(ctx, j, r.Run)
		}
	}
}
