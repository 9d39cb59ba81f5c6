package sdktest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// Commit writes all or nothing.
func (h *host) Commit(ctx context.Context, request *pluginpb.CommitRequest) (*pluginpb.CommitResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	answer, err := h.commit(a, request)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	return answer, nil
}

func (h *host) commit(a authority, request *pluginpb.CommitRequest) (*pluginpb.CommitResponse, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := request.GetIdempotencyKey()
	if key != "" && !h.options.House {
		key = fmt.Sprint(a.home(), "/", key) // each space has keys of its own
	}
	switch {
	case len(request.GetOps()) > 500 || len(request.GetEvents()) > 100 || len(request.GetIdempotencyKey()) > 120:
		return nil, refused("%d ops, %d events, key of %d bytes", len(request.GetOps()), len(request.GetEvents()), len(key))
	case (a.kind == byPerson || a.kind == byDelegation) && a.nobody():
		return nil, needsLogin()
	}
	if a.hops > sdk.MaxHops && len(request.GetEvents()) > 0 {
		return nil, sdk.Conflict("plugin.event_depth", fmt.Sprintf("插件之间的事件互相触发超过 %d 层，已停止发布。请检查事件处理是否又触发了它自己", sdk.MaxHops))
	}
	if err := h.mayPublish(a, request.GetEvents()); err != nil {
		return nil, err
	}
	if ids, seen := h.keys[key]; seen && key != "" {
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
			return nil, err
		}
		ids = append(ids, id)
	}
	if err := h.withinQuota(before); err != nil {
		h.tables = before
		return nil, err
	}
	if key != "" {
		h.keys[key] = ids
	}
	for _, event := range request.GetEvents() {
		h.last++
		h.hops[h.last] = a.hops
		h.events = append(h.events, sdk.Event{
			ID: h.last, Type: h.plugin.GetId() + "." + event.GetType(), Source: "plugin:" + h.plugin.GetId(), Component: event.GetComponent(),
			AppID: event.GetAppid(), SpaceID: cmp.Or(event.GetSpaceId(), a.actor.SpaceID, a.space), Subject: event.GetSubject(),
			At: h.clock.UnixMilli(), Data: json.RawMessage(event.GetData()),
		})
	}
	return &pluginpb.CommitResponse{Ids: ids}, nil
}

// mayPublish refuses an event of a mini program that the call may not see.
func (h *host) mayPublish(a authority, events []*pluginpb.NewEvent) error {
	for _, event := range events {
		appid := event.GetAppid()
		if event.GetType() == "" || len(event.GetData()) > 1<<20 || !json.Valid(event.GetData()) {
			return refused("event %q with %d bytes of data", event.GetType(), len(event.GetData()))
		}
		if !h.mayName(a, event) {
			return sdk.Forbidden("plugin.not_yours", "没有这个第三方平台的权限，不能发布它的事件")
		}
		limited := (a.kind == byDelegation || a.kind == bySpace) && a.appid != "" && a.appid != appid
		if appid == "" || a.kind == byJob || a.kind == byEvent && appid == a.appid {
			continue
		}
		if a.kind == byEvent || limited || !h.may(a.actor.SpaceID, appid, "data.read") {
			return sdk.Forbidden("plugin.not_yours", "没有这个小程序的权限，不能发布它的事件")
		}
	}
	return nil
}

// mayName refuses an event under a platform app that it has nothing to do with. Call with mu held.
func (h *world) mayName(a authority, event *pluginpb.NewEvent) bool {
	component, appid := event.GetComponent(), event.GetAppid()
	if component == "" || a.kind == byJob || a.kind == byEvent && component == a.component && (appid == "" || appid == a.appid) {
		return true
	}
	bound := func(app sdk.MiniProgramInfo) bool {
		return slices.ContainsFunc(app.Components, func(b sdk.MiniProgramBinding) bool { return b.Component == component })
	}
	if appid != "" {
		return slices.ContainsFunc(h.options.MiniPrograms, func(app sdk.MiniProgramInfo) bool { return app.AppID == appid && bound(app) })
	}
	if a.kind == byEvent {
		return false
	}
	own := slices.ContainsFunc(h.options.Components, func(c sdk.ComponentInfo) bool { return c.AppID == component && c.Space == a.actor.SpaceID })
	return own || slices.ContainsFunc(h.options.MiniPrograms, func(app sdk.MiniProgramInfo) bool { return h.sees(a.actor.SpaceID, app) && bound(app) })
}

func (h *host) apply(a authority, op *pluginpb.Op) (int64, error) {
	m := h.tables[op.GetCollection()]
	if m == nil {
		return 0, refused("no collection %q", op.GetCollection())
	}
	row := cells{}
	if len(op.GetRow()) > 0 {
		if err := json.Unmarshal(op.GetRow(), &row); err != nil {
			return 0, refused("row of %s: %v", op.GetCollection(), err)
		}
	}
	if err := m.mayChange(op.GetKind(), row); err != nil {
		return 0, err
	}
	if op.GetKind() == "insert" {
		return h.insert(a, m, row)
	}
	at := slices.IndexFunc(m.rows, func(r cells) bool { return r.number("id") == op.GetId() && h.visible(a, m, r, true) })
	if at < 0 {
		return 0, sdk.NotFound("plugin.row", "没有找到这条数据，可能已被删除")
	}
	target := m.rows[at]
	if op.GetIfVersion() != 0 && target.number("version") != op.GetIfVersion() {
		return 0, (&sdk.Error{Kind: sdk.KindAborted, Code: "plugin.aborted", Message: "数据刚刚被别人修改，请刷新后重试"})
	}
	switch op.GetKind() {
	case "delete":
		m.rows = slices.Delete(m.rows, at, at+1)
		return op.GetId(), nil
	case "update":
		for name, raw := range row {
			held, err := cell(m.columns[name], raw)
			if err != nil {
				return 0, err
			}
			target[name] = held
		}
	case "increment":
		if err := increase(target, row, op.GetBounds()); err != nil {
			return 0, err
		}
	default:
		return 0, refused("unknown op %q", op.GetKind())
	}
	target.set("version", target.number("version")+1)
	target.set("updated_at", h.clock.UnixMilli())
	return op.GetId(), m.unique(target)
}

// mayChange refuses columns that are not there, that the host sets, or that decide who sees the row.
func (m *memory) mayChange(kind string, row cells) error {
	for name := range row {
		if m.kind(name) == "" || slices.Contains([]string{"id", "version", "space_id", "created_at", "updated_at"}, name) {
			return refused("no column %q to %s in %s", name, kind, m.declared.GetName())
		}
		if kind != "insert" && slices.Contains(m.declared.GetVisibility().Bound(), name) {
			return refused("column %s of %s decides who sees the row and cannot change", name, m.declared.GetName())
		}
		if kind == "increment" && m.kind(name) != "int" {
			return refused("column %s of %s is no int to add to", name, m.declared.GetName())
		}
	}
	if kind == "increment" && len(row) == 0 {
		return refused("an increment of %s adds to nothing", m.declared.GetName())
	}
	return nil
}

func (h *host) insert(a authority, m *memory, given cells) (int64, error) {
	h.last++
	row := cells{}
	row.set("id", h.last)
	row.set("version", 1)
	row.set("space_id", cmp.Or(a.actor.SpaceID, a.space))
	row.set("created_at", h.clock.UnixMilli())
	row.set("updated_at", h.clock.UnixMilli())
	for _, column := range m.declared.GetColumns() {
		held, err := cell(column, given[column.GetName()])
		if err != nil {
			return 0, err
		}
		row[column.GetName()] = held
	}
	if err := m.unique(row); err != nil {
		return 0, err
	}
	if !h.visible(a, m, row, true) {
		return 0, sdk.Forbidden("plugin.not_yours", "没有权限写入这条数据，请联系小程序主体授权")
	}
	m.rows = append(m.rows, row)
	return h.last, nil
}

// increase adds to columns within the bounds, all of them or none.
func increase(target, row cells, bounds []*pluginpb.Bound) error {
	for name := range row {
		low, high := int64(math.MinInt64), int64(math.MaxInt64)
		for _, bound := range bounds {
			if bound.GetColumn() == name && bound.Min != nil {
				low = max(low, bound.GetMin())
			}
			if bound.GetColumn() == name && bound.Max != nil {
				high = min(high, bound.GetMax())
			}
		}
		held, add := target.number(name), row.number(name)
		sum := held + add
		if overflow := (sum > held) != (add > 0) && add != 0; overflow || sum < low || sum > high {
			return sdk.Conflict(sdk.CodeBounds, "数值会超出允许的范围，没有修改")
		}
		target.set(name, sum)
	}
	return nil
}

// unique holds a row to the unique indexes.
func (m *memory) unique(row cells) error {
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
				return sdk.Conflict("plugin.duplicate", "相同的数据已经存在")
			}
		}
	}
	return nil
}

// withinQuota refuses a commit after which a space keeps more than it may, unless it has become less.
func (h *host) withinQuota(before map[string]*memory) error {
	rows, bytes := h.kept(h.tables)
	rowsBefore, bytesBefore := h.kept(before)
	for space := range rows {
		if most := h.options.RowsPerSpace; most > 0 && rows[space] > most && rows[space] > rowsBefore[space] {
			return quotaFault("条数")
		}
		if most := h.options.BytesPerSpace; most > 0 && bytes[space] > most && bytes[space] > bytesBefore[space] {
			return quotaFault("容量")
		}
	}
	return nil
}

func quotaFault(what string) error {
	return sdk.Fail(sdk.CodeQuota, "这个空间在该插件中保存的数据"+what+"已达上限，请先删除不需要的数据，或联系平台管理员提高上限").OfKind(sdk.KindTooMany)
}

func (h *host) kept(tables map[string]*memory) (rows, bytes map[int64]int64) {
	rows, bytes = map[int64]int64{}, map[int64]int64{}
	for _, m := range tables {
		for _, row := range m.rows {
			rows[row.number("space_id")]++
			bytes[row.number("space_id")] += m.size(row)
		}
	}
	return rows, bytes
}
