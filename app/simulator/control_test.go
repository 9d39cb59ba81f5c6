package simulator

import (
	"net/http"
	"strings"
	"testing"
)

func TestControlRefusesWhatItDoesNotUnderstand(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	g.program(testProgram, nil)
	for _, c := range []struct {
		status      int
		field, path string
		body        any
	}{
		{400, "", "components", object{"appid": testComponent, "colour": "red"}},
		{400, "", "components", "{"},
		{400, "", "components", `{"name":"a"}{"name":"b"}`},
		{400, "appid", "components", object{"appid": "wx1"}},
		{400, "name", "components", object{"name": " "}},
		{400, "secret", "components", object{"secret": "x"}},
		{400, "token", "components", object{"token": "a b"}},
		{400, "aes_key", "components", object{"aes_key": "short"}},
		{400, "ticket_url", "components", object{"ticket_url": "host/path"}},
		{400, "message_url", "components", object{"message_url": "http://h/without"}},
		{400, "auth_domain", "components", object{"auth_domain": "http://h"}},
		{400, "domains", "components", object{"domains": []string{"https://h.example"}}},
		{400, "permission_sets", "components", object{"permission_sets": []int{9999}}},
		{400, "audit_quota", "components", object{"audit_quota": -1}},
		{409, "appid", "components", object{"appid": testProgram}},
		{409, "appid", "miniprograms", object{"appid": testComponent, "nick_name": "x", "admin": "y"}},
		{400, "nick_name", "miniprograms", object{"admin": "y"}},
		{400, "admin", "miniprograms", object{"nick_name": "x"}},
		{400, "appid", "miniprograms", object{"appid": "x", "nick_name": "x", "admin": "y"}},
		{400, "user_name", "miniprograms", object{"appid": testProgram, "user_name": "x"}},
		{400, "head_img", "miniprograms", object{"appid": testProgram, "head_img": "x"}},
		{400, "account_status", "miniprograms", object{"appid": testProgram, "account_status": 2}},
		{400, "verify_type", "miniprograms", object{"appid": testProgram, "verify_type": 9}},
		{400, "principal_type", "miniprograms", object{"appid": testProgram, "principal_type": 9}},
		{400, "tester_limit", "miniprograms", object{"appid": testProgram, "tester_limit": -1}},
		{400, "categories", "miniprograms", object{"appid": testProgram, "categories": []object{{"first_class": "x"}}}},
		{400, "privacy_apis", "miniprograms", object{"appid": testProgram, "privacy_apis": []string{"x"}}},
		{400, "wechat_id", "people", object{"name": "x"}},
		{400, "name", "people", object{"wechat_id": "x", "name": ""}},
		{404, "component_appid", "drafts", object{"component_appid": "wxnone", "user_version": "1"}},
		{400, "user_version", "drafts", object{"component_appid": testComponent}},
		{400, "pages", "drafts", object{"component_appid": testComponent, "user_version": "1", "pages": []string{"/abs"}}},
		{400, "privacy_apis", "drafts", object{"component_appid": testComponent, "user_version": "1", "privacy_apis": []string{"x"}}},
		{400, "source_appid", "drafts", object{"component_appid": testComponent, "user_version": "1", "source_appid": testComponent}},
		{400, "action", "scan", object{"action": "x"}},
		{400, "url", "scan", object{"url": "http://127.0.0.1:8000/auth/abc"}},
		{404, "appid", "scan", object{"pre_auth_code": "x", "appid": "wxnone"}},
		{404, "appid", "audits/wxnone", object{"result": "pass"}},
		{409, "appid", "audits/" + testProgram, object{"result": "pass"}},
		{404, "appid", "unauthorize", object{"component_appid": testComponent, "appid": testProgram}},
		{400, "advance_seconds", "clock", object{"advance_seconds": -1}},
		{400, "query_auth_repeat", "settings", object{"query_auth_repeat": "x"}},
		{400, "token_seconds", "settings", object{"token_seconds": -1}},
		{400, "undo_per_day", "settings", object{"undo_per_day": -1}},
		{400, "kind", "pushes", object{"component_appid": testComponent}},
		{400, "kind", "pushes", object{"component_appid": testComponent, "kind": "x"}},
		{404, "component_appid", "pushes", object{"component_appid": "wxnone", "kind": "ticket"}},
		{404, "appid", "pushes", object{"component_appid": testComponent, "kind": "event", "appid": "wxnone"}},
		{400, "corrupt", "pushes", object{"component_appid": testComponent, "kind": "ticket", "corrupt": "x"}},
		{400, "duplicate", "pushes", object{"component_appid": testComponent, "kind": "ticket", "duplicate": 99}},
		{400, "xml", "pushes", object{"component_appid": testComponent, "kind": "info", "xml": object{}}},
		{400, "xml", "pushes", object{"component_appid": testComponent, "kind": "info", "xml": object{"InfoType": "x", "a b": "y"}}},
		{400, "xml", "pushes", object{"component_appid": testComponent, "kind": "event", "appid": testProgram}},
	} {
		t.Run(c.path+" "+c.field, func(t *testing.T) {
			local := *g
			local.t = t
			local.controlRefused(c.status, c.field, "POST", c.path, c.body)
		})
	}
	g.controlRefused(404, "", "GET", "nothing", nil)
	g.controlRefused(404, "appid", "GET", "audits/"+testProgram, nil)
	g.controlRefused(400, "limit", "GET", "calls?limit=0", nil)
	g.controlRefused(400, "limit", "GET", "pushes?limit=x", nil)
	if status, _ := g.send("POST", "/control/drafts", `{"user_desc":"`+strings.Repeat("x", 2<<20)+`"}`); status != http.StatusRequestEntityTooLarge {
		t.Errorf("an endless body: HTTP %d", status)
	}
}

func TestAbsentKeysKeepWhatIsThere(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	before := g.control("components", nil)["items"].([]any)[0].(object)
	g.control("components", object{"appid": testComponent, "name": "新名字"})
	after := g.control("components", nil)["items"].([]any)[0].(object)
	if after["name"] != "新名字" || after["ticket_url"] != before["ticket_url"] || after["has_secret"] != true || after["tickets"] != before["tickets"] {
		t.Errorf("before %v, after %v", before, after)
	}
}

func TestAppidsAndPeopleAreMadeWhenNotGiven(t *testing.T) {
	g := startRig(t, Options{})
	c := g.control("components", object{"name": "自动"})
	m := g.control("miniprograms", object{"nick_name": "自动", "admin": "张三"})
	if !appIDPattern.MatchString(c["appid"].(string)) || !appIDPattern.MatchString(m["appid"].(string)) || !strings.HasPrefix(m["user_name"].(string), "gh_") {
		t.Errorf("made %v and %v", c["appid"], m["appid"])
	}
	g.control("miniprograms", object{"nick_name": "第二个", "admin": "张三"})
	if people := g.control("people", nil)["items"].([]any); len(people) != 1 {
		t.Errorf("people %v", people)
	}
	if one := g.control("miniprograms?appid="+m["appid"].(string), nil)["items"].([]any); len(one) != 1 {
		t.Errorf("programs %v", one)
	}
}

func TestOtherWebSitesCannotUseTheControlAPI(t *testing.T) {
	g := startRig(t, Options{})
	for _, path := range []string{"/control/clock", "/console/do/clock"} {
		req, err := http.NewRequest("POST", g.server.URL+path, strings.NewReader(`{"advance_seconds":60}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://evil.example")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s from another site: HTTP %d", path, resp.StatusCode)
		}
	}
}
