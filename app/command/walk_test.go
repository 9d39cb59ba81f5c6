package command_test

import (
	"bytes"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The platform app that the merchant binds in the walk, as the WeChat console would show it.
const (
	walkApp    = "wxabcdef0123456789"
	walkSecret = "fedcba9876543210fedcba9876543210"
	walkShop   = "wx00000000000000c1"
)

// TestWalks carries one real case through every room, in a browser, over real processes and real HTTP: the merchant
// binds, the user installs at 360 px, the version goes through review and out, the operator looks after it.
func TestWalks(t *testing.T) {
	// Everything the platform can log is logged, so that the search for secrets in it means something.
	d := startDemo(t, binary(t), "MINIFLEET_LOG_LEVEL=debug")
	browser := startBrowser(t)
	merchant := sit(t, browser, "merchant", 1366, d.base, d.listen, d.simAt)
	user := sit(t, browser, "user", 360, d.base, d.listen, d.simAt)
	console := sit(t, browser, "console", 1366, d.sim, d.simAt)
	operator := sit(t, browser, "operator", 1366, d.base, d.listen, d.simAt)
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu", "principal_name": "青禾餐饮有限公司"}, nil)

	merchantBinds(d, merchant)
	merchantLists(d, merchant)
	userInstalls(d, user)
	reviewAndRelease(d, user, merchant, console)
	operatorLooks(d, operator)
	userRevokes(user)
	for _, p := range []*person{merchant, user, console, operator} {
		p.content()
	}
	secretsStayHidden(t, d)
}

func (p *person) login(who, back string) {
	p.t.Helper()
	p.open("/login?return=" + back)
	p.fill("#login-form [name=login]", who)
	p.fill("#login-form [name=password]", demoPassword)
	p.press("#login-form [type=submit]")
}

// merchantBinds is walk 1, first half: the wizard, the ticket, the self-check, the health.
func merchantBinds(d *running, m *person) {
	m.t.Helper()
	m.login("merchant@example.test", "/admin")
	m.see("工作台")
	m.shot("workbench")
	m.open("/admin/components")
	m.press("text:绑定第三方平台")
	m.fill("[name=appid]", "gh_wrong")
	m.press("button[value=next]")
	m.see("AppID 应为 wx 开头的 18 位字符")
	m.shot("bind-refused")
	m.fill("[name=name]", "青禾小程序平台")
	m.fill("[name=appid]", walkApp)
	m.fill("[name=secret]", walkSecret)
	m.press("button[value=next]")
	m.press("button[value=generate]")
	token, key := ask[string](m, `document.querySelector("[name=token]").value`), ask[string](m, `document.querySelector("[name=aes_key]").value`)
	m.shot("bind-keys")
	m.press("button[value=bind]")
	m.see("等待微信推送票据")
	m.shot("bind-waiting")
	// What a person copies into the WeChat console.
	d.control("/control/components", map[string]any{
		"appid": walkApp, "name": "青禾小程序平台", "secret": walkSecret, "token": token, "aes_key": key, "domains": []string{"api.example.com"},
		"ticket_url": d.base + "/wechat/" + walkApp + "/ticket", "message_url": d.base + "/wechat/" + walkApp + "/message/$APPID$", "auth_domain": d.listen,
	}, nil)
	m.see("已收到票据")
	m.press("text:自检")
	m.see("已授权 0 个账号")
	m.shot("bind-checked")
	m.open("/admin/components")
	m.see("青禾小程序平台")
	m.shot("components")
}

// merchantLists is walk 1, second half: a draft becomes a template becomes a listing.
func merchantLists(d *running, m *person) {
	m.t.Helper()
	d.control("/control/drafts", map[string]any{"component_appid": walkApp, "user_version": "3.0.0", "user_desc": "排队取号首版", "source_name": "青禾开发号", "developer": "小周"}, nil)
	m.open("/admin/p/version/drafts?component=" + walkApp)
	m.press("[data-act=sync]")
	m.see("排队取号首版")
	m.shot("drafts")
	m.press("text:设为模板")
	m.fill("#name", "排队取号")
	m.fill("#notes", "")
	m.press("[data-act=template]")
	m.shot("template-refused")
	m.fill("#notes", "到店取号，手机提醒")
	m.fill("#settings", "shopName*,店铺名称,")
	m.fill("#domains", "https://api.example.com")
	m.press("[data-act=template]")
	m.see("排队取号")
	m.shot("template")
	m.press("[data-act=list]")
	m.fill("#title", "排队取号")
	m.fill("#summary", "到店取号，不用站着等")
	m.fill("#description", "顾客扫码取号，叫到号时手机提醒。")
	m.choose("#category", "餐饮")
	m.press("[data-test=listing-save]")
	m.see("排队取号")
	m.shot("listing")
}

// userInstalls is walk 2, on a phone.
func userInstalls(d *running, u *person) {
	u.t.Helper()
	u.open("/market")
	u.see("排队取号")
	u.shot("market")
	u.press("text:排队取号")
	u.see("提审和发布由你确认")
	u.shot("listing")
	u.press("[data-test=try]")
	u.at("/login")
	u.press("[data-test=to-register]")
	u.fill("#register-form [name=login]", "qinghe@example.test")
	u.fill("#register-form [name=password]", demoPassword)
	u.press("#register-form [data-test=submit]")
	u.see("勾选")
	u.shot("register-refused")
	u.fill("#register-form [name=password]", demoPassword)
	u.click("[data-test=send-code]")
	u.see("演示环境：不真的发送")
	u.shot("register-code")
	u.fill("#register-form [name=code]", ask[string](u, `document.querySelector("[data-test=demo-code]").innerText`))
	u.tick("#register-form [name=agreed]")
	u.press("#register-form [data-test=submit]")
	u.see("排队取号")
	u.press("[data-test=try]")
	u.at("/market/installations/")
	u.see("授权")
	u.shot("authorise")
	u.press("[data-test=open-landing]")
	u.at("/auth/")
	u.shot("landing")
	u.press("[data-test=open-h5]")
	u.shot("towards-wechat")
	u.atWeChat(d)
	u.press("[data-test=person-zhaoliu]")
	u.see("权限集 18")
	u.shot("wechat-sets")
	u.press("[data-test=authorize-confirm]")
	u.at("/market/installations/")
	u.see("青禾小馆")
	u.shot("choose")
	u.fill("[data-test=app-search]", "青禾")
	u.press("[data-test=app-search] ~ button, form:has([data-test=app-search]) button")
	u.see("青禾小馆")
	u.tick("[name=appid][value=" + walkShop + "]")
	u.fill("#config-shopName", "青禾小馆一号店")
	u.press("[data-test=start]")
	for _, step := range []string{"校验权限", "配置域名", "上传代码", "生成体验版"} {
		u.see(step)
	}
	u.shot("installing")
	u.see("仅管理员和体验者可打开")
	u.shot("trial")
	u.open("/my/miniprograms")
	u.see("青禾小馆")
	u.shot("mine")
	u.open("/my/miniprograms/" + walkShop)
	u.see("开发管理与数据分析")
	u.shot("mine-detail")
	u.open("/p/hosting/miniprograms/" + walkShop)
	u.see("晨光软件")
	u.shot("who-may")
}

// atWeChat waits until the browser has arrived at the simulator's page; the intermediate page's button is pressed if it
// waits for a hand.
func (p *person) atWeChat(d *running) {
	p.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if strings.HasPrefix(p.location(), d.sim) {
			return
		}
	}
	p.press("[data-test=go-wechat]")
	p.at(d.simAt)
}

// reviewAndRelease is walk 3: rejected by push, passed without push and found by the cron job, released.
func reviewAndRelease(d *running, u, m, console *person) {
	u.t.Helper()
	page := "/p/version/miniprograms/" + walkShop
	m.open("/admin" + page)
	m.see("暂无提交审核的版本或者版本已发布上线")
	m.shot("lanes")
	d.control("/control/clock", map[string]any{"advance_seconds": 60}, nil)
	u.open(page)
	u.submit(page)
	u.see("审核中")
	u.shot("submitted")
	console.open("/console/audits")
	console.fill("#audit-form-"+walkShop+" [name=reason], [data-test=audit-reason]", "1:页面内容与类目不符<br>2:缺少用户协议")
	console.press("[data-test=audit-reject]")
	console.shot("rejected")
	d.eventually("the rejection in the lane", func() bool { u.open(page); return u.shows("页面内容与类目不符") })
	u.see("缺少用户协议")
	u.shot("rejected")
	u.submit(page)
	u.see("审核中")
	d.control("/control/audits/"+walkShop, map[string]any{"result": "pass", "push": false}, nil)
	u.open(page)
	if u.lane("audit") == "审核通过" {
		u.t.Fatal("the push was dropped and yet the lane changed")
	}
	token := d.login("operator@example.test")
	if status := d.call(http.MethodPost, d.base+"/api/v1/jobs/version.sync-audits/run", token, map[string]any{}, nil); status != http.StatusAccepted {
		u.t.Fatalf("立即执行: %d", status)
	}
	d.eventually("the cron job's word in the lane", func() bool { u.open(page); return u.lane("audit") == "审核通过" })
	u.shot("passed")
	m.open("/admin" + page)
	if m.lane("audit") != "审核通过" {
		m.lost("see the passed audit", errStep)
	}
	m.shot("lanes-passed")
	u.press("[data-act=release]")
	u.shot("release-confirm")
	u.press("[data-act=release]")
	u.see("已上线")
	u.shot("released")
	m.open("/admin" + page)
	m.see("已上线")
	m.shot("lanes-released")
	m.open("/admin/miniprograms")
	m.see("青禾小馆")
	m.shot("miniprograms")
}

func (p *person) submit(page string) {
	p.t.Helper()
	p.openSubmit(page)
	p.choose("#category_1", p.firstOption("#category_1"))
	p.fill("#version_desc", "排队取号首版，测试账号 demo")
	p.press("[data-act=submit]")
}

// openSubmit opens the lane page until its submit button is to be pressed: the code scan may still run.
func (p *person) openSubmit(page string) {
	p.t.Helper()
	for deadline := time.Now().Add(stepTime); time.Now().Before(deadline); time.Sleep(300 * time.Millisecond) {
		p.open(page)
		if ask[bool](p, `!!document.querySelector("a[data-act=submit], button[data-act=submit]:not([disabled])")`) {
			p.press("[data-act=submit]")
			return
		}
		p.press("[data-act=sync]")
	}
	p.lost("wait for 提交审核", errStep)
}

// operatorLooks is walk 4.
func operatorLooks(d *running, o *person) {
	o.t.Helper()
	o.login("operator@example.test", "/admin/events")
	o.see("事件日志")
	o.open("/admin/events?type=weapp_audit_fail")
	o.see("代码审核驳回")
	o.shot("events")
	o.press("text:详情")
	o.shot("event")
	o.press("text:解密查看")
	o.see("缺少用户协议")
	o.shot("event-open")
	o.press("text:重放")
	o.shot("event-replayed")
	o.open("/admin/events?type=component_verify_ticket")
	o.press("text:详情")
	o.press("text:解密查看")
	o.see("ComponentVerifyTicket")
	whole := ask[string](o, `document.body.innerText`)
	if regexp.MustCompile(`ticket@@@[A-Za-z0-9_-]{12}`).MatchString(whole) {
		o.t.Error("a ticket is shown in clear")
	}
	o.open("/admin/jobs")
	o.see("刷新第三方平台令牌")
	o.shot("jobs")
	o.press("text:立即执行")
	o.shot("job-run")
	o.open("/admin/plugins")
	o.see("运行中")
	o.shot("plugins")
	o.open("/admin/trail")
	o.see("wechat.code.release")
	o.shot("trail")
}

// userRevokes ends the merchant's rights; the next call of the merchant is refused.
func userRevokes(u *person) {
	u.t.Helper()
	u.open("/p/hosting/miniprograms/" + walkShop)
	u.click("[data-test=revoke]")
	u.shot("revoke-asks")
	u.confirm()
	u.see("没有")
	u.shot("revoked")
}

// secretsStayHidden greps the log, the database and the event journal of the whole run for every secret made in it.
func secretsStayHidden(t *testing.T, d *running) {
	t.Helper()
	var calls struct {
		Items []struct{ Path string }
	}
	d.control("/control/calls?limit=10", nil, &calls)
	if len(calls.Items) == 0 {
		t.Fatal("no call reached WeChat, so there is nothing to hide")
	}
	d.stop()
	log, err := os.ReadFile(filepath.Join(d.dir, "data", "minifleet.log"))
	if err != nil {
		t.Fatal(err)
	}
	if len(log) < 5_000 {
		t.Fatalf("the log of a whole run is %d bytes long", len(log))
	}
	secrets := simulatorSecrets(t, filepath.Join(d.dir, "data", "simulator.db"))
	secrets = append(secrets, walkSecret, demoPassword)
	if len(secrets) < 12 {
		t.Fatalf("only %d secrets found in the simulator", len(secrets))
	}
	kept := platformFiles(t, filepath.Join(d.dir, "data"))
	for _, name := range []string{"minifleet.log", "minifleet.db", "minifleet.db.intake"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(kept)), func(path string) bool { return strings.HasPrefix(path, name) }) {
			t.Errorf("no %s to search in", name)
		}
	}
	for name, content := range kept {
		for _, s := range secrets {
			if bytes.Contains(content, []byte(s)) {
				t.Errorf("%s holds a secret in clear: %.6s…", name, s)
			}
		}
	}
}
