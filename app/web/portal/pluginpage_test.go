package portal_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/plugins/sdk/pluginpb"
)

func id(n int64) string { return strconv.FormatInt(n, 10) }

func pageOf(title, html string) plugin.Response {
	return plugin.Response{Status: 200, Header: http.Header{}, Body: []byte(html), View: &plugin.View{Title: title}}
}

func TestPluginPageComesIntoTheFrame(t *testing.T) {
	h := open(t)
	var asked plugin.Request
	var by account.Actor
	h.plugins.answer = func(actor account.Actor, request plugin.Request) (plugin.Response, error) {
		asked, by = request, actor
		answer := pageOf("<b>咖啡</b>", `<p class="mf-muted">正文</p>`)
		answer.View.Subtitle = "<i>副</i>"
		answer.View.Crumbs = []*pluginpb.Crumb{{Title: "<u>市场</u>", Path: "/market"}, {Title: "外", Path: "https://evil.example"}}
		return answer, nil
	}
	h.plugins.menu = []plugin.MenuItem{{Title: "<s>我的安装</s>", Path: "/market/installations"}}
	b, actor := h.member("user@example.test", account.Personal)
	got := b.get("/market/coffee?q=1")
	got.wantPage(t, 200, "&lt;b&gt;咖啡&lt;/b&gt;", "&lt;i&gt;副&lt;/i&gt;", "&lt;u&gt;市场&lt;/u&gt;", `<p class="mf-muted">正文</p>`, "&lt;s&gt;我的安装")
	if strings.Contains(got.body, "evil.example") {
		t.Error("a crumb leads to another site")
	}
	if asked.Plugin != "market" || asked.Frame != plugin.FramePortal || asked.Prefix != "/market" || asked.Path != "/coffee" || asked.Query != "q=1" || by.SpaceID != actor.SpaceID {
		t.Errorf("%+v by %+v", asked, by)
	}
	b.get("/p/version/miniprograms/wx1").wantPage(t, 200, `href="/my/miniprograms" aria-current="page"`)
	if asked.Plugin != "version" || asked.Prefix != "" || asked.Path != "/miniprograms/wx1" {
		t.Errorf("%+v", asked)
	}
	b.post("/p/version/act", "a", "1")
	if asked.Method != http.MethodPost || string(asked.Body) != "a=1" {
		t.Errorf("%+v", asked)
	}
	b.get("/market")
	if asked.Path != "/" {
		t.Errorf("path of the mount itself: %q", asked.Path)
	}
}

func TestPluginAnswers(t *testing.T) {
	h := open(t)
	b, _ := h.member("user@example.test", account.Personal)
	serve := func(answer plugin.Response, err error) {
		h.plugins.answer = func(account.Actor, plugin.Request) (plugin.Response, error) { return answer, err }
	}
	redirect := pageOf("", "")
	redirect.View.Redirect, redirect.View.Flash = "/p/version/x?a=1", "已提交审核 <b>"

	t.Run("redirect with a flash", func(t *testing.T) {
		serve(redirect, nil)
		b.post("/p/version/x").wantRedirect(t, "/p/version/x?a=1")
		serve(pageOf("版本", "x"), nil)
		b.get("/p/version/x").wantPage(t, 200, "已提交审核 &lt;b&gt;")
	})
	t.Run("redirect of a script's request", func(t *testing.T) {
		serve(redirect, nil)
		b.header.Set("Hx-Request", "true")
		defer b.header.Del("Hx-Request")
		got := b.post("/p/version/x")
		if got.status != 200 || got.header.Get("Hx-Redirect") != "/p/version/x?a=1" {
			t.Errorf("%d %v", got.status, got.header)
		}
	})
	t.Run("redirect to another site", func(t *testing.T) {
		away := pageOf("", "")
		away.View.Redirect = "//evil.example"
		serve(away, nil)
		b.get("/p/version/x").wantPage(t, 503, "已拦截")
	})
	t.Run("fragment", func(t *testing.T) {
		bare := pageOf("x", "<li>3</li>")
		bare.View.Bare = true
		serve(bare, nil)
		if got := b.get("/p/version/x"); got.body != "<li>3</li>" {
			t.Errorf("%q", got.body)
		}
	})
	t.Run("image", func(t *testing.T) {
		serve(plugin.Response{Status: 200, Header: http.Header{"Content-Type": {"image/png"}}, Body: []byte("png")}, nil)
		got := b.get("/p/version/qr")
		if got.body != "png" || got.header.Get("Content-Type") != "image/png" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q %v", got.body, got.header)
		}
	})
	t.Run("down", func(t *testing.T) {
		serve(plugin.Response{}, fault.New(fault.Unavailable, "plugin.unavailable", "插件 version 暂时不可用"))
		got := b.get("/p/version/x")
		got.wantPage(t, 503, "暂时用不了", "插件 version 暂时不可用", "重试")
		if got.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	})
	t.Run("refused by WeChat", func(t *testing.T) {
		refusal := fault.New(fault.WeChat, "wechat_61007", "权限没有授权给平台")
		refusal.WeChat = &fault.Upstream{ErrCode: 61007, ErrMsg: "api is unauthorized <x>", RID: "1-2-3"}
		serve(plugin.Response{}, refusal)
		b.get("/p/version/x").wantPage(t, 502, "权限没有授权给平台", "61007", "rid: 1-2-3", "&lt;x&gt;")
	})
	t.Run("too large", func(t *testing.T) {
		called := false
		h.plugins.answer = func(account.Actor, plugin.Request) (plugin.Response, error) {
			called = true
			return pageOf("x", "x"), nil
		}
		b.post("/p/version/x", "file", strings.Repeat("a", 8<<20)).wantPage(t, 400, "8 MiB")
		if called {
			t.Error("the plugin was asked")
		}
	})
}

func TestAPluginsStaticFileIsServedBesideItsPages(t *testing.T) {
	h := open(t)
	b := h.browser()
	if got := b.get("/p/version/assets/abc/app.css"); got.status != 200 || got.body != "version abc" || got.header.Get("Content-Type") != "text/css" {
		t.Errorf("%d %q %v", got.status, got.body, got.header)
	}
	b.get("/p/version/assets/abc/other.css").wantPage(t, 404, "没有这个文件")
}

func TestAPageListensToATopicForAsLongAsTheSessionHolds(t *testing.T) {
	h := open(t)
	b, _ := h.member("user@example.test", account.Personal)
	if got := b.get("/p/version/topics/lanes"); got.status != 200 || !strings.HasPrefix(got.body, "data: version lanes ") || got.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %q %v", got.status, got.body, got.header)
	}
	h.browser().get("/p/version/topics/lanes").wantRedirect(t, "/login?return=%2Fp%2Fversion%2Ftopics%2Flanes")
}

func TestVisitorAtAPluginsPage(t *testing.T) {
	h := open(t)
	h.plugins.answer = func(actor account.Actor, request plugin.Request) (plugin.Response, error) {
		if request.Path == "/coffee" {
			return pageOf("咖啡", "公开"), nil
		}
		return plugin.Response{}, fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	b := h.browser()
	b.get("/market/coffee").wantPage(t, 200, "公开", `href="/login?return=%2Fmarket%2Fcoffee"`)
	b.get("/market/coffee/try?plan=1").wantRedirect(t, "/login?return=%2Fmarket%2Fcoffee%2Ftry%3Fplan%3D1")
	b.header.Set("Referer", h.server.URL+"/market/coffee")
	b.post("/market/coffee/try").wantRedirect(t, "/login?return=%2Fmarket%2Fcoffee")
	b.header.Set("Referer", "https://evil.example/market/coffee")
	b.post("/market/coffee/try").wantRedirect(t, "/login")
}
