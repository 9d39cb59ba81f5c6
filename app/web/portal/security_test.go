package portal_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// box is the demo's sender: letters are shown on the page.
type box struct {
	mu   sync.Mutex
	last map[string]account.Letter
}

func (*box) Reaches(string) bool { return true }
func (b *box) Send(_ context.Context, l account.Letter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last[l.To] = l
	return nil
}
func (b *box) Shown(login string) (account.Letter, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.last[login]
	return l, ok
}

// verified makes the portal one that verifies logins by codes shown on the page.
func verified(t *testing.T) *house {
	t.Helper()
	return open(t, account.WithSender(&box{last: map[string]account.Letter{}}))
}

var (
	demoCode = regexp.MustCompile(`data-test="demo-code">([0-9]{6})<`)
	hidden   = regexp.MustCompile(`name="captcha_token" value="([^"]+)"`)
	secretOf = regexp.MustCompile(`id="totp-secret"[^>]*>([A-Z2-7]{32})<`)
	codesOf  = regexp.MustCompile(`<li><code class="mf-mono">([A-Z2-7]{5}-[A-Z2-7]{5})</code></li>`)
)

func found(t *testing.T, form *regexp.Regexp, page string) string {
	t.Helper()
	m := form.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("%s is not on the page\n%s", form, page)
	}
	return m[1]
}

func TestRegisteringWithACode(t *testing.T) {
	h := verified(t)
	b := h.browser()
	b.get("/register").wantPage(t, 200, "获取验证码", `formaction="/register/code"`)
	form := []string{"login", "li@example.test", "name", "小李", "kind", "merchant", "space_name", "星辰科技", "password", password, "agreed", "1", "return", "/market"}
	b.post("/register", form...).wantPage(t, 400, "请先获取验证码", `value="li@example.test"`, `value="星辰科技"`)
	page := b.post("/register/code", form...) // without script: the whole page, with what was typed
	page.wantPage(t, 200, "演示环境", "已发送到", `value="li@example.test"`, `value="小李"`, `value="星辰科技"`, "重新获取")
	if strings.Contains(page.body, password) {
		t.Error("the password comes back")
	}
	code := found(t, demoCode, page.body)
	b.post("/register", append([]string{"code", "12"}, form...)...).wantPage(t, 400, "验证码是 6 位数字", `value="12"`)
	b.post("/register", append([]string{"code", code}, form...)...).wantRedirect(t, "/market")
	if h.who(b).Login != "li@example.test" {
		t.Fatal("not logged in")
	}
}

func TestTheScriptGetsTheCodeFieldAlone(t *testing.T) {
	h := verified(t)
	b := h.browser()
	b.header.Set("Hx-Request", "true")
	for _, c := range []struct {
		login  string
		status int
		want   string
	}{{"nonsense", 400, "请填写邮箱或 11 位手机号"}, {"li@example.test", 200, "data-wait"}, {"li@example.test", 422, "刚刚已发送"}} {
		got := b.post("/register/code", "login", c.login)
		if got.status != c.status || !strings.HasPrefix(got.body, `<div class="mf-field`) || !strings.Contains(got.body, c.want) || strings.Contains(got.body, "<html") {
			t.Fatalf("%s: %d %s", c.login, got.status, got.body)
		}
	}
}

func TestThePagesDoNotTellWhoHasAnAccount(t *testing.T) {
	h := open(t, account.WithSender(quiet{}))
	if _, err := h.accounts.Seed(t.Context(), account.Registration{Login: "known@example.test", Password: password, Name: "甲", Kind: account.Personal}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/register/code", "/reset/code", "/register", "/reset", "/login"} {
		ask := func(login string) answer {
			return h.browser().post(path, "login", login, "password", "not the password", "code", "123456", "kind", "personal", "agreed", "1")
		}
		known, other := ask("known@example.test"), ask("other@example.test")
		if known.status != other.status || steady(known.body, "known@example.test") != steady(other.body, "other@example.test") {
			t.Errorf("%s: known %d\n%s\nunknown %d\n%s", path, known.status, known.body, other.status, other.body)
		}
	}
}

// quiet sends into nowhere.
type quiet struct{}

func (quiet) Reaches(string) bool                        { return true }
func (quiet) Send(context.Context, account.Letter) error { return nil }

// steady takes out of a page what differs in every answer.
func steady(page, login string) string {
	page = strings.ReplaceAll(page, login, "…")
	return regexp.MustCompile(`data-wait="[0-9]+"`).ReplaceAllString(page, "")
}

func TestAForgottenPasswordIsReset(t *testing.T) {
	h := verified(t)
	b, _ := h.settled("user@example.test", account.Personal)
	visitor := h.browser()
	visitor.get("/login").wantPage(t, 200, `href="/reset"`)
	page := visitor.post("/reset/code", "login", "user@example.test")
	page.wantPage(t, 200, "演示环境")
	code := found(t, demoCode, page.body)
	visitor.post("/reset", "login", "user@example.test", "code", code, "password", "short").wantPage(t, 400, "密码至少 10 位", `value="`+code+`"`)
	visitor.post("/reset", "login", "user@example.test", "code", code, "password", "一匹新的马").wantPage(t, 400) // five characters
	visitor.post("/reset", "login", "user@example.test", "code", code, "password", "一匹新的马跑过草原去了").wantRedirect(t, "/login")
	visitor.get("/login").wantPage(t, 200, "密码已重设")
	b.get("/my").wantRedirect(t, "/login?return=%2Fmy")
	visitor.post("/login", "login", "user@example.test", "password", "一匹新的马跑过草原去了").wantRedirect(t, "/my/miniprograms")
}

func TestATakenLoginGetsALetterInsteadOfACode(t *testing.T) {
	h := verified(t)
	h.settled("user@example.test", account.Personal)
	taken := h.browser().post("/register/code", "login", "user@example.test")
	taken.wantPage(t, 200, "该账号已注册", "演示环境") // the letter, which only the demo shows
	if demoCode.MatchString(taken.body) {
		t.Error("a code for a taken login")
	}
}

func TestWithoutASenderThePageSaysSo(t *testing.T) {
	h := open(t)
	b := h.browser()
	b.get("/reset").wantPage(t, 200, "还没有配置邮件和短信")
	if page := b.get("/register"); strings.Contains(page.body, "获取验证码") {
		t.Error("a code is asked for that nobody can send")
	}
}

func TestALoginIsAskedForACaptcha(t *testing.T) {
	h := open(t)
	h.settled("user@example.test", account.Personal)
	b := h.browser()
	for range 3 {
		b.post("/login", "login", "user@example.test", "password", "wrong password")
	}
	page := b.post("/login", "login", "user@example.test", "password", password)
	page.wantPage(t, 400, "图形验证码", `alt="图形验证码`, "听验证码", "请输入图中的数字", `value="user@example.test"`, "换一张")
	token := found(t, hidden, page.body)
	sound := b.get("/captcha/sound?token=" + token)
	if sound.status != 200 || sound.header.Get("Content-Type") != "audio/wav" || !strings.HasPrefix(sound.body, "RIFF") {
		t.Fatalf("%d %v", sound.status, sound.header)
	}
	b.get("/captcha/sound?token=nonsense").wantPage(t, 404, "已过期")
	if other := b.get("/captcha"); other.status != 200 || found(t, hidden, other.body) == token {
		t.Fatalf("another picture: %d", other.status)
	}
	b.post("/login", "login", "user@example.test", "password", password, "captcha_token", token, "captcha", "x").wantPage(t, 400, "数字不对")
}

func TestTheOldSessionEndsAtALogin(t *testing.T) {
	h := open(t)
	b, _ := h.settled("user@example.test", account.Personal)
	before := b.session(t)
	b.post("/login", "login", "user@example.test", "password", password).wantRedirect(t, "/my/miniprograms")
	if after := b.session(t); after == before || after == "" {
		t.Fatal("the session goes on under the token it had before the login")
	}
	if _, err := h.accounts.Authenticate(t.Context(), before, 0); fault.KindOf(err) != fault.Unauthenticated {
		t.Fatalf("the session before the login: %v", err)
	}
	planted := h.browser() // a cookie that an attacker planted is never taken up
	planted.header.Set("Cookie", account.Cookie+"=planted-planted-planted-planted")
	got := planted.post("/login", "login", "user@example.test", "password", password)
	got.wantRedirect(t, "/my/miniprograms")
	if strings.Contains(strings.Join(got.header.Values("Set-Cookie"), " "), "planted") {
		t.Fatal("the planted token became a session")
	}
}

func TestSecurityPageAndItsForms(t *testing.T) {
	h := verified(t)
	b, me := h.settled("user@example.test", account.Personal)
	elsewhere := h.browser()
	elsewhere.header.Set("User-Agent", "Mozilla/5.0 (iPhone) MicroMessenger/8.0")
	elsewhere.post("/login", "login", "user@example.test", "password", password).wantRedirect(t, "/my/miniprograms")
	b.get("/my/security").wantPage(t, 200, "账号与安全", "两步验证", "本机", "微信 · iPhone", "退出其他设备", "127.0.0.1")
	b.post("/my/security/signout", "id", "5").wantPage(t, 404, "已经退出了")
	b.post("/my/security/signout", "others", "1").wantRedirect(t, "/my/security")
	b.get("/my/security").wantPage(t, 200, "已退出其他 1 台设备")
	elsewhere.get("/my").wantRedirect(t, "/login?return=%2Fmy")

	b.post("/my/security/password", "password", "wrong password", "new_password", "一匹新的马跑过草原去了").wantPage(t, 400, "密码不正确")
	b.post("/my/security/password", "password", password, "new_password", "1234567890").wantPage(t, 400, "太常见")
	before := b.session(t)
	b.post("/my/security/password", "password", password, "new_password", "一匹新的马跑过草原去了").wantRedirect(t, "/my/security")
	if b.session(t) == before {
		t.Fatal("the session keeps its token")
	}

	page := b.post("/my/security/login/code", "login", "new@example.test")
	page.wantPage(t, 200, "演示环境", `value="new@example.test"`)
	b.post("/my/security/login", "login", "new@example.test", "code", "abc").wantPage(t, 400, "验证码是 6 位数字")
	b.post("/my/security/login", "login", "new@example.test", "code", found(t, demoCode, page.body)).wantRedirect(t, "/my/security")
	if who := h.who(b); who.Login != "new@example.test" || who.AccountID != me.AccountID {
		t.Fatalf("%+v", who)
	}
}

func TestDangerousPagesAskForThePassword(t *testing.T) {
	h := verified(t)
	b, me := h.settled("user@example.test", account.Personal)
	if _, err := h.DB.Exec(t.Context(), "UPDATE login_session SET confirmed_at=? WHERE account_id=?", time.Now().Add(-11*time.Minute).UnixMilli(), me.AccountID); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/my/security/totp", "/my/security/login"} {
		b.get(path).wantRedirect(t, "/my/security/confirm?return="+strings.ReplaceAll(path, "/", "%2F"))
	}
	b.post("/my/security/login/code", "login", "x@example.test").wantRedirect(t, "/my/security/confirm?return=%2Fmy%2Fsecurity%2Flogin")
	b.get("/my/security/confirm?return=%2Fmy%2Fsecurity%2Ftotp").wantPage(t, 200, "请再次输入密码", `value="/my/security/totp"`)
	b.post("/my/security/confirm", "password", "wrong password", "return", "/my/security/totp").wantPage(t, 400, "密码不正确")
	before := b.session(t)
	b.post("/my/security/confirm", "password", password, "return", "//evil.example").wantRedirect(t, "/my/security")
	if b.session(t) == before {
		t.Fatal("the session keeps its token although it may do more now")
	}
	b.get("/my/security/totp").wantPage(t, 200, "身份验证器", "手动输入密钥")
}

func TestTwoStepsOnThePages(t *testing.T) {
	h := verified(t)
	b, _ := h.settled("user@example.test", account.Personal)
	page := b.get("/my/security/totp")
	page.wantPage(t, 200, `src="data:image/png;base64,`)
	secret := found(t, secretOf, page.body)
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.post("/my/security/totp", "code", "abcdef").wantPage(t, 400, "验证码不正确", secret)
	page = b.post("/my/security/totp", "code", code)
	page.wantPage(t, 200, "只显示这一次", `download="minifleet-recovery-codes.txt"`, "data:text/plain;charset=utf-8;base64,")
	if page.header.Get("Cache-Control") != "no-store" {
		t.Error("recovery codes may be cached")
	}
	codes := codesOf.FindAllStringSubmatch(page.body, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	b.get("/my/security").wantPage(t, 200, "已开启", "还剩 10 个")

	phone := h.browser()
	phone.get("/login/second-factor").wantRedirect(t, "/login")
	phone.post("/login", "login", "user@example.test", "password", password, "return", "/market").wantRedirect(t, "/login/second-factor?return=%2Fmarket")
	if phone.session(t) != "" {
		t.Fatal("a password alone opened a session")
	}
	phone.get("/my").wantRedirect(t, "/login?return=%2Fmy")
	phone.get("/login/second-factor?return=%2Fmarket").wantPage(t, 200, "6 位数字", `value="/market"`)
	phone.post("/login/second-factor", "code", code).wantPage(t, 400, "已用过") // the one that turned it on
	phone.post("/login/second-factor", "code", codes[0][1], "return", "/market").wantRedirect(t, "/market")
	phone.get("/my/security").wantPage(t, 200, "还剩 9 个")
	phone.post("/login/second-factor", "code", codes[1][1]).wantPage(t, 401, "登录已超时")

	page = b.post("/my/security/recovery")
	page.wantPage(t, 200, "只显示这一次")
	fresh := codesOf.FindAllStringSubmatch(page.body, -1)
	b.post("/my/security/totp/off", "password", "wrong password", "code", fresh[0][1]).wantPage(t, 400, "密码不正确")
	b.post("/my/security/totp/off", "password", password, "code", codes[2][1]).wantPage(t, 400, "验证码不正确")
	b.post("/my/security/totp/off", "password", password, "code", fresh[0][1]).wantRedirect(t, "/my/security")
	b.get("/my/security").wantPage(t, 200, "未开启")
}

func TestAnOperatorIsLedToTheSecondFactorFirst(t *testing.T) {
	h := open(t, account.WithRules(account.Rules{OperatorsNeedSecondFactor: true}))
	b, _ := h.settled("op@example.test", account.Platform)
	for _, path := range []string{"/market", "/my/miniprograms", "/my/tokens", "/p/version/miniprograms"} {
		b.get(path).wantRedirect(t, "/my/security/totp")
	}
	page := b.get("/my/security/totp")
	page.wantPage(t, 200, "平台要求管理员开启两步验证")
	code, err := totp.GenerateCode(found(t, secretOf, page.body), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	b.get("/my/security").wantPage(t, 200, "平台要求开启")
	b.post("/my/security/totp", "code", code).wantPage(t, 200, "恢复码")
	b.get("/my/tokens").wantPage(t, 200)
	b.get("/logout").wantRedirect(t, "/account")
}

// session is the browser's session token, "" for none.
func (b *browser) session(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.h.server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(r.URL) {
		if c.Name == account.Cookie {
			return c.Value
		}
	}
	return ""
}

// settled seeds an account, as an operator would, and logs a browser in.
func (h *house) settled(login string, kind account.Kind) (*browser, account.Actor) {
	h.t.Helper()
	if _, err := h.accounts.Seed(h.t.Context(), account.Registration{Login: login, Password: password, Name: "小张", Kind: kind, SpaceName: "星辰科技"}); err != nil {
		h.t.Fatal(err)
	}
	b := h.browser()
	if got := b.post("/login", "login", login, "password", password); got.status != http.StatusSeeOther {
		h.t.Fatalf("login: %d %s", got.status, got.body)
	}
	actor, err := h.accounts.Authenticate(h.t.Context(), b.session(h.t), 0)
	if err != nil && fault.From(err).Code != "second_factor_needed" {
		h.t.Fatal(err)
	}
	return b, actor
}

// protected turns the second factor on, on the page that shows its secret, and gives the recovery codes.
func (h *house) protected(b *browser, page answer) []string {
	h.t.Helper()
	code, err := totp.GenerateCode(found(h.t, secretOf, page.body), time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	var codes []string
	for _, m := range codesOf.FindAllStringSubmatch(b.post("/my/security/totp", "code", code).body, -1) {
		codes = append(codes, m[1])
	}
	if len(codes) != 10 {
		h.t.Fatalf("%d recovery codes", len(codes))
	}
	return codes
}
