package admin

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strings"

	gocontext "github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/parameter"
	"github.com/GoAdminGroup/go-admin/template/types"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

// tablePages are the addresses of every plugin table, whatever its name.
func (a *Admin) tablePages() []Page {
	return []Page{
		{Pattern: "GET /info/{table}", Handle: a.listPage},
		{Pattern: "GET /info/{table}/new", Handle: a.formPage},
		{Pattern: "GET /info/{table}/edit", Handle: a.formPage},
		{Pattern: "POST /info/{table}/new", Handle: a.savePage},
		{Pattern: "POST /info/{table}/edit", Handle: a.savePage},
		{Pattern: "POST /info/{table}/delete", Handle: a.removePage},
		{Pattern: "POST /info/{table}/act/{action}", Handle: a.actPage},
	}
}

// tableName is the table's part of an address below /admin/info.
func tableName(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, Prefix+"/info/"), "/")
	return name
}

// tableOf finds the live table; plugin ids have no underscore, table names may.
func (a *Admin) tableOf(ctx context.Context, actor account.Actor, name string) (Table, error) {
	plugin, tbl, ok := strings.Cut(name, "_")
	if !ok || plugin == "" || tbl == "" {
		return Table{}, fault.New(fault.NotFound, "not_found", "没有这个列表")
	}
	t, err := a.o.Plugins.Table(ctx, actor, plugin, tbl)
	t.Plugin, t.Name = plugin, tbl
	return t, err
}

func (a *Admin) listPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, err := a.tableOf(ctx, actor, r.PathValue("table"))
	if err != nil {
		return View{}, err
	}
	return a.list(ctx, actor, r, t, nil)
}

// list shows one page of a table. problem is shown above it, when an action on it has failed.
func (a *Admin) list(ctx context.Context, actor account.Actor, r *http.Request, t Table, problem error) (View, error) {
	s, elsewhere, err := a.openList(ctx, actor, r, t.FullName(), t.Address())
	if err != nil {
		return View{}, err
	}
	if elsewhere != nil {
		return *elsewhere, nil
	}
	ask := tableAsk(t, s)
	ids := pasted(s.search)
	page, err := a.tableRows(ctx, actor, t, s, ask, ids)
	if err != nil {
		return View{}, err
	}
	gctx := gocontext.NewContext(r)
	panel := generate(gctx, t, source{rows: func() []TableRow { return page.Rows }})
	info, err := panel.GetData(gctx, parameter.GetParam(r.URL, ask.Limit, queryKey, "desc"))
	if err != nil {
		return View{}, err
	}
	l := shownList{
		Name: t.FullName(), Title: t.Title, Address: t.Address(), Filters: tableFilters(t, s), Search: t.searchHint(), Total: page.Total, Capped: t.Counted, Next: page.Next,
		Reverse: t.Counted || t.Sort != "", Note: page.Note, Empty: t.emptyText(), Problem: fault.From(problem), Export: true, Pasted: ids,
		Acts: t.CanEdit || t.CanRemove || len(t.Actions) > 0, Batch: t.batch(),
	}
	if t.CanCreate {
		l.Create, l.Import, l.Step = t.Address()+"/new", Prefix+"/imports?table="+t.FullName(), Link{"新建", t.Address() + "/new"}
	}
	l.Columns, l.Rows = t.drawn(info.Thead, info.InfoList, page.Rows)
	if err := a.nameApps(ctx, actor, page.Rows, l.Columns, l.Rows); err != nil {
		return View{}, err
	}
	return View{Title: t.Title, Subtitle: t.Intro, Body: a.showList(s, l), Status: problemStatus(problem)}, nil
}

// tableAsk is the state of the list as a question to the table's keeper. From the end, the order is turned round.
func tableAsk(t Table, s listState) TableQuery {
	ask := TableQuery{Filters: map[string]string{}, Search: s.search, Cursor: s.cursor, Limit: s.size, Sort: s.sort()}
	if s.last {
		if ask.Sort == "" {
			if ask.Sort = t.Sort; ask.Sort == "" {
				ask.Sort = "-id"
			}
		}
		ask.Sort = turned(ask.Sort)
	}
	for _, f := range t.Filters {
		if v := strings.TrimSpace(s.q.Get(f.Name)); v != "" {
			ask.Filters[f.Name] = v
		}
	}
	return ask
}

func turned(sort string) string {
	if name, ok := strings.CutPrefix(sort, "-"); ok {
		return name
	}
	return "-" + sort
}

// tableRows reads one page, in the order in which it is shown. A pasted list of AppIDs is asked of the AppID column.
func (a *Admin) tableRows(ctx context.Context, actor account.Actor, t Table, s listState, ask TableQuery, ids *pastedIDs) (TablePage, error) {
	if ids != nil {
		if t.appID() == "" {
			return TablePage{}, fault.New(fault.Invalid, "no_appid", "这个列表没有 AppID 这一列，不能按粘贴的 AppID 查找")
		}
		ask.Search, ask.Filters[t.appID()] = "", strings.Join(ids.Asked, ",")
		found, err := a.tableIDs(ctx, actor, t, ask)
		if err != nil {
			return TablePage{}, err
		}
		ids.missing(found)
	}
	page, err := a.o.Plugins.Rows(ctx, actor, t.Plugin, t.Name, ask)
	if s.last {
		page.Rows = slices.Clone(page.Rows)
		slices.Reverse(page.Rows)
	}
	return page, err
}

// tableIDs are the AppIDs that a question finds, up to as many as can be asked for.
func (a *Admin) tableIDs(ctx context.Context, actor account.Actor, t Table, ask TableQuery) ([]string, error) {
	var found []string
	ask.Cursor, ask.Limit = "", 100
	for range maxEverything / 100 {
		page, err := a.o.Plugins.Rows(ctx, actor, t.Plugin, t.Name, ask)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Rows {
			found = append(found, strings.ToLower(r.Values[t.appID()]))
		}
		if ask.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	return found, nil
}

func tableFilters(t Table, s listState) []listFilter {
	var out []listFilter
	for _, f := range t.Filters {
		one := listFilter{Name: f.Name, Title: f.Title, Value: strings.TrimSpace(s.q.Get(f.Name)), Kind: "text", Hint: "不限"}
		// An empty value cannot be asked for: it is what 不限 sends.
		if options := slices.DeleteFunc(choices(f), func(o types.FieldOption) bool { return o.Value == "" }); len(options) > 0 {
			one.Kind = "select"
			for _, o := range options {
				one.Options = append(one.Options, Option{Value: o.Value, Label: o.Text})
			}
		}
		out = append(out, one)
	}
	return out
}

// FullName names a table among those of all plugins.
func (t Table) FullName() string { return t.Plugin + "_" + t.Name }

// searchHint says what the search box takes, "" when there is none.
func (t Table) searchHint() string {
	switch {
	case t.Search && t.appID() != "":
		return "名称、AppID、主体，可批量粘贴"
	case t.Search:
		return "输入关键词"
	case t.appID() != "":
		return "可粘贴多个 AppID"
	default:
		return ""
	}
}

// appID is the column of AppIDs that can be filtered by, "" for none.
func (t Table) appID() string {
	if slices.ContainsFunc(t.Filters, func(c Column) bool { return c.Name == "appid" }) {
		return "appid"
	}
	return ""
}

// batch are the acts that work on several rows.
func (t Table) batch() []batchAct {
	var out []batchAct
	for _, action := range t.Actions {
		if action.Batch {
			out = append(out, batchAct{Title: action.Title, Post: t.Address() + "/act/" + action.Name, Confirm: action.Confirm, Danger: action.Danger})
		}
	}
	if t.CanRemove {
		out = append(out, batchAct{Title: "删除", Post: t.Address() + "/delete", Confirm: "删除选中的记录？删除后不能恢复。", Danger: true})
	}
	return out
}

// drawn turns what GoAdmin's generator made of the rows into columns and rows of the screen.
func (t Table) drawn(head types.Thead, cells types.InfoList, rows []TableRow) ([]theme.Column, []theme.Row) {
	var columns []theme.Column
	for _, h := range head {
		if h.Hide {
			continue
		}
		c := theme.Column{Name: h.Field, Title: h.Head}
		if h.Sortable {
			c.Sort = "none"
		}
		if declared, ok := t.column(h.Field); ok && declared.Type == "int" {
			c.Number = true
		}
		columns = append(columns, c)
	}
	out := make([]theme.Row, 0, len(rows))
	for i, r := range rows {
		row := theme.Row{ID: r.ID, Ops: t.ops(r)}
		if len(columns) > 0 {
			row.Name = r.Values[columns[0].Name]
		}
		for _, c := range columns {
			row.Cells = append(row.Cells, t.shown(c.Name, cells[i][c.Name].Content))
		}
		out = append(out, row)
	}
	return columns, out
}

// nameApps puts the names of mini programs to their AppIDs, as far as the actor sees them, where the row does not say them
// itself.
func (a *Admin) nameApps(ctx context.Context, actor account.Actor, rows []TableRow, columns []theme.Column, drawn []theme.Row) error {
	at := slices.IndexFunc(columns, func(c theme.Column) bool { return c.Name == "appid" })
	var ids []string
	for _, r := range rows {
		if id := r.Values["appid"]; at >= 0 && id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := a.o.Services.MiniPrograms.List(ctx, actor, miniprogram.Filter{AppIDs: ids, Limit: min(len(ids), 100), Uncounted: true})
	if err != nil {
		return err
	}
	names := found.Names()
	for i, r := range rows {
		name := names[r.Values["appid"]]
		said := name == ""
		for _, value := range r.Values {
			said = said || value == name
		}
		if !said {
			drawn[i].Cells[at] = `<span><span translate="no">` + template.HTML(template.HTMLEscapeString(name)) + `</span><br>` + drawn[i].Cells[at] + `</span>`
		}
	}
	return nil
}

// shown keeps dates and AppIDs on one line, and marks what people typed as not to be translated.
func (t Table) shown(name string, content template.HTML) template.HTML {
	c, _ := t.column(name)
	switch {
	case c.Type == "time":
		return `<span class="mf-when">` + content + `</span>`
	case name == "appid":
		return `<code class="mf-mono" translate="no">` + content + `</code>`
	case len(c.Options) > 0 || c.Type == "bool" || c.Type == "int":
		return content
	default:
		return `<span translate="no">` + content + `</span>`
	}
}

// ops are the acts on one row. One that the row's own state does not allow is left out.
func (t Table) ops(r TableRow) []theme.Op {
	var out []theme.Op
	if t.CanEdit {
		out = append(out, theme.Op{Title: "修改", Href: t.Address() + "/edit?id=" + r.ID})
	}
	for _, action := range t.Actions {
		if action.fits(r) {
			out = append(out, theme.Op{Title: action.Title, Post: t.Address() + "/act/" + action.Name, Name: "one", Value: r.ID, Confirm: action.Confirm, Danger: action.Danger, Test: "act-" + action.Name})
		}
	}
	if t.CanRemove {
		out = append(out, theme.Op{Title: "删除", Post: t.Address() + "/delete", Name: "one", Value: r.ID, Confirm: "将删除「" + t.rowName(r) + "」，删除后不能恢复。", Word: t.typed(r), Danger: true})
	}
	return out
}

// fits reports whether the row's state allows the action.
func (a Action) fits(r TableRow) bool {
	return a.WhenColumn == "" || slices.Contains(a.When, r.Values[a.WhenColumn])
}

// typed is what must be typed before the row is deleted: its name, unless nobody would type it.
func (t Table) typed(r TableRow) string {
	if name := t.rowName(r); len([]rune(name)) <= 40 && !strings.ContainsAny(name, "\r\n") {
		return name
	}
	return ""
}

// rowName is what people call a row: its first column, else its number.
func (t Table) rowName(r TableRow) string {
	for _, c := range t.Columns {
		if v := r.Values[c.Name]; v != "" {
			return v
		}
	}
	return "#" + r.ID
}
