package plugin

import (
	"context"
	"encoding/json"
	"fmt"

	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/plugins/sdk/pluginpb"
)

// view answers the read-only core views of Find.
func (h *Host) view(ctx context.Context, a authority, name string, request *pluginpb.FindRequest) (found, error) {
	switch name {
	case "miniprograms":
		return h.viewMiniPrograms(ctx, a, request)
	case "grants":
		return h.viewGrants(ctx, a, request)
	case "components":
		if !a.system() && a.actor.Nobody() {
			return found{total: -1}, nil
		}
		components, err := h.options.Components.List(ctx, a.actor, a.kind == byJob || a.kind == byEvent)
		if a.kind == byEvent {
			components = keep(components, func(c Component) bool { return c.AppID == a.component })
		}
		return rowsOf(components, "", err)
	case "spaces":
		ids, err := values[int64](request, "id")
		if err != nil {
			return found{}, err
		}
		spaces, err := h.options.Spaces.Named(ctx, ids)
		return rowsOf(spaces, "", err)
	default:
		return found{}, mistake("no view core.%s", name)
	}
}

func (h *Host) viewMiniPrograms(ctx context.Context, a authority, request *pluginpb.FindRequest) (found, error) {
	query := MiniProgramQuery{
		Actor: a.actor, System: a.unbounded(), Search: request.GetSearch(), Limit: int(request.GetLimit()), Cursor: request.GetCursor(),
	}
	if query.Limit <= 0 {
		query.Limit = defaultLimit
	}
	query.Limit = min(query.Limit, maxLimit)
	for _, condition := range request.GetWhere() {
		if err := addCondition(&query, condition); err != nil {
			return found{}, err
		}
	}
	switch {
	case !a.system() && a.actor.Nobody():
		return found{total: -1}, nil
	case a.kind == byEvent || (a.kind == byDelegation || a.kind == bySpace) && a.appid != "":
		if query.AppIDs != nil {
			query.AppIDs = keep(query.AppIDs, func(appid string) bool { return appid == a.appid })
		} else {
			query.AppIDs = []string{a.appid}
		}
	}
	if query.AppIDs != nil && len(keep(query.AppIDs, func(appid string) bool { return appid != "" })) == 0 {
		return found{total: -1}, nil
	}
	apps, next, err := h.options.MiniPrograms.List(ctx, query)
	for _, app := range apps {
		for i := range app.Components {
			app.Components[i].State = bindingState(app.Components[i].State)
		}
	}
	return rowsOf(apps, next, err)
}

// bindingState gives the plugins' word for an authorisation's state, which is part of the wire and does not follow the
// core's own words.
func bindingState(state string) string {
	if state == miniprogram.Active || state == "authorized" {
		return "authorized"
	}
	return "unauthorized"
}

func addCondition(query *MiniProgramQuery, condition *pluginpb.Where) error {
	single := &pluginpb.FindRequest{Where: []*pluginpb.Where{condition}}
	if condition.GetOp() != "eq" && condition.GetOp() != "in" {
		return mistake("core.miniprograms: comparison %q", condition.GetOp())
	}
	switch condition.GetColumn() {
	case "appid":
		appids, err := values[string](single, "appid")
		query.AppIDs = append([]string{}, appids...)
		return err
	case "component":
		components, err := values[string](single, "component")
		if err == nil && len(components) == 1 {
			query.Component = components[0]
		}
		return err
	case "owner_space":
		owners, err := values[int64](single, "owner_space")
		if err == nil && len(owners) == 1 {
			query.Owner = owners[0]
		}
		return err
	default:
		return mistake("core.miniprograms: no condition on %q", condition.GetColumn())
	}
}

func (h *Host) viewGrants(ctx context.Context, a authority, request *pluginpb.FindRequest) (found, error) {
	appids, err := values[string](request, "appid")
	if err != nil {
		return found{}, err
	}
	if len(appids) != 1 {
		return found{}, mistake("core.grants needs one appid")
	}
	if (a.appid != "" || a.kind == byEvent) && appids[0] != a.appid { // an event about no mini program sees none
		return found{}, fault.New(fault.NotFound, "plugin.row", "没有找到这个小程序")
	}
	if !a.system() && a.actor.Nobody() {
		return found{total: -1}, nil
	}
	grants, err := h.options.Grants.List(ctx, a.actor, a.unbounded(), appids[0])
	return rowsOf(grants, "", err)
}

// values gives the values of the one condition on a column; nil when there is none.
func values[T any](request *pluginpb.FindRequest, column string) ([]T, error) {
	for _, condition := range request.GetWhere() {
		if condition.GetColumn() != column {
			continue
		}
		if len(condition.GetValues()) > maxIn {
			return nil, mistake("more than %d values for %s", maxIn, column)
		}
		wanted := make([]T, len(condition.GetValues()))
		for i, raw := range condition.GetValues() {
			if err := json.Unmarshal(raw, &wanted[i]); err != nil {
				return nil, mistake("value for %s: %v", column, err)
			}
		}
		return wanted, nil
	}
	return nil, nil
}

func keep[T any](list []T, wanted func(T) bool) []T {
	kept := list[:0:0]
	for _, item := range list {
		if wanted(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

func rowsOf[T any](list []T, next string, err error) (found, error) {
	page := found{next: next, total: -1}
	if err != nil {
		return page, err
	}
	for _, item := range list {
		row, err := json.Marshal(item)
		if err != nil {
			return page, fmt.Errorf("encode %T: %w", item, err)
		}
		page.rows = append(page.rows, row)
	}
	return page, nil
}
