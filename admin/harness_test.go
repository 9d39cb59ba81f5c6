package admin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/gogf/gf/v2/frame/g"
	"github.com/gogf/gf/v2/net/ghttp"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/resource"
)

// people are the sessions that the tests log in with: the token is the name.
var people = map[string]account.Actor{
	"merchant": {AccountID: 1, SpaceID: 10, MemberID: 100, SessionID: 1000, Name: "商户小王", Login: "merchant@example.test", Space: "星河科技", Role: account.RoleOwner, SpaceKind: account.Merchant},
	"operator": {AccountID: 2, SpaceID: 20, MemberID: 200, SessionID: 2000, Name: "平台小李", Login: "operator@example.test", Space: "平台", Role: account.RoleOwner, SpaceKind: account.Platform},
	"user":     {AccountID: 3, SpaceID: 30, MemberID: 300, SessionID: 3000, Name: "用户小张", Login: "user@example.test", Space: "小张的空间", Role: account.RoleOwner, SpaceKind: account.Personal},
}

type fakeAccounts struct{}

func (fakeAccounts) Authenticate(_ context.Context, token string, _ int64) (account.Actor, error) {
	a, ok := people[token]
	if !ok {
		return account.Actor{}, fault.New(fault.Unauthenticated, "unauthenticated", "请先登录")
	}
	return a, nil
}

// house is a mounted back office behind its guard on a real server.
type house struct {
	t      *testing.T
	admin  *Admin
	db     *store.DB
	url    string
	router http.Handler
}

var serverNumber struct {
	sync.Mutex
	n int
}

func newServer() *ghttp.Server {
	serverNumber.Lock()
	defer serverNumber.Unlock()
	serverNumber.n++
	s := g.Server(fmt.Sprintf("admin-test-%d", serverNumber.n))
	s.SetDumpRouterMap(false)
	s.SetAddr("127.0.0.1:0")
	s.SetAccessLogEnabled(false)
	s.SetErrorLogEnabled(false)
	return s
}

func open(t *testing.T, o Options) *house {
	t.Helper()
	if o.DB == nil {
		o.DB = storetest.Open(t)
	}
	assets, err := resource.Load()
	if err != nil {
		t.Fatal(err)
	}
	o.Server, o.Head, o.Foot = newServer(), assets.Head(), assets.Foot()
	if o.Accounts == nil {
		o.Accounts = fakeAccounts{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(testWriter{t}, nil))
	}
	a, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := a.Mount(); err != nil {
		t.Fatal(err)
	}
	o.Server.SetHandler(func(w http.ResponseWriter, r *http.Request) { o.Server.ServeHTTP(w, r) })
	if err := o.Server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Server.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	guarded := a.Guard(http.HandlerFunc(o.Server.ServeHTTP))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, resource.AssetPrefix) {
			assets.Handler().ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return &house{t: t, admin: a, db: o.DB, url: front.URL, router: http.HandlerFunc(o.Server.ServeHTTP)}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// answer is a whole response.
type answer struct {
	*http.Response
	text string
}

var noFollow = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// do sends a request as one of the people, the way a browser would from a page of this site.
func (h *house) do(who, method, path string, form url.Values, change ...func(*http.Request)) answer {
	h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, h.url+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	if who != "" {
		r.AddCookie(&http.Cookie{Name: account.Cookie, Value: who})
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if method != http.MethodGet {
		r.Header.Set("Origin", h.url)
	}
	for _, f := range change {
		f(r)
	}
	res, err := noFollow.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		h.t.Fatal(err)
	}
	return answer{res, string(b)}
}

func (h *house) get(who, path string) answer {
	h.t.Helper()
	return h.do(who, http.MethodGet, path, nil)
}

func (a answer) want(t *testing.T, status int, parts ...string) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%.1500s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.text)
	}
	for _, p := range parts {
		if !strings.Contains(a.text, p) {
			t.Fatalf("%s %s: no %q in\n%.6000s", a.Request.Method, a.Request.URL, p, a.text)
		}
	}
	return a
}

func (a answer) lacks(t *testing.T, parts ...string) answer {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(a.text, p) {
			t.Fatalf("%s %s: %q is in the answer", a.Request.Method, a.Request.URL, p)
		}
	}
	return a
}
