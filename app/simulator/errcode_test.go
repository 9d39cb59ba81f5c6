package simulator

import (
	"fmt"
	"strings"
	"testing"
)

// One running simulator, one refusal after the other; each case is a call that must be refused with this errcode.
func TestCallsAreRefusedWithWeChatsErrcodes(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	other := "wx00000000000000a9"
	g.program(other, nil)
	g.control("components", object{"appid": "wx00000000000000c9", "name": "第二家", "secret": testSecret, "token": "tok", "aes_key": keyV})
	ask := object{"component_appid": testComponent}
	with := func(extra object) object {
		out := object{"component_appid": testComponent}
		for k, v := range extra {
			out[k] = v
		}
		return out
	}
	CT, AT := "?access_token="+ct, "?access_token="+at
	const base = "/cgi-bin/component/"
	ext := func(text string) object {
		return object{"template_id": 1, "ext_json": text, "user_version": "1", "user_desc": "d"}
	}
	for _, c := range []struct {
		why    string
		code   int
		method string
		path   string
		body   any
	}{
		{"unknown path", 40066, "GET", "/wxa/no_such_interface" + AT, nil},
		{"POST where GET is needed", 43001, "POST", "/wxa/get_page" + AT, "{}"},
		{"GET where POST is needed", 43002, "GET", "/wxa/release" + AT, nil},
		{"no body where {} is needed", 44002, "POST", "/wxa/release" + AT, nil},
		{"body is not JSON", 47001, "POST", "/wxa/release" + AT, "{"},
		{"body is an array", 47001, "POST", "/wxa/release" + AT, "[]"},
		{"field of a wrong type", 47001, "POST", "/wxa/commit" + AT, object{"template_id": 1, "ext_json": object{}, "user_version": "1"}},
		{"no token", 41001, "GET", "/wxa/get_page", nil},
		{"unknown token", 40001, "GET", "/wxa/get_page?access_token=nonsense", nil},
		{"authorizer token on a component interface", 61014, "POST", base + "api_create_preauthcode" + AT, ask},
		{"component token on a code interface", 61015, "GET", "/wxa/get_page" + CT, nil},
		{"component_appid missing", 41018, "POST", base + "api_create_preauthcode" + CT, object{}},
		{"component_appid of somebody else", 40013, "POST", base + "api_create_preauthcode" + CT, object{"component_appid": "wx00000000000000c9"}},
		{"appid of a mini program", 61011, "POST", base + "api_component_token", object{"component_appid": other, "component_appsecret": "x"}},
		{"unknown platform", 40013, "POST", base + "api_component_token", object{"component_appid": "wx9"}},
		{"secret missing", 41004, "POST", base + "api_component_token", ask},
		{"wrong secret", 40125, "POST", base + "api_component_token", with(object{"component_appsecret": "wrong"})},
		{"unknown ticket", 61006, "POST", base + "api_component_token", with(object{"component_appsecret": testSecret, "component_verify_ticket": "ticket@@@x"})},
		{"start push with a wrong secret", 40125, "POST", base + "api_start_push_ticket", with(object{"component_secret": "wrong"})},
		{"unknown auth code", 61009, "POST", base + "api_query_auth" + CT, with(object{"authorization_code": "queryauthcode@@@x"})},
		{"refresh of a stranger", 61003, "POST", base + "api_authorizer_token" + CT, with(object{"authorizer_appid": other, "authorizer_refresh_token": "r"})},
		{"refresh with a wrong token", 61023, "POST", base + "api_authorizer_token" + CT, with(object{"authorizer_appid": testProgram, "authorizer_refresh_token": "r"})},
		{"profile of an unknown appid", 40013, "POST", base + "api_get_authorizer_info" + CT, with(object{"authorizer_appid": "wxnone"})},
		{"page of more than 500", 40170, "POST", base + "api_get_authorizer_list" + CT, with(object{"offset": 0, "count": 501})},
		{"page of nothing", 40097, "POST", base + "api_get_authorizer_list" + CT, with(object{"offset": 0, "count": 0})},
		{"domain action", 85022, "POST", base + "modify_wxa_server_domain" + CT, object{"action": "burn"}},
		{"draft does not exist", 85064, "POST", "/wxa/addtotemplate" + CT, object{"draft_id": 99}},
		{"template kind", 40097, "POST", "/wxa/addtotemplate" + CT, object{"draft_id": 1, "template_type": 7}},
		{"template list kind", 40097, "GET", "/wxa/gettemplatelist" + CT + "&template_type=x", nil},
		{"template to delete does not exist", 85064, "POST", "/wxa/deletetemplate" + CT, object{"template_id": 99}},
		{"no trial version to look into", 86001, "GET", "/wxa/get_page" + AT, nil},
		{"no trial version to scan", 86001, "GET", "/wxa/get_qrcode" + AT, nil},
		{"no code to check", 86001, "GET", "/wxa/security/get_code_privacy_info" + AT, nil},
		{"nothing committed", 85086, "POST", "/wxa/submit_audit" + AT, submitBody()},
		{"no audit yet", 85058, "GET", "/wxa/get_latest_auditstatus" + AT, nil},
		{"audit id", 85012, "POST", "/wxa/get_auditstatus" + AT, object{"auditid": 5}},
		{"nothing to withdraw", 85019, "GET", "/wxa/undocodeaudit" + AT, nil},
		{"nothing to speed up", 89402, "POST", "/wxa/speedupaudit" + AT, object{"auditid": 5}},
		{"nothing to release", 85019, "POST", "/wxa/release" + AT, "{}"},
		{"gray without online version", 85079, "POST", "/wxa/grayrelease" + AT, object{"gray_percentage": 10}},
		{"gray percentage", 85081, "POST", "/wxa/grayrelease" + AT, object{"gray_percentage": 101}},
		{"gray of 0 without a first group", 85081, "POST", "/wxa/grayrelease" + AT, object{"gray_percentage": 0}},
		{"nothing to roll back", 87012, "GET", "/wxa/revertcoderelease" + AT, nil},
		{"roll back action", 40097, "GET", "/wxa/revertcoderelease" + AT + "&action=x", nil},
		{"no gray release to end", 85079, "GET", "/wxa/revertgrayrelease" + AT, nil},
		{"visit action", 85022, "POST", "/wxa/change_visitstatus" + AT, object{"action": "x"}},
		{"visit without online version", 85021, "POST", "/wxa/change_visitstatus" + AT, object{"action": "close"}},
		{"template does not exist", 85014, "POST", "/wxa/commit" + AT, object{"template_id": "99", "ext_json": "{}", "user_version": "1", "user_desc": "d"}},
		{"version missing", 40097, "POST", "/wxa/commit" + AT, object{"template_id": 1, "ext_json": "{}"}},
		{"version too long", 40097, "POST", "/wxa/commit" + AT, object{"template_id": 1, "ext_json": "{}", "user_version": strings.Repeat("版", 65)}},
		{"ext_json does not parse", 85048, "POST", "/wxa/commit" + AT, ext("{")},
		{"ext_json is an array", 85013, "POST", "/wxa/commit" + AT, ext("[]")},
		{"ext_json of another mini program", 85013, "POST", "/wxa/commit" + AT, ext(`{"extAppid":"` + other + `"}`)},
		{"ext is not an object", 85013, "POST", "/wxa/commit" + AT, ext(`{"ext":[]}`)},
		{"no pages", 85047, "POST", "/wxa/commit" + AT, ext(`{"pages":[]}`)},
		{"unknown page", 85045, "POST", "/wxa/commit" + AT, ext(`{"pages":["pages/none/none"]}`)},
		{"unknown page override", 85045, "POST", "/wxa/commit" + AT, ext(`{"extPages":{"pages/none/none":{}}}`)},
		{"tab without page", 85046, "POST", "/wxa/commit" + AT, ext(`{"tabBar":{"list":[{"text":"x"}]}}`)},
		{"unknown privacy interface", 85310, "POST", "/wxa/commit" + AT, ext(`{"requiredPrivateInfos":["getEverything"]}`)},
		{"privacy interfaces that exclude each other", 85311, "POST", "/wxa/commit" + AT, ext(`{"requiredPrivateInfos":["getLocation","getFuzzyLocation"]}`)},
		{"privacy interface without permission", 85312, "POST", "/wxa/commit" + AT, ext(`{"requiredPrivateInfos":["getLocation"]}`)},
		{"domain outside the pool", 85018, "POST", "/wxa/modify_domain" + AT, object{"action": "add", "requestdomain": []string{"https://evil.example"}}},
		{"domain with a wrong scheme", 85301, "POST", "/wxa/modify_domain" + AT, object{"action": "add", "wsrequestdomain": []string{"https://api.example.com"}}},
		{"no domain to add", 85017, "POST", "/wxa/modify_domain" + AT, object{"action": "add"}},
		{"domain action of a mini program", 85022, "POST", "/wxa/modify_domain" + AT, object{"action": "x"}},
		{"tester unknown", 85001, "POST", "/wxa/bind_tester" + AT, object{"wechatid": "nobody"}},
		{"tester empty", 89033, "POST", "/wxa/bind_tester" + AT, object{"wechatid": ""}},
		{"tester to remove unknown", 85001, "POST", "/wxa/unbind_tester" + AT, object{"wechatid": "nobody"}},
		{"userstr unknown", 89034, "POST", "/wxa/unbind_tester" + AT, object{"userstr": "x"}},
		{"nobody to remove", 89033, "POST", "/wxa/unbind_tester" + AT, object{}},
		{"member action", 40097, "POST", "/wxa/memberauth" + AT, object{"action": "x"}},
		{"rid malformed", 76002, "POST", "/cgi-bin/openapi/rid/get" + CT, object{"rid": "x"}},
		{"rid unknown", 76001, "POST", "/cgi-bin/openapi/rid/get" + CT, object{"rid": "00000000-00000000-00000000"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			local := *g
			local.t = t
			local.refused(c.code, c.method, c.path, c.body)
		})
	}
}

func TestSubmitAuditChecksTheForm(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1"))
	g.advance(11)
	item := func(change object) object {
		body := submitBody()
		one := body["item_list"].([]object)[0]
		for k, v := range change {
			one[k] = v
		}
		return body
	}
	many := submitBody()
	for range 5 {
		many["item_list"] = append(many["item_list"].([]object), many["item_list"].([]object)[0])
	}
	preview := func(p object) object { b := submitBody(); b["preview_info"] = p; return b }
	long := submitBody()
	long["version_desc"] = strings.Repeat("长", 2001)
	feedback := submitBody()
	feedback["feedback_info"] = strings.Repeat("长", 201)
	for why, c := range map[string]struct {
		code int
		body object
	}{
		"no items":        {85023, object{}},
		"six items":       {85023, many},
		"page unknown":    {85007, item(object{"address": "pages/x/x"})},
		"too many tags":   {85006, item(object{"tag": "a b c d e f g h i j k"})},
		"tag too long":    {85006, item(object{"tag": strings.Repeat("长", 21)})},
		"title too long":  {85011, item(object{"title": strings.Repeat("长", 33)})},
		"category empty":  {85010, item(object{"first_id": 0, "first_class": ""})},
		"category wrong":  {85008, item(object{"second_id": 1})},
		"description":     {85051, long},
		"feedback":        {40097, feedback},
		"preview empty":   {85092, preview(object{"pic_id_list": []string{""}})},
		"preview too big": {85093, preview(object{"video_id_list": []string{"a", "b"}})},
	} {
		t.Run(why, func(t *testing.T) {
			local := *g
			local.t = t
			local.refused(c.code, "POST", "/wxa/submit_audit?access_token="+at, c.body)
		})
	}
	quota := g.ok("GET", "/wxa/queryquota?access_token="+at, nil)
	if quota["rest"].(float64) != quota["limit"].(float64) {
		t.Errorf("refused submits used quota: %v", quota)
	}
}

func TestSubmitAuditChecksTheStateOfTheMiniProgram(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	submit := "/wxa/submit_audit?access_token=" + at
	g.ok("POST", "/wxa/commit?access_token="+at, commitBody("1"))
	g.refused(61039, "POST", submit, submitBody())
	g.refused(61039, "GET", "/wxa/security/get_code_privacy_info?access_token="+at, nil)
	g.advance(11)
	for flag := range map[string]bool{"name_set": true, "avatar_set": true, "intro_set": true} {
		g.control("miniprograms", object{"appid": testProgram, flag: false})
		g.refused(86002, "POST", submit, submitBody())
		g.control("miniprograms", object{"appid": testProgram, flag: true})
	}
	g.control("miniprograms", object{"appid": testProgram, "categories": []object{}})
	g.refused(85008, "POST", submit, submitBody())
	g.control("miniprograms", object{"appid": testProgram, "categories": []object{{"first_class": "商家自营", "second_class": "食品饮料", "first_id": 304, "second_id": 325}}})
	g.control("components", object{"appid": testComponent, "audit_quota": 0})
	g.refused(85085, "POST", submit, submitBody())
	g.control("components", object{"appid": testComponent, "audit_quota": 1})
	g.ok("POST", submit, submitBody())
	g.refused(85009, "POST", submit, submitBody())
	if quota := g.ok("GET", "/wxa/queryquota?access_token="+at, nil); quota["rest"].(float64) != 0 {
		t.Errorf("quota %v", quota)
	}
	g.ok("GET", "/wxa/undocodeaudit?access_token="+at, nil)
	g.refused(85085, "POST", submit, submitBody())
	g.advance(32 * 24 * 3600) // the next month has a new quota
	ct := g.componentToken(g.platform.wait("component_verify_ticket")["ComponentVerifyTicket"])
	fresh, _ := g.authorize(ct, testProgram)
	g.ok("POST", "/wxa/submit_audit?access_token="+fresh, submitBody())
}

func TestPrivacyInterfacesBlockTheSubmitUntilSettled(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	g.control("drafts", object{"component_appid": testComponent, "user_version": "2.0.0", "privacy_apis": []string{"getLocation"}})
	g.ok("POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": 2})
	body := commitBody("2.0.0")
	body["template_id"] = 2
	g.ok("POST", "/wxa/commit?access_token="+at, body)
	g.advance(11)
	info := g.ok("GET", "/wxa/security/get_code_privacy_info?access_token="+at, nil)
	if fmt.Sprint(info["without_auth_list"]) != "[wx.getLocation]" {
		t.Errorf("info %v", info)
	}
	g.refused(61040, "POST", "/wxa/submit_audit?access_token="+at, submitBody())
	g.control("miniprograms", object{"appid": testProgram, "privacy_apis": []string{"getLocation"}})
	if info := g.ok("GET", "/wxa/security/get_code_privacy_info?access_token="+at, nil); fmt.Sprint(info["without_conf_list"]) != "[wx.getLocation]" {
		t.Errorf("info %v", info)
	}
	unused := submitBody()
	unused["privacy_api_not_use"] = true
	g.ok("POST", "/wxa/submit_audit?access_token="+at, unused)
}

func TestWithdrawAndSpeedUpHaveTheirLimits(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.control("settings", object{"undo_per_day": 2})
	g.control("components", object{"appid": testComponent, "speedup_quota": 1})
	token := "?access_token=" + at
	id := g.submitted(at, "1")
	g.ok("POST", "/wxa/speedupaudit"+token, object{"auditid": id})
	g.refused(89404, "POST", "/wxa/speedupaudit"+token, object{"auditid": id})
	g.ok("GET", "/wxa/undocodeaudit"+token, nil)
	if got := g.ok("POST", "/wxa/get_auditstatus"+token, object{"auditid": id}); got["status"].(float64) != auditWithdrawn {
		t.Errorf("status %v", got)
	}
	id = g.ok("POST", "/wxa/submit_audit"+token, submitBody())["auditid"].(float64)
	g.refused(89405, "POST", "/wxa/speedupaudit"+token, object{"auditid": id})
	g.control("audits/"+testProgram, object{"result": "delay", "reason": "复审"})
	if delay := g.platform.wait("weapp_audit_delay"); delay["Reason"] != "复审" || delay["DelayTime"] == "" {
		t.Errorf("delay event %v", delay)
	}
	g.refused(89403, "POST", "/wxa/speedupaudit"+token, object{"auditid": id})
	g.ok("GET", "/wxa/undocodeaudit"+token, nil)
	g.ok("POST", "/wxa/submit_audit"+token, submitBody())
	g.refused(87013, "GET", "/wxa/undocodeaudit"+token, nil)
}

func TestTemplateLibraryIsFullAtItsLimitAndDraftsAreOverwritten(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	g.control("settings", object{"template_limit": 2})
	second := g.control("drafts", object{"component_appid": testComponent, "user_version": "1.1.0"})
	drafts := g.ok("GET", "/wxa/gettemplatedraftlist?access_token="+ct, nil)["draft_list"].([]any)
	if len(drafts) != 1 || drafts[0].(object)["draft_id"] != second["draft_id"] {
		t.Errorf("draft box %v", drafts)
	}
	g.refused(85064, "POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": 1})
	g.ok("POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": second["draft_id"]})
	g.refused(85065, "POST", "/wxa/addtotemplate?access_token="+ct, object{"draft_id": second["draft_id"]})
	g.ok("POST", "/wxa/deletetemplate?access_token="+ct, object{"template_id": 1})
	g.refused(85014, "POST", "/wxa/commit?access_token="+at, commitBody("1"))
	g.control("drafts", object{"component_appid": testComponent, "user_version": "1.0.0", "source_name": "另一个开发小程序"})
	if drafts := g.ok("GET", "/wxa/gettemplatedraftlist?access_token="+ct, nil)["draft_list"].([]any); len(drafts) != 2 {
		t.Errorf("two development mini programs keep two drafts: %v", drafts)
	}
}
