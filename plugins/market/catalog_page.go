package market

import (
	"context"
	"net/http"
	"net/url"

	"minifleet/plugins/sdk"
)

// tab is a link of a choice.
type tab struct {
	Title, Path string
	On          bool
}

type catalogView struct {
	Path       string
	Ask        catalogQuery
	Filtered   bool
	Categories []tab
	Sorts      []tab
	Items      []catalogItem
	Total      string
	First      string // "" on the first page
	Next       string
}

type catalogItem struct {
	Listing
	Path string
}

// catalogPage is the APP Store.
func (m *market) catalogPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	query := r.URL.Query()
	ask := catalogQuery{Search: tidy(query.Get("q")), Category: query.Get("category"), Sort: query.Get("sort"), Cursor: query.Get("cursor"), Limit: 24}
	if err := checkCatalog(ask.Category, ask.Sort, 0); err != nil {
		return sdk.View{Redirect: sdk.Path(ctx, "/")}, nil //nolint:nilerr // an address somebody mistyped: show the whole shelf
	}
	if runes := []rune(ask.Search); len(runes) > 100 {
		ask.Search = string(runes[:100])
	}
	found, err := m.catalog(ctx, ask)
	if err != nil {
		return sdk.View{}, err
	}
	view := catalogView{
		Path: sdk.Path(ctx, "/"), Ask: ask, Filtered: ask.Search != "" || ask.Category != "", Total: totalText(found.Total),
	}
	view.Categories = append(view.Categories, tab{"全部", catalogPath(ctx, ask, "category", ""), ask.Category == ""})
	for _, name := range categories() {
		view.Categories = append(view.Categories, tab{name, catalogPath(ctx, ask, "category", name), ask.Category == name})
	}
	view.Sorts = []tab{
		{"最新", catalogPath(ctx, ask, "sort", ""), ask.Sort != sortInstalls},
		{"安装量", catalogPath(ctx, ask, "sort", sortInstalls), ask.Sort == sortInstalls},
	}
	for _, listing := range found.Items {
		view.Items = append(view.Items, catalogItem{listing, sdk.Path(ctx, "/"+listing.Slug)})
	}
	if ask.Cursor != "" {
		view.First = catalogPath(ctx, ask, "cursor", "")
	}
	if found.Next != "" {
		view.Next = catalogPath(ctx, ask, "cursor", found.Next)
	}
	return page(sdk.View{Title: "APP Store", Subtitle: "找一个模板，授权你的小程序，几分钟就能扫码体验"}, "catalog", view)
}

// catalogPath is the address of the same search with one parameter changed; changing what is shown goes to its first page.
func catalogPath(ctx context.Context, ask catalogQuery, name, value string) string {
	query := url.Values{}
	for key, kept := range map[string]string{"q": ask.Search, "category": ask.Category, "sort": ask.Sort} {
		if key == name {
			kept = value
		}
		if kept != "" {
			query.Set(key, kept)
		}
	}
	if name == "cursor" && value != "" {
		query.Set("cursor", value)
	}
	if len(query) == 0 {
		return sdk.Path(ctx, "/")
	}
	return sdk.Path(ctx, "/") + "?" + query.Encode()
}
