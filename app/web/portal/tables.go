package portal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
)

// Tables are the lists that plugins declare; *plugin.Host is one. Whom a table admits is the host's to say.
type Tables interface {
	Table(ctx context.Context, actor account.Actor, plugin, name string) (*plugin.Table, error)
	Rows(ctx context.Context, actor account.Actor, plugin, name string, query plugin.TableQuery) (plugin.TablePage, error)
	Row(ctx context.Context, actor account.Actor, plugin, name string, id int64) (plugin.Row, error)
	Save(ctx context.Context, actor account.Actor, plugin, name string, id, version int64, values map[string]string) (int64, error)
	Remove(ctx context.Context, actor account.Actor, plugin, name string, ids []int64) error
	Act(ctx context.Context, actor account.Actor, plugin, name, action string, ids []int64) (plugin.Result, error)
}

const tablesBase = "/my/tables"

func (p *Portal) tableRoutes(member func(string, handler)) {
	const one = tablesBase + "/{plugin}/{table}"
	member("GET "+one, p.table)
	member("GET "+one+"/new", p.tableForm)
	member("POST "+one+"/new", p.saveRow)
	member("GET "+one+"/rows/{id}", p.tableForm)
	member("POST "+one+"/rows/{id}", p.saveRow)
	member("POST "+one+"/rows/{id}/delete", p.removeRow)
	member("POST "+one+"/rows/{id}/act/{action}", p.actOnRow)
}

// tablePlaces are the lists of a plugin that the person opens in the portal: those that it has put there, and, since a
// personal space has no back office, those of its back office too.
func (p *Portal) tablePlaces(ctx context.Context, who account.Actor, id string) []link {
	if p.o.Tables == nil {
		return nil
	}
	items := p.o.Plugins.Menu(ctx, who, plugin.FramePortal)
	if who.SpaceKind == account.Personal {
		items = append(slices.Clone(items), p.o.Plugins.Menu(ctx, who, plugin.FrameAdmin)...)
	}
	var places []link
	for _, item := range items {
		entry := link{Title: item.Title, Href: tablesBase + "/" + item.Plugin + "/" + item.Table}
		if item.Plugin == id && item.Table != "" && !slices.Contains(places, entry) {
			places = append(places, entry)
		}
	}
	return places
}

// tableAt finds the declared table of an address.
func (p *Portal) tableAt(r *http.Request, v *visit) (t *plugin.Table, base string, err error) {
	id := r.PathValue("plugin")
	t, err = p.o.Tables.Table(r.Context(), v.actor, id, r.PathValue("table"))
	if err != nil {
		return nil, "", err
	}
	return t, tablesBase + "/" + id + "/" + t.GetName(), nil
}

// tableSize is how many rows a page has.
const tableSize = 20

type tableView struct {
	Base, Intro, Empty, Note     string
	HasSearch, Filtered          bool
	Search                       string
	Filters                      []tableField
	Heads                        []tableHead
	Rows                         []tableRow
	Total                        string // "" when only the plugin knows
	First, Next                  string
	CanCreate, CanEdit, CanClear bool
	Problem                      *fault.Error
}

// tableHead heads a column; Sort is the address of the list in its order, "" for one that cannot be sorted by.
type tableHead struct{ Title, Sort, Order string }

type tableRow struct {
	ID, Name string
	Cells    []tableCell
	Acts     []*plugin.Action
}

// tableCell is a value as it is shown. Kind is tag, when, code, word (ours) or text (somebody's); Name is what a code is called.
type tableCell struct{ Title, Text, Color, Kind, Name string }

// tableField is a filter, or a field of a form. Kind is choice, bool, area, int, time or text.
type tableField struct {
	Name, Title, Kind, Value, Help, Error string
	Required, On                          bool
	Size                                  int64
	Options                               []tableOption
	Hints                                 []tableOption // what is offered beside free text
}

type tableOption struct {
	Value, Label string
	On           bool
}

func (p *Portal) table(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, base, err := p.tableAt(r, v)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	ask := plugin.TableQuery{Filters: map[string]string{}, Search: strings.TrimSpace(q.Get("q")), Sort: q.Get("sort"), Cursor: q.Get("cursor"), Limit: tableSize}
	view := tableView{Base: base, Intro: t.GetIntro(), Empty: t.GetEmpty(), Search: ask.Search, CanCreate: t.GetCanCreate(), CanEdit: t.GetCanEdit(), CanClear: t.GetCanRemove()}
	var columns []*plugin.Column
	known := false
	for _, c := range t.GetColumns() {
		view.HasSearch = view.HasSearch || c.GetSearch()
		if c.GetFilter() != "" {
			one := filterField(c, strings.TrimSpace(q.Get("f_"+c.GetName())))
			if one.Value != "" {
				ask.Filters[c.GetName()], view.Filtered = one.Value, true
			}
			view.Filters = append(view.Filters, one)
		}
		known = known || c.GetSort() && strings.TrimPrefix(ask.Sort, "-") == c.GetName()
		if c.GetList() {
			columns = append(columns, c)
			view.Heads = append(view.Heads, tableHeadOf(c, base, q))
		}
	}
	view.Filtered = view.Filtered || ask.Search != ""
	if !known { // an address that was typed, or one of before the columns changed
		ask.Sort = ""
	}
	page, err := p.o.Tables.Rows(r.Context(), v.actor, r.PathValue("plugin"), t.GetName(), ask)
	if err != nil {
		if view.Problem = fault.From(err); view.Problem.Kind != fault.Invalid {
			return err
		}
		for i := range view.Filters {
			view.Filters[i].Error = saidOf(view.Problem, strings.TrimPrefix(view.Filters[i].Name, "f_"))
		}
	}
	for _, row := range page.Rows {
		view.Rows = append(view.Rows, shownRow(t, columns, row, v.actor))
	}
	if err := p.nameCodes(r.Context(), v.actor, view.Rows); err != nil {
		return err
	}
	view.Note = page.Note
	if view.Total = strconv.FormatInt(page.Total, 10); page.Total < 0 {
		view.Total = ""
	}
	if ask.Cursor != "" {
		view.First = withQuery(base, q, "cursor", "")
	}
	if page.Next != "" {
		view.Next = withQuery(base, q, "cursor", page.Next)
	}
	status := http.StatusOK
	if view.Problem != nil {
		status = view.Problem.Kind.Status()
	}
	return p.show(w, r, v, "plugin-table", view, tableHeading(t.GetTitle(), r, status))
}

// tableHeading heads the pages of a table; the way back is the extension's own page.
func tableHeading(title string, r *http.Request, status int, more ...link) page {
	return page{Title: title, Crumbs: append([]link{{Title: "扩展", Href: extensionsBase}, {Title: "详情", Href: extensionsBase + "/" + r.PathValue("plugin")}}, more...), Status: status}
}

// withQuery is an address with its query, one value of it changed.
func withQuery(base string, q url.Values, name, value string) string {
	next := url.Values{}
	for key, values := range q {
		if len(values) > 0 && values[0] != "" {
			next.Set(key, values[0])
		}
	}
	next.Del(name)
	if value != "" {
		next.Set(name, value)
	}
	if len(next) == 0 {
		return base
	}
	return base + "?" + next.Encode()
}

func tableHeadOf(c *plugin.Column, base string, q url.Values) tableHead {
	head := tableHead{Title: c.GetTitle()}
	if !c.GetSort() {
		return head
	}
	now, next := url.Values{}, c.GetName()
	for key, values := range q {
		if key != "cursor" {
			now[key] = values
		}
	}
	switch q.Get("sort") {
	case c.GetName():
		head.Order, next = "ascending", "-"+c.GetName()
	case "-" + c.GetName():
		head.Order = "descending"
	}
	head.Sort = withQuery(base, now, "sort", next)
	return head
}

func filterField(c *plugin.Column, value string) tableField {
	one := tableField{Name: "f_" + c.GetName(), Title: c.GetTitle(), Kind: "text", Value: value}
	if options := choicesOf(c, value); len(options) > 0 {
		one.Kind, one.Options = "choice", options
	}
	return one
}

// choicesOf are the values of a closed column, none for an open one.
func choicesOf(c *plugin.Column, value string) []tableOption {
	var options []tableOption
	for _, o := range c.GetOptions() {
		options = append(options, tableOption{o.GetValue(), o.GetLabel(), o.GetValue() == value})
	}
	if len(options) == 0 && c.GetType() == "bool" {
		options = []tableOption{{"true", "是", value == "true"}, {"false", "否", value == "false"}}
	}
	return options
}

// shownRow is a row as it is shown. An act that the row's own state or the person's rights do not allow is left out.
func shownRow(t *plugin.Table, columns []*plugin.Column, row plugin.Row, who account.Actor) tableRow {
	out := tableRow{ID: row.Text("id")}
	for _, c := range columns {
		cell := shownCell(c, row.Text(c.GetName()))
		if out.Name == "" && cell.Kind == "text" {
			out.Name = cell.Text
		}
		out.Cells = append(out.Cells, cell)
	}
	if out.Name == "" {
		out.Name = "#" + out.ID
	}
	for _, act := range t.GetActions() {
		fits := act.GetWhenColumn() == "" || slices.Contains(act.GetWhenValues(), row.Text(act.GetWhenColumn()))
		if fits && (act.GetPermission() == "" || who.Can(act.GetPermission())) {
			out.Acts = append(out.Acts, act)
		}
	}
	return out
}

// nameCodes puts the names of mini programs to their AppIDs, as far as the person sees them.
func (p *Portal) nameCodes(ctx context.Context, who account.Actor, rows []tableRow) error {
	var ids []string
	for _, row := range rows {
		for _, cell := range row.Cells {
			if cell.Kind == "code" && cell.Text != "" && !slices.Contains(ids, cell.Text) {
				ids = append(ids, cell.Text)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	list, err := p.o.Grants.MiniPrograms(ctx, who, miniprogram.Filter{AppIDs: ids, Limit: 100, Uncounted: true})
	if err != nil {
		return err
	}
	names := list.Names()
	for _, row := range rows {
		for i := range row.Cells {
			if row.Cells[i].Kind == "code" {
				row.Cells[i].Name = names[row.Cells[i].Text]
			}
		}
	}
	return nil
}

// cellMost is how many characters of a value a list shows.
const cellMost = 120

func shownCell(c *plugin.Column, text string) tableCell {
	cell := tableCell{Title: c.GetTitle(), Text: text, Kind: "text"}
	for _, o := range c.GetOptions() {
		if o.GetValue() == cell.Text {
			return tableCell{Title: cell.Title, Text: o.GetLabel(), Color: o.GetColor(), Kind: "tag"}
		}
	}
	switch c.GetType() {
	case "bool":
		cell.Kind = "word"
		if cell.Text = "否"; text == "true" {
			cell.Text = "是"
		}
	case "time":
		cell.Kind = "when"
		at, err := strconv.ParseInt(cell.Text, 10, 64)
		if cell.Text = "—"; err == nil && at > 0 {
			cell.Text = time.UnixMilli(at).In(shanghai).Format(time.DateTime)
		}
	case "int":
		cell.Kind = "word"
	default:
		if c.GetName() == "appid" {
			cell.Kind = "code"
		}
		if runes := []rune(cell.Text); len(runes) > cellMost {
			cell.Text = string(runes[:cellMost-1]) + "…"
		}
	}
	return cell
}

// rowAt is the table that was asked for and the row in it, 0 where the address names none.
func (p *Portal) rowAt(r *http.Request, v *visit) (t *plugin.Table, base string, id int64, err error) {
	if t, base, err = p.tableAt(r, v); err != nil {
		return nil, "", 0, err
	}
	if id, err = rowID(r); err != nil {
		return nil, "", 0, err
	}
	return t, base, id, nil
}

func rowID(r *http.Request) (int64, error) {
	if r.PathValue("id") == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, fault.New(fault.NotFound, "row_not_found", "没有找到这条数据")
	}
	return id, nil
}

// removeRow deletes one row.
func (p *Portal) removeRow(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, base, id, err := p.rowAt(r, v)
	if err != nil {
		return err
	}
	if err := p.o.Tables.Remove(r.Context(), v.actor, r.PathValue("plugin"), t.GetName(), []int64{id}); err != nil {
		return err
	}
	p.putFlash(w, "已删除")
	redirect(w, r, base)
	return nil
}

// actOnRow runs one of the table's actions on one row.
func (p *Portal) actOnRow(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, base, id, err := p.rowAt(r, v)
	if err != nil {
		return err
	}
	done, err := p.o.Tables.Act(r.Context(), v.actor, r.PathValue("plugin"), t.GetName(), r.PathValue("action"), []int64{id})
	if err != nil {
		return err
	}
	if done.Message == "" {
		done.Message = "操作成功"
	}
	p.putFlash(w, done.Message)
	if to := localPath(done.Redirect); to != "" {
		base = to
	}
	redirect(w, r, base)
	return nil
}
