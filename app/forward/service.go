package forward

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/notice"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// Events is the event log.
type Events interface {
	Subscribe(ctx context.Context, s event.Subscriber) error
	Unsubscribe(name string)
	Forget(ctx context.Context, name string) error
	Known(ctx context.Context, prefix string) ([]string, error)
	Replay(ctx context.Context, id int64, subscriber string) error
}

// Components knows whose a platform app is; component.Service is one.
type Components interface {
	Get(ctx context.Context, who account.Actor, appid string) (component.Component, error)
	SpaceOf(ctx context.Context, appid string) (int64, error)
}

// Sealer keeps secrets; secret.Vault is one.
type Sealer interface {
	SealString(purpose, plain string) (string, error)
	OpenString(purpose, sealed string) (string, error)
}

// Notices tells people; notice.Service is one.
type Notices interface {
	Send(ctx context.Context, m notice.Message) error
}

// Options of a Service. All are needed but those with a default.
type Options struct {
	DB         *store.DB
	Clock      clock.Clock
	Sealer     Sealer
	Trail      *trail.Log
	Events     Events
	Components Components
	Notices    Notices
	Webhooks   notice.WebhookOptions // what may be reached
	Log        *slog.Logger          // default slog.Default

	Tries      int                       // of one event; default 8
	Backoff    func(n int) time.Duration // wait after the n-th failed try; default 5 s to 2 h, about four hours in all
	PauseAfter int64                     // failures in a row that pause a target; default 20
	Poll       time.Duration             // how often another replica's changes are looked for, wall time; default 5 s
	Wall       func() time.Time          // signature times; default time.Now
}

// Service is the room's door. Safe for concurrent use.
type Service struct {
	o      Options
	client *http.Client
	wake   chan struct{}

	mu   sync.Mutex      // one Sync at a time
	held map[int64]int64 // target → version that the event log has been told
}

// New makes the service; nothing is delivered until Run.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Tries == 0 {
		o.Tries = 8
	}
	if o.Backoff == nil {
		o.Backoff = backoff
	}
	if o.PauseAfter == 0 {
		o.PauseAfter = 20
	}
	if o.Poll == 0 {
		o.Poll = 5 * time.Second
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	return &Service{o: o, client: o.Webhooks.Client(), wake: make(chan struct{}, 1), held: map[int64]int64{}}
}

// backoff is the wait after the n-th failed try.
func backoff(n int) time.Duration {
	waits := []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour}
	return waits[min(max(n, 1), len(waits))-1]
}

// Run keeps the event log's subscribers as the targets say, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(s.o.Poll)
	defer t.Stop()
	for {
		if err := s.Sync(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.ErrorContext(ctx, "forwarding cannot be read, will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-t.C:
		}
	}
}

// Sync makes the event log's subscribers fit the targets: it subscribes who is on, keeps the events of who is paused, and
// forgets who is off or gone. It must not be called from a delivery.
func (s *Service) Sync(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// First who is known, then who is wanted: another replica may add a target in between, which must not look forgotten.
	known, err := s.o.Events.Known(ctx, prefix)
	if err != nil {
		return err
	}
	var rows []targetRow
	if err := s.o.DB.All(ctx, &rows, "SELECT "+targetColumns+" FROM forward_target WHERE enabled=1"); err != nil {
		return fmt.Errorf("forward: sync: %w", err)
	}
	var failed []error
	wanted := map[string]bool{}
	for _, r := range rows {
		wanted[subscriber(r.ID)] = true
		version, here := s.held[r.ID]
		switch {
		case !r.live():
			s.o.Events.Unsubscribe(subscriber(r.ID))
			delete(s.held, r.ID)
		// One that another replica forgot, because it was off for the moment of its look, is made known again.
		case !here || version != r.Version || !slices.Contains(known, subscriber(r.ID)):
			if err := s.o.Events.Subscribe(ctx, s.subscription(r)); err != nil {
				failed = append(failed, err)
				continue
			}
			s.held[r.ID] = r.Version
		}
	}
	for _, name := range known {
		if !wanted[name] {
			failed = append(failed, s.forget(ctx, name))
		}
	}
	for id := range s.held {
		if !wanted[subscriber(id)] {
			delete(s.held, id)
		}
	}
	return errors.Join(failed...)
}

// forget gives up on a subscriber whose target is off or gone, unless somebody switches it on at this very moment: the
// target's lock decides who was first.
func (s *Service) forget(ctx context.Context, name string) error {
	id, err := strconv.ParseInt(strings.TrimPrefix(name, prefix), 10, 64)
	if err != nil {
		return fmt.Errorf("forward: subscriber %q: %w", name, err)
	}
	s.o.Events.Unsubscribe(name) // a delivery on its way ends before the lock is taken that it may be waiting for
	return s.o.DB.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.o.DB.Exec(ctx, "UPDATE forward_target SET updated_at=updated_at+0 WHERE id=?", id); err != nil {
			return fmt.Errorf("forward: %w", err)
		}
		on, err := s.o.DB.Int(ctx, "SELECT COUNT(*) FROM forward_target WHERE id=? AND enabled=1", id)
		if err != nil {
			return fmt.Errorf("forward: %w", err)
		}
		if on > 0 {
			return nil // the next look makes it known here
		}
		return s.o.Events.Forget(ctx, name)
	})
}

func (s *Service) subscription(r targetRow) event.Subscriber {
	id := r.ID
	return event.Subscriber{
		Name: subscriber(id), Types: strings.Fields(r.Types), Component: r.Component, AppIDs: strings.Fields(r.AppIDs), MaxAttempts: s.o.Tries, Backoff: s.o.Backoff,
		Handle: func(ctx context.Context, e event.Event) error { return s.deliver(ctx, id, e) },
	}
}

// untold are pushes that leave the house to nobody.
func untold(e event.Event) bool {
	return e.Source != event.SourceWeChat || e.Type == "component_verify_ticket" || strings.HasPrefix(e.Type, component.ReleasePrefix)
}

// Prune forgets tries older than before, and gives up on what has waited for a paused target since then.
func (s *Service) Prune(ctx context.Context, before time.Time) (int64, error) {
	n, err := s.o.DB.Exec(ctx, "DELETE FROM forward_attempt WHERE created_at<?", clock.Millis(before))
	if err != nil {
		return n, fmt.Errorf("forward: prune: %w", err)
	}
	m, err := s.o.DB.Exec(ctx, "UPDATE forward_target SET enabled=0, version=version+1 WHERE enabled=1 AND paused_at>0 AND paused_at<?", clock.Millis(before))
	if err != nil {
		return n, fmt.Errorf("forward: prune: %w", err)
	}
	if m > 0 {
		err = s.Sync(ctx)
	}
	return n, err
}

// Kinds are the types that may be chosen, in the order of the screens.
func Kinds() []event.Kind { return slices.Clone(event.ForwardableKinds()) }
