package command

import (
	"minifleet/app/forward"
	"minifleet/app/notice"
)

// forwarding makes the room that tells pushes to other addresses, within the same bounds as webhooks.
func (p *platform) forwarding(reach notice.WebhookOptions) *forward.Service {
	return forward.New(forward.Options{
		DB: p.db, Clock: p.clk, Sealer: p.vault, Trail: p.trail, Events: p.events, Components: p.components, Notices: p.notices, Webhooks: reach, Log: p.log,
	})
}
