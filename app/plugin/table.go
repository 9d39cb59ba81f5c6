package plugin

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// TableQuery asks for one page of a declared table.
type TableQuery struct {
	Filters map[string]string // by column; only columns with a filter count
	Search  string
	Sort    string // column, "-" in front; empty: the table's own
	Limit   int    // 1…100, default 20
	Cursor  string
}

// TablePage is one page.
type TablePage struct {
	Rows  []Row
	Next  string
	Total int64 // -1: unknown or more than 10,000
	Note  string
}

// Result is what an action tells the person.
type Result struct{ Message, Redirect string }

// table finds a declared table and admits the actor to it.
func (h *Host) table(ctx context.Context, actor account.Actor, plugin, name string) (*described, *Table, authority, error) {
	u := h.unit(plugin)
	if u == nil {
		return nil, nil, authority{}, unknownPlugin()
	}
	if err := h.offered(ctx, actor, plugin); err != nil {
		return nil, nil, authority{}, err
	}
	info := u.known()
	if info == nil {
		return nil, nil, authority{}, away(plugin, u.current())
	}
	table := info.tables[name]
	if table == nil {
		return nil, nil, authority{}, fault.New(fault.NotFound, "plugin.table", "没有找到这个列表")
	}
	if actor.Nobody() {
		return nil, nil, authority{}, fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	if err := allow(info.manifest, actor, table.GetKinds(), table.GetPermission()); err != nil {
		return nil, nil, authority{}, err
	}
	frame := FrameAdmin
	if actor.SpaceKind == account.Personal { // it has no back office: its people see the table in the portal
		frame = FramePortal
	}
	a := authority{kind: byPerson, actor: actor, frame: frame, prefix: Request{Plugin: plugin, Frame: frame}.prefix()}
	return info, table, a, nil
}

// Rows reads one page of a table: from the data service when the host keeps it, from the plugin otherwise.
func (h *Host) Rows(ctx context.Context, actor account.Actor, plugin, name string, query TableQuery) (TablePage, error) {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return TablePage{}, err
	}
	a.requestID = trail.RequestID(ctx)
	if query.Limit <= 0 || query.Limit > 100 {
		query.Limit = defaultLimit
	}
	if query.Sort == "" {
		query.Sort = table.GetSort()
	}
	if table.GetCollection() != "" {
		return h.keptRows(ctx, a, info.collections[table.GetCollection()], table, query)
	}
	var answer *pluginpb.RowsResponse
	err = h.call(ctx, plugin, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		var err error
		answer, err = client.Rows(ctx, &pluginpb.RowsRequest{
			Table: name, Filters: query.Filters, Search: query.Search, Sort: query.Sort, Limit: int32(query.Limit), Cursor: query.Cursor,
		})
		return err
	})
	if err != nil {
		return TablePage{}, err
	}
	if len(answer.GetNext()) > mostCursor || len(answer.GetNote()) > mostNote {
		return TablePage{}, fault.New(fault.Internal, "plugin.answer", "插件的回答有误，请稍后重试").
			Because(fmt.Errorf("table %s of %s: a cursor of %d bytes, a note of %d", name, plugin, len(answer.GetNext()), len(answer.GetNote())))
	}
	rows, err := readCells(answer.GetRows(), query.Limit)
	return TablePage{Rows: rows, Next: answer.GetNext(), Total: answer.GetTotal(), Note: answer.GetNote()}, err
}

// Bounds in bytes of what a plugin says beside the rows of a computed table.
const (
	mostCursor = 4 << 10
	mostNote   = 2 << 10
)

func (h *Host) keptRows(ctx context.Context, a authority, c *collection, table *Table, query TableQuery) (TablePage, error) {
	request := &pluginpb.FindRequest{Sort: query.Sort, Limit: int32(query.Limit), Cursor: query.Cursor, Count: true}
	for _, column := range table.GetColumns() {
		text, asked := query.Filters[column.GetName()]
		if !asked || text == "" || column.GetFilter() == "" {
			continue
		}
		condition, err := filterWhere(column, text)
		if err != nil {
			return TablePage{}, err
		}
		request.Where = append(request.Where, condition)
	}
	return h.committer.search(ctx, a, c, request, query.Search)
}

// filterWhere is the condition of one filter. A list of AppIDs, as people paste it, asks for any of them.
func filterWhere(column *Column, text string) (*pluginpb.Where, error) {
	if ids := strings.Split(text, ","); column.GetName() == "appid" && column.GetFilter() == "eq" && len(ids) > 1 {
		any := &pluginpb.Where{Column: column.GetName(), Op: "in"}
		for _, id := range ids {
			any.Values = append(any.Values, jsonText(id))
		}
		return any, nil
	}
	encoded, err := filterValue(column, text)
	return &pluginpb.Where{Column: column.GetName(), Op: column.GetFilter(), Values: [][]byte{encoded}}, err
}

func filterValue(column *Column, text string) ([]byte, error) {
	switch column.GetType() {
	case "int", "time":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fault.InvalidInput().On(column.GetName(), "应为整数")
		}
		return []byte(text), nil
	case "bool":
		return []byte(strconv.FormatBool(text == "true" || text == "1" || text == "on")), nil
	default:
		return jsonText(text), nil
	}
}

// Row reads one row for a form or detail.
func (h *Host) Row(ctx context.Context, actor account.Actor, plugin, name string, id int64) (Row, error) {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return Row{}, err
	}
	a.requestID = trail.RequestID(ctx)
	var rows []Row
	if table.GetCollection() != "" {
		page, err := h.committer.search(ctx, a, info.collections[table.GetCollection()], byID(id), "")
		if err != nil {
			return Row{}, err
		}
		rows = page.Rows
	} else {
		var answer *pluginpb.RowResponse
		err = h.call(ctx, plugin, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
			var err error
			answer, err = client.Row(ctx, &pluginpb.RowRequest{Table: name, Id: id})
			return err
		})
		if err == nil {
			rows, err = readCells(answer.GetRow(), 1)
		}
		if err != nil {
			return Row{}, err
		}
	}
	if len(rows) == 0 {
		return Row{}, rowNotFound()
	}
	return rows[0], nil
}

// Save writes a form: id 0 makes a new row. version is the one the form was made from, 0 unchecked. Only the form's
// own columns count; a closed choice takes only its values.
func (h *Host) Save(ctx context.Context, actor account.Actor, plugin, name string, id, version int64, values map[string]string) (int64, error) {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return 0, err
	}
	a.requestID = trail.RequestID(ctx)
	if id == 0 && !table.GetCanCreate() || id != 0 && !table.GetCanEdit() {
		return 0, fault.New(fault.Forbidden, "plugin.readonly", "这个列表不能这样修改")
	}
	kept, err := formValues(table, values)
	if err != nil {
		return 0, err
	}
	if table.GetSaveHook() {
		err = h.call(ctx, plugin, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
			answer, err := client.Save(ctx, &pluginpb.SaveRequest{Table: name, Id: id, Version: version, Values: kept})
			id = answer.GetId()
			return err
		})
		return id, err
	}
	op, err := h.formOp(ctx, a, info, table, id, version, kept)
	if err != nil {
		return 0, err
	}
	done, err := h.committer.commit(ctx, plugin, a, info.collections, &pluginpb.CommitRequest{Ops: []*pluginpb.Op{op}})
	if err != nil {
		return 0, err
	}
	return done.ids[0], nil
}

// shanghai is the zone of screens; China has known no other since 1991.
func shanghai() *time.Location { return time.FixedZone("Asia/Shanghai", 8*3600) }

// Remove deletes rows: all of them or none.
func (h *Host) Remove(ctx context.Context, actor account.Actor, plugin, name string, ids []int64) error {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return err
	}
	a.requestID = trail.RequestID(ctx)
	if !table.GetCanRemove() {
		return fault.New(fault.Forbidden, "plugin.readonly", "这个列表不能删除")
	}
	if table.GetRemoveHook() {
		return h.call(ctx, plugin, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
			_, err := client.Remove(ctx, &pluginpb.RemoveRequest{Table: name, Ids: ids})
			return err
		})
	}
	request := &pluginpb.CommitRequest{}
	for _, id := range ids {
		request.Ops = append(request.Ops, &pluginpb.Op{Kind: "delete", Collection: table.GetCollection(), Id: id})
	}
	_, err = h.committer.commit(ctx, plugin, a, info.collections, request)
	return err
}

// Act runs one action on the chosen rows.
func (h *Host) Act(ctx context.Context, actor account.Actor, plugin, name, action string, ids []int64) (Result, error) {
	info, table, a, err := h.table(ctx, actor, plugin, name)
	if err != nil {
		return Result{}, err
	}
	a.requestID = trail.RequestID(ctx)
	for _, declared := range table.GetActions() {
		if declared.GetName() != action {
			continue
		}
		if err := allow(info.manifest, actor, nil, declared.GetPermission()); err != nil {
			return Result{}, err
		}
		if len(ids) == 0 || len(ids) > 1 && !declared.GetBatch() {
			return Result{}, fault.New(fault.Invalid, "plugin.action", "请先选择要操作的数据")
		}
		var result Result
		err := h.call(ctx, plugin, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
			answer, err := client.Act(ctx, &pluginpb.ActRequest{Table: name, Action: action, Ids: ids})
			result = Result{answer.GetMessage(), answer.GetRedirect()}
			return err
		})
		if err == nil && result.Redirect != "" {
			result.Redirect = a.prefix + "/" + trimSlash(result.Redirect)
		}
		return result, err
	}
	return Result{}, fault.New(fault.NotFound, "plugin.action", "没有这个操作")
}

func trimSlash(path string) string {
	for len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	return path
}
