package simulator

import (
	"strings"
	"testing"
)

func TestLifetimesFollowTheSimulatedClock(t *testing.T) {
	g := startRig(t, Options{})
	ticket := g.bind()
	ct := g.componentToken(ticket)
	g.program(testProgram, nil)
	link := authorizationLink(g.server.URL, testComponent, g.preAuth(ct), "/wxaopen/safe/bindcomponent")
	stale := authorizationLink(g.server.URL, testComponent, g.preAuth(ct), "/wxaopen/safe/bindcomponent")
	g.control("scan", object{"url": link, "appid": testProgram})
	code := g.platform.wait("authorized")["AuthorizationCode"]
	g.advance(601)
	g.refused(61010, "POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent, "authorization_code": code})
	g.controlRefused(409, "", "POST", "scan", object{"url": link, "appid": testProgram}) // used
	g.advance(1800)
	g.controlRefused(409, "", "POST", "scan", object{"url": stale, "appid": testProgram}) // expired
	at, refresh := g.authorize(ct, testProgram)
	g.advance(7200)
	g.refused(42001, "GET", "/wxa/get_page?access_token="+at, nil)
	g.refused(42001, "POST", "/cgi-bin/component/api_create_preauthcode?access_token="+ct, object{"component_appid": testComponent})
	ct = g.componentToken(ticket) // twelve hours are not over
	out := g.ok("POST", "/cgi-bin/component/api_authorizer_token?component_access_token="+ct, object{"component_appid": testComponent,
		"authorizer_appid": testProgram, "authorizer_refresh_token": refresh})
	if out["authorizer_refresh_token"] != refresh || out["expires_in"].(float64) != 7200 {
		t.Errorf("refresh answer %v", out)
	}
	g.refused(86001, "GET", "/wxa/get_page?access_token="+out["authorizer_access_token"].(string), nil)
	g.advance(12 * 3600)
	g.refused(61005, "POST", "/cgi-bin/component/api_component_token", object{"component_appid": testComponent,
		"component_appsecret": testSecret, "component_verify_ticket": ticket})
}

func TestReplacedTokenWorksOnlyDuringItsGrace(t *testing.T) {
	g := startRig(t, Options{})
	ticket := g.bind()
	old := g.componentToken(ticket)
	fresh := g.componentToken(ticket)
	path := "/cgi-bin/component/api_create_preauthcode?access_token="
	g.ok("POST", path+old, object{"component_appid": testComponent})
	g.advance(300)
	g.refused(40001, "POST", path+old, object{"component_appid": testComponent})
	g.ok("POST", path+fresh, object{"component_appid": testComponent})
	g.control("settings", object{"token_grace_seconds": 0})
	g.componentToken(ticket)
	g.refused(40001, "POST", path+fresh, object{"component_appid": testComponent})
}

func TestAuthCodeIsExchangedOnceUnlessTheSettingSaysOtherwise(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.program(testProgram, nil)
	exchange := func(code string) object {
		return g.call("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent, "authorization_code": code})
	}
	scan := func() string {
		out := g.control("scan", object{"url": authorizationLink(g.server.URL, testComponent, g.preAuth(ct), "/safe/bindcomponent"), "appid": testProgram})
		return strings.ReplaceAll(strings.Split(strings.Split(out["redirect_to"].(string), "auth_code=")[1], "&")[0], "%40", "@")
	}
	code := scan()
	if first := exchange(code); errcode(first) != 0 {
		t.Fatal(first)
	}
	if second := exchange(code); errcode(second) != 61009 {
		t.Errorf("second exchange %v", second)
	}
	g.control("settings", object{"query_auth_repeat": "same"})
	code = scan()
	first, second := exchange(code)["authorization_info"].(object), exchange(code)["authorization_info"].(object)
	if first["authorizer_access_token"] != second["authorizer_access_token"] {
		t.Error("the same code gave two tokens")
	}
}

func TestProfileHasTheFieldsOfTheDocument(t *testing.T) {
	g := startRig(t, Options{PublicURL: "http://simulator.example.test/"})
	ct, at := g.ready()
	out := g.ok("POST", "/cgi-bin/component/api_get_authorizer_info?access_token="+ct, object{"component_appid": testComponent, "authorizer_appid": testProgram})
	info := out["authorizer_info"].(object)
	for _, key := range []string{"nick_name", "head_img", "user_name", "principal_name", "signature", "service_type_info", "verify_type_info",
		"MiniProgramInfo", "qrcode_url", "business_info", "register_type", "account_status", "basic_config"} {
		if _, ok := info[key]; !ok {
			t.Errorf("authorizer_info lacks %s", key)
		}
	}
	if img := info["head_img"].(string); img != "http://simulator.example.test/sim/avatar/"+testProgram+".png" {
		t.Errorf("head_img %s", img)
	}
	if _, ok := out["authorization_info"].(object)["authorizer_access_token"]; ok {
		t.Error("the profile hands out an access token")
	}
	basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo?access_token="+at, nil)
	if basic["account_type"].(float64) != 3 || basic["appid"] != testProgram || basic["nickname"] != info["nick_name"] {
		t.Errorf("basic info %v", basic)
	}
	if list := g.ok("GET", "/wxa/get_category?access_token="+at, nil)["category_list"].([]any); len(list) != 1 {
		t.Errorf("categories %v", list)
	}
}

func TestIdsRepeatWithTheSameSeedOnly(t *testing.T) {
	make3 := func(seed int64) string {
		ids, err := newIDSource(seed)
		if err != nil {
			t.Fatal(err)
		}
		return ids.text(base62, 40) + ids.text(hexDigits, 16) + ids.text(decimals, 10)
	}
	if make3(5) != make3(5) || make3(5) == make3(6) || make3(0) == make3(0) {
		t.Error("seeds do not decide the ids")
	}
}
