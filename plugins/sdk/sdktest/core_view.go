package sdktest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// view plays the core views. Call with mu held.
func (h *host) view(a authority, name string, request *pluginpb.FindRequest) ([][]byte, error) {
	switch name {
	case "miniprograms":
		return h.miniPrograms(a, request)
	case "components":
		return encode(keep(h.options.Components, func(c sdk.ComponentInfo) bool {
			return a.kind == byJob || a.kind == byEvent && c.AppID == a.component || a.kind != byEvent && c.Space != 0 && c.Space == a.actor.SpaceID
		}))
	case "spaces":
		return encode(keep(h.options.Spaces, func(s sdk.SpaceInfo) bool { return asks(request, "id") && listed(request, "id", fmt.Sprint(s.ID)) }))
	case "grants":
		return h.grants(a, request)
	default:
		return nil, refused("no view core.%s", name)
	}
}

// sees tells whether a space owns the mini program or holds a grant on it. Call with mu held.
func (h *world) sees(space int64, app sdk.MiniProgramInfo) bool {
	return space != 0 && (app.OwnerSpace == space || len(h.rights[app.AppID][space]) > 0)
}

func (h *host) miniPrograms(a authority, request *pluginpb.FindRequest) ([][]byte, error) {
	for _, w := range request.GetWhere() {
		if !slices.Contains([]string{"appid", "component", "owner_space"}, w.GetColumn()) || w.GetOp() != "eq" && w.GetOp() != "in" {
			return nil, refused("core.miniprograms: no condition %s %q", w.GetOp(), w.GetColumn())
		}
	}
	var seen []sdk.MiniProgramInfo
	for _, app := range h.options.MiniPrograms {
		visible := a.kind == byJob || a.kind == byEvent || h.sees(a.actor.SpaceID, app)
		if a.kind == byEvent || a.appid != "" {
			visible = visible && app.AppID == a.appid
		}
		inComponent := slices.ContainsFunc(app.Components, func(b sdk.MiniProgramBinding) bool { return listed(request, "component", b.Component) })
		if !visible || !listed(request, "appid", app.AppID) || !listed(request, "owner_space", fmt.Sprint(app.OwnerSpace)) ||
			asks(request, "component") && !inComponent || !strings.Contains(app.NickName+app.AppID+app.Principal, request.GetSearch()) {
			continue
		}
		if app.OwnerSpace == 0 || app.OwnerSpace != a.actor.SpaceID {
			app.Scopes = h.rights[app.AppID][a.actor.SpaceID]
		}
		seen = append(seen, app)
	}
	return encode(seen)
}

// grants shows all on one mini program to its owner, to operators and to the system, and their own to others.
func (h *host) grants(a authority, request *pluginpb.FindRequest) ([][]byte, error) {
	appid, one := "", false
	for _, w := range request.GetWhere() {
		if w.GetColumn() == "appid" && len(w.GetValues()) == 1 {
			appid, one = cells{"": w.GetValues()[0]}.text(""), true
		}
	}
	if !one {
		return nil, refused("core.grants needs one appid")
	}
	if (a.appid != "" || a.kind == byEvent) && appid != a.appid {
		return nil, sdk.NotFound("plugin.row", "没有找到这个小程序")
	}
	all := a.kind == byJob || a.kind == byEvent || a.actor.SpaceKind == "platform" || h.owns(a.actor.SpaceID, appid)
	var found []sdk.Grant
	for space, scopes := range h.rights[appid] {
		if len(scopes) == 0 || !all && space != a.actor.SpaceID {
			continue
		}
		given := sdk.Grant{ID: space, AppID: appid, Space: space, Scopes: scopes, State: "active"}
		for id, made := range h.granted {
			if made.AppID == appid && made.Space == space {
				given.ID, given.Until, given.Source = id, made.Until, made.Source
			}
		}
		found = append(found, given)
	}
	slices.SortFunc(found, func(x, y sdk.Grant) int { return cmp.Compare(y.ID, x.ID) })
	return encode(found)
}

// concerned are the spaces that an event is about, each once: its own, the owner of its mini program and those that may read
// it, or the merchant of its platform app. Call with mu held.
func (h *world) concerned(event sdk.Event) []int64 {
	var spaces []int64
	add := func(space int64) {
		if space != 0 && !slices.Contains(spaces, space) {
			spaces = append(spaces, space)
		}
	}
	switch {
	case event.SpaceID != 0:
		add(event.SpaceID)
	case event.AppID != "":
		for _, app := range h.options.MiniPrograms {
			if app.AppID == event.AppID {
				add(app.OwnerSpace)
			}
		}
		for space := range h.rights[event.AppID] {
			if h.may(space, event.AppID, "data.read") {
				add(space)
			}
		}
	default:
		for _, component := range h.options.Components {
			if component.AppID == event.Component && event.Component != "" {
				add(component.Space)
			}
		}
	}
	slices.Sort(spaces)
	return spaces
}

func asks(request *pluginpb.FindRequest, column string) bool {
	return slices.ContainsFunc(request.GetWhere(), func(w *pluginpb.Where) bool { return w.GetColumn() == column })
}

// listed tells whether the condition on a column, if there is one, names the value.
func listed(request *pluginpb.FindRequest, column, value string) bool {
	for _, condition := range request.GetWhere() {
		if condition.GetColumn() == column {
			return slices.ContainsFunc(condition.GetValues(), func(raw []byte) bool { return strings.Trim(string(raw), `"`) == value })
		}
	}
	return true
}

func keep[T any](list []T, wanted func(T) bool) []T {
	var kept []T
	for _, item := range list {
		if wanted(item) {
			kept = append(kept, item)
		}
	}
	return kept
}

func encode[T any](list []T) ([][]byte, error) {
	var rows [][]byte
	for _, item := range list {
		row, err := json.Marshal(item)
		if err != nil {
			return nil, fmt.Errorf("encode %T: %w", item, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}
