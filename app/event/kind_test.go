package event

import (
	"fmt"
	"strings"
	"testing"

	"minifleet/app/wechat"
)

func TestEveryKnownPushHasItsWords(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range PushKinds() {
		if k.Title == "" || k.Group == "" || seen[k.Type] {
			t.Errorf("%+v", k)
		}
		seen[k.Type] = true
	}
	for typ, want := range map[string]string{"weapp_audit_fail": "代码审核驳回", "message.text": "文本消息", "message.voice": "用户消息", "release_check.text": "全网发布检测", "market.installation.failed": "模板安装", "new_event": "new_event"} {
		if got := TitleOf(typ); got != want {
			t.Errorf("%s: %s, want %s", typ, got, want)
		}
	}
	for _, k := range ForwardableKinds() {
		if k.Type == "component_verify_ticket" || strings.HasPrefix(k.Type, "release_check") {
			t.Errorf("%s may be forwarded", k.Type)
		}
	}
}

func TestSummariesTellTheOutcomeAndNoPerson(t *testing.T) {
	ticket := func(typ, fields string) wechat.Push {
		p, err := wechat.ParsePush(wechat.TicketURL, fmt.Appendf(nil, "<xml><AppId>wx1</AppId><CreateTime>1</CreateTime><InfoType>%s</InfoType>%s</xml>", typ, fields))
		must(t, err)
		return p
	}
	message := func(typ, fields string) wechat.Push {
		p, err := wechat.ParsePush(wechat.MessageURL, fmt.Appendf(nil, "<xml><ToUserName>gh</ToUserName><FromUserName>o</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>%s</Event>%s</xml>", typ, fields))
		must(t, err)
		return p
	}
	for _, c := range []struct {
		push wechat.Push
		want Summary
	}{
		{ticket("notify_third_fasteregister", "<appid>wxn</appid><status>0</status><auth_code>queryauthcode@@@x</auth_code><msg>OK</msg><info><name>示例贸易有限公司</name><legal_persona_name>张三</legal_persona_name></info>"), Summary{"示例贸易有限公司 成功", Good}},
		{ticket("notify_third_fasteregister", "<status>1000</status><msg>real name check failed</msg>"), Summary{"失败 (1000) real name check failed", Bad}},
		{ticket("notify_third_fastverifybetaapp", "<appid>wxn</appid><status>89252</status>"), Summary{"等待确认", Neutral}},
		{ticket("notify_3rd_wxa_auth", "<appid>wxn</appid><task_status>12</task_status><apply_status>3</apply_status><message>材料不清晰</message>"), Summary{"认证被打回，需要补充资料：材料不清晰", Bad}},
		{ticket("notify_3rd_wxa_auth", "<appid>wxn</appid><task_status>6</task_status>"), Summary{"任务状态 6", Neutral}},
		{ticket("notify_3rd_wxa_wxverify", "<appid>wxn</appid><expired>1795353000</expired><message>请尽快年审</message>"), Summary{"到期 2026-11-22，请尽快年审", Bad}},
		{ticket("notify_3rd_wxa_auth_and_icp", "<procedure_id>p</procedure_id><procedure_status>25</procedure_status>"), Summary{"备案被管局驳回", Bad}},
		{ticket("notify_icpfiling_verify_result", "<task_id>t</task_id><verify_appid>wxn</verify_appid><result>3</result>"), Summary{"通过", Good}},
		{ticket("notify_apply_icpfiling_result", "<authorizer_appid>wxn</authorizer_appid><beian_status>6</beian_status>"), Summary{"备案状态 6", Neutral}},
		{message("wxa_nickname_audit", "<ret>2</ret><nickname>晨光</nickname><reason>重名</reason>"), Summary{"晨光 未通过：重名", Bad}},
		{message("wxa_category_audit", "<ret>3</ret><first>1</first><second>2</second>"), Summary{"类目 1/2 通过", Good}},
		{message("wxa_privacy_apply", "<result_info><api_name>wx.getLocation</api_name><status>2</status><reason>场景不符</reason></result_info>"), Summary{"wx.getLocation 未通过：场景不符", Bad}},
		{message("weapp_audit_fail", "<Reason><![CDATA[1:示例<br>2:再来]]></Reason>"), Summary{"1:示例 2:再来", Bad}},
		{message("wxa_illegal_record", "<illegal_reason>诱导分享</illegal_reason><rule_name>3.2</rule_name>"), Summary{"3.2：诱导分享", Bad}},
		{message("wxa_appeal_record", "<appeal_status>2</appeal_status>"), Summary{"申诉通过", Good}},
		{message("never_seen", "<x>1</x>"), Summary{}},
	} {
		if got := Summarize(c.push); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.push.Type(), got, c.want)
		}
	}
}
