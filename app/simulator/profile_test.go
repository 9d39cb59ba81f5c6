package simulator

import (
	"strings"
	"testing"
)

func TestAvatarAndIntroHaveMonthlyLimits(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	_, at := g.ready()
	AT := "?access_token=" + at
	g.control("settings", object{"profile_edits": 1})
	head := func(id string) object {
		return object{"head_img_media_id": id, "x1": 0, "y1": 0, "x2": 1, "y2": 1}
	}
	id := g.picture(at)
	wrong := head(id)
	wrong["x2"] = 1.5
	g.refuses(t, []refusal{
		{"no media", 41006, "/cgi-bin/account/modifyheadimage" + AT, object{"x2": 1, "y2": 1}},
		{"media unknown", 46001, "/cgi-bin/account/modifyheadimage" + AT, head("lost")},
		{"crop outside", 40097, "/cgi-bin/account/modifyheadimage" + AT, wrong},
		{"intro short", 53204, "/cgi-bin/account/modifysignature" + AT, object{"signature": "短"}},
		{"intro long", 53204, "/cgi-bin/account/modifysignature" + AT, object{"signature": strings.Repeat("长", 121)}},
		{"intro forbidden", 53201, "/cgi-bin/account/modifysignature" + AT, object{"signature": "这里有违禁内容"}},
	})
	g.ok("POST", "/cgi-bin/account/modifyheadimage"+AT, head(id))
	g.refused(53202, "POST", "/cgi-bin/account/modifyheadimage"+AT, head(id))
	g.ok("POST", "/cgi-bin/account/modifysignature"+AT, object{"signature": "卖文具 & 做陪伴"})
	g.refused(53200, "POST", "/cgi-bin/account/modifysignature"+AT, object{"signature": "再改一次简介"})
	basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo"+AT, nil)
	for _, part := range []string{"head_image_info", "signature_info"} {
		if info := basic[part].(object); info["modify_used_count"].(float64) != 1 || info["modify_quota"].(float64) != 1 {
			t.Errorf("%s %v", part, info)
		}
	}
	g.advance(32 * 24 * 3600)
	g.refused(40007, "POST", "/cgi-bin/account/modifyheadimage"+AT, head(id)) // three days are over
	g.ok("POST", "/cgi-bin/account/modifyheadimage"+AT, head(g.picture(at)))
	g.ok("POST", "/cgi-bin/account/modifysignature"+AT, object{"signature": "新的一个月"})
}

func TestSearchSwitchOffBlocksTheSubmit(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	g.refused(85084, "POST", "/wxa/changewxasearchstatus"+AT, object{"status": 2})
	g.ok("POST", "/wxa/changewxasearchstatus"+AT, object{"status": 1})
	if got := g.ok("GET", "/wxa/getwxasearchstatus"+AT, nil); got["status"].(float64) != 1 {
		t.Errorf("status %v", got)
	}
	g.ok("POST", "/wxa/commit"+AT, commitBody("1"))
	g.advance(11)
	g.refused(85091, "POST", "/wxa/submit_audit"+AT, submitBody())
	g.ok("POST", "/wxa/changewxasearchstatus"+AT, object{"status": 0})
	g.ok("POST", "/wxa/submit_audit"+AT, submitBody())
}

func TestOnlyAnOfficialAccountOfTheSameSubjectIsShown(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	own, other := "wx00000000000000b1", "wx00000000000000b2"
	g.program(own, object{"official": true})
	g.program(other, object{"official": true, "principal_name": "另一家公司"})
	if got := g.ok("GET", "/wxa/getwxamplinkforshow"+AT+"&page=0&num=20", nil); got["total_num"].(float64) != 1 {
		t.Errorf("candidates %v", got)
	}
	g.refused(40013, "POST", "/wxa/updateshowwxaitem"+AT, object{"wxa_subscribe_biz_flag": 1, "appid": other})
	g.ok("POST", "/wxa/updateshowwxaitem"+AT, object{"wxa_subscribe_biz_flag": 1, "appid": own})
	if got := g.ok("GET", "/wxa/getshowwxaitem"+AT, nil); got["is_open"].(float64) != 1 || got["appid"] != own {
		t.Errorf("item %v", got)
	}
	g.ok("POST", "/wxa/updateshowwxaitem"+AT, object{"wxa_subscribe_biz_flag": 0})
	if got := g.ok("GET", "/wxa/getshowwxaitem"+AT, nil); got["is_open"].(float64) != 0 || got["can_open"].(float64) != 1 {
		t.Errorf("item %v", got)
	}
}

func TestPrefetchSettingIsKeptByHalves(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	path := "/wxa/fetchdatasetting?access_token=" + at
	g.refuses(t, []refusal{{"action", 9410013, path, object{"action": "x"}}, {"url missing", 40097, path, object{"action": "set_pre_fetch", "is_pre_fetch_open": true, "pre_fetch_type": 0}}})
	g.ok("POST", path, object{"action": "set_pre_fetch", "is_pre_fetch_open": true, "pre_fetch_type": 0, "pre_fetch_url": "https://api.example.com/p"})
	g.ok("POST", path, object{"action": "set_period_fetch", "is_period_fetch_open": true, "period_fetch_type": 1, "period_env": "e", "period_function_name": "f"})
	got := g.ok("POST", path, object{"action": "get"})
	if got["pre_fetch_url"] != "https://api.example.com/p" || got["period_function_name"] != "f" {
		t.Errorf("setting %v", got)
	}
}

func TestTasksOfAnotherMiniProgramRebindNobody(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.refused(85060, "POST", "/cgi-bin/account/componentrebindadmin?access_token="+at, object{"taskid": "x"})
}
