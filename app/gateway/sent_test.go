package gateway_test

import (
	"strings"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

func TestADoubtfulKeyIsNotSentAgainUntilItIsSettled(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), wechat.WithKey(t.Context(), "release:1")
		owner := gateway.Caller{Actor: authtest.User(1)}
		h.Control("/control/faults", map[string]any{"path": "/wxa/release", "drop": true, "times": 1})
		if err := h.as(owner.Actor).Release(ctx); !wechat.Doubtful(err) {
			t.Fatal(err)
		}
		// Another replica, or the same one after a restart, on the same database.
		restarted := gateway.New(h.options(gateway.Limits{}))
		app := wechat.MiniProgram{Transport: restarted.As(owner), AppID: authtest.ShopID}
		if err := app.Release(ctx); fault.From(err).Code != "wechat_unsettled" {
			t.Fatalf("sent again: %v", err)
		}
		if n := h.Calls("/wxa/release"); n != 1 {
			t.Fatalf("%d calls", n)
		}
		open, err := restarted.Unsettled(ctx, 10)
		if err != nil || len(open) != 1 || open[0].Endpoint != wechat.EndpointRelease || open[0].AppID != authtest.ShopID {
			t.Fatalf("%+v %v", open, err)
		}
		if err := restarted.Settle(ctx, gateway.Caller{Actor: authtest.User(2)}, "release:1", false); err != nil {
			t.Fatal(err)
		}
		if err := app.Release(ctx); fault.From(err).Code != "wechat_unsettled" {
			t.Fatalf("another space has settled it: %v", err)
		}
		if err := restarted.Settle(ctx, owner, "release:1", false); err != nil {
			t.Fatal(err)
		}
		if err := app.Release(ctx); wechat.Code(err) != 85019 && wechat.Code(err) == 0 {
			t.Fatalf("after it was settled as absent: %v", err)
		}
		if n := h.Calls("/wxa/release"); n != 2 {
			t.Fatalf("%d calls", n)
		}
		if err := restarted.Settle(ctx, owner, "release:1", true); err != nil {
			t.Fatal(err) // settled already: nothing changes
		}
	})
}

// A process that dies between mark and answer leaves a mark that says sending.
func TestACrashBetweenMarkAndAnswerIsFound(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), wechat.WithKey(t.Context(), "release:2")
	owner := gateway.Caller{Actor: authtest.User(1)}
	if err := h.as(owner.Actor).Release(ctx); wechat.Code(err) == 0 {
		t.Fatalf("nothing was audited, so WeChat refuses: %v", err)
	}
	// What the database holds when the process ends before the answer is noted.
	if _, err := h.DB.Exec(ctx, "UPDATE wechat_sent SET outcome='sending', ended_at=0"); err != nil {
		t.Fatal(err)
	}
	restarted := gateway.New(h.options(gateway.Limits{}))
	app := wechat.MiniProgram{Transport: restarted.As(owner), AppID: authtest.ShopID}
	err := app.Release(ctx)
	if f := fault.From(err); f.Code != "wechat_in_flight" || f.RetryAfter <= 0 {
		t.Fatalf("it may still be on its way: %v", err)
	}
	if open, err := restarted.Unsettled(ctx, 10); err != nil || len(open) != 0 {
		t.Fatalf("listed too early: %v %v", open, err)
	}
	h.Clock.Set(5 * time.Minute)
	if err := app.Release(ctx); fault.From(err).Code != "wechat_unsettled" {
		t.Fatal(err)
	}
	if open, err := restarted.Unsettled(ctx, 10); err != nil || len(open) != 1 {
		t.Fatalf("%v %v", open, err)
	}
	if err := restarted.Settle(ctx, owner, "release:2", true); err != nil {
		t.Fatal(err)
	}
	if err := app.Release(ctx); fault.From(err).Code != "wechat_already_sent" {
		t.Fatal(err)
	}
	if n := h.Calls("/wxa/release"); n != 1 {
		t.Fatalf("%d calls", n)
	}
	h.Clock.Set(40 * 24 * time.Hour)
	if n, err := restarted.Prune(ctx, h.Clock.Now().AddDate(0, 0, -30)); err != nil || n != 1 {
		t.Fatalf("pruned %d, %v", n, err)
	}
}

func TestAReadLeavesNoMarkAndASuccessCannotBeSentTwice(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), wechat.WithKey(t.Context(), "bind:1")
	app := h.as(authtest.User(1))
	if _, err := app.VersionInfo(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := h.DB.Int(ctx, "SELECT COUNT(*) FROM wechat_sent"); err != nil || n != 0 {
		t.Fatalf("%d marks of a read, %v", n, err)
	}
	if _, err := app.BindTester(ctx, "zhangsan"); err != nil {
		t.Fatal(err)
	}
	if _, err := app.BindTester(ctx, "zhangsan"); fault.From(err).Code != "wechat_already_sent" {
		t.Fatal(err)
	}
	if n := h.Calls("/wxa/bind_tester"); n != 1 {
		t.Fatalf("%d calls", n)
	}
	list, _, err := h.Trail.List(ctx, trail.Filter{AppID: authtest.ShopID, Act: "wechat." + wechat.EndpointBindTester})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d entries, %v", len(list), err)
	}
	changes, err := h.DB.Int(ctx, "SELECT COUNT(*) FROM trail WHERE act=? AND changes LIKE ?", "wechat."+wechat.EndpointBindTester, "%wechatid%")
	if err != nil || changes != 1 {
		t.Fatalf("the trail does not say what was asked for: %v", err)
	}
}

func TestASpentBudgetRefusesWithAMomentAndSendsNothing(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	door := gateway.New(h.options(gateway.Limits{AppPerMinute: 20}))
	app := wechat.MiniProgram{Transport: door.As(gateway.Caller{Actor: authtest.User(1)}), AppID: authtest.ShopID}
	before := h.Calls("/wxa/getversioninfo")
	var refused error
	made := 0
	for range 50 {
		if _, refused = app.VersionInfo(ctx); refused != nil {
			break
		}
		made++
	}
	f := fault.From(refused)
	if f.Code != "wechat_budget" || f.Kind != fault.TooMany || f.RetryAfter <= 0 || !strings.Contains(f.Message, "后再试") {
		t.Fatalf("after %d: %v", made, refused)
	}
	if n := h.Calls("/wxa/getversioninfo") - before; n != made {
		t.Fatalf("%d calls reached WeChat, %d were made", n, made)
	}
	list, _, err := h.Trail.List(ctx, trail.Filter{AppID: authtest.ShopID, Act: "wechat." + wechat.EndpointVersionInfo})
	if err != nil || len(list) != made {
		t.Fatalf("%d entries for %d calls, %v", len(list), made, err)
	}
}

func TestWeChatsLimitIsRespectedByBothReplicas(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	owner := gateway.Caller{Actor: authtest.User(1)}
	h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "errcode": 45011, "times": 1})
	if _, err := h.as(owner.Actor).VersionInfo(ctx); wechat.Code(err) != 45011 {
		t.Fatal(err)
	}
	for _, door := range []*gateway.Gateway{h.door, gateway.New(h.options(gateway.Limits{}))} {
		_, err := wechat.MiniProgram{Transport: door.As(owner), AppID: authtest.ShopID}.VersionInfo(ctx)
		f := fault.From(err)
		if f.Code != "wechat_paused" || f.RetryAfter <= 0 || f.WeChat == nil || f.WeChat.ErrCode != 45011 || f.WeChat.AppID != authtest.ShopID {
			t.Fatalf("%v %+v", err, f.WeChat)
		}
	}
	if n := h.Calls("/wxa/getversioninfo"); n != 1 {
		t.Fatalf("%d calls", n)
	}
	if _, err := h.as(owner.Actor).Categories(ctx); err != nil {
		t.Fatalf("another endpoint rests as well: %v", err)
	}
}

func TestTheCircuitRefusesAtOnceAndNothingIsDoubtful(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), t.Context()
	h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "drop": true, "times": 20})
	app := h.as(authtest.User(1))
	var err error
	for range 6 {
		_, err = app.VersionInfo(ctx)
	}
	f := fault.From(err)
	if f.Code != "wechat_circuit" || f.RetryAfter <= 0 || wechat.Doubtful(err) {
		t.Fatalf("%v", err)
	}
	before := h.Calls("/wxa/release")
	if err := app.Release(wechat.WithKey(ctx, "release:3")); fault.From(err).Code != "wechat_circuit" || wechat.Doubtful(err) {
		t.Fatal(err)
	}
	if h.Calls("/wxa/release") != before {
		t.Fatal("it was sent")
	}
	if n, err := h.DB.Int(ctx, "SELECT COUNT(*) FROM wechat_sent WHERE outcome='refused'"); err != nil || n != 1 {
		t.Fatalf("a call that was held stays unsettled: %d %v", n, err)
	}
}

func TestTheMonthsQuotaIsRememberedAndSpent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), t.Context()
		app := h.as(authtest.User(1))
		if _, found, err := h.door.Quota(ctx, authtest.PlatformID); err != nil || found {
			t.Fatal(found, err)
		}
		told, err := app.Quota(ctx)
		if err != nil {
			t.Fatal(err)
		}
		q, found, err := h.door.Quota(ctx, authtest.PlatformID)
		if err != nil || !found || q.Rest != told.Rest || q.Limit != told.Limit || q.SpeedUpRest != told.SpeedUpRest || q.ReadAt == 0 {
			t.Fatalf("%+v %v", q, err)
		}
		h.Control("/control/faults", map[string]any{"path": "/wxa/submit_audit", "errcode": 85085})
		if _, err := app.SubmitAudit(ctx, wechat.Submit{Items: []wechat.AuditItem{{FirstClass: "餐饮", FirstID: 1}}}); wechat.Code(err) != 85085 {
			t.Fatal(err)
		}
		if q, _, _ := h.door.Quota(ctx, authtest.PlatformID); q.Rest != 0 || q.SpeedUpRest != told.SpeedUpRest {
			t.Fatalf("%+v", q)
		}
	})
}

func TestAnUnknownCodeIsCounted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), t.Context()
		h.Control("/control/faults", map[string]any{"path": "/wxa/getversioninfo", "errcode": 7654321, "times": 2})
		for range 2 {
			_, err := h.as(authtest.User(1)).VersionInfo(ctx)
			f := fault.From(err)
			if f.WeChat == nil || f.WeChat.Known || f.WeChat.RID == "" || f.WeChat.AppID != authtest.ShopID || f.WeChat.Component != authtest.PlatformID || f.WeChat.At == 0 {
				t.Fatalf("%v %+v", err, f.WeChat)
			}
		}
		codes, err := h.Trail.UnknownCodes(ctx)
		if err != nil || len(codes) != 1 || codes[0].Code != 7654321 || codes[0].Seen != 2 || codes[0].RID == "" || codes[0].Endpoint != wechat.EndpointVersionInfo {
			t.Fatalf("%+v %v", codes, err)
		}
	})
}

func TestAPersonSettlesWhatIsUnknownOnce(t *testing.T) {
	db := storetest.Open(t)
	h, ctx := open(t, db), t.Context()
	h.Control("/control/faults", map[string]any{"path": "/wxa/release", "drop": true, "times": 1})
	if err := h.as(authtest.User(1)).Release(ctx); !wechat.Doubtful(err) {
		t.Fatal(err)
	}
	g := gateway.New(h.options(gateway.Limits{}))
	open, err := g.Unsettled(ctx, 10)
	if err != nil || len(open) != 1 {
		t.Fatal(open, err)
	}
	operator := authtest.User(9)
	if err := g.SettleByHand(ctx, operator, open[0].ID+1, 0, true); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a request that is not there: %v", err)
	}
	if err := g.SettleByHand(ctx, operator, open[0].ID, open[0].StartedAt, true); err != nil {
		t.Fatal(err)
	}
	if again := g.SettleByHand(ctx, operator, open[0].ID, 0, false); fault.KindOf(again) != fault.NotFound {
		t.Errorf("settled twice: %v", again)
	}
	if left, err := g.Unsettled(ctx, 10); err != nil || len(left) != 0 {
		t.Errorf("still open: %+v %v", left, err)
	}
	n, err := db.Int(ctx, "SELECT COUNT(*) FROM trail WHERE act='wechat.settle' AND appid=? AND account_id=?", authtest.ShopID, operator.AccountID)
	if err != nil || n != 1 {
		t.Errorf("%d entries in the log, %v", n, err)
	}
}
