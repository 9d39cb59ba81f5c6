package portal_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/web/portal"
	"minifleet/resource"
)

// secured is the same portal as one that browsers reach by the given address.
func (h *house) secured(publicURL string) http.Handler {
	h.t.Helper()
	assets, err := resource.Load()
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := portal.New(portal.Options{
		Accounts: h.accounts, Tokens: account.NewTokens(h.DB, h.Trail, h.accounts), Components: h.Components, Apps: h.Apps, Grants: h.grants, Trail: h.Trail, Plugins: h.plugins, Assets: assets,
		PublicURL: publicURL, Clock: h.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return p.Handler()
}

func TestCookiesAreOutOfReachOfScriptsOfOtherSitesAndOfPlainHTTP(t *testing.T) {
	for publicURL, secure := range map[string]bool{"https://fleet.example": true, "https://fleet.example/": true, "http://127.0.0.1:8080": false} {
		t.Run(publicURL, func(t *testing.T) {
			h := open(t)
			h.member("user@example.test", account.Personal)
			handler, jar, seen := h.secured(publicURL), map[string]string{}, map[string]bool{}
			send := func(method, path string, form ...string) {
				t.Helper()
				values := url.Values{}
				for i := 0; i+1 < len(form); i += 2 {
					values.Set(form[i], form[i+1])
				}
				r := httptest.NewRequest(method, path, strings.NewReader(values.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				for name, value := range jar {
					r.AddCookie(&http.Cookie{Name: name, Value: value})
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				for _, c := range w.Result().Cookies() {
					seen[c.Name], jar[c.Name] = true, c.Value
					if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || c.Domain != "" || !strings.HasPrefix(c.Path, "/") {
						t.Errorf("%s %s sets %s", method, path, c.Raw)
					}
				}
			}
			send("POST", "/prefs", "theme", "dark")
			send("POST", "/prefs", "lang", "en")
			jar[account.Cookie] = "0123456789012345678901234567890123456789" // an attacker's choice
			send("POST", "/login", "login", "user@example.test", "password", password)
			if jar[account.Cookie] == "0123456789012345678901234567890123456789" || len(jar[account.Cookie]) < 40 {
				t.Errorf("the session after the login is %q", jar[account.Cookie])
			}
			before := jar[account.Cookie]
			send("POST", "/my/security/confirm", "password", password)
			send("POST", "/my/security/password", "password", password, "new_password", "another horse", "again", "another horse")
			if jar[account.Cookie] == before {
				t.Error("the session is the same after the password was changed")
			}
			send("GET", "/my/security")
			send("POST", "/logout")
			for _, name := range []string{account.Cookie, account.DeviceCookie, "minifleet_flash", "mf_theme", "mf_lang"} {
				if !seen[name] {
					t.Errorf("%s was never set: the test proves nothing about it; seen %v", name, seen)
				}
			}
		})
	}
}
