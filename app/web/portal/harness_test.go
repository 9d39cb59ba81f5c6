package portal_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/plugin"
	"minifleet/app/secret"
	"minifleet/app/store/storetest"
	"minifleet/app/web/portal"
	"minifleet/resource"
)

// house is the portal over real rooms on SQLite, with the simulator as WeChat and a plugin host that answers what the
// test tells it.
type house struct {
	*authtest.World
	t          *testing.T
	accounts   *account.Service
	grants     *grant.Service
	plugins    *fakePlugins
	extensions *fakeExtensions
	brought    []account.Permission // by extensions of the person's space
	tables     *fakeTables
	server     *httptest.Server
}

// contentPolicy is the server's own: nothing from elsewhere, nothing inline.
const contentPolicy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

type fakePlugins struct {
	answer func(actor account.Actor, request plugin.Request) (plugin.Response, error)
	menu   []plugin.MenuItem
}

func (f *fakePlugins) Pass(_ context.Context, actor account.Actor, request plugin.Request, body io.Reader) (plugin.Response, error) {
	var err error
	if request.Body, err = io.ReadAll(body); err != nil {
		return plugin.Response{}, err
	}
	if len(request.Body) > 8<<20 {
		return plugin.Response{}, fault.New(fault.Invalid, "plugin.body_too_large", "提交的内容超过 8 MiB，请减小后重试")
	}
	if f.answer == nil {
		return plugin.Response{}, fault.New(fault.NotFound, "plugin.page", "没有找到这个页面")
	}
	return f.answer(actor, request)
}

func (f *fakePlugins) ServeTopic(w http.ResponseWriter, r *http.Request, actor account.Actor, again func(context.Context) (account.Actor, error), id, topic string) error {
	if actor.Nobody() {
		return fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	now, err := again(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, err = io.WriteString(w, "data: "+id+" "+topic+" "+now.Name+"\n\n")
	return err
}

func (f *fakePlugins) ServeAsset(w http.ResponseWriter, _ *http.Request, _ account.Actor, id, sum, path string) error {
	if path != "app.css" {
		return fault.New(fault.NotFound, "plugin.asset", "没有这个文件")
	}
	w.Header().Set("Content-Type", "text/css")
	_, err := io.WriteString(w, id+" "+sum)
	return err
}

func (f *fakePlugins) Menu(context.Context, account.Actor, string) []plugin.MenuItem { return f.menu }

func open(t *testing.T, with ...account.Setting) *house {
	t.Helper()
	h := &house{World: authtest.New(t, storetest.Open(t)), t: t, plugins: &fakePlugins{}, extensions: newFakeExtensions(), tables: newFakeTables()}
	h.server = httptest.NewUnstartedServer(nil)
	h.own()
	h.accounts = account.New(h.DB, h.Clock, h.Trail, with...)
	h.grants = grant.New(h.DB, h.Clock, h.Trail, h.Apps)
	assets, err := resource.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := portal.New(portal.Options{
		Accounts: h.accounts, Tokens: account.NewTokens(h.DB, h.Trail, h.accounts), Components: h.Components, Apps: h.Apps, Grants: h.grants, Trail: h.Trail, Plugins: h.plugins, SpaceExtensions: h.extensions, Tables: h.tables, Assets: assets,
		Extensions: func(context.Context, account.Actor) ([]account.Permission, error) {
			return slices.Clone(h.brought), nil
		},
		PublicURL: "http://" + h.server.Listener.Addr().String(), Environment: "模拟环境", Clock: h.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/assets/", assets.Handler())
	mux.Handle("/", p.Handler())
	h.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// As app/web sets them before the portal is asked.
		w.Header().Set("Referrer-Policy", "same-origin")
		w.Header().Set("Content-Security-Policy", contentPolicy)
		mux.ServeHTTP(w, r)
	})
	h.server.Start()
	t.Cleanup(h.server.Close)
	return h
}

// own makes the portal's own address the domain from which authorisations start and to which they return.
func (h *house) own() {
	h.t.Helper()
	vault, err := secret.OpenFile(filepath.Join(h.t.TempDir(), "key.json"))
	if err != nil {
		h.t.Fatal(err)
	}
	host := h.server.Listener.Addr().String()
	h.Apps = miniprogram.New(h.DB, vault, h.Clock, h.Trail, h.WeChat, h.Components, h.World, miniprogram.Options{PublicURL: "http://" + host, PCHost: h.Sim.URL, H5Host: h.Sim.URL})
	h.Control("/control/components", map[string]any{"appid": authtest.PlatformID, "auth_domain": host})
}

// browser keeps cookies and does not follow redirects by itself.
type browser struct {
	h      *house
	client *http.Client
	header http.Header
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{h: h, header: http.Header{}, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) to() string { return a.header.Get("Location") }

func (b *browser) do(method, path string, form url.Values) answer {
	b.h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, b.h.server.URL+path, body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.client.Do(r)
	if err != nil {
		b.h.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.h.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

func (b *browser) get(path string) answer { b.h.t.Helper(); return b.do(http.MethodGet, path, nil) }

func (b *browser) post(path string, pairs ...string) answer {
	b.h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, form)
}

const password = "一匹马跑过草原 2026"

// member registers a person and gives their browser and who they are.
func (h *house) member(login string, kind account.Kind) (*browser, account.Actor) {
	h.t.Helper()
	b := h.browser()
	got := b.post("/register", "login", login, "password", password, "kind", string(kind), "space_name", "星辰科技", "agreed", "1")
	if got.status != http.StatusSeeOther {
		h.t.Fatalf("register %s: %d\n%s", login, got.status, got.body)
	}
	return b, h.who(b)
}

// who tells whom the browser's cookie belongs to.
func (h *house) who(b *browser) account.Actor {
	h.t.Helper()
	u, err := url.Parse(h.server.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, cookie := range b.client.Jar.Cookies(u) {
		if cookie.Name == account.Cookie {
			actor, err := h.accounts.Authenticate(h.t.Context(), cookie.Value, 0)
			if err != nil {
				h.t.Fatal(err)
			}
			return actor
		}
	}
	return account.Actor{}
}

var inline = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|<style|\son[a-z]+=|\sstyle=|javascript:`)

// wantPage checks the status and that the page holds each text, is whole, and breaks no rule of the content policy.
func (a answer) wantPage(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d\n%s", a.status, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("the page lacks %q\n%s", text, a.body)
		}
	}
	if !strings.Contains(a.body, `<html lang="zh-CN">`) || !strings.Contains(a.body, "</html>") {
		t.Error("the page has no frame")
	}
	if found := inline.FindString(a.body); found != "" {
		t.Errorf("inline script or style: %q", found)
	}
}

// wantRedirect checks where an answer leads.
func (a answer) wantRedirect(t *testing.T, to string) {
	t.Helper()
	if a.status != http.StatusSeeOther || a.to() != to {
		t.Fatalf("%d to %q, want a redirect to %q\n%s", a.status, a.to(), to, a.body)
	}
}
