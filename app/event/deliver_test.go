package event

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestAFailingEventHoldsOnlyItsOwnQueue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		l.opts.MaxAttempts = 1000
		var broken atomic.Bool
		broken.Store(true)
		in := &inboxOf{fail: func(e Event) error {
			if e.Subject == "bad" && broken.Load() {
				return errors.New("not now")
			}
			return nil
		}}
		must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
		run(t, l)
		for _, r := range []Record{record("wxa", "bad"), record("wxa", "behind bad"), record("wxb", "free")} {
			must(t, l.Append(ctx, r))
		}
		await(t, "the other queue", func() bool { return len(in.subjects()) == 1 })
		time.Sleep(60 * time.Millisecond)
		if got := fmt.Sprint(in.subjects()); got != "[free]" {
			t.Fatalf("delivered %s while the head of the queue fails", got)
		}
		broken.Store(false)
		await(t, "the queue to go on", func() bool { return len(in.subjects()) == 3 })
		if got := fmt.Sprint(in.subjects()); got != "[free bad behind bad]" {
			t.Errorf("order %s", got)
		}
		if in.events[1].Attempt < 2 {
			t.Errorf("attempt %d of a repeated event", in.events[1].Attempt)
		}
	})
}

func TestADeadLetterReleasesItsQueueAndCanBeReplayed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		var broken atomic.Bool
		broken.Store(true)
		in := &inboxOf{fail: func(e Event) error {
			if e.Subject == "poison" && broken.Load() {
				panic("cannot digest " + strings.Repeat("长", 400))
			}
			return nil
		}}
		must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
		run(t, l)
		must(t, l.Append(ctx, record("wxa", "poison")))
		must(t, l.Append(ctx, record("wxa", "next")))
		await(t, "the next event", func() bool { return len(in.subjects()) == 1 })

		dead, _, err := l.List(ctx, Filter{State: StateDead})
		must(t, err)
		if len(dead) != 1 || dead[0].Subject != "poison" || dead[0].State != StateDead || dead[0].Dead != 1 {
			t.Fatalf("dead letters: %+v", dead)
		}
		ds, err := l.Deliveries(ctx, dead[0].ID)
		must(t, err)
		if len(ds) != 1 || ds[0].Attempts != 3 || ds[0].State != StateDead || !strings.HasPrefix(ds[0].LastError, "handler panicked: cannot digest") {
			t.Errorf("deliveries: %+v", ds)
		}
		broken.Store(false)
		must(t, l.Replay(ctx, dead[0].ID, "s"))
		await(t, "the replayed event", func() bool { return len(in.subjects()) == 2 })
		await(t, "its end", func() bool {
			d, err := l.Get(ctx, dead[0].ID)
			return err == nil && d.State == StateDone
		})
	})
}

func TestReplay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		a, b := &inboxOf{}, &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "a", Types: []string{"weapp_*"}, Handle: a.handle}))
		run(t, l)
		must(t, l.Append(ctx, record("wxa", "one")))
		await(t, "first delivery", func() bool { return len(a.subjects()) == 1 })
		inert := record("wxa", "inert")
		inert.Inert = true
		must(t, l.Append(ctx, inert))
		await(t, "the inert one", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log") == 2 })
		must(t, l.Subscribe(ctx, Subscriber{Name: "b", Types: []string{"weapp_*"}, Handle: b.handle}))
		rows, _, err := l.List(ctx, Filter{})
		must(t, err)
		if len(rows) != 2 || rows[0].State != StateInert {
			t.Fatalf("rows %+v", rows)
		}
		must(t, l.Replay(ctx, rows[1].ID, ""))
		await(t, "both, the new one too", func() bool { return len(a.subjects()) == 2 && len(b.subjects()) == 1 })
		for name, c := range map[string]struct {
			id   int64
			sub  string
			want error
		}{
			"inert":              {rows[0].ID, "", ErrInert},
			"unknown event":      {42, "", ErrNotFound},
			"unknown subscriber": {rows[1].ID, "nobody", ErrNotFound},
		} {
			if err := l.Replay(ctx, c.id, c.sub); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		time.Sleep(80 * time.Millisecond)
		if len(a.subjects()) != 2 {
			t.Errorf("inert event was delivered: %v", a.subjects())
		}
	})
}

// Whoever has seen an event handled may ask for it again before the batch it came with is acknowledged.
func TestAReplayWhileTheEventIsHandledIsNotLost(t *testing.T) {
	for name, fails := range map[string]bool{"the handler succeeds": false, "the handler gives it up": true} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				ctx := context.Background()
				l := newLog(db)
				l.opts.MaxAttempts = 1
				at, goOn := make(chan Event), make(chan error)
				must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: func(ctx context.Context, e Event) error {
					select {
					case at <- e:
						return <-goOn
					case <-ctx.Done():
						return ctx.Err()
					}
				}}))
				run(t, l)
				must(t, l.Append(ctx, record("wxa", "asked for again")))
				e := <-at
				must(t, l.Replay(ctx, e.ID, "s"))
				if fails {
					goOn <- errors.New("not now")
				} else {
					goOn <- nil
				}
				select {
				case again := <-at:
					if again.ID != e.ID || again.Attempt != 1 {
						t.Errorf("delivered again as %d, attempt %d", again.ID, again.Attempt)
					}
					goOn <- nil
				case <-time.After(10 * time.Second):
					t.Fatal("the replay was lost")
				}
				await(t, "its end", func() bool {
					d, err := l.Get(ctx, e.ID)
					return err == nil && d.State == StateDone
				})
			})
		})
	}
}

func TestAnAbsentSubscribersEventsWaitAndAForgottenOnesDoNot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		in := &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "plugin:x", Types: []string{"*"}, Handle: in.handle}))
		must(t, l.Subscribe(ctx, Subscriber{Name: "plugin:y", Types: []string{"*"}, Handle: in.handle}))
		run(t, l)
		l.Unsubscribe("plugin:x")
		l.Unsubscribe("plugin:y")
		must(t, l.Append(ctx, record("wxa", "1")))
		await(t, "rows for both", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_delivery WHERE state=0") == 2 })
		must(t, l.Forget(ctx, "plugin:y"))
		must(t, l.Append(ctx, record("wxa", "2")))
		must(t, l.Subscribe(ctx, Subscriber{Name: "plugin:x", Types: []string{"*"}, Handle: in.handle}))
		await(t, "both events of the returned one", func() bool { return len(in.subjects()) == 2 })
		await(t, "nothing left", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_delivery WHERE state=0") == 0 })
		if n := count(t, db, "SELECT COUNT(*) FROM event_delivery"); n != 2 {
			t.Errorf("%d deliveries, want 2", n)
		}
	})
}

func TestTwoReplicasShareTheWorkAndKeepTheOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		var mu sync.Mutex
		got := map[string][]string{}
		handle := func(_ context.Context, e Event) error {
			mu.Lock()
			defer mu.Unlock()
			got[e.AppID] = append(got[e.AppID], e.Subject)
			return nil
		}
		one, two := newLog(db), newLog(db)
		must(t, one.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: handle}))
		must(t, two.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: handle}))
		run(t, one)
		run(t, two)
		want := ""
		for i := range 40 {
			l := one
			if i%2 == 1 {
				l = two
			}
			for _, appid := range []string{"wxa", "wxb", "wxc"} {
				must(t, l.Append(ctx, record(appid, fmt.Sprintf("%02d", i))))
			}
			want += fmt.Sprintf(" %02d", i)
		}
		await(t, "120 deliveries", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_delivery WHERE state=1") == 120 })
		mu.Lock()
		defer mu.Unlock()
		for appid, list := range got {
			if len(list) != 40 {
				t.Errorf("%s got %d events", appid, len(list))
			}
		}
	})
}

func TestASlowSubscriberDelaysNobodyElse(t *testing.T) {
	ctx := context.Background()
	db := storetest.Open(t)
	l := newLog(db)
	release := make(chan struct{})
	defer close(release)
	slow := func(ctx context.Context, _ Event) error {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	in := &inboxOf{}
	must(t, l.Subscribe(ctx, Subscriber{Name: "slow", Types: []string{"*"}, Handle: slow}))
	must(t, l.Subscribe(ctx, Subscriber{Name: "quick", Types: []string{"*"}, Handle: in.handle}))
	stop := run(t, l)
	for i := range 10 {
		must(t, l.Append(ctx, record(fmt.Sprint("wx", i), "x")))
	}
	await(t, "the quick one", func() bool { return len(in.subjects()) == 10 })
	stop() // cut off in the middle of a call: no try is counted, and the lease is given back
	if n := count(t, db, "SELECT COUNT(*) FROM event_delivery WHERE subscriber='slow' AND (attempts<>0 OR state<>0)"); n != 0 {
		t.Errorf("%d events of the slow one were booked as tried", n)
	}
	if n := count(t, db, "SELECT COUNT(*) FROM event_queue WHERE lease_until>0"); n != 0 {
		t.Errorf("%d leases outlive their process", n)
	}
}
