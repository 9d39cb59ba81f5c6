package simulator

import (
	"strings"
	"testing"
	"time"
)

// commitWith is a commit whose ext_json holds one more key.
func commitWith(version, key string) object {
	body := commitBody(version)
	body["ext_json"] = `{"extAppid":"` + testProgram + `"` + key + `}`
	return body
}

func TestPunishmentsStopSubmitsByTheirNumber(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	submit := "/wxa/submit_audit?access_token=" + at
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1.0.0"))
	g.advance(11)
	mine := func(flags object) object { flags["appid"] = testProgram; return flags }
	for _, c := range []struct {
		set  object
		code int
	}{
		{mine(object{"submit_banned": true}), 86007},
		{mine(object{"submit_banned": false, "game": true}), 87006},
		{mine(object{"game": false, "component_appid": testComponent, "punished": "all"}), 86008},
		{object{"component_appid": testComponent, "punished": "new"}, 86009},
	} {
		g.control("restrictions", c.set)
		g.refused(c.code, "POST", submit, submitBody())
	}
	g.control("restrictions", object{"component_appid": testComponent, "punished": "iteration"})
	g.ok("POST", submit, submitBody()) // never online: not an iteration
	g.control("audits/"+testProgram, object{"result": "pass"})
	g.ok("POST", "/wxa/release?access_token="+at, object{})
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1.1.0"))
	g.advance(11)
	g.refused(86010, "POST", submit, submitBody())
	g.control("restrictions", object{"component_appid": testComponent, "punished": "new"})
	g.ok("POST", submit, submitBody())
	g.controlRefused(400, "punished", "POST", "restrictions", object{"component_appid": testComponent, "punished": "x"})
	g.controlRefused(400, "appid", "POST", "restrictions", object{})
	g.controlRefused(404, "appid", "POST", "restrictions", object{"appid": "wx0"})
	g.controlRefused(404, "component_appid", "POST", "restrictions", object{"component_appid": "wx0"})
	g.controlRefused(400, "test_accounts", "POST", "restrictions", object{"component_appid": testComponent, "test_accounts": []string{"x"}})
}

func TestADevelopmentMiniProgramWithLiveBlocksItsCode(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1.0.0"))
	g.advance(11)
	dev := g.control("drafts", object{"component_appid": testComponent, "user_version": "1.0.1"})["source_appid"].(string)
	g.control("restrictions", object{"appid": dev, "live_enabled": true})
	g.refused(9400001, "POST", "/wxa/submit_audit?access_token="+at, submitBody())
	g.control("restrictions", object{"appid": dev, "live_enabled": false})
	g.ok("POST", "/wxa/submit_audit?access_token="+at, submitBody())
	g.control("settings", object{"development_live": "on"})
	other := g.control("drafts", object{"component_appid": testComponent, "source_name": "直播开发号", "user_version": "2.0.0"})["source_appid"].(string)
	if m := g.control("miniprograms?appid="+other, nil)["items"].([]any)[0].(object); m["live_enabled"] != true {
		t.Errorf("development mini program %v", m["live_enabled"])
	}
}

func TestOneOperationAtATime(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	commit := "/wxa/commit?access_token=" + at
	g.control("settings", object{"operation_seconds": 60})
	g.ok("POST", commit, commitBody("1.0.0"))
	g.refused(9402202, "POST", commit, commitBody("1.0.1"))
	g.advance(61)
	g.ok("POST", commit, commitBody("1.0.2"))
	g.control("settings", object{"operation_seconds": 0})
	g.control("faults", object{"path": "/wxa/commit", "delay_ms": 1500})
	slow := make(chan object, 1)
	go func() { slow <- g.call("POST", commit, commitBody("1.0.3")) }()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		g.sim.mu.Lock()
		running := g.sim.world.operating[testProgram]
		g.sim.mu.Unlock()
		if running {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the slow commit does not begin")
		}
	}
	g.refused(9402202, "POST", commit, commitBody("1.0.4"))
	if out := <-slow; errcode(out) != 0 {
		t.Errorf("the slow commit: %v", out)
	}
	g.ok("POST", commit, commitBody("1.0.5"))
}

func TestCommitLooksAtPackagePluginsAndKindOfTemplate(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	commit := "/wxa/commit?access_token=" + at
	g.program("wx00000000000000f1", object{"nick_name": "地图插件"})
	uses := func(version, provider string) object {
		return commitWith("1.0.0", `,"plugins":{"map":{"version":"`+version+`","provider":"`+provider+`"}}`)
	}
	g.refused(80067, "POST", commit, uses("1.0.0", "wx00000000000000ff"))
	g.refused(80082, "POST", commit, uses("1.0.0", "wx00000000000000f1"))
	g.ok("POST", "/wxa/plugin?access_token="+at, object{"action": "apply", "plugin_appid": "wx00000000000000f1"})
	g.refused(80082, "POST", commit, uses("1.0.0", "wx00000000000000f1"))
	review := g.control("reviews", nil)["items"].([]any)[0].(object)
	g.control("reviews/"+idOf(review), object{"result": "pass"})
	g.refused(80066, "POST", commit, uses("", "wx00000000000000f1"))
	g.ok("POST", commit, uses("1.0.0", "wx00000000000000f1"))

	large := func(main, whole int) int {
		g.control("drafts", object{"component_appid": testComponent, "user_version": "3.0.0", "main_kb": main, "package_kb": whole})
		drafts := g.ok("GET", "/wxa/gettemplatedraftlist?access_token="+ct, nil)["draft_list"].([]any)
		g.ok("POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": drafts[len(drafts)-1].(object)["draft_id"]})
		templates := g.ok("GET", "/wxa/gettemplatelist?access_token="+ct, nil)["template_list"].([]any)
		body := commitBody("3.0.0")
		body["template_id"] = templates[len(templates)-1].(object)["template_id"]
		return errcode(g.call("POST", commit, body))
	}
	if a, b, c := large(2048, 20480), large(2049, 4000), large(100, 20481); a != 0 || b != 85044 || c != 85044 {
		t.Errorf("packages: %d %d %d", a, b, c)
	}

	drafts := g.ok("GET", "/wxa/gettemplatedraftlist?access_token="+ct, nil)["draft_list"].([]any)
	g.control("drafts", object{"component_appid": testComponent, "user_version": "4.0.0", "navigates": true})
	drafts = g.ok("GET", "/wxa/gettemplatedraftlist?access_token="+ct, nil)["draft_list"].([]any)
	g.ok("POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": drafts[len(drafts)-1].(object)["draft_id"], "template_type": 1})
	templates := g.ok("GET", "/wxa/gettemplatelist?template_type=1&access_token="+ct, nil)["template_list"].([]any)
	standard := commitWith("4.0.0", `,"ext":{},"tabBar":{}`)
	standard["template_id"] = templates[0].(object)["template_id"]
	g.refused(9402203, "POST", commit, standard)
	standard["ext_json"] = `{"extAppid":"` + testProgram + `","ext":{}}`
	g.ok("POST", commit, standard)
	g.advance(11)
	g.refused(85087, "POST", "/wxa/submit_audit?access_token="+at, submitBody())
}

func TestBeforeTheReleaseOnlyListedAccountsAuthorise(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.program(testProgram, nil)
	g.control("restrictions", object{"component_appid": testComponent, "unreleased": true})
	scan := func() (int, []byte) {
		return g.send("POST", "/control/scan", object{"url": authorizationLink(g.server.URL, testComponent, g.preAuth(ct), "/wxaopen/safe/bindcomponent"), "appid": testProgram})
	}
	if status, raw := scan(); status != 409 || !strings.Contains(string(raw), "未全网发布") {
		t.Errorf("an account that is not listed: %d %s", status, raw)
	}
	g.refused(61028, "POST", "/cgi-bin/component/fastregisterweapp?action=create&access_token="+ct, object{"name": "街角餐饮管理有限公司", "code": "91110000MA00000001",
		"code_type": 1, "legal_persona_wechat": "zhangsan01", "legal_persona_name": "张三", "component_phone": "13100000000"})
	g.control("restrictions", object{"component_appid": testComponent, "test_accounts": []string{testProgram}})
	if status, raw := scan(); status != 200 {
		t.Errorf("a listed account: %d %s", status, raw)
	}
}

func TestLinksToStaticPagesNeedTheCloud(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release?access_token="+at, object{})
	link := object{"path": "pages/index/index", "cloud_base": object{"env": "e"}, "is_expire": true, "expire_type": 1, "expire_interval": 1}
	g.ok("POST", "/wxa/generate_urllink?access_token="+at, link)
	g.control("restrictions", object{"appid": testProgram, "cloud_off": true})
	g.refused(85088, "POST", "/wxa/generate_urllink?access_token="+at, link)
}
