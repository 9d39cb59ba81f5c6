package event

import (
	"strings"
	"testing"
)

func TestMaskHidesWhatNobodyMaySee(t *testing.T) {
	for name, c := range map[string]struct {
		payload string
		gone    []string
		kept    []string
	}{
		"ticket": {
			`<xml><AppId>wx01</AppId><InfoType>component_verify_ticket</InfoType><ComponentVerifyTicket><![CDATA[ticket@@@very-secret]]></ComponentVerifyTicket></xml>`,
			[]string{"very-secret"}, []string{"wx01", "component_verify_ticket", hidden},
		},
		"ticket split over CDATA sections": {
			`<xml><ComponentVerifyTicket><![CDATA[ticket@@@very]]><![CDATA[-secret]]></ComponentVerifyTicket></xml>`,
			[]string{"very", "-secret"}, nil,
		},
		"codes": {
			`<xml><AuthorizationCode>queryauthcode@@@abc</AuthorizationCode><PreAuthCode>preauthcode@@@def</PreAuthCode><auth_code>ghi</auth_code><x>queryauthcode@@@jkl</x></xml>`,
			[]string{"@abc", "@def", "ghi", "@jkl"}, []string{"queryauthcode@@@" + hidden},
		},
		"people": {
			`<xml><info><name>示例贸易有限公司</name><legal_persona_name>张三丰</legal_persona_name><component_phone>13000001234</component_phone></info><msg>请联系13912345678。</msg></xml>`,
			[]string{"贸易", "三丰", "13000001234", "13912345678"}, []string{"张**", "130****1234", "139****5678"},
		},
		"user message": {
			`<xml><FromUserName>o9AgO5Kd5ggOC</FromUserName><Content>我的密码</Content><ToUserName>gh_1</ToUserName></xml>`,
			[]string{"AgO5", "密码"}, []string{"gh_1"},
		},
		"audit": {`<xml><Reason><![CDATA[1:原因<br>2]]></Reason></xml>`, nil, []string{"1:原因<br>2"}},
		"json": {
			`{"access_token":"abc123","list":[{"phone":"13000001234","id":9007199254740993}],"n":13000001234}`,
			[]string{"abc123", "13000001234"}, []string{"9007199254740993", "130****1234"},
		},
		"neither": {"secret bytes", []string{"secret"}, []string{hidden}},
		"doctype": {`<!DOCTYPE x><xml>secret</xml>`, []string{"secret"}, []string{hidden}},
	} {
		got := Mask([]byte(c.payload))
		for _, s := range c.gone {
			if strings.Contains(got, s) {
				t.Errorf("%s: %q is still there:\n%s", name, s, got)
			}
		}
		for _, s := range c.kept {
			if !strings.Contains(got, s) {
				t.Errorf("%s: %q is missing:\n%s", name, s, got)
			}
		}
	}
	if Mask(nil) != "" {
		t.Error("an empty payload shows something")
	}
}
