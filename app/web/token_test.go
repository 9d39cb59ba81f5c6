package web

import (
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/trail"
)

// apiToken makes a token with the scopes by REST and gives its secret and id.
func (h *house) apiToken(session string, scopes ...string) (secret, id string) {
	h.t.Helper()
	a := h.as(session, "POST", "/api/v1/tokens", `{"name":"CI","scopes":["`+strings.Join(scopes, `","`)+`"],"days":30}`)
	made := a.json(h.t)
	secret, _ = made["secret"].(string)
	id, _ = made["id"].(string)
	if a.status != 201 || secret == "" || id == "" || a.header.Get("Cache-Control") != "no-store" {
		h.t.Fatalf("create token: %d %s", a.status, a.text)
	}
	return secret, id
}

func TestAnAPITokenIsMadeListedUsedAndRevoked(t *testing.T) {
	h := newHouse(t)
	session, _ := h.person(account.Merchant, "m@example.test")
	secret, id := h.apiToken(session, "component.read", "component.bind")
	if a := h.as(secret, "POST", "/api/v1/components", bindBody); a.status != 201 {
		t.Fatalf("bind by token: %d %s", a.status, a.text)
	}
	if text := h.as(session, "GET", "/api/v1/trail?act=component.bind", "").text; !strings.Contains(text, `"via":"token"`) || !strings.Contains(text, `"via_name":"CI"`) {
		t.Errorf("the trail does not name the token: %s", text)
	}
	list := h.as(session, "GET", "/api/v1/tokens", "")
	if strings.Contains(list.text, secret) || strings.Contains(list.text, "token_hash") || !strings.Contains(list.text, `"last_ip":"127.0.0.1"`) {
		t.Errorf("list: %s", list.text)
	}
	if a := h.as(session, "DELETE", "/api/v1/tokens/"+id, ""); a.status != 200 {
		t.Errorf("revoke: %d %s", a.status, a.text)
	}
	if a := h.as(secret, "GET", "/api/v1/components", ""); a.status != 401 || a.code() != "token_invalid" {
		t.Errorf("after revoking: %d %s", a.status, a.text)
	}
	for _, act := range []string{"token.create", "token.revoke"} {
		if n := len(h.as(session, "GET", "/api/v1/trail?act="+act, "").json(t)["items"].([]any)); n != 1 {
			t.Errorf("%d entries of %s", n, act)
		}
	}
}

func TestATokenStaysWithinItsScopesAndNeverTouchesTheAccount(t *testing.T) {
	h := newHouse(t)
	session, space := h.person(account.Merchant, "m@example.test")
	secret, id := h.apiToken(session, "miniprogram.read")
	h.miniProgram("wxaaaaaaaaaaaaaaa0", space)
	for _, tt := range []struct {
		method, path, body, code string
		status                   int
	}{
		{"GET", "/me", "", "", 200},
		{"GET", "/miniprograms", "", "", 200},
		{"GET", "/miniprograms/wxaaaaaaaaaaaaaaa0", "", "", 200},
		{"POST", "/miniprograms/wxaaaaaaaaaaaaaaa0/sync", "", "token_scope", 403},
		{"GET", "/components", "", "token_scope", 403},
		{"POST", "/components", bindBody, "token_scope", 403},
		{"GET", "/trail", "", "token_scope", 403},
		{"GET", "/jobs", "", "token_scope", 403},
		{"GET", "/notices", "", "token_scope", 403},
		{"GET", "/notices/unread", "", "token_scope", 403},
		{"POST", "/notices/read", `{"all":true}`, "token_not_allowed", 403},
		{"GET", "/exports", "", "token_scope", 403},
		{"POST", "/exports", `{"list":"miniprograms","format":"csv"}`, "token_scope", 403},
		{"GET", "/imports", "", "token_scope", 403},
		{"GET", "/tokens", "", "token_not_allowed", 403},
		{"GET", "/tokens/scopes", "", "token_not_allowed", 403},
		{"POST", "/tokens", `{"name":"more","scopes":["miniprogram.read"],"days":0}`, "token_not_allowed", 403},
		{"DELETE", "/tokens/" + id, "", "token_not_allowed", 403},
		{"PUT", "/me/space", `{"space_id":"1"}`, "token_not_allowed", 403},
		{"DELETE", "/sessions", "", "token_not_allowed", 403},
	} {
		if a := h.as(secret, tt.method, "/api/v1"+tt.path, tt.body); a.status != tt.status || a.code() != tt.code {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.path, a.status, a.text, tt.status, tt.code)
		}
	}
	if a := h.as(secret, "GET", "/api/v1/me", "", "X-Space", "1"); a.status != 404 {
		t.Errorf("another space: %d %s", a.status, a.text)
	}
}

func TestATokenIsNoCookie(t *testing.T) {
	h := newHouse(t)
	session, _ := h.person(account.Merchant, "m@example.test")
	secret, _ := h.apiToken(session, "component.read", "component.bind")
	if a := h.do("GET", "/api/v1/me", "", "Cookie", account.Cookie+"="+secret); a.status != 401 {
		t.Errorf("REST by cookie: %d %s", a.status, a.text)
	}
	if a := h.do("GET", "/api/v1/me", "", "Authorization", "Basic "+secret); a.status != 401 {
		t.Errorf("another scheme: %d %s", a.status, a.text)
	}
}

func TestATokensAnswersAreNotAnothersIdempotencyAnswers(t *testing.T) {
	h := newHouse(t)
	session, space := h.person(account.Merchant, "m@example.test")
	h.miniProgram("wxaaaaaaaaaaaaaaa0", space)
	if a := h.as(session, "POST", "/api/v1/version/miniprograms/wx1/audit", `{}`, "Idempotency-Key", "k1"); a.status != 200 {
		t.Fatal(a.text)
	}
	asked := len(h.plugins.asked)
	secret, _ := h.apiToken(session, "trail.read")
	h.as(secret, "POST", "/api/v1/version/miniprograms/wx1/audit", `{}`, "Idempotency-Key", "k1")
	if len(h.plugins.asked) != asked+1 {
		t.Error("a narrow token got the answer that was kept for the whole session")
	}
}

func TestASecretIsNeverKeptForRepetition(t *testing.T) {
	h := newHouse(t)
	session, _ := h.person(account.Merchant, "m@example.test")
	a := h.as(session, "POST", "/api/v1/tokens", `{"name":"CI","scopes":["trail.read"],"days":7}`, "Idempotency-Key", "k1")
	if a.status != 201 {
		t.Fatal(a.text)
	}
	if n, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM idempotency"); err != nil || n != 0 {
		t.Errorf("%d kept answers, %v", n, err)
	}
}

func TestALifeWithoutEndMustBeAskedFor(t *testing.T) {
	h := newHouse(t)
	session, _ := h.person(account.Merchant, "m@example.test")
	if a := h.as(session, "POST", "/api/v1/tokens", `{"name":"CI","scopes":["trail.read"]}`); a.status != 400 || a.field("days") == "" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := h.as(session, "POST", "/api/v1/tokens", `{"name":"CI","scopes":["trail.read"],"days":0}`); a.status != 201 || !strings.Contains(a.text, `"expires_at":0`) {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestActsOfATokenReadInTheTrail(t *testing.T) {
	for act, want := range map[string]string{"token.create": "新建 API 令牌", "token.revoke": "撤销 API 令牌"} {
		if got := (trail.Entry{Act: act}).Title(); got != want {
			t.Errorf("%s reads %q", act, got)
		}
	}
}

// TestATokenHearsOfItsOwnSpaceOnly gives a person news of two spaces: a token with the scope reads those of its own.
func TestATokenHearsOfItsOwnSpaceOnly(t *testing.T) {
	h := newHouse(t)
	session, space := h.person(account.Merchant, "m@example.test")
	person, err := h.db.Int(t.Context(), "SELECT id FROM account")
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range []int64{space, space + 1} {
		id := h.db.NewID()
		for table, row := range map[string]map[string]any{
			"notice":           {"id": id, "event": "notice.test", "space_id": in, "title": "消息" + string(rune('A'+i)), "body": "", "link": "", "appid": "", "batch": "", "ok": 0, "failed": 0, "other": 0, "closes_at": 0, "created_at": 1, "updated_at": 1},
			"notice_recipient": {"id": id, "notice_id": id, "account_id": person, "space_id": in, "seq": id, "read_at": 0},
		} {
			if err := h.db.Insert(t.Context(), table, row); err != nil {
				t.Fatal(err)
			}
		}
	}
	secret, _ := h.apiToken(session, "own.notice")
	if a := h.as(session, "GET", "/api/v1/notices", ""); a.status != 200 || !strings.Contains(a.text, "消息A") || !strings.Contains(a.text, "消息B") {
		t.Errorf("the person: %d %s", a.status, a.text)
	}
	if a := h.as(secret, "GET", "/api/v1/notices", ""); a.status != 200 || !strings.Contains(a.text, "消息A") || strings.Contains(a.text, "消息B") || !strings.Contains(a.text, `"total":1`) {
		t.Errorf("the token: %d %s", a.status, a.text)
	}
	if a := h.as(secret, "GET", "/api/v1/notices/unread", ""); a.status != 200 || !strings.Contains(a.text, `"unread":1`) {
		t.Errorf("the token's bell: %d %s", a.status, a.text)
	}
}

func TestBrowsersAreKeptOnTLS(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/login", "/api/v1/me", "/nowhere"} {
		if got := h.do("GET", path, "").header.Get("Strict-Transport-Security"); got != "max-age=15552000" {
			t.Errorf("%s: %q", path, got)
		}
	}
}
