package event

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// reverse seals by turning bytes around: enough to see that nothing is stored in clear and everything is opened again.
type reverse struct{}

func (reverse) Seal(p string, plain []byte) ([]byte, error) {
	return append([]byte(p+":"), backwards(plain)...), nil
}

func (reverse) Open(p string, sealed []byte) ([]byte, error) {
	rest, ok := bytes.CutPrefix(sealed, []byte(p+":"))
	if !ok {
		return nil, errors.New("sealed for another purpose")
	}
	return backwards(rest), nil
}

func backwards(b []byte) []byte {
	out := make([]byte, len(b))
	for i, c := range b {
		out[len(b)-1-i] = c
	}
	return out
}

func newLog(db *store.DB) *Log {
	return New(Options{
		DB: db, Sealer: reverse{}, Clock: clock.Fixed(time.UnixMilli(1_790_000_000_000)), Logger: slog.New(slog.DiscardHandler),
		MaxAttempts: 3, Backoff: func(int) time.Duration { return 5 * time.Millisecond }, Poll: 50 * time.Millisecond,
	})
}

// run starts l and ends it with the test; the returned function ends it earlier.
func run(t *testing.T, l *Log) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("Run: %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Error("Run did not end")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// inboxOf collects what a subscriber receives.
type inboxOf struct {
	mu     sync.Mutex
	events []Event
	fail   func(Event) error
}

func (i *inboxOf) handle(_ context.Context, e Event) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fail != nil {
		if err := i.fail(e); err != nil {
			return err
		}
	}
	i.events = append(i.events, e)
	return nil
}

func (i *inboxOf) subjects() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var s []string
	for _, e := range i.events {
		s = append(s, e.Subject)
	}
	return s
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func record(appid, subject string) Record {
	return Record{Type: "weapp_audit_success", Source: SourceWeChat, Component: "wxcomponent", AppID: appid, Subject: subject,
		URLKind: "message", CreateTime: 1_790_000_000, Payload: []byte("<xml>" + subject + "</xml>")}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *store.DB, query string, args ...any) int64 {
	t.Helper()
	n, err := db.Int(context.Background(), query, args...)
	must(t, err)
	return n
}

func TestAnEventReachesItsSubscribersWithOpenedPayload(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		exact, prefix, other := &inboxOf{}, &inboxOf{}, &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "exact", Types: []string{"weapp_audit_success"}, Handle: exact.handle}))
		must(t, l.Subscribe(ctx, Subscriber{Name: "other", Types: []string{"authorized", "weapp_audit"}, Handle: other.handle}))
		run(t, l)
		must(t, l.Subscribe(ctx, Subscriber{Name: "prefix", Types: []string{"weapp_audit_*"}, Handle: prefix.handle}))
		must(t, l.Append(ctx, record("wxa", "one")))
		await(t, "both subscribers", func() bool { return len(exact.subjects()) == 1 && len(prefix.subjects()) == 1 })
		got := exact.events[0]
		want := record("wxa", "one")
		if got.Type != want.Type || got.AppID != "wxa" || got.Component != "wxcomponent" || got.CreateTime != want.CreateTime ||
			!bytes.Equal(got.Payload, want.Payload) || got.Attempt != 1 || got.ReceivedAt != 1_790_000_000_000 || got.URLKind != "message" {
			t.Errorf("event came changed: %+v", got)
		}
		if n := count(t, db, "SELECT COUNT(*) FROM event_log WHERE payload=?", want.Payload); n != 0 {
			t.Error("payload is stored in clear")
		}
		await(t, "acknowledgement", func() bool {
			return count(t, db, "SELECT COUNT(*) FROM event_delivery WHERE state=1") == 2
		})
		if len(other.subjects()) != 0 {
			t.Error("a subscriber got a type it did not ask for")
		}
	})
}

func TestARepeatedPushIsStoredAndDeliveredOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		in := &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
		run(t, l)
		key := []byte("0123456789abcdef0123456789abcdef")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				r := record("wxa", "same")
				r.Dedupe = key
				if err := l.Append(ctx, r); err != nil {
					t.Error(err)
				}
				if err := l.Append(ctx, record("wxa", fmt.Sprint("other", i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		must(t, l.AppendTx(ctx, []Record{{Type: "x", Source: SourceCore, Dedupe: key}}))
		await(t, "deliveries", func() bool { return len(in.subjects()) == 21 })
		if n := count(t, db, "SELECT COUNT(*) FROM event_log"); n != 21 {
			t.Errorf("%d rows, want 21", n)
		}
	})
}

func TestAppendTxLivesAndDiesWithTheCallersTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		in := &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"version.*"}, Handle: in.handle}))
		run(t, l)
		failed := errors.New("no")
		err := db.Tx(ctx, func(ctx context.Context) error {
			must(t, l.AppendTx(ctx, []Record{{Type: "version.gone", Source: "plugin:version", Subject: "gone"}}))
			return failed
		})
		if !errors.Is(err, failed) {
			t.Fatalf("Tx: %v", err)
		}
		must(t, db.Tx(ctx, func(ctx context.Context) error { // Append joins as well, instead of waiting for ever
			return l.Append(ctx, Record{Type: "core.other", Source: SourceCore})
		}))
		must(t, db.Tx(ctx, func(ctx context.Context) error {
			return l.AppendTx(ctx, []Record{{Type: "version.installed", Source: "plugin:version", Subject: "kept", SpaceID: 7}})
		}))
		await(t, "the committed event", func() bool { return len(in.subjects()) == 1 })
		if got := in.events[0]; got.Subject != "kept" || got.SpaceID != 7 || got.Source != "plugin:version" {
			t.Errorf("got %+v", got)
		}
		if n := count(t, db, "SELECT COUNT(*) FROM event_log"); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
	})
}

func TestWhatWasAppendedBeforeACrashIsDeliveredAfterIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		first := newLog(db)
		must(t, first.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: func(context.Context, Event) error { return nil }}))
		first.Unsubscribe("s") // away: known, but not present
		stop := run(t, first)
		for i := range 5 {
			must(t, first.Append(ctx, record("wxa", fmt.Sprint(i))))
		}
		await(t, "dispatch", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_delivery") == 5 })
		stop()
		// A crash between append and dispatch leaves the flag at 0; one between dispatch and delivery leaves pending rows
		// under somebody's lease.
		if _, err := db.Exec(ctx, "UPDATE event_queue SET lease_until=?, owner='dead process'", time.Now().Add(150*time.Millisecond).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		must(t, db.Insert(ctx, "event_log", mustPrepare(t, first, record("wxa", "5")).columns()))

		second := newLog(db)
		in := &inboxOf{}
		must(t, second.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
		run(t, second)
		await(t, "all six", func() bool { return len(in.subjects()) == 6 })
		if got := fmt.Sprint(in.subjects()); got != "[0 1 2 3 4 5]" {
			t.Errorf("order %s", got)
		}
	})
}

func mustPrepare(t *testing.T, l *Log, r Record) row {
	t.Helper()
	p, err := l.prepare(r)
	must(t, err)
	return p
}

func TestAnIdThatCommitsLateIsNotLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		in := &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
		run(t, l)
		late := mustPrepare(t, l, record("wxa", "late")) // its id is made now …
		must(t, l.Append(ctx, record("wxa", "early")))
		await(t, "the one that committed first", func() bool { return len(in.subjects()) == 1 })
		must(t, db.Insert(ctx, "event_log", late.columns())) // … and it commits after a higher one was dispatched
		l.Wake()
		await(t, "the late one", func() bool { return len(in.subjects()) == 2 })
	})
}

func TestParallelAppendsShareTransactions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		stop := run(t, l)
		var wg sync.WaitGroup
		for g := range 32 {
			wg.Go(func() {
				for i := range 10 {
					if err := l.Append(ctx, record("wxa", fmt.Sprint(g, i))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		await(t, "320 rows", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log") == 320 })
		stop()
		if c := l.Commits(); c == 0 || c > 160 {
			t.Errorf("320 appends of 32 senders took %d transactions", c)
		}
	})
}

func TestAppendAfterTheEndIsRefusedAndHonoursItsContext(t *testing.T) {
	db := storetest.Open(t)
	l := newLog(db)
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := l.Append(short, record("wxa", "nobody runs")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Append without Run: %v", err)
	}
	run(t, l)()
	if err := l.Append(context.Background(), record("wxa", "late")); !errors.Is(err, ErrStopped) {
		t.Errorf("Append after Run: %v", err)
	}
}

func TestEveryAcceptedAppendSurvivesTheEnd(t *testing.T) {
	db := storetest.Open(t)
	l := newLog(db)
	stop := run(t, l)
	var wg sync.WaitGroup
	var mu sync.Mutex
	accepted := 0
	for range 16 {
		wg.Go(func() {
			for i := range 200 {
				err := l.Append(context.Background(), record("wxa", fmt.Sprint(i)))
				if err == nil {
					mu.Lock()
					accepted++
					mu.Unlock()
				} else if !errors.Is(err, ErrStopped) {
					t.Error(err)
				}
			}
		})
	}
	time.Sleep(15 * time.Millisecond)
	stop()
	wg.Wait()
	run(t, newLog(db))
	await(t, "every accepted event after the next start", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log") >= int64(accepted) })
	if n := count(t, db, "SELECT COUNT(*) FROM event_log"); n != int64(accepted) {
		t.Errorf("%d rows, %d were accepted", n, accepted)
	}
}

func TestBadRecordsAreRefused(t *testing.T) {
	l := newLog(storetest.Open(t))
	for name, r := range map[string]Record{
		"no type":         {Source: SourceCore},
		"no source":       {Type: "x"},
		"long type":       {Type: string(make([]byte, 65)), Source: SourceCore},
		"long appid":      {Type: "x", Source: SourceCore, AppID: string(make([]byte, 33))},
		"long dedupe key": {Type: "x", Source: SourceCore, Dedupe: make([]byte, 33)},
	} {
		if err := l.Append(context.Background(), r); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
