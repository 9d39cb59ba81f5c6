package component_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// releaseWeChat knows codes of test accounts and takes customer-service messages.
type releaseWeChat struct {
	mu    sync.Mutex
	codes map[string]string // code → appid, used once
	sent  []string          // token, receiver, text
	busy  int               // so many messages are refused first
}

func (u *releaseWeChat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var in struct {
		Code    string `json:"authorization_code"`
		To      string `json:"touser"`
		Type    string `json:"msgtype"`
		Content struct {
			Content string `json:"content"`
		} `json:"text"`
	}
	_ = json.Unmarshal(body, &in)
	switch r.URL.Path {
	case "/cgi-bin/component/api_component_token":
		_, _ = io.WriteString(w, `{"component_access_token":"CT","expires_in":7200}`)
	case "/cgi-bin/component/api_query_auth":
		appid := u.codes[in.Code]
		delete(u.codes, in.Code)
		if appid == "" || r.URL.Query().Get("access_token") != "CT" {
			_, _ = io.WriteString(w, `{"errcode":61009,"errmsg":"code is invalid rid: 1-2-3"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"authorization_info":{"authorizer_appid":%q,"authorizer_access_token":"AT-%s","expires_in":7200,"authorizer_refresh_token":"RT","func_info":[]}}`, appid, appid)
	case "/cgi-bin/message/custom/send":
		if u.busy > 0 {
			u.busy--
			_, _ = io.WriteString(w, `{"errcode":-1,"errmsg":"system error rid: 1-2-3"}`)
			return
		}
		u.sent = append(u.sent, r.URL.Query().Get("access_token")+" "+in.To+" "+in.Type+" "+in.Content.Content)
		_, _ = io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
	default:
		http.NotFound(w, r)
	}
}

func message(t *testing.T, to, content string) wechat.Push {
	t.Helper()
	p, err := wechat.ParsePush(wechat.MessageURL, fmt.Appendf(nil, "<xml><ToUserName>%s</ToUserName><FromUserName>oTester</FromUserName><CreateTime>1760000000</CreateTime><MsgType>text</MsgType><Content>%s</Content><MsgId>1</MsgId></xml>", to, content))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReleaseChecksOfAllTenTestAccountsAndOfNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		u := &releaseWeChat{codes: map[string]string{}}
		srv := httptest.NewServer(u)
		defer srv.Close()
		vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
		if err != nil {
			t.Fatal(err)
		}
		clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
		s := component.New(db, vault, clk, trail.New(db, clk), &wechat.Client{BaseURL: srv.URL}, "https://mf.example.test")
		bound(t, s, clk)
		ctx := t.Context()
		if n := len(component.ReleaseAccounts()); n != 10 {
			t.Fatalf("%d test accounts", n)
		}
		for _, a := range component.ReleaseAccounts() {
			text, answered := component.ReleaseReply(a.AppID, message(t, a.UserName, "TESTCOMPONENT_MSG_TYPE_TEXT"))
			if want := !a.MiniProgram; answered != want || want && text != "TESTCOMPONENT_MSG_TYPE_TEXT_callback" {
				t.Errorf("%s: text answered %q %v", a.AppID, text, answered)
			}
			code := "queryauthcode@@@" + a.AppID
			u.codes[code] = a.AppID
			ask := message(t, a.UserName, "QUERY_AUTH_CODE:"+code)
			if text, answered := component.ReleaseReply(a.AppID, ask); !answered || text != "" {
				t.Errorf("%s: QUERY_AUTH_CODE answered %q %v", a.AppID, text, answered)
			}
			u.busy = 2 // two refusals are survived: the token stands for this one message
			if err := s.AnswerReleaseCheck(ctx, appid, a.AppID, ask, 1_760_000_000_000); err != nil {
				t.Errorf("%s: %v", a.AppID, err)
			}
			if want := "AT-" + a.AppID + " oTester text " + code + "_from_api"; len(u.sent) == 0 || u.sent[len(u.sent)-1] != want {
				t.Errorf("%s: sent %q, want %q", a.AppID, u.sent, want)
			}
			// Repeated after a crash, the code is used up: no error, or the event log would try for ever.
			if err := s.AnswerReleaseCheck(ctx, appid, a.AppID, ask, 1_760_000_000_000); err != nil {
				t.Errorf("%s, again: %v", a.AppID, err)
			}
			// Another account's user name under this appid is nobody's.
			if _, answered := component.ReleaseReply(a.AppID, message(t, "gh_other", "QUERY_AUTH_CODE:x")); answered {
				t.Errorf("%s: answered under a foreign user name", a.AppID)
			}
		}
		if _, answered := component.ReleaseReply("wxaaaa1111bbbb2222", message(t, "gh_shop", "QUERY_AUTH_CODE:x")); answered {
			t.Error("a customer's mini program was answered")
		}
		if err := s.AnswerReleaseCheck(ctx, appid, "wxaaaa1111bbbb2222", message(t, "gh_shop", "QUERY_AUTH_CODE:x"), 1); err == nil {
			t.Error("a customer's mini program was answered by message")
		}
		if len(u.sent) != 10 {
			t.Errorf("%d messages", len(u.sent))
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM mini_program"); err != nil || n != 0 {
			t.Errorf("%d mini programs came of the checks %v", n, err)
		}
	})
}

func TestTheReleaseChecklistFollowsTheChecks(t *testing.T) {
	db := storetest.Open(t)
	u := &releaseWeChat{codes: map[string]string{"c1": "wx570bc396a51b8ff8"}}
	srv := httptest.NewServer(u)
	defer srv.Close()
	vault, err := secret.OpenFile(filepath.Join(t.TempDir(), "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
	s := component.New(db, vault, clk, trail.New(db, clk), &wechat.Client{BaseURL: srv.URL}, "https://mf.example.test")
	bound(t, s, clk)
	states := func() string {
		t.Helper()
		list, err := s.ReleaseChecks(t.Context(), merchant(7), appid)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, c := range list {
			out = append(out, c.Name+"="+c.State)
		}
		return strings.Join(out, " ")
	}
	if got := states(); got != "ticket=ok text.official=wait auth_code.official=wait auth_code.miniprogram=wait event.official=wait" {
		t.Fatal(got)
	}
	for _, step := range []struct{ appid, user, content string }{
		{"wx570bc396a51b8ff8", "gh_3c884a361561", "TESTCOMPONENT_MSG_TYPE_TEXT"}, {"wx570bc396a51b8ff8", "gh_3c884a361561", "QUERY_AUTH_CODE:c1"},
		{"wxd101a85aa106f53e", "gh_8dad206e9538", "QUERY_AUTH_CODE:unknown"},
	} {
		if err := s.AnswerReleaseCheck(t.Context(), appid, step.appid, message(t, step.user, step.content), clk.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	if got := states(); got != "ticket=ok text.official=ok auth_code.official=ok auth_code.miniprogram=fail event.official=wait" {
		t.Fatal(got)
	}
	if _, err := s.ReleaseChecks(t.Context(), merchant(8), appid); err == nil {
		t.Error("another merchant reads the checklist")
	}
}
