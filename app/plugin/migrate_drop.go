package plugin

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

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

// openDrop is a removal that an operator approved and that is not done.
type openDrop struct {
	ID      int64
	Item    string
	BeganAt int64
}

func (s schemas) approved(ctx context.Context, plugin string) ([]openDrop, error) {
	var open []openDrop
	if err := s.db.All(ctx, &open, "SELECT id, item, began_at FROM plugin_drop WHERE plugin=? AND done_at=0 ORDER BY id", plugin); err != nil {
		return nil, fmt.Errorf("approved drops of plugin %s: %w", plugin, err)
	}
	return open, nil
}

// resume carries out what an operator approved and what is not done yet, as far as no process of any replica uses it and one
// asks for it: without that the yes may be about a build that was given up.
func (s schemas) resume(ctx context.Context, plugin string) (err error) {
	open, err := s.approved(ctx, plugin)
	if err != nil || len(open) == 0 {
		return err
	}
	builds, err := s.builds(ctx, plugin)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(open, func(o openDrop) bool { return o.BeganAt != 0 || removable(builds, plugin, o.Item) }) {
		return nil // all of it waits: no need to keep others from the tables
	}
	lease, err := s.await(ctx, "plugin.schema")
	if err != nil {
		return fmt.Errorf("drop data of plugin %s: %w", plugin, err)
	}
	defer func() {
		if releaseErr := s.db.Release(context.WithoutCancel(ctx), lease); err == nil && releaseErr != nil {
			err = fmt.Errorf("drop data of plugin %s: %w", plugin, releaseErr)
		}
	}()
	if open, err = s.approved(ctx, plugin); err != nil { // another replica may have been faster
		return err
	}
	for _, one := range open {
		if err := s.carryOut(ctx, plugin, one); err != nil {
			return fmt.Errorf("drop %s of plugin %s: %w", one.Item, plugin, err)
		}
	}
	return nil
}

func removable(builds []builtFor, plugin, item string) bool {
	return usedBy(builds, plugin, item) == 0 && droppedBy(builds, plugin, item) > 0
}

// lapse takes an operator's yes back when every replica has gone back to builds that use what was to be removed: the rows
// that these write were not there when it was given, and a later build that drops the item has it asked again.
func (h *Host) lapse(ctx context.Context, plugin string, unwanted map[int64]int) error {
	open, err := h.schemas.approved(ctx, plugin)
	if err != nil || len(open) == 0 {
		return err
	}
	builds, err := h.schemas.builds(ctx, plugin)
	if err != nil {
		return err
	}
	for _, one := range open {
		if one.BeganAt > 0 || usedBy(builds, plugin, one.Item) == 0 || droppedBy(builds, plugin, one.Item) > 0 {
			delete(unwanted, one.ID)
			continue
		}
		if unwanted[one.ID]++; unwanted[one.ID] < lapseLooks {
			continue
		}
		delete(unwanted, one.ID)
		if _, err := h.options.DB.Exec(ctx, "DELETE FROM plugin_drop WHERE id=? AND began_at<=0 AND done_at=0", one.ID); err != nil {
			return fmt.Errorf("lapse the drop of %s in %s: %w", one.Item, plugin, err)
		}
		h.log.Warn("the approval to remove data of a plugin has lapsed: only builds that use it are left", "plugin", plugin, "item", one.Item)
	}
	return nil
}

// carryOut removes one item, unless a process uses it. It is marked before that is asked, and a process is announced before
// it looks for marks: of a removal and a process that begin at once, one sees the other.
func (s schemas) carryOut(ctx context.Context, plugin string, one openDrop) error {
	marked := false
	mark := func(column string, at int64) error {
		n, err := s.db.Exec(ctx, "UPDATE plugin_drop SET "+column+"=? WHERE id=?", at, one.ID)
		marked = n > 0
		return err
	}
	now := time.Now().UnixMilli()
	if one.BeganAt <= 0 {
		if err := mark("began_at", -now); err != nil || !marked { // lapsed meanwhile
			return err
		}
		builds, err := s.builds(ctx, plugin)
		if err != nil {
			return err
		}
		if !removable(builds, plugin, one.Item) {
			return mark("began_at", 0)
		}
		if err := mark("began_at", now); err != nil || !marked {
			return err
		}
	}
	drop := Drop{Plugin: plugin}
	drop.Collection, drop.Column, _ = strings.Cut(one.Item, ".")
	if err := s.remove(ctx, drop); err != nil {
		return err
	}
	return mark("done_at", time.Now().UnixMilli())
}

var indexMade = regexp.MustCompile("INDEX `([^`]+)` ON")

// remove takes a column or a collection away, then the notes of it: a step that is done again finds nothing to do.
func (s schemas) remove(ctx context.Context, d Drop) error {
	done, err := s.noted(ctx, d.Plugin)
	if err != nil {
		return err
	}
	gone := []string{}
	for _, item := range slices.Sorted(maps.Keys(done)) {
		of := strings.HasPrefix(item, d.Collection+".") || strings.HasPrefix(item, d.Collection+"#") || strings.HasPrefix(item, d.Collection+"?") || item == d.Collection
		made := indexMade.FindStringSubmatch(done[item])
		switch {
		case d.Column == "" && of, item == d.Item():
			gone = append(gone, item)
		case of && made != nil && strings.Contains(done[item], "`"+d.Column+"`"):
			if err := s.db.DropIndex(ctx, d.table(), made[1]); err != nil {
				return err
			}
			gone = append(gone, item)
		}
	}
	if d.Column != "" {
		err = s.db.DropColumn(ctx, d.table(), d.Column)
	} else {
		err = s.removeTables(ctx, d)
	}
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		for _, item := range gone {
			if _, err := s.db.Exec(ctx, "DELETE FROM plugin_schema WHERE plugin=? AND item=?", d.Plugin, item); err != nil {
				return err
			}
		}
		query, args := "DELETE FROM plugin_column WHERE plugin=? AND collection=?", []any{d.Plugin, d.Collection}
		if d.Column != "" {
			query, args = query+" AND name=?", append(args, d.Column)
		}
		_, err := s.db.Exec(ctx, query, args...)
		return err
	})
}

// removeTables drops a collection's tables. Where its rows are counted, spaces keep so much less first.
func (s schemas) removeTables(ctx context.Context, d Drop) error {
	if s.quota.bounds(d.Plugin) {
		if err := s.uncount(ctx, d); err != nil && !notThere(err) {
			return err
		}
	}
	for _, table := range []string{d.table(), "pluginsearch_" + d.Plugin + "_" + d.Collection} {
		if _, err := s.db.Exec(ctx, "DROP TABLE IF EXISTS `"+table+"`"); err != nil {
			return err
		}
	}
	return nil
}

// uncount empties a collection and its share of the counters together, so that doing it again takes nothing off twice.
func (s schemas) uncount(ctx context.Context, d Drop) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		var spaces []struct{ SpaceID, RowsKept, BytesKept int64 }
		query := "SELECT space_id, COUNT(*) AS rows_kept, SUM(`" + bytesColumn + "`) AS bytes_kept FROM `" + d.table() + "` GROUP BY space_id"
		if err := s.db.All(ctx, &spaces, query); err != nil {
			return err
		}
		for _, space := range spaces {
			const less = "UPDATE plugin_usage SET rows_used=rows_used-?, bytes_used=bytes_used-? WHERE plugin=? AND space_id=?"
			if _, err := s.db.Exec(ctx, less, space.RowsKept, space.BytesKept, d.Plugin, space.SpaceID); err != nil {
				return err
			}
		}
		_, err := s.db.Exec(ctx, "DELETE FROM `"+d.table()+"`")
		return err
	})
}

// notThere knows the answer about a table that a crash left dropped but noted.
func notThere(err error) bool {
	text := err.Error()
	return strings.Contains(text, "no such table") || strings.Contains(text, "Error 1146")
}
