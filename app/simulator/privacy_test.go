package simulator

import (
	"fmt"
	"strings"
	"testing"
)

func guideBody(change object) object {
	body := object{"owner_setting": object{"contact_email": "p@example.com", "notice_method": "弹窗", "store_expire_timestamp": "30天"},
		"setting_list": []object{{"privacy_key": "UserInfo", "privacy_text": "展示昵称 & 头像"}, {"privacy_key": "会员等级", "privacy_text": "计算折扣"}}}
	for k, v := range change {
		body[k] = v
	}
	return body
}

func TestPrivacyGuideBecomesLiveWithARelease(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	set, get := "/cgi-bin/component/setprivacysetting"+AT, "/cgi-bin/component/getprivacysetting"+AT
	if got := g.ok("POST", get, "{}"); got["code_exist"].(float64) != 0 || got["owner_setting"] != nil {
		t.Errorf("never set: %v", got)
	}
	owner := func(change object) object {
		o := object{"contact_email": "p@example.com", "notice_method": "弹窗"}
		for k, v := range change {
			o[k] = v
		}
		return guideBody(object{"owner_setting": o})
	}
	g.refuses(t, []refusal{
		{"no owner", 86069, set, object{"setting_list": []object{}}},
		{"no contact", 86069, set, owner(object{"contact_email": ""})},
		{"no notice", 86070, set, owner(object{"notice_method": ""})},
		{"storage time", 86072, set, owner(object{"store_expire_timestamp": "很久"})},
		{"file unknown", 86073, set, owner(object{"ext_file_media_id": "lost"})},
		{"no live version yet", 86074, set, object{"privacy_ver": 1, "owner_setting": object{"contact_email": "p@example.com", "notice_method": "公告"}}},
		{"version", 40097, set, guideBody(object{"privacy_ver": 3})},
	})
	g.control("settings", object{"store_expire_errcode": 87072})
	g.refused(87072, "POST", set, owner(object{"store_expire_timestamp": "很久"}))

	file := g.upload("/cgi-bin/component/uploadprivacyextfile"+AT, "file", "p.txt", []byte("我们如何使用你的信息"))
	g.ok("POST", set, guideBody(object{"owner_setting": object{"contact_email": "p@example.com", "notice_method": "弹窗", "ext_file_media_id": file["ext_file_media_id"]}}))
	g.passed(at, "1.0.0")
	if live := g.ok("POST", get, object{"privacy_ver": 1}); live["owner_setting"] != nil {
		t.Errorf("live before the release: %v", live)
	}
	g.ok("POST", "/wxa/release"+AT, "{}")
	live := g.ok("POST", get, object{"privacy_ver": 1})
	first := live["setting_list"].([]any)[0].(object)
	if live["code_exist"].(float64) != 1 || first["privacy_key"] != "UserInfo" || !strings.Contains(first["privacy_label"].(string), "昵称") {
		t.Errorf("live %v", live)
	}
	g.refused(86075, "POST", set, object{"privacy_ver": 1, "owner_setting": object{"contact_email": "p@example.com", "notice_method": "公告"}})
	g.ok("POST", set, object{"privacy_ver": 1, "owner_setting": object{"contact_email": "new@example.com", "notice_method": "公告", "ext_file_media_id": file["ext_file_media_id"]}})
	if live := g.ok("POST", get, object{"privacy_ver": 1}); live["owner_setting"].(object)["contact_email"] != "new@example.com" {
		t.Errorf("owner %v", live["owner_setting"])
	}
}

func TestPrivacyFileIsASmallText(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	path := "/cgi-bin/component/uploadprivacyextfile?access_token=" + at
	if got := g.upload(path, "file", "p.txt", fileOfType(t, "image/png")); errcode(got) != 40005 {
		t.Errorf("a picture: %v", got)
	}
	if got := g.upload(path, "file", "p.txt", []byte(strings.Repeat("a", maxPrivacyFile+1))); errcode(got) != 40006 {
		t.Errorf("too large: %v", got)
	}
}

func TestLocationInterfaceIsAppliedForAndOpened(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	path := "/wxa/security/apply_privacy_interface" + AT
	apply := func(change object) object {
		body := object{"api_name": "wx.getLocation", "content": "推荐附近门店", "video_list": []string{"https://img.example.com/a.mp4"}}
		for k, v := range change {
			body[k] = v
		}
		return body
	}
	g.refuses(t, []refusal{
		{"nothing said", 61034, path, apply(object{"content": ""})},
		{"too long", 61034, path, apply(object{"content": strings.Repeat("长", 301)})},
		{"needs none", 61035, path, apply(object{"api_name": "wx.getlocation"})},
		{"not mp4", 61032, path, apply(object{"video_list": []string{"https://img.example.com/a.mov"}})},
		{"video not there", 61033, path, apply(object{"video_list": []string{"a.mp4"}})},
		{"not UTF-8", 61037, path, "{\"api_name\":\"wx.getLocation\",\"content\":\"\xff\xfe\"}"},
	})
	status := func() float64 {
		for _, one := range g.ok("GET", "/wxa/security/get_privacy_interface"+AT, nil)["interface_list"].([]any) {
			if i := one.(object); i["api_name"] == "wx.getLocation" {
				return i["status"].(float64)
			}
		}
		return 0
	}
	if status() != 1 {
		t.Errorf("status %v before", status())
	}
	asked := g.ok("POST", path, apply(nil))
	g.refused(61031, "POST", path, apply(nil))
	g.decide("privacy_interface", "用途不清")
	if push := g.platform.wait("wxa_privacy_apply"); push["status"] != "2" || push["api_name"] != "wx.getLocation" || push["audit_id"] != fmt.Sprintf("%.0f", asked["audit_id"]) {
		t.Errorf("push %v", push)
	}
	if status() != 4 {
		t.Errorf("status %v after the rejection", status())
	}
	g.ok("POST", path, apply(nil))
	g.decide("privacy_interface", "")
	if push := g.platform.wait("wxa_privacy_apply"); push["status"] != "3" {
		t.Errorf("push %v", push)
	}
	if status() != 5 {
		t.Errorf("status %v after the approval", status())
	}
	g.refused(61035, "POST", path, apply(nil))
	g.ok("POST", "/wxa/commit"+AT, object{"template_id": 1, "ext_json": `{"requiredPrivateInfos":["getLocation"]}`, "user_version": "2", "user_desc": "d"})
	g.control("miniprograms", object{"appid": testProgram, "categories": []object{}})
	g.refused(61036, "POST", path, apply(object{"api_name": "wx.choosePoi"}))
}
