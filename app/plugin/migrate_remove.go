package plugin

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

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
	return usedBy(builds, plugin, item) == 0 && dropped(builds, plugin, item)
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
		if one.BeganAt > 0 || usedBy(builds, plugin, one.Item) == 0 || dropped(builds, plugin, one.Item) {
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
