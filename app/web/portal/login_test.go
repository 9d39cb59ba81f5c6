package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"minifleet/app/account"
)

func TestRegisterLogsInAndReturns(t *testing.T) {
	h := open(t)
	b := h.browser()
	b.get("/register?return=%2Fmarket%2Fcoffee").wantPage(t, 200, `id="register-form"`, `name="return" value="/market/coffee"`, `name="agreed" value="1"`)
	got := b.post("/register", "login", "li@example.test", "password", password, "name", "小李", "kind", "personal", "agreed", "1", "return", "/market/coffee")
	got.wantRedirect(t, "/market/coffee")
	var session *http.Cookie
	for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
		if cookie.Name == account.Cookie {
			session = cookie
		}
	}
	if session == nil || !session.HttpOnly || session.SameSite != http.SameSiteLaxMode || session.Path != "/" {
		t.Fatalf("session cookie %+v", session)
	}
	if actor := h.who(b); actor.Login != "li@example.test" || actor.SpaceKind != account.Personal {
		t.Fatalf("%+v", actor)
	}
	b.get("/my/miniprograms").wantPage(t, 200, "注册成功", "还没有小程序", "小李", "模拟环境")
	if again := b.get("/my/miniprograms"); strings.Contains(again.body, "注册成功") {
		t.Error("a flash must be shown once")
	}
}

func TestRegisterNamesTheWrongFields(t *testing.T) {
	h := open(t)
	h.member("taken@example.test", account.Personal)
	cases := map[string]struct {
		form []string
		want []string
	}{
		"nothing filled in": {nil, []string{"请填写邮箱或 11 位手机号", "请选择普通用户或商户", "请先阅读并勾选协议"}},
		"short password":    {[]string{"login", "13800138000", "password", "abc", "kind", "personal", "agreed", "1"}, []string{`value="13800138000"`, `mf-field-bad`, "10"}},
		"merchant no name":  {[]string{"login", "m@example.test", "password", password, "kind", "merchant", "agreed", "1"}, []string{"请填写企业名称", `value="merchant" checked`}},
		"not agreed":        {[]string{"login", "n@example.test", "password", password, "kind", "personal"}, []string{"请先阅读并勾选协议"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := h.browser().post("/register", c.form...)
			got.wantPage(t, 400, c.want...)
			if strings.Contains(got.body, password) {
				t.Error("the password must not come back")
			}
		})
	}
	h.browser().post("/register", "login", "taken@example.test", "password", password, "kind", "personal", "agreed", "1").
		wantPage(t, 409, "该账号已注册", `href="/login"`)
}

func TestLogin(t *testing.T) {
	h := open(t)
	h.member("user@example.test", account.Personal)
	h.member("shop@example.test", account.Merchant)
	b := h.browser()
	wrong := b.post("/login", "login", "user@example.test", "password", "wrong password", "return", "/market")
	wrong.wantPage(t, 401, "账号或密码不正确", `value="user@example.test"`, `value="/market"`, `id="login-form"`)
	if !h.who(b).Nobody() {
		t.Fatal("logged in with a wrong password")
	}
	b.post("/login", "login", "user@example.test", "password", password).wantRedirect(t, "/my/miniprograms")
	b.get("/login").wantRedirect(t, "/my/miniprograms")
	b.get("/login?return=%2Fmarket").wantRedirect(t, "/market")
	h.browser().post("/login", "login", "shop@example.test", "password", password).wantRedirect(t, "/admin")

	b.get("/logout").wantRedirect(t, "/account") // a link must not log anybody out
	if h.who(b).Nobody() {
		t.Fatal("GET /logout ended the session")
	}
	b.post("/logout").wantRedirect(t, "/market")
	b.get("/my/miniprograms").wantRedirect(t, "/login?return=%2Fmy%2Fminiprograms")
}

func TestReturnAddressStaysOnThisSite(t *testing.T) {
	h := open(t)
	h.member("user@example.test", account.Personal)
	for _, back := range []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, "/\t/evil.example", "javascript:alert(1)", "market", "/login", "/logout", "http:evil", "/" + strings.Repeat("a", 1200),
		"https:evil.example", "https:/evil.example", "///evil.example", `\\evil.example`, `\/evil.example`, " //evil.example", "\t//evil.example", "/\n/evil.example", "/\x00/evil", "/a\r\nSet-Cookie: x=1", "//evil.example\\@host", "JaVaScRiPt:alert(1)", "data:text/html,x", "%2f%2fevil.example", "/login?return=//evil.example",
	} {
		b := h.browser()
		page := b.get("/login?return=" + url.QueryEscape(back))
		page.wantPage(t, 200, `name="return" value=""`)
		b.post("/login", "login", "user@example.test", "password", password, "return", back).wantRedirect(t, "/my/miniprograms")
	}
	b := h.browser()
	b.post("/login", "login", "user@example.test", "password", password, "return", "/market/x?q=%E5%92%96").wantRedirect(t, "/market/x?q=%E5%92%96")
}

func TestUnknownCookieIsAVisitor(t *testing.T) {
	h := open(t)
	b := h.browser()
	b.header.Set("Cookie", account.Cookie+"=0123456789012345678901234567890123456789")
	b.get("/login").wantPage(t, 200, `id="login-form"`)
	b.get("/my").wantRedirect(t, "/login?return=%2Fmy")
}

func TestSwitchSpace(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	_, other := h.member("shop@example.test", account.Merchant)
	page := b.get("/account")
	page.wantPage(t, 200, "身份切换", "普通用户", "当前")
	if strings.Contains(page.body, "星辰科技") {
		t.Error("a space of others is offered")
	}
	b.post("/space", "space", "junk").wantPage(t, 400, "请选择要切换到的身份")
	b.post("/space", "space", id(other.SpaceID)).wantPage(t, 404, "没有找到这个空间")
	if h.who(b).SpaceID != me.SpaceID {
		t.Fatal("switched into a space of others")
	}
	// The operator adds the person to the merchant's space.
	if err := h.DB.Insert(t.Context(), "member", map[string]any{"id": h.DB.NewID(), "account_id": me.AccountID, "space_id": other.SpaceID, "role": account.RoleOwner, "created_at": 1}); err != nil {
		t.Fatal(err)
	}
	b.post("/space", "space", id(other.SpaceID)).wantRedirect(t, "/admin")
	b.get("/account").wantPage(t, 200, "已切换到 星辰科技", `href="/admin"`)
	if h.who(b).SpaceID != other.SpaceID {
		t.Fatal("not switched")
	}
}

func TestPagesWithoutLogin(t *testing.T) {
	h := open(t)
	b := h.browser()
	b.get("/").wantRedirect(t, "/market")
	b.get("/agreement").wantPage(t, 200, "用户协议")
	b.get("/privacy").wantPage(t, 200, "隐私政策")
	b.get("/no/such/page").wantPage(t, 404, "没有这个页面", `data-test="login"`)
	b.post("/login", "login", strings.Repeat("a", 70<<10)).wantPage(t, 400, "提交的内容不完整或太长")
	if got := b.get("/swagger"); got.status != 200 || !strings.Contains(got.body, "/api.json") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
