package simulator

import (
	"fmt"
	"testing"
)

func TestPluginIsAppliedForAndItsOwnerAnswers(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.ready()
	owner := "wx00000000000000e1"
	g.program(owner, nil)
	own, _ := g.authorize(ct, owner)
	use, dev := "/wxa/plugin?access_token="+at, "/wxa/devplugin?access_token="+own
	apply := object{"action": "apply", "plugin_appid": owner, "reason": "展示地图"}
	g.refuses(t, []refusal{
		{"not found", 89239, use, object{"action": "apply", "plugin_appid": "wxnone"}},
		{"itself", 89236, use, object{"action": "apply", "plugin_appid": testProgram}},
		{"unbind what is not there", 89244, use, object{"action": "unbind", "plugin_appid": owner}},
		{"action", 40097, use, object{"action": "x"}},
		{"agree with nobody", 89242, dev, object{"action": "dev_agree", "appid": testProgram}},
		{"refuse nobody", 89240, dev, object{"action": "dev_refuse", "reason": "x"}},
		{"delete nothing", 89241, dev, object{"action": "dev_delete"}},
	})
	g.ok("POST", use, apply)
	g.refused(89237, "POST", use, apply)
	g.refused(89243, "POST", use, object{"action": "unbind", "plugin_appid": owner})
	list := g.ok("POST", dev, object{"action": "dev_apply_list", "page": 1, "num": 10})["apply_list"].([]any)
	if len(list) != 1 || list[0].(object)["appid"] != testProgram || list[0].(object)["reason"] != "展示地图" {
		t.Errorf("applications %v", list)
	}
	g.ok("POST", dev, object{"action": "dev_refuse", "reason": "信息不全"})
	g.ok("POST", dev, object{"action": "dev_delete"})
	g.ok("POST", use, apply)
	g.ok("POST", dev, object{"action": "dev_agree", "appid": testProgram})
	g.refused(89240, "POST", dev, object{"action": "dev_agree", "appid": testProgram})
	if items := g.control("reviews?kind=plugin", nil)["items"].([]any); len(items) != 0 {
		t.Errorf("the desk still shows %v", items)
	}
	g.refused(89257, "POST", use, object{"action": "update", "plugin_appid": owner})
	g.ok("POST", use, object{"action": "update", "plugin_appid": owner, "user_version": "2.0.0"})
	status := func() string {
		return fmt.Sprint(g.ok("POST", use, object{"action": "list"})["plugin_list"].([]any)[0].(object)["status"])
	}
	if status() != "2" {
		t.Errorf("status %s", status())
	}
	g.ok("POST", use, object{"action": "unbind", "plugin_appid": owner})
	g.control("settings", object{"plugin_limit": 0})
	g.refused(89238, "POST", use, apply)
	g.control("settings", object{"plugin_limit": 5})
	g.ok("POST", use, apply)
	g.decide("plugin", "")
	if status() != "2" {
		t.Errorf("status %s after the desk agreed", status())
	}
}

func TestViolationIsToldAppealedAndAnswered(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	_, at := g.ready()
	AT := "?access_token=" + at
	v := g.control("violations", object{"appid": testProgram, "reason": "诱导分享", "content": "首页弹窗", "rule_name": "运营规范 5.2", "punish": "限制搜索 7 天"})
	if push := g.platform.wait("wxa_illegal_record"); push["illegal_record_id"] != v["illegal_record_id"] || push["illegal_reason"] != "诱导分享" {
		t.Errorf("push %v", push)
	}
	records := g.ok("POST", "/wxa/getillegalrecords"+AT, "{}")["records"].([]any)
	if len(records) != 1 || records[0].(object)["rule_name"] != "运营规范 5.2" {
		t.Errorf("records %v", records)
	}
	path := fmt.Sprint("violations/", v["illegal_record_id"])
	g.control(path, object{"reason": "已下线"})
	if push := g.platform.wait("wxa_appeal_record"); push["appeal_status"] != "1" {
		t.Errorf("push %v", push)
	}
	g.controlRefused(409, "id", "POST", path, object{"reason": "再次申诉"})
	g.decide("appeal", "材料不足")
	if push := g.platform.wait("wxa_appeal_record"); push["appeal_status"] != "3" || push["audit_reason"] != "材料不足" {
		t.Errorf("push %v", push)
	}
	g.control(path, object{"reason": "补充材料", "agent": true})
	g.decide("appeal", "")
	appeals := g.ok("POST", "/wxa/getappealrecords"+AT, object{"illegal_record_id": v["illegal_record_id"]})["records"].([]any)
	last := appeals[1].(object)
	if len(appeals) != 2 || last["appeal_status"].(float64) != 2 || last["appeal_count"].(float64) != 2 || last["appeal_from"].(float64) != 1 {
		t.Errorf("appeals %v", appeals)
	}
	g.advance(91 * 24 * 3600)
	if got := g.ok("POST", "/wxa/getillegalrecords"+AT, "{}")["records"].([]any); len(got) != 0 {
		t.Errorf("records of the last 90 days %v", got)
	}
	g.controlRefused(404, "appid", "POST", "violations", object{"appid": "wxnone", "reason": "x"})
	g.controlRefused(400, "reason", "POST", "violations", object{"appid": testProgram})
}
