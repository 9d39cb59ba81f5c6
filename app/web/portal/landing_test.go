package portal_test

import (
	"bytes"
	"image/png"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
)

const preAuthPath = "/cgi-bin/component/api_create_preauthcode"

func TestLandingPageMintsTheCodeOnClickOnly(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	ask := h.Ticket(me)
	page := b.get("/auth/" + ask.ID)
	page.wantPage(t, 200, `data-state="waiting"`, "/auth/"+ask.ID, "待扫码", `data-test="open-pc"`, `data-test="open-h5"`, `data-test="cancel"`, "「开发管理与数据分析」", "data-countdown")
	if page.header.Get("Referrer-Policy") != "origin" {
		t.Errorf("Referrer-Policy %q", page.header.Get("Referrer-Policy"))
	}
	if got := b.get("/auth/" + ask.ID + "/state?was=waiting"); got.status != 204 {
		t.Errorf("unchanged state: %d", got.status)
	}
	qr := b.get("/auth/" + ask.ID + "/qr.png")
	if picture, err := png.Decode(bytes.NewReader([]byte(qr.body))); err != nil || picture.Bounds().Dx() < 200 {
		t.Errorf("QR code: %v", err)
	}
	if n := h.Calls(preAuthPath); n != 0 {
		t.Fatalf("%d pre-auth codes before any click", n)
	}
	open := b.post("/auth/"+ask.ID+"/open", "via", "pc")
	open.wantPage(t, 200, "data-autoclick", `data-test="go-wechat"`, `referrerpolicy="origin"`, h.Sim.URL+"/cgi-bin/componentloginpage")
	if open.header.Get("Referrer-Policy") != "origin" || open.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", open.header)
	}
	b.post("/auth/"+ask.ID+"/open", "via", "h5").wantPage(t, 200, h.Sim.URL+"/wxaopen/safe/bindcomponent")
	if n := h.Calls(preAuthPath); n != 2 {
		t.Fatalf("%d pre-auth codes after two clicks", n)
	}
	b.get("/auth/"+ask.ID+"/open").wantRedirect(t, "/auth/"+ask.ID)
	changed := b.get("/auth/" + ask.ID + "/state?was=waiting")
	if changed.status != 200 || !strings.Contains(changed.body, "等待确认") || strings.Contains(changed.body, "<html") {
		t.Errorf("%d %s", changed.status, changed.body)
	}
}

func TestLandingPageForOthers(t *testing.T) {
	h := open(t)
	_, me := h.member("user@example.test", account.Personal)
	ask := h.Ticket(me)
	visitor := h.browser()
	page := visitor.get("/auth/" + ask.ID)
	page.wantPage(t, 200, `data-test="open-h5"`)
	if strings.Contains(page.body, `data-test="cancel"`) {
		t.Error("a visitor is offered to cancel")
	}
	visitor.header.Set("User-Agent", "Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0")
	chat := visitor.get("/auth/" + ask.ID)
	chat.wantPage(t, 200, "你正在微信里", `data-test="open-h5"`)
	if strings.Contains(chat.body, "qr.png") {
		t.Error("inside WeChat nobody can scan the own screen")
	}
	visitor.header.Del("User-Agent")
	visitor.post("/auth/"+ask.ID+"/cancel").wantRedirect(t, "/login")
	other, _ := h.member("other@example.test", account.Personal)
	other.post("/auth/"+ask.ID+"/cancel").wantPage(t, 404, "授权链接不存在")
	other.post("/auth/"+ask.ID+"/renew").wantPage(t, 404, "授权链接不存在")
	if h.State(ask.ID).State != miniprogram.Waiting {
		t.Error("somebody else ended the ticket")
	}
	visitor.get("/auth/nosuchticket").wantPage(t, 404, "授权链接不存在")
	visitor.get("/auth/"+ask.ID+"/other").wantPage(t, 404, "没有这个页面")
}

func TestTicketThatEnded(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	ask := h.Ticket(me)
	b.post("/auth/"+ask.ID+"/cancel").wantRedirect(t, "/auth/"+ask.ID)
	b.get("/auth/"+ask.ID).wantPage(t, 200, `data-state="cancelled"`, "已取消", `data-test="renew"`)
	b.post("/auth/"+ask.ID+"/open", "via", "pc").wantPage(t, 409, "已经用过或已过期")
	renewed := b.post("/auth/" + ask.ID + "/renew")
	if renewed.status != 303 || !strings.HasPrefix(renewed.to(), "/auth/") || renewed.to() == "/auth/"+ask.ID {
		t.Fatalf("%d %q", renewed.status, renewed.to())
	}
	h.Clock.Set(31 * time.Minute)
	expired := b.get(renewed.to())
	expired.wantPage(t, 200, `data-state="expired"`, "二维码已过期")
	if strings.Contains(expired.body, "every 2s") {
		t.Error("polling must stop at the end")
	}
	// An installation keeps its own ticket: it must ask again itself.
	install, err := h.Apps.CreateTicket(t.Context(), me, miniprogram.TicketRequest{Component: authtest.PlatformID, ReturnTo: "/market/installations/7/choose"})
	if err != nil {
		t.Fatal(err)
	}
	h.Clock.Set(70 * time.Minute)
	b.post("/auth/"+install.ID+"/renew").wantRedirect(t, "/market/installations/7/choose")
}

func local(u *url.URL) string { return u.RequestURI() }

func TestReturnFromWeChat(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	ask := h.Ticket(me)
	back := h.Scan(ask, authtest.ShopID)
	got := b.get(local(back))
	got.wantPage(t, 200, "授权成功", "街角咖啡", `data-state="authorized"`, `data-jump="2000"`, `href="/my/miniprograms"`)
	if got.header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the address with the code must not go out as a Referer")
	}
	b.get(local(back)).wantPage(t, 200, "授权成功") // reloaded
	// The administrator's own phone has no session here and nothing to go on with.
	phone := h.browser().get(local(back))
	phone.wantPage(t, 200, "授权成功", "请回到发起授权的设备")
	if strings.Contains(phone.body, "data-jump") {
		t.Error("the phone is sent to a page it cannot see")
	}
	live := b.get("/auth/" + ask.ID + "/state?was=waiting")
	if live.status != 200 || !strings.Contains(live.body, `data-state="authorized"`) || strings.Contains(live.body, "hx-trigger") {
		t.Errorf("%s", live.body)
	}
	b.get("/my/miniprograms").wantPage(t, 200, `data-appid="`+authtest.ShopID+`"`, "已授权")
}

func TestReturnThatFails(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	_, thief := h.member("other@example.test", account.Personal)
	b.get(local(h.Scan(h.Ticket(me), authtest.ShopID))).wantPage(t, 200, "授权成功")

	owned := h.Ticket(thief)
	b.get(local(h.Scan(owned, authtest.ShopID))).wantPage(t, 409, "授权失败", "已经属于本平台的另一个账号")
	h.browser().get("/auth/"+owned.ID).wantPage(t, 200, `data-state="failed"`)

	fresh := h.Ticket(me)
	back := h.Scan(fresh, authtest.CafeID)
	b.get("/auth/return/forged?auth_code=1").wantPage(t, 404, "授权链接不存在")
	b.get(back.Path).wantPage(t, 400, "微信没有返回授权码")
	b.get(back.Path+"?auth_code=wrong").wantPage(t, 409, "授权失败", "微信没有接受这次授权码")
	b.get(local(back)).wantPage(t, 200, "授权成功") // the real code still counts
}

func TestWeChatOutOfReachLeavesTheTicketOpen(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	ask := h.Ticket(me)
	h.Control("/control/faults", map[string]any{"path": preAuthPath, "http_status": 500, "times": 9})
	got := b.post("/auth/"+ask.ID+"/open", "via", "pc")
	got.wantPage(t, 503, `data-test="problem"`, `data-state="waiting"`, `data-test="open-pc"`)
	if regexp.MustCompile(`(?i)access_token|127\.0\.0\.1:\d+/cgi-bin`).MatchString(got.body) {
		t.Error("the page shows how WeChat was asked")
	}
}
