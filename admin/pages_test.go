package admin

import (
	"net/url"
	"strings"
	"testing"

	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/miniprogram"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

func withRooms(t *testing.T) (*house, *rooms) {
	t.Helper()
	r := newRooms()
	return open(t, Options{Services: r.services(), Plugins: newFakePlugins(2), Clock: clock.Fixed(start), Environment: "模拟环境", PublicURL: "https://fleet.example"}), r
}

func TestWhoSeesWhichPage(t *testing.T) {
	h, _ := withRooms(t)
	for _, c := range []struct {
		path               string
		merchant, operator int
	}{
		{"/admin", 200, 200}, {"/admin/components", 200, 200}, {"/admin/components/new", 200, 404}, {"/admin/components/" + bound, 200, 200},
		{"/admin/components/wx9999999999999999", 404, 200}, {"/admin/components/wx9999999999999999/setup", 404, 200}, {"/admin/components/wx9999999999999999/wait", 404, 200},
		{"/admin/miniprograms", 200, 200}, {"/admin/events", 200, 200}, {"/admin/events/77", 200, 200}, {"/admin/events/dead", 404, 200}, {"/admin/jobs", 404, 200}, {"/admin/jobs/prune", 404, 200},
		{"/admin/plugins", 404, 200}, {"/admin/trail", 200, 200}, {"/admin/events/78", 404, 404}, {"/admin/events/x", 404, 404}, {"/admin/jobs/nothing", 404, 404},
	} {
		h.get("merchant", c.path).want(t, c.merchant)
		h.get("operator", c.path).want(t, c.operator)
		h.get("user", c.path).want(t, 403)
		h.get("", c.path).want(t, 302)
	}
	for _, path := range []string{"/admin/events/79/payload", "/admin/events/79/raw", "/admin/events/77/replay", "/admin/events/replay", "/admin/jobs/prune/run", "/admin/plugins/version/restart"} {
		h.do("merchant", "POST", path, url.Values{}).want(t, 404)
	}
	h.do("merchant", "POST", "/admin/components/wx9999999999999999/push", url.Values{}).want(t, 404)
	h.do("merchant", "POST", "/admin/components/wx9999999999999999/check", url.Values{}).want(t, 404)
}

func TestPagesWithoutTheirRoomAreNotThere(t *testing.T) {
	h := open(t, Options{})
	for _, path := range []string{"/admin/components", "/admin/miniprograms", "/admin/events", "/admin/jobs", "/admin/plugins", "/admin/trail", "/admin/info/version_templates", "/admin/p/version/x"} {
		h.get("operator", path).want(t, 404)
	}
	h.get("operator", "/admin").want(t, 200).lacks(t, "事件日志", "/admin/components\"><i")
}

func TestBindingWizardKeepsInputThroughItsSteps(t *testing.T) {
	h, r := withRooms(t)
	const appid, secret = "wx3333333333333333", "0123456789abcdef0123456789abcdef"
	post := func(form url.Values) answer { return h.do("merchant", "POST", "/admin/components/new", form) }
	h.get("merchant", "/admin/components/new").want(t, 200, "填写 AppID", "AppSecret", "下一步")
	post(url.Values{"do": {"next"}, "name": {"新平台"}, "appid": {"wx1"}, "secret": {secret}}).want(t, 400, "AppID 应为 wx 开头的 18 位字符", `value="新平台"`, `value="wx1"`, `aria-describedby="h-appid e-appid"`)
	first := url.Values{"name": {"新平台"}, "appid": {appid}, "secret": {secret}}
	with := func(pairs ...string) url.Values {
		out := clone(first)
		for i := 0; i < len(pairs); i += 2 {
			out.Set(pairs[i], pairs[i+1])
		}
		return out
	}
	post(with("do", "next")).want(t, 200, "消息校验 Token", `value="`+appid+`"`, `value="`+secret+`"`, "随机生成")
	made := post(with("do", "generate")).want(t, 200, "复制 Token")
	token, key := inputValue(t, made.text, "token"), inputValue(t, made.text, "aes_key")
	if len(token) != 32 || len(key) != 43 || token == inputValue(t, post(with("do", "generate")).text, "token") {
		t.Errorf("generated %q and %q", token, key)
	}
	post(with("do", "bind", "token", "x", "aes_key", "short")).want(t, 400, "消息校验 Token 应为", "消息加解密 Key 应为 43 位", `value="short"`, `value="`+secret+`"`)
	post(with("do", "back", "token", token, "aes_key", key)).want(t, 200, `value="新平台"`, `value="`+token+`"`)
	a := post(with("do", "bind", "token", token, "aes_key", key)).want(t, 303)
	if to := a.Header.Get("Location"); to != "/admin/components/"+appid+"/setup" {
		t.Errorf("Location %s", to)
	}
	if b := r.components.bound[0]; b != (component.Binding{AppID: appid, Secret: secret, Token: token, AESKey: key, Name: "新平台"}) {
		t.Errorf("bound %+v", b)
	}
	post(with("do", "bind", "token", token, "aes_key", key)).want(t, 409, "这个 AppID 已经绑定过了", "填写 AppID")
}

func inputValue(t *testing.T, page, name string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, `name="`+name+`" value="`)
	if !ok {
		t.Fatalf("no input %s", name)
	}
	value, _, _ := strings.Cut(after, `"`)
	return value
}

func TestSetupShowsAddressesAndWaitsLive(t *testing.T) {
	h, r := withRooms(t)
	const appid = "wx2222222222222222"
	h.get("merchant", "/admin/components/"+appid+"/setup").want(t, 200, "https://fleet.example/wechat/"+appid+"/ticket", "/message/$APPID$", "授权发起页域名", `hx-trigger="every 2s"`, "AESKey 不一致", "启动推送票据", `data-copy-text="fleet.example"`)
	h.get("merchant", "/admin/components/"+appid+"/wait").want(t, 200, "等待微信推送票据", `hx-trigger="every 2s"`).lacks(t, "<html")
	h.do("merchant", "POST", "/admin/components/"+appid+"/push", url.Values{}).want(t, 303)
	if len(r.components.pushed) != 1 {
		t.Error("the push was not started")
	}
	r.components.refuse = &wechat.Error{Code: 61004, Message: "access clientip is not registered", RID: "77-rid"}
	h.do("merchant", "POST", "/admin/components/"+appid+"/push", url.Values{}).want(t, 502, "errcode 61004", "rid: 77-rid", "服务器 IP 不在白名单中", "服务商", "复制诊断信息", "授权发起页域名")
	for i := range r.components.list {
		r.components.list[i].TicketAt = start.UnixMilli()
	}
	h.get("merchant", "/admin/components/"+appid+"/wait").want(t, 200, "已收到票据", "下一步：自检").lacks(t, "hx-trigger")
	h.do("merchant", "POST", "/admin/components/"+appid+"/check", url.Values{}).want(t, 200, "自检结果", "1 / 3 项通过", "IP 未加白", "未通过", "重新自检")
}

func TestComponentHealthIsShown(t *testing.T) {
	h, _ := withRooms(t)
	h.get("merchant", "/admin/components").want(t, 200, "星河开放平台", "正常", "等待票据", "3 分钟前", "1 小时后", "继续配置").lacks(t, "别家的平台")
	h.get("operator", "/admin/components").want(t, 200, "别家的平台", "票据过期").lacks(t, "绑定第三方平台</a>")
	h.get("merchant", "/admin/components/"+bound).want(t, 200, "健康", "2026-11-22 19:57:00", "2026-11-22 21:30:00", "启动推送票据")
}

func TestMiniProgramsAreFoundAndTheirGapsNamed(t *testing.T) {
	h, r := withRooms(t)
	h.get("merchant", "/admin/miniprograms").want(t, 200, "星河咖啡", "已授权", "缺少", "开发管理与数据分析", "未认领", "已取消授权", "/admin/p/version/miniprograms/"+mini, "共 3 条")
	h.get("merchant", "/admin/miniprograms?q="+url.QueryEscape("咖啡")).want(t, 200, "星河咖啡").lacks(t, "客户花店")
	h.get("merchant", "/admin/miniprograms?component="+bound+"&state=revoked&cursor=9&evil=1").want(t, 200)
	if f := r.minis.asked[len(r.minis.asked)-1]; f.Component != bound || f.State != miniprogram.Revoked || f.Cursor != 9 || f.Visible != "" {
		t.Errorf("asked %+v", f)
	}
	h.get("merchant", "/admin/miniprograms?q=nothing").want(t, 200, "没有符合条件的记录")
}

func TestSyncReadsOnlyWhatTheListShows(t *testing.T) {
	h, r := withRooms(t)
	r.minis.list[1].OwnerSpaceID = 99
	h.do("merchant", "POST", "/admin/miniprograms/"+mini+"/sync", url.Values{}).want(t, 303)
	h.do("merchant", "POST", "/admin/miniprograms/wxbbbbbbbbbbbbbbbb/sync", url.Values{}).want(t, 404)
	h.do("merchant", "POST", "/admin/miniprograms/wxaaaa/sync", url.Values{}).want(t, 404)
	h.do("merchant", "POST", "/admin/miniprograms/wxcccccccccccccccc/sync", url.Values{}).want(t, 502, "授权已失效", "旧小程序")
	if len(r.minis.synced) != 1 || r.minis.synced[0] != mini {
		t.Errorf("synced %v", r.minis.synced)
	}
}

func TestAuthorisationLinkIsMadeForOwnPlatformsOnly(t *testing.T) {
	h, r := withRooms(t)
	h.do("merchant", "POST", "/admin/miniprograms/links", url.Values{"component": {"wx9999999999999999"}}).want(t, 404, "没有这个第三方平台")
	h.do("merchant", "POST", "/admin/miniprograms/links", url.Values{}).want(t, 400, "请选择第三方平台")
	a := h.do("merchant", "POST", "/admin/miniprograms/links", url.Values{"component": {bound}, "for": {"client"}}).want(t, 303)
	h.get("merchant", a.Header.Get("Location")).want(t, 200, "https://fleet.example/auth/ticket1", "data:image/png;base64,", "待授权", "2026-11-22 20:30:00", `hx-trigger="every 2s"`)
	r.minis.tickets[0].State, r.minis.tickets[0].AppID = miniprogram.Authorized, mini
	h.get("merchant", "/admin/miniprograms/links/ticket1/state").want(t, 200, "授权成功", mini).lacks(t, "hx-trigger", "<html")
	r.minis.tickets[0].AskerSpaceID = 99
	h.get("merchant", "/admin/miniprograms/links/ticket1").want(t, 404).lacks(t, "auth/ticket1")
	h.get("merchant", "/admin/miniprograms/links/nothing").want(t, 404)
}

func TestEventsAreFilteredRevealedAndReplayed(t *testing.T) {
	h, r := withRooms(t)
	h.get("operator", "/admin/events?type=component_verify_ticket&component="+bound+"&state=dead&from=2026-11-22T08:00&to=2026-11-23T08:00").want(t, 200, "component_verify_ticket", "投递失败", "cursor=next-cursor")
	if f := r.events.asked[0]; f.Component != bound || f.State != event.StateDead || f.From != start.UnixMilli()-12*3600*1000 || f.To-f.From != 24*3600*1000 {
		t.Errorf("asked %+v", f)
	}
	h.get("operator", "/admin/events").want(t, 200, "共 1 条", "末页", "last=1")
	h.get("operator", "/admin/events?last=1").want(t, 200, "component_verify_ticket", "首页", "cursor=next-cursor&amp;last=1").lacks(t, "末页")
	if f := r.events.asked[len(r.events.asked)-1]; !f.Oldest {
		t.Errorf("the last page asked %+v", f)
	}
	h.get("operator", "/admin/events?from=gestern").want(t, 400, "时间应为")
	h.get("operator", "/admin/events/77").want(t, 200, "解密查看", "plugin:version", "timeout", "重放").lacks(t, "ComponentVerifyTicket", "verysecret")
	h.do("operator", "POST", "/admin/events/77/payload", url.Values{}).want(t, 200, "ComponentVerifyTicket", "已打码").lacks(t, "verysecret")
	h.do("operator", "POST", "/admin/events/77/replay", url.Values{"subscriber": {"plugin:version"}}).want(t, 303)
	h.get("operator", "/admin/events/77").want(t, 200, "已重新排队投递")
	if len(r.events.replayed) != 1 || r.events.replayed[0] != "plugin:version" {
		t.Errorf("replayed %v", r.events.replayed)
	}
	acts := map[string]trail.Entry{}
	for _, e := range r.trail.entries {
		acts[e.Act] = e
	}
	for _, act := range []string{"event.reveal", "event.replay"} {
		if e := acts[act]; e.AccountID != 2 || e.Object != "77" || e.Outcome != trail.OK || e.Component != bound {
			t.Errorf("%s recorded as %+v", act, e)
		}
	}
}

func TestOperatorRunsJobsAndRestartsPlugins(t *testing.T) {
	h, r := withRooms(t)
	h.get("operator", "/admin/jobs").want(t, 200, "刷新平台令牌", "* * * * *", "成功", "刷新了 1 个", "2026-11-22 20:01:00", "从未", "立即执行")
	h.get("operator", "/admin/jobs/component.tokens").want(t, 200, "最近 50 次运行", "微信返回 45009", "失败", "1,500 ms", "手动")
	h.do("operator", "POST", "/admin/jobs/component.tokens/run", url.Values{}).want(t, 303)
	h.do("operator", "POST", "/admin/jobs/nothing/run", url.Values{}).want(t, 404)
	if len(r.jobs.ran) != 1 || r.jobs.ran[0] != "component.tokens by 平台小李" {
		t.Errorf("ran %v", r.jobs.ran)
	}
	h.get("operator", "/admin/plugins").want(t, 200, "版本管理", "4242", "运行中", "16.0 MB", "等待重启", "exit status 2")
	h.do("operator", "POST", "/admin/plugins/version/restart", url.Values{}).want(t, 303)
	if len(r.processes.restarted) != 1 {
		t.Error("the plugin was not restarted")
	}
}

func TestTrailOfAMerchantIsItsOwn(t *testing.T) {
	h, r := withRooms(t)
	h.get("merchant", "/admin/trail?appid="+mini+"&outcome=failed").want(t, 200, "submitAudit", "微信返回 85009", "rid 6123-abc")
	h.get("operator", "/admin/trail").want(t, 200)
	if f := r.trail.asked[0]; f.SpaceID != people["merchant"].SpaceID || f.AppID != mini || f.Outcome != trail.Failed {
		t.Errorf("the merchant asked %+v", f)
	}
	if f := r.trail.asked[1]; f.SpaceID != 0 {
		t.Errorf("the operator asked %+v", f)
	}
}

func TestMembersWithoutPermissionAreToldSo(t *testing.T) {
	guest := people["operator"]
	guest.Role, guest.SessionID, guest.MemberID = "guest", 4000, 400
	people["guest"] = guest
	t.Cleanup(func() { delete(people, "guest") })
	h, r := withRooms(t)
	h.get("guest", "/admin/trail").want(t, 403, "没有「查看操作日志」权限")
	h.do("guest", "POST", "/admin/jobs/prune/run", url.Values{}).want(t, 403)
	h.do("guest", "POST", "/admin/events/77/replay", url.Values{}).want(t, 403)
	h.do("guest", "POST", "/admin/plugins/version/restart", url.Values{}).want(t, 403)
	if len(r.jobs.ran)+len(r.events.replayed)+len(r.processes.restarted) > 0 {
		t.Error("something was done without permission")
	}
}

func TestAges(t *testing.T) {
	for _, c := range []struct {
		ms   int64
		want string
	}{{0, "从未"}, {-30_000, "刚刚"}, {-120_000, "2 分钟前"}, {-7200_000, "2 小时前"}, {-72 * 3600_000, "3 天前"}, {30_000, "不到 1 分钟后"}, {600_000, "10 分钟后"}} {
		at := c.ms
		if at != 0 {
			at += start.UnixMilli()
		}
		if got := ago(start, at); got != c.want {
			t.Errorf("%d: %q, want %q", c.ms, got, c.want)
		}
	}
}
