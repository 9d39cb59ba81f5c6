package portal_test

import (
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/wechat"
)

// authorised gives a person the mini program, through WeChat.
func (h *house) authorised(who account.Actor, appid string, untick ...int) {
	h.t.Helper()
	if got, err := h.ComeBack(h.Scan(h.Ticket(who), appid, untick...)); err != nil || got.State != miniprogram.Authorized {
		h.t.Fatalf("%+v %v", got, err)
	}
	h.Deliver("authorized")
}

func TestMyMiniPrograms(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	other, them := h.member("other@example.test", account.Personal)
	h.authorised(me, authtest.ShopID)
	h.authorised(them, authtest.CafeID)

	list := b.get("/my/miniprograms")
	list.wantPage(t, 200, "街角咖啡", `data-appid="`+authtest.ShopID+`"`, "/p/version/miniprograms/"+authtest.ShopID, "共 1 条")
	if strings.Contains(list.body, authtest.CafeID) {
		t.Error("a mini program of others is listed")
	}
	for _, q := range []string{"%20街角%20", "wx00000000000000a1", "ｗｘ００００００００００００００ａ１"} {
		b.get("/my/miniprograms?q="+q).wantPage(t, 200, `data-appid="`+authtest.ShopID+`"`)
	}
	b.get("/my/miniprograms?q=%3Cscript%3E").wantPage(t, 200, "没有找到“&lt;script&gt;”", "清除搜索")
	b.get("/my/miniprograms?cursor=x").wantPage(t, 400, "翻页地址不完整")

	page := b.get("/my/miniprograms/" + authtest.ShopID)
	page.wantPage(t, 200, "街角咖啡", "开发管理与数据分析", "基本信息管理", "只有你自己可以操作", "/p/hosting/miniprograms/"+authtest.ShopID, "当前空间")
	for _, path := range []string{"", "?tab=trail"} {
		other.get("/my/miniprograms/"+authtest.ShopID+path).wantPage(t, 404, "没有找到这个小程序")
	}
	other.post("/my/miniprograms/"+authtest.ShopID+"/sync").wantPage(t, 404, "没有找到这个小程序")
	other.post("/my/miniprograms/"+authtest.ShopID+"/authorize", "component", authtest.PlatformID).wantPage(t, 404, "没有找到这个小程序")
	h.browser().get("/my/miniprograms/"+authtest.ShopID).wantRedirect(t, "/login?return=%2Fmy%2Fminiprograms%2F"+authtest.ShopID)
}

func TestNamesFromWeChatAreText(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	h.authorised(me, authtest.ShopID)
	if _, err := h.DB.Exec(t.Context(), "UPDATE mini_program SET nick_name=?, principal=?, signature=? WHERE appid=?", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `<b>x</b>`, authtest.ShopID); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/my/miniprograms", "/my/miniprograms/" + authtest.ShopID, "/my/miniprograms/" + authtest.ShopID + "?tab=trail"} {
		got := b.get(path)
		if got.status != 200 || strings.Contains(got.body, "<script>") || strings.Contains(got.body, "<img src=x") || strings.Contains(got.body, "<b>x</b>") {
			t.Errorf("%s: %d\n%s", path, got.status, got.body)
		}
	}
}

func TestMissingPermissionSetsAndReauthorisation(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	h.authorised(me, authtest.ShopID, 30)
	b.get("/my/miniprograms").wantPage(t, 200, "权限不全")
	b.get("/my/miniprograms/"+authtest.ShopID).wantPage(t, 200, "缺少 基本信息管理", `data-test="reauthorize"`)
	b.post("/my/miniprograms/"+authtest.ShopID+"/authorize", "component", "wxffffffffffffffff").wantPage(t, 404, "没有授权给过")
	got := b.post("/my/miniprograms/"+authtest.ShopID+"/authorize", "component", authtest.PlatformID)
	id, ok := strings.CutPrefix(got.to(), "/auth/")
	if !ok {
		t.Fatalf("%d %q", got.status, got.to())
	}
	ask := h.State(id)
	if ask.BizAppID != authtest.ShopID || ask.ReturnTo != "/my/miniprograms/"+authtest.ShopID {
		t.Fatalf("%+v", ask)
	}
	b.get("/auth/"+id).wantPage(t, 200, "指定小程序", authtest.ShopID)
}

func TestRevokedAuthorisationIsShown(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	h.authorised(me, authtest.ShopID)
	if err := h.Apps.OnUnauthorized(t.Context(), authtest.PlatformID, authtest.ShopID, h.Clock.Now().Unix()+10); err != nil {
		t.Fatal(err)
	}
	b.get("/my/miniprograms").wantPage(t, 200, "已取消授权")
	b.get("/my/miniprograms/"+authtest.ShopID).wantPage(t, 200, "已取消授权", `data-test="reauthorize"`)
	b.post("/my/miniprograms/"+authtest.ShopID+"/sync").wantPage(t, 409, "没有有效的授权")
}

func TestSyncReadsWeChatNowAndKeepsEverythingWhenItFails(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	h.authorised(me, authtest.ShopID)
	if _, err := h.DB.Exec(t.Context(), "UPDATE mini_program SET nick_name='旧名字' WHERE appid=?", authtest.ShopID); err != nil {
		t.Fatal(err)
	}
	path := "/my/miniprograms/" + authtest.ShopID
	b.post(path+"/sync").wantRedirect(t, path)
	b.get(path).wantPage(t, 200, "已同步到微信的最新资料", "街角咖啡")

	endpoint, ok := wechat.LookupEndpoint(wechat.EndpointAuthorizerInfo)
	if !ok {
		t.Fatal("no such endpoint")
	}
	h.Control("/control/faults", map[string]any{"path": endpoint.Path, "errcode": 61007, "times": 5})
	b.post(path+"/sync").wantPage(t, 502, "61007", "街角咖啡")
}

func TestGrantsAndTrailOfAMiniProgram(t *testing.T) {
	h := open(t)
	b, me := h.member("user@example.test", account.Personal)
	shop, them := h.member("shop@example.test", account.Merchant)
	h.authorised(me, authtest.ShopID)
	path := "/my/miniprograms/" + authtest.ShopID
	shop.get(path).wantPage(t, 404, "没有找到")
	if _, err := h.grants.Create(t.Context(), me, grant.Request{AppID: authtest.ShopID, SpaceID: them.SpaceID, Scopes: []string{"code.commit", "code.trial"}, Source: "installation", SourceKey: "installation:1"}); err != nil {
		t.Fatal(err)
	}
	b.get(path).wantPage(t, 200, "星辰科技", "上传代码、生成体验版")
	shop.get(path).wantPage(t, 200, "街角咖啡")
	b.get(path+"?tab=trail").wantPage(t, 200, "授权他人操作", "换取授权信息")
	mine := shop.get(path + "?tab=trail")
	mine.wantPage(t, 200, "还没有操作记录")
	if strings.Contains(mine.body, "授权他人操作") {
		t.Error("a guest sees acts of others")
	}
}
