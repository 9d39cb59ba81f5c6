package command

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/gateway"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/wechat"
)

func TestAUsedUpQuotaIsToldTheMerchantOnceAndAgainWhenItWasRaised(t *testing.T) {
	h := newNewsHouse(t)
	stands := func(bad bool) {
		t.Helper()
		for range 3 {
			if err := h.p.onStanding(t.Context(), gateway.Standing{About: gateway.StandingAudit, Component: newsApp, Bad: bad}); err != nil {
				t.Fatal(err)
			}
		}
		h.fold()
	}
	want := strings.Join([]string{notice.QuotaLow, "本月提审额度已用完", "第三方平台 " + newsApp + "。下个月 1 日恢复，也可以在“小程序服务商助手”申请临时额度。", "/admin/p/version/drafts?component=" + newsApp}, newsMark)
	for _, c := range []struct {
		bad  bool
		want []string
	}{{false, nil}, {true, []string{want}}, {true, nil}, {false, nil}, {true, []string{want}}} {
		stands(c.bad)
		if got := h.told(h.merchant); !slices.Equal(got, c.want) {
			t.Errorf("used up %t: told %q, want %q", c.bad, got, c.want)
		}
	}
	h.p.offset.Set(32 * 24 * time.Hour)
	stands(true)
	if got := h.told(h.merchant); len(got) != 1 {
		t.Errorf("the next month: %q", got)
	}
	for _, who := range []account.Actor{h.owner, h.rival} {
		if got := h.told(who); len(got) != 0 {
			t.Errorf("%s was told %q", who.Name, got)
		}
	}
}

func TestALongPauseIsToldTheMerchantOnceADayForEachEndpoint(t *testing.T) {
	h := newNewsHouse(t)
	until := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	pause := func(appid, endpoint string) {
		t.Helper()
		err := h.p.onStanding(t.Context(), gateway.Standing{About: gateway.StandingPause, Component: newsApp, AppID: appid, Endpoint: endpoint, Code: wechat.CodeDailyLimit, Bad: true, Until: until})
		if err != nil {
			t.Fatal(err)
		}
		h.fold()
	}
	pause(newsShop, wechat.EndpointRelease)
	pause(newsShop, wechat.EndpointRelease)
	pause("wx9999888877776666", wechat.EndpointRelease)
	got := h.told(h.merchant)
	if len(got) != 1 || !strings.HasPrefix(got[0], notice.CallsPaused+newsMark+"微信限制了接口「"+titleOfEndpoint(t, wechat.EndpointRelease)+"」的调用"+newsMark+"第三方平台 "+newsApp+"，微信返回错误 45009，平台先暂停调用，到 2026-11-23 12:00:00 再试。\nAppID "+newsShop+"\n原因：") ||
		!strings.HasSuffix(got[0], newsMark+"/admin/components/"+newsApp) {
		t.Errorf("told %q", got)
	}
	pause(newsShop, wechat.EndpointVersionInfo)
	if got := h.told(h.merchant); len(got) != 1 {
		t.Errorf("another endpoint: %q", got)
	}
	h.p.offset.Set(25 * time.Hour)
	pause(newsShop, wechat.EndpointRelease)
	if got := h.told(h.merchant); len(got) != 1 {
		t.Errorf("the next day: %q", got)
	}
	if got := h.told(h.owner); len(got) != 0 {
		t.Errorf("the owner was told %q", got)
	}
}

func titleOfEndpoint(t *testing.T, name string) string {
	t.Helper()
	e, ok := wechat.LookupEndpoint(name)
	if !ok {
		t.Fatal(name)
	}
	return e.Title
}

// TestASyncThatFindsAnAccountFrozenTellsOfItOnce lets WeChat answer the profile's reading with one state after another.
func TestASyncThatFindsAnAccountFrozenTellsOfItOnce(t *testing.T) {
	h := newNewsHouse(t)
	status := "1"
	h.wx = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/api_component_token") {
			_, _ = w.Write([]byte(`{"component_access_token":"token","expires_in":7200}`))
			return
		}
		_, _ = w.Write([]byte(`{"authorizer_info":{"nick_name":"` + newsShopName + `","user_name":"` + newsGh + `","account_status":` + status + `,"MiniProgramInfo":{}},"authorization_info":{"authorizer_appid":"` + newsShop + `","func_info":[{"funcscope_category":{"id":18}}]}}`))
	}
	if err := h.p.components.SaveTicket(t.Context(), newsApp, "ticket@@@x", 1); err != nil {
		t.Fatal(err)
	}
	synced := func(s string) {
		t.Helper()
		status = s
		for range 2 {
			if err := h.p.apps.Sync(t.Context(), h.owner, newsShop); err != nil {
				t.Fatal(err)
			}
		}
		h.quiet()
	}
	for _, c := range []struct{ status, title, reason string }{
		{"1", "", ""},
		{"19", "账号已被冻结", "微信冻结了这个小程序。请小程序管理员登录微信公众平台查看通知并处理"},
		{"0", "", ""}, // WeChat did not say
		{"16", "账号已被封禁", "微信封禁了这个小程序，用户不能再使用。请小程序管理员登录微信公众平台查看通知并申诉"},
		{"1", "账号已恢复正常", ""},
		{"18", "账号被告警", "微信对这个小程序发出了告警。请小程序管理员登录微信公众平台查看通知，并在期限内整改"},
		{"14", "账号已注销", ""},
	} {
		synced(c.status)
		for _, who := range []struct {
			actor account.Actor
			link  string
		}{{h.owner, "/my/miniprograms/" + newsShop}, {h.merchant, "/admin/miniprograms"}} {
			var want []string
			if c.title != "" {
				text := "AppID " + newsShop
				if c.reason != "" {
					text += "\n原因：" + c.reason
				}
				want = []string{strings.Join([]string{notice.AccountStatus, "「" + newsShopName + "」" + c.title, text, who.link}, newsMark)}
			}
			if got := h.told(who.actor); !slices.Equal(got, want) {
				t.Errorf("status %s: %s was told %q, want %q", c.status, who.actor.Name, got, want)
			}
		}
	}
	m, err := h.p.apps.Find(t.Context(), newsShop)
	if err != nil || m.AccountStatus != miniprogram.StatusCancelled {
		t.Errorf("%+v %v", m, err)
	}
	if got := h.told(h.rival); len(got) != 0 {
		t.Errorf("the rival was told %q", got)
	}
}
