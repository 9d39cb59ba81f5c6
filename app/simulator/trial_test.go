package simulator

import (
	"strings"
	"testing"
)

// trial registers a 试用小程序 and gives its appid and token.
func (g *rig) trial(ct string) (appID, at string) {
	g.t.Helper()
	made := g.ok("POST", "/wxa/component/fastregisterbetaweapp?access_token="+ct, object{"name": "晨光文具", "openid": "oDemo00001"})
	g.act(made["unique_id"], "confirm", "person", "dianzhang_1")
	code := g.platform.wait("authorized")
	push := g.platform.wait("notify_third_fastregisterbetaapp")
	if push["unique_id"] != made["unique_id"] || push["status"] != "0" || push["appid"] != code["AuthorizerAppid"] || push["auth_code"] != "" {
		g.t.Fatalf("push %v", push)
	}
	info := g.ok("POST", "/cgi-bin/component/api_query_auth?access_token="+ct, object{"component_appid": testComponent,
		"authorization_code": code["AuthorizationCode"]})["authorization_info"].(object)
	return push["appid"], info["authorizer_access_token"].(string)
}

func conversionBody() object {
	return object{"verify_info": object{"enterprise_name": "晨光文具有限公司", "code": "91000000DEMO000001", "code_type": 1,
		"legal_persona_wechat": "faren_0001", "legal_persona_name": "张三", "legal_persona_idcard": "110000000000000000", "component_phone": "130"}}
}

func TestTrialAppIsRenamedAndConverted(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	appID, at := g.trial(ct)
	AT := "?access_token=" + at
	info := g.ok("POST", "/cgi-bin/component/api_get_authorizer_info?access_token="+ct, object{"component_appid": testComponent, "authorizer_appid": appID})["authorizer_info"].(object)
	if info["service_type_info"].(object)["id"].(float64) != trialService || info["register_type"].(float64) != 13 || info["nick_name"] != "晨光文具的体验小程序" {
		t.Errorf("trial app %v", info)
	}
	g.ok("POST", "/wxa/setbetaweappnickname"+AT, object{"name": "晨光小铺"})
	g.ok("POST", "/wxa/setbetaweappnickname"+AT, object{"name": "晨光旗舰店"})
	g.refused(53010, "POST", "/wxa/setbetaweappnickname"+AT, object{"name": "微"})
	review := g.control("reviews?kind=trial_nickname", nil)["items"].([]any)[0].(object)
	g.control("reviews/"+number64(review["id"]), object{"result": "reject", "reason": "请证明品牌"})
	if push := g.platform.wait("wxa_nickname_audit"); push["ret"] != "2" || push["reason"] != "请证明品牌" {
		t.Errorf("push %v", push)
	}

	g.refused(89253, "POST", "/wxa/verifybetaweapp"+AT, object{"verify_info": object{}})
	g.ok("POST", "/wxa/verifybetaweapp"+AT, conversionBody())
	if push := g.platform.wait("notify_third_fastverifybetaapp"); push["status"] != "89251" {
		t.Errorf("first push %v", push)
	}
	g.refused(89249, "POST", "/wxa/verifybetaweapp"+AT, conversionBody())
	id := g.taskOf("convert")["id"]
	g.act(id, "face_pass")
	if push := g.platform.wait("notify_third_fastverifybetaapp"); push["status"] != "89252" {
		t.Errorf("second push %v", push)
	}
	g.act(id, "confirm")
	if push := g.platform.wait("notify_third_fastverifybetaapp"); push["status"] != "0" || push["appid"] != appID {
		t.Errorf("last push %v", push)
	}
	basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo"+AT, nil)
	if basic["principal_name"] != "晨光文具有限公司" || !strings.HasPrefix(basic["nickname"].(string), "晨光小铺") {
		t.Errorf("converted %v", basic)
	}
	g.refused(89247, "POST", "/wxa/verifybetaweapp"+AT, conversionBody())
	g.advance(15 * 24 * 3600)
	if m := g.control("miniprograms?appid="+appID, nil)["items"].([]any)[0].(object); m["account_status"].(float64) != 1 {
		t.Errorf("a converted mini program ended: %v", m["account_status"])
	}
}

func TestTrialAppEndsAfterFourteenDays(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	appID, _ := g.trial(ct)
	g.advance(14*24*3600 - 60)
	status := func() float64 {
		return g.control("miniprograms?appid="+appID, nil)["items"].([]any)[0].(object)["account_status"].(float64)
	}
	if got := status(); got != 1 {
		t.Fatalf("account status %v before the end", got)
	}
	g.advance(120)
	if push := g.platform.wait("unauthorized"); push["AuthorizerAppid"] != appID {
		t.Errorf("push %v", push)
	}
	if got := status(); got != 14 {
		t.Errorf("account status %v after the end", got)
	}
}

func TestTrialRegistrationIsRefusedOrFails(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	path := "/wxa/component/fastregisterbetaweapp?access_token=" + ct
	g.refused(89253, "POST", path, object{"name": "晨光文具"})
	g.refused(53010, "POST", path, object{"name": "晨", "openid": "o1"})
	g.refused(53010, "POST", path, object{"name": strings.Repeat("长", 16), "openid": "o1"})
	made := g.ok("POST", path, object{"name": "晨光文具", "openid": "o1"})
	g.advance(24*3600 + 1)
	if push := g.platform.wait("notify_third_fastregisterbetaapp"); push["status"] != "100003" || push["unique_id"] != made["unique_id"] {
		t.Errorf("push %v", push)
	}
}
