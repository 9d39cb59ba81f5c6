package admin

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// order is the state of a head and where a click on it leads: descending first, then ascending, then as it was.
func (p listPage) order(s listState, name string) (state, href string) {
	q := keep(s.q)
	state = "none"
	next := "desc"
	if s.q.Get(querySort) == name {
		if state = "desc"; s.q.Get(querySortType) == "asc" {
			state, next = "asc", ""
		} else {
			next = "asc"
		}
	}
	if next != "" {
		q.Set(querySort, name)
		q.Set(querySortType, next)
	} else {
		q.Del(querySort)
		q.Del(querySortType)
	}
	return state, address(p.Address, q)
}

func address(base string, q url.Values) string {
	if len(q) == 0 {
		return base
	}
	return base + "?" + q.Encode()
}

// pages are the links below the table. There is no jump to a page by number: each walks by key, from either end.
func (p *listPage) pages(s listState) {
	first := keep(s.q)
	forth, back := "", backPage(p.Address, s.q)
	if p.Next != "" {
		forth = nextPage(p.Address, s.q, p.Next)
	}
	moved := s.cursor != "" || s.last
	switch {
	case s.last:
		p.Prev, p.After = forth, back
	default:
		p.Prev, p.After = back, forth
	}
	if moved {
		p.Home = address(p.Address, first)
	}
	if p.Reverse && p.After != "" {
		last := keep(s.q)
		last.Set(queryLast, "1")
		p.Final = address(p.Address, last)
	}
	for _, n := range pageSizes {
		q := keep(s.q)
		q.Set(queryPageSize, strconv.Itoa(n))
		p.Sizes = append(p.Sizes, sizeLink{n, address(p.Address, q), n == s.size})
	}
	for _, c := range p.Columns {
		p.Known = append(p.Known, columnChoice{c.Name, c.Title, !slices.Contains(s.kept.choice.Hidden, c.Name)})
	}
}

// keep is the query without what belongs to one page of it.
func keep(q url.Values) url.Values {
	out := url.Values{}
	for name, values := range q {
		switch name {
		case queryCursor, queryBack, queryLast, queryKey:
		default:
			out[name] = values
		}
	}
	return out
}

// nextPage goes on in the direction of the walk and remembers where it came from; backPage returns there.
func nextPage(base string, q url.Values, cursor string) string {
	out := clone(q)
	var before []string
	if s := q.Get(queryBack); s != "" {
		before = strings.Split(s, "~")
	}
	if before = append(before, q.Get(queryCursor)+"."); len(before) > maxBack {
		before = before[1:]
	}
	out.Set(queryBack, strings.Join(before, "~"))
	out.Set(queryCursor, cursor)
	return address(base, out)
}

func backPage(base string, q url.Values) string {
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
	return address(base, out)
}

func clone(q url.Values) url.Values {
	out := url.Values{}
	for name, values := range q {
		out[name] = values
	}
	return out
}
