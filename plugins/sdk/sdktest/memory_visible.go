package sdktest

import (
	"slices"

	"minifleet/plugins/sdk"
)

func (a authority) nobody() bool { return a.kind != bySpace && (a.actor.AccountID == 0) }

// visible plays the rules of the real data service. Call with mu held.
func (h *host) visible(a authority, m *memory, row cells, write bool) bool {
	switch a.kind {
	case byJob:
		return a.space == 0 || h.visibleToSystem(authority{kind: byEvent, space: a.space}, m, row)
	case byEvent:
		return h.visibleToSystem(a, m, row)
	}
	v := m.declared.GetVisibility()
	if a.nobody() {
		return v.GetKind() == "public" && !write && row.text(v.GetWhen()) == v.GetEquals()
	}
	if v.GetKind() == "miniprogram" && (a.kind == byDelegation || a.kind == bySpace) && a.appid != "" && row.text(v.GetColumn()) != a.appid {
		return false
	}
	if v.GetOperator() && a.actor.SpaceKind == "platform" {
		return true
	}
	own := func(column string) bool { return row.number(column) == a.actor.SpaceID }
	switch v.GetKind() {
	case "parties":
		return own(v.GetColumn()) || own(v.GetOther())
	case "miniprogram":
		scope := v.GetScope()
		if write {
			scope = v.GetWrite()
		}
		return h.may(a.actor.SpaceID, row.text(v.GetColumn()), scope)
	case "public":
		return own("space_id") || !write && row.text(v.GetWhen()) == v.GetEquals()
	default:
		return own("space_id")
	}
}

// visibleToSystem limits an event to its own mini program and space.
func (h *host) visibleToSystem(a authority, m *memory, row cells) bool {
	v := m.declared.GetVisibility()
	if a.space != 0 {
		switch v.GetKind() {
		case "parties":
			if row.number(v.GetColumn()) == a.space || row.number(v.GetOther()) == a.space {
				return true
			}
		case "space", "public":
			if row.number("space_id") == a.space {
				return true
			}
		}
	}
	column := "appid"
	if v.GetKind() == "miniprogram" {
		column = v.GetColumn()
	}
	return a.appid != "" && m.kind(column) == "text" && row.text(column) == a.appid
}

// may tells whether a space may act on a mini program. Call with mu held.
func (h *world) may(space int64, appid, scope string) bool {
	return h.owns(space, appid) || slices.Contains(h.rights[appid][space], scope) || slices.Contains(h.rights[appid][space], "*")
}

func (h *world) owns(space int64, appid string) bool {
	return slices.ContainsFunc(h.options.MiniPrograms, func(app sdk.MiniProgramInfo) bool {
		return app.AppID == appid && app.OwnerSpace == space && space != 0
	})
}
