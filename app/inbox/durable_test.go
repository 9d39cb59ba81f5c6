package inbox

import (
	"context"
	"log/slog"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// withLog is the handler over the real event log, which runs until stop.
func withLog(t *testing.T, db *store.DB, vault *secret.Vault, handle event.Handler) (h *Handler, events *event.Log, stop func()) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	events = event.New(event.Options{DB: db, Sealer: vault, Clock: clock.System(), Logger: quiet, Poll: 50 * time.Millisecond})
	if err := events.Subscribe(context.Background(), event.Subscriber{Name: "tickets", Types: []string{"component_verify_ticket"}, Handle: handle}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- events.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	r := &rooms{keys: map[string]component.Keys{testComponent: {Tokens: []string{testToken}, AESKeys: []string{testKey}}}}
	h, err := New(Options{Keys: r, Owners: r, Events: events, Clock: clock.System(), Wall: clock.Fixed(time.Unix(wallTime, 0)).Now, Registry: prometheus.NewRegistry(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	return h, events, stop
}

func TestEveryPushAnsweredSuccessIsDeliveredAlsoAcrossARestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key"))
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		seen := map[string]int{}
		handle := func(_ context.Context, e event.Event) error {
			p, err := e.Push()
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			seen[p.Ticket()]++
			return nil
		}
		h, _, stop := withLog(t, db, vault, handle)
		accepted := map[string]bool{}
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 20 {
					value := "ticket@@@" + strconv.Itoa(g*100+i)
					for range 2 { // WeChat repeats a push whose answer got lost
						f := &fixture{h: h}
						if w := f.do(push{msg: ticket(value)}.request(t)); w.Code == 200 {
							mu.Lock()
							accepted[value] = true
							mu.Unlock()
						}
					}
				}
			})
		}
		time.Sleep(20 * time.Millisecond)
		stop() // in the middle of it; what comes now is answered 503
		wg.Wait()
		_, events, _ := withLog(t, db, vault, handle)
		deadline := time.Now().Add(10 * time.Second)
		for missing := true; missing; {
			missing = false
			mu.Lock()
			for value := range accepted {
				missing = missing || seen[value] == 0
			}
			mu.Unlock()
			if time.Now().After(deadline) {
				t.Fatalf("accepted %d, delivered %d", len(accepted), len(seen))
			}
			time.Sleep(5 * time.Millisecond)
		}
		rows := 0
		for cursor := ""; ; {
			page, next, err := events.List(context.Background(), event.Filter{Limit: 200, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			rows += len(page)
			if cursor = next; next == "" {
				break
			}
		}
		if rows < len(accepted) || rows > 160 {
			t.Errorf("%d rows for %d accepted pushes: a repetition made its own row", rows, len(accepted))
		}
	})
}

func TestBenchFindsEveryPushItSent(t *testing.T) {
	rows, err := Bench(context.Background(), BenchOptions{Dir: t.TempDir(), Rounds: 1, Pushes: 600})
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 || rows[0].Case != "2 connections, stored" {
		t.Errorf("%+v", rows)
	}
	goals := 0
	for _, r := range rows {
		if r.Value <= 0 || r.Case == "" || r.Metric == "" || r.Unit == "" {
			t.Errorf("%+v", r)
		}
		if r.Goal != "" {
			goals++
		}
	}
	if goals != 1 {
		t.Errorf("%d goals", goals)
	}
}
