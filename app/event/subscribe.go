package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Subscriber receives events at least once, in order of arrival per component and mini program.
type Subscriber struct {
	Name     string   // stable and unique, e.g. component.tickets or plugin:version; up to 72 bytes
	Types    []string // exact types, or a prefix followed by '*'
	Handle   Handler
	Parallel int // how many queues it works on at once; default 4

	// Component and AppIDs narrow it to the events of one 第三方平台, and of some of its mini programs; empty means all.
	Component string
	AppIDs    []string

	MaxAttempts int                             // tries before the dead letter; default that of the log
	Backoff     func(attempt int) time.Duration // wait after the n-th failed try (from 1); default that of the log
}

// interest is what a subscriber wants of all events, as event_subscriber keeps it.
type interest struct {
	types     []string
	component string
	appids    []string
}

func (i interest) takes(e fanned) bool {
	return matches(i.types, e.typ) && (i.component == "" || i.component == e.comp) && (len(i.appids) == 0 || slices.Contains(i.appids, e.appid))
}

// subscription is a Subscriber that is present in this process.
type subscription struct {
	Subscriber
	wake   chan struct{}
	cancel context.CancelFunc // ends its loop; nil before Run started it
	ended  chan struct{}      // closed when its loop is over; nil before
}

// subscribers is who is present. changed wakes the loop that starts and stops them.
type subscribers struct {
	mu      sync.Mutex
	active  map[string]*subscription
	start   func(*subscription) // set while Run runs
	running sync.WaitGroup
}

// Subscribe makes s known for good and present in this process, replacing an earlier one of that name. From now on every
// event of its types that is fanned out gets a delivery for it, also while it is away.
func (l *Log) Subscribe(ctx context.Context, s Subscriber) error {
	if s.Name == "" || len(s.Name) > 72 || s.Handle == nil || len(s.Types) == 0 {
		return errors.New("event: a subscriber needs a name, types and a handler")
	}
	if s.Parallel <= 0 {
		s.Parallel = 4
	}
	if s.MaxAttempts <= 0 {
		s.MaxAttempts = l.opts.MaxAttempts
	}
	if s.Backoff == nil {
		s.Backoff = l.opts.Backoff
	}
	types, err := json.Marshal(s.Types)
	if err != nil {
		return fmt.Errorf("event: subscribe %s: %w", s.Name, err)
	}
	appids := ""
	if len(s.AppIDs) > 0 {
		raw, err := json.Marshal(s.AppIDs)
		if err != nil {
			return fmt.Errorf("event: subscribe %s: %w", s.Name, err)
		}
		appids = string(raw)
	}
	err = l.opts.DB.Upsert(ctx, "event_subscriber", map[string]any{
		"name": s.Name, "types": string(types), "component": s.Component, "appids": appids, "updated_at": time.Now().UnixMilli(),
	}, "name")
	if err != nil {
		return fmt.Errorf("event: subscribe %s: %w", s.Name, err)
	}
	l.subs.remove(s.Name)
	sub := &subscription{Subscriber: s, wake: make(chan struct{}, 1)}
	l.subs.mu.Lock()
	defer l.subs.mu.Unlock()
	l.subs.active[s.Name] = sub
	if l.subs.start != nil {
		l.subs.start(sub)
	}
	return nil
}

// Unsubscribe says that the subscriber is away: its handler is not called again after the return (the context of a
// running call ends), and its events wait.
func (l *Log) Unsubscribe(name string) { l.subs.remove(name) }

// Forget removes a subscriber for good, with everything that still waited for it.
func (l *Log) Forget(ctx context.Context, name string) error {
	l.subs.remove(name)
	return l.opts.DB.Tx(ctx, func(ctx context.Context) error {
		for _, q := range []string{
			"DELETE FROM event_subscriber WHERE name=?",
			"DELETE FROM event_queue WHERE subscriber=?",
			"DELETE FROM event_delivery WHERE subscriber=? AND state=0",
		} {
			if _, err := l.opts.DB.Exec(ctx, q, name); err != nil {
				return fmt.Errorf("event: forget %s: %w", name, err)
			}
		}
		return nil
	})
}

// Known lists the names of all subscribers that begin with prefix, also of those that are away.
func (l *Log) Known(ctx context.Context, prefix string) ([]string, error) {
	var rows []struct{ Name string }
	if err := l.opts.DB.All(ctx, &rows, "SELECT name FROM event_subscriber WHERE name>=? AND name<? ORDER BY name", prefix, prefix+"\U0010FFFF"); err != nil {
		return nil, fmt.Errorf("event: subscribers: %w", err)
	}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	return names, nil
}

func (s *subscribers) remove(name string) {
	s.mu.Lock()
	sub := s.active[name]
	delete(s.active, name)
	s.mu.Unlock()
	if sub != nil && sub.cancel != nil {
		sub.cancel()
		<-sub.ended
	}
}

// wake lets the named subscribers, when present, look at their queues now.
func (s *subscribers) wake(names map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range names {
		if sub := s.active[name]; sub != nil {
			select {
			case sub.wake <- struct{}{}:
			default:
			}
		}
	}
}

// matches tells whether one of the patterns takes the type.
func matches(patterns []string, typ string) bool {
	for _, p := range patterns {
		if prefix, any := strings.CutSuffix(p, "*"); p == typ || any && strings.HasPrefix(typ, prefix) {
			return true
		}
	}
	return false
}
