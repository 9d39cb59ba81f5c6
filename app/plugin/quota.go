package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"minifleet/app/fault"
)

// Quota bounds what one space keeps in the collections of one plugin. The zero value bounds nothing.
type Quota struct {
	Rows  int64 // rows of all collections together; 0: any number
	Bytes int64 // 64 for each row, 8 for each number and the bytes of its texts; 0: any number
	// Of tells whose data is bounded: extensions', not that of the plugins of the house. Nil: nobody's.
	Of func(plugin string) bool
}

func (q Quota) bounds(plugin string) bool { return q.Of != nil && q.Of(plugin) }

// layData makes the host's data service. Unless told otherwise it bounds what spaces keep of extensions.
func (h *Host) layData() {
	o := h.options
	if o.Quota.Of == nil {
		o.Quota.Of = func(plugin string) bool { third, _ := h.extension(plugin); return third }
	}
	h.schemas = schemas{o.DB, o.Quota}
	h.committer = committer{
		data: data{db: o.DB, apps: o.MiniPrograms}, clock: o.Clock, events: o.Events, components: o.Components, quota: o.Quota,
	}
}

// codeQuota says that a space keeps as much as it may.
const codeQuota = "plugin.quota"

// bytesColumn is what a row counts for. It is kept in the row so that a change knows the difference.
const bytesColumn = "_bytes"

// amount is rows and their bytes, or how many more or less.
type amount struct{ rows, bytes int64 }

// keep notes that a space keeps so much more.
func (w *writing) keep(space int64, more amount) {
	sum := w.kept[space]
	w.kept[space] = amount{sum.rows + more.rows, sum.bytes + more.bytes}
}

// settle brings the counters to what the commit has made of them, in its transaction, and refuses what is too much. Who has
// too much already may still keep less.
func (w *writing) settle(ctx context.Context) error {
	for _, space := range slices.Sorted(maps.Keys(w.kept)) { // in one order, so that two commits do not wait for each other
		more := w.kept[space]
		if more == (amount{}) {
			continue
		}
		if err := w.add(ctx, space, more); err != nil {
			return fmt.Errorf("count what space %d keeps: %w", space, err)
		}
		if more.rows <= 0 && more.bytes <= 0 {
			continue
		}
		var now struct{ RowsUsed, BytesUsed int64 }
		if _, err := w.db.One(ctx, &now, "SELECT rows_used, bytes_used FROM plugin_usage WHERE plugin=? AND space_id=?", w.plugin, space); err != nil {
			return fmt.Errorf("read what space %d keeps: %w", space, err)
		}
		if most := w.quota.Rows; most > 0 && more.rows > 0 && now.RowsUsed > most {
			return quotaFault(fmt.Sprintf("这个空间在该插件中最多保存 %d 条数据，已经用满", most))
		}
		if most := w.quota.Bytes; most > 0 && more.bytes > 0 && now.BytesUsed > most {
			return quotaFault(fmt.Sprintf("这个空间在该插件中最多保存 %s 的数据，已经用满", Megabytes(most)))
		}
	}
	return nil
}

func quotaFault(zh string) error {
	return fault.New(fault.TooMany, codeQuota, zh+"。请先删除不需要的数据，或联系平台管理员提高上限")
}

// Megabytes writes a number of bytes as a person reads it.
func Megabytes(bytes int64) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f KB", float64(bytes)/(1<<10))
}

func (w *writing) add(ctx context.Context, space int64, more amount) error {
	const query = "UPDATE plugin_usage SET rows_used=rows_used+?, bytes_used=bytes_used+? WHERE plugin=? AND space_id=?"
	for range 2 {
		changed, err := w.db.Exec(ctx, query, more.rows, more.bytes, w.plugin, space)
		if err != nil || changed > 0 {
			return err
		}
		if _, err = w.db.InsertIgnore(ctx, "plugin_usage", map[string]any{"plugin": w.plugin, "space_id": space, "rows_used": 0, "bytes_used": 0}); err != nil {
			return err
		}
	}
	return fmt.Errorf("the counter of %s is not there", w.plugin)
}

// sizeOfRow is what a row counts for.
func sizeOfRow(c *collection, row map[string]any) int64 {
	size := int64(64)
	for _, column := range c.columns[len(baseColumns):] {
		switch held := row[column.GetName()].(type) {
		case string:
			size += int64(len(held))
		default:
			size += 8
		}
	}
	return size
}

// kept is what the host keeps of a row beside its columns.
type kept struct {
	space, bytes int64
	search       string
	row          map[string]any // the declared columns
}

// read gives what is kept of a row that this transaction holds.
func (w *writing) read(ctx context.Context, target *collection, id int64) (kept, error) {
	columns := append(slices.Clone(target.columns), target.hidden...)
	rows, err := w.db.Query(ctx, "SELECT "+quoteAll(columns)+" FROM `"+target.table+"` WHERE `id`=?", id)
	if err != nil {
		return kept{}, fmt.Errorf("read row of %s: %w", target.table, err)
	}
	defer func() { _ = rows.Close() }() // Err below reports what matters
	found := kept{row: map[string]any{}}
	s := newScanner(columns)
	if rows.Next() {
		if err := rows.Scan(s.targets...); err != nil {
			return kept{}, fmt.Errorf("read row of %s: %w", target.table, err)
		}
		for i, column := range columns {
			switch column.GetType() {
			case "text", "longtext", "json":
				found.row[column.GetName()] = s.texts[i].String
			default:
				found.row[column.GetName()] = s.numbers[i].Int64
			}
		}
		found.space, _ = found.row["space_id"].(int64)
		found.bytes, _ = found.row[bytesColumn].(int64)
		found.search, _ = found.row[searchColumn].(string)
	}
	return found, rows.Err()
}

// follow brings what is kept beside a row to what the row has become. This transaction has just written the row and holds
// it.
func (w *writing) follow(ctx context.Context, target *collection, id int64) error {
	was, err := w.read(ctx, target, id)
	if err != nil {
		return err
	}
	var sets []string
	var args []any
	if w.counted {
		if size := sizeOfRow(target, was.row); size != was.bytes {
			w.keep(was.space, amount{0, size - was.bytes})
			sets, args = append(sets, "`"+bytesColumn+"`=?"), append(args, size)
		}
	}
	text := target.searchText(was.row)
	if target.searchable() && text != was.search {
		sets, args = append(sets, "`"+searchColumn+"`=?"), append(args, text)
	}
	if len(sets) == 0 {
		return nil
	}
	set := sets[0]
	if len(sets) > 1 {
		set += "," + sets[1]
	}
	if _, err := w.db.Exec(ctx, "UPDATE `"+target.table+"` SET "+set+" WHERE `id`=?", append(args, id)...); err != nil {
		return fmt.Errorf("write %s: %w", target.table, err)
	}
	return w.post(ctx, target, id, grams(was.search), grams(text))
}
