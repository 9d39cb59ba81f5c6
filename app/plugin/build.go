package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file keeps in the database what every plugin process of every replica is built for, so that nothing is removed that
// one of them still uses. A process is announced before its tables are looked at and taken off when it is gone; a replica
// that died without a word counts for a while longer.
const (
	buildTold = 20 * time.Second // how often a replica says that its processes are there
	buildLost = 90 * time.Second // a replica that has not said so for as long has none
	buildKept = 24 * time.Hour   // rows of such replicas are deleted after it
)

// uses are the collections and columns that a build declares, by their items.
func (d *described) uses() []string {
	var items []string
	for name, c := range d.collections {
		items = append(items, name)
		for _, column := range c.columns[len(baseColumns):] {
			items = append(items, name+"."+column.GetName())
		}
	}
	slices.Sort(items)
	return items
}

// announce notes a process that is about to serve, until it is gone. What waited for it to go is removed then. That it is
// still there is told in real time: a demo's clock is moved by hand, and processes do not grow older by that.
func (h *Host) announce(ctx context.Context, p *process, id string, info *described) error {
	row, err := h.enlist(ctx, id, info)
	if err != nil {
		return fmt.Errorf("announce a build of %s: %w", id, err)
	}
	h.done.Go(func() {
		<-p.exited
		ctx := context.WithoutCancel(h.running)
		_, err := h.options.DB.Exec(ctx, "DELETE FROM plugin_build WHERE id=?", row)
		if err == nil && h.running.Err() == nil {
			err = h.schemas.resume(ctx, id)
		}
		if err != nil {
			h.log.Error("a plugin process that is gone was not taken off the list", "plugin", id, "error", err.Error())
		}
	})
	return nil
}

func (h *Host) enlist(ctx context.Context, id string, info *described) (row int64, err error) {
	row = h.options.DB.NewID()
	return row, h.options.DB.Insert(ctx, "plugin_build", map[string]any{
		"id": row, "replica": h.replica, "plugin": id, "title": clipWord(info.manifest.GetTitle()), "uses": strings.Join(info.uses(), " "),
		"drops": strings.Join(info.manifest.GetDrops(), " "), "seen_at": time.Now().UnixMilli(),
	})
}

// builtFor is what a process of some replica says.
type builtFor struct {
	Plugin, Title string
	uses, drops   map[string]bool
}

// builds lists the processes of all replicas, those of one plugin or, with "", of all.
func (s schemas) builds(ctx context.Context, plugin string) ([]builtFor, error) {
	cond, args := "seen_at>=?", []any{time.Now().Add(-buildLost).UnixMilli()}
	if plugin != "" {
		cond, args = cond+" AND plugin=?", append(args, plugin)
	}
	var rows []struct{ Plugin, Title, Uses, Drops string }
	if err := s.db.All(ctx, &rows, "SELECT plugin, title, uses, drops FROM plugin_build WHERE "+cond+" ORDER BY id", args...); err != nil {
		return nil, fmt.Errorf("builds of plugins: %w", err)
	}
	set := func(words string) map[string]bool {
		all := map[string]bool{}
		for _, word := range strings.Fields(words) {
			all[word] = true
		}
		return all
	}
	list := make([]builtFor, len(rows))
	for i, row := range rows {
		list[i] = builtFor{row.Plugin, row.Title, set(row.Uses), set(row.Drops)}
	}
	return list, nil
}

// usedBy counts the processes that still use an item.
func usedBy(builds []builtFor, plugin, item string) int {
	n := 0
	for _, b := range builds {
		if b.Plugin == plugin && b.uses[item] {
			n++
		}
	}
	return n
}

// dropped tells whether a process says that it no longer needs an item.
func dropped(builds []builtFor, plugin, item string) bool {
	return slices.ContainsFunc(builds, func(b builtFor) bool { return b.Plugin == plugin && b.drops[item] })
}

// lapseLooks is for how many looks of keepBuilds in a row, a minute and a half by default, a removal must have lost the
// build that asked for it until the operator's yes lapses: a process that is started anew is away for less.
const lapseLooks = 30

// keepBuilds says that this replica's processes are there, and carries out what an operator approved on any replica as soon
// as nobody uses it any more. It runs until the host stops.
func (h *Host) keepBuilds(ctx context.Context) {
	every := h.options.Follow
	if every == 0 {
		every = defaultFollow
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var told time.Time
	unwanted := map[int64]int{} // looks in a row, by the removal's id
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if err := h.tend(ctx, now, now.Sub(told) >= buildTold, unwanted); err != nil {
			if ctx.Err() == nil {
				h.log.Error("what plugins no longer need was not looked after", "error", err.Error())
			}
			continue
		}
		if now.Sub(told) >= buildTold {
			told = now
		}
	}
}

// tend is one look of keepBuilds.
func (h *Host) tend(ctx context.Context, now time.Time, tell bool, unwanted map[int64]int) error {
	db := h.options.DB
	if tell {
		if _, err := db.Exec(ctx, "UPDATE plugin_build SET seen_at=? WHERE replica=?", now.UnixMilli(), h.replica); err != nil {
			return err
		}
		if _, err := db.Exec(ctx, "DELETE FROM plugin_build WHERE seen_at<?", now.Add(-buildKept).UnixMilli()); err != nil {
			return err
		}
	}
	var open []struct{ Plugin string }
	if err := db.All(ctx, &open, "SELECT DISTINCT plugin FROM plugin_drop WHERE done_at=0"); err != nil {
		return err
	}
	for _, one := range open {
		if err := h.schemas.resume(ctx, one.Plugin); err != nil {
			return err
		}
		if err := h.lapse(ctx, one.Plugin, unwanted); err != nil {
			return err
		}
	}
	return nil
}
