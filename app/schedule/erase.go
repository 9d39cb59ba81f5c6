package schedule

import (
	"context"
	"fmt"

	"minifleet/app/account"
)

// Erase puts other words where the name of an account stands that had jobs run and is closed. Runs of before the account
// was noted with them are found by the name.
func (s *Service) Erase(ctx context.Context, who account.Leaver) error {
	_, err := s.db.Exec(ctx, "UPDATE job_run SET asked_by=? WHERE asked_by_id=? OR (asked_by_id=0 AND asked_by=?)", who.Words, who.AccountID, who.Name)
	if err != nil {
		return fmt.Errorf("schedule: erase: %w", err)
	}
	return nil
}
