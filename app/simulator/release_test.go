package simulator

import (
	"fmt"
	"testing"
)

func TestHistoryKeepsFiveVersionsAndARollbackDropsWhatLayAbove(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	token := "?access_token=" + at
	for i := range 7 {
		g.passed(at, fmt.Sprintf("1.%d.0", i))
		g.ok("POST", "/wxa/release"+token, "{}")
	}
	history := g.ok("GET", "/wxa/revertcoderelease"+token+"&action=get_history_version", nil)["version_list"].([]any)
	if len(history) != maxHistory || history[0].(object)["user_version"] != "1.5.0" {
		t.Fatalf("history %v", history)
	}
	g.refused(87012, "GET", "/wxa/revertcoderelease"+token+"&app_version=999", nil)
	g.refused(40097, "GET", "/wxa/revertcoderelease"+token+"&app_version=x", nil)
	target := history[2].(object)
	g.ok("GET", fmt.Sprintf("/wxa/revertcoderelease%s&app_version=%.0f", token, target["app_version"]), nil)
	g.onlineIs(at, "1.3.0")
	history = g.ok("GET", "/wxa/revertcoderelease"+token+"&action=get_history_version", nil)["version_list"].([]any)
	if len(history) != 2 || history[0].(object)["user_version"] != "1.2.0" {
		t.Errorf("history after the rollback %v", history)
	}
}

func TestGrayReleaseCanBeRevertedAndReleasedInFull(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	token := "?access_token=" + at
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release"+token, "{}")
	g.refused(85080, "POST", "/wxa/grayrelease"+token, object{"gray_percentage": 10})
	g.passed(at, "1.1.0")
	g.ok("POST", "/wxa/grayrelease"+token, object{"gray_percentage": 0, "support_experiencer_first": true})
	g.refused(85082, "POST", "/wxa/grayrelease"+token, object{"gray_percentage": 0, "support_debuger_first": true})
	g.ok("GET", "/wxa/revertgrayrelease"+token, nil)
	if plan := g.ok("GET", "/wxa/getgrayreleaseplan"+token, nil)["gray_release_plan"].(object); plan["status"].(float64) != grayDeleted {
		t.Errorf("plan %v", plan)
	}
	g.onlineIs(at, "1.0.0")
	g.ok("POST", "/wxa/grayrelease"+token, object{"gray_percentage": 50})
	g.ok("POST", "/wxa/release"+token, "{}")
	g.onlineIs(at, "1.1.0")
	if plan := g.ok("GET", "/wxa/getgrayreleaseplan"+token, nil)["gray_release_plan"].(object); plan["status"].(float64) != grayDone {
		t.Errorf("plan %v", plan)
	}
	g.ok("GET", "/wxa/revertcoderelease"+token, nil) // the gray release is over
}

func TestServiceCanBePausedOnceOnline(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	token := "?access_token=" + at
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release"+token, "{}")
	for action, want := range map[string]float64{"close": 0, "open": 1} {
		g.ok("POST", "/wxa/change_visitstatus"+token, object{"action": action})
		if got := g.ok("POST", "/wxa/getvisitstatus"+token, "{}")["status"]; got != want {
			t.Errorf("after %s the status is %v", action, got)
		}
	}
}

func TestDomainsComeFromThePlatformsPool(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	path := "/wxa/modify_domain?access_token=" + at
	out := g.ok("POST", path, object{"action": "set", "requestdomain": []string{"https://api.example.com"}, "wsrequestdomain": []string{"wss://api.example.com"}})
	if fmt.Sprint(out["requestdomain"], out["wsrequestdomain"]) != "[https://api.example.com] [wss://api.example.com]" {
		t.Errorf("domains %v", out)
	}
	g.refused(85017, "POST", path, object{"action": "add", "requestdomain": []string{"https://api.example.com"}})
	bad := g.call("POST", path, object{"action": "add", "requestdomain": []string{"https://cdn.example.com", "https://10.0.0.1"}})
	if errcode(bad) != 85018 || fmt.Sprint(bad["invalid_requestdomain"]) != "[https://10.0.0.1 https://cdn.example.com]" {
		t.Errorf("answer %v", bad)
	}
	pool := g.ok("POST", "/cgi-bin/component/modify_wxa_server_domain?access_token="+ct, object{"action": "add",
		"wxa_server_domain": "cdn.example.com;http://x/", "is_modify_published_together": true})
	if pool["published_wxa_server_domain"] != "api.example.com;cdn.example.com" || pool["invalid_wxa_server_domain"] != "http://x/" {
		t.Errorf("pool %v", pool)
	}
	g.ok("POST", path, object{"action": "add", "requestdomain": []string{"https://cdn.example.com"}})
	g.ok("POST", path, object{"action": "delete", "requestdomain": []string{"https://api.example.com"}})
	if got := g.ok("POST", path, object{"action": "get"})["requestdomain"]; fmt.Sprint(got) != "[https://cdn.example.com]" {
		t.Errorf("request domains %v", got)
	}
	many := []string{}
	for i := range domainsPerKind + 1 {
		many = append(many, fmt.Sprintf("https://cdn.example.com:%d", 1000+i))
	}
	g.refused(85016, "POST", path, object{"action": "set", "requestdomain": many})
	for range domainEditsPerMonth {
		g.call("POST", "/cgi-bin/component/modify_wxa_server_domain?access_token="+ct, object{"action": "add", "wxa_server_domain": "a.example.com"})
	}
	g.refused(45104, "POST", "/cgi-bin/component/modify_wxa_server_domain?access_token="+ct, object{"action": "add", "wxa_server_domain": "b.example.com"})
}

func TestTestersAreBoundByWechatIdAndListedByUserStr(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	token := "?access_token=" + at
	g.control("people", object{"wechat_id": "lisi", "name": "李四"})
	g.control("people", object{"wechat_id": "hidden", "name": "隐者", "searchable": false})
	g.control("people", object{"wechat_id": "third", "name": "第三人"})
	g.control("miniprograms", object{"appid": testProgram, "tester_limit": 1})
	g.refused(85001, "POST", "/wxa/bind_tester"+token, object{"wechatid": "hidden"})
	userstr := g.ok("POST", "/wxa/bind_tester"+token, object{"wechatid": "lisi"})["userstr"]
	g.refused(85004, "POST", "/wxa/bind_tester"+token, object{"wechatid": "lisi"})
	g.refused(85002, "POST", "/wxa/bind_tester"+token, object{"wechatid": "third"})
	members := g.ok("POST", "/wxa/memberauth"+token, object{"action": "get_experiencer"})["members"].([]any)
	if len(members) != 1 || members[0].(object)["userstr"] != userstr {
		t.Errorf("members %v", members)
	}
	g.ok("POST", "/wxa/unbind_tester"+token, object{"userstr": userstr})
	g.ok("POST", "/wxa/bind_tester"+token, object{"wechatid": "third"})
	for i := range maxTesterOf {
		g.program(fmt.Sprintf("wx1000000000000%03d", i), nil)
	}
	err := g.sim.update(t.Context(), func(w *world, _ int64) error {
		for i := range maxTesterOf {
			m := w.miniPrograms.get(fmt.Sprintf("wx1000000000000%03d", i))
			m.Testers = []string{"lisi"}
			w.miniPrograms.put(m.AppID, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	g.control("miniprograms", object{"appid": testProgram, "tester_limit": 9})
	g.refused(85003, "POST", "/wxa/bind_tester"+token, object{"wechatid": "lisi"})
}
