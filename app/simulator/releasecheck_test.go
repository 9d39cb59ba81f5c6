package simulator

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"
	"time"
)

// releasePlatform turns the rig's receiver into a platform that passes the release check, or fails in one way.
func (g *rig) releasePlatform(mistake string) {
	g.t.Helper()
	env := envelopeFor(g.t, testToken, keyV, testComponent)
	ct := g.componentToken(g.bind())
	g.platform.mu.Lock()
	defer g.platform.mu.Unlock()
	g.platform.answer = func(_ int, in received) (int, string) {
		code, asks := strings.CutPrefix(in.fields["Content"], releaseAsks)
		var msg testerMessage
		msg.To, msg.From, msg.Type, msg.Event = in.fields["ToUserName"], in.fields["FromUserName"], in.fields["MsgType"], in.fields["Event"]
		switch {
		case in.fields["InfoType"] == "authorized" && mistake == "authorized":
			return http.StatusInternalServerError, "no such customer"
		case msg.Type == "event":
			return http.StatusOK, g.reply(env, msg, msg.Event+"from_callback", in)
		case in.fields["Content"] == releaseWrites && mistake == "swapped":
			msg.From, msg.To = msg.To, msg.From
			return http.StatusOK, g.reply(env, msg, releaseAnswers, in)
		case in.fields["Content"] == releaseWrites && mistake == "plain":
			return http.StatusOK, "success"
		case in.fields["Content"] == releaseWrites:
			return http.StatusOK, g.reply(env, msg, releaseAnswers, in)
		case asks:
			go g.answerLater(ct, code, msg.From, mistake)
			if mistake == "success" {
				return http.StatusOK, "success"
			}
			return http.StatusOK, ""
		}
		return http.StatusOK, "success"
	}
}

func (g *rig) reply(env envelope, to testerMessage, content string, in received) string {
	text, err := env.reply(to, content, in.query.Get("timestamp"))
	if err != nil {
		g.t.Error(err)
	}
	return text
}

// answerLater is what the platform does with a code, by HTTP.
func (g *rig) answerLater(ct, code, user, mistake string) {
	if mistake == "silent" {
		return
	}
	info := g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent, "authorization_code": code})
	if mistake == "no message" {
		return
	}
	content := code + releaseFromAPI
	if mistake == "wrong text" {
		content = "你好"
	}
	at := info["authorization_info"].(object)["authorizer_access_token"].(string)
	g.ok("POST", "/cgi-bin/message/custom/send?access_token="+at, object{"touser": user, "msgtype": "text", "text": object{"content": content}})
}

// checkEnds waits for the end of a check.
func (g *rig) checkEnds(started object) object {
	g.t.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if now := g.control("release-checks/"+idOf(started), nil); now["state"] != runRunning {
			return now
		}
		if time.Now().After(end) {
			g.t.Fatal("the check does not end")
		}
	}
}

// stepStates tells of each account how its steps ended.
func stepStates(check object) (states map[string][]string, details string) {
	states = map[string][]string{}
	for _, s := range check["steps"].([]any) {
		step := s.(object)
		account := step["account_appid"].(string)
		states[account] = append(states[account], step["state"].(string))
		if text, ok := step["detail"].(string); ok {
			details += text + "\n"
		}
	}
	return states, details
}

func TestTheReleaseCheckPlaysAllTenAccounts(t *testing.T) {
	g := startRig(t, Options{})
	g.releasePlatform("")
	check := g.checkEnds(g.control("release-checks", object{"component_appid": testComponent, "scope": releaseLegacy}))
	states, details := stepStates(check)
	if check["state"] != runPassed || len(states) != 11 {
		t.Fatalf("%v with %d accounts: %s", check["state"], len(states), details)
	}
	for _, a := range releaseAccounts {
		want := 4 // authorized, query, message, unauthorized
		if a.official {
			want = 6 // and the text and the old event
		}
		if got := states[a.appID]; len(got) != want {
			t.Errorf("%s has steps %v", a.appID, got)
		}
	}
	calls := g.control("calls?path=/cgi-bin/message/custom/send&errcode=0", nil)
	if calls["total"] != float64(10) || strings.Contains(calls["items"].([]any)[0].(object)["body"].(string), "_from_api") && !strings.Contains(calls["items"].([]any)[0].(object)["body"].(string), "…") {
		t.Errorf("messages %v", calls["total"])
	}
	if active := g.control("authorizations?component_appid="+testComponent, nil)["items"].([]any); len(active) != 10 || active[0].(object)["active"] != false {
		t.Errorf("the test accounts stay authorised: %v", active)
	}
	again := g.checkEnds(g.control("release-checks", object{"component_appid": testComponent, "group": 3}))
	if states, _ := stepStates(again); again["state"] != runPassed || len(states) != 3 {
		t.Errorf("group 3 again: %v %v", again["state"], states)
	}
}

func TestAPlatformThatAnswersWronglyIsToldWhat(t *testing.T) {
	for _, c := range []struct{ mistake, want string }{
		{"authorized", "应为 HTTP 200，得到 HTTP 500"},
		{"plain", "应被动回复一条加密的文本消息"},
		{"swapped", "对调"},
		{"success", "应答应为空串"},
		{"silent", "没有用收到的授权码调用 api_query_auth"},
		{"no message", "没有发送客服消息"},
		{"wrong text", "客服消息的内容应为"},
	} {
		t.Run(c.mistake, func(t *testing.T) {
			t.Parallel()
			g := startRig(t, Options{})
			g.releasePlatform(c.mistake)
			check := g.checkEnds(g.control("release-checks", object{"component_appid": testComponent, "group": 1, "wait_seconds": 2}))
			if _, details := stepStates(check); check["state"] != runFailed || !strings.Contains(details, c.want) {
				t.Errorf("%v: %s, want %s", check["state"], details, c.want)
			}
		})
	}
}

func TestTheReleaseCheckFollowsThePermissionSets(t *testing.T) {
	g := startRig(t, Options{})
	g.releasePlatform("")
	for _, c := range []struct {
		sets []int
		want string // states of the official account and of the mini program
	}{{[]int{18}, "skipped skipped"}, {[]int{18, 19}, "skipped passed"}, {[]int{1}, "passed skipped"}} {
		g.control("components", object{"appid": testComponent, "permission_sets": c.sets})
		check := g.checkEnds(g.control("release-checks", object{"component_appid": testComponent, "group": 2, "scope": releaseBySets}))
		states, _ := stepStates(check)
		if got := states["wx9252c5e0bb1836fc"][1] + " " + states["wxc39235c15087f6f3"][1]; check["state"] != runPassed || got != c.want {
			t.Errorf("sets %v: %v, %s, want %s", c.sets, check["state"], got, c.want)
		}
	}
	g.controlRefused(404, "component_appid", "POST", "release-checks", object{"component_appid": "wx0"})
	g.controlRefused(400, "group", "POST", "release-checks", object{"component_appid": testComponent, "group": 6})
	g.controlRefused(400, "scope", "POST", "release-checks", object{"component_appid": testComponent, "scope": "x"})
	g.controlRefused(400, "wait_seconds", "POST", "release-checks", object{"component_appid": testComponent, "wait_seconds": -1})
	g.controlRefused(404, "id", "GET", "release-checks/1", nil)
	g.control("components", object{"appid": "wx00000000000000c9", "name": "空平台"})
	g.controlRefused(409, "component_appid", "POST", "release-checks", object{"component_appid": "wx00000000000000c9"})
}

func TestTheReleaseCheckIsRunFromTheConsole(t *testing.T) {
	g := startRig(t, Options{})
	g.releasePlatform("plain")
	status, page := g.send("GET", "/console/release-check", nil)
	if status != http.StatusOK || !strings.Contains(string(page), "测试平台") || !strings.Contains(string(page), `data-test="release-start"`) {
		t.Fatalf("%d %.300s", status, page)
	}
	resp, err := http.PostForm(g.server.URL+"/console/do/release-check", map[string][]string{"component_appid": {testComponent}, "group": {"1"}, "scope": {"all"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	id := resp.Request.URL.Query().Get("id")
	g.checkEnds(g.control("release-checks/"+id, nil))
	_, page = g.send("GET", "/console/release-check?id="+id, nil)
	for _, want := range []string{"未通过", "应被动回复一条加密的文本消息", "wx570bc396a51b8ff8", "第 1 组 · 公众号"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %s", want)
		}
	}
}

func TestCustomerServiceMessagesKeepTheirWindow(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	say := func(user, text string) object {
		return object{"touser": user, "msgtype": "text", "text": object{"content": text}}
	}
	const send, typing = "/cgi-bin/message/custom/send?access_token=", "/cgi-bin/message/custom/typing?access_token="
	g.refused(45015, "POST", send+at, say("oNobody", "在吗"))
	g.refused(45080, "POST", typing+at, object{"touser": "oNobody", "command": "Typing"})
	g.control("pushes", object{"kind": "text", "component_appid": testComponent, "appid": testProgram, "xml": object{"FromUserName": "oUser1", "Content": "你好"}})
	for range 5 {
		g.ok("POST", send+at, say("oUser1", "您好"))
	}
	g.refused(45047, "POST", send+at, say("oUser1", "第六条"))
	g.refused(40008, "POST", send+at, object{"touser": "oUser1", "msgtype": "song"})
	g.refused(44004, "POST", send+at, object{"touser": "oUser1", "msgtype": "text", "text": object{"content": ""}})
	g.refused(40003, "POST", send+at, object{"msgtype": "text"})
	g.refused(45072, "POST", typing+at, object{"touser": "oUser1", "command": "Sing"})
	g.ok("POST", typing+at, object{"touser": "oUser1", "command": "Typing"})
	g.refused(45081, "POST", typing+at, object{"touser": "oUser1", "command": "Typing"})
	g.control("pushes", object{"kind": "text", "component_appid": testComponent, "appid": testProgram, "xml": object{"FromUserName": "oUser1", "Content": "还在吗"}})
	g.ok("POST", send+at, object{"touser": "oUser1", "msgtype": "image", "image": object{"media_id": "m"}})
	g.control("settings", object{"token_seconds": 30 * 24 * 3600})
	at = g.control("tokens", object{"component_appid": testComponent, "appid": testProgram})["access_token"].(string)
	g.advance(48 * 3600)
	_, raw := g.send("POST", send+at, say("oUser1", "迟到"))
	if !strings.Contains(string(raw), "45015") && !strings.Contains(string(raw), "42001") {
		t.Errorf("after 48 hours: %s", raw)
	}
}

func TestCodesOfTheReleaseCheckAreMasked(t *testing.T) {
	text, err := buildXML([]xmlField{{"Content", releaseAsks + "queryauthcode@@@" + strings.Repeat("a", 64)}})
	if err != nil {
		t.Fatal(err)
	}
	if masked := maskedXML(text); strings.Contains(masked, strings.Repeat("a", 20)) || xml.Unmarshal([]byte(masked), &struct{}{}) != nil {
		t.Errorf("masked %s", masked)
	}
}
