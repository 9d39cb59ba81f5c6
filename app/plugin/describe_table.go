package plugin

import (
	"context"

	"minifleet/app/account"
)

// Table gives a declared table's description to somebody who may open it.
func (h *Host) Table(ctx context.Context, actor account.Actor, plugin, name string) (*Table, error) {
	_, table, _, err := h.table(ctx, actor, plugin, name)
	return table, err
}
