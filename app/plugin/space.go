package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/plugins/sdk/pluginpb"
)

// This file decides whether a space meets an extension at all. First-party plugins are always there. An extension is there
// for a space when an operator has made it available to that space and the space has switched it on; for everybody else it
// is as unknown as a plugin that was never installed. A visitor meets the public addresses of one that is available to all
// spaces while at least one of them has it on: what nobody uses has no public face.

// offered is the question that every way to a plugin asks first: nil, or the answer that an unknown plugin gets.
func (h *Host) offered(ctx context.Context, actor account.Actor, plugin string) error {
	return h.offeredTo(ctx, authority{kind: byPerson, actor: actor}, plugin)
}

// offeredTo is offered for what works under a token. Work for the platform as a whole, which belongs to no space, is for
// extensions whose approval includes a platform job.
func (h *Host) offeredTo(ctx context.Context, a authority, plugin string) error {
	third, known := h.extension(plugin)
	if !known {
		return unknownPlugin()
	}
	if !third {
		return nil
	}
	space := a.home()
	if a.system() && space == 0 {
		if h.platformWide(plugin) {
			return nil
		}
		return unknownPlugin()
	}
	on, err := h.door.on(ctx, space)
	if err != nil {
		return err
	}
	if !on[plugin] {
		return unknownPlugin()
	}
	return nil
}

// Offers reports whether the actor meets the plugin.
func (h *Host) Offers(ctx context.Context, actor account.Actor, plugin string) (bool, error) {
	err := h.offered(ctx, actor, plugin)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

// ManifestsFor gives the manifests of the plugins that the actor meets, in the order of the catalog.
func (h *Host) ManifestsFor(ctx context.Context, actor account.Actor) ([]*Manifest, error) {
	var met []*Manifest
	for _, m := range h.Manifests() {
		there, err := h.Offers(ctx, actor, m.GetId())
		if err != nil {
			return nil, err
		}
		if there {
			met = append(met, m)
		}
	}
	return met, nil
}

// extension tells whether a plugin is known, and whether it is somebody else's.
func (h *Host) extension(plugin string) (third, known bool) {
	u := h.unit(plugin)
	return u != nil && u.third, u != nil
}

// platformWide tells whether an extension was approved for work beyond single spaces.
func (h *Host) platformWide(plugin string) bool {
	m, ok := h.Manifest(plugin)
	return ok && slices.ContainsFunc(m.GetJobs(), func(j *pluginpb.Job) bool { return j.GetPlatform() })
}

// doorStale is how long a replica may go on with what another one has changed. What was changed here counts at once.
const doorStale = 2 * time.Second

// doorMost bounds how many spaces a replica remembers.
const doorMost = 10_000

// door remembers for a moment which extensions each space has. Space 0 is the visitors'.
type door struct {
	db     *store.DB
	spaces Spaces

	mu      sync.Mutex
	changes int64 // counts what was changed here: an answer read before a change is not kept
	seen    map[int64]doorway
}

type doorway struct {
	on   map[string]bool
	from time.Time // wall time before it was read
}

func newDoor(db *store.DB, spaces Spaces) *door {
	return &door{db: db, spaces: spaces, seen: map[int64]doorway{}}
}

// on gives the extensions that the space has; the map is not to be changed.
func (d *door) on(ctx context.Context, space int64) (map[string]bool, error) {
	from := time.Now()
	d.mu.Lock()
	way, known := d.seen[space]
	changes := d.changes
	d.mu.Unlock()
	if known && from.Sub(way.from) < doorStale {
		return way.on, nil
	}
	on, err := d.read(ctx, space)
	if err != nil {
		return nil, fmt.Errorf("extensions of space %d: %w", space, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes == changes && !d.db.InTx(ctx) {
		if len(d.seen) >= doorMost {
			clear(d.seen)
		}
		d.seen[space] = doorway{on, from}
	}
	return on, nil
}

// forget makes the next question about a space read anew; 0 is all of them.
func (d *door) forget(space int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes++
	if space == 0 {
		clear(d.seen)
		return
	}
	delete(d.seen, space)
	delete(d.seen, 0) // the visitors' answer depends on who has it on
}

func (d *door) read(ctx context.Context, space int64) (map[string]bool, error) {
	on := map[string]bool{}
	if space == 0 {
		var open []struct{ Plugin string }
		err := d.db.All(ctx, &open, "SELECT o.plugin FROM plugin_offer o WHERE o.reach=? AND EXISTS (SELECT 1 FROM plugin_space s WHERE s.plugin=o.plugin AND s.is_on=1)", ReachAll)
		for _, row := range open {
			on[row.Plugin] = true
		}
		return on, err
	}
	var rows []struct {
		Plugin, Reach, Kinds string
		Chosen               int64
	}
	err := d.db.All(ctx, &rows, "SELECT s.plugin, o.reach, o.kinds, CASE WHEN c.space_id IS NULL THEN 0 ELSE 1 END AS chosen FROM plugin_space s JOIN plugin_offer o ON o.plugin=s.plugin LEFT JOIN plugin_offer_space c ON c.plugin=s.plugin AND c.space_id=s.space_id WHERE s.space_id=? AND s.is_on=1", space)
	if err != nil {
		return nil, err
	}
	kind := ""
	for _, row := range rows {
		if row.Reach == ReachKinds && kind == "" {
			if kind, err = kindOf(ctx, d.spaces, space); err != nil {
				return nil, err
			}
		}
		on[row.Plugin] = reaches(row.Reach, row.Kinds, row.Chosen == 1, kind)
	}
	return on, nil
}

// kindOf is the kind of a space, "" when it is gone.
func kindOf(ctx context.Context, spaces Spaces, id int64) (string, error) {
	named, err := spaces.Named(ctx, []int64{id})
	if err != nil || len(named) == 0 {
		return "", err
	}
	return named[0].Kind, nil
}

// reaches applies what an operator has decided to one space.
func reaches(reach, kinds string, chosen bool, kind string) bool {
	switch reach {
	case ReachAll:
		return true
	case ReachKinds:
		return kind != "" && slices.Contains(strings.Fields(kinds), kind)
	case ReachSpaces:
		return chosen
	default:
		return false
	}
}
