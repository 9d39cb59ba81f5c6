package plugin_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
	"minifleet/app/wechat"
)

func tableQuery(column, text string) plugin.TableQuery {
	return plugin.TableQuery{Filters: map[string]string{column: text}}
}

func searchFor(text string) plugin.TableQuery { return plugin.TableQuery{Search: text} }

func TestATokenDiesWithItsCall(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.must(t, ada, command{Do: "keep"})
	_, err := h.do(t, bob, command{Do: "usekept"})
	if failure := wantKind(t, err, fault.Unauthenticated); failure.Code != "plugin.token" {
		t.Errorf("a kept token gave %s", failure.Code)
	}
}

func TestWeChatCallsCarryTheActorAndKeepTheRefusal(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	h.must(t, ada, command{Do: "release", AppID: "wxa"})
	_, err := h.do(t, bob, command{Do: "release", AppID: "wxa"})
	wantKind(t, err, fault.Forbidden)
	_, err = h.post(t, account.Actor{}, "notes", "/public", command{Do: "release", AppID: "wxa"})
	wantKind(t, err, fault.Unauthenticated)
	if got := h.core.sent(); !slices.Equal(got, []string{"notes ada " + wechat.EndpointRelease + " wxa"}) {
		t.Errorf("WeChat got %q", got)
	}
	h.core.refuse = &wechat.Error{Code: 85052, Message: "version released", RID: "rid-9", Endpoint: wechat.EndpointRelease}
	_, err = h.do(t, ada, command{Do: "release", AppID: "wxa"})
	failure := wantKind(t, err, fault.WeChat)
	if failure.WeChat == nil || failure.WeChat.ErrCode != 85052 || failure.WeChat.RID != "rid-9" || wechat.Code(err) != 85052 {
		t.Errorf("the refusal arrived as %+v", failure)
	}
	h.core.refuse = &wechat.CallError{Endpoint: wechat.EndpointRelease, Sent: true, Cause: context.DeadlineExceeded}
	_, err = h.do(t, ada, command{Do: "release", AppID: "wxa"})
	wantKind(t, err, fault.WeChat)
	if !wechat.Doubtful(err) {
		t.Errorf("a lost answer arrived as %v, not as doubtful", err)
	}
}

func TestACallThatIsHeldTellsWhenAndWhy(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	held := fault.New(fault.TooMany, "wechat_paused", "请在 5 秒后再试").Later(5 * time.Second)
	held.WeChat = wechat.RefusalOf(&wechat.Error{Code: 45011, Endpoint: wechat.EndpointRelease, AppID: "wxa"})
	h.core.refuse = held
	_, err := h.do(t, ada, command{Do: "release", AppID: "wxa"})
	failure := wantKind(t, err, fault.TooMany)
	if failure.RetryAfter != 5*time.Second || failure.WeChat == nil || failure.WeChat.ErrCode != 45011 || failure.WeChat.AppID != "wxa" || failure.WeChat.Who == "" {
		t.Errorf("arrived as %+v, %+v", failure, failure.WeChat)
	}
	if wechat.Doubtful(err) {
		t.Error("a call that was not sent is doubtful")
	}
}

func TestAKeyOfAnIntentReachesTheGatewayAndIsSettledThere(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	h.must(t, ada, command{Do: "keyed", AppID: "wxa", Text: "release:1"})
	h.must(t, ada, command{Do: "settle", Text: "release:1"})
	want := []string{"notes ada " + wechat.EndpointRelease + " wxa key release:1", "settle notes release:1 true"}
	if got := h.core.sent(); !slices.Equal(got, want) {
		t.Errorf("the gateway got %q, want %q", got, want)
	}
}

func TestCallsBetweenPluginsCarryActorAndCaller(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	out := h.must(t, ada, command{Do: "call", Text: "peer.who"})
	if out.Text != "ada via notes" || out.ID != ada.SpaceID || out.Flag {
		t.Errorf("peer saw %+v", out)
	}
	for operation, kind := range map[string]fault.Kind{"peer.nothing": fault.NotFound, "nobody.x": fault.NotFound, "core.nothing": fault.Invalid, "x": fault.Invalid} {
		_, err := h.do(t, ada, command{Do: "call", Text: operation})
		if got := fault.KindOf(err); err == nil || got != kind {
			t.Errorf("calling %s gave %v", operation, err)
		}
	}
	_, err := h.do(t, ada, command{Do: "ring"})
	if failure := wantKind(t, err, fault.Conflict); failure.Code != "plugin.cycle" {
		t.Errorf("a ring of calls ended with %v", err)
	}
}

func TestCoreOperationsAndViewsActAsThePerson(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	h.core.right("wxb", bob.SpaceID, "*")
	if apps := h.must(t, ada, command{Do: "apps"}).List; !slices.Equal(apps, []string{"wxa wxc true false"}) {
		t.Errorf("ada sees %v", apps)
	}
	if apps, err := h.post(t, account.Actor{}, "notes", "/public", command{Do: "apps"}); err != nil || len(apps.List) != 0 {
		t.Errorf("a visitor sees %v, %v", apps.List, err)
	}
	if !h.must(t, ada, command{Do: "can", Text: "component.bind"}).Flag || h.must(t, eve, command{Do: "can", Text: "component.bind"}).Flag {
		t.Error("permissions are not those of the actor")
	}
	if url := h.must(t, ada, command{Do: "authorize"}).Text; !strings.HasSuffix(url, "/auth/t1?c=wxc") {
		t.Errorf("ticket at %q", url)
	}
	_, err := h.post(t, account.Actor{}, "notes", "/public", command{Do: "authorize"})
	wantKind(t, err, fault.Unauthenticated)
}

func TestADelegationIsCheckedAgainstTodaysRightsAtEveryUse(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	_, err := h.do(t, bob, command{Do: "delegate", AppID: "wxa"})
	wantKind(t, err, fault.Forbidden)
	id := h.must(t, ada, command{Do: "delegate", AppID: "wxa"}).ID
	// Another person's call carries the work on: it acts as ada, within the delegation.
	h.must(t, eve, command{Do: "delegated.release", ID: id, AppID: "wxa"})
	if out := h.must(t, eve, command{Do: "delegated.call", ID: id, AppID: "wxa"}); out.Text != "ada" {
		t.Errorf("the called plugin acts as %q", out.Text)
	}
	use := func() error {
		_, err := h.do(t, eve, command{Do: "delegated.release", ID: id, AppID: "wxa"})
		return err
	}
	h.core.right("wxz", ada.SpaceID, "*")
	_, err = h.do(t, eve, command{Do: "delegated.release", ID: id, AppID: "wxz"})
	wantKind(t, err, fault.Forbidden)

	h.core.mu.Lock()
	delete(h.core.actors, ada.AccountID)
	h.core.mu.Unlock()
	wantKind(t, use(), fault.Forbidden)
	h.core.mu.Lock()
	h.core.actors[ada.AccountID] = ada
	h.core.mu.Unlock()
	if err := use(); err != nil {
		t.Errorf("back in the space: %v", err)
	}
	h.core.revoke("wxa", ada.SpaceID)
	wantKind(t, use(), fault.Forbidden)
	h.core.right("wxa", ada.SpaceID, "*")

	h.clock.Advance(2 * time.Hour)
	wantKind(t, use(), fault.Forbidden)
	again := h.must(t, ada, command{Do: "delegate", AppID: "wxa"}).ID
	h.must(t, ada, command{Do: "delegation.end", ID: again})
	_, err = h.do(t, eve, command{Do: "delegated.release", ID: again, AppID: "wxa"})
	wantKind(t, err, fault.Forbidden)
	_, err = h.do(t, eve, command{Do: "delegated.release", ID: 12345, AppID: "wxa"})
	wantKind(t, err, fault.Forbidden)
}

const auditPush = `<xml><ToUserName>gh_1</ToUserName><FromUserName>o1</FromUserName><CreateTime>1763000000</CreateTime><MsgType>event</MsgType><Event>weapp_audit_success</Event><SuccTime>1763000001</SuccTime></xml>`

func TestEventsReachOnlyTheirOwnMiniProgram(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.core.right("wxa", ada.SpaceID, "*")
		h.core.right("wxother", bob.SpaceID, "*")
		id := h.must(t, ada, command{Do: "lane.insert", AppID: "wxa", Text: "waiting"}).ID
		h.must(t, bob, command{Do: "lane.insert", AppID: "wxother", Text: "waiting"})
		err := h.events.Append(t.Context(), event.Record{
			Type: wechat.AuditSuccess, Source: event.SourceWeChat, Component: "wxc", AppID: "wxa", URLKind: wechat.MessageURL,
			CreateTime: 1763000000, Payload: []byte(auditPush),
		})
		if err != nil {
			t.Fatal(err)
		}
		state := func() string { return h.must(t, ada, command{Do: "lane.get", ID: id}).Text }
		eventually(t, "the lane moves by the push", 30*time.Second, func() bool { return state() != "waiting" })
		if got, want := state(), "wechat.weapp_audit_success 1763000001 sees 1, foreign refused true"; got != want {
			t.Errorf("lane says %q, want %q", got, want)
		}
		if _, err := h.post(t, ada, "peer", "/publish", command{AppID: "wxa"}); err != nil {
			t.Fatal(err)
		}
		_, err = h.post(t, ada, "peer", "/publish", command{AppID: "wxother"})
		wantKind(t, err, fault.Forbidden) // its receivers would read what ada may not
		eventually(t, "the lane moves by the neighbour's event", 30*time.Second, func() bool { return strings.HasPrefix(state(), "peer.moved now") })
	})
}

func TestEventsWaitForAPluginThatIsDown(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	id := h.must(t, ada, command{Do: "lane.insert", AppID: "wxa", Text: "waiting"}).ID
	if _, err := h.get(t, ada, "/crash"); err == nil {
		t.Fatal("the crash answered")
	}
	if _, err := h.post(t, ada, "peer", "/publish", command{AppID: "wxa"}); err != nil {
		t.Fatal(err)
	}
	h.ready(t)
	eventually(t, "the event arrives after the restart", 30*time.Second, func() bool {
		out, err := h.do(t, ada, command{Do: "lane.get", ID: id})
		return err == nil && strings.HasPrefix(out.Text, "peer.moved")
	})
}

func TestJobsReadEverythingAndChangeNothingAtWeChat(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	h.core.right("wxother", bob.SpaceID, "*")
	h.must(t, ada, command{Do: "lane.insert", AppID: "wxa", Text: "x"})
	h.must(t, bob, command{Do: "lane.insert", AppID: "wxother", Text: "x"})
	jobs := h.Jobs()
	if len(jobs) != 1 || jobs[0].Name != "notes.sync" || jobs[0].Spec != "*/5 * * * *" {
		t.Fatalf("jobs %+v", jobs)
	}
	note, err := jobs[0].Run(t.Context())
	if err != nil || note != "2 lanes, write refused true, read ok true, actor system true" {
		t.Errorf("job noted %q, %v", note, err)
	}
}

func TestMenusShowWhatTheActorMayUse(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes", "peer").run(t).ready(t)
	admin := h.Menu(t.Context(), ada, plugin.FrameAdmin)
	if len(admin) != 1 || admin[0].Table != "notes" || admin[0].Path != "" {
		t.Errorf("merchant's back office menu %+v", admin)
	}
	if personal := h.Menu(t.Context(), eve, plugin.FrameAdmin); len(personal) != 0 {
		t.Errorf("a personal space sees %+v", personal)
	}
	portal := h.Menu(t.Context(), eve, plugin.FramePortal)
	if len(portal) != 1 || portal[0].Path != "/notes/hello" {
		t.Errorf("portal menu %+v", portal)
	}
}
