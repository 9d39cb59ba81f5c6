package simulator

import (
	"testing"
)

func TestNameWithAKeywordIsReviewedAndAnotherIsNot(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	if got := g.ok("POST", "/cgi-bin/wxverify/checkwxverifynickname"+AT, object{"nick_name": "晨光旗舰店"}); got["hit_condition"] != true || got["wording"] == "" {
		t.Errorf("check %v", got)
	}
	g.refused(91009, "POST", "/wxa/setnickname"+AT, object{"nick_name": "晨光旗舰店", "license": g.picture(at)})
	g.refused(40007, "POST", "/wxa/setnickname"+AT, object{"nick_name": "晨光旗舰店", "license": g.picture(at), "naming_other_stuff_1": "lost"})
	asked := g.ok("POST", "/wxa/setnickname"+AT, object{"nick_name": "晨光旗舰店", "license": g.picture(at), "naming_other_stuff_1": g.picture(at)})
	query := object{"audit_id": asked["audit_id"]}
	if got := g.ok("POST", "/wxa/api_wxa_querynickname"+AT, query); got["audit_stat"].(float64) != 1 || got["nickname"] != "晨光旗舰店" {
		t.Errorf("query %v", got)
	}
	g.refused(91003, "POST", "/wxa/setnickname"+AT, object{"nick_name": "晨光小铺"})
	g.decide("nickname", "请提供商标注册证")
	if push := g.platform.wait("wxa_nickname_audit"); push["ret"] != "2" || push["nickname"] != "晨光旗舰店" || push["reason"] != "请提供商标注册证" {
		t.Errorf("push %v", push)
	}
	if got := g.ok("POST", "/wxa/api_wxa_querynickname"+AT, query); got["audit_stat"].(float64) != 2 || got["fail_reason"] != "请提供商标注册证" {
		t.Errorf("query %v", got)
	}
	if got := g.ok("POST", "/wxa/setnickname"+AT, object{"nick_name": "晨光小铺"}); got["audit_id"] != nil {
		t.Errorf("a plain name is reviewed: %v", got)
	}
	basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo"+AT, nil)
	info := basic["nickname_info"].(object)
	if basic["nickname"] != "晨光小铺" || info["modify_used_count"].(float64) != 2 || info["modify_quota"].(float64) != 2 {
		t.Errorf("basic info %v", basic)
	}
	g.refused(91018, "POST", "/wxa/setnickname"+AT, object{"nick_name": "晨光大铺"})
}

func TestNamesAreRefusedByNumber(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.program("wx00000000000000a8", object{"nick_name": "已有的店"})
	g.control("people", object{"wechat_id": "chenguang_wx"})
	set, check := "/wxa/setnickname?access_token="+at, "/cgi-bin/wxverify/checkwxverifynickname?access_token="+at
	name := func(n string) object { return object{"nick_name": n} }
	g.refuses(t, []refusal{
		{"too short", 53010, set, name("晨")}, {"too long", 53010, set, name("一二三四五六七八九十一二三四五六")},
		{"forbidden", 91004, set, name("晨光小程序")}, {"taken", 91007, set, name("已有的店")}, {"a WeChat id", 91006, set, name("chenguang_wx")},
		{"check: form", 53010, check, name(" 晨光 ")}, {"check: forbidden", 53012, check, name("微信晨光")},
		{"check: taken", 53013, check, name("已有的店")}, {"check: a WeChat id", 53018, check, name("chenguang_wx")},
		{"audit unknown", 91011, "/wxa/api_wxa_querynickname?access_token=" + at, object{"audit_id": 1}},
	})
	g.control("settings", object{"nickname_own_only": true})
	g.refused(91001, "POST", set, name("晨光小铺"))
	g.control("settings", object{"nickname_own_only": false, "nickname_checks": 1})
	g.advance(61)
	g.ok("POST", check, name("晨光小铺"))
	g.refused(53011, "POST", check, name("晨光小铺"))
	g.submitted(at, "1.0.0")
	g.refused(91019, "POST", set, name("晨光小铺"))
	g.control("audits/"+testProgram, object{"result": "pass"})
	g.ok("POST", "/wxa/release?access_token="+at, "{}")
	g.refused(91002, "POST", set, name("晨光小铺"))
}

func TestNameEventGoesWhereTheSettingSaysAndReviewsPassByThemselves(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.control("settings", object{"nickname_review": "always", "nickname_event": "ticket", "review_seconds": 60})
	g.ok("POST", "/wxa/setnickname?access_token="+at, object{"nick_name": "晨光小铺", "license": g.picture(at)})
	g.advance(61)
	push := g.platform.wait("wxa_nickname_audit")
	if push["InfoType"] != "wxa_nickname_audit" || push["ret"] != "3" || push["appid"] != testProgram {
		t.Errorf("push %v", push)
	}
	if basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo?access_token="+at, nil); basic["nickname"] != "晨光小铺" {
		t.Errorf("basic info %v", basic)
	}
}
