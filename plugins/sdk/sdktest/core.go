package sdktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"minifleet/plugins/sdk"
)

// core plays the operations of the core.
func (h *host) core(a authority, name string, input []byte) (any, error) {
	switch name {
	case "can":
		return told(input, func(in struct {
			Permission string `json:"permission"`
		}) (any, error) {
			return map[string]bool{"can": a.kind != byEvent && a.kind != byJob && a.kind != bySpace && h.can(a.actor, in.Permission)}, nil
		})
	case "authorize":
		return told(input, func(sdk.AuthorizeRequest) (any, error) {
			id := fmt.Sprint("ticket-", h.nextID())
			return sdk.Ticket{ID: id, URL: "http://platform.test/auth/" + id, State: "waiting"}, person(a)
		})
	case "authorize.state":
		return told(input, func(in struct {
			Ticket string `json:"ticket"`
		}) (any, error) {
			return sdk.Ticket{ID: in.Ticket, URL: "http://platform.test/auth/" + in.Ticket, State: "waiting"}, nil
		})
	case "grant.create":
		return told(input, func(in sdk.GrantRequest) (any, error) { return h.grant(a, in) })
	case "grant.revoke":
		return told(input, func(in idInput) (any, error) { return struct{}{}, h.revoke(a, in.ID) })
	case "http":
		return told(input, h.fetch)
	case "delegate":
		return told(input, func(in sdk.DelegationRequest) (any, error) { return h.delegate(a, in) })
	case "delegate.end":
		return told(input, func(in idInput) (any, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if given := h.delegations[in.ID]; given != nil && given.holder == h.plugin.GetId() {
				given.ended = true
			}
			return struct{}{}, nil
		})
	default:
		return nil, refused("no operation core.%s", name)
	}
}

type idInput struct {
	ID int64 `json:"id,string"`
}

// told decodes strictly, as the real host does.
func told[In any](input []byte, run func(In) (any, error)) (any, error) {
	var in In
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return nil, refused("input of a core operation: %v", err)
	}
	return run(in)
}

// person refuses what only a person at a page may do.
func person(a authority) error {
	switch {
	case a.kind != byPerson:
		return sdk.Forbidden("plugin.needs_person", "这个操作需要由本人在页面上发起")
	case a.nobody():
		return needsLogin()
	}
	return nil
}

// grant gives another space rights on a mini program of the actor's.
func (h *world) grant(a authority, in sdk.GrantRequest) (any, error) {
	if err := person(a); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	h.granted[h.last] = in
	if h.rights[in.AppID] == nil {
		h.rights[in.AppID] = map[int64][]string{}
	}
	h.rights[in.AppID][in.Space] = append(h.rights[in.AppID][in.Space], in.Scopes...)
	return idOf(h.last), nil
}

// revoke ends a grant that was made by core.grant.create: for the owner of the mini program and for who holds it.
func (h *world) revoke(a authority, id int64) error {
	if err := person(a); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	given, known := h.granted[id]
	if !known || a.actor.SpaceID != given.Space && !h.owns(a.actor.SpaceID, given.AppID) {
		return sdk.NotFound("grant_not_found", "没有找到这项授权")
	}
	delete(h.granted, id)
	h.rights[given.AppID][given.Space] = slices.DeleteFunc(h.rights[given.AppID][given.Space], func(scope string) bool { return slices.Contains(given.Scopes, scope) })
	return nil
}

// delegate keeps a delegation of what its person may do today.
func (h *host) delegate(a authority, in sdk.DelegationRequest) (any, error) {
	if err := person(a); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock.UnixMilli()
	if in.Until <= now || in.Until > now+(30*24*time.Hour).Milliseconds() || in.Purpose == "" || utf8.RuneCountInString(in.Purpose) > 200 ||
		len(in.Scopes) > 20 || slices.Contains(in.Scopes, "") {
		return nil, refused("delegation until %d for %q of %v", in.Until, in.Purpose, in.Scopes)
	}
	for _, scope := range in.Scopes {
		if in.AppID != "" && !h.may(a.actor.SpaceID, in.AppID, scope) {
			return nil, sdk.Forbidden("plugin.scope", "你没有这个小程序的该项权限，无法委托")
		}
	}
	h.last++
	h.delegations[h.last] = &delegation{actor: a.actor, holder: h.plugin.GetId(), DelegationRequest: in}
	return idOf(h.last), nil
}

func idOf(id int64) map[string]string { return map[string]string{"id": fmt.Sprint(id)} }
