package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// Bridge shows the plugin host as the back office's Plugins.
type Bridge struct{ Host *plugin.Host }

var _ Plugins = Bridge{}

var errNoTable = fault.New(fault.NotFound, "not_found", "没有这个列表")

// Menu gives the entries of the back office's frame.
func (b Bridge) Menu(_ context.Context, actor account.Actor) []PluginMenu {
	var out []PluginMenu
	for _, m := range b.Host.Menu(actor, plugin.FrameAdmin) {
		href := m.Path
		if m.Table != "" {
			href = Table{Plugin: m.Plugin, Name: m.Table}.Address()
		}
		out = append(out, PluginMenu{Title: m.Title, Icon: m.Icon, Href: href, Group: m.Group, Order: m.Order})
	}
	return out
}

// Table describes a table from the plugin's manifest, with the actions that the actor may use.
func (b Bridge) Table(_ context.Context, actor account.Actor, id, name string) (Table, error) {
	if !b.known(id) {
		return Table{}, errNoTable
	}
	manifest, ok := b.Host.Manifest(id)
	if !ok {
		return Table{}, fault.New(fault.Unavailable, "plugin.starting", "这个插件还没有启动好，请稍后刷新")
	}
	for _, t := range manifest.GetTables() {
		if t.GetName() != name {
			continue
		}
		if len(t.GetKinds()) > 0 && !slices.Contains(t.GetKinds(), string(actor.SpaceKind)) || t.GetPermission() != "" && !actor.Can(t.GetPermission()) {
			return Table{}, errNoTable
		}
		return declared(actor, id, t), nil
	}
	return Table{}, errNoTable
}

func (b Bridge) known(id string) bool {
	for _, s := range b.Host.Status() {
		if s.ID == id {
			return true
		}
	}
	return false
}

func declared(actor account.Actor, id string, t *plugin.Table) Table {
	out := Table{
		Plugin: id, Name: t.GetName(), Title: t.GetTitle(), Intro: t.GetIntro(), Empty: t.GetEmpty(),
		Counted: t.GetCollection() != "", CanCreate: t.GetCanCreate(), CanEdit: t.GetCanEdit(), CanRemove: t.GetCanRemove(),
	}
	for _, c := range t.GetColumns() {
		out.Columns = append(out.Columns, column(c))
		if c.GetFilter() != "" {
			out.Filters = append(out.Filters, column(c))
		}
		out.Search = out.Search || c.GetSearch()
	}
	for _, c := range t.GetForm() {
		out.Form = append(out.Form, column(c))
	}
	for _, a := range t.GetActions() {
		if a.GetPermission() == "" || actor.Can(a.GetPermission()) {
			out.Actions = append(out.Actions, Action{Name: a.GetName(), Title: a.GetTitle(), Confirm: a.GetConfirm(), Batch: a.GetBatch(), Danger: a.GetDanger()})
		}
	}
	return out
}

func column(c *plugin.Column) Column {
	out := Column{Name: c.GetName(), Title: c.GetTitle(), Type: c.GetType(), Required: c.GetRequired(), Sort: c.GetSort(), Size: int(c.GetSize()), Help: c.GetHelp()}
	for _, o := range c.GetOptions() {
		out.Options = append(out.Options, Option{Value: o.GetValue(), Label: o.GetLabel(), Color: o.GetColor()})
	}
	return out
}

// Rows reads one page.
func (b Bridge) Rows(ctx context.Context, actor account.Actor, id, name string, q TableQuery) (TablePage, error) {
	page, err := b.Host.Rows(ctx, actor, id, name, plugin.TableQuery{Filters: q.Filters, Search: q.Search, Sort: q.Sort, Limit: q.Limit, Cursor: q.Cursor})
	if err != nil {
		return TablePage{}, err
	}
	out := TablePage{Next: page.Next, Note: page.Note}
	if page.Total >= 0 {
		out.Total = &page.Total
	}
	for _, raw := range page.Rows {
		row, err := asRow(raw)
		if err != nil {
			return TablePage{}, fmt.Errorf("rows of %s.%s: %w", id, name, err)
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

// Row reads one row.
func (b Bridge) Row(ctx context.Context, actor account.Actor, id, name, row string) (TableRow, error) {
	n, err := rowID(row)
	if err != nil {
		return TableRow{}, err
	}
	raw, err := b.Host.Row(ctx, actor, id, name, n)
	if err != nil {
		return TableRow{}, err
	}
	return asRow(raw)
}

// Save writes a form.
func (b Bridge) Save(ctx context.Context, actor account.Actor, id, name string, s TableSave) error {
	var n int64
	if s.ID != "" {
		var err error
		if n, err = rowID(s.ID); err != nil {
			return err
		}
	}
	_, err := b.Host.Save(ctx, actor, id, name, n, s.Version, s.Values)
	return err
}

// Remove deletes rows.
func (b Bridge) Remove(ctx context.Context, actor account.Actor, id, name string, rows []string) error {
	ids, err := rowIDs(rows)
	if err != nil {
		return err
	}
	return b.Host.Remove(ctx, actor, id, name, ids)
}

// Act runs an action.
func (b Bridge) Act(ctx context.Context, actor account.Actor, id, name, action string, rows []string) (ActResult, error) {
	ids, err := rowIDs(rows)
	if err != nil {
		return ActResult{}, err
	}
	result, err := b.Host.Act(ctx, actor, id, name, action, ids)
	if err != nil {
		return ActResult{}, err
	}
	if to := result.Redirect; to != "" && !strings.HasPrefix(to, Prefix+"/") {
		result.Redirect = Prefix + "/p/" + id + "/" + strings.TrimPrefix(to, "/")
	}
	return ActResult{Message: result.Message, Redirect: result.Redirect}, nil
}

// Serve hands a request to a plugin's page.
func (b Bridge) Serve(ctx context.Context, actor account.Actor, r PluginRequest) (PluginResponse, error) {
	answer, err := b.Host.Serve(ctx, actor, plugin.Request{
		Plugin: r.Plugin, Frame: plugin.FrameAdmin, Method: r.Method, Path: r.Path, Query: r.Query.Encode(), Header: r.Header, Body: r.Body,
	})
	if err != nil {
		return PluginResponse{}, err
	}
	out := PluginResponse{Status: answer.Status, Header: answer.Header, Body: answer.Body}
	if v := answer.View; v != nil {
		out.Framed, out.Title, out.Subtitle, out.Redirect, out.Flash, out.Bare = true, v.GetTitle(), v.GetSubtitle(), v.GetRedirect(), v.GetFlash(), v.GetBare()
		for _, c := range v.GetCrumbs() {
			out.Trail = append(out.Trail, Link{c.GetTitle(), c.GetPath()})
		}
	}
	return out, nil
}

func rowID(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.New(fault.NotFound, "row_not_found", "没有这条记录，可能已被删除")
	}
	return n, nil
}

func rowIDs(in []string) ([]int64, error) {
	out := make([]int64, 0, len(in))
	for _, s := range in {
		n, err := rowID(s)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// asRow puts a row of JSON values into text.
func asRow(raw map[string]any) (TableRow, error) {
	row := TableRow{Values: map[string]string{}}
	for name, v := range raw {
		text, err := cellText(v)
		if err != nil {
			return row, fmt.Errorf("cell %s: %w", name, err)
		}
		row.Values[name] = text
	}
	row.ID = row.Values["id"]
	if row.ID == "" {
		return row, errors.New("a row without an id")
	}
	if s := row.Values["version"]; s != "" {
		// A computed table may have a text column of this name; only a number is a row's version.
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			row.Version = n
		}
	}
	return row, nil
}

func cellText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	default:
		b, err := json.Marshal(v)
		return string(b), err
	}
}
