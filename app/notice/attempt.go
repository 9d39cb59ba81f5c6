package notice

import (
	"context"
	"fmt"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
)

// Attempt is one delivery of a webhook's log.
type Attempt struct {
	ID        int64  `json:"id,string"`
	NoticeID  int64  `json:"notice_id,string"`
	Event     string `json:"event"`
	State     string `json:"state"` // waiting, done, failed
	Attempts  int    `json:"attempts"`
	DueAt     int64  `json:"due_at"` // of one that waits: when it is tried next
	Status    int    `json:"status"`
	Request   string `json:"request,omitempty"`
	Response  string `json:"response,omitempty"`
	LastError string `json:"last_error,omitempty"`
	CreatedAt int64  `json:"created_at"`
	UpdatedAt int64  `json:"updated_at"`
}

func (r deliveryRow) view() Attempt {
	return Attempt{
		ID: r.ID, NoticeID: r.NoticeID, Event: r.Event, State: [...]string{"waiting", "done", "failed"}[r.State], Attempts: r.Attempts, DueAt: r.DueAt,
		Status: r.Status, Request: r.Request, Response: r.Response, LastError: r.LastError, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

// TestWebhook sends a test message and gives its delivery.
func (s *Service) TestWebhook(ctx context.Context, who account.Actor, id int64) (Attempt, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return Attempt{}, err
	}
	if r.Enabled == 0 {
		return Attempt{}, fault.New(fault.Conflict, "webhook_disabled", "这个 Webhook 已停用，请先启用")
	}
	var delivery int64
	err = s.o.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if delivery, err = s.testHook(ctx, r); err != nil {
			return err
		}
		return s.note(ctx, who, "webhook.test", r, nil)
	})
	if err != nil {
		return Attempt{}, fmt.Errorf("notice: webhook: %w", err)
	}
	s.Wake()
	return s.Attempt(ctx, who, id, delivery)
}

// Deliveries is a webhook's log, newest first, and the cursor of the next page (0 at the end).
func (s *Service) Deliveries(ctx context.Context, who account.Actor, id, cursor int64, limit int) ([]Attempt, int64, error) {
	if _, err := s.own(ctx, who, id); err != nil {
		return nil, 0, err
	}
	if limit < 1 || limit > 100 {
		limit = 20
	}
	where, args := "channel=? AND target=?", []any{ChannelWebhook, id}
	if cursor > 0 {
		where, args = where+" AND id<?", append(args, cursor)
	}
	var rows []deliveryRow
	if err := s.o.DB.All(ctx, &rows, "SELECT * FROM notice_delivery WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, limit+1)...); err != nil {
		return nil, 0, fmt.Errorf("notice: deliveries: %w", err)
	}
	next := int64(0)
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].ID
	}
	out := make([]Attempt, len(rows))
	for i, r := range rows {
		out[i] = r.view()
	}
	return out, next, nil
}

// Attempt finds one delivery of a webhook.
func (s *Service) Attempt(ctx context.Context, who account.Actor, id, delivery int64) (Attempt, error) {
	if _, err := s.own(ctx, who, id); err != nil {
		return Attempt{}, err
	}
	var r deliveryRow
	found, err := s.o.DB.One(ctx, &r, "SELECT * FROM notice_delivery WHERE id=? AND channel=? AND target=?", delivery, ChannelWebhook, id)
	if err != nil {
		return Attempt{}, fmt.Errorf("notice: delivery: %w", err)
	}
	if !found {
		return Attempt{}, errNoDelivery
	}
	return r.view(), nil
}

// Retry sends a delivery again at once (重发), whatever came of it before, with all its tries anew.
func (s *Service) Retry(ctx context.Context, who account.Actor, id, delivery int64) (Attempt, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return Attempt{}, err
	}
	if _, err := s.Attempt(ctx, who, id, delivery); err != nil {
		return Attempt{}, err
	}
	if r.Enabled == 0 {
		return Attempt{}, fault.New(fault.Conflict, "webhook_disabled", "这个 Webhook 已停用，请先启用")
	}
	err = s.o.DB.Tx(ctx, func(ctx context.Context) error {
		now := clock.Millis(s.o.Clock.Now())
		// Without its lease, a try that is on its way now books nothing, and this one is not lost to it.
		_, err := s.o.DB.Exec(ctx, "UPDATE notice_delivery SET state=?, attempts=0, lease_until=0, due_at=?, updated_at=? WHERE id=?", stateWaiting, now, now, delivery)
		if err != nil {
			return err
		}
		return s.note(ctx, who, "webhook.retry", r, nil)
	})
	if err != nil {
		return Attempt{}, fmt.Errorf("notice: retry: %w", err)
	}
	s.Wake()
	return s.Attempt(ctx, who, id, delivery)
}
