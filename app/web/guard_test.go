package web

import (
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/account"
	"minifleet/app/plugin"
)

func TestUnsafeRequestsFromElsewhereAreRefused(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	cookie := account.Cookie + "=" + token
	for _, tt := range []struct {
		name    string
		path    string
		headers []string
		want    int
	}{
		{"our page", "/market/x", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-origin"}, 200},
		{"our origin", "/market/x", []string{"Cookie", cookie, "Origin", "http://{host}"}, 200},
		{"the public address behind a proxy", "/market/x", []string{"Cookie", cookie, "Origin", "https://mf.example.test"}, 200},
		{"another site", "/market/x", []string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", "http://{host}"}, 403},
		{"a sister site", "/market/x", []string{"Cookie", cookie, "Sec-Fetch-Site", "same-site"}, 403},
		{"another origin", "/market/x", []string{"Cookie", cookie, "Origin", "https://evil.example"}, 403},
		{"a sandboxed frame", "/market/x", []string{"Cookie", cookie, "Origin", "null"}, 403},
		{"no word of where from", "/market/x", []string{"Cookie", cookie}, 403},
		{"logging a victim in", "/login", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"logging a victim in, old browser", "/login", []string{"Origin", "https://evil.example"}, 403},
		{"registering for a victim", "/register", []string{"Origin", "https://evil.example"}, 403},
		{"REST with the cookie", "/api/v1/components", []string{"Cookie", cookie, "Origin", "https://evil.example"}, 403},
		{"REST with a token", "/api/v1/components", []string{"Authorization", "Bearer " + token}, 400},
		{"a plugin's REST with the cookie", "/api/v1/version/x", []string{"Cookie", cookie}, 403},
		{"another case of the scheme beside the cookie", "/api/v1/components", []string{"Cookie", cookie, "Authorization", "Basic eDp5"}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range tt.headers {
				tt.headers[i] = strings.ReplaceAll(tt.headers[i], "{host}", strings.TrimPrefix(h.url, "http://"))
			}
			if a := h.do("POST", tt.path, "{}", tt.headers...); a.status != tt.want {
				t.Errorf("%d %s, want %d", a.status, a.text, tt.want)
			}
		})
	}
	if a := h.do("GET", "/market/x", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site"); a.status != 200 {
		t.Errorf("a link from another site must open: %d", a.status)
	}
}

func TestHeadersThatRedirectRoutersAreStripped(t *testing.T) {
	var seen http.Header
	h := newHouse(t, func(o *Options) {
		o.Portal = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() })
	})
	h.do("GET", "/", "", "X-Url-Path", "/admin", "X-Original-Url", "/admin", "X-Rewrite-Url", "/admin")
	for _, name := range []string{"X-Url-Path", "X-Original-Url", "X-Rewrite-Url"} {
		if seen.Get(name) != "" {
			t.Errorf("%s came through", name)
		}
	}
	// GoFrame serves the address of X-Url-Path instead of the requested one when it gets the header.
	if a := h.do("GET", "/api/v1/nothing", "", "X-Url-Path", "/api/v1/me"); a.code() != "no_such_address" {
		t.Errorf("GoFrame was told another address: %s", a.text)
	}
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/", "/api/v1/me", "/healthz", "/api.json"} {
		a := h.do("GET", path, "")
		csp := a.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'self'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe-inline") {
			t.Errorf("%s: CSP %q", path, csp)
		}
		if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Referrer-Policy") == "" || len(a.header.Get("X-Request-Id")) < 8 {
			t.Errorf("%s: %v", path, a.header)
		}
		if strings.Contains(strings.ToLower(a.header.Get("Server")), "goframe") {
			t.Errorf("%s tells the server's make: %s", path, a.header.Get("Server"))
		}
	}
	if got := h.do("GET", "/", "", "X-Request-Id", "given-by-the-proxy").header.Get("X-Request-Id"); got != "given-by-the-proxy" {
		t.Errorf("a fitting id must be kept, got %q", got)
	}
	if got := h.do("GET", "/", "", "X-Request-Id", "bad id<script>").header.Get("X-Request-Id"); strings.Contains(got, "<") {
		t.Errorf("an unfitting id came back: %q", got)
	}
}

func TestAPanicBecomesAChineseErrorWithTheRequestID(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		o.Portal = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret cause") })
	})
	a := h.do("GET", "/market", "")
	if a.status != 500 || !strings.Contains(a.text, "系统出错了") || !strings.Contains(a.text, a.header.Get("X-Request-Id")) || strings.Contains(a.text, "secret cause") {
		t.Errorf("page: %d %s", a.status, a.text)
	}
}

func TestAPanicInATypedHandlerShowsNoCause(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Platform, "op@example.test")
	h.server.o.Jobs = nil
	a := h.as(token, "GET", "/api/v1/jobs", "")
	if a.status != 500 || a.code() != "internal" || strings.Contains(a.text, "nil pointer") {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestHealthReadinessAndMetrics(t *testing.T) {
	h := newHouse(t)
	if a := h.do("GET", "/healthz", ""); a.status != 200 {
		t.Errorf("healthz %d", a.status)
	}
	if a := h.do("GET", "/readyz", ""); a.status != 200 {
		t.Errorf("readyz %d %s", a.status, a.text)
	}
	h.plugins.state = plugin.Backoff
	if a := h.do("GET", "/readyz", ""); a.status != 503 {
		t.Errorf("readyz with a plugin down: %d", a.status)
	}
	if a := h.do("GET", "/metrics", ""); a.status != 200 || !strings.Contains(a.text, "minifleet_http_request_seconds_count") || strings.Contains(a.text, `status="0"`) {
		t.Errorf("metrics %d %s", a.status, a.text)
	}
}

func TestPushesGoPastTheRouterAndUnknownPagesToThePortal(t *testing.T) {
	h := newHouse(t)
	if a := h.do("POST", "/wechat/wx1/ticket", "x"); a.text != "inbox /wechat/wx1/ticket" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := h.do("GET", "/my", ""); a.text != "portal /my" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestTheLogHoldsNoTicketTokenOrPassword(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "m@example.test")
	h.as(token, "GET", "/api/v1/me", "")
	h.do("POST", "/api/v1/sessions", `{"login":"m@example.test","password":"`+password+`"}`)
	h.do("GET", "/auth/return/signed-ticket-value?auth_code=queryauthcode-value", "")
	for _, hidden := range []string{token, password, "signed-ticket-value", "queryauthcode-value"} {
		if strings.Contains(h.log.String(), hidden) {
			t.Errorf("the log holds %q", hidden)
		}
	}
}

func TestStoppingLetsARunningRequestFinish(t *testing.T) {
	running := make(chan struct{})
	h := newHouse(t, func(o *Options) {
		o.Portal = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(running)
			time.Sleep(300 * time.Millisecond)
			_, _ = io.WriteString(w, "finished")
		})
	})
	done := make(chan reply, 1)
	go func() { done <- h.do("GET", "/slow", "") }()
	<-running
	if err := h.server.Stop(); err != nil {
		t.Fatal(err)
	}
	if a := <-done; a.status != 200 || a.text != "finished" {
		t.Errorf("%d %q", a.status, a.text)
	}
	if res, err := http.Get(h.url + "/healthz"); err == nil {
		_ = res.Body.Close()
		t.Error("it still takes requests after Stop")
	}
}

func TestAnAddressInUseIsAnErrorAndNotAnExit(t *testing.T) {
	h := newHouse(t)
	o := h.server.o
	o.Name, o.Metrics = "web-test-second-"+rand.Text(), prometheus.NewRegistry() // one that never started keeps its name taken
	if err := New(o).Start(strings.TrimPrefix(h.url, "http://")); err == nil {
		t.Error("two servers on one address")
	}
}
