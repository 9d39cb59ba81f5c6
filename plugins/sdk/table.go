package sdk

import (
	"context"
	"fmt"
	"slices"

	"minifleet/plugins/sdk/pluginpb"
)

// Table is a list (with an optional form) that the host renders in the back
// office. With Collection the host keeps the rows and the plugin only adds
// hooks and actions; with Rows the plugin computes them.
type Table struct {
	Name  string
	Title string
	Intro string // one line under the title
	Empty string // sentence when there is no row

	Collection Declared // rows kept by the host
	// Rows computes one page. Rows are any values that become JSON objects with
	// an "id" and the columns' names; what else they hold is not shown and stays
	// with the plugin.
	Rows func(context.Context, TableQuery) (TablePage, error)
	// Row computes one row for the form; needed with Rows when CanEdit.
	Row func(context.Context, int64) (any, error)

	Columns []Column // default: the collection's columns flagged list
	Form    []Column // default: the collection's columns flagged form
	Sort    string   // default order, "-id" if empty

	CanCreate, CanEdit, CanRemove bool

	// Save replaces the host's own writing of a form: check, compute, Commit.
	// id is 0 for a new row. Values are the form's, as text.
	Save func(ctx context.Context, id, version int64, values map[string]string) (int64, error)
	// Check tells what Save would refuse and changes nothing: it is asked for every row of a file before the first one is
	// saved, so that the person reads it on that row. It answers from the host's data, never by asking WeChat. nil: only the
	// form itself is looked at beforehand.
	Check func(ctx context.Context, id int64, values map[string]string) error
	// Remove replaces the host's own deletion.
	Remove func(ctx context.Context, ids []int64) error

	Actions    []Action
	Permission string
	Kinds      []string // kinds of space that see it; empty: all

	shown []string // columns that a computed row carries
}

// Action is a button on the rows of a table.
type Action struct {
	Name       string
	Title      string
	Confirm    string // question asked first
	Batch      bool   // may run on several rows at once
	Danger     bool
	Permission string
	// WhenColumn and When show the button only on rows whose column holds one of the values; "" shows it on all.
	WhenColumn string
	When       []string
	Run        func(ctx context.Context, ids []int64) (Result, error)
}

func (a Action) wire() *pluginpb.Action {
	return &pluginpb.Action{
		Name: a.Name, Title: a.Title, Confirm: a.Confirm, Batch: a.Batch, Danger: a.Danger,
		Permission: a.Permission, WhenColumn: a.WhenColumn, WhenValues: a.When,
	}
}

// Result is shown after an action.
type Result struct {
	Message  string
	Redirect string // below the plugin's prefix; empty: stay
}

// TableQuery asks a computed table for one page.
type TableQuery struct {
	Filters map[string]string // by column
	Search  string
	Sort    string
	Limit   int
	Cursor  string
}

// TablePage is one page of a computed table.
type TablePage struct {
	Rows  []any
	Next  string
	Total *int64 // nil: unknown
	Note  string // line above the table, e.g. when it was synced
}

// Table declares a table. Its address in the menu is "table:NAME".
func (p *Plugin) Table(table Table) {
	if !p.checkTable(table) {
		return
	}
	declared := &pluginpb.Table{
		Name: table.Name, Title: table.Title, Intro: table.Intro, Empty: table.Empty, Permission: table.Permission,
		Kinds: table.Kinds, CanCreate: table.CanCreate, CanEdit: table.CanEdit, CanRemove: table.CanRemove,
		SaveHook: table.Save != nil, RemoveHook: table.Remove != nil, Sort: table.Sort,
		Columns: wireColumns(table.Columns), Form: wireColumns(table.Form),
	}
	if table.Collection != nil {
		collection := table.Collection.declaration()
		declared.Collection = collection.GetName()
		if len(declared.Columns) == 0 {
			declared.Columns = chosen(collection.GetColumns(), (*pluginpb.Column).GetList)
		}
		if len(declared.Form) == 0 {
			declared.Form = chosen(collection.GetColumns(), (*pluginpb.Column).GetForm)
		}
	}
	for _, action := range table.Actions {
		declared.Actions = append(declared.Actions, action.wire())
	}
	if table.Check != nil {
		p.checkOperation(table)
	}
	p.checkDeclared(declared, table)
	table.shown = []string{"id", "version"}
	for _, column := range append(slices.Clone(declared.GetColumns()), declared.GetForm()...) {
		if !slices.Contains(table.shown, column.GetName()) {
			table.shown = append(table.shown, column.GetName())
		}
	}
	p.tables[table.Name] = &table
	p.manifest.Tables = append(p.manifest.Tables, declared)
}

// formCheck is a form that is looked at before it is saved.
type formCheck struct {
	ID     int64             `json:"id"`
	Values map[string]string `json:"values"`
}

// checkOperation lets the host ask a table's Check as the operation check_NAME.
func (p *Plugin) checkOperation(table Table) {
	if table.Save == nil {
		p.mistaken(fmt.Sprintf("table %q", table.Name), "checks forms that it does not save: Check needs Save")
		return
	}
	p.Operation("check_"+table.Name, JSON(func(ctx context.Context, in formCheck) (struct{}, error) {
		return struct{}{}, table.Check(ctx, in.ID, in.Values)
	}), hostOnly)
}

func chosen(columns []*pluginpb.Column, flagged func(*pluginpb.Column) bool) []*pluginpb.Column {
	var found []*pluginpb.Column
	for _, column := range columns {
		if flagged(column) {
			found = append(found, column)
		}
	}
	return found
}
