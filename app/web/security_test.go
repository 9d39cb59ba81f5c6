package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"minifleet/app/account"
	"minifleet/app/clock"
)

// letters is a sender that the test reads.
type letters struct {
	mu  sync.Mutex
	all []account.Letter
}

func (l *letters) Reaches(string) bool { return true }
func (l *letters) Send(_ context.Context, letter account.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, letter)
	return nil
}

func (l *letters) code(to string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.all) - 1; i >= 0; i-- {
		if l.all[i].To == to {
			return l.all[i].Code
		}
	}
	return ""
}

// verifiedHouse is a house in which logins are verified, with a wall clock of its own.
func verifiedHouse(t *testing.T, rules account.Rules) (*house, *letters, *clock.Manual) {
	t.Helper()
	box, wall := &letters{}, clock.Fixed(time.UnixMilli(1_760_000_000_000))
	h := newHouse(t, func(o *Options) {
		o.Accounts = account.New(o.DB, o.Clock, o.Trail, account.WithSender(box), account.WithRules(rules), account.WithWallClock(wall))
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	return h, box, wall
}

func TestRegisteringByRESTTakesACode(t *testing.T) {
	h, box, _ := verifiedHouse(t, account.Rules{VerifyLogins: true})
	body := func(code string) string {
		return `{"login":"a@example.test","password":"` + password + `","kind":"personal","agreed":true,"code":"` + code + `"}`
	}
	if a := h.do("POST", "/api/v1/accounts", body("")); a.status != 400 || a.field("code") == "" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.do("POST", "/api/v1/codes", `{"login":"a@example.test","purpose":"register"}`); a.status != 202 || strings.Contains(a.text, box.code("a@example.test")) {
		t.Fatalf("the code must not be in the answer: %d %s", a.status, a.text)
	}
	if a := h.do("POST", "/api/v1/accounts", body(box.code("a@example.test"))); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.text)
	}
}

func TestTheAnswersDoNotTellWhoHasAnAccount(t *testing.T) {
	h, _, wall := verifiedHouse(t, account.Rules{VerifyLogins: true})
	h.person(account.Personal, "known@example.test")
	for _, call := range []struct{ path, body string }{
		{"/codes", `{"login":"%s","purpose":"register"}`},
		{"/codes", `{"login":"%s","purpose":"reset"}`},
		{"/accounts", `{"login":"%s","password":"` + password + `","kind":"personal","agreed":true,"code":"123456"}`},
		{"/password-resets", `{"login":"%s","password":"` + password + `","code":"123456"}`},
		{"/sessions", `{"login":"%s","password":"wrong password"}`},
	} {
		known := h.do("POST", "/api/v1"+call.path, fmt.Sprintf(call.body, "known@example.test"), "X-Request-Id", "same-for-both", "X-Forwarded-For", "192.0.2.1")
		other := h.do("POST", "/api/v1"+call.path, fmt.Sprintf(call.body, "other@example.test"), "X-Request-Id", "same-for-both", "X-Forwarded-For", "192.0.2.2")
		if known.status != other.status || known.text != other.text || len(known.header) != len(other.header) {
			t.Errorf("%s %s: known %d %s, unknown %d %s", call.path, call.body, known.status, known.text, other.status, other.text)
		}
		wall.Advance(time.Minute)
	}
}

func TestTwoStepsByREST(t *testing.T) {
	h, _, wall := verifiedHouse(t, account.Rules{VerifyLogins: true})
	token, _ := h.person(account.Personal, "a@example.test")
	setup := h.as(token, "POST", "/api/v1/me/second-factor", "").json(t)
	phone := func() string {
		code, err := totp.GenerateCode(setup["secret"].(string), wall.Now())
		if err != nil {
			t.Fatal(err)
		}
		return code
	}
	if a := h.as(token, "PUT", "/api/v1/me/second-factor", `{"code":"abcdef"}`); a.status != 400 || a.field("code") == "" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	a := h.as(token, "PUT", "/api/v1/me/second-factor", `{"code":"`+phone()+`"}`, "Idempotency-Key", "k")
	codes, _ := a.json(t)["recovery_codes"].([]any)
	if a.status != 200 || len(codes) != 10 || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if n, err := h.db.Int(t.Context(), "SELECT COUNT(*) FROM idempotency_key"); err == nil && n != 0 {
		t.Fatal("recovery codes were kept for repetition")
	}
	token = a.json(t)["token"].(string)
	wall.Advance(time.Minute)
	login := `{"login":"a@example.test","password":"` + password + `"}`
	a = h.do("POST", "/api/v1/sessions", login)
	held, _ := a.json(t)["second_factor"].(string)
	if a.status != 202 || held == "" || strings.Contains(a.text, `"token"`) || strings.Contains(a.text, `"actor"`) {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(held, "GET", "/api/v1/me", ""); a.status != 401 {
		t.Fatalf("a pending login is no session: %d %s", a.status, a.text)
	}
	a = h.do("POST", "/api/v1/sessions/second-factor", `{"second_factor":"`+held+`","code":"`+phone()+`"}`)
	if a.status != 201 || a.json(t)["token"] == "" {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(token, "GET", "/api/v1/me/sessions", ""); a.json(t)["total"].(float64) != 2 || !strings.Contains(a.text, `"current":true`) {
		t.Fatalf("%s", a.text)
	}
	if a := h.as(token, "DELETE", "/api/v1/me/sessions", ""); a.status != 200 || !strings.Contains(a.text, `"ended":1`) {
		t.Fatalf("%d %s", a.status, a.text)
	}
	wall.Advance(time.Minute)
	if a := h.as(token, "DELETE", "/api/v1/me/second-factor", `{"password":"`+password+`","code":"`+phone()+`"}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.do("POST", "/api/v1/sessions", login); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.text)
	}
}

func TestOperatorsMayOnlySetUpUntilTheirSecondFactorIsOn(t *testing.T) {
	h, _, wall := verifiedHouse(t, account.Rules{OperatorsNeedSecondFactor: true})
	token, _ := h.person(account.Platform, "op@example.test")
	for _, path := range []string{"/jobs", "/events", "/me", "/trail"} {
		if a := h.as(token, "GET", "/api/v1"+path, ""); a.status != 403 || a.code() != "second_factor_needed" {
			t.Fatalf("%s: %d %s", path, a.status, a.text)
		}
	}
	secret := h.as(token, "POST", "/api/v1/me/second-factor", "").json(t)["secret"].(string)
	code, err := totp.GenerateCode(secret, wall.Now())
	if err != nil {
		t.Fatal(err)
	}
	a := h.as(token, "PUT", "/api/v1/me/second-factor", `{"code":"`+code+`"}`)
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(a.json(t)["token"].(string), "GET", "/api/v1/jobs", ""); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
}

func TestACaptchaComesAndCountsByThePersonsAddress(t *testing.T) {
	h, _, _ := verifiedHouse(t, account.Rules{})
	wrong := func(i int, from string) reply {
		return h.do("POST", "/api/v1/sessions", fmt.Sprintf(`{"login":"p%d@example.test","password":"wrong password"}`, i), "X-Forwarded-For", from)
	}
	for i := range 10 {
		if a := wrong(i, "203.0.113.1"); a.status != 401 {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if a := wrong(11, "203.0.113.1"); a.code() != "captcha_required" || a.status != 400 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := wrong(11, "203.0.113.2"); a.status != 401 {
		t.Fatalf("a neighbour: %d %s", a.status, a.text)
	}
	a := h.do("POST", "/api/v1/captchas", "")
	var c captchaOut
	if err := json.Unmarshal([]byte(a.text), &c); err != nil || a.status != http.StatusOK || !strings.HasPrefix(c.Picture, "data:image/png;base64,") {
		t.Fatalf("%d %s %v", a.status, a.text, err)
	}
}

func TestAccountActsNeedTheLoginItself(t *testing.T) {
	h, _, wall := verifiedHouse(t, account.Rules{VerifyLogins: true})
	token, _ := h.person(account.Personal, "a@example.test")
	wall.Advance(11 * time.Minute)
	for _, call := range []string{"POST /me/second-factor", "POST /me/recovery-codes"} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.as(token, method, "/api/v1"+path, ""); a.status != 403 || a.code() != "password_required" {
			t.Fatalf("%s: %d %s", call, a.status, a.text)
		}
	}
	a := h.as(token, "POST", "/api/v1/me/confirmation", `{"password":"`+password+`"}`)
	next, _ := a.json(t)["token"].(string)
	if a.status != 201 || next == "" || next == token {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(token, "GET", "/api/v1/me", ""); a.status != 401 {
		t.Fatalf("the token before: %d", a.status)
	}
	if a := h.as(next, "POST", "/api/v1/me/second-factor", ""); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	if a := h.as(next, "PUT", "/api/v1/me/password", `{"password":"`+password+`","new_password":"another horse"}`); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.text)
	}
}
