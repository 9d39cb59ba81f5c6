package plugin

import "context"

// Renew brings the next build of a plugin, somebody else's too: what an approval does with an archive, without the archive.
// Upgrade does not, since an extension runs nothing but what was approved.
func (h *Host) Renew(ctx context.Context, id string, argv []string) error {
	return h.unit(id).hand(ctx, h.ended, program{argv: argv})
}
