package plugin

import "minifleet/app/account"

// Table gives a declared table's description to somebody who may open it.
func (h *Host) Table(actor account.Actor, plugin, name string) (*Table, error) {
	_, table, _, err := h.table(actor, plugin, name)
	return table, err
}
