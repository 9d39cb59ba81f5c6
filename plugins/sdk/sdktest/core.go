package sdktest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

// core plays the operations of the core that need no stub.
func (h *host) core(a authority, name string, input []byte) (any, error) {
	person := func() error {
		switch {
		case a.kind != byPerson:
			return sdk.Forbidden("plugin.needs_person", "这个操作需要由本人在页面上发起")
		case a.nobody():
			return sdk.Forbidden("plugin.login", "请先登录再操作").OfKind(sdk.KindUnauthenticated)
		}
		return nil
	}
	switch name {
	case "can":
		return map[string]bool{"can": a.actor.Role == "owner"}, nil
	case "authorize":
		id := fmt.Sprint("ticket-", h.nextID())
		return sdk.Ticket{ID: id, URL: "http://platform.test/auth/" + id, State: "waiting"}, person()
	case "http":
		return h.fetch(input)
	case "delegate":
		if err := person(); err != nil {
			return nil, err
		}
		given := &delegation{actor: a.actor}
		if err := json.Unmarshal(input, &given.DelegationRequest); err != nil {
			return nil, fmt.Errorf("core.delegate: %w", err)
		}
		return h.delegate(given)
	case "delegate.end":
		var in struct {
			ID int64 `json:"id,string"`
		}
		if err := json.Unmarshal(input, &in); err != nil {
			return nil, fmt.Errorf("core.delegate.end: %w", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if given := h.delegations[in.ID]; given != nil {
			given.ended = true
		}
		return struct{}{}, nil
	case "grant.create":
		var in sdk.GrantRequest
		if err := json.Unmarshal(input, &in); err != nil {
			return nil, fmt.Errorf("core.grant.create: %w", err)
		}
		id := h.nextID()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.rights[in.AppID] == nil {
			h.rights[in.AppID] = map[int64][]string{}
		}
		h.rights[in.AppID][in.Space] = append(h.rights[in.AppID][in.Space], in.Scopes...)
		return idOf(id), person()
	default:
		return nil, fmt.Errorf("sdktest: core.%s needs a stub", name)
	}
}

// delegate keeps a delegation of what its person may do today.
func (h *host) delegate(given *delegation) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock.UnixMilli()
	if given.Until <= now || given.Until > now+(30*24*time.Hour).Milliseconds() || given.Purpose == "" || len(given.Scopes) > 20 || slices.Contains(given.Scopes, "") {
		return nil, refused("delegation until %d for %q of %v", given.Until, given.Purpose, given.Scopes)
	}
	for _, scope := range given.Scopes {
		if given.AppID != "" && !h.may(given.actor.SpaceID, given.AppID, scope) {
			return nil, sdk.Forbidden("plugin.scope", "你没有这个小程序的该项权限，无法委托")
		}
	}
	h.last++
	h.delegations[h.last] = given
	return idOf(h.last), nil
}

func idOf(id int64) map[string]string { return map[string]string{"id": fmt.Sprint(id)} }

// view plays the core views. Call with mu held.
func (h *host) view(a authority, name string, request *pluginpb.FindRequest) ([][]byte, error) {
	switch name {
	case "miniprograms":
		return h.miniPrograms(a, request)
	case "components":
		return encode(keep(h.options.Components, func(c sdk.ComponentInfo) bool { return a.kind == byJob || c.Space == a.actor.SpaceID }))
	case "spaces":
		return encode(keep(h.options.Spaces, func(s sdk.SpaceInfo) bool { return listed(request, "id", fmt.Sprint(s.ID)) }))
	case "grants":
		return h.grants(request)
	default:
		return nil, fmt.Errorf("sdktest: no view core.%s", name)
	}
}

func (h *host) miniPrograms(a authority, request *pluginpb.FindRequest) ([][]byte, error) {
	var seen []sdk.MiniProgramInfo
	for _, app := range h.options.MiniPrograms {
		own := app.OwnerSpace != 0 && app.OwnerSpace == a.actor.SpaceID
		scopes := h.rights[app.AppID][a.actor.SpaceID]
		visible := own || len(scopes) > 0
		if a.kind == byJob {
			visible = true
		} else if a.kind == byEvent || a.appid != "" {
			visible = app.AppID == a.appid
		}
		inComponent := slices.ContainsFunc(app.Components, func(b sdk.MiniProgramBinding) bool { return listed(request, "component", b.Component) })
		if !visible || !listed(request, "appid", app.AppID) || !listed(request, "owner_space", fmt.Sprint(app.OwnerSpace)) ||
			asks(request, "component") && !inComponent || !strings.Contains(app.NickName+app.AppID+app.Principal, request.GetSearch()) {
			continue
		}
		if !own {
			app.Scopes = scopes
		}
		seen = append(seen, app)
	}
	return encode(seen)
}

func (h *host) grants(request *pluginpb.FindRequest) ([][]byte, error) {
	var found []sdk.Grant
	for appid, spaces := range h.rights {
		for space, scopes := range spaces {
			if listed(request, "appid", appid) && len(scopes) > 0 {
				found = append(found, sdk.Grant{ID: space, AppID: appid, Space: space, Scopes: scopes, State: "active"})
			}
		}
	}
	return encode(found)
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
