package schedule

import (
	"context"
	"fmt"
)

// Erase puts other words where the name of somebody stands who had jobs run and whose account is closed.
func (s *Service) Erase(ctx context.Context, name, words string) error {
	if _, err := s.db.Exec(ctx, "UPDATE job_run SET asked_by=? WHERE asked_by=?", words, name); err != nil {
		return fmt.Errorf("schedule: erase: %w", err)
	}
	return nil
}
