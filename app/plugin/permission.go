package plugin

import (
	"context"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// Permissions lists what the extensions that are on for the actor's space ask for, for roles and API tokens: words and the
// extension they belong to. Those of the plugins of the house stand in account's own catalogue.
func (h *Host) Permissions(ctx context.Context, actor account.Actor) ([]account.Permission, error) {
	all := []account.Permission{}
	for _, u := range h.roster.list() {
		info := u.known()
		if !u.third || info == nil {
			continue
		}
		if err := h.offered(ctx, actor, u.id); err != nil {
			if fault.KindOf(err) == fault.NotFound {
				continue
			}
			return nil, err
		}
		for _, p := range info.manifest.GetPermissions() {
			if strings.HasPrefix(p.GetName(), u.id+".") && account.Extension(p.GetName()) {
				all = append(all, account.Permission{Name: p.GetName(), Title: p.GetTitle(), Area: "扩展：" + info.manifest.GetTitle()})
			}
		}
	}
	return all, nil
}
