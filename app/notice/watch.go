package notice

import (
	"context"
	"fmt"

	"minifleet/app/clock"
)

// Turn notes the present state of something that is watched and gives the one it had when last asked, "" for the first
// time. Of several replicas that ask at once one sees the change. Told inside f's transaction, a change is told once.
func (s *Service) Turn(ctx context.Context, subject, state string, f func(ctx context.Context, before string) error) error {
	return s.o.DB.Tx(ctx, func(ctx context.Context) error {
		now := clock.Millis(s.o.Clock.Now())
		var row struct{ State string }
		found, err := s.o.DB.One(ctx, &row, "SELECT state FROM notice_watch WHERE subject=?", subject)
		if err != nil {
			return fmt.Errorf("notice: watch %s: %w", subject, err)
		}
		if !found {
			_, err = s.o.DB.InsertIgnore(ctx, "notice_watch", map[string]any{"subject": subject, "state": state, "updated_at": now})
			if err != nil {
				return fmt.Errorf("notice: watch %s: %w", subject, err)
			}
			return nil
		}
		if row.State == state {
			return nil
		}
		n, err := s.o.DB.Exec(ctx, "UPDATE notice_watch SET state=?, updated_at=? WHERE subject=? AND state=?", state, now, subject, row.State)
		if err != nil || n == 0 {
			return err
		}
		return f(ctx, row.State)
	})
}

// Once notes how something stands that is only heard of in trouble: f is called for every state but the one it stood in
// already. What was never told of stands in the state "". Told inside f's transaction, a state is told once, however many
// replicas see it and however often.
func (s *Service) Once(ctx context.Context, subject, state string, f func(ctx context.Context) error) error {
	// Most of the time nothing has changed: that is found out without a place in the line of writers.
	if before, _, err := s.watched(ctx, subject); err != nil || before == state {
		return err
	}
	return s.o.DB.Tx(ctx, func(ctx context.Context) error {
		before, found, err := s.watched(ctx, subject)
		if err != nil || before == state {
			return err
		}
		now, mine := clock.Millis(s.o.Clock.Now()), false
		if found {
			n, e := s.o.DB.Exec(ctx, "UPDATE notice_watch SET state=?, updated_at=? WHERE subject=? AND state=?", state, now, subject, before)
			mine, err = n == 1, e
		} else {
			mine, err = s.o.DB.InsertIgnore(ctx, "notice_watch", map[string]any{"subject": subject, "state": state, "updated_at": now})
		}
		if err != nil {
			return fmt.Errorf("notice: watch %s: %w", subject, err)
		}
		if !mine {
			return nil // another replica tells it
		}
		return f(ctx)
	})
}

func (s *Service) watched(ctx context.Context, subject string) (state string, found bool, err error) {
	var row struct{ State string }
	found, err = s.o.DB.One(ctx, &row, "SELECT state FROM notice_watch WHERE subject=?", subject)
	if err != nil {
		return "", false, fmt.Errorf("notice: watch %s: %w", subject, err)
	}
	return row.State, found, nil
}
