package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// This file is what carrying whole tables out and in asks beyond a list's page and a form: rows without a count, in
// larger pages, and forms that are written once however often they are sent.

// Scan reads one page of up to 200 rows as Rows does, without counting them; only those of ids unless it is nil. Next is
// "" behind the last page.
func (h *Host) Scan(ctx context.Context, actor account.Actor, plugin, name string, query TableQuery, ids []int64) (TablePage, error) {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return TablePage{}, err
	}
	if table.GetCollection() == "" {
		query.Limit = 100
		page, err := h.Rows(ctx, actor, plugin, name, query)
		if err == nil && ids != nil {
			page.Rows = slices.DeleteFunc(page.Rows, func(row Row) bool { return !slices.Contains(ids, row.ID()) })
		}
		return page, err
	}
	a.requestID = trail.RequestID(ctx)
	request, err := scanRequest(table, query, ids)
	if err != nil {
		return TablePage{}, err
	}
	return h.committer.search(ctx, a, info.collections[table.GetCollection()], request, query.Search)
}

// scanRequest asks for the rows that a list's filters leave.
func scanRequest(table *Table, query TableQuery, ids []int64) (*pluginpb.FindRequest, error) {
	if query.Sort == "" {
		query.Sort = table.GetSort()
	}
	request := &pluginpb.FindRequest{Sort: query.Sort, Limit: maxLimit, Cursor: query.Cursor}
	for _, column := range table.GetColumns() {
		text := query.Filters[column.GetName()]
		if text == "" || column.GetFilter() == "" {
			continue
		}
		encoded, err := filterValue(column, text)
		if err != nil {
			return nil, err
		}
		request.Where = append(request.Where, &pluginpb.Where{Column: column.GetName(), Op: column.GetFilter(), Values: [][]byte{encoded}})
	}
	if ids != nil {
		among := &pluginpb.Where{Column: "id", Op: "in"}
		for _, id := range ids {
			among.Values = append(among.Values, strconv.AppendInt(nil, id, 10))
		}
		request.Where = append(request.Where, among)
	}
	return request, nil
}

// CountRows counts what Scan would read, exactly and in time that grows with the table; -1 where only the plugin knows.
func (h *Host) CountRows(ctx context.Context, actor account.Actor, plugin, name string, query TableQuery) (int64, error) {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil || table.GetCollection() == "" || query.Search != "" {
		return -1, err
	}
	request, err := scanRequest(table, query, nil)
	if err != nil {
		return -1, err
	}
	c := info.collections[table.GetCollection()]
	where := visible(a, c, h.committer.apps, false)
	for _, condition := range request.GetWhere() {
		wanted, err := c.condition(condition)
		if err != nil {
			return -1, err
		}
		where = where.and(wanted)
	}
	var total int64
	if err := h.committer.db.Reader().QueryRowContext(ctx, "SELECT COUNT(*) FROM `"+c.table+"` WHERE "+where.sql, where.args...).Scan(&total); err != nil {
		return -1, fmt.Errorf("count %s: %w", c.table, err)
	}
	return total, nil
}

// SaveOnce writes a form as Save does, once for each key: a repeat gives the id of the first time. It joins the caller's
// transaction. A table whose forms the plugin itself saves knows no keys: Hooked tells which do not.
func (h *Host) SaveOnce(ctx context.Context, actor account.Actor, plugin, name string, id int64, values map[string]string, key string) (int64, error) {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return 0, err
	}
	if table.GetSaveHook() {
		return h.Save(ctx, actor, plugin, name, id, 0, values)
	}
	a.requestID = trail.RequestID(ctx)
	kept, err := h.sound(table, id, values)
	if err != nil {
		return 0, err
	}
	op, err := h.formOp(ctx, a, info, table, id, 0, kept)
	if err != nil {
		return 0, err
	}
	done, err := h.committer.commit(ctx, plugin, a, info.collections, &pluginpb.CommitRequest{Ops: []*pluginpb.Op{op}, IdempotencyKey: key})
	if err != nil {
		return 0, err
	}
	return done.ids[0], nil
}

// sound keeps the form's columns and refuses what cannot be saved.
func (h *Host) sound(table *Table, id int64, values map[string]string) (map[string]string, error) {
	if id == 0 && !table.GetCanCreate() || id != 0 && !table.GetCanEdit() {
		return nil, fault.New(fault.Forbidden, "plugin.readonly", "这个列表不能这样修改")
	}
	if id != 0 { // a column that the file does not have stays as it is, also one of yes and no
		table = &Table{Form: slices.DeleteFunc(slices.Clone(table.GetForm()), func(c *Column) bool { _, ok := values[c.GetName()]; return !ok })}
	}
	return formValues(table, values)
}

// CheckForm looks at a form as Save does before it asks the database, and lets a plugin that saves it itself say what it
// would refuse. It changes nothing.
func (h *Host) CheckForm(ctx context.Context, actor account.Actor, plugin, name string, id int64, values map[string]string) error {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return err
	}
	kept, err := h.sound(table, id, values)
	if err != nil {
		return err
	}
	if _, err = h.formOp(ctx, a, info, table, id, 0, kept); err != nil {
		return err
	}
	asked := "check_" + name // what the SDK declares for a table with a Check
	if !info.operations[asked] {
		return nil
	}
	input, err := json.Marshal(map[string]any{"id": id, "values": kept})
	if err != nil {
		return fmt.Errorf("encode form of %s: %w", name, err)
	}
	_, err = h.Ask(ctx, actor, plugin, asked, input)
	return err
}
