package sdktest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// cells is one row: JSON by column name.
type cells map[string]json.RawMessage

func (c cells) number(column string) int64 {
	number, err := strconv.ParseInt(strings.Trim(string(c[column]), `"`), 10, 64)
	if err != nil {
		return 0
	}
	return number
}

func (c cells) text(column string) string {
	var text string
	if json.Unmarshal(c[column], &text) != nil {
		return string(c[column])
	}
	return text
}

// memory is one collection.
type memory struct {
	declared *pluginpb.Collection
	rows     []cells
}

func newMemory(declared *pluginpb.Collection) *memory { return &memory{declared: declared} }

func (m *memory) clone() *memory {
	copied := &memory{declared: m.declared, rows: make([]cells, len(m.rows))}
	for i, row := range m.rows {
		copied.rows[i] = make(cells, len(row))
		for name, cell := range row {
			copied.rows[i][name] = cell
		}
	}
	return copied
}

// visible plays the rules of the real data service. Call with mu held.
func (h *host) visible(a authority, m *memory, row cells, write bool) bool {
	v := m.declared.GetVisibility()
	own := func(column string, space int64) bool { return space != 0 && row.number(column) == space }
	if a.kind == byJob {
		return true
	}
	space := a.actor.SpaceID
	if a.kind == byEvent {
		space = a.space
		column := "appid"
		if v.GetKind() == "miniprogram" {
			column = v.GetColumn()
		}
		if a.appid != "" && row.text(column) == a.appid {
			return true
		}
	}
	switch v.GetKind() {
	case "parties":
		return own(v.GetColumn(), space) || own(v.GetOther(), space)
	case "miniprogram":
		scope := v.GetScope()
		if write {
			scope = v.GetWrite()
		}
		return a.kind != byEvent && h.may(space, row.text(v.GetColumn()), scope)
	case "public":
		return own("space_id", space) || !write && row.text(v.GetWhen()) == v.GetEquals()
	default:
		return own("space_id", space)
	}
}

// Find reads a page.
func (h *host) Find(ctx context.Context, request *pluginpb.FindRequest) (*pluginpb.FindResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	if view, isCore := strings.CutPrefix(request.GetCollection(), "core."); isCore {
		rows, err := h.view(a, view, request)
		if err != nil {
			return nil, sdk.EncodeError(err)
		}
		return &pluginpb.FindResponse{Rows: rows, Total: -1}, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.tables[request.GetCollection()]
	if m == nil {
		return nil, sdk.EncodeError(fmt.Errorf("sdktest: no collection %q", request.GetCollection()))
	}
	var found []cells
	for _, row := range m.rows {
		if h.visible(a, m, row, false) && slices.IndexFunc(request.GetWhere(), func(w *pluginpb.Where) bool { return !holds(row, w) }) < 0 {
			found = append(found, row)
		}
	}
	order(found, request.GetSort())
	return page(found, request)
}

func page(found []cells, request *pluginpb.FindRequest) (*pluginpb.FindResponse, error) {
	answer := &pluginpb.FindResponse{Total: -1}
	if request.GetCount() {
		answer.Total = int64(len(found))
	}
	start := 0
	if request.GetCursor() != "" {
		var err error
		if start, err = strconv.Atoi(request.GetCursor()); err != nil || start > len(found) {
			return nil, sdk.EncodeError(sdk.Fail("plugin.cursor", "分页位置已失效，请从第一页重新开始"))
		}
	}
	limit := int(request.GetLimit())
	if limit <= 0 {
		limit = 20
	}
	end := min(start+limit, len(found))
	if end < len(found) {
		answer.Next = strconv.Itoa(end)
	}
	for _, row := range found[start:end] {
		encoded, err := json.Marshal(row)
		if err != nil {
			return nil, sdk.EncodeError(err)
		}
		answer.Rows = append(answer.Rows, encoded)
	}
	return answer, nil
}

func order(rows []cells, sort string) {
	if sort == "" {
		sort = "-id"
	}
	column, descending := strings.CutPrefix(sort, "-")
	slices.SortStableFunc(rows, func(x, y cells) int {
		by := cmp.Or(compare(x[column], y[column]), cmp.Compare(x.number("id"), y.number("id")))
		if descending {
			return -by
		}
		return by
	})
}

// compare orders two cells: numbers by value, everything else by text.
func compare(x, y json.RawMessage) int {
	a, errA := strconv.ParseInt(strings.Trim(string(x), `"`), 10, 64)
	b, errB := strconv.ParseInt(strings.Trim(string(y), `"`), 10, 64)
	if errA == nil && errB == nil {
		return cmp.Compare(a, b)
	}
	return bytes.Compare(x, y)
}

func holds(row cells, w *pluginpb.Where) bool {
	cell := row[w.GetColumn()]
	if w.GetOp() == "in" {
		return slices.ContainsFunc(w.GetValues(), func(v []byte) bool { return compare(cell, v) == 0 })
	}
	if len(w.GetValues()) != 1 {
		return false
	}
	by := compare(cell, w.GetValues()[0])
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
	case "like":
		part := cells{"part": w.GetValues()[0]}.text("part")
		return strings.Contains(strings.ToLower(row.text(w.GetColumn())), strings.ToLower(part))
	default:
		return false
	}
}

// Commit writes all or nothing.
func (h *host) Commit(ctx context.Context, request *pluginpb.CommitRequest) (*pluginpb.CommitResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if ids, seen := h.keys[request.GetIdempotencyKey()]; seen && request.GetIdempotencyKey() != "" {
		return &pluginpb.CommitResponse{Ids: ids, Repeated: true}, nil
	}
	before := map[string]*memory{}
	for name, m := range h.tables {
		before[name] = m.clone()
	}
	var ids []int64
	for _, op := range request.GetOps() {
		id, err := h.apply(a, op)
		if err != nil {
			h.tables = before
			return nil, sdk.EncodeError(err)
		}
		ids = append(ids, id)
	}
	if request.GetIdempotencyKey() != "" {
		h.keys[request.GetIdempotencyKey()] = ids
	}
	for _, event := range request.GetEvents() {
		h.last++
		h.events = append(h.events, sdk.Event{
			ID: h.last, Type: h.plugin.GetId() + "." + event.GetType(), Source: "plugin:" + h.plugin.GetId(), Component: event.GetComponent(),
			AppID: event.GetAppid(), SpaceID: cmp.Or(event.GetSpaceId(), a.actor.SpaceID, a.space), Subject: event.GetSubject(),
			At: h.clock.UnixMilli(), Data: json.RawMessage(event.GetData()),
		})
	}
	return &pluginpb.CommitResponse{Ids: ids}, nil
}

func (h *host) apply(a authority, op *pluginpb.Op) (int64, error) {
	m := h.tables[op.GetCollection()]
	if m == nil {
		return 0, fmt.Errorf("sdktest: no collection %q", op.GetCollection())
	}
	row := cells{}
	if len(op.GetRow()) > 0 {
		if err := json.Unmarshal(op.GetRow(), &row); err != nil {
			return 0, fmt.Errorf("sdktest: row of %s: %w", op.GetCollection(), err)
		}
	}
	now := json.RawMessage(strconv.FormatInt(h.clock.UnixMilli(), 10))
	if op.GetKind() == "insert" {
		h.last++
		row["id"], row["version"] = json.RawMessage(strconv.FormatInt(h.last, 10)), json.RawMessage("1")
		row["space_id"] = json.RawMessage(strconv.FormatInt(cmp.Or(a.actor.SpaceID, a.space), 10))
		row["created_at"], row["updated_at"] = now, now
		if !h.visible(a, m, row, true) {
			return 0, sdk.Forbidden("plugin.not_yours", "没有权限写入这条数据，请联系小程序主体授权")
		}
		m.rows = append(m.rows, row)
		return h.last, m.check(row)
	}
	at := slices.IndexFunc(m.rows, func(r cells) bool { return r.number("id") == op.GetId() && h.visible(a, m, r, true) })
	if at < 0 {
		return 0, sdk.ErrNotFound
	}
	target := m.rows[at]
	if op.GetIfVersion() != 0 && target.number("version") != op.GetIfVersion() {
		return 0, sdk.ErrAborted
	}
	if op.GetKind() == "delete" {
		m.rows = slices.Delete(m.rows, at, at+1)
		return op.GetId(), nil
	}
	for name, cell := range row {
		if v := m.declared.GetVisibility(); name == "space_id" || name == v.GetOther() || v.GetKind() != "public" && name == v.GetColumn() {
			return 0, fmt.Errorf("sdktest: column %s of %s decides who sees the row and cannot change", name, op.GetCollection())
		}
		target[name] = cell
	}
	target["version"], target["updated_at"] = json.RawMessage(strconv.FormatInt(target.number("version")+1, 10)), now
	return op.GetId(), m.check(target)
}

// check holds a row to the declared columns and unique indexes.
func (m *memory) check(row cells) error {
	for _, column := range m.declared.GetColumns() {
		text := row.text(column.GetName())
		size := int(column.GetSize())
		if size == 0 {
			size = 255
		}
		switch {
		case column.GetType() != "text":
		case column.GetRequired() && text == "":
			return sdk.Fail("invalid_input", "请检查填写的内容").On(column.GetName(), "必填")
		case len([]rune(text)) > size:
			return sdk.Fail("invalid_input", "请检查填写的内容").On(column.GetName(), fmt.Sprintf("最多 %d 个字", size))
		}
	}
	for _, index := range m.declared.GetIndexes() {
		if !index.GetUnique() {
			continue
		}
		for _, other := range m.rows {
			same := other.number("id") != row.number("id")
			for _, name := range index.GetColumns() {
				same = same && bytes.Equal(other[name], row[name])
			}
			if same {
				return sdk.ErrConflict
			}
		}
	}
	return nil
}
