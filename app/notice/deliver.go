package notice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"minifleet/app/account"
	"minifleet/app/clock"
)

// States of a delivery in the database.
const (
	stateWaiting = 0
	stateDone    = 1
	stateGivenUp = 2
)

// Delivery is one notice on its way out by one channel.
type Delivery struct {
	ID, NoticeID      int64
	Channel           string
	Event             string
	SpaceID           int64
	Title, Text, Link string // Link is a whole address
	AppID             string
	OK, Failed        int64 // of a digest
	Batch             string
	At                int64         // when it happened, Unix milliseconds
	Attempt           int           // 1 for the first try
	To                account.Actor // of a channel that tells people: name and login
	Target            int64         // of one that does not: the webhook
	// Note keeps what was sent and answered, for the delivery log. The channel fills it.
	Note Exchange
}

// Exchange is what a channel sent and what came back, each cut to an excerpt; no secrets.
type Exchange struct {
	Request, Response string
	Status            int // HTTP or SMTP status, 0 when there was none
}

// Channel is a way out. Deliver returns nil once the other side has taken it; it is called again after an error, unless
// that is permanent. It must bound its own time and be safe for concurrent use.
type Channel interface {
	Deliver(ctx context.Context, d *Delivery) error
}

// permanent is an error after which trying again is useless.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error as one that another try will not mend.
func Permanent(err error) error { return permanent{err} }

// tries of a delivery: with the waits between them a little over a day.
const tries = 8

// backoff is the wait after the n-th failed try: 1 and 5 minutes, 30 minutes, 2, 5, 8 and 10 hours.
func backoff(n int) time.Duration {
	waits := []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 8 * time.Hour, 10 * time.Hour}
	return waits[min(max(n, 1), len(waits))-1]
}

// deliveryLease outlives the slowest channel's bound on its time.
const deliveryLease = 2 * time.Minute

// deliverOnce bounds one call of a channel.
const deliverOnce = time.Minute

// deliverMost is how many are taken at a time, deliverParallel how many go out at once.
const (
	deliverMost     = 64
	deliverParallel = 4
)

// Run dispatches and delivers until ctx ends; what is in hand then gets its context's end.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	more := make(chan struct{}, 1)
	g.Go(func() error { return s.dispatchLoop(ctx, more) })
	g.Go(func() error { return s.deliverLoop(ctx, more) })
	return g.Wait()
}

func (s *Service) dispatchLoop(ctx context.Context, more chan<- struct{}) error {
	t := time.NewTicker(s.o.Poll)
	defer t.Stop()
	for {
		n, err := s.Dispatch(ctx)
		if err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "notices could not be dispatched, will be tried again", "error", err)
		}
		if n > 0 {
			select {
			case more <- struct{}{}:
			default:
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-t.C:
		}
	}
}

func (s *Service) deliverLoop(ctx context.Context, more <-chan struct{}) error {
	t := time.NewTicker(s.o.Poll)
	defer t.Stop()
	for {
		n, err := s.DeliverDue(ctx)
		if err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "deliveries could not be made, will be tried again", "error", err)
		}
		if n == deliverMost {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-more:
		case <-t.C:
		}
	}
}

type deliveryRow struct {
	ID         int64
	NoticeID   int64
	Channel    string
	Target     int64
	Event      string
	State      int
	Attempts   int
	DueAt      int64
	LeaseUntil int64
	Request    string
	Status     int
	Response   string
	LastError  string
	CreatedAt  int64
	UpdatedAt  int64
}

// DeliverDue hands out what is due now, each to its channel, and tells how many were taken.
func (s *Service) DeliverDue(ctx context.Context) (int, error) {
	var rows []deliveryRow
	err := s.o.DB.All(ctx, &rows, "SELECT * FROM notice_delivery WHERE state=? AND due_at<=? AND lease_until<? ORDER BY due_at LIMIT ?",
		stateWaiting, clock.Millis(s.o.Clock.Now()), time.Now().UnixMilli(), deliverMost)
	if err != nil {
		return 0, fmt.Errorf("notice: due deliveries: %w", err)
	}
	var g errgroup.Group
	g.SetLimit(deliverParallel)
	for _, r := range rows {
		g.Go(func() error { return s.deliverOne(ctx, r) })
	}
	return len(rows), g.Wait()
}

// deliverOne takes the row by its lease, so that no other replica has it too, and books what comes of it.
func (s *Service) deliverOne(ctx context.Context, r deliveryRow) error {
	until := time.Now().Add(deliveryLease).UnixMilli()
	n, err := s.o.DB.Exec(ctx, "UPDATE notice_delivery SET lease_until=?, owner=?, attempts=attempts+1 WHERE id=? AND state=? AND attempts=? AND due_at=? AND lease_until=?",
		until, s.owner, r.ID, stateWaiting, r.Attempts, r.DueAt, r.LeaseUntil)
	if err != nil || n == 0 {
		return err
	}
	r.Attempts, r.LeaseUntil = r.Attempts+1, until
	d, err := s.delivery(ctx, r)
	if err == nil {
		err = s.attempt(ctx, &d)
	}
	if ctx.Err() != nil && err != nil {
		// The platform is stopping: the try does not count.
		_, e := s.o.DB.Exec(context.WithoutCancel(ctx), "UPDATE notice_delivery SET attempts=attempts-1, lease_until=0 WHERE id=? AND owner=? AND lease_until=?", r.ID, s.owner, until)
		return e
	}
	return s.book(ctx, r, d, err)
}

func (s *Service) attempt(ctx context.Context, d *Delivery) (err error) {
	channel, able := s.channels[d.Channel]
	if !able {
		return fmt.Errorf("没有配置 %s", d.Channel)
	}
	ctx, stop := context.WithTimeout(ctx, deliverOnce)
	defer stop()
	defer func() {
		if p := recover(); p != nil { // one channel must not end the platform
			err = fmt.Errorf("channel %s panicked: %v", d.Channel, p)
		}
	}()
	return channel.Deliver(ctx, d)
}

// delivery reads what is to be told now: of a digest that is all that was counted.
func (s *Service) delivery(ctx context.Context, r deliveryRow) (Delivery, error) {
	d := Delivery{ID: r.ID, NoticeID: r.NoticeID, Channel: r.Channel, Event: r.Event, Attempt: r.Attempts, Target: r.Target}
	var n noticeRow
	found, err := s.o.DB.One(ctx, &n, "SELECT * FROM notice WHERE id=?", r.NoticeID)
	if err != nil {
		return d, err
	}
	if !found {
		return d, Permanent(errors.New("消息已被清理"))
	}
	d.Title, d.Text = n.told()
	d.SpaceID, d.AppID, d.Batch, d.OK, d.Failed, d.At = n.SpaceID, n.AppID, n.Batch, n.OK, n.Failed, n.CreatedAt
	if n.Link != "" {
		d.Link = s.o.PublicURL + n.Link
	}
	if r.Channel == ChannelWebhook {
		return d, nil
	}
	d.To, found, err = s.o.Directory.Someone(ctx, r.Target)
	if err == nil && !found {
		err = Permanent(errors.New("账号已注销"))
	}
	return d, err
}

// book writes down what came of a try, unless the row has been asked for anew meanwhile.
func (s *Service) book(ctx context.Context, r deliveryRow, d Delivery, failure error) error {
	ctx = context.WithoutCancel(ctx) // the other side has it: that must not be forgotten because we are stopping
	now := clock.Millis(s.o.Clock.Now())
	state, due, words := stateDone, r.DueAt, ""
	if failure != nil {
		words = cut(failure.Error(), 480)
		state, due = stateWaiting, now+backoff(r.Attempts).Milliseconds()
		var final permanent
		if r.Attempts >= tries || errors.As(failure, &final) {
			state = stateGivenUp
		}
	}
	return s.o.DB.Tx(ctx, func(ctx context.Context) error {
		_, err := s.o.DB.Exec(ctx, "UPDATE notice_delivery SET state=?, due_at=?, lease_until=0, request=?, status=?, response=?, last_error=?, updated_at=? WHERE id=? AND owner=? AND lease_until=?",
			state, due, cut(d.Note.Request, excerpt), d.Note.Status, cut(d.Note.Response, excerpt), words, now, r.ID, s.owner, r.LeaseUntil)
		if err != nil {
			return fmt.Errorf("notice: book delivery: %w", err)
		}
		if r.Channel == ChannelWebhook {
			return s.health(ctx, r.Target, failure, now)
		}
		return nil
	})
}

// excerpt is how much of a request or an answer the log keeps, in characters.
const excerpt = 2000

// Prune forgets notices not changed since before, with their readers and deliveries, and preferences of nobody.
func (s *Service) Prune(ctx context.Context, before time.Time) (int64, error) {
	at := clock.Millis(before)
	var total int64
	for _, q := range []string{
		"DELETE FROM notice_recipient WHERE notice_id IN (SELECT id FROM notice WHERE updated_at<?)",
		"DELETE FROM notice_delivery WHERE updated_at<? AND state<>0",
		"DELETE FROM notice WHERE updated_at<?",
		"DELETE FROM mail_outbox WHERE created_at<?",
	} {
		n, err := s.o.DB.Exec(ctx, q, at)
		if err != nil {
			return total, fmt.Errorf("notice: prune: %w", err)
		}
		total += n
	}
	return total, nil
}
