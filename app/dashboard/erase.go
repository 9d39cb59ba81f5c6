package dashboard

import (
	"context"
	"fmt"

	"minifleet/app/store"
)

// Parted forgets the checklist of a membership that ends, inside the caller's transaction.
func Parted(ctx context.Context, db *store.DB, memberID int64) error {
	if _, err := db.Exec(ctx, "DELETE FROM checklist WHERE member_id=?", memberID); err != nil {
		return fmt.Errorf("dashboard: %w", err)
	}
	return nil
}
