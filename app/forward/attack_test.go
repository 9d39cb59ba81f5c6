package forward_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/forward"
	"minifleet/app/notice"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// turncoat answers each question with the next of its addresses, and dials nothing.
type turncoat struct {
	mu      sync.Mutex
	answers []string
	asked   int
	dialled []string
}

func (r *turncoat) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.answers[min(r.asked, len(r.answers)-1)]
	r.asked++
	return []netip.Addr{netip.MustParseAddr(a)}, nil
}

func (r *turncoat) dial(_ context.Context, _, address string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dialled = append(r.dialled, address)
	return nil, errors.New("nobody there")
}

// A name that leads to the public when it is looked at and into the intranet when it is dialled leads nowhere.
func TestANameThatTurnsTowardsTheIntranetLeadsNowhere(t *testing.T) {
	names := &turncoat{answers: []string{"93.184.216.34", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "::ffff:0:7f00:1"}}
	w := newWorld(t, storetest.Open(t), func(o *forward.Options) {
		o.Webhooks = notice.WebhookOptions{Resolver: names, Dial: names.dial}
	})
	target, _ := w.create(forward.Request{URL: "https://rebind.example/x", Form: forward.FormJSON, Types: []string{forward.AllTypes}})
	for i := range names.answers {
		a, err := w.s.Test(t.Context(), merchant(7), target.ID)
		if err != nil || a.OK {
			t.Fatalf("%d: %+v %v", i, a, err)
		}
		if inside := a.LastError == "地址指向内网或本机，不允许投递"; inside != (i > 0) {
			t.Errorf("%s: %s", names.answers[i], a.LastError)
		}
		if names.asked != i+1 {
			t.Errorf("%s: asked %d times", names.answers[i], names.asked)
		}
	}
	if !slices.Equal(names.dialled, []string{"93.184.216.34:443"}) {
		t.Errorf("dialled %q", names.dialled)
	}
	for _, address := range []string{"https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:0:7f00:1]/", "https://[64:ff9b::a00:1]/", "http://93.184.216.34/", "https://user@93.184.216.34/"} {
		_, _, err := w.s.Create(t.Context(), merchant(7), forward.Request{Component: platformApp, Name: "x", URL: address, Form: forward.FormJSON, Types: []string{forward.AllTypes}})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// What a hostile or broken receiver can do to us ends soon, and is told in words.
func TestAReceiverThatMisbehavesCostsLittle(t *testing.T) {
	elsewhere := &receiver{}
	other := httptest.NewServer(elsewhere)
	defer other.Close()
	var over sync.WaitGroup
	defer over.Wait()
	ended := func(r *http.Request) { <-r.Context().Done() }
	answer := map[string]http.HandlerFunc{
		"/redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/admin", http.StatusTemporaryRedirect)
		},
		"/silent": func(_ http.ResponseWriter, r *http.Request) { ended(r) },
		"/endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
					return
				}
			}
		},
		"/dribble": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, "x"); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		},
		"/headers": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", strings.Repeat("x", 64<<10)) },
		"/binary":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff, 0xfe, 0x00, '<'}) },
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		over.Add(1)
		defer over.Done()
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // only then the server sees that the other side has hung up
			t.Error(err)
		}
		answer[r.URL.Path](w, r)
	}))
	defer srv.Close()
	w := newWorld(t, storetest.Open(t), func(o *forward.Options) { o.Webhooks.Timeout = 500 * time.Millisecond })
	for path, want := range map[string]struct {
		ok    bool
		words string
	}{
		"/redirect": {false, "对方返回 307 跳转，不跟随；请填写最终地址"},
		"/silent":   {false, "没有送达："},
		"/endless":  {true, ""},
		"/dribble":  {true, ""},
		"/headers":  {false, "没有送达："},
		"/binary":   {true, ""},
	} {
		target, _ := w.create(forward.Request{URL: srv.URL + path, Form: forward.FormJSON, Types: []string{forward.AllTypes}})
		a, err := w.s.Test(t.Context(), merchant(7), target.ID)
		if err != nil || a.OK != want.ok || !strings.HasPrefix(a.LastError, want.words) {
			t.Errorf("%s: %+v %v", path, a, err)
		}
		if len(a.Response) > 16<<10 {
			t.Errorf("%s: %d bytes of the answer are kept", path, len(a.Response))
		}
	}
	if got := elsewhere.list(); len(got) != 0 {
		t.Errorf("the redirect was followed: %+v", got)
	}
}

// What a push says never becomes a header, and a push that cannot be sent holds up nobody behind it for good.
func TestAPushCannotWriteHeaders(t *testing.T) {
	w := newWorld(t, storetest.Open(t))
	w.create(forward.Request{URL: w.url + "/$APPID$", Form: forward.FormJSON, Types: []string{forward.AllTypes}})
	w.push("weapp\r\nX-Evil: 1", shopA, "")
	w.push("weapp_audit_fail", shopA, "")
	await(t, "the push behind it", func() bool { return len(w.to.list()) == 1 })
	if a := w.to.list()[0]; a.header.Get("X-Evil") != "" || a.header.Get(notice.HeaderEvent) != "weapp_audit_fail" {
		t.Errorf("%v", a.header)
	}
}

// moving knows whose the platform app is at the moment.
type moving struct {
	owned
	space atomic.Int64
}

func (m *moving) SpaceOf(context.Context, string) (int64, error) {
	if s := m.space.Load(); s != 0 {
		return s, nil
	}
	return 0, fault.New(fault.NotFound, "component_not_found", "没有找到这个第三方平台")
}

func TestPushesOfAPlatformAppThatWentToOthersAreNotTold(t *testing.T) {
	whose := &moving{}
	whose.space.Store(7)
	w := newWorld(t, storetest.Open(t), func(o *forward.Options) { o.Components = whose })
	w.create(forward.Request{URL: w.url, Form: forward.FormJSON, Types: []string{forward.AllTypes}})
	for i, space := range []int64{8, 0, 7} {
		whose.space.Store(space)
		w.push("weapp_audit_fail", shopA, fmt.Sprintf("<Reason>%d</Reason>", space))
		await(t, "the push of space "+fmt.Sprint(space), func() bool {
			rows, _, err := w.events.List(t.Context(), event.Filter{State: event.StateDone})
			return err == nil && len(rows) == i+1
		})
	}
	got := w.to.list()
	if len(got) != 1 || !strings.Contains(string(got[0].body), `"Reason":"7"`) {
		t.Errorf("%d pushes arrived", len(got))
	}
}

// looking is an event log that lets something happen while a replica looks who is known.
type looking struct {
	*event.Log
	meanwhile func()
}

func (l *looking) Known(ctx context.Context, prefix string) ([]string, error) {
	if f := l.meanwhile; f != nil {
		l.meanwhile = nil
		f()
	}
	return l.Log.Known(ctx, prefix)
}

// Two replicas look after the same targets: what one adds, switches on or off is never undone by the other's older look.
func TestAReplicaDoesNotForgetWhatAnotherHasJustAdded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db, func(o *forward.Options) { o.Poll = time.Hour })
		ctx := t.Context()
		second := &looking{Log: event.New(event.Options{DB: db, Clock: clock.System()})}
		o := w.o
		o.Events = second
		replica := forward.New(o)
		var target forward.Target
		second.meanwhile = func() {
			target, _ = w.create(forward.Request{URL: w.url, Form: forward.FormJSON, Types: []string{forward.AllTypes}})
		}
		if err := replica.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		arrives := func(what string, n int) {
			t.Helper()
			w.push("weapp_audit_fail", shopA, "")
			await(t, what, func() bool { return len(w.to.list()) == n })
		}
		second.Unsubscribe(fmt.Sprintf("forward:%d", target.ID)) // its log does not run
		arrives("a push after the other's look", 1)

		if _, err := w.s.Switch(ctx, merchant(7), target.ID, false); err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Switch(ctx, merchant(7), target.ID, true); err != nil {
			t.Fatal(err)
		}
		arrives("a push after off and on", 2)

		// A replica of an older build, or one that was just too late, has forgotten it: it is made known again.
		if err := second.Forget(ctx, fmt.Sprintf("forward:%d", target.ID)); err != nil {
			t.Fatal(err)
		}
		if err := w.s.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		arrives("a push after it was forgotten", 3)
	})
}

func TestManyAtOnceDoNotGetPastTheBound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		if err := db.Insert(t.Context(), "space", map[string]any{"id": 7, "kind": "merchant", "name": "x", "created_at": 1}); err != nil {
			t.Fatal(err)
		}
		var made, refused atomic.Int64
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				_, _, err := w.s.Create(t.Context(), merchant(7), forward.Request{Component: platformApp, Name: "x", URL: w.url, Form: forward.FormJSON, Types: []string{forward.AllTypes}})
				switch {
				case err == nil:
					made.Add(1)
				case fault.KindOf(err) == fault.Conflict:
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if made.Load() != 20 || refused.Load() != 10 {
			t.Errorf("%d made, %d refused", made.Load(), refused.Load())
		}
	})
}
