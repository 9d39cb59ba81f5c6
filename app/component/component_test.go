package component_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

const appid = "wx0123456789abcdef"

func binding() component.Binding {
	return component.Binding{AppID: appid, Secret: "0123456789abcdef0123456789abcdef", Token: "sf_demo_token_01", AESKey: "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM", Name: "示例平台"}
}

func merchant(space int64) account.Actor {
	return account.Actor{AccountID: 1, SpaceID: space, Name: "商户", Role: account.RoleOwner, SpaceKind: account.Merchant}
}

// upstream is a WeChat that only mints component tokens, slowly.
type upstream struct {
	calls atomic.Int64
	delay time.Duration
	fail  atomic.Int64
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := u.calls.Add(1)
	time.Sleep(u.delay)
	if code := u.fail.Load(); code != 0 {
		_, _ = fmt.Fprintf(w, `{"errcode":%d,"errmsg":"no rid: 1-2-3"}`, code)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"component_access_token": fmt.Sprintf("token-%d", n), "expires_in": 7200})
}

func room(t *testing.T, db *store.DB, u *upstream) (*component.Service, *clock.Manual) {
	t.Helper()
	srv := httptest.NewServer(u)
	t.Cleanup(srv.Close)
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
	return component.New(db, vault, clk, trail.New(db, clk), &wechat.Client{BaseURL: srv.URL}, "https://mf.example.test"), clk
}

func bound(t *testing.T, s *component.Service, clk clock.Clock) {
	t.Helper()
	if _, err := s.Bind(t.Context(), merchant(7), binding()); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveTicket(t.Context(), appid, "ticket@@@1", clk.Now().Unix()); err != nil {
		t.Fatal(err)
	}
}

func TestThirtyCallersAndASlowUpstreamMakeOneCall(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		u := &upstream{delay: 1500 * time.Millisecond}
		s, clk := room(t, db, u)
		bound(t, s, clk)
		var wg sync.WaitGroup
		var good atomic.Int64
		for range 30 {
			wg.Go(func() {
				if token, err := s.Token(t.Context(), appid); err == nil && token == "token-1" {
					good.Add(1)
				} else {
					t.Errorf("%q %v", token, err)
				}
			})
		}
		wg.Wait()
		if u.calls.Load() != 1 || good.Load() != 30 {
			t.Fatalf("%d upstream calls, %d successes", u.calls.Load(), good.Load())
		}
	})
}

func TestTwoReplicasShareOneRefresh(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		u := &upstream{delay: 300 * time.Millisecond}
		srv := httptest.NewServer(u)
		defer srv.Close()
		vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
		if err != nil {
			t.Fatal(err)
		}
		clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
		replica := func() *component.Service {
			return component.New(db, vault, clk, trail.New(db, clk), &wechat.Client{BaseURL: srv.URL}, "https://mf.example.test")
		}
		a, b := replica(), replica()
		bound(t, a, clk)
		var wg sync.WaitGroup
		for _, s := range []*component.Service{a, b, a, b} {
			wg.Go(func() {
				if token, err := s.Token(t.Context(), appid); err != nil || token != "token-1" {
					t.Errorf("%q %v", token, err)
				}
			})
		}
		wg.Wait()
		if n := u.calls.Load(); n != 1 {
			t.Fatalf("%d upstream calls", n)
		}
	})
}

func TestATokenIsRenewedAheadAndAfterARejection(t *testing.T) {
	db := storetest.Open(t)
	u := &upstream{}
	s, clk := room(t, db, u)
	bound(t, s, clk)
	ctx := t.Context()
	want := func(step, token string) {
		t.Helper()
		if got, err := s.Token(ctx, appid); err != nil || got != token {
			t.Fatalf("%s: %q %v, want %s", step, got, err, token)
		}
	}
	want("first", "token-1")
	want("again", "token-1")
	clk.Advance(101 * time.Minute)
	want("19 minutes left: callers go on with it", "token-1")
	if note, err := s.RefreshTokens(ctx); err != nil || !strings.Contains(note, "成功 1 个") {
		t.Fatalf("%q %v", note, err)
	}
	want("the cron job renewed it ahead", "token-2")
	if got, err := s.Renew(ctx, appid, "token-1"); err != nil || got != "token-2" {
		t.Fatalf("rejected an old one: %q %v, want what is stored", got, err)
	}
	if got, err := s.Renew(ctx, appid, "token-2"); err != nil || got != "token-3" {
		t.Fatalf("rejected the stored one: %q %v", got, err)
	}
}

func TestAFailedRefreshBlanksNothing(t *testing.T) {
	db := storetest.Open(t)
	u := &upstream{}
	s, clk := room(t, db, u)
	bound(t, s, clk)
	ctx := t.Context()
	if _, err := s.Token(ctx, appid); err != nil {
		t.Fatal(err)
	}
	u.fail.Store(61004)
	clk.Advance(105 * time.Minute)
	if _, err := s.RefreshTokens(ctx); wechat.Code(err) != 61004 {
		t.Fatalf("got %v", err)
	}
	if got, err := s.Token(ctx, appid); err != nil || got != "token-1" {
		t.Fatalf("the old token must serve until it ends: %q %v", got, err)
	}
	c, err := s.Get(ctx, merchant(7), appid)
	if err != nil || c.LastErrcode != 61004 {
		t.Fatalf("%+v %v", c, err)
	}
}

func TestHealthFollowsTheTicket(t *testing.T) {
	db := storetest.Open(t)
	s, clk := room(t, db, &upstream{})
	ctx := t.Context()
	c, err := s.Bind(ctx, merchant(7), binding())
	if err != nil || c.State != component.StateWaitingTicket {
		t.Fatalf("%+v %v", c, err)
	}
	if _, err := s.Token(ctx, appid); fault.From(err).Code != "no_ticket" {
		t.Fatalf("token without a ticket: %v", err)
	}
	now := clk.Now().Unix()
	if err := s.SaveTicket(ctx, appid, "new", now); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveTicket(ctx, appid, "old", now-600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, component.StateOK}, {31 * time.Minute, component.StateTicketLate}, {12 * time.Hour, component.StateTicketExpired}} {
		clk.Advance(step.after)
		if c, err := s.Get(ctx, merchant(7), appid); err != nil || c.State != step.want {
			t.Fatalf("after %v: %+v %v, want %s", step.after, c, err, step.want)
		}
	}
}

func TestBindingIsCheckedAndKeptFromOthers(t *testing.T) {
	db := storetest.Open(t)
	s, _ := room(t, db, &upstream{})
	ctx := t.Context()
	bad := component.Binding{AppID: "gh_1", Secret: "x", Token: "!", AESKey: "short", Name: " "}
	_, err := s.Bind(ctx, merchant(7), bad)
	if f := fault.From(err); len(f.Fields) != 5 {
		t.Fatalf("refused fields: %v", err)
	}
	if _, err := s.Bind(ctx, merchant(7), binding()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bind(ctx, merchant(8), binding()); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("bound twice: %v", err)
	}
	if _, err := s.Get(ctx, merchant(8), appid); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("another space sees it: %v", err)
	}
	user := account.Actor{AccountID: 2, SpaceID: 9, Role: account.RoleOwner, SpaceKind: account.Personal}
	if _, err := s.Bind(ctx, user, binding()); fault.KindOf(err) != fault.Forbidden {
		t.Fatalf("an ordinary user bound a platform: %v", err)
	}
	rows, err := db.Maps(context.WithoutCancel(ctx), "SELECT * FROM component")
	if err != nil || len(rows) != 1 {
		t.Fatal(err)
	}
	for column, value := range rows[0] {
		for _, secret := range []string{binding().Secret, binding().Token, binding().AESKey} {
			if strings.Contains(fmt.Sprint(value), secret) {
				t.Errorf("column %s holds a secret in clear", column)
			}
		}
	}
	k, err := s.Keys(ctx, appid)
	if err != nil || len(k.Tokens) != 1 || k.Tokens[0] != binding().Token || k.AESKeys[0] != binding().AESKey {
		t.Fatalf("%+v %v", k, err)
	}
}
