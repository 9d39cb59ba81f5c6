package admin

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	gocontext "github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/parameter"
	formtype "github.com/GoAdminGroup/go-admin/template/types/form"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
)

// querySearch is the one search box's parameter; queryBack holds the cursors of the pages before.
const (
	querySearch = "q"
	queryBack   = "back"
	maxBack     = 15
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
	q := r.URL.Query()
	ask := TableQuery{Filters: map[string]string{}, Search: q.Get(querySearch), Cursor: q.Get(queryCursor), Limit: sizeOf(q)}
	if s := q.Get(querySort); s != "" {
		ask.Sort = s
		if q.Get(querySortType) != "asc" {
			ask.Sort = "-" + s
		}
	}
	for _, f := range t.Filters {
		if s := strings.TrimSpace(q.Get(f.Name)); s != "" {
			ask.Filters[f.Name] = s
		}
	}
	page, err := a.o.Plugins.Rows(ctx, actor, t.Plugin, t.Name, ask)
	if err != nil {
		return View{}, err
	}
	gctx := gocontext.NewContext(r)
	panel := generate(gctx, t, source{rows: func() []TableRow { return page.Rows }})
	params := parameter.GetParam(r.URL, ask.Limit, queryKey, "desc")
	info, err := panel.GetData(gctx, params)
	if err != nil {
		return View{}, err
	}
	look := theme.New()
	body := listView{
		Table: t, Page: page, Query: q, Keep: keep(q), Problem: fault.From(problem), Filtered: len(ask.Filters) > 0 || ask.Search != "",
		Next: nextPage(t, q, page.Next), Back: backPage(t, q), First: t.Address() + "?" + keep(q).Encode(), Size: ask.Limit, Sizes: pageSizes,
		Empty: t.emptyText(len(ask.Filters) > 0 || ask.Search != ""),
	}
	if len(info.FilterFormData) > 0 || t.Search {
		body.Filter = look.Form().SetContent(info.FilterFormData).SetMethod("get").SetLayout(formtype.LayoutFilter).
			SetUrl(t.Address()).SetHiddenFields(map[string]string{}).SetHeader(a.render("table-search", body)).GetContent()
	}
	data := look.DataTable().SetInfoList(info.InfoList).SetThead(info.Thead).SetPrimaryKey(queryKey).
		SetSortUrl("&" + keep(q).Encode()).SetAction(a.render("table-row-actions", t)).SetHideRowSelector(!t.HasBatch())
	if !t.CanEdit && !t.CanRemove && len(t.Actions) == 0 {
		data = data.SetNoAction()
	}
	body.Grid = data.GetContent()
	return View{Title: t.Title, Subtitle: t.Intro, Body: a.render("table-list", body), Status: problemStatus(problem)}, nil
}

// listView is what the list's template reads.
type listView struct {
	Table             Table
	Page              TablePage
	Query, Keep       url.Values
	Problem           *fault.Error
	Filtered          bool
	Filter, Grid      template.HTML
	Next, Back, First string
	Size              int
	Sizes             []int
	Empty             string
}

// HasBatch reports whether rows can be ticked for anything.
func (t Table) HasBatch() bool {
	if t.CanRemove {
		return true
	}
	for _, action := range t.Actions {
		if action.Batch {
			return true
		}
	}
	return false
}

// Count is the total as the screens show it: exact to 10,000, and nothing where a plugin does not know it.
func (v listView) Count() string {
	switch {
	case v.Page.Total != nil:
		return "共 " + grouped(*v.Page.Total) + " 条"
	case v.Table.Counted:
		return "共 10,000+ 条"
	case v.Next == "" && v.Back == "":
		return "共 " + grouped(int64(len(v.Page.Rows))) + " 条"
	default:
		return ""
	}
}

// WithSize is the list's address with another page size.
func (v listView) WithSize(n int) string {
	q := keep(v.Query)
	q.Set(queryPageSize, strconv.Itoa(n))
	return v.Table.Address() + "?" + q.Encode()
}

func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func problemStatus(err error) int {
	if err == nil {
		return 0
	}
	return fault.KindOf(err).Status()
}

func sizeOf(q url.Values) int {
	n, err := strconv.Atoi(q.Get(queryPageSize))
	if err != nil {
		return pageSizes[0]
	}
	return n
}

// keep is the query without what belongs to one page of it.
func keep(q url.Values) url.Values {
	out := url.Values{}
	for name, values := range q {
		switch name {
		case queryCursor, queryBack, querySort, querySortType, queryKey:
		default:
			out[name] = values
		}
	}
	return out
}

// nextPage and backPage walk by key: there is no jump to a page by number, so a list costs the same at any length.
func nextPage(t Table, q url.Values, cursor string) string {
	if cursor == "" {
		return ""
	}
	out := clone(q)
	before := strings.Split(q.Get(queryBack), "~")
	if q.Get(queryBack) == "" {
		before = nil
	}
	if before = append(before, q.Get(queryCursor)+"."); len(before) > maxBack {
		before = before[1:]
	}
	out.Set(queryBack, strings.Join(before, "~"))
	out.Set(queryCursor, cursor)
	return t.Address() + "?" + out.Encode()
}

func backPage(t Table, q url.Values) string {
	if q.Get(queryBack) == "" {
		return ""
	}
	out := clone(q)
	before := strings.Split(q.Get(queryBack), "~")
	last := strings.TrimSuffix(before[len(before)-1], ".")
	out.Del(queryBack)
	out.Del(queryCursor)
	if len(before) > 1 {
		out.Set(queryBack, strings.Join(before[:len(before)-1], "~"))
	}
	if last != "" {
		out.Set(queryCursor, last)
	}
	return t.Address() + "?" + out.Encode()
}

func clone(q url.Values) url.Values {
	out := url.Values{}
	for name, values := range q {
		out[name] = values
	}
	return out
}
