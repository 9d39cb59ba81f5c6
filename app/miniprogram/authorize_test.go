package miniprogram_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

const queryAuth = "/cgi-bin/component/api_query_auth"

func TestPushAndReturnComeInEitherOrderAndTwice(t *testing.T) {
	orders := map[string][]string{
		"return first":    {"return", "push"},
		"push first":      {"push", "return"},
		"return only":     {"return"},
		"push only":       {"push"},
		"everything many": {"push", "return", "return", "push", "return"},
	}
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) { settles(t, authtest.New(t, db), order) })
		})
	}
}

// settles lets push and return come in the order and expects one exchange, one owner, one event.
func settles(t *testing.T, w *authtest.World, order []string) {
	t.Helper()
	ask := w.Ticket(authtest.User(1))
	back := w.Scan(ask, authtest.ShopID)
	push := w.Take("authorized")
	for _, step := range order {
		if step == "push" {
			w.Hand(push)
			continue
		}
		if got, err := w.ComeBack(back); err != nil || got.State != miniprogram.Authorized {
			t.Fatalf("return: %+v %v", got, err)
		}
	}
	got := w.State(ask.ID)
	m, err := w.Apps.Find(t.Context(), authtest.ShopID)
	if err != nil || got.State != miniprogram.Authorized || got.AppID != authtest.ShopID || m.OwnerSpaceID != authtest.User(1).SpaceID || m.NickName != "街角咖啡" {
		t.Fatalf("ticket %+v, mini program %+v, err %v", got, m, err)
	}
	if n := w.Calls(queryAuth); n != 1 {
		t.Fatalf("the code was exchanged %d times", n)
	}
	if token, err := w.Apps.Token(t.Context(), authtest.PlatformID, authtest.ShopID); err != nil || token == "" {
		t.Fatalf("token %q %v", token, err)
	}
	if len(w.Events) != 1 {
		t.Fatalf("announced %v", w.Events)
	}
}

func TestPushAndReturnAtTheSameMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := authtest.New(t, db)
		ask := w.Ticket(authtest.User(1))
		back := w.Scan(ask, authtest.ShopID)
		push := w.Take("authorized")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := w.ComeBack(back); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := w.Apps.OnAuthorized(t.Context(), authtest.PlatformID, push.Fields["AuthorizationCode"], push.Fields["PreAuthCode"], push.CreateTime); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got, n := w.State(ask.ID), w.Calls(queryAuth); got.State != miniprogram.Authorized || n != 1 {
			t.Fatalf("%+v after %d exchanges", got, n)
		}
	})
}

func TestAnotherSpacesMiniProgramCannotBeClaimed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := authtest.New(t, db)
		first := w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)
		if _, err := w.ComeBack(first); err != nil {
			t.Fatal(err)
		}
		w.Deliver("authorized")
		before, err := w.Apps.Token(t.Context(), authtest.PlatformID, authtest.ShopID)
		if err != nil {
			t.Fatal(err)
		}
		w.Clock.Set(0)
		ask := w.Ticket(authtest.User(2))
		// The administrator authorises again for somebody else's link, with other permission sets.
		got, err := w.ComeBack(w.Scan(ask, authtest.ShopID, 17))
		if err != nil || got.State != miniprogram.Failed || got.Failure != miniprogram.FailureOwned {
			t.Fatalf("%+v %v", got, err)
		}
		m, err := w.Apps.Find(t.Context(), authtest.ShopID)
		if err != nil || m.OwnerSpaceID != authtest.User(1).SpaceID {
			t.Fatalf("owner %d, err %v", m.OwnerSpaceID, err)
		}
		after, err := w.Apps.Token(t.Context(), authtest.PlatformID, authtest.ShopID)
		if err != nil || after == before {
			t.Fatalf("the newer tokens must be stored all the same: %v", err)
		}
	})
}

func TestACodeOfOneTicketDoesNotServeAnother(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	victim, attacker := w.Ticket(authtest.User(1)), w.Ticket(authtest.User(2))
	back := w.Scan(victim, authtest.ShopID)
	w.Deliver("authorized")
	own := w.Scan(attacker, authtest.CafeID)
	stolen := *back
	stolen.Path = own.Path
	if got, err := w.ComeBack(&stolen); err != nil || got.State == miniprogram.Authorized {
		t.Fatalf("somebody else's code was taken: %+v %v", got, err)
	}
	if m, err := w.Apps.Find(t.Context(), authtest.ShopID); err != nil || m.OwnerSpaceID != authtest.User(1).SpaceID {
		t.Fatalf("%+v %v", m, err)
	}
}

func TestReturnRefusesForgedTicketsAndEmptyCodes(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	ask := w.Ticket(authtest.User(1))
	back := w.Scan(ask, authtest.ShopID)
	signed := strings.TrimPrefix(back.Path, "/auth/return/")
	for name, c := range map[string]struct{ signed, code, want string }{
		"unsigned":    {ask.ID, "x", "ticket_not_found"},
		"other id":    {"a" + signed[1:], "x", "ticket_not_found"},
		"cut":         {signed[:len(signed)-2], "x", "ticket_not_found"},
		"no code":     {signed, "", "no_auth_code"},
		"forged code": {signed, "queryauthcode@@@forged", "wechat_61009"},
	} {
		if _, err := w.Apps.Return(t.Context(), c.signed, c.code); fault.From(err) == nil || fault.From(err).Code != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if got := w.State(ask.ID); got.State != miniprogram.Failed || got.Failure != miniprogram.FailureCode {
		t.Fatalf("after a code that WeChat refused: %+v", got)
	}
	if got, err := w.ComeBack(back); err != nil || got.State != miniprogram.Authorized {
		t.Fatalf("the true return after it: %+v %v", got, err)
	}
}

func TestCancelledAndExpiredTickets(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	ctx := t.Context()
	ask := w.Ticket(authtest.User(1))
	if _, err := w.Apps.Cancel(ctx, authtest.User(2), ask.ID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("somebody else cancelled it: %v", err)
	}
	if got, err := w.Apps.Cancel(ctx, authtest.User(1), ask.ID); err != nil || got.State != miniprogram.Cancelled {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := w.Apps.Links(ctx, ask.ID); fault.KindOf(err) != fault.Conflict {
		t.Fatalf("a cancelled ticket still opens: %v", err)
	}
	late := w.Ticket(authtest.User(1))
	w.Clock.Set(31 * time.Minute)
	if got := w.State(late.ID); got.State != miniprogram.Expired {
		t.Fatalf("after 31 minutes: %+v", got)
	}
	if note, err := w.Apps.ExpireTickets(ctx); err != nil || note != "过期 1 个" {
		t.Fatalf("%q %v", note, err)
	}
}

func TestAPreAuthCodeIsMadeOnClickOnly(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	const path = "/cgi-bin/component/api_create_preauthcode"
	ask := w.Ticket(authtest.User(1))
	w.State(ask.ID)
	if n := w.Calls(path); n != 0 {
		t.Fatalf("%d codes before a click", n)
	}
	one, err := w.Apps.Links(t.Context(), ask.ID)
	if err != nil {
		t.Fatal(err)
	}
	two, err := w.Apps.Links(t.Context(), ask.ID)
	if err != nil || w.Calls(path) != 2 {
		t.Fatalf("%d codes after two clicks, err %v", w.Calls(path), err)
	}
	for _, l := range []string{one.PC, one.H5} {
		u, err := url.Parse(l)
		if err != nil || u.Query().Get("component_appid") != authtest.PlatformID || !strings.Contains(u.Query().Get("redirect_uri"), "/auth/return/") {
			t.Fatalf("link %s: %v", l, err)
		}
	}
	if one.PC == two.PC {
		t.Fatal("two openings share a single-use code")
	}
}

func TestUnauthorizedEndsTheTokensAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := authtest.New(t, db)
		ctx := t.Context()
		if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
			t.Fatal(err)
		}
		old := w.Take("authorized")
		w.Hand(old)
		w.Control("/control/clock", map[string]any{"advance_seconds": 60})
		w.Clock.Set(time.Minute)
		w.Control("/control/unauthorize", map[string]any{"component_appid": authtest.PlatformID, "appid": authtest.ShopID})
		gone := w.Take("unauthorized")
		w.Hand(gone)
		if _, err := w.Apps.Token(ctx, authtest.PlatformID, authtest.ShopID); fault.From(err).Code != "authorization_revoked" {
			t.Fatalf("a token left the house: %v", err)
		}
		row, err := db.Maps(ctx, "SELECT access_token, refresh_token FROM authorization")
		if err != nil || row[0]["access_token"] != "" || row[0]["refresh_token"] != "" {
			t.Fatalf("%v %v", row, err)
		}
		// A late repetition of the authorisation does not revive it.
		w.Hand(old)
		if _, err := w.Apps.Token(ctx, authtest.PlatformID, authtest.ShopID); err == nil {
			t.Fatal("an older push revived the authorisation")
		}
		// Authorised again: the late revocation is older than it and changes nothing.
		w.Control("/control/clock", map[string]any{"advance_seconds": 60})
		w.Clock.Set(2 * time.Minute)
		if got, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil || got.State != miniprogram.Authorized {
			t.Fatalf("%+v %v", got, err)
		}
		w.Hand(gone)
		if token, err := w.Apps.Token(ctx, authtest.PlatformID, authtest.ShopID); err != nil || token == "" {
			t.Fatalf("a late revocation ended a newer authorisation: %v", err)
		}
	})
}

func TestUpdateauthorizedReplacesSetsAndTokens(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID, 18)); err != nil {
		t.Fatal(err)
	}
	w.Deliver("authorized")
	if _, err := w.Apps.Holder(t.Context(), authtest.ShopID, "", 18); fault.From(err).Code != "missing_permission_set" {
		t.Fatalf("set 18 was not granted: %v", err)
	}
	before, err := w.Apps.Token(t.Context(), authtest.PlatformID, authtest.ShopID)
	if err != nil {
		t.Fatal(err)
	}
	w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)
	w.Deliver("updateauthorized")
	holder, err := w.Apps.Holder(t.Context(), authtest.ShopID, "", 18)
	if err != nil || holder != authtest.PlatformID {
		t.Fatalf("%q %v", holder, err)
	}
	after, err := w.Apps.Token(t.Context(), authtest.PlatformID, authtest.ShopID)
	if err != nil || after == before {
		t.Fatalf("the cached access token was kept: %v", err)
	}
}

func TestThirtyCallersRefreshOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := authtest.New(t, db)
		if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
			t.Fatal(err)
		}
		const path = "/cgi-bin/component/api_authorizer_token"
		w.Control("/control/clock", map[string]any{"advance_seconds": 7100})
		w.Clock.Set(7100 * time.Second)
		if _, err := w.Components.Token(t.Context(), authtest.PlatformID); err != nil {
			t.Fatal(err)
		}
		w.Control("/control/faults", map[string]any{"path": path, "delay_ms": 1500, "times": 30})
		var wg sync.WaitGroup
		var mu sync.Mutex
		var tokens []string
		for range 30 {
			wg.Go(func() {
				token, err := w.Apps.Token(t.Context(), authtest.PlatformID, authtest.ShopID)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				tokens = append(tokens, token)
				mu.Unlock()
			})
		}
		wg.Wait()
		if n := w.Calls(path); n != 1 || len(slices.Compact(tokens)) != 1 || tokens[0] == "" {
			t.Fatalf("%d upstream calls, %d different tokens", n, len(slices.Compact(tokens)))
		}
	})
}

func TestADeadRefreshTokenAsksForANewAuthorisation(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
		t.Fatal(err)
	}
	w.Control("/control/clock", map[string]any{"advance_seconds": 7100})
	w.Clock.Set(7100 * time.Second)
	w.Control("/control/faults", map[string]any{"path": "/cgi-bin/component/api_authorizer_token", "errcode": 61023})
	if _, err := w.Apps.RefreshTokens(t.Context()); fault.From(err).Code != "wechat_61023" {
		t.Fatalf("%v", err)
	}
	if _, err := w.Apps.Token(t.Context(), authtest.PlatformID, authtest.ShopID); fault.From(err).Code != "authorization_invalid" {
		t.Fatalf("%v", err)
	}
	row, err := w.DB.Maps(t.Context(), "SELECT refresh_token FROM authorization")
	if err != nil || row[0]["refresh_token"] == "" {
		t.Fatalf("the refresh token was deleted: %v %v", row, err)
	}
}

func TestASyncThatFailsChangesNothing(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
		t.Fatal(err)
	}
	before, err := w.Apps.Find(t.Context(), authtest.ShopID)
	if err != nil {
		t.Fatal(err)
	}
	w.Control("/control/faults", map[string]any{"path": "/cgi-bin/component/api_get_authorizer_info", "errcode": -1, "times": 5})
	if err := w.Apps.Sync(t.Context(), authtest.User(1), authtest.ShopID); err == nil {
		t.Fatal("a refused sync succeeded")
	}
	after, err := w.Apps.Find(t.Context(), authtest.ShopID)
	if err != nil || after.NickName != before.NickName || after.SyncedAt != before.SyncedAt || len(after.Authorizations[0].Sets) == 0 {
		t.Fatalf("%+v %v", after, err)
	}
}

func TestAProfileThatWasNotReadIsReadByTheEvent(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	w.Control("/control/faults", map[string]any{"path": "/cgi-bin/component/api_get_authorizer_info", "errcode": -1})
	if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
		t.Fatal(err)
	}
	if m, err := w.Apps.Find(t.Context(), authtest.ShopID); err != nil || m.Name() != authtest.ShopID {
		t.Fatalf("%+v %v", m, err)
	}
	for range 2 {
		if err := w.Apps.EnsureProfile(t.Context(), authtest.PlatformID, authtest.ShopID); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Apps.EnsureProfile(t.Context(), authtest.PlatformID, "wx0000000000000000"); err != nil {
		t.Fatalf("an unknown mini program is nothing to repeat for: %v", err)
	}
	if m, err := w.Apps.Find(t.Context(), authtest.ShopID); err != nil || m.Name() != "街角咖啡" || w.Calls("/cgi-bin/component/api_get_authorizer_info") != 2 {
		t.Fatalf("%+v %v", m, err)
	}
}
