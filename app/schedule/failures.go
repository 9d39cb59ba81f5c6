package schedule

import (
	"context"
	"fmt"
	"time"

	"minifleet/app/clock"
)

// Failures gives the newest failed runs of all jobs that began since a moment, and how many there are; at most 10,000
// are counted, -1 says more. Cursor is the id of the last run of the page before, 0 for the first page.
func (s *Service) Failures(ctx context.Context, since time.Time, cursor int64, limit int) (runs []Run, total int64, err error) {
	if limit < 1 || limit > 100 {
		limit = 20
	}
	from := clock.Millis(since)
	total, err = s.db.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM job_run WHERE state=? AND started_at>=? LIMIT 10001) c", Failed, from)
	if err != nil {
		return nil, 0, fmt.Errorf("schedule: failures: %w", err)
	}
	if total > 10_000 {
		total = -1
	}
	query, args := "SELECT "+runColumns+" FROM job_run WHERE state=? AND started_at>=?", []any{Failed, from}
	if cursor > 0 {
		query, args = query+" AND id<?", append(args, cursor)
	}
	if err := s.db.All(ctx, &runs, query+" ORDER BY id DESC LIMIT ?", append(args, limit)...); err != nil {
		return nil, 0, fmt.Errorf("schedule: failures: %w", err)
	}
	return runs, total, nil
}
