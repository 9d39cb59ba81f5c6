package portal_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/web/portal"
	"minifleet/resource"
)

// stage is the demo with one person.
type stage struct{ user account.Actor }

func (s stage) Enter(_ context.Context, role string) (account.Actor, error) {
	switch role {
	case "user":
		return s.user, nil
	case "operator":
		return account.Actor{}, nil // not made yet
	}
	return account.Actor{}, fault.InvalidInput().On("role", "没有这个身份")
}

func (s stage) Tour(_ context.Context, who account.Actor) (portal.Tour, error) {
	return portal.Tour{Role: "user", Member: !who.Nobody(), Steps: []portal.TourStep{{Key: "find", Title: "找到模板"}}}, nil
}

func TestOutsideTheDemoThereIsNoSwitchBetweenPeople(t *testing.T) {
	h := open(t)
	b := h.browser()
	if a := b.do("POST", "/demo/login", url.Values{"role": {"operator"}}); a.status != 404 || a.header.Get("Set-Cookie") != "" {
		t.Errorf("POST /demo/login: %d, cookie %q", a.status, a.header.Get("Set-Cookie"))
	}
	if a := b.do("GET", "/demo/tour", nil); a.status != 404 {
		t.Errorf("GET /demo/tour: %d", a.status)
	}
	if a := b.do("GET", "/login", nil); strings.Contains(a.body, "tour") {
		t.Error("the tour's script is on a page outside the demo")
	}
}

func TestTheDemoLogsInByOneClick(t *testing.T) {
	h := open(t)
	who, err := h.accounts.Seed(t.Context(), account.Registration{Login: "user@example.test", Password: "demo-password-1", Name: "李小店", Kind: account.Personal, SpaceName: "李小店", Agreed: true})
	if err != nil {
		t.Fatal(err)
	}
	h.inDemo(t, stage{who})
	b := h.browser()
	for role, want := range map[string]int{"root": 400, "operator": 503} {
		if a := b.do("POST", "/demo/login", url.Values{"role": {role}}); a.status != want || strings.Contains(a.header.Get("Set-Cookie"), account.Cookie+"=") {
			t.Errorf("%s: %d, cookie %q", role, a.status, a.header.Get("Set-Cookie"))
		}
	}
	if a := b.do("GET", "/demo/login", nil); a.status == 200 || a.status == 303 {
		t.Errorf("a mere link logged in: %d", a.status)
	}
	if a := b.do("POST", "/demo/login", url.Values{"role": {"user"}}); a.status != 303 || a.to() != "/my/miniprograms" {
		t.Fatalf("user: %d to %s", a.status, a.to())
	}
	var tour portal.Tour
	if a := b.do("GET", "/demo/tour", nil); a.status != 200 || json.Unmarshal([]byte(a.body), &tour) != nil || !tour.Member || len(tour.Steps) != 1 {
		t.Errorf("tour: %d %s", a.status, a.body)
	}
	if a := b.do("GET", "/my/miniprograms", nil); !strings.Contains(a.body, "/assets/tour.js") {
		t.Error("the page has no tour")
	}
}

// inDemo puts a portal with the demo's doors in the place of the house's own.
func (h *house) inDemo(t *testing.T, d portal.Demo) {
	t.Helper()
	assets, err := resource.Load()
	if err != nil {
		t.Fatal(err)
	}
	p, err := portal.New(portal.Options{
		Accounts: h.accounts, Tokens: account.NewTokens(h.DB, h.Trail, h.accounts), Components: h.Components, Apps: h.Apps, Grants: h.grants, Trail: h.Trail, Plugins: h.plugins, Assets: assets,
		PublicURL: h.server.URL, Clock: h.Clock, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Demo: d, PageEnd: `<script src="/assets/tour.js" defer></script>`,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.server = httptest.NewServer(p.Handler())
	t.Cleanup(h.server.Close)
}
