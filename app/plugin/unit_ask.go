package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minifleet/app/fault"
)

// This file is what others ask of a unit while run keeps its process alive.

func (u *unit) current() State {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state
}

func (u *unit) running() *process {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.process
}

func (u *unit) command() program {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.program
}

// errStopping answers an upgrade of a plugin that ends.
var errStopping = errors.New("the plugin host is stopping")

// hand asks for a successor that executes run, an empty one for the present program, and waits for what becomes of it.
func (u *unit) hand(ctx context.Context, ended <-chan struct{}, run program) error {
	if run.empty() {
		run = u.command()
	}
	asked := upgrade{run, make(chan error, 1)}
	select {
	case u.upgrades <- asked:
	case <-ctx.Done():
		return ctx.Err()
	case <-ended:
		return errStopping
	}
	select {
	case err := <-asked.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// acquire gives the process for one call, or an unavailable fault at once. release must be called after it.
func (u *unit) acquire() (p *process, release func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.state.called() {
		return nil, nil, away(u.id, u.state)
	}
	u.process.calls.Add(1)
	return u.process, u.process.calls.Done, nil
}

// away is what a call hears of a plugin that does not run: to wait a little is of no use where it does not start.
func away(id string, state State) *fault.Error {
	if state == Broken || state == Probing {
		return fault.New(fault.Unavailable, "plugin.broken", "插件 "+id+" 多次启动失败，暂时无法使用。请联系平台运营方")
	}
	return unavailable(id)
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
		if state.called() {
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
	Calls              int       // running
	NextTry            time.Time // of one that waits
	// Third is an extension; ArchiveID and SHA256 say which archive of the catalog runs, Refused how many of its Host calls
	// were refused for want of a capability, by kind, since its process began, and UID as whom it runs, 0 as the host.
	Third     bool
	ArchiveID int64
	SHA256    string
	Refused   map[string]int64
	UID       int
}

func (u *unit) status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	status := Status{
		ID: u.id, Title: u.id, State: u.state, Since: u.since, Restarts: u.restarts, LastError: u.lastErr,
		History: append([]Change(nil), u.history...), NextTry: u.nextTry,
	}
	if a := u.program.approved; a != nil {
		status.Third, status.ArchiveID, status.SHA256, status.UID, status.Refused = true, a.archiveID, a.sum, a.uid, a.capabilities.count()
		status.Title, status.Version = a.spec.Title, a.spec.Version
	}
	if u.info != nil {
		status.Title, status.Version = u.info.manifest.GetTitle(), u.info.manifest.GetVersion()
	}
	if u.process != nil {
		status.PID, status.MemoryBytes, status.Calls = u.process.pid, residentBytes(u.process.pid), u.process.calls.count()
	}
	return status
}
