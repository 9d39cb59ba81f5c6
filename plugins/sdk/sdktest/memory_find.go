package sdktest

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// countUpTo is how far counts are exact.
const countUpTo = 10_000

// Find reads a page.
func (h *host) Find(ctx context.Context, request *pluginpb.FindRequest) (*pluginpb.FindResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	if err := h.mayRead(request); err != nil {
		return nil, sdk.EncodeError(err)
	}
	answer, err := h.find(a, request)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	return answer, nil
}

func (h *host) find(a authority, request *pluginpb.FindRequest) (*pluginpb.FindResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if view, isCore := strings.CutPrefix(request.GetCollection(), "core."); isCore {
		rows, err := h.view(a, view, request)
		return &pluginpb.FindResponse{Rows: rows, Total: -1}, err
	}
	m := h.tables[request.GetCollection()]
	if m == nil {
		return nil, refused("no collection %q", request.GetCollection())
	}
	found, err := h.fitting(a, m, request.GetWhere(), request.GetSearch())
	if err != nil {
		return nil, err
	}
	answer := &pluginpb.FindResponse{Total: -1}
	if request.GetCount() && len(found) <= countUpTo {
		answer.Total = int64(len(found))
	}
	page, next, err := m.page(found, request)
	if err != nil {
		return nil, err
	}
	answer.Next = next
	rows, err := h.project(a, m, page, request)
	if err != nil {
		return nil, err
	}
	answer.Rows, err = encode(rows)
	return answer, err
}

// fitting are the rows that the authority may see, that fit the conditions and hold the words.
func (h *host) fitting(a authority, m *memory, conditions []*pluginpb.Where, search string) ([]cells, error) {
	for _, w := range conditions {
		if err := m.checkWhere(w); err != nil {
			return nil, err
		}
	}
	var found []cells
	for _, row := range m.rows {
		misfit := func(w *pluginpb.Where) bool { return !m.holds(row, w) }
		if h.visible(a, m, row, false) && !slices.ContainsFunc(conditions, misfit) && m.mentions(row, search) {
			found = append(found, row)
		}
	}
	return found, nil
}

// mentions tells whether every word occurs in one of the columns flagged search.
func (m *memory) mentions(row cells, search string) bool {
	for _, word := range strings.Fields(searchForm(search)) {
		holds := func(column *pluginpb.Column) bool {
			return column.GetSearch() && strings.Contains(searchForm(row.text(column.GetName())), word)
		}
		if !slices.ContainsFunc(m.declared.GetColumns(), holds) {
			return false
		}
	}
	return true
}

// searchForm makes capital letters and full-width forms what the others are.
func searchForm(text string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r >= 0xFF01 && r <= 0xFF5E {
			return r - 0xFEE0
		}
		return r
	}, text))
}

func (m *memory) checkWhere(w *pluginpb.Where) error {
	kind := m.kind(w.GetColumn())
	if kind == "" || kind == "json" {
		return refused("no comparable column %q in %s", w.GetColumn(), m.declared.GetName())
	}
	if len(w.GetValues()) > 500 || w.GetOp() != "in" && len(w.GetValues()) != 1 {
		return refused("%d values for %s", len(w.GetValues()), w.GetColumn())
	}
	free := &pluginpb.Column{Name: w.GetColumn(), Type: kind, Size: 1024}
	for _, value := range w.GetValues() {
		if _, err := cell(free, value); err != nil {
			return refused("value for %s: %v", w.GetColumn(), err)
		}
	}
	text := kind == "text" || kind == "longtext"
	if !slices.Contains([]string{"eq", "ne", "lt", "le", "gt", "ge", "in", "like"}, w.GetOp()) || w.GetOp() == "like" && !text {
		return refused("comparison %q of %s", w.GetOp(), w.GetColumn())
	}
	return nil
}

func (m *memory) holds(row cells, w *pluginpb.Where) bool {
	held := row[w.GetColumn()]
	if w.GetOp() == "in" {
		return slices.ContainsFunc(w.GetValues(), func(v []byte) bool { return m.compare(w.GetColumn(), held, v) == 0 })
	}
	by := m.compare(w.GetColumn(), held, w.GetValues()[0])
	switch w.GetOp() {
	case "eq":
		return by == 0
	case "ne":
		return by != 0
	case "lt":
		return by < 0
	case "le":
		return by <= 0
	case "gt":
		return by > 0
	case "ge":
		return by >= 0
	default: // like
		part := cells{"": w.GetValues()[0]}.text("")
		return strings.Contains(strings.ToLower(row.text(w.GetColumn())), strings.ToLower(part))
	}
}

// at is what a cursor holds: the last row's place in its order.
type at struct {
	Sort  string          `json:"s"`
	Value json.RawMessage `json:"v"`
	ID    int64           `json:"i"`
}

// page orders rows, ids deciding between equals, and cuts one page behind the cursor.
func (m *memory) page(found []cells, request *pluginpb.FindRequest) (page []cells, next string, err error) {
	sort := cmp.Or(request.GetSort(), "-id")
	column, descending := strings.CutPrefix(sort, "-")
	if !m.sortable[column] {
		return nil, "", refused("%s cannot be sorted by %q: declare an index", m.declared.GetName(), column)
	}
	if column == "created_at" {
		column = "id"
	}
	order := func(value json.RawMessage, id int64, y cells) int {
		by := cmp.Or(m.compare(column, value, y[column]), cmp.Compare(id, y.number("id")))
		if descending {
			return -by
		}
		return by
	}
	slices.SortStableFunc(found, func(x, y cells) int { return order(x[column], x.number("id"), y) })
	if request.GetCursor() != "" {
		var from at
		raw, err := base64.RawURLEncoding.DecodeString(request.GetCursor())
		if err == nil {
			err = json.Unmarshal(raw, &from)
		}
		if err != nil || from.Sort != sort {
			return nil, "", sdk.Fail("plugin.cursor", "分页位置已失效，请从第一页重新开始")
		}
		found = slices.DeleteFunc(slices.Clone(found), func(row cells) bool { return order(from.Value, from.ID, row) >= 0 })
	}
	limit := int(request.GetLimit())
	if limit <= 0 {
		limit = 20
	}
	if limit = min(limit, 200); len(found) <= limit {
		return found, "", nil
	}
	last := found[limit-1]
	key, err := json.Marshal(at{sort, last[column], last.number("id")})
	return found[:limit], base64.RawURLEncoding.EncodeToString(key), err
}

// project leaves the wanted columns of each row and adds those of the joins.
func (h *host) project(a authority, m *memory, page []cells, request *pluginpb.FindRequest) ([]cells, error) {
	rows := make([]cells, len(page))
	for i, row := range page {
		rows[i] = maps.Clone(row)
		if len(request.GetColumns()) == 0 {
			continue
		}
		for name := range row {
			if name != "id" && !slices.Contains(request.GetColumns(), name) {
				delete(rows[i], name)
			}
		}
	}
	for _, name := range request.GetColumns() {
		if m.kind(name) == "" {
			return nil, refused("no column %q in %s", name, m.declared.GetName())
		}
	}
	for _, join := range request.GetJoins() {
		if err := h.join(a, m, page, rows, join); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// join adds a core view's columns to the rows whose key it knows and the call may see.
func (h *host) join(a authority, m *memory, page, rows []cells, join *pluginpb.Join) error {
	view, key := strings.TrimPrefix(join.GetView(), "core."), "appid"
	if view == "spaces" {
		key = "id"
	}
	kind := m.kind(join.GetColumn())
	if !slices.Contains([]string{"miniprograms", "components", "spaces"}, view) || (key == "id") != (kind == "int") || key == "appid" && kind != "text" {
		return refused("column %q does not join with %q", join.GetColumn(), join.GetView())
	}
	for i, row := range page {
		value := row[join.GetColumn()]
		seen, err := h.view(a, view, &pluginpb.FindRequest{Where: []*pluginpb.Where{{Column: key, Op: "eq", Values: [][]byte{value}}}})
		if err != nil {
			return err
		}
		for _, raw := range seen {
			var other cells
			if err := json.Unmarshal(raw, &other); err != nil {
				return err
			}
			if strings.Trim(string(other[key]), `"`) != strings.Trim(string(value), `"`) {
				continue
			}
			for _, name := range join.GetColumns() {
				if other[name] == nil {
					return refused("no column %q in %s", name, join.GetView())
				}
				rows[i][join.GetColumn()+"."+name] = other[name]
			}
		}
	}
	return nil
}
