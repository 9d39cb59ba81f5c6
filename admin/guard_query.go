package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/fault"
)

// Bounds of a query: more or longer is nobody's page.
const (
	maxQueryNames = 64
	maxQueryValue = 2000
	maxSearch     = 10_000 // of the search box, which takes a pasted list of 500 AppIDs
)

// GoAdmin's own parameter names that a list page may carry.
const (
	querySort     = "__sort"
	querySortType = "__sort_type"
	queryPageSize = "__pageSize"
	queryCursor   = "cursor"
	queryKey      = "id"
)

// cleanQuery keeps of the query what the page knows and drops everything else, since GoAdmin builds SQL from names
// and from __sort_type, and reads its permission's subject from __prefix.
func (a *Admin) cleanQuery(r *http.Request, v *visit, rt route) (url.Values, error) {
	in, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(in) > maxQueryNames {
		return nil, fault.New(fault.Invalid, "query", "网址里的参数不完整，请从页面上重新打开")
	}
	switch rt.kind {
	case kindTable:
		t, err := a.tableOf(r.Context(), v.actor, tableName(r.URL.Path))
		if err != nil {
			return nil, err
		}
		return tableQuery(in, t), nil
	case kindPlugin:
		return pluginQuery(in), nil
	default:
		return knownQuery(in, rt.query), nil
	}
}

// tableQuery keeps paging, sorting and filters of a plugin table: names only of its own columns, directions only
// asc and desc, sizes only numbers.
func tableQuery(in url.Values, t Table) url.Values {
	out := url.Values{}
	put := func(name string, ok func(string) bool) {
		if s := in.Get(name); s != "" && len(s) <= maxQueryValue && ok(s) {
			out.Set(name, s)
		}
	}
	any := func(string) bool { return true }
	put(querySort, t.sortable)
	put(querySortType, func(s string) bool { return s == "asc" || s == "desc" })
	put(queryPageSize, func(s string) bool { n, err := strconv.Atoi(s); return err == nil && slices.Contains(pageSizes, n) })
	put(queryCursor, any)
	put(queryBack, any)
	put(queryKey, any)
	for _, name := range []string{queryLast, queryMore} {
		put(name, func(s string) bool { return s == "1" })
	}
	put(queryView, func(s string) bool { return s == "all" })
	if s := in.Get(querySearch); s != "" && len(s) <= maxSearch {
		out.Set(querySearch, s)
	}
	for _, f := range t.Filters {
		if plainName(f.Name) {
			put(f.Name, any)
		}
	}
	return out
}

// pluginQuery lets a plugin's page name its own parameters, but none in GoAdmin's name space.
func pluginQuery(in url.Values) url.Values {
	out := url.Values{}
	for name, values := range in {
		if plainName(name) && len(values) <= maxQueryNames {
			out[name] = values
		}
	}
	return out
}

func knownQuery(in url.Values, known []string) url.Values {
	out := url.Values{}
	for _, name := range known {
		if s := in.Get(name); s != "" && (len(s) <= maxQueryValue || name == querySearch && len(s) <= maxSearch) {
			out.Set(name, s)
		}
	}
	return out
}

// plainName reports whether GoAdmin gives the name no meaning of its own.
func plainName(name string) bool {
	low := strings.ToLower(name)
	return !strings.HasPrefix(low, "__") && !strings.Contains(low, "goadmin") && !strings.Contains(low, "_pjax")
}
