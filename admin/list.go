package admin

import (
	"context"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
)

// Parameters of every list besides its own filters.
const (
	querySearch = "q"    // the one search box
	queryBack   = "back" // cursors of the pages before
	queryLast   = "last" // 1: walked from the end
	queryMore   = "more" // 1: all conditions stand open
	queryView   = "view" // all: without the filter that the list opens with
	maxBack     = 15
)

// listQuery names the parameters that a core page with a list reads.
func listQuery(filters ...string) []string {
	return append(filters, querySearch, queryCursor, queryBack, queryLast, queryMore, queryView, queryPageSize, querySort, querySortType)
}

// shownList is one page of a list as the screen draws it: a plugin's table or a core page's rows.
type shownList struct {
	// Name is the list's own name, for what members keep about it and for exports; Address is where it lives.
	Name, Title, Address string
	// Search is what the search box says it takes; "" draws none.
	Search  string
	Filters []listFilter
	Columns []theme.Column
	Rows    []theme.Row
	Acts    bool
	// Total is the exact number; nil means more than 10,000 when Capped, else unknown.
	Total  *int64
	Capped bool
	// Next is the cursor of what follows in the direction of the walk, "" at the end. Reverse says that the list can be
	// walked from its end.
	Next    string
	Reverse bool
	Batch   []batchAct
	// Create, Import lead to a form; Export offers the file dialog.
	Create, Import string
	Export         bool
	// Tools are the page's own buttons, before the common ones.
	Tools template.HTML
	Note  string
	// Empty is the sentence of a list without any row, and Step what to do then.
	Empty   string
	Step    Link
	Pasted  *pastedIDs
	Problem *fault.Error
}

// listFilter is one condition. Kind is select, text or a type of input.
type listFilter struct {
	Name, Title, Value, Hint, Kind, Error string
	Options                               []Option
	Wide                                  bool
}

// batchAct works on the ticked rows, or on every row that the query finds.
type batchAct struct {
	Title, Post, Confirm string
	Danger               bool
}

// listState is what a request says about a list, and what its member keeps about it.
type listState struct {
	q      url.Values
	kept   kept
	size   int
	cursor string
	last   bool
	search string
	member int64
	here   string
}

// openList reads the state of a list. When the address says nothing at all and the member has a filter that the list
// opens with, the view leads there instead.
func (a *Admin) openList(ctx context.Context, actor account.Actor, r *http.Request, name, address string) (listState, *View, error) {
	s := listState{q: r.URL.Query(), member: actor.MemberID}
	var err error
	if s.kept, err = a.lists.read(ctx, actor.MemberID, name); err != nil {
		return s, nil, err
	}
	if standard, ok := s.kept.standard(); ok && len(s.q) == 0 && standard.Query != "" && r.Method == http.MethodGet {
		return s, &View{Redirect: address + "?" + standard.Query}, nil
	}
	s.size, s.cursor, s.last, s.search = sizeOf(s.q), s.q.Get(queryCursor), s.q.Get(queryLast) == "1", strings.TrimSpace(s.q.Get(querySearch))
	s.here = address
	if len(s.q) > 0 {
		s.here += "?" + s.q.Encode()
	}
	return s, nil, nil
}

// sort is the order asked for: a column, with a minus in front for descending; "" for the list's own.
func (s listState) sort() string {
	name := s.q.Get(querySort)
	if name != "" && s.q.Get(querySortType) != "asc" {
		return "-" + name
	}
	return name
}

// filtered reports whether anything narrows the list.
func (s listState) filtered(l shownList) bool {
	return s.search != "" || slices.ContainsFunc(l.Filters, func(f listFilter) bool { return f.Value != "" })
}

// wxIDs finds AppIDs in what was pasted, also without anything between them.
var wxIDs = regexp.MustCompile(`wx[0-9a-z]{16}`)

// pastedIDs tells how many AppIDs of a pasted list are in the result.
type pastedIDs struct {
	Asked   []string
	Found   int
	Missing []string
}

// pasted reads a list of AppIDs out of the search box; nil when it holds anything else, or only one.
func pasted(search string) *pastedIDs {
	bare := strings.Join(account.SplitAppIDs(strings.ToLower(search)), "")
	ids := wxIDs.FindAllString(bare, -1)
	if len(ids) < 2 || len(strings.Join(ids, "")) != len(bare) {
		return nil
	}
	slices.Sort(ids)
	return &pastedIDs{Asked: slices.Compact(ids)}
}

// missing notes which of the asked ones are not among those found.
func (p *pastedIDs) missing(found []string) {
	p.Found, p.Missing = 0, nil
	for _, id := range p.Asked {
		if slices.Contains(found, id) {
			p.Found++
		} else {
			p.Missing = append(p.Missing, id)
		}
	}
}

// Some are the first of the missing ones, for a sentence.
func (p *pastedIDs) Some() []string { return p.Missing[:min(len(p.Missing), 10)] }

// listPage is what draw reads.
type listPage struct {
	shownList
	Typed                    string
	Grid                     template.HTML
	Filtered, Open           bool
	Count                    string
	Home, Prev, After, Final string
	Size                     int
	Sizes                    []sizeLink
	Clear                    string
	Known                    []columnChoice
	Dense                    bool
	Saved                    []savedLink
	Query                    string
	Keep                     []pair
	// Asked is the query as fields, for the export.
	Asked      []pair
	Pick       bool
	Everything string
	Here       string
}

type pair struct{ Name, Value string }

type sizeLink struct {
	N    int
	Href string
	On   bool
}

type columnChoice struct {
	Name, Title string
	Shown       bool
}

type savedLink struct {
	savedFilter
	Href string
}

// showList draws a list: conditions, tools, table, pages.
func (a *Admin) showList(s listState, l shownList) template.HTML {
	p := listPage{shownList: l, Typed: s.search, Filtered: s.filtered(l), Size: s.size, Dense: s.kept.choice.Dense, Here: s.here, Pick: l.Export || len(l.Batch) > 0}
	p.Open = s.q.Get(queryMore) == "1" || slices.ContainsFunc(l.Filters[min(len(l.Filters), alwaysOpen):], func(f listFilter) bool { return f.Value != "" })
	p.Count, p.Everything = countOf(l, s), everything(l)
	plain := keep(s.q)
	plain.Del(queryView)
	p.Query = plain.Encode()
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		if !slices.Contains([]string{queryMore, queryPageSize}, name) {
			p.Asked = append(p.Asked, pair{name, plain.Get(name)})
		}
	}
	p.Clear = l.Address
	if _, ok := s.kept.standard(); ok {
		p.Clear += "?" + queryView + "=all"
	}
	for _, f := range s.kept.filters {
		p.Saved = append(p.Saved, savedLink{f, l.Address + "?" + f.Query})
	}
	if name := s.q.Get(querySort); name != "" {
		p.Keep = append(p.Keep, pair{querySort, name}, pair{querySortType, s.q.Get(querySortType)})
	}
	if size := s.q.Get(queryPageSize); size != "" {
		p.Keep = append(p.Keep, pair{queryPageSize, size})
	}
	p.pages(s)
	p.Grid = p.grid(s)
	problem := template.HTML("")
	if l.Problem != nil {
		problem = a.render("problem", l.Problem)
	}
	return p.draw(problem)
}

// alwaysOpen is how many conditions stand open; the others come with 展开.
const alwaysOpen = 3

// More reports whether there are conditions to unfold. The search box counts as one.
func (p listPage) More() bool { return len(p.Filters)+p.box() > alwaysOpen }

func (p listPage) box() int {
	if p.Search != "" {
		return 1
	}
	return 0
}

// Folded reports whether the condition stands below 展开.
func (p listPage) Folded(i int) bool { return p.More() && i+p.box() >= alwaysOpen }

// grid leaves the hidden columns out and marks the order in the heads.
func (p listPage) grid(s listState) template.HTML {
	g := theme.Grid{Label: p.Title, Pick: p.Pick, Dense: p.Dense, Acts: p.Acts}
	var at []int
	for i, c := range p.Columns {
		if slices.Contains(s.kept.choice.Hidden, c.Name) {
			continue
		}
		if c.Sort != "" {
			c.Sort, c.Href = p.order(s, c.Name)
		}
		g.Columns, at = append(g.Columns, c), append(at, i)
	}
	if len(at) == len(p.Columns) {
		g.Rows = p.Rows
		return g.HTML()
	}
	g.Rows = slices.Clone(p.Rows)
	for i, r := range g.Rows {
		cells := make([]template.HTML, 0, len(at))
		for _, j := range at {
			if j < len(r.Cells) {
				cells = append(cells, r.Cells[j])
			}
		}
		g.Rows[i].Cells = cells
	}
	return g.HTML()
}

// countOf is the total as the screens show it: exact to 10,000, and nothing where it is not known.
func countOf(l shownList, s listState) string {
	switch {
	case l.Total != nil:
		return "共 " + grouped(*l.Total) + " 条"
	case l.Capped:
		return "共 10,000+ 条"
	case l.Next == "" && s.cursor == "" && !s.last:
		return "共 " + grouped(int64(len(l.Rows))) + " 条"
	default:
		return ""
	}
}

// everything is the number in 全选 N 个结果, "" when there is nothing beyond this page.
func everything(l shownList) string {
	switch {
	case l.Total != nil && *l.Total > int64(len(l.Rows)):
		return grouped(*l.Total)
	case l.Total == nil && l.Capped:
		return "10,000+"
	default:
		return ""
	}
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
	if err != nil || !slices.Contains(pageSizes, n) {
		return pageSizes[0]
	}
	return n
}
