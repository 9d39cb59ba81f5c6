package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

var consolePages = []string{"/console", "/console/components", "/console/components/" + testComponent, "/console/miniprograms",
	"/console/miniprograms/" + testProgram, "/console/drafts", "/console/audits", "/console/clock", "/console/pushes", "/console/calls", "/console/faults", "/console/phone",
	"/console/settings", "/console/scenarios", "/console/scenarios/first-authorization", "/console/scenarios/new", "/console/help"}

var outside = regexp.MustCompile(`(?:src|href)="(?:https?:)?//`)

func TestConsolePagesAreOwnAndFreeOfInlineCode(t *testing.T) {
	for _, full := range []bool{false, true} {
		g := startRig(t, Options{})
		if full {
			_, at := g.ready()
			g.passed(at, "1.0.0")
			g.ok("POST", "/wxa/release?access_token="+at, "{}")
			g.submitted(at, "1.1.0")
			g.control("faults", object{"path": "/wxa/get_page", "errcode": 45009})
		}
		b := g.browser()
		for _, path := range consolePages {
			if !full && strings.Contains(path, "/wx0") {
				continue
			}
			page, _ := b.open(path, "")
			if outside.MatchString(page) || strings.Contains(page, " style=") || strings.Contains(page, "<script>") || strings.Contains(page, " onclick") {
				t.Errorf("%s uses another site or inline code", path)
			}
			if strings.Contains(page, "<no value>") || !strings.Contains(page, "</html>") {
				t.Errorf("%s is incomplete", path)
			}
		}
	}
}

func TestConsoleFormsDoWhatTheySay(t *testing.T) {
	g := startRig(t, Options{})
	b := g.browser()
	post := func(action, back string, fields map[string]string) string {
		t.Helper()
		form := url.Values{"back": {back}}
		for k, v := range fields {
			form.Set(k, v)
		}
		page, _ := b.submit("/console/do/"+action, form)
		return page
	}
	says := func(page, flash, text string) {
		t.Helper()
		part := regexp.MustCompile(`data-test="` + flash + `"[^>]*>([^<]*)`).FindStringSubmatch(page)
		if part == nil || !strings.Contains(part[1], text) {
			t.Fatalf("message %q, want %s with %q", part, flash, text)
		}
	}
	says(post("component", "/console/components", map[string]string{"appid": testComponent, "name": "控制台平台", "secret": testSecret, "token": testToken,
		"aes_key": keyV, "ticket_url": g.platform.server.URL + "/ticket", "message_url": g.platform.server.URL + "/message/$APPID$",
		"auth_domain": testAuthHost, "domains": "api.example.com\ncdn.example.com", "permission_sets": "17 18 30", "audit_quota": "50"}), "flash", "已保存")
	ct := g.componentToken(g.platform.wait("component_verify_ticket")["ComponentVerifyTicket"])
	says(post("component", "/console/components", map[string]string{"appid": testComponent, "permission_sets": "x"}), "flash-error", "数字")
	says(post("component", "/console/components", map[string]string{"appid": testComponent, "audit_quota": "many"}), "flash-error", "不是整数")
	says(post("component", "/console/components", map[string]string{"appid": testComponent, "aes_key": "short"}), "flash-error", "43")
	says(post("miniprogram", "/console/miniprograms", map[string]string{"appid": testProgram, "nick_name": "咖啡", "admin": "zhangsan", "flags": "1",
		"name_set": "1", "avatar_set": "1", "intro_set": "1", "categories": "商家自营 食品饮料 304 325\n"}), "flash", "已保存")
	says(post("miniprogram", "/console/miniprograms", map[string]string{"nick_name": "咖啡", "admin": "x", "categories": "一 二"}), "flash-error", "四项")
	says(post("miniprogram", "/console/miniprograms", map[string]string{"nick_name": "咖啡", "admin": "x", "categories": "一 二 三 四"}), "flash-error", "数字")
	says(post("person", "/console/miniprograms", map[string]string{"wechat_id": "lisi", "name": "李四", "searchable": "1"}), "flash", "已保存")
	says(post("draft", "/console/drafts", map[string]string{"component_appid": testComponent, "user_version": "1.0.0", "user_desc": "首版", "pages": "pages/index/index\npages/me/me"}), "flash", "已上传")
	says(post("ticket", "/console", map[string]string{"component_appid": testComponent}), "flash", "票据")
	at, _ := g.authorize(ct, testProgram)
	g.ok("POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": 1})
	g.submitted(at, "1.0.0")
	if page, _ := b.open("/console/audits", ""); !strings.Contains(page, `data-test="audit-`+testProgram+`"`) {
		t.Error("the queue does not show the submitted version")
	}
	says(post("audit", "/console/audits", map[string]string{"appid": testProgram, "result": "reject"}), "flash-error", "原因")
	says(post("audit", "/console/audits", map[string]string{"appid": testProgram, "result": "pass", "drop": "1"}), "flash", "已丢弃")
	says(post("clock", "/console/clock", map[string]string{"advance_seconds": "600"}), "flash", "600")
	says(post("clock", "/console/clock", nil), "flash-error", "秒数")
	says(post("settings", "/console/clock", map[string]string{"privacy_scan_seconds": "3", "query_auth_repeat": "same"}), "flash", "已保存")
	says(post("push", "/console/pushes", map[string]string{"component_appid": testComponent, "kind": "event", "appid": testProgram, "xml": "Event=debug_demo\ndebug_str=a=b"}), "flash", "已推送")
	if demo := g.platform.wait("debug_demo"); demo["debug_str"] != "a=b" {
		t.Errorf("event %v", demo)
	}
	says(post("push", "/console/pushes", map[string]string{"component_appid": testComponent, "kind": "info", "xml": "no equals sign"}), "flash-error", "名称=值")
	says(post("next-pushes", "/console/pushes", map[string]string{"component_appid": testComponent, "how": "drop", "count": "0"}), "flash", "接下来的推送")
	page := post("fault", "/console/faults", map[string]string{"path": "/wxa/get_page", "errcode": "45009", "times": "-1"})
	says(page, "flash", "已添加")
	id := regexp.MustCompile(`name="id" value="(\d+)"`).FindStringSubmatch(page)[1]
	says(post("fault-delete", "/console/faults", map[string]string{"id": id}), "flash", "已删除")
	says(post("fault-delete", "/console/faults", map[string]string{"id": id}), "flash-error", "没有")
	says(post("unauthorize", "/console/components/"+testComponent, map[string]string{"component_appid": testComponent, "appid": testProgram}), "flash", "解除")
	says(post("ticket-switch", "/console/components/"+testComponent, map[string]string{"component_appid": testComponent, "stopped": "1"}), "flash", "已保存")
	if c := g.control("components", nil)["items"].([]any)[0].(object); c["ticket_stopped"] != true {
		t.Errorf("component %v", c)
	}
}

func TestConsoleStaysInsideItself(t *testing.T) {
	g := startRig(t, Options{})
	resp, err := g.browser().http.PostForm(g.server.URL+"/console/do/clock", url.Values{"back": {"https://evil.example/"}, "advance_seconds": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if to := resp.Header.Get("Location"); !strings.HasPrefix(to, "/console?") {
		t.Errorf("went to %s", to)
	}
	for path, want := range map[string]int{"/console/do/none": 405, "/console/components/wxnone": 404, "/console/nothing": 404, "/": 303, "/console/": 303,
		"/sim/assets/console.css": 200, "/sim/assets/pc.js": 200} {
		resp, err := g.browser().http.Get(g.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: HTTP %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestPhoneOpensWhatWasScanned(t *testing.T) {
	g := startRig(t, Options{})
	b := g.browser()
	if _, location := b.open("/console/phone?url="+url.QueryEscape("http://127.0.0.1:8000/auth/abc"), ""); location != "http://127.0.0.1:8000/auth/abc" {
		t.Errorf("went to %q", location)
	}
	if page, location := b.open("/console/phone?url="+url.QueryEscape("javascript:alert(1)"), ""); location != "" || !strings.Contains(page, "phone-url-error") {
		t.Errorf("a script was opened: %q", location)
	}
	status, _ := g.send(http.MethodPost, "/console/phone", "")
	if status != http.StatusMethodNotAllowed {
		t.Errorf("HTTP %d", status)
	}
}

func TestConsoleDoesTheWorkOfTrainers(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	b := g.browser()
	post := func(action, back string, fields map[string]string) string {
		t.Helper()
		form := url.Values{"back": {back}}
		for k, v := range fields {
			form.Set(k, v)
		}
		page, _ := b.submit("/console/do/"+action, form)
		return page
	}
	says := func(page, flash, text string) {
		t.Helper()
		part := regexp.MustCompile(`data-test="` + flash + `"[^>]*>([^<]*)`).FindStringSubmatch(page)
		if part == nil || !strings.Contains(part[1], text) {
			t.Fatalf("message %q, want %s with %q", part, flash, text)
		}
	}
	shows := func(path, what string) string {
		t.Helper()
		page, _ := b.open(path, "")
		if !strings.Contains(page, what) {
			t.Fatalf("%s does not show %q", path, what)
		}
		return page
	}

	g.control("people", object{"wechat_id": "faren_li", "name": "李法人"})
	g.ok("POST", "/cgi-bin/component/fastregisterweapp?action=create&component_access_token="+ct, object{"name": "街角餐饮管理有限公司", "code": "91110000MA0000001L",
		"code_type": 1, "legal_persona_wechat": "faren_li", "legal_persona_name": "李法人", "component_phone": "13800008000"})
	page := shows("/console/phone", `data-test="task-face_pass"`)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)[1]
	says(post("task", "/console/phone", map[string]string{"id": id, "action": "pay"}), "flash-error", "现在可用的操作")
	says(post("task", "/console/phone", map[string]string{"id": id, "action": "face_pass"}), "flash", "法人验证：已完成")
	says(post("task", "/console/phone", map[string]string{"id": "none", "action": "face_pass"}), "flash-error", "没有这个任务")

	g.program("wx00000000000000a2", nil)
	at2, _ := g.authorize(ct, "wx00000000000000a2")
	g.control("settings", object{"nickname_review": "always"})
	named := g.call("POST", "/wxa/setnickname?access_token="+at2, object{"nick_name": "街角烘焙铺子", "license": g.picture(at2), "naming_other_stuff_1": g.picture(at2)})
	reviews := g.control("reviews", nil)["items"].([]any)
	if len(reviews) != 1 {
		t.Fatalf("renaming answered %v, reviews %v", named, reviews)
	}
	review := strings.TrimSuffix(strings.TrimSuffix(jsonNumber(reviews[0].(object)["id"]), ".0"), ".")
	shows("/console/audits", `data-test="review-`+review+`"`)
	says(post("review", "/console/audits", map[string]string{"id": review, "result": "reject"}), "flash-error", "原因")
	says(post("review", "/console/audits", map[string]string{"id": review, "result": "pass"}), "flash", "已通过")
	says(post("review", "/console/audits", map[string]string{"id": "x", "result": "pass"}), "flash-error", "不是整数")

	says(post("clock", "/console/clock", map[string]string{"frozen": "1"}), "flash", "已冻结")
	shows("/console/clock", `data-test="pace">已冻结`)
	says(post("clock", "/console/clock", map[string]string{"frozen": "0", "speed": "60"}), "flash", "60 倍速")
	says(post("clock", "/console/clock", map[string]string{"speed": "1"}), "flash", "1 倍速")
	says(post("fleet", "/console/miniprograms", map[string]string{"count": "60", "prefix": "分店", "admin": "liansuo", "component_appid": testComponent}), "flash", "批量创建")
	shows("/console/miniprograms?page=2", `data-test="page-prev"`)
	shows("/console/miniprograms?q=分店", "共 <span data-test=\"page-total\">60</span> 条")
	shows("/console/components/"+testComponent+"?q=分店", "分店 00")

	says(post("fault", "/console/faults", map[string]string{"path": "/wxa/get_page", "broken": "json", "percent": "50"}), "flash", "已添加")
	shows("/console/faults", "JSON 缺尾部")
	says(post("fault-clear", "/console/faults", nil), "flash", "全部删除")
	says(post("latency", "/console/faults", map[string]string{"path": "/wxa/*", "latency_ms": "1"}), "flash", "耗时")
	shows("/console/faults", `data-test="latency-row"`)
	says(post("latency", "/console/faults", map[string]string{"path": "wxa", "latency_ms": "1"}), "flash-error", "/ 开头")

	for how, want := range map[string]string{"drop": "丢弃 2 条", "reorder": "收齐 2 条后倒序", "duplicate": "2 条 重复 1 次", "delay": "2 条 延迟 60 秒", "truncated": "2 条 正文在中间截断"} {
		says(post("next-pushes", "/console/pushes", map[string]string{"component_appid": testComponent, "how": how, "count": "2"}), "flash", "接下来的推送")
		shows("/console/pushes", want)
		says(post("next-pushes", "/console/pushes", map[string]string{"component_appid": testComponent, "how": "good"}), "flash", "接下来的推送")
	}
	push := g.pushState(g.control("pushes", object{"kind": "ticket", "component_appid": testComponent})["id"].(float64))
	says(post("push-again", "/console/pushes", map[string]string{"id": jsonNumber(push["id"])}), "flash", "再次推送")

	g.refused(86001, "GET", "/wxa/get_page?access_token="+at, nil)
	page = shows("/console/calls?errcode=86001", `data-test="calls-total">1<`)
	if strings.Contains(page, at) || !strings.Contains(page, "access_token=%2A%2A%2A") {
		t.Error("the calls show a token, or not the query")
	}
	shows("/console/calls?errcode=!", "86001")
}

// jsonNumber is an id as people write it.
func jsonNumber(v any) string { return fmt.Sprintf("%.0f", v) }

func TestScenariosAreRunFromTheConsole(t *testing.T) {
	g := startRig(t, Options{})
	b := g.browser()
	page, _ := b.submit("/console/do/scenario-save", url.Values{"back": {"/console/scenarios/new"}, "id": {"mine"}, "text": {"name: 我的\r\nstepz: []\r\n"}})
	if !strings.Contains(page, "第 2 行 stepz：没有这个键") {
		t.Fatalf("no line and key in %s", page)
	}
	page, _ = b.submit("/console/do/scenario-save", url.Values{"back": {"/console/scenarios/new"}, "id": {"mine"}, "text": {newScenarioText}})
	if !strings.Contains(page, "剧本已保存") || !strings.Contains(page, `data-test="var-component"`) {
		t.Fatalf("saved: %s", page)
	}
	page, _ = b.submit("/console/do/scenario-run", url.Values{"back": {"/console/scenarios/mine"}, "id": {"mine"}, "place": {"here"}, "var_component": {testComponent}})
	id := regexp.MustCompile(`/ 运行 (\d+)`).FindStringSubmatch(page)
	if id == nil {
		t.Fatalf("no run in %s", page)
	}
	deadline := time.Now().Add(60 * time.Second)
	for strings.Contains(page, `data-test="run-state">进行中`) && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
		page, _ = b.open("/console/runs/"+id[1], "")
	}
	if !strings.Contains(page, `data-test="run-state">通过`) || strings.Count(page, `data-state="passed"`) != 3 {
		t.Errorf("run: %s", page)
	}
	g.control("components", object{"appid": testComponent, "name": "由剧本布置"}) // it is there
	page, _ = b.submit("/console/do/scenario-delete", url.Values{"id": {"mine"}})
	if !strings.Contains(page, "剧本已删除") {
		t.Errorf("deleted: %s", page)
	}
}
