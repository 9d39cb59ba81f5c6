package plugin

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// Drop is a collection, or a column of one, that a plugin no longer needs. What it holds is kept until an operator says yes.
type Drop struct {
	Plugin, Title string // of the plugin
	Collection    string
	Column        string // "" for the whole collection
	Rows          int64  // that would lose something: exact to 10,000, -1 beyond
	Approved      bool   // an operator has said yes: it goes when nobody uses it any more
	Users         int    // processes of older builds that still use it, on all replicas
}

// Item names it as the manifest does.
func (d Drop) Item() string {
	if d.Column == "" {
		return d.Collection
	}
	return d.Collection + "." + d.Column
}

// checkDrops refuses a manifest that declares what it drops.
func (d *described) checkDrops() error {
	for _, item := range d.manifest.GetDrops() {
		name, column, ofColumn := strings.Cut(item, ".")
		if !nameShape.MatchString(name) || ofColumn && !nameShape.MatchString(column) {
			return fmt.Errorf("drops %q is neither a collection nor a column of one", item)
		}
		if c := d.collections[name]; c != nil && (!ofColumn || c.has(column)) {
			return fmt.Errorf("drops %s, which it declares", item)
		}
	}
	return nil
}

// PendingDrops are those that wait, of the builds that serve now on any replica, by plugin. Who may ask is the caller's to
// decide.
func (h *Host) PendingDrops(ctx context.Context) ([]Drop, error) {
	builds, err := h.schemas.builds(ctx, "")
	if err != nil {
		return nil, err
	}
	var pending []Drop
	titles, wanted := h.dropped(builds)
	for _, plugin := range slices.Sorted(maps.Keys(wanted)) {
		done, err := h.schemas.noted(ctx, plugin)
		if err != nil {
			return nil, err
		}
		open, err := h.schemas.approved(ctx, plugin)
		if err != nil {
			return nil, err
		}
		for _, item := range slices.Sorted(maps.Keys(wanted[plugin])) {
			if _, there := done[item]; !there {
				continue
			}
			drop := Drop{Plugin: plugin, Title: titles[plugin], Users: usedBy(builds, plugin, item)}
			drop.Collection, drop.Column, _ = strings.Cut(item, ".")
			drop.Approved = slices.ContainsFunc(open, func(o openDrop) bool { return o.Item == item })
			if drop.Rows, err = h.schemas.losing(ctx, drop); err != nil {
				return nil, err
			}
			pending = append(pending, drop)
		}
	}
	return pending, nil
}

// dropped gathers what the builds of this replica and of the others no longer need, by plugin, and the plugins' titles.
func (h *Host) dropped(builds []builtFor) (titles map[string]string, wanted map[string]map[string]bool) {
	titles, wanted = map[string]string{}, map[string]map[string]bool{}
	add := func(plugin, title string, items iter.Seq[string]) {
		for item := range items {
			if wanted[plugin] == nil {
				titles[plugin], wanted[plugin] = title, map[string]bool{}
			}
			wanted[plugin][item] = true
		}
	}
	for _, manifest := range h.Manifests() {
		add(manifest.GetId(), manifest.GetTitle(), slices.Values(manifest.GetDrops()))
	}
	for _, b := range builds {
		add(b.Plugin, b.Title, maps.Keys(b.drops))
	}
	return titles, wanted
}

func (d Drop) table() string { return "plugin_" + d.Plugin + "_" + d.Collection }

// losing counts the rows that hold something in what is dropped.
func (s schemas) losing(ctx context.Context, d Drop) (int64, error) {
	from := "`" + d.table() + "`"
	if d.Column != "" {
		shapes, err := s.shapes(ctx, d.Plugin)
		if err != nil {
			return 0, err
		}
		empty := "''"
		if held := shapes[d.Item()]; len(held) > 0 && slices.Contains([]string{"int", "time", "bool"}, held[0].kind) {
			empty = "0"
		}
		from += " WHERE `" + d.Column + "` IS NOT NULL AND `" + d.Column + "`<>" + empty
	}
	rows, err := s.db.CountUpTo(ctx, "", countUpTo, from)
	if err != nil {
		return 0, fmt.Errorf("count %s of %s: %w", d.Item(), d.Plugin, err)
	}
	return rows, nil
}

// ApproveDrop removes what waits for it, for good: the operator's yes is in the database and in the operation log before
// anything is gone. While an older build still uses it, on whichever replica, it waits for that to go; whoever notices first
// removes it. A crash in the middle is taken up again.
func (h *Host) ApproveDrop(ctx context.Context, who account.Actor, plugin, item string) error {
	if !who.Operator() || !who.Can(PermissionApprove) {
		return fault.New(fault.Forbidden, "plugin.operator", "只有平台管理员可以删除扩展的数据")
	}
	pending, err := h.PendingDrops(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(pending, func(d Drop) bool { return d.Plugin == plugin && d.Item() == item })
	if at < 0 {
		return fault.New(fault.NotFound, "plugin.drop", "没有等待删除的这项数据，可能已经删除，请刷新后再看")
	}
	drop, now := pending[at], h.options.Clock.Now().UnixMilli()
	err = h.options.DB.Tx(ctx, func(ctx context.Context) error {
		open, err := h.schemas.approved(ctx, plugin)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(open, func(o openDrop) bool { return o.Item == item }) {
			return fault.New(fault.Conflict, "plugin.drop_approved", "这项数据已经同意删除，旧版本都停止使用后会自动删除")
		}
		err = h.options.DB.Insert(ctx, "plugin_drop", map[string]any{
			"id": h.options.DB.NewID(), "plugin": plugin, "item": item, "rows_lost": drop.Rows, "account_id": who.AccountID, "created_at": now, "done_at": 0, "began_at": 0,
		})
		if err != nil {
			return err
		}
		rows := fmt.Sprint(drop.Rows)
		if drop.Rows < 0 {
			rows = "10,000+"
		}
		return h.options.Trail.Record(ctx, trail.Entry{
			AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Plugin: plugin, Act: "plugin.drop", Object: plugin + " " + item,
			Changes: []trail.Change{{Field: "rows", Before: rows, After: "0"}},
		})
	})
	if err != nil {
		return fmt.Errorf("approve drop of %s in %s: %w", item, plugin, err)
	}
	return h.schemas.resume(ctx, plugin)
}
