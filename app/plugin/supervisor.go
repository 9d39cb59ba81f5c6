package plugin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"minifleet/app/fault"
)

// Bounds of the wait before a restart: none after the first failure, then it doubles with each one and starts anew after a minute of service. After a
// number of failures in a row the plugin is left alone for a longer rest, and then tried once.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 30 * time.Second
	failuresMost = 6
	firstRest    = time.Minute
	lastRest     = 10 * time.Minute
	settled      = time.Minute
	historyKept  = 20
	// drainTimeout is how long a platform that stops waits for running calls; handOver how long an old process may finish
	// its calls while the new one serves.
	drainTimeout = 5 * time.Second
	handOver     = time.Minute
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
	third   bool // somebody else's
	log     *slog.Logger
	spawner *spawner
	// open starts a process; bring makes it ready to serve: describe, check, make tables, configure.
	open  func(run program) (*process, error)
	bring func(ctx context.Context, u *unit, p *process) (*described, error)
	// arrived is told that the plugin serves, by a process that may be another than before; gone that it no longer does.
	arrived func(ctx context.Context, u *unit, info *described) error
	gone    func(u *unit)

	upgrades chan upgrade

	// stop ends this unit alone, and ended closes when it has.
	stop  context.CancelFunc
	ended chan struct{}

	mu       sync.Mutex
	program  program
	parting  string // why it is stopped; "" when the platform stops
	state    State
	process  *process
	info     *described
	since    time.Time
	nextTry  time.Time
	restarts int
	lastErr  string
	history  []Change
	serving  chan struct{} // closed while serving; replaced when not

	leaving sync.WaitGroup // old processes that finish their calls
}

// upgrade asks for a successor; done hears what became of it.
type upgrade struct {
	program program
	done    chan error
}

func newUnit(id string, third bool, run program, log *slog.Logger) *unit {
	return &unit{
		id: id, third: third, program: run, ended: make(chan struct{}), log: log.With("plugin", id), spawner: newSpawner(), upgrades: make(chan upgrade),
		state: Stopped, since: time.Now(), serving: make(chan struct{}),
	}
}

// run keeps the plugin alive until ctx ends, then drains and stops it.
func (u *unit) run(ctx context.Context) {
	failures, wait, rest := 0, time.Duration(0), firstRest // a first failure is no pattern: begin again at once
	for ctx.Err() == nil {
		u.move(cueStart, "")
		served, err := u.life(ctx)
		if ctx.Err() != nil {
			break
		}
		if served >= settled {
			failures, wait, rest = 0, 0, firstRest
		}
		failures++
		if isRefused(err) { // the same bytes will not ask for less the next time
			failures = max(failures, failuresMost)
		}
		if failures < failuresMost {
			u.down(err, wait)
			u.pause(ctx, wait)
			wait = min(max(2*wait, firstBackoff), lastBackoff)
			continue
		}
		u.down(err, rest)
		u.pause(ctx, rest)
		rest = min(2*rest, lastRest)
	}
	if u.current() != Stopping {
		u.move(cueStop, "")
	}
	u.leaving.Wait()
	u.move(cueEnded, "")
	u.spawner.close()
	close(u.ended)
}

// part has the unit stop for good, for a reason, and returns when nothing of it is left.
func (u *unit) part(reason string) {
	u.mu.Lock()
	u.parting = reason
	u.mu.Unlock()
	u.stop()
	<-u.ended
}

// life is one process from fork to exit, or a row of them that followed each other without a gap. It tells how long the
// plugin served.
func (u *unit) life(ctx context.Context) (served time.Duration, err error) {
	p, info, err := u.rise(ctx, u.command())
	if err != nil {
		if ctx.Err() == nil {
			u.move(cueFailed, err.Error())
		}
		return 0, err
	}
	began := time.Now()
	u.install(p, info)
	u.move(cueUp, fmt.Sprintf("pid %d", p.pid))
	defer u.gone(u)
	if err := u.arrived(ctx, u, info); err != nil {
		u.move(cueExited, err.Error())
		u.dismiss(p, drainTimeout)
		return 0, err
	}
	err = u.attend(ctx)
	return time.Since(began), err
}

// attend watches a process that serves and hands over to its successors; it returns when there is none any more.
func (u *unit) attend(ctx context.Context) error {
	for {
		p := u.running()
		select {
		case <-p.exited:
			u.move(cueExited, "")
			u.leaving.Go(p.stop) // takes away what is left of it
			return fmt.Errorf("process %d exited", p.pid)
		case asked := <-u.upgrades:
			asked.done <- u.succeed(ctx, p, asked.program)
		case <-ctx.Done():
			u.move(cueStop, "")
			u.dismiss(p, drainTimeout)
			return ctx.Err()
		}
	}
}

// succeed starts a successor beside the process that serves, and swaps them only when the new one has described and
// configured itself. The old one finishes its calls. A successor that is no good changes nothing.
func (u *unit) succeed(ctx context.Context, old *process, run program) error {
	u.move(cueUpgrade, "")
	p, info, err := u.rise(ctx, run)
	if err != nil {
		u.move(cueRefused, "新进程没有启动成功，旧进程继续服务："+err.Error())
		return fault.New(fault.Unavailable, "plugin.upgrade", "新的插件进程没有启动成功，原来的继续服务").Because(err)
	}
	if err := u.handEvents(ctx, info); err != nil {
		p.stop()
		u.move(cueRefused, "新进程没有启动成功，旧进程继续服务："+err.Error())
		return fault.New(fault.Unavailable, "plugin.upgrade", "新的插件进程没有启动成功，原来的继续服务").Because(err)
	}
	u.mu.Lock()
	u.program = run
	u.mu.Unlock()
	u.install(p, info)
	u.move(cueUp, fmt.Sprintf("由 pid %d 接替 pid %d", p.pid, old.pid))
	u.leaving.Add(1)
	go func() {
		defer u.leaving.Done()
		select {
		case <-ctx.Done():
			u.dismiss(old, drainTimeout)
		case <-old.idle():
			old.stop()
		case <-time.After(handOver):
			u.log.Warn("an old plugin process did not finish its calls in time", "pid", old.pid)
			old.stop()
		}
	}()
	return nil
}

// handEvents turns the plugin's events to what a successor subscribed, while the old process still serves: before the swap
// a failure can be undone, after it the unit would serve without its events. Undoing that fails as well leaves the old
// process without them, so that is said.
func (u *unit) handEvents(ctx context.Context, info *described) error {
	err := u.arrived(ctx, u, info)
	if err == nil {
		return nil
	}
	if undo := u.arrived(context.WithoutCancel(ctx), u, u.known()); undo != nil {
		u.log.Error("the events of a plugin do not reach it until its next restart", "error", undo.Error())
		return errors.Join(err, undo)
	}
	return err
}

// rise starts a process and takes it to where it could serve. It gives up at once when the process dies meanwhile.
func (u *unit) rise(ctx context.Context, run program) (*process, *described, error) {
	p, err := u.open(run)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	go func() {
		select {
		case <-p.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	info, err := u.bring(ctx, u, p)
	if err != nil {
		p.stop()
		return nil, nil, err
	}
	return p, info, nil
}

// dismiss lets the running calls of a process end, for a while, and stops it. No new ones reach it by now.
func (u *unit) dismiss(p *process, patience time.Duration) {
	select {
	case <-p.idle():
	case <-p.exited:
	case <-time.After(patience):
		u.log.Warn("plugin did not drain in time", "pid", p.pid)
	}
	p.stop()
}

// down notes why the plugin does not serve and when it is tried again.
func (u *unit) down(cause error, wait time.Duration) {
	u.mu.Lock()
	u.lastErr = firstLine(cause.Error())
	u.restarts++
	u.nextTry = time.Now().Add(wait)
	tired := u.state == Backoff && wait >= firstRest
	u.mu.Unlock()
	if tired {
		note := fmt.Sprintf("连续失败 %d 次，%s 后再试", failuresMost, wait)
		if isRefused(cause) {
			note = "与获批的内容不符，已停止启动"
		}
		u.move(cueTired, note)
	}
	u.log.Error("plugin is down", "error", cause.Error(), "next_try_in", wait.String())
}

func (u *unit) pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case asked := <-u.upgrades: // there is nothing to hand over from: it is tried now
		u.mu.Lock()
		u.program = asked.program
		u.mu.Unlock()
		asked.done <- nil
	case <-ctx.Done():
	}
}

// install makes p the process that is called from now on.
func (u *unit) install(p *process, info *described) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.process = p
	u.info = info // kept while down: menus and routes stay, their calls say that the plugin is restarting
}

// move takes the step that the table of moves has for a cue. That there is none is a mistake of this file's, which is
// logged; the state stays.
func (u *unit) move(on cue, note string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	m, err := next(u.state, on)
	if err != nil {
		u.log.Error("plugin life", "error", err.Error())
		return
	}
	if note == "" {
		note = m.note
		if on == cueStop && u.parting != "" {
			note = u.parting
		}
	}
	note = firstLine(note)
	u.state, u.since = m.to, time.Now()
	if m.to.called() {
		u.nextTry = time.Time{}
	} else {
		u.process = nil
	}
	switch {
	case m.to.called() && !m.from.called():
		close(u.serving)
	case m.from.called() && !m.to.called():
		u.serving = make(chan struct{})
	}
	u.history = append(u.history, Change{At: u.since, State: m.to, Note: note})
	if len(u.history) > historyKept {
		u.history = u.history[len(u.history)-historyKept:]
	}
	u.log.Info("plugin life", "from", m.from, "cue", on, "to", m.to, "note", note)
}

// firstLine is what fits into a row: go-plugin explains a failed start in a page.
func firstLine(s string) string {
	if list, ok := mistakesIn(s); ok {
		return list
	}
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(s); len(r) > 300 {
		return string(r[:299]) + "…"
	}
	return s
}
