package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/plugins/sdk/pluginpb"
)

// writing is one commit at work: on whose behalf, and what it makes spaces keep more or less of.
type writing struct {
	committer
	a       authority
	plugin  string
	counted bool // the plugin's data is bounded
	kept    map[int64]amount
}

func (c committer) writing(plugin string, a authority) *writing {
	return &writing{committer: c, a: a, plugin: plugin, counted: c.quota.bounds(plugin), kept: map[int64]amount{}}
}

func (w *writing) apply(ctx context.Context, known map[string]*collection, op *pluginpb.Op) (int64, error) {
	target := known[op.GetCollection()]
	if target == nil {
		return 0, mistake("no collection %q", op.GetCollection())
	}
	var cells map[string]json.RawMessage
	if len(op.GetRow()) > 0 {
		if err := json.Unmarshal(op.GetRow(), &cells); err != nil {
			return 0, mistake("row of %s: %v", target.name, err)
		}
	}
	switch op.GetKind() {
	case "insert":
		return w.insert(ctx, target, cells)
	case "update":
		return op.GetId(), w.update(ctx, target, op, cells)
	case "increment":
		return op.GetId(), w.increment(ctx, target, op, cells)
	case "delete":
		return op.GetId(), w.remove(ctx, target, op)
	default:
		return 0, mistake("unknown op %q", op.GetKind())
	}
}

func (w *writing) insert(ctx context.Context, target *collection, cells map[string]json.RawMessage) (int64, error) {
	now := w.clock.Now().UnixMilli()
	id := w.db.NewID()
	space := w.a.actor.SpaceID
	if w.a.system() {
		space = w.a.space
	}
	row := map[string]any{"id": id, "version": int64(1), "space_id": space, "created_at": now, "updated_at": now}
	for name := range cells {
		if !target.has(name) || slices.Contains(baseNames, name) {
			return 0, mistake("no column %q to insert in %s", name, target.name)
		}
	}
	for _, column := range target.columns[len(baseColumns):] {
		converted, err := value(column, cells[column.GetName()])
		if err != nil {
			return 0, err
		}
		row[column.GetName()] = converted
	}
	if w.counted {
		size := sizeOfRow(target, row)
		row[bytesColumn] = size
		w.keep(space, amount{1, size})
	}
	text := target.searchText(row)
	if target.searchable() {
		row[searchColumn] = text
	}
	if err := w.db.Insert(ctx, target.table, row); err != nil {
		return 0, taken(target, err)
	}
	if err := w.post(ctx, target, id, nil, grams(text)); err != nil {
		return 0, err
	}
	return id, w.mayWrite(ctx, target, id)
}

// mayWrite looks whether the row that was just written is one the authority may write; if not, the transaction rolls
// back and nobody has seen it.
func (w *writing) mayWrite(ctx context.Context, target *collection, id int64) error {
	own := visible(w.a, target, w.apps, true).and(equals("id", id))
	count, err := w.db.Int(ctx, "SELECT COUNT(*) FROM `"+target.table+"` WHERE "+own.sql, own.args...)
	if err != nil {
		return fmt.Errorf("check row of %s: %w", target.table, err)
	}
	if count == 0 {
		refused := fault.New(fault.Forbidden, "plugin.not_yours", "没有权限写入这条数据，请联系小程序主体授权")
		if v := target.visibility; v.GetKind() == "miniprogram" {
			refused.On(v.GetColumn(), "应为你能操作的小程序的 AppID")
		}
		return refused
	}
	return nil
}

// mayChange refuses a column that is not there, that the host sets, or that decides who sees the row.
func (c *collection) mayChange(name, verb string) error {
	if !c.has(name) || slices.Contains(baseNames, name) {
		return mistake("no column %q to %s in %s", name, verb, c.name)
	}
	if slices.Contains(c.visibility.Bound(), name) {
		return mistake("column %s of %s decides who sees the row and cannot change", name, c.name)
	}
	return nil
}

func (w *writing) update(ctx context.Context, target *collection, op *pluginpb.Op, cells map[string]json.RawMessage) error {
	names := make([]string, 0, len(cells))
	searched := false
	for name := range cells {
		if err := target.mayChange(name, "update"); err != nil {
			return err
		}
		names = append(names, name)
		searched = searched || target.byName[name].GetSearch() && target.searchable()
	}
	sort.Strings(names)
	var sets strings.Builder
	var args []any
	for _, name := range names {
		converted, err := value(target.byName[name], cells[name])
		if err != nil {
			return err
		}
		sets.WriteString("`" + name + "`=?,")
		args = append(args, converted)
	}
	where := w.target(target, op)
	query := "UPDATE `" + target.table + "` SET " + sets.String() + "`version`=`version`+1,`updated_at`=? WHERE " + where.sql
	args = append(append(args, w.clock.Now().UnixMilli()), where.args...)
	changed, err := w.db.Exec(ctx, query, args...)
	if err != nil {
		return taken(target, err)
	}
	if changed == 0 {
		return w.whyUntouched(ctx, target, op)
	}
	if !searched && !w.counted {
		return nil
	}
	return w.follow(ctx, target, op.GetId())
}

func (w *writing) remove(ctx context.Context, target *collection, op *pluginpb.Op) error {
	where := w.target(target, op)
	var gone kept
	if w.counted { // the row is held before it is read: nobody changes what it counts for meanwhile
		held, err := w.db.Exec(ctx, "UPDATE `"+target.table+"` SET `version`=`version`+1 WHERE "+where.sql, where.args...)
		if err != nil {
			return fmt.Errorf("delete from %s: %w", target.table, err)
		}
		if held == 0 {
			return w.whyUntouched(ctx, target, op)
		}
		where = equals("id", op.GetId())
	}
	if w.counted || target.searchable() {
		var err error
		if gone, err = w.read(ctx, target, op.GetId()); err != nil {
			return err
		}
	}
	changed, err := w.db.Exec(ctx, "DELETE FROM `"+target.table+"` WHERE "+where.sql, where.args...)
	if err != nil {
		return fmt.Errorf("delete from %s: %w", target.table, err)
	}
	if changed == 0 {
		return w.whyUntouched(ctx, target, op)
	}
	if w.counted {
		w.keep(gone.space, amount{-1, -gone.bytes})
	}
	return w.post(ctx, target, op.GetId(), grams(gone.search), nil)
}

// target is the row of an op, at the wanted version, if the authority may write it.
func (w *writing) target(target *collection, op *pluginpb.Op) predicate {
	where := equals("id", op.GetId()).and(visible(w.a, target, w.apps, true))
	if op.GetIfVersion() != 0 {
		where = where.and(equals("version", op.GetIfVersion()))
	}
	return where
}

// whyUntouched tells an outdated version from a row that is not there for this authority, and both from an increment that
// would leave its bounds.
func (w *writing) whyUntouched(ctx context.Context, target *collection, op *pluginpb.Op) error {
	own := equals("id", op.GetId()).and(visible(w.a, target, w.apps, true))
	var row struct{ Version int64 }
	found, err := w.db.One(ctx, &row, "SELECT `version` FROM `"+target.table+"` WHERE "+own.sql, own.args...)
	switch {
	case err != nil:
		return fmt.Errorf("look for row of %s: %w", target.table, err)
	case !found:
		return fault.New(fault.NotFound, "plugin.row", "没有找到这条数据，可能已被删除")
	case op.GetKind() == "increment" && (op.GetIfVersion() == 0 || op.GetIfVersion() == row.Version):
		return fault.New(fault.Conflict, codeBounds, "数值会超出允许的范围，没有修改")
	default:
		return fault.New(fault.Conflict, codeAborted, "数据刚刚被别人修改，请刷新后重试")
	}
}

func taken(target *collection, err error) error {
	if store.Duplicate(err) {
		return fault.New(fault.Conflict, "plugin.duplicate", "相同的数据已经存在").Because(err)
	}
	return fmt.Errorf("write %s: %w", target.table, err)
}
