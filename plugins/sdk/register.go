package sdk

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// Registered is a collection that people work with: beside the rows there are a list with filters, a form, an export, a
// menu entry, a permission and REST. Make it with Register, then add actions and a check.
type Registered[T any] struct {
	*Collection[T]
	plugin     *Plugin
	table      *Table
	declared   *pluginpb.Table
	permission string
	title      string
	before     func(context.Context, *T) error
}

// RegisterOption changes what Register makes: a Visible, an index (Unique, Index), Sorted, InGroup, Intro, ReadOnly, ForKinds.
type RegisterOption interface{ register(*registration) }

type registration struct {
	visible  Visible
	indexes  []CollectOption
	sort     string
	group    string
	intro    string
	kinds    []string
	readOnly bool
}

func (v Visible) register(r *registration)       { r.visible = v }
func (o CollectOption) register(r *registration) { r.indexes = append(r.indexes, o) }

type registerOption func(*registration)

func (o registerOption) register(r *registration) { o(r) }

// Sorted is the list's order: a column, "-" in front for descending; default the newest first.
func Sorted(by string) RegisterOption { return registerOption(func(r *registration) { r.sort = by }) }

// InGroup files the menu entry under a group of this title; default is the plugin's own title.
func InGroup(title string) RegisterOption {
	return registerOption(func(r *registration) { r.group = title })
}

// Intro is one line under the list's title.
func Intro(text string) RegisterOption {
	return registerOption(func(r *registration) { r.intro = text })
}

// ReadOnly makes a list without form and removal, for rows that only the plugin writes.
func ReadOnly() RegisterOption { return registerOption(func(r *registration) { r.readOnly = true }) }

// ForKinds shows the list to spaces of these kinds only ("personal" "merchant" "platform"); default all.
func ForKinds(kinds ...string) RegisterOption {
	return registerOption(func(r *registration) { r.kinds = kinds })
}

// Register declares a collection of T and everything people need to work with it:
//
//   - the back office's list "title" with the columns' filters, sorting, search, form, removal, import and export, and its menu entry;
//   - the permission "<plugin>.<name>", which list, menu and REST ask for;
//   - REST below /api/v1/<plugin>/<name> with its OpenAPI: list, get, create, change, remove, and each action.
//
// name is that of the collection ([a-z][a-z0-9_]{1,29}). Rows belong to the space that made them unless a Visible says
// otherwise. Columns are listed and in the form unless their tags say otherwise; see Column.
func Register[T any](p *Plugin, name, title string, options ...RegisterOption) *Registered[T] {
	made := registration{visible: Visible{Kind: Space}, group: p.manifest.GetTitle()}
	for _, option := range options {
		option.register(&made)
	}
	r := &Registered[T]{plugin: p, title: title, permission: p.ID() + "." + name}
	r.Collection = collect[T](p, name, made.visible, func(columns []Column) { flagColumns(columns, made) }, made.indexes)
	if title == "" {
		p.mistaken(fmt.Sprintf("sdk.Register of %q", name), "the title is empty")
	}
	p.Permission(r.permission, title)
	p.Table(Table{
		Name: name, Title: title, Intro: made.intro, Collection: r.Collection, Sort: made.sort, Permission: r.permission, Kinds: made.kinds,
		CanCreate: !made.readOnly, CanEdit: !made.readOnly, CanRemove: !made.readOnly,
	})
	p.Menu(MenuItem{
		Title: title, Path: "table:" + name, Frame: FrameAdmin, Group: made.group, Kinds: made.kinds, Permission: r.permission, Order: 500,
	})
	r.table = p.tables[name]
	if i := slices.IndexFunc(p.manifest.GetTables(), func(t *pluginpb.Table) bool { return t.GetName() == name }); i >= 0 {
		r.declared = p.manifest.GetTables()[i]
	}
	if len(p.mistakes) == 0 { // the schemas need a shape
		r.rest(made)
	}
	return r
}

// flagColumns fills in what tags leave open: without any "list" every column that fits a cell is listed, without any
// "form" every one is in the form.
func flagColumns(columns []Column, made registration) {
	list := !slices.ContainsFunc(columns, func(c Column) bool { return c.List })
	form := !slices.ContainsFunc(columns, func(c Column) bool { return c.Form })
	for i := range columns {
		c := &columns[i]
		c.List = !c.hidden && (c.List || c.readonly || list && c.Type != "longtext" && c.Type != "json")
		c.Sort = c.Sort || c.Name == strings.TrimPrefix(made.sort, "-") && c.Type != "longtext" && c.Type != "json"
		c.Form = !c.hidden && !c.readonly && !made.readOnly && (c.Form || form && c.Type != "json")
	}
}

// Check holds every row that a person saves, in the form, a file or by REST, to a rule before it is written; it may also
// fill in columns. Refuse with Fail(…).On(column, why). The row is a new one when its ID is 0.
func (r *Registered[T]) Check(rule func(ctx context.Context, row *T) error) {
	if rule == nil || r.before != nil {
		r.plugin.mistaken(fmt.Sprintf("table %q", r.name), "Check needs one function, once")
		return
	}
	r.before = rule
	if r.table == nil || r.declared == nil {
		return
	}
	r.table.Save = func(ctx context.Context, id, version int64, values map[string]string) (int64, error) {
		return r.save(ctx, id, version, func(row reflect.Value) (map[string]bool, error) { return r.shape.fromText(row, values) })
	}
	r.declared.SaveHook = true
}

// ActionOption changes an action: Confirm, Danger, When, Single.
type ActionOption func(*Action)

// Confirm asks a question first.
func Confirm(question string) ActionOption { return func(a *Action) { a.Confirm = question } }

// Danger shows the button in red.
func Danger() ActionOption { return func(a *Action) { a.Danger = true } }

// When shows the button only on rows whose column holds one of the values, as text: "true", "3", "open".
func When(column string, values ...string) ActionOption {
	return func(a *Action) { a.WhenColumn, a.When = column, values }
}

// Single keeps an action to one row at a time; otherwise several may be chosen.
func Single() ActionOption { return func(a *Action) { a.Batch = false } }

// Action adds a button to the list and POST …/<name>/{id}/<action> to REST. run gets the chosen rows as they are now, in the order
// chosen; rows that the person may not see fail the whole with ErrNotFound.
func (r *Registered[T]) Action(name, title string, run func(ctx context.Context, rows []T) (Result, error), options ...ActionOption) {
	action := Action{Name: name, Title: title, Batch: true, Permission: r.permission}
	for _, option := range options {
		option(&action)
	}
	if run != nil {
		action.Run = func(ctx context.Context, ids []int64) (Result, error) {
			rows, err := r.chosen(ctx, action, ids)
			if err != nil {
				return Result{}, err
			}
			return run(ctx, rows)
		}
	}
	if r.table == nil || r.declared == nil {
		return
	}
	r.plugin.checkAction(r.declared, *r.table, r.table.Actions, action)
	r.table.Actions = append(r.table.Actions, action)
	r.declared.Actions = append(r.declared.Actions, action.wire())
	r.actionREST(action)
}

// Change is an Action that changes columns: change gives what becomes of a row (nil: it stays), and all chosen rows change
// in one Commit, which fails with ErrAborted when somebody else changed one of them meanwhile.
func (r *Registered[T]) Change(name, title string, change func(ctx context.Context, row T) (Set, error), options ...ActionOption) {
	var run func(context.Context, []T) (Result, error)
	if change != nil {
		run = func(ctx context.Context, rows []T) (Result, error) {
			changed, err := r.apply(ctx, rows, change)
			return Result{Message: fmt.Sprintf("%s：%d 条", title, changed)}, err
		}
	}
	r.Action(name, title, run, options...)
}

// Each changes the rows that fit a query, a commit per 100 rows, and tells how many changed. For jobs and events: it stops
// after 10,000 rows, and the next run goes on where the query no longer finds what is done.
func (r *Registered[T]) Each(ctx context.Context, query Query, change func(ctx context.Context, row T) (Set, error)) (changed int, err error) {
	query.Limit = 100
	for range 10_000 / query.Limit {
		page, err := r.Find(ctx, query)
		if err != nil {
			return changed, err
		}
		n, err := r.apply(ctx, page.Items, change)
		changed += n
		if err != nil || page.Next == "" {
			return changed, err
		}
		query.Cursor = page.Next
	}
	return changed, nil
}

func (r *Registered[T]) apply(ctx context.Context, rows []T, change func(context.Context, T) (Set, error)) (int, error) {
	var ops []Op
	for _, row := range rows {
		set, err := change(ctx, row)
		if err != nil {
			return 0, err
		}
		if len(set) > 0 {
			base := r.base(&row)
			ops = append(ops, r.Update(base.ID, base.Version, set))
		}
	}
	if len(ops) == 0 {
		return 0, nil
	}
	_, err := Commit(ctx, ops)
	if err != nil {
		return 0, err
	}
	return len(ops), nil
}

// base is a row's own part.
func (r *Registered[T]) base(row *T) Row {
	base, _ := reflect.ValueOf(row).Elem().FieldByName("Row").Interface().(Row) // shapeOf has made sure of it
	return base
}

// chosen reads the rows of an action and holds them to its condition.
func (r *Registered[T]) chosen(ctx context.Context, action Action, ids []int64) ([]T, error) {
	byID := map[int64]T{}
	for part := range slices.Chunk(ids, 200) {
		page, err := r.Find(ctx, Query{Where: []Where{In(ColumnID, part...)}, Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, row := range page.Items {
			byID[r.base(&row).ID] = row
		}
	}
	rows := make([]T, 0, len(ids))
	for _, id := range ids {
		row, found := byID[id]
		if !found {
			return nil, fmt.Errorf("%s %d: %w", r.name, id, ErrNotFound)
		}
		if action.WhenColumn != "" {
			cell := reflect.ValueOf(&row).Elem().FieldByIndex(r.shape.fields[action.WhenColumn]).Interface()
			if !slices.Contains(action.When, fmt.Sprint(cell)) {
				return nil, Conflict("plugin.not_now", "所选数据现在不能"+action.Title+"，请刷新后重试")
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// save writes what a person filled in: fill sets the fields that were given and names them.
func (r *Registered[T]) save(ctx context.Context, id, version int64, fill func(reflect.Value) (map[string]bool, error)) (int64, error) {
	var row T
	if id != 0 {
		var err error
		if row, err = r.Get(ctx, id); err != nil {
			return 0, err
		}
	}
	value := reflect.ValueOf(&row).Elem()
	before, given, err := r.shape.cells(value), map[string]bool(nil), error(nil)
	if given, err = fill(value); err != nil {
		return 0, err
	}
	if err := r.shape.fits(value, given, id == 0); err != nil {
		return 0, err
	}
	if r.before != nil {
		if err := r.before(ctx, &row); err != nil {
			return 0, err
		}
	}
	if id == 0 {
		done, err := Commit(ctx, []Op{r.Insert(row)})
		if err != nil {
			return 0, err
		}
		return done.IDs[0], nil
	}
	changed, refused := Set{}, Fail("plugin.fixed", "请检查填写的内容")
	bound := r.declaration().GetVisibility().Bound()
	for name, cell := range r.shape.cells(value) {
		if reflect.DeepEqual(cell, before[name]) {
			continue
		}
		changed[name] = cell
		if slices.Contains(bound, name) {
			refused = refused.On(name, "保存后不能更改")
		}
	}
	if len(refused.Fields) > 0 {
		return 0, refused
	}
	if version == 0 {
		version = r.base(&row).Version
	}
	if len(changed) == 0 {
		return id, nil
	}
	_, err = Commit(ctx, []Op{r.Update(id, version, changed)})
	return id, err
}
