package inbox

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"minifleet/app/component"
	"minifleet/app/wechat"
)

func textTo(user, content string) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[oTester]]></FromUserName><CreateTime>1760000000</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>1</MsgId></xml>", user, content)
}

// opened reads a passive reply as WeChat does.
func opened(t *testing.T, body, token, key string) string {
	t.Helper()
	var r struct{ Encrypt, MsgSignature, TimeStamp, Nonce string }
	if err := xml.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	c, err := wechat.NewCrypter(testComponent, []string{token}, []string{key})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(wechat.Signed{Timestamp: r.TimeStamp, Nonce: r.Nonce, MsgSignature: r.MsgSignature}, r.Encrypt); err != nil {
		t.Fatal(err)
	}
	msg, err := c.Decrypt(r.Encrypt)
	if err != nil {
		t.Fatal(err)
	}
	return string(msg)
}

func TestReleaseChecksAreAnsweredAtOnceForTheTestAccountsAlone(t *testing.T) {
	f := newFixture(t)
	for _, a := range component.ReleaseAccounts() {
		path := "/wechat/" + testComponent + "/message/" + a.AppID
		w := f.do(push{path: path, msg: textTo(a.UserName, "TESTCOMPONENT_MSG_TYPE_TEXT"), nonce: a.AppID}.request(t))
		if a.MiniProgram {
			if w.Code != 200 || w.Body.String() != "success" {
				t.Errorf("%s: %d %q", a.AppID, w.Code, w.Body)
			}
		} else if msg := opened(t, w.Body.String(), testToken, testKey); !strings.Contains(msg, "<Content><![CDATA[TESTCOMPONENT_MSG_TYPE_TEXT_callback]]></Content>") ||
			!strings.Contains(msg, "<ToUserName><![CDATA[oTester]]></ToUserName><FromUserName><![CDATA["+a.UserName+"]]></FromUserName>") {
			t.Errorf("%s: %s", a.AppID, msg)
		}
		if w := f.do(push{path: path, msg: textTo(a.UserName, "QUERY_AUTH_CODE:code@@@1")}.request(t)); w.Code != 200 || w.Body.String() != "" {
			t.Errorf("%s: QUERY_AUTH_CODE: %d %q", a.AppID, w.Code, w.Body)
		}
		if e := f.events[len(f.events)-1]; e.Type != "release_check.text" || e.Inert || e.AppID != a.AppID {
			t.Errorf("%s is filed as %+v", a.AppID, e)
		}
		// Its authorisation is no customer's.
		f.do(push{msg: fmt.Sprintf("<xml><AppId>%s</AppId><CreateTime>1</CreateTime><InfoType>authorized</InfoType><AuthorizerAppid>%s</AuthorizerAppid><AuthorizationCode>c</AuthorizationCode></xml>", testComponent, a.AppID)}.request(t))
		if e := f.events[len(f.events)-1]; e.Type != "release_check.authorized" {
			t.Errorf("%s: authorised as %s", a.AppID, e.Type)
		}
		// The path is not signed: another account's message under this path is nobody's.
		if w := f.do(push{path: path, msg: textTo("gh_mini", "QUERY_AUTH_CODE:x")}.request(t)); w.Body.String() != "success" {
			t.Errorf("%s: answered for gh_mini: %q", a.AppID, w.Body)
		}
		if e := f.events[len(f.events)-1]; !e.Inert || e.Type != "message.text" {
			t.Errorf("%s: a foreign message is %+v", a.AppID, e)
		}
	}
	for _, content := range []string{"TESTCOMPONENT_MSG_TYPE_TEXT", "QUERY_AUTH_CODE:x"} {
		if w := f.do(push{path: "/wechat/" + testComponent + "/message/wxmini", msg: textTo("gh_mini", content)}.request(t)); w.Body.String() != "success" {
			t.Errorf("a customer's mini program was answered %q", w.Body)
		}
	}
}

func TestDuringARotationTheAnswerUsesThePairOfThePush(t *testing.T) {
	f := newFixture(t)
	used := make(chan string, 10)
	f.h.opts.PreviousUsed = func(_ context.Context, id string) error { used <- id; return nil }
	f.keys[testComponent] = component.Keys{Tokens: []string{"new_token", testToken}, AESKeys: []string{otherKey, testKey}}
	a := component.ReleaseAccounts()[0]
	for name, pair := range map[string][2]string{"new": {"new_token", otherKey}, "previous": {testToken, testKey}, "new token, previous key": {"new_token", testKey}, "previous token, new key": {testToken, otherKey}} {
		w := f.do(push{path: "/wechat/" + testComponent + "/message/" + a.AppID, msg: textTo(a.UserName, "TESTCOMPONENT_MSG_TYPE_TEXT"), token: pair[0], key: pair[1]}.request(t))
		if w.Code != 200 || !strings.Contains(opened(t, w.Body.String(), pair[0], pair[1]), "_callback") {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	select {
	case id := <-used:
		if id != testComponent {
			t.Error(id)
		}
	case <-time.After(30 * time.Second):
		t.Error("the use of the previous keys was not noted")
	}
	if len(used) > 0 {
		t.Error("noted more than once a minute")
	}
}

// An AES key that another replica has put in front is seen at once, although the token, and with it the signature, is the same.
func TestANewAESKeyUnderTheSameTokenIsSeenAtOnce(t *testing.T) {
	f := newFixture(t)
	if w := f.do(push{}.request(t)); w.Code != 200 {
		t.Fatal(w.Code)
	}
	f.keys[testComponent] = component.Keys{Tokens: []string{testToken}, AESKeys: []string{otherKey, testKey}}
	f.wall.Advance(5 * time.Second)
	if w := f.do(push{key: otherKey}.request(t)); w.Code != 200 {
		t.Errorf("%d under the new key", w.Code)
	}
	if e := f.events[len(f.events)-1]; !strings.Contains(string(e.Raw), "msg_signature=") || !strings.Contains(string(e.Raw), "\n") {
		t.Errorf("raw %q", e.Raw)
	}
}
