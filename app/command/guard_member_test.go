package command

import (
	"net/http"
	"strings"
	"testing"

	"minifleet/app/account"
)

// limitedMember makes R a member who may read everything of A's, but only about another mini program, and looks for
// the shop on every page and in every list and call.
func (w *world) limitedMember(t *testing.T) {
	limit := func(limited int, appids string) {
		if _, err := w.p.db.Exec(t.Context(), "UPDATE member SET limited=?, appids=? WHERE id=?", limited, appids, w.ids["reader"]); err != nil {
			t.Fatal(err)
		}
	}
	shows := func(answer, path string) bool {
		return strings.Contains(answer, "别家小馆") || strings.Contains(answer, shop) && !strings.Contains(path, shop)
	}
	paths := w.readable()
	before := map[string]bool{}
	for _, path := range paths {
		if status, answer, _ := w.as("R", http.MethodGet, path, "", func(*http.Request) {}); status == http.StatusOK && (shows(answer, path) || strings.Contains(path, shop)) {
			before[path] = true
		}
	}
	if len(before) < 8 {
		t.Errorf("only %d pages show the shop to a member without a limit: %v", len(before), before)
	}
	limit(1, "wx00000000000000ff")
	defer limit(0, "")
	for _, path := range paths {
		status, answer, _ := w.as("R", http.MethodGet, path, "", func(*http.Request) {})
		// What one was told before stays in one's own box, like mail; app/notice asks for the limit when it delivers.
		box := strings.HasPrefix(path, "/my/notices") || strings.HasPrefix(path, "/api/v1/notices")
		if status == http.StatusOK && !box && (shows(answer, path) || before[path] && strings.Contains(path, shop)) {
			t.Errorf("a member who is limited to another mini program sees the shop at %s: %d", path, status)
		}
	}
}

// readable are the addresses of all pages, lists and calls that only read, plugins' pages in both frames.
func (w *world) readable() []string {
	var out []string
	for _, route := range w.routes() {
		method, path := w.split(route)
		if method != http.MethodGet || strings.HasPrefix(path, "/demo/") {
			continue
		}
		if q := tenancy()[route].fill["?"]; q != "" {
			path += "?" + w.filled(q)
		}
		out = append(out, path)
		if strings.HasPrefix(path, "/p/") {
			out = append(out, "/admin"+path)
		}
	}
	return out
}

// narrowToken uses an API token of A's that may only read the operation log on every call there is.
func (w *world) narrowToken(t *testing.T) {
	who, err := w.p.accounts.Authenticate(t.Context(), w.tokens["A"], 0)
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := w.p.tokens.Create(t.Context(), who, account.TokenRequest{Name: "narrow", Scopes: []string{"trail.read"}, Days: 7})
	if err != nil {
		t.Fatal(err)
	}
	bearer := func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+secret)
		r.Header.Set("Content-Type", "application/json")
	}
	// What every token may do, whatever its scopes: know itself, hear, and what is open to visitors anyway.
	open := []string{"/api/v1/me", "/api/v1/notices", "/api/v1/trail", "/api/v1/market/listings", "/api/v1/exports", "/api/v1/imports", "/api/v1/webhooks/events", "/api/v1/authorizations/", "/api/v1/invitations/token/", "/api/v1/dashboard"}
	closed := 0
	for _, route := range w.routes() {
		method, path := w.split(route)
		if tenancy()[route].about == "open" && method == http.MethodPost && strings.HasPrefix(path, "/api/") {
			continue // logging in and registering look at no token
		}
		body := w.filled(tenancy()[route].body)
		if body == "" && method != http.MethodGet {
			body = "{}"
		}
		status, answer, header := w.as("", method, path, body, func(r *http.Request) { w.fromHere(r); bearer(r) })
		if !strings.HasPrefix(path, "/api/") {
			if about := tenancy()[route].about; about != "open" && !strings.HasPrefix(header.Get("Location"), "/login") && status != http.StatusUnauthorized {
				t.Errorf("a token opens the page %s %s: %d %s", method, path, status, short(answer))
			}
			continue
		}
		allowed := false
		for _, at := range open {
			allowed = allowed || strings.HasPrefix(path, at) && !strings.HasPrefix(path, "/api/v1/me/")
		}
		if allowed {
			continue
		}
		closed++
		if status != http.StatusForbidden && status != http.StatusUnauthorized {
			t.Errorf("a token for the operation log: %s %s gives %d %s", method, path, status, short(answer))
		}
	}
	if closed < 70 {
		t.Errorf("only %d calls were closed to it", closed)
	}
	if status, answer, _ := w.as("", "GET", "/api/v1/dashboard", "", bearer); status != http.StatusOK || strings.Contains(answer, "installation_") || strings.Contains(answer, "listing_") {
		t.Errorf("its work bench counts what it may not list: %d %s", status, answer)
	}
	if status, answer, _ := w.as("", "GET", "/api/v1/trail", "", bearer); status != http.StatusOK {
		t.Errorf("the one thing it is for: %d %s", status, short(answer))
	}
}
