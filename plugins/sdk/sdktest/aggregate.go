package sdktest

import (
	"encoding/json"
	"fmt"
	"slices"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// aggregate plays core.aggregate.
func (h *host) aggregate(a authority, input []byte) (any, error) {
	var in struct {
		Collection, By string
		Where          []struct {
			Column, Op string
			Values     []json.RawMessage
		}
		Limit int
	}
	if err := json.Unmarshal(input, &in); err != nil {
		return nil, fmt.Errorf("core.aggregate: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.tables[in.Collection]
	if m == nil {
		return nil, fmt.Errorf("sdktest: no collection %q", in.Collection)
	}
	out := sdk.Groups{Groups: []sdk.Group{}}
	for _, row := range m.rows {
		fits := h.visible(a, m, row, false)
		for _, w := range in.Where {
			wired := &pluginpb.Where{Column: w.Column, Op: w.Op}
			for _, v := range w.Values {
				wired.Values = append(wired.Values, v)
			}
			fits = fits && holds(row, wired)
		}
		if !fits {
			continue
		}
		at := slices.IndexFunc(out.Groups, func(g sdk.Group) bool { return compare(g.Value, row[in.By]) == 0 })
		if at < 0 {
			out.Groups, at = append(out.Groups, sdk.Group{Value: row[in.By]}), len(out.Groups)
		}
		out.Groups[at].Count++
	}
	slices.SortStableFunc(out.Groups, func(x, y sdk.Group) int { return int(y.Count - x.Count) })
	if in.Limit > 0 && len(out.Groups) > in.Limit {
		for _, g := range out.Groups[in.Limit:] {
			out.Others += g.Count
		}
		out.Groups = out.Groups[:in.Limit]
	}
	return out, nil
}
