package simulator

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// browser is a person's browser that does not leave the simulator.
type browser struct {
	t    testing.TB
	http *http.Client
	base string
}

func (g *rig) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	return &browser{g.t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, g.server.URL}
}

// open gets a page; redirects inside the simulator are followed, one to the outside is returned as location.
func (b *browser) do(req *http.Request) (page, location string) {
	b.t.Helper()
	for range 5 {
		resp, err := b.http.Do(req)
		if err != nil {
			b.t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		target := resp.Header.Get("Location")
		if target == "" {
			if resp.StatusCode != http.StatusOK {
				b.t.Fatalf("%s: HTTP %d %s", req.URL, resp.StatusCode, raw)
			}
			if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self'") || strings.Contains(csp, "unsafe") {
				b.t.Errorf("%s: policy %q", req.URL, csp)
			}
			return string(raw), ""
		}
		if !strings.HasPrefix(target, "/") {
			return "", target
		}
		if req, err = http.NewRequest("GET", b.base+target, nil); err != nil {
			b.t.Fatal(err)
		}
	}
	b.t.Fatal("too many redirects")
	return "", ""
}

func (b *browser) open(address, referer string) (page, location string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.base + address
	}
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if referer != "" {
		req.Header.Set("Referer", referer)
	}
	return b.do(req)
}

func (b *browser) submit(path string, form url.Values) (page, location string) {
	b.t.Helper()
	req, err := http.NewRequest("POST", b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.base)
	return b.do(req)
}

const fromPlatform = "http://" + testAuthHost + "/"

var formAction = regexp.MustCompile(`action="(/sim/authorize/[0-9A-Za-z]+)"`)

func TestPhonePageAuthorisesAndSendsTheBrowserBack(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.program(testProgram, nil)
	g.program("wx00000000000000a2", nil)
	g.control("people", object{"wechat_id": "lisi", "name": "李四"})
	b := g.browser()
	page, _ := b.open(authorizationLink("", testComponent, g.preAuth(ct), "/wxaopen/safe/bindcomponent"), fromPlatform)
	action := formAction.FindStringSubmatch(page)[1]
	for _, want := range []string{"测试平台", `data-test="person-zhangsan"`, `data-test="person-lisi"`} {
		if !strings.Contains(page, want) {
			t.Errorf("first step lacks %s", want)
		}
	}
	if page, _ = b.open(action+"?person=lisi", ""); !strings.Contains(page, `data-test="no-program"`) {
		t.Error("somebody who administers nothing is not told")
	}
	if page, _ = b.open(action+"?person=zhangsan", ""); !strings.Contains(page, "program-"+testProgram) || strings.Contains(page, `name="set"`) {
		t.Error("second step does not offer the choice of two mini programs")
	}
	page, _ = b.open(action+"?person=zhangsan&appid="+testProgram, "")
	if n := strings.Count(page, ` checked>`); n != len(defaultPermissionSets()) || !strings.Contains(page, "小程序开发与数据分析") {
		t.Errorf("%d sets are ticked", n)
	}
	if page, _ = b.submit(action, url.Values{"person": {"zhangsan"}, "appid": {testProgram}, "action": {"confirm"}}); !strings.Contains(page, `data-test="phone-error"`) {
		t.Error("nothing ticked is accepted")
	}
	_, location := b.submit(action, url.Values{"person": {"zhangsan"}, "appid": {testProgram}, "set": {"18", "30"}, "action": {"confirm"}})
	if !strings.HasPrefix(location, fromPlatform+"auth/return/t1?x=1&auth_code=") {
		t.Fatalf("went to %q", location)
	}
	granted := g.control("authorizations", nil)["items"].([]any)[0].(object)["permission_sets"].([]any)
	if len(granted) != 2 {
		t.Errorf("granted %v", granted)
	}
	if page, _ = b.open(action, ""); !strings.Contains(page, `data-test="authorize-done"`) {
		t.Error("the page can be used again")
	}
	if page, _ = b.submit(action, url.Values{"action": {"cancel"}}); !strings.Contains(page, `data-test="refused-title"`) {
		t.Error("a finished authorisation can be cancelled")
	}
}

func TestPCPageWaitsForThePhone(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.program(testProgram, nil)
	b := g.browser()
	page, _ := b.open(authorizationLink("", testComponent, g.preAuth(ct), "/cgi-bin/componentloginpage"), fromPlatform)
	state := regexp.MustCompile(`data-state-url="(/sim/scan/[^"]+)"`).FindStringSubmatch(page)[1]
	phone := regexp.MustCompile(`href="(/sim/authorize/[^"]+)"`).FindStringSubmatch(page)[1]
	poll := func() (string, string) {
		_, raw := g.send("GET", state, nil)
		var s struct {
			State string `json:"state"`
			To    string `json:"redirect_to"`
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		return s.State, s.To
	}
	if s, _ := poll(); s != scanWaiting {
		t.Errorf("state %s before the scan", s)
	}
	_, raw := g.send("GET", strings.Replace(state, "/state", "/qr.png", 1), nil)
	if _, err := png.Decode(bytes.NewReader(raw)); err != nil {
		t.Errorf("QR code: %v", err)
	}
	b.open(phone, "")
	if s, _ := poll(); s != scanScanned {
		t.Errorf("state %s after the scan", s)
	}
	page, location := b.submit(phone, url.Values{"person": {"zhangsan"}, "appid": {testProgram}, "set": {"18"}, "action": {"confirm"}})
	if location != "" || !strings.Contains(page, "电脑上的网页会自动继续") {
		t.Errorf("the phone went to %q", location)
	}
	if s, to := poll(); s != scanConfirmed || !strings.HasPrefix(to, fromPlatform) {
		t.Errorf("state %s, to %s", s, to)
	}
}

func TestCancelledAuthorisationGoesNowhere(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.program(testProgram, nil)
	pre := g.preAuth(ct)
	out := g.control("scan", object{"url": authorizationLink("", testComponent, pre, "/safe/bindcomponent"), "action": "cancel"})
	if out["redirect_to"] != nil || out["state"] != scanCancelled {
		t.Errorf("answer %v", out)
	}
	b := g.browser()
	page, _ := b.open(authorizationLink("", testComponent, pre, "/wxaopen/safe/bindcomponent"), fromPlatform)
	action := formAction.FindStringSubmatch(page)[1]
	page, location := b.submit(action, url.Values{"action": {"cancel"}})
	if location != "" || !strings.Contains(page, "已取消") {
		t.Errorf("went to %q", location)
	}
	if items := g.control("authorizations", nil)["items"].([]any); len(items) != 0 {
		t.Errorf("authorisations %v", items)
	}
}

func TestAuthorisationPageRefusesWhatWeChatRefuses(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.program(testProgram, nil)
	good := func() url.Values {
		u, err := url.Parse(authorizationLink("", testComponent, g.preAuth(ct), ""))
		if err != nil {
			t.Fatal(err)
		}
		return u.Query()
	}
	with := func(key, value string) url.Values { q := good(); q.Set(key, value); return q }
	for _, c := range []struct {
		name, referer string
		query         url.Values
		says          string
	}{
		{"no referer", "", good(), "授权入口页所在域名：空"},
		{"foreign referer", "http://evil.example/", good(), "evil.example"},
		{"unknown component", fromPlatform, with("component_appid", "wxnone"), "component_appid"},
		{"foreign redirect", fromPlatform, with("redirect_uri", "http://evil.example/"), "授权回调域名"},
		{"redirect that is no address", fromPlatform, with("redirect_uri", "javascript:alert(1)"), "授权回调域名"},
		{"unknown pre auth code", fromPlatform, with("pre_auth_code", "x"), "PreAuthCode无效"},
		{"unknown set", fromPlatform, with("category_id_list", "18|999"), "category_id_list"},
		{"official account only", fromPlatform, with("auth_type", "1"), "auth_type"},
	} {
		for _, path := range []string{"/cgi-bin/componentloginpage", "/wxaopen/safe/bindcomponent", "/safe/bindcomponent"} {
			page, location := g.browser().open(path+"?"+c.query.Encode(), c.referer)
			if location != "" || !strings.Contains(page, c.says) || !strings.Contains(page, `data-test="refused-title"`) {
				t.Errorf("%s on %s: went to %q, page\n%s", c.name, path, location, page)
			}
		}
	}
	q := with("biz_appid", "wx00000000000000ff")
	page, _ := g.browser().open("/wxaopen/safe/bindcomponent?"+q.Encode(), fromPlatform)
	action := formAction.FindStringSubmatch(page)[1]
	if page, _ = g.browser().open(action+"?person=zhangsan", ""); !strings.Contains(page, "wx00000000000000ff") {
		t.Error("biz_appid does not restrict the choice")
	}
	if page, _ = g.browser().submit(action, url.Values{"person": {"zhangsan"}, "appid": {testProgram}, "set": {"18"}}); !strings.Contains(page, "不能授权这个小程序") {
		t.Error("another mini program than biz_appid was accepted")
	}
}

func TestExclusiveSetIsGreyOnThePhone(t *testing.T) {
	g := startRig(t, Options{})
	g.ready()
	const other = "wx00000000000000c2"
	g.control("components", object{"appid": other, "name": "另一家", "auth_domain": testAuthHost})
	err := g.sim.update(t.Context(), func(w *world, now int64) error {
		w.preAuthCodes.put("pre2", &preAuthCode{Value: "pre2", Component: other, ExpiresMs: now + 1000_000})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b := g.browser()
	page, _ := b.open(authorizationLink("", other, "pre2", "/wxaopen/safe/bindcomponent"), fromPlatform)
	action := formAction.FindStringSubmatch(page)[1]
	page, _ = b.open(action+"?person=zhangsan&appid="+testProgram, "")
	if !strings.Contains(page, `data-test="set-18" disabled`) || !strings.Contains(page, "已授权给「测试平台」") {
		t.Errorf("set 18 is not shown as taken")
	}
	page, _ = b.submit(action, url.Values{"person": {"zhangsan"}, "appid": {testProgram}, "set": {"18", "30"}, "action": {"confirm"}})
	if !strings.Contains(page, "权限集互斥") {
		t.Error("a taken set was granted twice")
	}
}

func TestPicturesAndTrialPage(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	for _, path := range []string{"/sim/avatar/" + testProgram + ".png", "/sim/avatar/x", "/sim/qrcode/" + testProgram + ".png"} {
		_, raw := g.send("GET", path, nil)
		if _, err := png.Decode(bytes.NewReader(raw)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	b := g.browser()
	if page, _ := b.open("/sim/trial/"+testProgram, ""); !strings.Contains(page, "体验版不存在") {
		t.Error("a trial version is shown before the first commit")
	}
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("2.3.4"))
	page, _ := b.open("/sim/trial/"+testProgram+"?path=pages/me/me", "")
	if !strings.Contains(page, "2.3.4") || !strings.Contains(page, "pages/me/me") || strings.Contains(page, "a<b>&c") || !strings.Contains(page, "a&lt;b&gt;&amp;c") {
		t.Errorf("trial page %s", page)
	}
}
