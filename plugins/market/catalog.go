package market

import (
	"context"
	"strings"

	"minifleet/plugins/sdk"
)

// mostWords bounds the words of a search, each of which is one condition.
const mostWords = 5

// catalogQuery is what a visitor looks for.
type catalogQuery struct {
	Search   string
	Category string
	Sort     string // "installs", or "" for the newest
	Cursor   string
	Limit    int
}

const sortInstalls = "installs"

// catalog reads one page of the shelf. Every word must occur.
func (m *market) catalog(ctx context.Context, ask catalogQuery) (sdk.Rows[Listing], error) {
	query := sdk.Query{
		Where: []sdk.Where{sdk.Eq("state", Listed)}, Sort: "-listed_at", Limit: ask.Limit, Cursor: ask.Cursor, Count: ask.Cursor == "",
	}
	if ask.Category != "" {
		query.Where = append(query.Where, sdk.Eq("category", ask.Category))
	}
	if ask.Sort == sortInstalls {
		query.Sort = "-installs"
	}
	words := strings.Fields(strings.ToLower(tidy(ask.Search)))
	for _, word := range words[:min(len(words), mostWords)] {
		query.Where = append(query.Where, sdk.Like("haystack", word))
	}
	return m.listings.Find(ctx, query)
}
