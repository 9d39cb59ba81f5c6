package plugin

import (
	"context"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

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
