package plugin

import (
	"context"
	"fmt"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/wechat"
)

// forSpace is the authority of the system at work for one space: a job that runs for each space, or an event as one space
// hears of it. Its actor is nobody's account and has no role; what it sees is what the space sees.
func forSpace(space Space, requestID string) authority {
	return authority{
		kind: bySpace, space: space.ID, requestID: requestID,
		actor: account.Actor{AccountID: systemAccount, SpaceID: space.ID, Space: space.Name, SpaceKind: account.Kind(space.Kind)},
	}
}

// systemAccount stands for the system where a room asks for somebody; no account has it.
const systemAccount = -1

// asCaller is how the gateway hears of the authority.
func (a authority) asCaller(plugin string) Caller {
	by := Caller{Actor: a.actor, Plugin: plugin, System: a.system()}
	if a.kind == bySpace {
		by.Actor = account.Actor{}
	}
	return by
}

// home is the space on whose behalf the authority works, 0 for none.
func (a authority) home() int64 {
	if a.system() {
		return a.space
	}
	return a.actor.SpaceID
}

// mayReadFor keeps the system at work for a space to what the space itself may read: one of its mini programs, or a
// platform app of its own. The gateway asks a system nothing of this kind.
func (h *Host) mayReadFor(ctx context.Context, a authority, request *wechat.Request) error {
	if a.kind != bySpace {
		return nil
	}
	refused := fault.New(fault.Forbidden, "plugin.not_yours", "这个空间没有读取该小程序的权限")
	if a.appid != "" && request.AppID != a.appid {
		return refused
	}
	if request.AppID == "" {
		own, err := h.options.Components.List(ctx, account.Actor{AccountID: systemAccount, SpaceID: a.space}, false)
		if err != nil {
			return fmt.Errorf("platform apps of space %d: %w", a.space, err)
		}
		for _, c := range own {
			if c.AppID == request.Component && request.Component != "" && c.SpaceID == a.space {
				return nil
			}
		}
		return refused
	}
	endpoint, _ := wechat.LookupEndpoint(request.Endpoint)
	if endpoint.Scope == "" {
		return refused
	}
	may, err := h.options.MiniPrograms.May(ctx, a.space, request.AppID, endpoint.Scope)
	if err != nil {
		return fmt.Errorf("right of space %d on %s: %w", a.space, request.AppID, err)
	}
	if !may {
		return refused
	}
	return nil
}
