package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"minifleet/app/fault"
	"minifleet/app/plugin/archive"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of following the catalog.
const (
	defaultFollow = 3 * time.Second
	defaultUID    = 61_000
)

// following keeps looks at the catalog apart.
type following struct {
	mu sync.Mutex // one look at a time
}

// extensions tells whether this host runs any.
func (h *Host) extensions() bool {
	return h.options.Catalog != nil && h.options.Catalog.Enabled() && h.options.Cache != ""
}

// Isolated tells whether extensions run as users of their own, who can read nothing of the host's.
func (h *Host) Isolated() bool { return isolates() }

// followCatalog keeps the extensions as the catalog has them, also after decisions of other replicas and of the command line.
func (h *Host) followCatalog(ctx context.Context) {
	every := h.options.Follow
	if every == 0 {
		every = defaultFollow
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := h.FollowCatalog(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("the plugin catalog was not followed", "error", err.Error())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	for _, u := range h.roster.list() {
		if u.third {
			<-u.ended
		}
	}
}

// FollowCatalog makes the running extensions those of the catalog, now: what is approved starts or takes over without a
// gap, what was withdrawn stops. It returns when each has; what one of them did wrong is in its history.
func (h *Host) FollowCatalog(ctx context.Context) error {
	if !h.extensions() {
		return nil
	}
	h.following.mu.Lock()
	defer h.following.mu.Unlock()
	wanted, err := h.options.Catalog.serving(ctx)
	if err != nil {
		return err
	}
	var turns sync.WaitGroup
	for _, u := range h.roster.list() {
		if _, stays := wanted[u.id]; u.third && !stays {
			turns.Go(func() { h.retire(ctx, u) })
		}
	}
	for id, want := range wanted {
		turns.Go(func() { h.bringTo(ctx, id, want) })
	}
	turns.Wait()
	return nil
}

// Settled waits until an extension serves, has failed or is gone, or the context ends.
func (h *Host) Settled(ctx context.Context, id string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		u := h.unit(id)
		if u == nil {
			return nil
		}
		switch u.current() {
		case Serving, Backoff, Broken, Stopped:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil // it goes on without anybody waiting
		}
	}
}

// retire stops an extension that no longer serves and forgets what waited for it.
func (h *Host) retire(ctx context.Context, u *unit) {
	h.roster.remove(u)
	u.part("已下架")
	if err := h.options.Events.Forget(context.WithoutCancel(ctx), subscriberName(u.id)); err != nil {
		u.log.Error("events of a withdrawn plugin were not forgotten", "error", err.Error())
	}
}

func (h *Host) endStrays(u *unit) {
	run := u.command()
	if run.approved == nil {
		return
	}
	var living []int
	if p := u.running(); p != nil {
		living = append(living, p.pid)
	}
	if err := endStrays(run.approved.uid, living); err != nil {
		u.log.Error("what a plugin left running was not ended", "error", err.Error())
	}
}

// bringTo has the archive of the catalog run as the extension.
func (h *Host) bringTo(ctx context.Context, id string, want served) {
	u := h.unit(id)
	switch {
	case u != nil && !u.third:
		h.log.Error("an extension has the id of a plugin of the house", "plugin", id)
		return
	case u != nil && u.command().approved.archiveID == want.archiveID:
		return
	}
	run, err := h.prepare(ctx, want)
	if err != nil {
		h.log.Error("an approved plugin was not unpacked", "plugin", id, "archive", want.archiveID, "error", err.Error())
		return
	}
	if u == nil {
		u = newUnit(id, true, run, h.log)
		if h.roster.add(u) {
			h.launch(u)
		}
		return
	}
	err = u.hand(ctx, h.ended, run)
	if err == nil || errors.Is(err, errStopping) || ctx.Err() != nil {
		return
	}
	u.log.Warn("an approved upgrade did not take over", "archive", want.archiveID, "error", firstLine(err.Error()))
	if err := h.options.Catalog.turnBack(ctx, want.archiveID, why(err)); err != nil {
		u.log.Error("the catalog still names an archive that did not take over", "archive", want.archiveID, "error", err.Error())
	}
}

// why is the cause of a failed upgrade in one line.
func why(err error) string {
	var failure *fault.Error
	if errors.As(err, &failure) && failure.Cause != nil {
		err = failure.Cause
	}
	return firstLine(err.Error())
}

// prepare unpacks an archive into the cache, where everything of it is verified, and says how it is to be run.
func (h *Host) prepare(ctx context.Context, want served) (program, error) {
	a, err := h.options.Catalog.archive(ctx, "a.id=?", want.archiveID)
	if err != nil {
		return program{}, err
	}
	if err := a.Spec.Check(); err != nil {
		return program{}, err
	}
	at := slices.IndexFunc(a.binaries, func(f archive.File) bool { return f.Name == archive.Binary(platform()) })
	if at < 0 {
		return program{}, fmt.Errorf("archive %d has no binary for %s", a.ID, platform())
	}
	folder := archive.Path(h.options.Cache, a.SHA256)
	if archive.Verify(folder, a.binaries) != nil {
		if folder, err = h.options.Catalog.unpack(ctx, a, h.options.Cache); err != nil {
			return program{}, err
		}
	}
	uid := 0
	if isolates() {
		base := h.options.UIDBase
		if base == 0 {
			base = defaultUID
		}
		uid = base + int(want.number)
	}
	return program{approved: &approved{
		archiveID: a.ID, sum: a.SHA256, spec: a.Spec, folder: folder, binary: a.binaries[at], uid: uid,
		capabilities: newCapabilities(a.Plugin, a.Spec.Capabilities),
	}}, nil
}

// holdToApproval compares what a running extension says about itself with what was approved. One that asks for more never
// serves, and the catalog says why.
func (h *Host) holdToApproval(ctx context.Context, u *unit, p *process, manifest *pluginpb.Manifest) error {
	a := p.program.approved
	if a == nil {
		return nil
	}
	err := within(manifest, a.spec)
	if err == nil {
		return nil
	}
	if noted := h.options.Catalog.refuse(ctx, a.archiveID, err.Error()); noted != nil {
		u.log.Error("the refusal of an archive was not noted", "archive", a.archiveID, "error", noted.Error())
	}
	return err
}

// served is which archive runs as an extension, and the extension's number.
type served struct{ archiveID, number int64 }

// serving tells what should run, by plugin.
func (c *Catalog) serving(ctx context.Context) (map[string]served, error) {
	var rows []entryRow
	err := c.o.DB.All(ctx, &rows, `SELECT c.plugin, c.number, c.archive_id FROM plugin_catalog c JOIN plugin_archive a ON a.id=c.archive_id WHERE a.state='approved'`)
	if err != nil {
		return nil, fmt.Errorf("read plugin catalog: %w", err)
	}
	wanted := make(map[string]served, len(rows))
	for _, row := range rows {
		wanted[row.Plugin] = served{row.ArchiveID, row.Number}
	}
	return wanted, nil
}

// unpack reads an archive out of the database and unpacks it, when it is still the one that was approved.
func (c *Catalog) unpack(ctx context.Context, a Archive, cache string) (folder string, err error) {
	info, content, err := c.o.DB.OpenBlob(ctx, a.blobID)
	if err != nil {
		return "", fmt.Errorf("read plugin archive %d: %w", a.ID, err)
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	if info.Size > archive.MaxSize {
		return "", fmt.Errorf("plugin archive %d has %d bytes", a.ID, info.Size)
	}
	raw, err := io.ReadAll(io.LimitReader(content, archive.MaxSize+1))
	if err != nil {
		return "", fmt.Errorf("read plugin archive %d: %w", a.ID, err)
	}
	opened, err := archive.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return "", fmt.Errorf("open plugin archive %d: %w", a.ID, err)
	}
	if opened.SHA256 != a.SHA256 {
		return "", fmt.Errorf("%w: archive %d has sha256 %s, approved was %s", errTampered, a.ID, opened.SHA256, a.SHA256)
	}
	return opened.Unpack(cache)
}
