package web

import (
	"fmt"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

func TestEveryCallThatNeedsAPersonRefusesAVisitor(t *testing.T) {
	h := newHouse(t)
	for _, call := range []string{
		"DELETE /sessions", "GET /me", "PUT /me/space", "GET /components", "POST /components", "GET /components/x", "POST /components/x/check",
		"POST /components/x/start-push", "POST /components/x/authorizations", "POST /authorizations/x/cancel", "GET /miniprograms", "GET /miniprograms/x",
		"POST /miniprograms/x/sync", "GET /miniprograms/x/grants", "DELETE /grants/1", "GET /events", "GET /events/1", "POST /events/1/replay", "GET /jobs",
		"POST /jobs/x/run", "GET /jobs/x/runs", "GET /trail", "GET /plugins", "POST /plugins/version/restart",
	} {
		t.Run(call, func(t *testing.T) {
			method, path, _ := strings.Cut(call, " ")
			a := h.do(method, "/api/v1"+path, "{}")
			if a.status != 401 || a.code() != "login_required" {
				t.Fatalf("%d %s", a.status, a.text)
			}
		})
	}
}

func TestRegisterLogInSwitchAndLogOut(t *testing.T) {
	h := newHouse(t)
	a := h.do("POST", "/api/v1/accounts", `{"login":"a@example.test","password":"`+password+`","name":"阿一","kind":"personal","agreed":true}`)
	if a.status != 201 {
		t.Fatalf("register: %d %s", a.status, a.text)
	}
	a = h.do("POST", "/api/v1/sessions", `{"login":"a@example.test","password":"`+password+`"}`)
	token, _ := a.json(t)["token"].(string)
	if a.status != 201 || token == "" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("login: %d %s", a.status, a.text)
	}
	me := h.as(token, "GET", "/api/v1/me", "").json(t)
	if me["login"] != "a@example.test" || me["space_kind"] != "personal" || len(me["spaces"].([]any)) != 1 {
		t.Fatalf("me: %v", me)
	}
	if a := h.as(token, "PUT", "/api/v1/me/space", `{"space_id":"1"}`); a.status != 404 {
		t.Fatalf("a space of others: %d %s", a.status, a.text)
	}
	if a := h.as(token, "GET", "/api/v1/me", "", "X-Space", "1"); a.status != 404 {
		t.Fatalf("X-Space of others: %d %s", a.status, a.text)
	}
	if a := h.as(token, "DELETE", "/api/v1/sessions", ""); a.status >= 300 {
		t.Fatalf("logout: %d %s", a.status, a.text)
	}
	if a := h.as(token, "GET", "/api/v1/me", ""); a.status != 401 {
		t.Fatalf("after logout: %d %s", a.status, a.text)
	}
}

func TestAStaleTokenDoesNotKeepAnybodyFromLoggingIn(t *testing.T) {
	h := newHouse(t)
	h.person(account.Personal, "a@example.test")
	body := `{"login":"a@example.test","password":"` + password + `"}`
	stale := "stale-stale-stale-stale-stale"
	if a := h.do("POST", "/api/v1/sessions", body, "Cookie", account.Cookie+"="+stale, "Origin", h.url); a.status != 201 {
		t.Errorf("stale cookie: %d %s", a.status, a.text)
	}
	if a := h.as(stale, "POST", "/api/v1/sessions", body); a.status != 201 {
		t.Errorf("stale bearer: %d %s", a.status, a.text)
	}
}

func TestBadInputIsAnsweredWithTheFieldAndTheReason(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	for _, tt := range []struct{ name, method, path, body, field, code string }{
		{"unknown key", "POST", "/components", `{"appid":"x","colour":"red"}`, "colour", "invalid_input"},
		{"key in the wrong case", "POST", "/components", `{"AppID":"x"}`, "AppID", "invalid_input"},
		{"wrong type", "POST", "/components", `{"appid":5}`, "appid", "invalid_input"},
		{"bad values", "POST", "/components", `{"appid":"x","secret":"y","token":"z","aes_key":"q"}`, "appid", "invalid_input"},
		{"not an object", "POST", "/components", `[]`, "", "bad_json"},
		{"not JSON", "POST", "/components", `{"appid":`, "", "bad_json"},
		{"two documents", "POST", "/components", `{} {}`, "", "bad_json"},
		{"a number that is none", "GET", "/miniprograms?limit=many", "", "limit", "invalid_input"},
		{"a made-up cursor", "GET", "/miniprograms?cursor=abc", "", "cursor", "invalid_input"},
		{"a made-up cursor of events", "GET", "/events?cursor=abc", "", "cursor", "invalid_input"},
		{"a made-up state of events", "GET", "/events?state=lost", "", "state", "invalid_input"},
		{"short password", "POST", "/accounts", `{"login":"b@example.test","password":"short","kind":"personal","agreed":true}`, "password", "invalid_input"},
		{"agreement not ticked", "POST", "/accounts", `{"login":"b@example.test","password":"` + password + `","kind":"personal"}`, "agreed", "invalid_input"},
		{"taken login", "POST", "/accounts", `{"login":"m@example.test","password":"` + password + `","kind":"personal","agreed":true}`, "login", ""},
		{"space that is no number", "PUT", "/me/space", `{"space_id":7}`, "space_id", "invalid_input"},
		{"an address that leads away", "POST", "/components/" + platformAppID + "/authorizations", `{"return_to":"https://evil.example"}`, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := h.as(token, tt.method, "/api/v1"+tt.path, tt.body)
			if a.status < 400 || a.status >= 500 {
				t.Fatalf("%d %s", a.status, a.text)
			}
			if tt.code != "" && a.code() != tt.code {
				t.Errorf("code %q, want %q: %s", a.code(), tt.code, a.text)
			}
			if tt.field != "" && a.field(tt.field) == "" {
				t.Errorf("no sentence on %q: %s", tt.field, a.text)
			}
			if a.header.Get("X-Request-Id") == "" || !strings.Contains(a.text, a.header.Get("X-Request-Id")) {
				t.Errorf("no request id in %s", a.text)
			}
		})
	}
}

func TestPlatformAppsAreBoundReadAndKeptFromOtherSpaces(t *testing.T) {
	h := newHouse(t)
	mine, _ := h.person(account.Merchant, "m@example.test")
	other, _ := h.person(account.Merchant, "o@example.test")
	a := h.as(mine, "POST", "/api/v1/components", bindBody)
	if a.status != 201 || strings.Contains(a.text, "0123456789abcdef0123456789abcdef") || !strings.Contains(a.text, "https://mf.example.test/wechat/") {
		t.Fatalf("bind: %d %s", a.status, a.text)
	}
	if a := h.as(mine, "POST", "/api/v1/components", bindBody); a.status != 409 && a.status != 400 {
		t.Errorf("bind twice: %d %s", a.status, a.text)
	}
	if n := len(h.as(mine, "GET", "/api/v1/components", "").json(t)["items"].([]any)); n != 1 {
		t.Errorf("%d platform apps", n)
	}
	if n := len(h.as(other, "GET", "/api/v1/components", "").json(t)["items"].([]any)); n != 0 {
		t.Errorf("the other merchant sees %d", n)
	}
	for _, call := range []string{"GET /components/" + platformAppID, "POST /components/" + platformAppID + "/check", "POST /components/" + platformAppID + "/start-push"} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.as(other, method, "/api/v1"+path, ""); a.status != 404 {
			t.Errorf("%s by another space: %d %s", call, a.status, a.text)
		}
	}
	if a := h.as(mine, "POST", "/api/v1/components/"+platformAppID+"/check", ""); a.status != 200 || !strings.Contains(a.text, `"wait"`) {
		t.Errorf("check: %d %s", a.status, a.text)
	}
	a = h.as(mine, "POST", "/api/v1/components/"+platformAppID+"/start-push", "")
	wx, _ := a.json(t)["error"].(map[string]any)["wechat"].(map[string]any)
	if a.status != 502 || wx["errcode"] != float64(61004) || wx["rid"] != "6500-aa-bb" {
		t.Errorf("WeChat's refusal must come through: %d %s", a.status, a.text)
	}
}

func TestAnAuthorisationIsAskedForWatchedAndCancelled(t *testing.T) {
	h := newHouse(t)
	merchant, _ := h.person(account.Merchant, "m@example.test")
	user, _ := h.person(account.Personal, "u@example.test")
	stranger, _ := h.person(account.Personal, "s@example.test")
	if a := h.as(merchant, "POST", "/api/v1/components", bindBody); a.status != 201 {
		t.Fatal(a.text)
	}
	a := h.as(user, "POST", "/api/v1/components/"+platformAppID+"/authorizations", `{"return_to":"/my"}`)
	ticket, _ := a.json(t)["ticket"].(string)
	if a.status != 201 || a.json(t)["url"] != "https://mf.example.test/auth/"+ticket {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if got := h.as(user, "GET", "/api/v1/authorizations/"+ticket, "").json(t)["state"]; got != "waiting" {
		t.Errorf("state %v", got)
	}
	if a := h.as(user, "GET", "/api/v1/authorizations/unknown", ""); a.status != 404 {
		t.Errorf("unknown ticket: %d %s", a.status, a.text)
	}
	if a := h.as(stranger, "POST", "/api/v1/authorizations/"+ticket+"/cancel", ""); a.status != 404 && a.status != 403 {
		t.Errorf("cancelled by a stranger: %d %s", a.status, a.text)
	}
	if got := h.as(user, "POST", "/api/v1/authorizations/"+ticket+"/cancel", "").json(t)["state"]; got != "cancelled" {
		t.Errorf("state %v", got)
	}
	if a := h.as(user, "POST", "/api/v1/components/wxffffffffffffffff/authorizations", "{}"); a.status != 404 {
		t.Errorf("unbound platform app: %d %s", a.status, a.text)
	}
}

func TestMiniProgramsOfOtherSpacesAreNotThere(t *testing.T) {
	h := newHouse(t)
	mine, space := h.person(account.Personal, "u@example.test")
	other, _ := h.person(account.Personal, "o@example.test")
	for i := range 3 {
		h.miniProgram(fmt.Sprintf("wxaaaaaaaaaaaaaaa%d", i), space)
	}
	page := h.as(mine, "GET", "/api/v1/miniprograms?limit=2", "").json(t)
	next, _ := page["next"].(string)
	if len(page["items"].([]any)) != 2 || page["total"] != float64(3) || next == "" {
		t.Fatalf("first page: %v", page)
	}
	page = h.as(mine, "GET", "/api/v1/miniprograms?limit=2&cursor="+next, "").json(t)
	if len(page["items"].([]any)) != 1 || page["next"] != nil {
		t.Fatalf("last page: %v", page)
	}
	if n := len(h.as(mine, "GET", "/api/v1/miniprograms?q=wxaaaaaaaaaaaaaaa1", "").json(t)["items"].([]any)); n != 1 {
		t.Errorf("search by AppID found %d", n)
	}
	if n := len(h.as(other, "GET", "/api/v1/miniprograms", "").json(t)["items"].([]any)); n != 0 {
		t.Errorf("the other person sees %d", n)
	}
	const at = "/api/v1/miniprograms/wxaaaaaaaaaaaaaaa0"
	if a := h.as(mine, "GET", at, ""); a.status != 200 {
		t.Errorf("mine: %d %s", a.status, a.text)
	}
	for _, call := range []string{"GET " + at, "POST " + at + "/sync", "GET " + at + "/grants", "GET /api/v1/trail?appid=wxaaaaaaaaaaaaaaa0", "DELETE /api/v1/grants/12345", "DELETE /api/v1/grants/abc"} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.as(other, method, path, ""); a.status != 404 {
			t.Errorf("%s by another space: %d %s", call, a.status, a.text)
		}
	}
}

func TestOperatorCallsAreForOperators(t *testing.T) {
	h := newHouse(t)
	operator, _ := h.person(account.Platform, "op@example.test")
	merchant, _ := h.person(account.Merchant, "m@example.test")
	for _, call := range []string{"GET /jobs", "GET /jobs/component.tokens/runs", "GET /plugins", "POST /jobs/component.tokens/run", "POST /plugins/version/restart"} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.as(merchant, method, "/api/v1"+path, ""); a.status != 403 {
			t.Errorf("%s by a merchant: %d %s", call, a.status, a.text)
		}
		if a := h.as(operator, method, "/api/v1"+path, ""); a.status >= 300 {
			t.Errorf("%s by an operator: %d %s", call, a.status, a.text)
		}
	}
	if a := h.as(operator, "POST", "/api/v1/jobs/nothing/run", ""); a.status != 404 {
		t.Errorf("unknown job: %d %s", a.status, a.text)
	}
	if !strings.Contains(h.as(operator, "GET", "/api/v1/trail?act=job.run", "").text, "component.tokens") {
		t.Error("running a job by hand left no trail")
	}
}

func TestEventsAreMaskedAndScoped(t *testing.T) {
	h := newHouse(t)
	operator, _ := h.person(account.Platform, "op@example.test")
	mine, _ := h.person(account.Merchant, "m@example.test")
	other, _ := h.person(account.Merchant, "o@example.test")
	if a := h.as(mine, "POST", "/api/v1/components", bindBody); a.status != 201 {
		t.Fatal(a.text)
	}
	err := h.events.Append(t.Context(), event.Record{Type: "component_verify_ticket", Source: event.SourceWeChat, Component: platformAppID, Dedupe: []byte("one"),
		Payload: []byte(`<xml><InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket>ticket@@@very-secret-value</ComponentVerifyTicket></xml>`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who, token string
		want       int
	}{{"the operator", operator, 1}, {"the platform app's merchant", mine, 1}, {"another merchant", other, 0}} {
		h.await(fmt.Sprintf("%s to see %d events", tt.who, tt.want), func() bool {
			return len(h.as(tt.token, "GET", "/api/v1/events?type=component_verify_*", "").json(t)["items"].([]any)) == tt.want
		})
	}
	id := h.as(operator, "GET", "/api/v1/events", "").json(t)["items"].([]any)[0].(map[string]any)["id"].(string)
	if a := h.as(mine, "GET", "/api/v1/events/"+id, ""); a.status != 200 || strings.Contains(a.text, "<xml>") || !strings.Contains(a.text, "component_verify_ticket") {
		t.Errorf("detail: %d %s", a.status, a.text)
	}
	if got := h.as(mine, "GET", "/api/v1/trail?act=event.reveal", ""); strings.Contains(got.text, id) {
		t.Errorf("nobody has looked yet: %s", got.text)
	}
	a := h.as(mine, "POST", "/api/v1/events/"+id+"/payload", "")
	if a.status != 200 || strings.Contains(a.text, "very-secret-value") || !strings.Contains(a.text, "ComponentVerifyTicket") {
		t.Errorf("payload: %d %s", a.status, a.text)
	}
	if got := h.as(mine, "GET", "/api/v1/trail?act=event.reveal", ""); !strings.Contains(got.text, id) {
		t.Errorf("looking at a payload left no trail: %s", got.text)
	}
	for _, at := range []string{"", "/payload"} {
		method := map[string]string{"": "GET", "/payload": "POST"}[at]
		if a := h.as(other, method, "/api/v1/events/"+id+at, ""); a.status != 404 {
			t.Errorf("%s%s for another space: %d %s", id, at, a.status, a.text)
		}
	}
	if a := h.as(mine, "POST", "/api/v1/events/"+id+"/replay", ""); a.status != 403 {
		t.Errorf("replay by a merchant: %d %s", a.status, a.text)
	}
	if a := h.as(operator, "POST", "/api/v1/events/"+id+"/replay", ""); a.status != 202 {
		t.Errorf("replay: %d %s", a.status, a.text)
	}
	if a := h.as(operator, "POST", "/api/v1/events/"+id+"/replay", `{"subscriber":"nobody"}`); a.status != 404 || a.code() != "subscriber_not_found" {
		t.Errorf("replay to nobody: %d %s", a.status, a.text)
	}
	if got := h.as(operator, "GET", "/api/v1/trail?act=event.replay&outcome=failed", ""); !strings.Contains(got.text, id) {
		t.Errorf("a refused replay left no trail: %s", got.text)
	}
	if a := h.as(operator, "POST", "/api/v1/events/99/replay", ""); a.status != 404 {
		t.Errorf("replay of nothing: %d %s", a.status, a.text)
	}
}

func TestAPluginAnswersBelowItsName(t *testing.T) {
	h := newHouse(t)
	token, space := h.person(account.Merchant, "m@example.test")
	a := h.as(token, "GET", "/api/v1/version/miniprograms/wx1?component=wx2", "")
	if a.status != 200 || a.text != `{"trial":null}` {
		t.Fatalf("%d %s", a.status, a.text)
	}
	asked := h.plugins.asked[0]
	if asked.Plugin != "version" || asked.Frame != "api" || asked.Path != "/miniprograms/wx1" || asked.Query != "component=wx2" || h.plugins.actors[0].SpaceID != space {
		t.Errorf("asked %+v as %+v", asked, h.plugins.actors[0])
	}
	h.plugins.err = fault.New(fault.Unavailable, "plugin.down", "版本管理正在重启，请稍后再试")
	if a := h.as(token, "GET", "/api/v1/version/miniprograms/wx1", ""); a.status != 503 || a.code() != "plugin.down" {
		t.Errorf("down: %d %s", a.status, a.text)
	}
	for _, path := range []string{"/api/v1/nothing/here", "/api/v1/nothing", "/api/v1/", "/api/v2/me", "/api/v1/components/x/y/z"} {
		if a := h.as(token, "GET", path, ""); a.status != 404 || a.code() == "" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if a := h.as(token, "PATCH", "/api/v1/components", "{}"); a.status != 404 && a.status != 405 || a.code() == "" {
		t.Errorf("PATCH: %d %s", a.status, a.text)
	}
}

func TestTheOpenAPIDocumentListsCoreAndPlugins(t *testing.T) {
	h := newHouse(t)
	a := h.do("GET", "/api.json", "")
	paths, _ := a.json(t)["paths"].(map[string]any)
	for _, want := range []string{"/api/v1/components/{appid}/check", "/api/v1/sessions", "/api/v1/miniprograms", "/api/v1/version/miniprograms/{appid}"} {
		if paths[want] == nil {
			t.Errorf("%s is missing", want)
		}
	}
	if !strings.Contains(a.text, `"scheme":"bearer"`) {
		t.Error("the document does not say how to log in")
	}
	for _, internal := range []string{"go_modules", "/root/", "ghttp"} {
		if strings.Contains(a.text, internal) {
			t.Errorf("the document shows %q", internal)
		}
	}
}

func TestTheTrailOfAMiniProgramIsItsOwners(t *testing.T) {
	h := newHouse(t)
	owner, space := h.person(account.Personal, "u@example.test")
	helper, helping := h.person(account.Merchant, "m@example.test")
	h.miniProgram("wxaaaaaaaaaaaaaaa0", space)
	if err := h.db.Insert(t.Context(), "access_grant", map[string]any{"id": h.db.NewID(), "appid": "wxaaaaaaaaaaaaaaa0", "space_id": helping, "scopes": "code.trial", "source": "installation",
		"source_key": "one", "until_at": 0, "created_by": 1, "created_at": 1, "revoked_by": 0, "revoked_at": 0}); err != nil {
		t.Fatal(err)
	}
	for by, act := range map[int64]string{space: "owner.act", helping: "helper.act"} {
		if err := h.server.o.Trail.Record(t.Context(), trail.Entry{SpaceID: by, AppID: "wxaaaaaaaaaaaaaaa0", Act: act, Outcome: trail.OK}); err != nil {
			t.Fatal(err)
		}
	}
	const path = "/api/v1/trail?appid=wxaaaaaaaaaaaaaaa0"
	if text := h.as(owner, "GET", path, "").text; !strings.Contains(text, "owner.act") || !strings.Contains(text, "helper.act") {
		t.Errorf("the owner must see every act: %s", text)
	}
	if text := h.as(helper, "GET", path, "").text; strings.Contains(text, "owner.act") || !strings.Contains(text, "helper.act") {
		t.Errorf("who acts for the owner sees its own acts only: %s", text)
	}
}
