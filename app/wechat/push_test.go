package wechat

import (
	"reflect"
	"strings"
	"testing"
)

func TestPushesAreReadByTheURLTheyCameOn(t *testing.T) {
	const audit = `<xml><ToUserName><![CDATA[gh_demo]]></ToUserName><FromUserName><![CDATA[oSys]]></FromUserName><CreateTime>1760000300</CreateTime>
<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[weapp_audit_fail]]></Event><Reason><![CDATA[1:示例原因<br>]]></Reason>
<FailTime>1760000299</FailTime><ScreenShot>mediaA|mediaB</ScreenShot></xml>`
	p, err := ParsePush(MessageURL, []byte(audit))
	if err != nil {
		t.Fatal(err)
	}
	r, ok := p.AuditResult()
	want := AuditResult{Status: AuditRejected, At: 1760000299, Reason: "1:示例原因<br>", Screenshots: []string{"mediaA", "mediaB"}}
	if !ok || !reflect.DeepEqual(r, want) || p.Type() != AuditFail || p.ToUserName != "gh_demo" || p.CreateTime != 1760000300 {
		t.Errorf("%+v %+v", p, r)
	}
	if _, err := ParsePush(TicketURL, []byte(audit)); ReasonOf(err) != ReasonXML {
		t.Errorf("a message on the ticket URL: %v", err)
	}

	const grant = `<xml><AppId>wx0123456789abcdef</AppId><CreateTime>1760000100</CreateTime><InfoType>authorized</InfoType>
<AuthorizerAppid>wxaaaa1111bbbb2222</AuthorizerAppid><AuthorizationCode>queryauthcode@@@demo</AuthorizationCode>
<AuthorizationCodeExpiredTime>1760003700</AuthorizationCodeExpiredTime><PreAuthCode>preauthcode@@@demo</PreAuthCode></xml>`
	p, err = ParsePush(TicketURL, []byte(grant))
	if err != nil {
		t.Fatal(err)
	}
	a, ok := p.Authorization()
	if !ok || a != (Authorization{"wxaaaa1111bbbb2222", "queryauthcode@@@demo", 1760003700, "preauthcode@@@demo"}) || p.AppID != ownAppID || p.Type() != Authorized {
		t.Errorf("%+v %+v", p, a)
	}
	if _, ok := p.AuditResult(); ok || p.Ticket() != "" {
		t.Error("an authorisation passes for another push")
	}
	if _, err := ParsePush(MessageURL, []byte(grant)); ReasonOf(err) != ReasonXML {
		t.Errorf("an InfoType on the message URL: %v", err)
	}
}

// Certification and names come as InfoType or as Event, on either URL.
func TestWhatTheDocumentsDisagreeAboutIsTakenOnBothURLs(t *testing.T) {
	for kind, docs := range map[string][]string{
		TicketURL:  {`<xml><AppId>wx1</AppId><CreateTime>1</CreateTime><InfoType>betaapp_verify_event</InfoType></xml>`, `<xml><ToUserName>gh_1</ToUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>betaapp_verify_event</Event></xml>`},
		MessageURL: {`<xml><AppId>wx1</AppId><CreateTime>1</CreateTime><InfoType>betaapp_verify_event</InfoType></xml>`, `<xml><ToUserName>gh_1</ToUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>betaapp_verify_event</Event></xml>`},
	} {
		for _, doc := range docs {
			if p, err := ParsePush(kind, []byte(doc)); err != nil || p.Type() != "betaapp_verify_event" {
				t.Errorf("%s: %s: %+v %v", kind, doc, p, err)
			}
		}
	}
	for kind, doc := range map[string]string{TicketURL: `<xml><Event></Event></xml>`, MessageURL: `<xml><InfoType>component_verify_ticket</InfoType></xml>`} {
		if p, err := ParsePush(kind, []byte(doc)); ReasonOf(err) != ReasonXML {
			t.Errorf("%s: %s: %+v %v", kind, doc, p, err)
		}
	}
}

func TestTicketPush(t *testing.T) {
	msg, err := crypter(t, ownAppID, ownToken, ownKey).Decrypt(cipherV1)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParsePush(TicketURL, msg)
	if err != nil || p.Ticket() != "ticket@@@demoTicketValue001" || p.CreateTime != 1760000000 {
		t.Errorf("%+v %v", p, err)
	}
}

func TestUnknownPushesAreKept(t *testing.T) {
	doc := `<xml><AppId>wx1</AppId><appid>wx2</appid><CreateTime>1</CreateTime><InfoType>something_new</InfoType>
<info><name>张三</name></info><list><appid>wxa</appid></list><list><appid>wxb</appid></list><g><x>1</x><x>2</x></g><empty/></xml>`
	p, err := ParsePush(TicketURL, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"AppId": "wx1", "appid": "wx2", "info.name": "张三", "list.appid": "wxa",
		"list[1].appid": "wxb", "g.x": "1", "g.x[1]": "2", "empty": ""} {
		if got, ok := p.Fields[path]; !ok || got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	text, err := ParsePush(MessageURL, []byte(`<xml><ToUserName>gh</ToUserName><MsgType>text</MsgType><Content>hi</Content></xml>`))
	if err != nil || text.Type() != "message.text" {
		t.Errorf("%+v %v", text, err)
	}
}

func TestForgedPushesAreRefused(t *testing.T) {
	for name, doc := range map[string]string{
		"doubled leaf":     `<xml><InfoType>a</InfoType><InfoType>b</InfoType></xml>`,
		"no type":          `<xml><AppId>a</AppId></xml>`,
		"type with blanks": `<xml><InfoType>a b</InfoType></xml>`,
		"long type":        `<xml><InfoType>` + strings.Repeat("a", 57) + `</InfoType></xml>`,
		"no time":          `<xml><InfoType>a</InfoType><CreateTime>soon</CreateTime></xml>`,
		"negative time":    `<xml><InfoType>a</InfoType><CreateTime>-1</CreateTime></xml>`,
		"other root":       `<a><InfoType>a</InfoType></a>`,
	} {
		if _, err := ParsePush(TicketURL, []byte(doc)); ReasonOf(err) != ReasonXML {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParsePush("other", []byte(`<xml><InfoType>a</InfoType></xml>`)); err == nil {
		t.Error("unknown kind of URL")
	}
}

func FuzzPush(f *testing.F) {
	f.Add([]byte(`<xml><InfoType>authorized</InfoType><AuthorizerAppid>wx</AuthorizerAppid></xml>`))
	f.Add([]byte(`<xml><MsgType>event</MsgType><Event>weapp_audit_fail</Event><ScreenShot>a|b</ScreenShot></xml>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, kind := range []string{TicketURL, MessageURL} {
			p, err := ParsePush(kind, doc)
			if err != nil {
				continue
			}
			if n := len(p.Type()); n == 0 || n > 64 {
				t.Errorf("type %q does not fit its column", p.Type())
			}
			p.AuditResult()
			p.Authorization()
		}
	})
}
