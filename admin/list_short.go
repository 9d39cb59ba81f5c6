package admin

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/transfer"
)

// shortList is a list whose rows are all at hand, such as jobs or plugin processes. It is searched, narrowed, ordered and
// paged in memory, and carried out as a file, all from this one description. It is a transfer.Source.
type shortList[T any] struct {
	name, title, address string
	// search is what the search box says it takes.
	search string
	// empty is the sentence of a list without any row.
	empty string
	// admit refuses who may not read the list. The page's own guard has asked already; a file's request has not.
	admit func(who account.Actor) error
	// rows reads all of them, in the list's own order.
	rows func(ctx context.Context, who account.Actor) ([]T, error)
	// fill adds what costs a question per row, to the rows that are shown; nil for nothing.
	fill func(ctx context.Context, who account.Actor, rows []T) error
	// key is a row's id; label is what people call it.
	key, label func(row T) string
	filters    []shortFilter[T]
	columns    []shortColumn[T]
	// ops are the acts on a row; nil for none.
	ops func(who account.Actor, row T) []theme.Op
}

// shortFilter is a choice that narrows the list.
type shortFilter[T any] struct {
	name, title string
	options     []Option
	keep        func(row T, value string) bool
}

// shortColumn is a column on the screen, where the template cell draws it, and in a file, which takes its text.
type shortColumn[T any] struct {
	name, title, cell string
	number            bool
	text              func(row T) string
	// more are further columns of the file that the screen shows in the same cell.
	more   []shortColumn[T]
	kind   transfer.Kind
	labels map[string]string
	// found says that the search box looks into the text, and appID that a pasted list of AppIDs is looked up here.
	found, appID bool
	// order compares two rows; nil for a column that cannot be sorted by.
	order func(x, y T) int
}

// names are the parameters of the list's filters, for its page.
func (l shortList[T]) names() []string {
	var out []string
	for _, f := range l.filters {
		out = append(out, f.name)
	}
	return out
}

// all are the columns with those that only a file has.
func (l shortList[T]) all() []shortColumn[T] {
	var out []shortColumn[T]
	for _, c := range l.columns {
		out = append(append(out, c), c.more...)
	}
	return out
}

// narrowed keeps the rows that search and filters leave, in the order asked for.
func (l shortList[T]) narrowed(rows []T, q url.Values) (left []T, ids *pastedIDs) {
	search := strings.TrimSpace(q.Get(querySearch))
	ids = pasted(search)
	if !slices.ContainsFunc(l.all(), func(c shortColumn[T]) bool { return c.appID }) {
		ids = nil
	}
	var found []string
	for _, row := range rows {
		if !l.passes(row, q) || !l.matches(row, search, ids) {
			continue
		}
		left = append(left, row)
		if ids != nil {
			found = append(found, l.appID(row))
		}
	}
	if ids != nil {
		ids.missing(found)
	}
	for _, c := range l.columns {
		if c.name != q.Get(querySort) || c.order == nil {
			continue
		}
		slices.SortStableFunc(left, func(x, y T) int {
			if q.Get(querySortType) == "asc" {
				return c.order(x, y)
			}
			return c.order(y, x)
		})
	}
	return left, ids
}

func (l shortList[T]) passes(row T, q url.Values) bool {
	for _, f := range l.filters {
		if v := f.chosen(q); v != "" && !f.keep(row, v) {
			return false
		}
	}
	return true
}

// chosen is the value asked for, "" for none and for one that the filter does not have.
func (f shortFilter[T]) chosen(q url.Values) string {
	v := q.Get(f.name)
	if !slices.ContainsFunc(f.options, func(o Option) bool { return o.Value == v }) {
		return ""
	}
	return v
}

func (l shortList[T]) matches(row T, search string, ids *pastedIDs) bool {
	if ids != nil {
		return slices.Contains(ids.Asked, l.appID(row))
	}
	search = strings.ToLower(search)
	return search == "" || slices.ContainsFunc(l.all(), func(c shortColumn[T]) bool {
		return c.found && strings.Contains(strings.ToLower(c.text(row)), search)
	})
}

func (l shortList[T]) appID(row T) string {
	for _, c := range l.all() {
		if c.appID {
			return strings.ToLower(c.text(row))
		}
	}
	return ""
}

// page cuts one page out. A cursor is the key of the row before it; one whose row is gone begins anew.
func (l shortList[T]) page(rows []T, s listState) (page []T, next string) {
	rows = slices.Clone(rows)
	if s.last {
		slices.Reverse(rows)
	}
	from := 0
	if s.cursor != "" {
		from = 1 + slices.IndexFunc(rows, func(row T) bool { return l.key(row) == s.cursor })
	}
	page = rows[from:min(from+s.size, len(rows))]
	if len(page) > 0 && from+len(page) < len(rows) {
		next = l.key(page[len(page)-1])
	}
	if s.last {
		slices.Reverse(page)
	}
	return page, next
}

// showShort draws the list as every other list is drawn; dress adds what only this page has.
func showShort[T any](ctx context.Context, a *Admin, actor account.Actor, r *http.Request, l shortList[T], dress func(*shownList)) (View, error) {
	s, elsewhere, err := a.openList(ctx, actor, r, l.name, l.address)
	if err != nil {
		return View{}, err
	}
	if elsewhere != nil {
		return *elsewhere, nil
	}
	rows, err := l.rows(ctx, actor)
	if err != nil {
		return View{}, err
	}
	left, ids := l.narrowed(rows, s.q)
	total := int64(len(left))
	page, next := l.page(left, s)
	if l.fill != nil {
		if err := l.fill(ctx, actor, page); err != nil {
			return View{}, err
		}
	}
	shown := shownList{
		Name: l.name, Title: l.title, Address: l.address, Search: l.search, Acts: l.ops != nil, Reverse: true, Export: a.o.Services.Transfers != nil,
		Total: &total, Next: next, Pasted: ids, Empty: l.empty,
	}
	for _, f := range l.filters {
		shown.Filters = append(shown.Filters, listFilter{Name: f.name, Title: f.title, Value: f.chosen(s.q), Kind: "select", Options: f.options})
	}
	for _, c := range l.columns {
		head := theme.Column{Name: c.name, Title: c.title, Number: c.number}
		if c.order != nil {
			head.Sort = "none"
		}
		shown.Columns = append(shown.Columns, head)
	}
	for _, row := range page {
		shown.Rows = append(shown.Rows, l.row(a, actor, row))
	}
	if dress != nil {
		dress(&shown)
	}
	return View{Title: l.title, Body: a.showList(s, shown)}, nil
}

func (l shortList[T]) row(a *Admin, actor account.Actor, row T) theme.Row {
	out := theme.Row{ID: l.key(row), Name: l.label(row)}
	if l.ops != nil {
		out.Ops = l.ops(actor, row)
	}
	for _, c := range l.columns {
		cell := template.HTML(template.HTMLEscapeString(c.text(row)))
		if c.cell != "" {
			cell = a.render(c.cell, row)
		}
		out.Cells = append(out.Cells, cell)
	}
	return out
}

// Sheet is the list as a file: the ticked rows, or all that the page's query leaves.
func (l shortList[T]) Sheet(_ context.Context, who account.Actor, _ string, q transfer.Query) (transfer.Sheet, error) {
	if err := l.admit(who); err != nil {
		return transfer.Sheet{}, err
	}
	sheet := transfer.Sheet{Title: l.title, Filter: l.words(q.Values)}
	for _, c := range l.all() {
		sheet.Columns = append(sheet.Columns, transfer.Column{Name: c.name, Title: c.title, Kind: c.kind, Labels: c.labels})
	}
	sheet.Page = func(ctx context.Context, _ string) ([][]string, string, error) {
		rows, err := l.rows(ctx, who)
		if err != nil {
			return nil, "", err
		}
		if q.Picked() {
			rows = slices.DeleteFunc(rows, func(row T) bool { return !slices.Contains(q.IDs, l.key(row)) })
		} else {
			rows, _ = l.narrowed(rows, q.Values)
		}
		if l.fill != nil {
			if err := l.fill(ctx, who, rows); err != nil {
				return nil, "", err
			}
		}
		out := make([][]string, 0, len(rows))
		for _, row := range rows {
			line := make([]string, 0, len(sheet.Columns))
			for _, c := range l.all() {
				line = append(line, c.text(row))
			}
			out = append(out, line)
		}
		return out, "", nil
	}
	return sheet, nil
}

// words are what narrows the list, for the file's name.
func (l shortList[T]) words(q url.Values) string {
	var out []string
	if search := strings.TrimSpace(q.Get(querySearch)); search != "" {
		out = append(out, search)
	}
	for _, f := range l.filters {
		v := f.chosen(q)
		for _, o := range f.options {
			if v != "" && o.Value == v {
				out = append(out, o.Label)
			}
		}
	}
	return strings.Join(out, " ")
}

// labelsOf are a filter's words for a file.
func labelsOf(options []Option) map[string]string {
	out := map[string]string{}
	for _, o := range options {
		out[o.Value] = o.Label
	}
	return out
}

// Sources are the core's short lists by name, for what carries lists out as files.
func Sources(s Services) map[string]transfer.Source {
	return map[string]transfer.Source{listComponents: componentList(s), listJobs: jobList(s), listProcesses: processList(s), listRoles: roleList(s), listWebhooks: hookList(s)}
}

// Names of the short lists in addresses and requests for a file.
const (
	listComponents = "components"
	listJobs       = "jobs"
	listProcesses  = "plugins"
	listRoles      = "roles"
	listWebhooks   = "webhooks"
)
