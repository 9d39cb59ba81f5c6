package command_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"minifleet/app/plugin/archive"
)

// TestExtensionsAreInstalledAndUsed carries both examples from their author to their use, in a browser: an operator
// uploads, reads and approves, a merchant keeps coupons, a user fills in a robot that hears of a rejected audit, and an
// upgrade that asks for more waits until somebody has read what is new.
func TestExtensionsAreInstalledAndUsed(t *testing.T) {
	exe := binary(t)
	robot, port := newRobot(t)
	coupons := packedExample(t, "coupon")
	more := packedExample(t, "coupon", `"1.0.0")`, `"1.1.0")`+"\n\tp.Asks(sdk.ToHosts(\"coupon.example.com\"))")
	notifier := packedExample(t, "auditnotifier", `"open.feishu.cn"`, `"open.feishu.cn", "localhost:`+port+`"`)

	d := startDemo(t, exe, "MINIFLEET_PLUGINS_THIRDPARTY=true")
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu"}, nil)
	owner := client{d, d.login("user@example.test")}
	install(d, owner)

	browser := startBrowser(t)
	seat := func(name string) *person {
		p := sit(t, browser, name, 1366, d.base, d.listen)
		p.login(strings.TrimPrefix(name, "extension-")+"@example.test", "/my/security")
		return p
	}
	operator, merchant, user := seat("extension-operator"), seat("extension-merchant"), seat("extension-user")
	user.open("/my/extensions")
	user.see("还没有可用的扩展")
	user.both("none")
	operator.open("/admin/plugin-archives")
	operator.see("还没有第三方插件")
	operator.both("archives-none")
	operatorInstalls(operator, operator.upload(notifier), "auditnotifier", "驳回提醒")
	merchant.open("/admin/plugin-archives")
	merchant.both("submissions-none")
	merchant.open("/admin/plugin-archives/new")
	merchant.both("submit")
	submitted := merchant.upload(coupons)
	merchant.see("等待平台审批")
	merchant.both("submitted")
	operatorInstalls(operator, submitted, "coupon", "优惠券")
	merchantKeepsCoupons(d, merchant)
	userFillsInTheRobot(user, port)
	owner.submitted(d)
	d.control("/control/audits/"+walkShop, map[string]any{"result": "reject", "reason": "1:缺少协议<br>2:<b>类目</b>不符"}, nil)
	robotHears(d, user, robot)
	upgradeWaits(d, merchant, operator, more)
	operatorWithdraws(operator, merchant)
	for _, p := range []*person{operator, merchant, user} {
		p.content()
	}
}

// robot is a group's robot on this machine.
type robot struct {
	mu  sync.Mutex
	got []string
}

func newRobot(t *testing.T) (heard *robot, port string) {
	t.Helper()
	heard = &robot{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var told struct{ Text struct{ Content string } }
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&told); err != nil {
			t.Errorf("the robot was told no JSON: %v", err)
		}
		heard.mu.Lock()
		heard.got = append(heard.got, r.URL.Query().Get("key")+" "+told.Text.Content)
		heard.mu.Unlock()
		_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`) // a plugin that is gone needs no answer
	}))
	t.Cleanup(server.Close)
	return heard, server.URL[strings.LastIndex(server.URL, ":")+1:]
}

func (r *robot) messages() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.got...)
}

// packedExample packs an example as its author would, after a change to its main file; change is old, new, old, new …
func packedExample(t *testing.T, name string, change ...string) string {
	t.Helper()
	root, folder := checkout(t), t.TempDir()
	from := filepath.Join(root, "plugins", "examples", name)
	if err := os.CopyFS(folder, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	edit := func(file, old, new string) {
		raw := readAll(t, filepath.Join(folder, file))
		if strings.Count(string(raw), old) != 1 {
			t.Fatalf("%s of %s does not hold %q once", file, name, old)
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(strings.Replace(string(raw), old, new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit("go.mod", "replace minifleet => ../../..", "replace minifleet => "+root)
	for i := 0; i+1 < len(change); i += 2 {
		edit(name+".go", change[i], change[i+1])
	}
	file := filepath.Join(t.TempDir(), name+archive.Extension)
	back := root + "/app/command"
	status, out, complaint := author(t, folder, "pack", "-o", file, "--platforms", archive.Platform(runtime.GOOS, runtime.GOARCH))
	t.Chdir(back)
	if status != 0 || !strings.Contains(out, "sha256") {
		t.Fatalf("plugin pack ended with %d: %s%s", status, out, complaint)
	}
	return file
}

// both keeps a picture of the page on a desk and on a phone.
func (p *person) both(name string) {
	p.t.Helper()
	p.shot(name)
	p.do("take up the phone", chromedp.EmulateViewport(360, 800), chromedp.Sleep(100*time.Millisecond))
	p.shot(name + "-phone")
	p.do("sit down again", chromedp.EmulateViewport(1366, 900))
}

// upload hands in an archive and gives its page's address.
func (p *person) upload(file string) string {
	p.t.Helper()
	p.open("/admin/plugin-archives/new")
	p.do("choose the file", chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	p.press("form[enctype] [type=submit]")
	p.wait("be at the archive", `/plugin-archives\/\d+$/.test(location.pathname)`)
	return ask[string](p, `location.pathname`)
}

// operatorInstalls reads what an archive asks for, approves it, and opens the extension to every space.
func operatorInstalls(o *person, address, id, title string) {
	o.t.Helper()
	o.open("/admin/plugin-archives")
	o.see(title)
	o.both(id + "-archives")
	o.open("/admin/plugin-archives/new")
	o.both(id + "-upload")
	o.open(address)
	for _, words := range []string{title + " 1.0.0", "SHA-256", "待审批"} {
		o.see(words)
	}
	o.both(id + "-asks")
	o.click("button[value=approve]")
	o.confirm()
	o.see("上架中")
	o.both(id + "-approved")
	o.press("[data-test=to-plugin]")
	o.see("运行中")
	o.both(id + "-process")
	o.press("[data-test=reach]")
	o.choosesSpaces()
	o.click("[name=reach][value=all]")
	o.press("[data-test=save]")
	o.see("可用范围已保存")
	o.both(id + "-reach")
}

// choosesSpaces finds a space by its name, adds it and takes it out again; the tour's button covers no button of the form.
func (p *person) choosesSpaces() {
	p.t.Helper()
	p.click("[name=reach][value=spaces]")
	p.fill("#reach-find", "晨光")
	p.click("[data-test=add]")
	p.see("已选择 1 个")
	p.both("reach-chosen")
	p.do("take up the phone", chromedp.EmulateViewport(360, 800))
	p.wait("press 保存 on a phone", `(()=>{const e=document.querySelector("[data-test=save]"); e.scrollIntoView({block:"center"}); const r=e.getBoundingClientRect(); return e.contains(document.elementFromPoint(r.right-8, r.top+r.height/2)) && !!document.querySelector("[data-test=tour-open]")})()`)
	p.do("sit down again", chromedp.EmulateViewport(1366, 900))
	p.click("[data-test=take]")
	p.see("还没有选择空间")
	p.press("[data-test=save]")
	p.see("请至少")
}

// merchantKeepsCoupons switches the coupons on and uses their list and their REST.
func merchantKeepsCoupons(d *running, m *person) {
	m.t.Helper()
	m.open("/admin/extensions")
	m.see("优惠券")
	m.both("extensions")
	m.open("/admin/extensions/coupon")
	m.both("coupon-off")
	m.press("[data-test=on]")
	m.see("已开启")
	m.both("coupon-on")
	m.press("[data-test=place]")
	m.at("/admin/info/coupon_coupons")
	m.both("coupons-none")
	m.press("[data-test=create]")
	m.fill("[name=appid]", walkShop)
	m.fill("[name=name]", "开业满减券")
	m.fill("[name=stock]", "-1")
	ask[bool](m, `(()=>{document.querySelector("[name=until]").value="2030-01-01T00:00:00"; return true})()`)
	m.press("form .mf-form-actions [type=submit]")
	m.see("不能小于 0")
	m.both("coupon-refused")
	m.fill("[name=stock]", "2")
	m.press("form .mf-form-actions [type=submit]")
	m.see("已保存")
	m.both("coupons")
	m.open("/admin/info/coupon_coupons?name=" + "没有这张")
	m.both("coupons-no-match")
	m.open("/admin/info/coupon_coupons?name=" + "满减")
	m.see("开业满减券")

	api := client{d, d.login("merchant@example.test")}
	var list struct {
		Items []struct {
			ID, Name string
			Stock    int64
			Stopped  bool
		}
	}
	api.must(http.StatusOK, http.MethodGet, "/coupon/coupons", nil, &list)
	if len(list.Items) != 1 || list.Items[0].Name != "开业满减券" || list.Items[0].Stock != 2 {
		m.t.Fatalf("REST gives %+v", list.Items)
	}
	take := "/coupon/coupons/" + list.Items[0].ID + "/take"
	if n := api.times(5, take, map[string]any{}); n != 2 {
		m.t.Errorf("%d took one of two coupons", n)
	}
	m.click("[data-test=export]")
	m.see("AppID 和电话按文本导出")
	m.shot("export")
	m.open("/admin/info/coupon_coupons")
	m.click("text:停用")
	m.confirm()
	m.see("停用：1 条")
	m.both("coupon-stopped")
	api.must(http.StatusConflict, http.MethodPost, take, map[string]any{}, nil)
}

// userFillsInTheRobot switches the notifier on in the portal: refused without its address, then with it.
func userFillsInTheRobot(u *person, port string) {
	u.t.Helper()
	u.open("/my/extensions")
	u.both("mine")
	u.open("/my/extensions/auditnotifier")
	u.both("notifier-off")
	u.press("[data-test=save-on]")
	u.see("Webhook 地址：必填")
	u.both("notifier-refused")
	u.fill("[name=url]", "http://localhost:"+port+"/cgi-bin/webhook/send?key=walk-robot-key")
	u.press("[data-test=save-on]")
	u.see("已开启")
	if strings.Contains(ask[string](u, `document.documentElement.outerHTML`), "walk-robot-key") {
		u.t.Error("the page shows the robot's key")
	}
	u.both("notifier-on")
}

// robotHears waits for the rejection at the robot, in words.
func robotHears(d *running, u *person, r *robot) {
	u.t.Helper()
	d.eventually("the robot's message", func() bool { return len(r.messages()) > 0 })
	got := r.messages()
	if len(got) != 1 || !strings.HasPrefix(got[0], "walk-robot-key ") || !strings.Contains(got[0], "「青禾小馆」审核被驳回") || !strings.Contains(got[0], "缺少协议\n") || strings.Contains(got[0], "<b>") {
		u.t.Errorf("the robot heard %q", got)
	}
	owner := client{d, d.login("user@example.test")}
	d.eventually("the message in the list", func() bool {
		var page struct {
			Items []struct{ AppID, Reason string }
		}
		owner.must(http.StatusOK, http.MethodGet, "/auditnotifier/notices", nil, &page)
		return len(page.Items) == 1 && strings.Contains(page.Items[0].Reason, "类目不符")
	})
}

// upgradeWaits hands in a version that asks for more, as the merchant: the old one serves until an operator has read it.
func upgradeWaits(d *running, m, o *person, file string) {
	m.t.Helper()
	address := m.upload(file)
	m.both("submitted-upgrade")
	o.open(address)
	for _, words := range []string{"比上架中的版本要求更多权限", "coupon.example.com", "新增", "晨光软件"} {
		o.see(words)
	}
	if !strings.Contains(ask[string](o, `document.querySelector("[data-test=new]").innerText`), "coupon.example.com") {
		o.lost("read what is new at the top", errStep)
	}
	o.both("upgrade")
	m.open("/admin/extensions/coupon")
	m.see("1.0.0")
	o.click("button[value=approve]")
	o.confirm()
	o.see("上架中")
	o.open("/admin/plugins/coupon")
	o.see("1.1.0")
	o.both("upgraded")
	m.open("/admin/info/coupon_coupons")
	m.see("开业满减券")
	m.open(address)
	m.both("submission-approved")
	m.press("[data-test=to-extension]")
	m.at("/admin/extensions/coupon")
}

// operatorWithdraws takes the coupons out of service: nothing of them is left in the merchant's space.
func operatorWithdraws(o, m *person) {
	o.t.Helper()
	o.open("/admin/plugins")
	o.both("plugins")
	o.open("/admin/plugins/coupon")
	o.fill("#withdraw-reason", "作者停止维护")
	o.click("form[action$=withdraw] [type=submit]")
	o.confirm()
	o.see("插件已下架")
	o.both("withdrawn")
	m.open("/admin/extensions")
	m.see("驳回提醒")
	if m.shows("优惠券") {
		m.lost("not see the coupons any more", errStep)
	}
	m.open("/admin/info/coupon_coupons")
	m.see("没有")
	m.both("gone")
}
