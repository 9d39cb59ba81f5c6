package plugin

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// aggregateRequest is the input of core.aggregate: count the rows one may see by the values of a column.
type aggregateRequest struct {
	Collection string           `json:"collection"`
	By         string           `json:"by"`
	Where      []aggregateWhere `json:"where"`
	Limit      int              `json:"limit"` // groups, 1…200, default 20
}

type aggregateWhere struct {
	Column string            `json:"column"`
	Op     string            `json:"op"`
	Values []json.RawMessage `json:"values"`
}

type aggregateGroup struct {
	Value json.RawMessage `json:"value"`
	Count int64           `json:"count"`
}

// aggregated is the answer: the largest groups first. Partial says that there are more rows than were counted.
type aggregated struct {
	Groups  []aggregateGroup `json:"groups"`
	Others  int64            `json:"others"` // rows in groups beyond the limit
	Partial bool             `json:"partial"`
}

// aggregate counts at most countUpTo rows, so that it costs the same on any table.
func (d data) aggregate(ctx context.Context, a authority, c *collection, request aggregateRequest) (aggregated, error) {
	out := aggregated{Groups: []aggregateGroup{}}
	column := c.byName[request.By]
	if column == nil || column.GetType() == "json" || column.GetType() == "longtext" {
		return out, mistake("no column %q to count %s by", request.By, c.name)
	}
	where := visible(a, c, d.apps, false)
	for _, w := range request.Where {
		wired := &pluginpb.Where{Column: w.Column, Op: w.Op}
		for _, v := range w.Values {
			wired.Values = append(wired.Values, v)
		}
		wanted, err := c.condition(wired)
		if err != nil {
			return out, err
		}
		where = where.and(wanted)
	}
	name := "`" + column.GetName() + "`"
	query := "SELECT " + name + ",COUNT(*) FROM (SELECT " + name + " FROM `" + c.table + "` WHERE " + where.sql + " LIMIT " + strconv.Itoa(countUpTo+1) + ") counted GROUP BY " + name
	rows, err := d.db.Query(ctx, query, where.args...)
	if err != nil {
		return out, fmt.Errorf("aggregate %s: %w", c.table, err)
	}
	defer func() { _ = rows.Close() }() // Err below reports what matters
	var total int64
	for rows.Next() {
		g, err := scanGroup(rows, column)
		if err != nil {
			return out, fmt.Errorf("aggregate %s: %w", c.table, err)
		}
		total += g.Count
		out.Groups = append(out.Groups, g)
	}
	if err := rows.Err(); err != nil {
		return out, fmt.Errorf("aggregate %s: %w", c.table, err)
	}
	out.Partial = total > countUpTo
	slices.SortStableFunc(out.Groups, func(x, y aggregateGroup) int { return int(y.Count - x.Count) })
	limit := request.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	if limit = min(limit, maxLimit); len(out.Groups) > limit {
		for _, g := range out.Groups[limit:] {
			out.Others += g.Count
		}
		out.Groups = out.Groups[:limit]
	}
	return out, nil
}

func scanGroup(rows store.Rows, column *Column) (g aggregateGroup, err error) {
	if column.GetType() == "text" {
		var text sql.NullString
		err = rows.Scan(&text, &g.Count)
		g.Value = jsonText(text.String)
		return g, err
	}
	var number sql.NullInt64
	err = rows.Scan(&number, &g.Count)
	g.Value = strconv.AppendInt(nil, number.Int64, 10)
	if column.GetType() == "bool" {
		g.Value = strconv.AppendBool(nil, number.Int64 != 0)
	}
	return g, err
}

// aggregateOwn runs core.aggregate for a plugin, on its own collections only.
func (h *Host) aggregateOwn(ctx context.Context, a authority, plugin string, request aggregateRequest) (aggregated, error) {
	info := h.unit(plugin).known()
	if info == nil {
		return aggregated{}, unavailable(plugin)
	}
	c := info.collections[request.Collection]
	if c == nil {
		return aggregated{}, mistake("no collection %q", request.Collection)
	}
	return h.committer.aggregate(ctx, a, c, request)
}

// Offering lists the plugins that declared the operation, serving or not, in the order of the catalog.
func (h *Host) Offering(operation string) []Status {
	var out []Status
	for _, u := range h.roster.list() {
		if info := u.known(); info == nil || info.operations[operation] {
			out = append(out, u.status())
		}
	}
	return out
}

// Ask runs a plugin's operation for a person, as a read in the back office. Its answer is JSON. A plugin that is down
// answers a fault of kind Unavailable at once.
func (h *Host) Ask(ctx context.Context, actor account.Actor, plugin, operation string, input []byte) ([]byte, error) {
	if actor.Nobody() {
		return nil, fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	a := authority{kind: byPerson, actor: actor, frame: FrameAdmin, prefix: "/admin/p/" + plugin, requestID: trail.RequestID(ctx)}
	return h.operate(ctx, a, "core", plugin, operation, input)
}
