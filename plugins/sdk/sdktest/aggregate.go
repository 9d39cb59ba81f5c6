package sdktest

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// Aggregate counts and sums. Memory is small enough to look at every row: it never answers in part.
func (h *host) Aggregate(ctx context.Context, request *pluginpb.AggregateRequest) (*pluginpb.AggregateResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	answer, err := h.aggregate(a, request)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	return answer, nil
}

// group is the rows with one combination of values.
type group struct {
	By     map[string]json.RawMessage `json:"by"`
	Values []json.RawMessage          `json:"values"`
	rows   []cells
}

func (h *host) aggregate(a authority, request *pluginpb.AggregateRequest) (*pluginpb.AggregateResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.tables[request.GetCollection()]
	if m == nil {
		return nil, refused("no collection %q", request.GetCollection())
	}
	measures := request.GetMeasures()
	if len(measures) == 0 {
		measures = []*pluginpb.Measure{{Func: "count"}}
	}
	if err := m.checkAggregate(request, measures); err != nil {
		return nil, err
	}
	found, err := h.fitting(a, m, request.GetWhere(), request.GetSearch())
	if err != nil {
		return nil, err
	}
	groups := m.group(found, request.GetGroupBy())
	for _, one := range groups {
		for _, measure := range measures {
			one.Values = append(one.Values, m.measure(one.rows, measure))
		}
	}
	m.arrange(groups, request.GetGroupBy(), measures[0])
	limit := int(request.GetLimit())
	if limit <= 0 {
		limit = 100
	}
	answer := &pluginpb.AggregateResponse{}
	limit = min(limit, 1000, len(groups))
	for _, one := range groups[limit:] {
		answer.Others += int64(len(one.rows))
	}
	answer.Groups, err = encode(groups[:limit])
	return answer, err
}

func (m *memory) checkAggregate(request *pluginpb.AggregateRequest, measures []*pluginpb.Measure) error {
	if len(request.GetGroupBy()) > 3 || len(measures) > 8 {
		return refused("%d columns and %d measures", len(request.GetGroupBy()), len(measures))
	}
	for _, name := range request.GetGroupBy() {
		if kind := m.kind(name); kind == "" || kind == "json" || kind == "longtext" {
			return refused("no column %q to group by", name)
		}
	}
	for _, measure := range measures {
		fits := map[string][]string{"count": {""}, "sum": {"int"}, "min": {"int", "time", "text"}, "max": {"int", "time", "text"}}
		if !slices.Contains(fits[measure.GetFunc()], m.kind(measure.GetColumn())) {
			return refused("no measure %s of column %q", measure.GetFunc(), measure.GetColumn())
		}
	}
	return nil
}

func (m *memory) group(found []cells, by []string) []*group {
	var groups []*group
	if len(by) == 0 {
		return []*group{{By: map[string]json.RawMessage{}, rows: found}}
	}
	for _, row := range found {
		at := slices.IndexFunc(groups, func(g *group) bool {
			return !slices.ContainsFunc(by, func(name string) bool { return m.compare(name, g.By[name], row[name]) != 0 })
		})
		if at < 0 {
			fresh := &group{By: map[string]json.RawMessage{}}
			for _, name := range by {
				fresh.By[name] = row[name]
			}
			at, groups = len(groups), append(groups, fresh)
		}
		groups[at].rows = append(groups[at].rows, row)
	}
	return groups
}

func (m *memory) measure(rows []cells, measure *pluginpb.Measure) json.RawMessage {
	name := measure.GetColumn()
	var sum int64
	var least, greatest json.RawMessage
	for _, row := range rows {
		sum += row.number(name)
		if least == nil || m.compare(name, row[name], least) < 0 {
			least = row[name]
		}
		if greatest == nil || m.compare(name, row[name], greatest) > 0 {
			greatest = row[name]
		}
	}
	value := map[string]json.RawMessage{
		"count": strconv.AppendInt(nil, int64(len(rows)), 10), "sum": strconv.AppendInt(nil, sum, 10), "min": least, "max": greatest,
	}[measure.GetFunc()]
	if value == nil {
		return json.RawMessage("null")
	}
	return value
}

// arrange puts the largest first measure first, and equal ones by the values of their columns.
func (m *memory) arrange(groups []*group, by []string, first *pluginpb.Measure) {
	slices.SortStableFunc(groups, func(x, y *group) int {
		column := first.GetColumn()
		if column == "" {
			column = "id" // counts compare as numbers do
		}
		if order := m.compare(column, y.Values[0], x.Values[0]); order != 0 {
			return order
		}
		for _, name := range by {
			if order := m.compare(name, x.By[name], y.By[name]); order != 0 {
				return order
			}
		}
		return 0
	})
}
