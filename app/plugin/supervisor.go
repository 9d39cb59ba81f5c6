package plugin

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// State is what an operator reads about a plugin.
type State string

// The states of a plugin. Only a serving one is called.
//
//	stopped → starting → serving → backoff → starting …
const (
	Stopped  State = "stopped"
	Starting State = "starting"
	Serving  State = "serving"
	Backoff  State = "backoff"
)

// Title is the word for the state on screens.
func (s State) Title() string {
	switch s {
	case Starting:
		return "启动中"
	case Serving:
		return "运行中"
	case Backoff:
		return "等待重启"
	default:
		return "已停止"
	}
}

// Bounds of the wait before a restart; it doubles with each failure and starts anew after a minute of service.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 30 * time.Second
	settled      = time.Minute
	historyKept  = 20
	drainTimeout = 5 * time.Second
)

// Change is one entry of a plugin's history.
type Change struct {
	At    time.Time
	State State
	Note  string
}

// unit keeps one plugin running. All fields below mu are guarded by it.
type unit struct {
	id      string
	argv    []string
	log     *slog.Logger
	spawner *spawner
	// bring makes a process serve: describe, check, make tables, configure, subscribe.
	bring func(ctx context.Context, u *unit, p *process) (*described, error)
	// gone is told that the process is no longer there.
	gone func(u *unit)
	open func() (*process, error)

	restart chan struct{}

	mu       sync.Mutex
	state    State
	process  *process
	info     *described
	since    time.Time
	restarts int
	lastErr  string
	history  []Change
	running  sync.WaitGroup
	serving  chan struct{} // closed while serving; replaced when not
}

func newUnit(id string, argv []string, log *slog.Logger) *unit {
	return &unit{
		id: id, argv: argv, log: log.With("plugin", id), spawner: newSpawner(), restart: make(chan struct{}, 1),
		state: Stopped, since: time.Now(), serving: make(chan struct{}),
	}
}

// run keeps the plugin alive until ctx ends, then drains and stops it.
func (u *unit) run(ctx context.Context) {
	wait := firstBackoff
	for ctx.Err() == nil {
		began := time.Now()
		err := u.life(ctx)
		if ctx.Err() != nil {
			break
		}
		if time.Since(began) > settled || err == nil {
			wait = firstBackoff
		}
		u.pause(ctx, wait, err)
		wait = min(2*wait, lastBackoff)
	}
	u.change(Stopped, nil, nil, "")
	u.spawner.close()
}

// life is one process from fork to exit. A nil error means that an operator asked for a restart.
func (u *unit) life(ctx context.Context) error {
	u.change(Starting, nil, nil, "")
	p, err := u.open()
	if err != nil {
		return err
	}
	info, err := u.bringUp(ctx, p)
	if err != nil {
		p.stop()
		return err
	}
	u.change(Serving, p, info, fmt.Sprintf("pid %d", p.pid))
	defer u.gone(u)
	select {
	case <-p.exited:
		u.change(Backoff, nil, nil, "进程已退出")
		p.stop()
		return fmt.Errorf("process %d exited", p.pid)
	case <-u.restart:
		u.retire(p, "手动重启")
		return nil
	case <-ctx.Done():
		u.retire(p, "正在停止")
		return ctx.Err()
	}
}

// bringUp bounds the start and gives up at once when the process dies meanwhile.
func (u *unit) bringUp(ctx context.Context, p *process) (*described, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	go func() {
		select {
		case <-p.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	return u.bring(ctx, u, p)
}

// retire refuses new calls, lets the running ones end, and stops the process.
func (u *unit) retire(p *process, note string) {
	u.change(Starting, nil, nil, note)
	drained := make(chan struct{})
	go func() {
		u.running.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-p.exited:
	case <-time.After(drainTimeout):
		u.log.Warn("plugin did not drain in time")
	}
	p.stop()
}

func (u *unit) pause(ctx context.Context, wait time.Duration, cause error) {
	if cause == nil {
		return
	}
	u.log.Error("plugin is down", "error", cause.Error(), "restart_in", wait.String())
	u.mu.Lock()
	u.lastErr = cause.Error()
	u.restarts++
	u.mu.Unlock()
	u.change(Backoff, nil, nil, cause.Error())
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-u.restart:
	case <-ctx.Done():
	}
}

func (u *unit) change(state State, p *process, info *described, note string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.state == state && state == Backoff && note == "" {
		return
	}
	was := u.state
	u.state, u.process, u.since = state, p, time.Now()
	if info != nil {
		u.info = info // kept while down: menus and routes stay, their calls say that the plugin is restarting
	}
	if state == Serving {
		close(u.serving)
	} else if was == Serving {
		u.serving = make(chan struct{})
	}
	u.history = append(u.history, Change{At: time.Now(), State: state, Note: note})
	if len(u.history) > historyKept {
		u.history = u.history[len(u.history)-historyKept:]
	}
}

// acquire gives the process for one call, or an unavailable fault at once. release must be called after it.
func (u *unit) acquire() (p *process, info *described, release func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.state != Serving {
		return nil, nil, nil, unavailable(u.id)
	}
	u.running.Add(1)
	return u.process, u.info, u.running.Done, nil
}

// known gives the last manifest, also while the plugin is down; nil before the first start succeeded.
func (u *unit) known() *described {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.info
}

// await returns when the plugin serves or ctx ends.
func (u *unit) await(ctx context.Context) error {
	for {
		u.mu.Lock()
		serving, state, lastErr := u.serving, u.state, u.lastErr
		u.mu.Unlock()
		if state == Serving {
			return nil
		}
		select {
		case <-serving:
		case <-ctx.Done():
			return fmt.Errorf("plugin %s is %s: %s: %w", u.id, state, lastErr, ctx.Err())
		}
	}
}

// Status is what the operator's page shows about one plugin.
type Status struct {
	ID, Title, Version string
	State              State
	PID                int
	Since              time.Time // of the state
	Restarts           int
	LastError          string
	MemoryBytes        int64 // resident, 0 when unknown
	History            []Change
}

func (u *unit) status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	status := Status{
		ID: u.id, Title: u.id, State: u.state, Since: u.since, Restarts: u.restarts, LastError: u.lastErr,
		History: append([]Change(nil), u.history...),
	}
	if u.info != nil {
		status.Title, status.Version = u.info.manifest.GetTitle(), u.info.manifest.GetVersion()
	}
	if u.process != nil {
		status.PID, status.MemoryBytes = u.process.pid, residentBytes(u.process.pid)
	}
	return status
}
