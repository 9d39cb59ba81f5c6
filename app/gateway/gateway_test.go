package gateway_test

import (
	"slices"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

type house struct {
	*authtest.World
	grants *grant.Service
	door   *gateway.Gateway
}

// open stages a mini program that belongs to user 1 and is authorised to the merchant's platform app.
func open(t testing.TB, db *store.DB) *house {
	t.Helper()
	w := authtest.New(t, db)
	if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
		t.Fatal(err)
	}
	w.Deliver("authorized")
	h := &house{World: w, grants: grant.New(db, w.Clock, w.Trail, w.Apps)}
	h.door = gateway.New(h.options(gateway.Limits{}))
	return h
}

func (h *house) options(limits gateway.Limits) gateway.Options {
	return gateway.Options{DB: h.DB, Clock: h.Clock, WeChat: h.WeChat, Components: h.Components, Apps: h.Apps, Grants: h.grants, Trail: h.Trail, Limits: limits}
}

func (h *house) as(who account.Actor) wechat.MiniProgram {
	return wechat.MiniProgram{Transport: h.door.As(gateway.Caller{Actor: who}), AppID: authtest.ShopID}
}

func TestTheOwnerNeedsNoGrantAndOthersActOnlyThroughOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), t.Context()
		owner, merchant, stranger := authtest.User(1), authtest.Merchant(), authtest.User(2)
		if _, err := h.as(owner).VersionInfo(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := h.as(stranger).VersionInfo(ctx); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("a stranger: %v", err)
		}
		if _, err := h.grants.Create(ctx, stranger, grant.Request{AppID: authtest.ShopID, SpaceID: stranger.SpaceID, Scopes: []string{"code.commit"}, Source: "x", SourceKey: "x"}); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("a stranger gave itself a grant: %v", err)
		}
		g, err := h.grants.Create(ctx, owner, grant.Request{AppID: authtest.ShopID, SpaceID: merchant.SpaceID, Scopes: []string{"code.commit", "code.trial"}, Source: "installation", SourceKey: "installation:1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.as(merchant).VersionInfo(ctx); err != nil {
			t.Fatalf("a grant lets its holder read: %v", err)
		}
		before := h.Calls("/wxa/release")
		if err := h.as(merchant).Release(ctx); fault.From(err).Code != "no_grant" {
			t.Fatalf("released without the scope: %v", err)
		}
		if h.Calls("/wxa/release") != before {
			t.Fatal("WeChat was called although the house refused")
		}
		if err := h.grants.Revoke(ctx, merchant, g.ID); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("somebody else revoked it: %v", err)
		}
		if err := h.grants.Revoke(ctx, owner, g.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.as(merchant).VersionInfo(ctx); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("the call after the revocation went out: %v", err)
		}
	})
}

func TestAGrantEndsWithItsTerm(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	until := h.Clock.Now().Add(time.Hour).UnixMilli()
	if _, err := h.grants.Create(ctx, authtest.User(1), grant.Request{AppID: authtest.ShopID, SpaceID: 7, Scopes: []string{"code.trial"}, Source: "contract", SourceKey: "contract:1", Until: until}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.as(authtest.Merchant()).VersionInfo(ctx); err != nil {
		t.Fatal(err)
	}
	page, err := h.grants.MiniPrograms(ctx, authtest.Merchant(), miniprogram.Filter{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("the holder does not see it: %v", err)
	}
	h.Clock.Set(61 * time.Minute)
	if _, err := h.as(authtest.Merchant()).VersionInfo(ctx); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("after the term: %v", err)
	}
	if page, err := h.grants.MiniPrograms(ctx, authtest.Merchant(), miniprogram.Filter{}); err != nil || len(page.Items) != 0 {
		t.Fatalf("after the term it is still listed: %v", err)
	}
}

func TestARejectedTokenIsRefreshedOnce(t *testing.T) {
	for _, code := range []int{40001, 42001} {
		h, ctx := open(t, storetest.Open(t)), t.Context()
		h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "errcode": code})
		if _, err := h.as(authtest.User(1)).VersionInfo(ctx); err != nil {
			t.Fatalf("%d: %v", code, err)
		}
		if n := h.Calls("/cgi-bin/component/api_authorizer_token"); n != 1 {
			t.Fatalf("%d: %d refreshes", code, n)
		}
		h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "errcode": code, "times": 5})
		if _, err := h.as(authtest.User(1)).VersionInfo(ctx); wechat.Code(err) != code {
			t.Fatalf("%d for ever: %v", code, err)
		}
		if n := h.Calls("/wxa/getversioninfo"); n != 4 {
			t.Fatalf("%d: %d calls, want two and two", code, n)
		}
	}
}

func TestOnlySafeCallsAreRepeatedAfterDoubt(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "drop": true})
	if _, err := h.as(authtest.User(1)).VersionInfo(ctx); err != nil {
		t.Fatalf("a read is repeated: %v", err)
	}
	h.Control("/control/faults", map[string]any{"path": "/wxa/release", "drop": true, "times": 3})
	if err := h.as(authtest.User(1)).Release(ctx); !wechat.Doubtful(err) {
		t.Fatalf("got %v", err)
	}
	if n := h.Calls("/wxa/release"); n != 1 {
		t.Fatalf("release was sent %d times", n)
	}
}

func TestTheSystemReadsAndChangesNothing(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	system := wechat.MiniProgram{Transport: h.door.As(gateway.Caller{System: true, Plugin: "version"}), AppID: authtest.ShopID}
	if _, err := system.VersionInfo(ctx); err != nil {
		t.Fatal(err)
	}
	if err := system.Release(ctx); fault.From(err).Code != "system_reads_only" {
		t.Fatalf("got %v", err)
	}
}

func TestEveryCallLeavesATrailWithItsRid(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	err := h.as(authtest.User(1)).Release(ctx)
	if wechat.Code(err) == 0 {
		t.Fatalf("nothing was audited, so WeChat refuses: %v", err)
	}
	list, _, err := h.Trail.List(ctx, trail.Filter{AppID: authtest.ShopID, Act: "wechat." + wechat.EndpointRelease})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	if e := list[0]; e.RID == "" || e.ErrCode == 0 || e.Outcome != trail.Failed || e.SpaceID != authtest.User(1).SpaceID || e.Actor == "" {
		t.Fatalf("%+v", e)
	}
}

func TestPlatformCallsAreTheMerchantsOwn(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	mine := wechat.Component{Transport: h.door.As(gateway.Caller{Actor: authtest.Merchant()}), AppID: authtest.PlatformID}
	if _, err := mine.Drafts(ctx); err != nil {
		t.Fatal(err)
	}
	theirs := wechat.Component{Transport: h.door.As(gateway.Caller{Actor: authtest.User(1)}), AppID: authtest.PlatformID}
	if _, err := theirs.Drafts(ctx); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("somebody else read the drafts: %v", err)
	}
	for _, name := range []string{wechat.EndpointComponentToken, wechat.EndpointQueryAuth, "no.such"} {
		_, err := h.door.Do(ctx, gateway.Caller{Actor: authtest.User(1)}, wechat.Request{Endpoint: name, Component: authtest.PlatformID, Body: []byte("{}")})
		if k := fault.KindOf(err); !slices.Contains([]fault.Kind{fault.Forbidden, fault.Invalid, fault.NotFound}, k) {
			t.Fatalf("%s: %v", name, err)
		}
	}
}
