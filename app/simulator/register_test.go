package simulator

import (
	"fmt"
	"testing"
)

// enterpriseBody is a company that nobody registered yet.
func enterpriseBody(n int) object {
	return object{"name": fmt.Sprintf("示例贸易%d有限公司", n), "code": fmt.Sprintf("91000000DEMO%06d", n), "code_type": 1,
		"legal_persona_wechat": fmt.Sprintf("faren_%04d", n), "legal_persona_name": "张三", "component_phone": "13000000000"}
}

// taskOf is the newest open task of a kind.
func (g *rig) taskOf(kind string) object {
	g.t.Helper()
	items := g.control("registrations?kind="+kind, nil)["items"].([]any)
	if len(items) == 0 {
		g.t.Fatalf("no open task of kind %s", kind)
	}
	return items[0].(object)["task"].(object)
}

// act does something with a task on the phone.
func (g *rig) act(id any, action string, extra ...any) object {
	g.t.Helper()
	body := object{"action": action}
	for i := 0; i+1 < len(extra); i += 2 {
		body[extra[i].(string)] = extra[i+1]
	}
	return g.control(fmt.Sprint("registrations/", id), body)
}

func TestEnterpriseRegistrationFromTheLegalPersonsPhoneToTheTokens(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	path := "/cgi-bin/component/fastregisterweapp?component_access_token=" + ct + "&action="
	body := enterpriseBody(1)
	g.refused(89250, "POST", path+"search", body)
	g.ok("POST", path+"create", body)
	g.refused(89249, "POST", path+"create", body)
	g.refused(89251, "POST", path+"search", body)

	g.control("settings", object{"register_check_seconds": 60})
	id := g.taskOf("enterprise")["id"]
	g.act(id, "face_fail")
	g.refused(89251, "POST", path+"search", body)
	g.act(id, "face_pass")
	g.refused(89252, "POST", path+"search", body)
	g.advance(61)
	authorized := g.platform.wait("authorized")
	push := g.platform.wait("notify_third_fasteregister")
	if push["status"] != "0" || push["appid"] != authorized["AuthorizerAppid"] || push["code"] != body["code"] || push["legal_persona_wechat"] != body["legal_persona_wechat"] {
		t.Fatalf("push %v", push)
	}
	info := g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent,
		"authorization_code": push["auth_code"]})["authorization_info"].(object)
	basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo?access_token="+info["authorizer_access_token"].(string), nil)
	if basic["principal_name"] != body["name"] || basic["nickname"] != "" || basic["credential"] != body["code"] {
		t.Errorf("new mini program %v", basic)
	}
	g.refused(89250, "POST", path+"search", body)
}

func TestEnterpriseRegistrationFailsWithTheStatusOfItsReason(t *testing.T) {
	g := startRig(t, Options{})
	g.bind()
	for i, c := range []struct {
		why    string
		act    func(id any)
		status string
	}{
		{"register does not know the company", func(id any) { g.act(id, "face_pass", "status", 102) }, "102"},
		{"another face", func(id any) { g.act(id, "face_pass", "person", "somebody_else") }, "100004"},
		{"refused", func(id any) { g.act(id, "refuse") }, "100003"},
		{"nobody came", func(any) { g.advance(24*3600 + 1) }, "100001"},
		{"face never passed", func(id any) { g.act(id, "face_fail"); g.advance(24*3600 + 1) }, "100002"},
	} {
		t.Run(c.why, func(t *testing.T) {
			local := *g
			local.t = t
			ct := local.componentToken(local.ticket())
			local.ok("POST", "/cgi-bin/component/fastregisterweapp?action=create&component_access_token="+ct, enterpriseBody(10+i))
			c.act(local.taskOf("enterprise")["id"])
			push := local.platform.wait("notify_third_fasteregister")
			if push["status"] != c.status || push["appid"] != "" || push["msg"] == "OK" {
				t.Errorf("push %v", push)
			}
		})
	}
}

// ticket is the newest ticket the platform was sent.
func (g *rig) ticket() string {
	g.t.Helper()
	g.control("pushes", object{"kind": "ticket", "component_appid": testComponent})
	return g.platform.wait("component_verify_ticket")["ComponentVerifyTicket"]
}

func TestRegistrationIsRefusedByNumber(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.control("people", object{"wechat_id": "known_person", "name": "李四"})
	enterprise := "/cgi-bin/component/fastregisterweapp?component_access_token=" + ct + "&action=create"
	personal := "/wxa/component/fastregisterpersonalweapp?component_access_token=" + ct + "&action=create"
	with := func(change object) object {
		body := enterpriseBody(1)
		for k, v := range change {
			body[k] = v
		}
		return body
	}
	for _, c := range []struct {
		why  string
		code int
		path string
		body object
	}{
		{"name missing", 89253, enterprise, with(object{"name": ""})},
		{"code_type unknown", 89248, enterprise, with(object{"code_type": 4})},
		{"code too short", 89255, enterprise, with(object{"code": "91"})},
		{"code of another type", 89255, enterprise, with(object{"code_type": 3})},
		{"WeChat id malformed", 86004, enterprise, with(object{"legal_persona_wechat": "张三"})},
		{"real name of another person", 61070, enterprise, with(object{"legal_persona_wechat": "known_person"})},
		{"action unknown", -1, enterprise + "x", enterpriseBody(1)},
		{"personal name missing", 89253, personal, object{"wxuser": "known_person"}},
		{"personal name differs", 61070, personal, object{"wxuser": "known_person", "idname": "张三"}},
		{"task unknown", 89250, "/wxa/component/fastregisterpersonalweapp?component_access_token=" + ct + "&action=query", object{"taskid": "x"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			local := *g
			local.t = t
			local.refused(c.code, "POST", c.path, c.body)
		})
	}
	g.control("settings", object{"register_unknown": "refuse"})
	g.refused(86004, "POST", enterprise, enterpriseBody(2))
	g.control("settings", object{"register_unknown": "create", "register_per_day": 1})
	g.ok("POST", enterprise, enterpriseBody(3))
	g.act(g.taskOf("enterprise")["id"], "refuse")
	g.refused(91030, "POST", enterprise, enterpriseBody(3))
	g.control("components", object{"appid": testComponent, "permission_sets": []int{18}})
	g.refused(89254, "POST", enterprise, enterpriseBody(4))
	g.controlRefused(400, "register_sets", "POST", "settings", object{"register_sets": []int{9999}})
}

func TestPersonalRegistrationShowsEveryStepAndPushesWhatTheSettingSays(t *testing.T) {
	for events, want := range map[string][2]bool{"both": {true, true}, "notify": {true, false}, "authorized": {false, true}} {
		t.Run(events, func(t *testing.T) {
			g := startRig(t, Options{})
			ct := g.componentToken(g.bind())
			g.control("settings", object{"personal_events": events})
			path := "/wxa/component/fastregisterpersonalweapp?component_access_token=" + ct + "&action="
			made := g.ok("POST", path+"create", object{"idname": "王五", "wxuser": "wangwu_5", "component_phone": "130"})
			status := func() float64 {
				return g.ok("POST", path+"query", object{"taskid": made["taskid"]})["status"].(float64)
			}
			for _, step := range []struct {
				action string
				status float64
			}{{"", 0}, {"agree", 3}, {"face_pass", 6}, {"phone_pass", 12}} {
				if step.action != "" {
					g.act(made["taskid"], step.action)
				}
				if got := status(); got != step.status {
					t.Errorf("after %q status %v, want %v", step.action, got, step.status)
				}
			}
			kinds := map[string]bool{}
			for _, kind := range []string{"notify_third_fasteregister", "authorized"} {
				kinds[kind] = g.control("pushes?kind="+kind, nil)["total"].(float64) > 0
			}
			if kinds["notify_third_fasteregister"] != want[0] || kinds["authorized"] != want[1] {
				t.Errorf("pushed %v", kinds)
			}
			list := g.ok("POST", "/cgi-bin/component/api_get_authorizer_list?access_token="+ct, object{"component_appid": testComponent, "offset": 0, "count": 10})
			if list["total_count"].(float64) != 1 {
				t.Errorf("authorised %v", list)
			}
			g.controlRefused(409, "action", "POST", fmt.Sprint("registrations/", made["taskid"]), object{"action": "agree"})
		})
	}
}

func TestNobodyAdministersMoreMiniProgramsThanTheLimit(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.control("settings", object{"programs_per_person": 0})
	g.ok("POST", "/cgi-bin/component/fastregisterweapp?action=create&component_access_token="+ct, enterpriseBody(1))
	g.act(g.taskOf("enterprise")["id"], "face_pass")
	if push := g.platform.wait("notify_third_fasteregister"); push["status"] != "1003" || push["appid"] != "" {
		t.Errorf("push %v", push)
	}
}

func TestTasksAndTimersSurviveARestart(t *testing.T) {
	opt := Options{StateFile: t.TempDir() + "/simulator.db"}
	first := startRig(t, opt)
	ct := first.componentToken(first.bind())
	first.ok("POST", "/cgi-bin/component/fastregisterweapp?action=create&component_access_token="+ct, enterpriseBody(1))
	id := first.taskOf("enterprise")["id"]
	second := startRig(t, opt) // as if the first one had been killed
	if got := second.taskOf("enterprise")["id"]; got != id {
		t.Errorf("task %v, want %v", got, id)
	}
	second.advance(24*3600 + 1)
	got := second.control(fmt.Sprint("registrations/", id), nil)["task"].(object)
	for range 200 { // the timer fires within the next look of Run
		if got["state"] == stepFailed {
			break
		}
		second.advance(1)
		got = second.control(fmt.Sprint("registrations/", id), nil)["task"].(object)
	}
	if got["state"] != stepFailed || got["status"].(float64) != 100001 {
		t.Errorf("task %v", got)
	}
}
