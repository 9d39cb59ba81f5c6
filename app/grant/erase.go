package grant

import (
	"context"
	"fmt"

	"minifleet/app/clock"
)

// Erase ends the rights that spaces hold on others' mini programs and that end with their only member, inside the caller's
// transaction. That they had them stays.
func (s *Service) Erase(ctx context.Context, accountID int64, spaces []int64) error {
	for _, id := range spaces {
		_, err := s.db.Exec(ctx, "UPDATE access_grant SET revoked_by=?, revoked_at=? WHERE space_id=? AND revoked_at=0", accountID, clock.Millis(s.clk.Now()), id)
		if err != nil {
			return fmt.Errorf("grant: erase: %w", err)
		}
	}
	return nil
}
