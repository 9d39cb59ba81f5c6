package command

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/transfer"
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
		if status >= 500 {
			t.Errorf("the limit breaks %s: %d %s", path, status, short(answer))
		}
		// What one was told before stays in one's own box, like mail; app/notice asks for the limit when it delivers.
		box := strings.HasPrefix(path, "/my/notices") || strings.HasPrefix(path, "/api/v1/notices")
		if status == http.StatusOK && !box && (shows(answer, path) || before[path] && strings.Contains(path, shop)) {
			t.Errorf("a member who is limited to another mini program sees the shop at %s: %d", path, status)
		}
	}
}

// limitedActs makes R an administrator who is limited to another mini program, and acts on the shop in every way there is.
func (w *world) limitedActs(t *testing.T) {
	role := func(role string, limited int, appids string) {
		if _, err := w.p.db.Exec(t.Context(), "UPDATE member SET role=?, limited=?, appids=? WHERE id=?", role, limited, appids, w.ids["reader"]); err != nil {
			t.Fatal(err)
		}
	}
	defer role(account.RoleReadOnly, 0, "")
	role(account.RoleAdmin, 0, "")
	if files := w.exported(t); files < 2 {
		t.Errorf("only %d files show the shop to an administrator without a limit", files)
	}
	role(account.RoleAdmin, 1, "wx00000000000000ff")
	if files := w.exported(t); files != 0 {
		t.Errorf("%d files show the shop to a member who is limited to another mini program", files)
	}
	tried := 0
	for _, route := range w.routes() {
		method, path := w.split(route)
		c := tenancy()[route]
		body := w.filled(c.body)
		if method == http.MethodGet || c.about != object || !strings.Contains(path+body, shop) && !strings.Contains(path, w.ids["grant"]) {
			continue
		}
		tried++
		kind := "application/x-www-form-urlencoded"
		if strings.HasPrefix(path, "/api/") {
			kind = "application/json"
			if body == "" {
				body = "{}"
			}
		}
		status, answer, _ := w.as("R", method, path, body, func(r *http.Request) { w.fromHere(r); r.Header.Set("Content-Type", kind) })
		if status != http.StatusNotFound && status != http.StatusForbidden {
			t.Errorf("limited to another mini program: %s %s gives %d %s", method, path, status, short(answer))
		}
	}
	if tried < 20 {
		t.Errorf("only %d acts were tried", tried)
	}
}

// exported asks as R for a file of every list and counts those in which the shop stands.
func (w *world) exported(t *testing.T) (files int) {
	t.Helper()
	for _, list := range []string{"miniprograms", "trail", "members", "events", "version_templates", "version_lanes", "version_audits", "market_installations", "market_listings"} {
		status, answer, _ := w.send("R", "POST", "/api/v1/exports", `{"list":"`+list+`","format":"csv"}`, false)
		if status >= 400 {
			continue // no such file for this role
		}
		var e struct{ ID, State, Error string }
		if err := json.Unmarshal([]byte(answer), &e); err != nil {
			t.Fatal(err)
		}
		id := e.ID
		for end := time.Now().Add(time.Minute); e.State != transfer.Done; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) || e.State == transfer.Failed {
				t.Fatalf("the file of %s stays %+v", list, e)
			}
			w.rest("R", "GET", "/exports/"+id, nil, &e)
		}
		if _, file, _ := w.send("R", "GET", "/api/v1/exports/"+id+"/file", "", false); strings.Contains(file, shop) || strings.Contains(file, "别家小馆") {
			files++
		}
		w.rest("R", "DELETE", "/exports/"+id, nil, nil)
	}
	return files
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
	open := []string{"/api/v1/me", "/api/v1/notices", "/api/v1/trail", "/api/v1/market/listings", "/api/v1/exports", "/api/v1/imports", "/api/v1/webhooks/events", "/api/v1/event-types", "/api/v1/authorizations/", "/api/v1/invitations/token/", "/api/v1/dashboard"}
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
