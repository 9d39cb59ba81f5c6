package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of a job that runs once for each space.
const (
	spaceJobTimeout  = 2 * time.Minute // for one space
	spaceJobParallel = 4
	spaceJobPage     = 200
	spaceJobNamed    = 3 // failures whose space the history names
)

// tally is what became of one run over all spaces.
type tally struct {
	mu       sync.Mutex
	done     int
	failures int
	first    []string
}

func (t *tally) add(space int64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.done++
		return
	}
	t.failures++
	if len(t.first) < spaceJobNamed {
		t.first = append(t.first, fmt.Sprintf("空间 %d：%s", space, firstLine(fault.From(err).Message)))
	}
}

func (t *tally) note() string {
	return fmt.Sprintf("%d 个空间，成功 %d，失败 %d", t.done+t.failures, t.done, t.failures)
}

// runForSpaces runs a job once for every space that has the extension on, several at a time. A space that fails does not
// stop the others; one that switches the extension off meanwhile is left out.
func (h *Host) runForSpaces(ctx context.Context, id, name string) (note string, err error) {
	var t tally
	var running sync.WaitGroup
	slots := make(chan struct{}, spaceJobParallel)
	err = h.eachSpace(ctx, id, func(space Space) error {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		running.Go(func() {
			defer func() { <-slots }()
			err := h.runForSpace(ctx, id, name, space)
			if !IsUnknown(err) {
				t.add(space.ID, err)
			}
		})
		return nil
	})
	running.Wait()
	if err == nil && t.failures > 0 {
		err = fault.New(fault.Unavailable, "plugin.job_spaces", strings.Join(t.first, "；"))
	}
	return t.note(), err
}

func (h *Host) runForSpace(ctx context.Context, id, name string, space Space) error {
	a := forSpace(space, fmt.Sprintf("job-%s.%s-%d", id, name, space.ID))
	if err := h.offeredTo(ctx, a, id); err != nil {
		return err
	}
	return h.call(ctx, id, a, spaceJobTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		_, err := client.RunJob(ctx, &pluginpb.RunJobRequest{Name: name})
		return err
	})
}

// eachSpace calls do for every space that has switched the extension on.
func (h *Host) eachSpace(ctx context.Context, id string, do func(space Space) error) error {
	for last := int64(0); ; {
		var rows []struct{ SpaceID int64 }
		err := h.options.DB.All(ctx, &rows, "SELECT space_id FROM plugin_space WHERE plugin=? AND is_on=1 AND space_id>? ORDER BY space_id LIMIT ?", id, last, spaceJobPage)
		if err != nil {
			return fmt.Errorf("spaces with %s: %w", id, err)
		}
		if len(rows) == 0 {
			return nil
		}
		ids := make([]int64, len(rows))
		for i, row := range rows {
			ids[i], last = row.SpaceID, row.SpaceID
		}
		named, err := h.options.Spaces.Named(ctx, ids)
		if err != nil {
			return fmt.Errorf("spaces with %s: %w", id, err)
		}
		for _, space := range named {
			if err := do(space); err != nil {
				return err
			}
		}
	}
}

// IsUnknown reports whether the answer is that there is no such plugin for whoever asked.
func IsUnknown(err error) bool {
	var known *fault.Error
	return errors.As(err, &known) && known.Code == "plugin.unknown"
}

// platformJob reports whether a job runs once for the platform.
func (h *Host) platformJob(id, name string) bool {
	m, ok := h.Manifest(id)
	if !ok {
		return false
	}
	for _, job := range m.GetJobs() {
		if job.GetName() == name {
			return job.GetPlatform()
		}
	}
	return false
}

// checkJobs refuses what cannot run: a first-party plugin is on for every space and has no list of those that switched it on.
func checkJobs(third bool, m *Manifest) error {
	for _, job := range m.GetJobs() {
		if !third && !job.GetPlatform() {
			return fmt.Errorf("plugin %s: job %q is for each space, which only extensions have", m.GetId(), job.GetName())
		}
	}
	return nil
}
