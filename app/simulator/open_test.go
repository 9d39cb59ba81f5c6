package simulator

import (
	"fmt"
	"testing"
)

func TestOpenAccountGivesOneUnionIDToItsAccounts(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	second, stranger := "wx00000000000000a5", "wx00000000000000a4"
	g.program(second, nil)
	g.program(stranger, object{"principal_name": "另一家公司"})
	at2, _ := g.authorize(ct, second)
	at3, _ := g.authorize(ct, stranger)
	with := func(token string) string { return "?access_token=" + token }
	g.refused(89002, "POST", "/cgi-bin/open/get"+with(at), "{}")
	g.refused(40013, "POST", "/cgi-bin/open/create"+with(at), object{"appid": second})
	open := g.ok("POST", "/cgi-bin/open/create"+with(at), object{"appid": testProgram})["open_appid"]
	g.refused(89000, "POST", "/cgi-bin/open/create"+with(at), "{}")
	g.refused(40013, "POST", "/cgi-bin/open/bind"+with(at2), object{"open_appid": "wxo"})
	g.refused(89001, "POST", "/cgi-bin/open/bind"+with(at3), object{"open_appid": open})
	g.control("settings", object{"open_account_programs": 1})
	g.refused(89004, "POST", "/cgi-bin/open/bind"+with(at2), object{"open_appid": open})
	g.control("settings", object{"open_account_programs": 5})
	g.ok("POST", "/cgi-bin/open/bind"+with(at2), object{"open_appid": open})
	if got := g.ok("GET", "/cgi-bin/open/have"+with(at2), nil); got["have_open"] != true {
		t.Errorf("have %v", got)
	}
	if got := g.ok("GET", "/cgi-bin/open/sameentity"+with(at2), nil); got["same_entity"] != true {
		t.Errorf("same entity %v", got)
	}
	session := func(appID string) object {
		t.Helper()
		code := g.control("logincodes", object{"appid": appID, "person": "guke_001"})
		return g.ok("GET", fmt.Sprint("/sns/component/jscode2session?appid=", appID, "&js_code=", code["js_code"],
			"&grant_type=authorization_code&component_appid=", testComponent, "&component_access_token=", ct), nil)
	}
	one, two, other := session(testProgram), session(second), session(stranger)
	if one["unionid"] == nil || one["unionid"] != two["unionid"] || one["openid"] == two["openid"] || other["unionid"] != nil {
		t.Errorf("sessions %v %v %v", one, two, other)
	}
	if again := session(testProgram); again["openid"] != one["openid"] || again["session_key"] == one["session_key"] {
		t.Errorf("second login %v", again)
	}
	g.refused(40013, "POST", "/cgi-bin/open/unbind"+with(at2), object{"open_appid": "wxo"})
	g.ok("POST", "/cgi-bin/open/unbind"+with(at2), object{"open_appid": open})
	g.refused(89002, "POST", "/cgi-bin/open/unbind"+with(at2), object{"open_appid": open})
}

func TestLoginCodeWorksOnceAndForFiveMinutes(t *testing.T) {
	g := startRig(t, Options{})
	ct, _ := g.ready()
	link := func(code any, appID string) string {
		return fmt.Sprint("/sns/component/jscode2session?appid=", appID, "&js_code=", code, "&grant_type=authorization_code&component_appid=",
			testComponent, "&component_access_token=", ct)
	}
	code := g.control("logincodes", object{"appid": testProgram, "person": "guke_001"})["js_code"]
	g.refused(61003, "GET", link(code, "wx00000000000000ff"), nil)
	g.refused(40029, "GET", link("nonsense", testProgram), nil)
	g.ok("GET", link(code, testProgram), nil)
	g.refused(40163, "GET", link(code, testProgram), nil)
	late := g.control("logincodes", object{"appid": testProgram, "person": "guke_001"})["js_code"]
	g.advance(301)
	g.refused(40029, "GET", link(late, testProgram), nil)
	g.controlRefused(404, "appid", "POST", "logincodes", object{"appid": "wxnone", "person": "x"})
	g.controlRefused(400, "person", "POST", "logincodes", object{"appid": testProgram})
}

func TestQuotaIsCountedAndClearedTenTimesAMonth(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	AT, CT := "?access_token="+at, "?access_token="+ct
	quota := func() object {
		return g.ok("POST", "/cgi-bin/openapi/quota/get"+AT, object{"cgi_path": "/wxa/getversioninfo"})["quota"].(object)
	}
	g.ok("POST", "/wxa/getversioninfo"+AT, "{}")
	g.control("settings", object{"daily_limit": 2})
	if got := quota(); got["used"].(float64) != 1 || got["remain"].(float64) != 1 {
		t.Errorf("quota %v", got)
	}
	g.ok("POST", "/wxa/getversioninfo"+AT, "{}")
	g.refused(45009, "POST", "/wxa/getversioninfo"+AT, "{}")
	g.refused(40013, "POST", "/cgi-bin/clear_quota"+AT, object{"appid": testComponent})
	g.advance(1)
	g.ok("POST", "/cgi-bin/clear_quota"+AT, object{"appid": testProgram})
	g.advance(1)
	g.ok("POST", "/wxa/getversioninfo"+AT, "{}")
	g.control("settings", object{"daily_limit": 0})
	for range 9 {
		g.ok("POST", "/cgi-bin/component/clear_quota/v2", object{"component_appid": testComponent, "appsecret": testSecret, "appid": testProgram})
	}
	g.refused(48006, "POST", "/cgi-bin/clear_quota"+AT, object{"appid": testProgram})
	g.ok("POST", "/cgi-bin/clear_quota"+CT, object{"appid": testComponent})
	g.ok("POST", "/cgi-bin/component/clear_quota?component_access_token="+ct, object{"component_appid": testComponent})
	g.refuses(t, []refusal{
		{"path unknown", 76003, "/cgi-bin/openapi/quota/get" + AT, object{"cgi_path": "/wxa/none"}},
		{"sns path", 76022, "/cgi-bin/openapi/quota/get" + CT, object{"cgi_path": "/sns/component/jscode2session"}},
		{"wrong secret", 40125, "/cgi-bin/component/clear_quota/v2", object{"component_appid": testComponent, "appsecret": "x"}},
		{"stranger", 40013, "/cgi-bin/component/clear_quota/v2", object{"component_appid": testComponent, "appsecret": testSecret, "appid": "wxnone"}},
	})
	g.control("settings", object{"quota_path_errcode": 76021})
	g.refused(76021, "POST", "/cgi-bin/openapi/quota/get"+AT, object{"cgi_path": "/wxa/none"})
}

func TestOptionsBelongToOfficialAccounts(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	official := "wx00000000000000b1"
	g.program(official, object{"official": true})
	own, _ := g.authorize(ct, official)
	base := "/cgi-bin/component/"
	option := func(name, value string) object {
		return object{"component_appid": testComponent, "authorizer_appid": official, "option_name": name, "option_value": value}
	}
	g.ok("POST", base+"set_authorizer_option?access_token="+ct, option("location_report", "2"))
	if got := g.ok("POST", base+"get_authorizer_option?access_token="+own, object{"option_name": "location_report"}); got["option_value"] != "2" {
		t.Errorf("option %v", got)
	}
	g.refuses(t, []refusal{
		{"name", 61012, base + "api_set_authorizer_option?component_access_token=" + ct, option("colour", "1")},
		{"value", 61013, base + "set_authorizer_option?access_token=" + ct, option("voice_recognize", "7")},
		{"mini program", 61025, base + "set_authorizer_option?access_token=" + at, option("voice_recognize", "1")},
		{"stranger", 61003, base + "get_authorizer_option?access_token=" + ct, object{"authorizer_appid": "wxnone", "option_name": "location_report"}},
		{"official account on a mini program interface", 48001, "/wxa/commit?access_token=" + own, commitBody("1")},
	})
	g.control("settings", object{"option_token": "component"})
	g.refused(61014, "POST", base+"get_authorizer_option?access_token="+own, object{"option_name": "location_report"})
	g.control("settings", object{"option_token": "authorizer"})
	g.refused(61015, "POST", base+"get_authorizer_option?access_token="+ct, option("location_report", ""))
}
