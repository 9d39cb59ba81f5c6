package plugin_test

import (
	"context"
	"fmt"
	"strings"

	"minifleet/plugins/sdk"
)

// doData is the part of the tests' plugin that reads and writes collections.
func (s *shelf) doData(ctx context.Context, in command) (outcome, error) {
	kind, verb, _ := strings.Cut(in.Do, ".")
	switch kind {
	case "note":
		return use(ctx, s.notes, verb, in, note{Text: in.Text, State: "open", Count: in.Num, Tags: []string{"a"}, Long: "长", Done: true},
			sdk.Set{"text": in.Text}, func(n note) string { return n.Text })
	case "deal":
		return use(ctx, s.deals, verb, in, deal{Other: in.Num, AppID: in.AppID, Title: in.Text},
			sdk.Set{"title": in.Text}, func(d deal) string { return d.Title })
	case "lane":
		return use(ctx, s.lanes, verb, in, lane{AppID: in.AppID, State: in.Text},
			sdk.Set{"state": in.Text}, func(l lane) string { return l.State })
	default:
		return use(ctx, s.listings, verb, in, listing{Title: in.Text, State: in.AppID},
			sdk.Set{"state": in.Text}, func(l listing) string { return l.Title })
	}
}

func use[T any](ctx context.Context, rows *sdk.Collection[T], verb string, in command, row T, set sdk.Set, label func(T) string) (outcome, error) {
	var op sdk.Op
	var options []sdk.CommitOption
	switch verb {
	case "insert":
		op = rows.Insert(row)
	case "once":
		op, options = rows.Insert(row), append(options, sdk.Once("key-"+in.Text))
	case "update":
		op = rows.Update(in.ID, in.Num, set)
	case "delete":
		op = rows.Delete(in.ID, in.Num)
	case "steal":
		op = rows.Update(in.ID, 0, sdk.Set{in.Text: in.Num})
	case "count":
		groups, err := rows.Aggregate(ctx, sdk.Figures{By: []string{in.AppID}, Limit: int(in.Num)})
		out := outcome{ID: groups.Others, Flag: groups.Partial}
		for _, g := range groups.Groups {
			out.List = append(out.List, fmt.Sprintf("%s=%d", g.Text(in.AppID), g.Figure(0)))
		}
		return out, err
	case "get":
		found, err := rows.Get(ctx, in.ID)
		return outcome{Text: label(found)}, err
	default: // list, by text when there is one
		query := sdk.Query{Sort: in.AppID, Limit: 2, Cursor: in.Text, Count: true}
		page, err := rows.Find(ctx, query)
		out := outcome{Text: page.Next}
		for _, found := range page.Items {
			out.List = append(out.List, label(found))
		}
		if page.Total != nil {
			out.ID = *page.Total
		}
		return out, err
	}
	done, err := sdk.Commit(ctx, []sdk.Op{op}, options...)
	if err != nil {
		return outcome{}, err
	}
	return outcome{ID: done.IDs[0], Flag: done.Repeated}, nil
}
