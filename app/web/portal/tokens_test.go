package portal_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"minifleet/app/account"
)

func TestATokenIsShownOnceAndRevoked(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Merchant)
	b.get("/my/tokens").wantPage(t, 200, "还没有令牌", "管理小程序版本", `name="scope"`)

	made := b.post("/my/tokens", "name", "CI <b>", "scope", "miniprogram.read", "scope", "version.operate", "days", "90")
	made.wantPage(t, 201, "令牌只显示这一次", "CI &lt;b&gt;", "从未使用")
	secret := regexp.MustCompile(`mft_[A-Z0-9]{40,}`).FindString(made.body)
	if secret == "" || made.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("secret %q, %v", secret, made.header)
	}
	tokens := account.NewTokens(h.DB, h.Trail, h.accounts)
	who, err := tokens.Authenticate(t.Context(), secret, "192.0.2.1", 0)
	if err != nil || who.AccountID != me.AccountID || !who.Can("version.operate") || who.Can("component.bind") {
		t.Fatalf("%+v %v", who, err)
	}
	list := b.get("/my/tokens")
	list.wantPage(t, 200, "CI &lt;b&gt;", "192.0.2.1", "data-confirm=")
	if strings.Contains(list.body, secret) {
		t.Error("the secret is shown a second time")
	}
	id := regexp.MustCompile(`data-token="(\d+)"`).FindStringSubmatch(list.body)[1]
	other, _ := h.member("other@example.test", account.Merchant)
	other.post("/my/tokens/"+id+"/revoke").wantPage(t, http.StatusNotFound, "没有找到")
	b.post("/my/tokens/"+id+"/revoke").wantRedirect(t, "/my/tokens")
	if _, err := tokens.Authenticate(t.Context(), secret, "192.0.2.1", 0); err == nil {
		t.Error("it works after it was revoked")
	}
	b.get("/my/tokens").wantPage(t, 200, "令牌已撤销", "还没有令牌")
}

func TestATokensScopeOfAnExtensionIsShownInWords(t *testing.T) {
	h := open(t)
	b, _ := h.member("user@example.test", account.Merchant)
	h.brought = []account.Permission{{Name: "robot.rows", Title: "机器人<b>记录", Area: "扩展：审核机器人"}}
	made := b.post("/my/tokens", "name", "CI", "scope", "robot.rows", "days", "90")
	made.wantPage(t, 201, `<span class="mf-tag">机器人&lt;b&gt;记录</span>`)
	h.brought = nil // it was switched off
	b.get("/my/tokens").wantPage(t, 200, `<span class="mf-tag">robot.rows</span>`)
}

func TestATokenFormKeepsWhatWasTyped(t *testing.T) {
	h := open(t)
	b, _ := h.member("user@example.test", account.Personal)
	b.post("/my/tokens", "name", "夜间任务", "days", "365").wantPage(t, 400, "请至少选择一项权限", `value="夜间任务"`, `<option value="365" selected>`)
	b.post("/my/tokens", "name", "", "scope", "miniprogram.read", "days", "1").wantPage(t, 400, "请填写名称", "有效期应为", `value="miniprogram.read" checked`)
	b.post("/my/tokens", "name", "x", "scope", "job.run", "days", "7").wantPage(t, 400, "不能写进令牌的权限")
}

func TestATokenOpensNoPage(t *testing.T) {
	h := open(t)
	b, _ := h.member("user@example.test", account.Merchant)
	secret := regexp.MustCompile(`mft_[A-Z0-9]{40,}`).FindString(b.post("/my/tokens", "name", "CI", "scope", "miniprogram.read", "days", "7").body)
	x := h.browser()
	x.header.Set("Authorization", "Bearer "+secret)
	x.get("/my/tokens").wantRedirect(t, "/login?return=%2Fmy%2Ftokens")
	x.header.Set("Cookie", account.Cookie+"="+secret)
	x.get("/my/miniprograms").wantRedirect(t, "/login?return=%2Fmy%2Fminiprograms")
	h.browser().get("/my/tokens").wantRedirect(t, "/login?return=%2Fmy%2Ftokens")
}
