package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"minifleet/app/clock"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/store"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of a write.
const (
	maxOps      = 500
	maxEvents   = 100
	maxIdemKey  = 120
	maxEventRaw = 1 << 20
)

// committer writes: rows, events and the idempotency key in one transaction.
type committer struct {
	data
	clock      clock.Clock
	events     Events
	components Components
}

type committed struct {
	ids      []int64
	repeated bool
}

// commit carries a plugin's request out, wholly or not at all.
func (c committer) commit(ctx context.Context, plugin string, a authority, known map[string]*collection, request *pluginpb.CommitRequest) (committed, error) {
	var done committed
	switch {
	case len(request.GetOps()) > maxOps || len(request.GetEvents()) > maxEvents:
		return done, mistake("%d ops and %d events in one commit", len(request.GetOps()), len(request.GetEvents()))
	case len(request.GetIdempotencyKey()) > maxIdemKey:
		return done, mistake("idempotency key of %d bytes", len(request.GetIdempotencyKey()))
	case a.kind != byEvent && a.kind != byJob && a.actor.Nobody():
		return done, fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	if err := c.mayPublish(ctx, a, request.GetEvents()); err != nil {
		return done, err
	}
	records, err := c.records(plugin, a, request.GetEvents())
	if err != nil {
		return done, err
	}
	err = c.db.Tx(ctx, func(ctx context.Context) error {
		done = committed{}
		if key := request.GetIdempotencyKey(); key != "" {
			ids, repeated, err := c.claim(ctx, plugin, key)
			if err != nil || repeated {
				done = committed{ids, repeated}
				return err
			}
		}
		for _, op := range request.GetOps() {
			id, err := c.apply(ctx, a, known, op)
			if err != nil {
				return err
			}
			done.ids = append(done.ids, id)
		}
		if key := request.GetIdempotencyKey(); key != "" {
			if err := c.remember(ctx, plugin, key, done.ids); err != nil {
				return err
			}
		}
		if len(records) == 0 {
			return nil
		}
		return c.events.AppendTx(ctx, records)
	})
	if err != nil {
		return committed{}, err
	}
	if len(records) > 0 && !done.repeated {
		c.events.Wake()
	}
	return done, nil
}

// claim takes the key. The insert waits for a transaction that holds the same key, so exactly one caller writes.
func (c committer) claim(ctx context.Context, plugin, key string) (ids []int64, repeated bool, err error) {
	added, err := c.db.InsertIgnore(ctx, "plugin_commit", map[string]any{
		"plugin": plugin, "idem_key": key, "ids": "[]", "created_at": time.Now().UnixMilli(),
	})
	if err != nil || added {
		return nil, false, err
	}
	var row struct{ Ids string }
	if _, err := c.db.One(ctx, &row, "SELECT ids FROM plugin_commit WHERE plugin=? AND idem_key=?", plugin, key); err != nil {
		return nil, false, err
	}
	if err := json.Unmarshal([]byte(row.Ids), &ids); err != nil {
		return nil, false, fmt.Errorf("read ids of commit %s/%s: %w", plugin, key, err)
	}
	return ids, true, nil
}

func (c committer) remember(ctx context.Context, plugin, key string, ids []int64) error {
	encoded, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("note ids of commit %s/%s: %w", plugin, key, err)
	}
	_, err = c.db.Exec(ctx, "UPDATE plugin_commit SET ids=? WHERE plugin=? AND idem_key=?", string(encoded), plugin, key)
	return err
}

func (c committer) apply(ctx context.Context, a authority, known map[string]*collection, op *pluginpb.Op) (int64, error) {
	target := known[op.GetCollection()]
	if target == nil {
		return 0, mistake("no collection %q", op.GetCollection())
	}
	var cells map[string]json.RawMessage
	if len(op.GetRow()) > 0 {
		if err := json.Unmarshal(op.GetRow(), &cells); err != nil {
			return 0, mistake("row of %s: %v", target.name, err)
		}
	}
	switch op.GetKind() {
	case "insert":
		return c.insert(ctx, a, target, cells)
	case "update":
		return op.GetId(), c.update(ctx, a, target, op, cells)
	case "delete":
		return op.GetId(), c.remove(ctx, a, target, op)
	default:
		return 0, mistake("unknown op %q", op.GetKind())
	}
}

func (c committer) insert(ctx context.Context, a authority, target *collection, cells map[string]json.RawMessage) (int64, error) {
	now := c.clock.Now().UnixMilli()
	id := c.db.NewID()
	row := map[string]any{"id": id, "version": int64(1), "space_id": a.actor.SpaceID, "created_at": now, "updated_at": now}
	if a.kind == byEvent {
		row["space_id"] = a.space
	}
	for name := range cells {
		if !target.has(name) || slices.Contains(baseNames, name) {
			return 0, mistake("no column %q to insert in %s", name, target.name)
		}
	}
	for _, column := range target.columns[len(baseColumns):] {
		converted, err := value(column, cells[column.GetName()])
		if err != nil {
			return 0, err
		}
		row[column.GetName()] = converted
	}
	if err := c.db.Insert(ctx, target.table, row); err != nil {
		return 0, taken(target, err)
	}
	return id, c.mayWrite(ctx, a, target, id)
}

// mayWrite looks whether the row that was just written is one the authority may write; if not, the transaction rolls
// back and nobody has seen it.
func (c committer) mayWrite(ctx context.Context, a authority, target *collection, id int64) error {
	own := visible(a, target, c.apps, true).and(equals("id", id))
	count, err := c.db.Int(ctx, "SELECT COUNT(*) FROM `"+target.table+"` WHERE "+own.sql, own.args...)
	if err != nil {
		return fmt.Errorf("check row of %s: %w", target.table, err)
	}
	if count == 0 {
		return fault.New(fault.Forbidden, "plugin.not_yours", "没有权限写入这条数据，请联系小程序主体授权")
	}
	return nil
}

func (c committer) update(ctx context.Context, a authority, target *collection, op *pluginpb.Op, cells map[string]json.RawMessage) error {
	names := make([]string, 0, len(cells))
	for name := range cells {
		if !target.has(name) || slices.Contains(baseNames, name) {
			return mistake("no column %q to update in %s", name, target.name)
		}
		if slices.Contains(target.boundColumns(), name) {
			return mistake("column %s of %s decides who sees the row and cannot change", name, target.name)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	var sets strings.Builder
	var args []any
	for _, name := range names {
		converted, err := value(target.byName[name], cells[name])
		if err != nil {
			return err
		}
		sets.WriteString("`" + name + "`=?,")
		args = append(args, converted)
	}
	where := c.target(a, target, op)
	query := "UPDATE `" + target.table + "` SET " + sets.String() + "`version`=`version`+1,`updated_at`=? WHERE " + where.sql
	args = append(append(args, c.clock.Now().UnixMilli()), where.args...)
	changed, err := c.db.Exec(ctx, query, args...)
	if err != nil {
		return taken(target, err)
	}
	if changed == 0 {
		return c.whyUntouched(ctx, a, target, op)
	}
	return nil
}

func (c committer) remove(ctx context.Context, a authority, target *collection, op *pluginpb.Op) error {
	where := c.target(a, target, op)
	changed, err := c.db.Exec(ctx, "DELETE FROM `"+target.table+"` WHERE "+where.sql, where.args...)
	if err != nil {
		return fmt.Errorf("delete from %s: %w", target.table, err)
	}
	if changed == 0 {
		return c.whyUntouched(ctx, a, target, op)
	}
	return nil
}

// target is the row of an op, at the wanted version, if the authority may write it.
func (c committer) target(a authority, target *collection, op *pluginpb.Op) predicate {
	where := equals("id", op.GetId()).and(visible(a, target, c.apps, true))
	if op.GetIfVersion() != 0 {
		where = where.and(equals("version", op.GetIfVersion()))
	}
	return where
}

// whyUntouched tells an outdated version from a row that is not there for this authority.
func (c committer) whyUntouched(ctx context.Context, a authority, target *collection, op *pluginpb.Op) error {
	own := equals("id", op.GetId()).and(visible(a, target, c.apps, true))
	count, err := c.db.Int(ctx, "SELECT COUNT(*) FROM `"+target.table+"` WHERE "+own.sql, own.args...)
	if err != nil {
		return fmt.Errorf("look for row of %s: %w", target.table, err)
	}
	if count == 0 {
		return fault.New(fault.NotFound, "plugin.row", "没有找到这条数据，可能已被删除")
	}
	return fault.New(fault.Conflict, codeAborted, "数据刚刚被别人修改，请刷新后重试")
}

func taken(target *collection, err error) error {
	if store.Duplicate(err) {
		return fault.New(fault.Conflict, "plugin.duplicate", "相同的数据已经存在").Because(err)
	}
	return fmt.Errorf("write %s: %w", target.table, err)
}

// mayPublish refuses an event about a mini program that this call may not see: whoever receives the event reads that mini
// program under an event token, so it would lend a right that the caller has not.
func (c committer) mayPublish(ctx context.Context, a authority, events []*pluginpb.NewEvent) error {
	for _, published := range events {
		if err := c.mayName(ctx, a, published); err != nil {
			return err
		}
		appid := published.GetAppid()
		if appid == "" || a.kind == byJob || a.kind == byEvent && appid == a.appid {
			continue
		}
		may := false
		if a.kind == byPerson || (a.kind == byDelegation || a.kind == bySpace) && (a.appid == "" || a.appid == appid) {
			var err error
			if may, err = c.apps.May(ctx, a.actor.SpaceID, appid, grant.DataRead); err != nil {
				return fmt.Errorf("publish %s of %s: %w", published.GetType(), appid, err)
			}
		}
		if !may {
			return fault.New(fault.Forbidden, "plugin.not_yours", "没有这个小程序的权限，不能发布它的事件").
				Because(fmt.Errorf("event %s of %s", published.GetType(), appid))
		}
	}
	return nil
}

// mayName refuses an event under a platform app that it has nothing to do with: the merchant's subscribers and logs would
// take it for theirs. A mini program's event names one that the mini program is authorised to; one of no mini program
// names a platform app of the actor's own, or one through which the actor sees a mini program.
func (c committer) mayName(ctx context.Context, a authority, published *pluginpb.NewEvent) error {
	component, appid := published.GetComponent(), published.GetAppid()
	if component == "" || a.kind == byJob || a.kind == byEvent && component == a.component && (appid == "" || appid == a.appid) {
		return nil
	}
	query := MiniProgramQuery{System: true, AppIDs: []string{appid}, Limit: 1}
	if appid == "" {
		query = MiniProgramQuery{Actor: a.actor, Component: component, Limit: 1}
	}
	items, _, err := c.apps.List(ctx, query)
	if err != nil {
		return fmt.Errorf("publish %s under %s: %w", published.GetType(), component, err)
	}
	acting := a.kind == byPerson || a.kind == byDelegation || a.kind == bySpace
	may := appid == "" && acting && len(items) > 0
	if appid != "" && len(items) > 0 {
		may = slices.ContainsFunc(items[0].Components, func(b Binding) bool { return b.Component == component })
	}
	if !may && appid == "" && acting {
		own, err := c.components.List(ctx, a.actor, false)
		if err != nil {
			return fmt.Errorf("publish %s under %s: %w", published.GetType(), component, err)
		}
		may = slices.ContainsFunc(own, func(one Component) bool { return one.AppID == component })
	}
	if !may {
		return fault.New(fault.Forbidden, "plugin.not_yours", "没有这个第三方平台的权限，不能发布它的事件").
			Because(fmt.Errorf("event %s of component %s", published.GetType(), component))
	}
	return nil
}

// records checks the events of a commit and files them under the plugin's name.
func (c committer) records(plugin string, a authority, events []*pluginpb.NewEvent) ([]event.Record, error) {
	records := make([]event.Record, 0, len(events))
	for _, published := range events {
		if published.GetType() == "" || len(published.GetData()) > maxEventRaw {
			return nil, mistake("event %q with %d bytes of data", published.GetType(), len(published.GetData()))
		}
		if !json.Valid(published.GetData()) {
			return nil, mistake("event %q: data is not JSON", published.GetType())
		}
		space := published.GetSpaceId()
		if space == 0 {
			space = a.actor.SpaceID
		}
		if space == 0 {
			space = a.space
		}
		records = append(records, event.Record{
			Type: plugin + "." + published.GetType(), Source: "plugin:" + plugin, Component: published.GetComponent(),
			AppID: published.GetAppid(), SpaceID: space, Subject: published.GetSubject(),
			CreateTime: c.clock.Now().Unix(), ReceivedAt: c.clock.Now().UnixMilli(), Payload: published.GetData(),
		})
	}
	return records, nil
}

// prune forgets idempotency keys older than before and delegations that ended before it.
func (c committer) prune(ctx context.Context, before time.Time) (int64, error) {
	keys, keysErr := c.db.Exec(ctx, "DELETE FROM plugin_commit WHERE created_at<?", before.UnixMilli())
	rows, rowsErr := c.db.Exec(ctx, "DELETE FROM plugin_delegation WHERE until_at<? OR (ended_at>0 AND ended_at<?)", before.UnixMilli(), before.UnixMilli())
	if err := errors.Join(keysErr, rowsErr); err != nil {
		return 0, fmt.Errorf("prune plugin data: %w", err)
	}
	return keys + rows, nil
}
