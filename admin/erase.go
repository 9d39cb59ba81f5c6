package admin

import (
	"context"
	"fmt"

	"minifleet/app/store"
)

// Parted removes what the back office keeps for a membership that ends, inside the caller's transaction: saved filters and
// columns, and GoAdmin's user and sessions.
func Parted(ctx context.Context, db *store.DB, memberID int64) error {
	user, err := db.Int(ctx, "SELECT goadmin_user_id FROM admin_shadow WHERE member_id=?", memberID)
	if err != nil {
		return fmt.Errorf("admin: membership %d: %w", memberID, err)
	}
	type step struct {
		query string
		id    int64
	}
	steps := []step{
		{"DELETE FROM admin_list_view WHERE member_id=?", memberID},
		{"DELETE FROM goadmin_session WHERE sid IN (SELECT sid FROM admin_session WHERE member_id=?)", memberID},
		{"DELETE FROM admin_session WHERE member_id=?", memberID},
		{"DELETE FROM admin_shadow WHERE member_id=?", memberID},
	}
	if user != 0 {
		for _, table := range []string{"goadmin_role_users", "goadmin_user_permissions", "goadmin_operation_log"} {
			steps = append(steps, step{"DELETE FROM " + table + " WHERE user_id=?", user})
		}
		steps = append(steps, step{"DELETE FROM goadmin_users WHERE id=?", user})
	}
	for _, s := range steps {
		if _, err := db.Exec(ctx, s.query, s.id); err != nil {
			return fmt.Errorf("admin: membership %d: %w", memberID, err)
		}
	}
	return nil
}
