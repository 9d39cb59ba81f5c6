package miniprogram

import (
	"context"
	"fmt"
)

// Erase ends the requests for authorisation that an account has open and that is closed now, inside the caller's transaction:
// nobody would own what they bring.
func (s *Service) Erase(ctx context.Context, accountID int64) error {
	if _, err := s.db.Exec(ctx, "UPDATE auth_ticket SET state=? WHERE account_id=? AND state=?", Cancelled, accountID, Waiting); err != nil {
		return fmt.Errorf("miniprogram: erase: %w", err)
	}
	return nil
}
