package admin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	gocontext "github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/modules/auth"
	"github.com/GoAdminGroup/go-admin/plugins/admin/models"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/parameter"

	"minifleet/app/account"
)

// Each test of a hole of goadmin.md first shows it on stock GoAdmin, then that the back office has it closed.

func TestSortDirectionCannotCarrySQL(t *testing.T) {
	plugins := newFakePlugins(3)
	h := open(t, Options{Plugins: plugins})
	raw, cookie := h.stock()
	attack := "?__sort=id&__sort_type=" + url.QueryEscape("asc,(select 1 from injected_table)")
	// What follows the direction is run as SQL: a table that exists gives the list, one that does not an error page.
	good := strings.Replace(attack, "injected_table", "goadmin_users", 1)
	h.at(t, raw).do("", "GET", "/admin/info/manager"+good+"&__ga_theme=sword", nil, withCookie(cookie)).want(t, 200, "member-200")
	h.at(t, raw).do("", "GET", "/admin/info/manager"+attack+"&__ga_theme=sword", nil, withCookie(cookie)).want(t, 200, "error-content").lacks(t, "member-200")

	h.get("operator", "/admin/info/manager"+attack).want(t, 404).lacks(t, "injected_table")
	h.get("merchant", "/admin/info/version_templates?__sort=name&__sort_type="+url.QueryEscape("asc,(select 1 from injected_table)")).want(t, 200, "模板 1").lacks(t, "injected_table")
	if last := plugins.asked[len(plugins.asked)-1]; last.Sort != "-name" {
		t.Errorf("sort reached the plugin as %q", last.Sort)
	}
	h.get("merchant", "/admin/info/version_templates?__sort="+url.QueryEscape("name,(select 1)")+"&__sort_type=asc").want(t, 200)
	if last := plugins.asked[len(plugins.asked)-1]; last.Sort != "" {
		t.Errorf("an unknown column reached the plugin as %q", last.Sort)
	}
}

func TestParameterNamesCannotCarrySQL(t *testing.T) {
	plugins := newFakePlugins(3)
	h := open(t, Options{Plugins: plugins})
	raw, cookie := h.stock()
	h.at(t, raw).do("", "GET", "/admin/info/manager?unknown=1&__ga_theme=sword", nil, withCookie(cookie)).want(t, 200, "member-200")
	h.at(t, raw).do("", "GET", "/admin/info/manager?injected_table_goadmin_join_name=1&__ga_theme=sword", nil, withCookie(cookie)).want(t, 200, "error-content").lacks(t, "member-200")

	h.get("merchant", "/admin/info/version_templates?injected_table_goadmin_join_name=1&state=listed&nonsense=2").want(t, 200).lacks(t, "injected_table", "nonsense")
	if last := plugins.asked[len(plugins.asked)-1]; len(last.Filters) != 1 || last.Filters["state"] != "listed" {
		t.Errorf("filters reached the plugin as %v", last.Filters)
	}
	h.get("merchant", "/admin/p/version/drafts?a_goadmin_join_b=1&__prefix=x&component=wx1").want(t, 200)
	if q := plugins.seen[len(plugins.seen)-1].Query; q.Encode() != "component=wx1" {
		t.Errorf("query reached the plugin's page as %q", q.Encode())
	}
}

func TestPrefixParameterCannotSwitchTables(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(3)})
	raw, cookie := h.stock()
	h.at(t, raw).do("", "GET", "/admin/info/roles?__prefix=manager&__ga_theme=sword", nil, withCookie(cookie)).want(t, 200, "member-200")

	h.get("merchant", "/admin/info/version_templates?__prefix=manager").want(t, 200, "模板 1").lacks(t, "member-200")
}

func TestAddressHeadersCannotSwitchPages(t *testing.T) {
	r := newRooms()
	h := open(t, Options{Services: r.services()})
	open := h.at(t, h.url)
	for _, name := range []string{"X-Url-Path", "X-Original-Url", "X-Rewrite-Url"} {
		open.do("merchant", "GET", "/admin/trail", nil, withHeader(name, "/admin/events")).want(t, 200, "操作日志", "submitAudit").lacks(t, "component_verify_ticket")
	}
	// The router alone follows the header: that is the hole.
	router := httptest.NewServer(h.router)
	defer router.Close()
	bare := h.at(t, router.URL)
	bare.do("", "GET", "/nowhere", nil).want(t, 404)
	if a := bare.do("", "GET", "/nowhere", nil, withHeader("X-Url-Path", "/admin/events")); a.StatusCode == 404 {
		t.Fatal("GoFrame no longer follows X-Url-Path; the strip can go")
	}
}

func TestSessionIDOfTheBrowserIsNeverAdopted(t *testing.T) {
	h := open(t, Options{})
	const fixed = "attackers-choice"
	req, err := http.NewRequest("GET", "/admin", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: auth.DefaultCookieKey, Value: fixed})
	if err := auth.SetCookie(gocontext.NewContext(req), models.UserModel{Id: 1}, h.admin.engine.conn); err != nil {
		t.Fatal(err)
	}
	count := func() int64 {
		n, err := h.db.Int(context.Background(), "SELECT COUNT(*) FROM goadmin_session WHERE sid=?", fixed)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count() != 1 {
		t.Fatal("GoAdmin no longer adopts the browser's session id")
	}
	if _, err := h.db.Exec(context.Background(), "DELETE FROM goadmin_session WHERE sid=?", fixed); err != nil {
		t.Fatal(err)
	}
	a := h.do("merchant", "GET", "/admin", nil, withCookie(&http.Cookie{Name: auth.DefaultCookieKey, Value: fixed})).want(t, 200, "工作台")
	if count() != 0 {
		t.Error("the browser's session id was stored")
	}
	if c := a.Header.Values("Set-Cookie"); len(c) > 0 {
		t.Errorf("the answer sets cookies: %v", c)
	}
}

func TestUnsafeRequestsNeedOurOwnOrigin(t *testing.T) {
	plugins := newFakePlugins(3)
	h := open(t, Options{Plugins: plugins, PublicURL: "https://fleet.example/"})
	raw, cookie := h.stock()
	if _, err := h.db.Exec(context.Background(), "INSERT INTO goadmin_roles (id, name, slug) VALUES (77, 'victim', 'victim')"); err != nil {
		t.Fatal(err)
	}
	h.at(t, raw).do("", "POST", "/admin/delete/roles", url.Values{"id": {"77"}}, withCookie(cookie), withHeader("Origin", "https://evil.example")).want(t, 200)
	if n, err := h.db.Int(context.Background(), "SELECT COUNT(*) FROM goadmin_roles WHERE id=77"); err != nil || n != 0 {
		t.Fatalf("stock GoAdmin refused a delete from elsewhere (%d rows, %v)", n, err)
	}
	for _, c := range []struct {
		name, origin, site string
		status             int
	}{
		{"another site", "https://evil.example", "", 403},
		{"another site, said by the browser", "SELF", "cross-site", 403},
		{"a sister site", "SELF", "same-site", 403},
		{"an opaque origin", "null", "", 403},
		{"neither header", "", "", 403},
		{"our page", "SELF", "same-origin", 303},
		{"our page, old browser", "SELF", "", 303},
		{"our page behind a proxy", "https://fleet.example", "same-origin", 303},
		{"no origin, but the browser vouches", "", "same-origin", 303},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(plugins.acted)
			origin := strings.ReplaceAll(c.origin, "SELF", h.url)
			h.do("merchant", "POST", "/admin/info/version_templates/delete", url.Values{"id": {"2"}}, withHeader("Origin", origin), withHeader("Sec-Fetch-Site", c.site)).want(t, c.status)
			if done := len(plugins.acted) > before; done != (c.status == 303) {
				t.Errorf("deleted: %v", done)
			}
		})
	}
}

func TestInstallerAndLoginOfGoAdminAreNotRouted(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	raw, _ := h.stock()
	if a := h.at(t, raw).do("", "POST", "/admin/install/database/check", url.Values{"host": {"127.0.0.1"}}); a.StatusCode == 404 || a.StatusCode == 302 {
		t.Fatalf("stock GoAdmin asks for a login now: %d", a.StatusCode)
	}
	for _, c := range []struct{ method, path string }{
		{"POST", "/admin/install/database/check"}, {"GET", "/admin/install"}, {"GET", "/admin/login"}, {"POST", "/admin/signin"},
		{"GET", "/admin/logout"}, {"GET", "/admin/menu"}, {"POST", "/admin/menu/new"}, {"GET", "/admin/info/manager"}, {"GET", "/admin/info/site/edit"},
		{"POST", "/admin/update/roles"}, {"POST", "/admin/server/login"}, {"GET", "/admin/application/info"}, {"GET", "/admin/operation/x"}, {"POST", "/admin/export/manager"},
	} {
		for _, who := range []string{"operator", "merchant"} {
			h.do(who, c.method, c.path, nil).want(t, 404)
		}
		if a := h.do("", c.method, c.path, nil); a.StatusCode != 302 || !strings.HasPrefix(a.Header.Get("Location"), "/login?return=") {
			t.Errorf("%s %s without login: %d %s", c.method, c.path, a.StatusCode, a.Header.Get("Location"))
		}
	}
}

func TestColumnsThatAreNotEditableCannotBeUpdatedInline(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	raw, cookie := h.stock()
	update := url.Values{"pk": {"1"}, "name": {"slug"}, "value": {"hacked"}}
	slug := func() int64 {
		n, err := h.db.Int(context.Background(), "SELECT COUNT(*) FROM goadmin_permissions WHERE id=1 AND slug='hacked'")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	h.do("operator", "POST", "/admin/update/permission", update).want(t, 404)
	if slug() != 0 {
		t.Fatal("updated through the guard")
	}
	h.at(t, raw).do("", "POST", "/admin/update/plain", update, withCookie(cookie)).want(t, 200)
	if slug() != 1 {
		t.Error("stock GoAdmin checks the column now")
	}
}

func TestStoredScriptStaysTextInCells(t *testing.T) {
	p := newFakePlugins(1)
	h := open(t, Options{Plugins: p})
	tbl, err := p.Table(context.Background(), people["merchant"], "version", "templates")
	if err != nil {
		t.Fatal(err)
	}
	ctx := gocontext.NewContext(&http.Request{URL: &url.URL{}, Header: http.Header{}})
	panel := generate(ctx, tbl, source{rows: func() []TableRow { return p.rows }})
	for i := range panel.GetInfo().FieldList {
		panel.GetInfo().FieldList[i].DisplayProcessChains = nil
	}
	info, err := panel.GetData(ctx, parameter.BaseParam())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(info.InfoList[0]["note"].Content); !strings.Contains(got, "<script>") {
		t.Fatalf("GoAdmin escapes by itself now: %s", got)
	}
	h.get("merchant", "/admin/info/version_templates").want(t, 200, "&lt;script&gt;alert").lacks(t, "<script>alert")
	h.get("merchant", "/admin/info/version_templates/edit?id=1").want(t, 200, "&lt;script&gt;alert").lacks(t, "<script>alert")
}

func TestVisitorsGoToThePortalsLoginAndComeBack(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	a := h.get("", "/admin/info/version_templates?state=listed").want(t, 302)
	if to := a.Header.Get("Location"); to != "/login?return="+url.QueryEscape("/admin/info/version_templates?state=listed") {
		t.Errorf("Location %s", to)
	}
	if to := h.get("expired", "/admin").want(t, 302).Header.Get("Location"); to != "/login?return=%2Fadmin" {
		t.Errorf("Location %s", to)
	}
	if to := h.do("", "POST", "/admin/info/version_templates/delete", url.Values{"id": {"1"}}).want(t, 302).Header.Get("Location"); to != "/login?return=%2Fadmin" {
		t.Errorf("Location %s", to)
	}
	a = h.do("", "GET", "/admin", nil, withHeader("HX-Request", "true")).want(t, 401)
	if a.Header.Get("HX-Redirect") == "" {
		t.Error("a script is not told where to go")
	}
}

func TestPersonalSpacesAreShownTheWayOut(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	for _, path := range []string{"/admin", "/admin/info/version_templates", "/admin/nothing"} {
		h.get("user", path).want(t, 403, "个人空间没有管理后台", `href="/my"`, "切换身份").lacks(t, "模板 1")
	}
}

func TestOnlyPathsOfThisSiteAreFollowed(t *testing.T) {
	for path, want := range map[string]bool{
		"/admin": true, "/admin/p/x?y=1#z": true, "": false, "//evil.example": false, "/\\evil.example": false, "https://evil.example": false,
		"javascript:alert(1)": false, "/\tevil": false, "admin": false, "/a\r\nSet-Cookie: x": false,
	} {
		if got := localPath(path); got != want {
			t.Errorf("localPath(%q) = %v", path, got)
		}
	}
	h := open(t, Options{Plugins: newFakePlugins(1)})
	if to := h.get("merchant", "/admin/p/version/away").want(t, 303).Header.Get("Location"); to != "/admin" {
		t.Errorf("a plugin sent the browser to %s", to)
	}
}

func TestStrangePathsAreRefusedBeforeTheRouter(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	for _, path := range []string{"/admin//info/version_templates", "/admin/p/version/../market/x", "/admin/%2e%2e/x", "/admin/p/version%2fdrafts", "/admin/p/version\\drafts", "/admin/./info/x"} {
		r, err := http.NewRequest("GET", h.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = path
		r.AddCookie(&http.Cookie{Name: account.Cookie, Value: "merchant"})
		res, err := noFollow.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 404 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	for _, path := range []string{"/admin", "/admin/nothing", "/admin/info/version_templates", "/admin/p/version/qr", "/admin/assets/admin.css"} {
		a := h.get("merchant", path)
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'self'; "} {
			if got := a.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
	}
}

func TestTooLongBodiesAreRefused(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	h.do("merchant", "POST", "/admin/p/version/drafts", url.Values{"x": {strings.Repeat("a", maxBody)}}).want(t, 400, "超过 8 MB")
}
