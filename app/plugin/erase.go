package plugin

import (
	"context"
	"fmt"
)

// Erase removes the delegations of an account that is closed, and forgets that it said yes to a drop, inside the caller's transaction.
func (h *Host) Erase(ctx context.Context, accountID int64) error {
	if _, err := h.options.DB.Exec(ctx, "DELETE FROM plugin_delegation WHERE account_id=?", accountID); err != nil {
		return fmt.Errorf("plugin: erase: %w", err)
	}
	if _, err := h.options.DB.Exec(ctx, "UPDATE plugin_drop SET account_id=0 WHERE account_id=?", accountID); err != nil {
		return fmt.Errorf("plugin: erase: %w", err)
	}
	return nil
}
