package admin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/GoAdminGroup/go-admin/modules/config"
	goadmin "github.com/GoAdminGroup/go-admin/plugins/admin"
)

// systemTables are what GoAdmin's generators by name reach in every installation.
var systemTables = []string{"manager", "normal_manager", "permission", "roles", "op", "menu", "site", "generate"}

// stockRoutes are all addresses that stock GoAdmin serves, as it says itself, and its JSON calls, which are off by default.
func (h *house) stockRoutes() []string {
	h.t.Helper()
	plug := goadmin.NewAdmin()
	plug.InitPlugin(h.admin.engine.services)
	var patterns []string
	for p := range plug.GetHandler() {
		patterns = append(patterns, strings.ToUpper(p.Method)+" "+p.URL)
	}
	for _, call := range []string{"GET /api/list", "GET /api/detail", "POST /api/delete", "POST /api/edit", "GET /api/edit/form", "POST /api/create", "GET /api/create/form", "POST /api/export", "POST /api/update"} {
		method, path, _ := strings.Cut(call, " ")
		patterns = append(patterns, method+" "+config.Prefix()+path+"/:__prefix")
	}
	var out []string
	for _, p := range patterns {
		if !strings.Contains(p, ":__prefix") {
			out = append(out, strings.ReplaceAll(p, ":__goadmin_op_id", "1"))
			continue
		}
		for _, table := range systemTables {
			out = append(out, strings.ReplaceAll(p, ":__prefix", table))
		}
	}
	return out
}

func TestNothingOfStockGoAdminIsServed(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1)})
	routes := h.stockRoutes()
	if len(routes) < 80 {
		t.Fatalf("GoAdmin names only %d addresses: %v", len(routes), routes)
	}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if method == "" || strings.HasSuffix(path, "/") || path == Prefix {
			continue // the work bench, which is ours
		}
		for _, who := range []string{"operator", "merchant"} {
			if a := h.do(who, method, path, nil); a.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s gives %d", who, route, a.StatusCode)
			}
		}
		if a := h.do("", method, path, nil); a.StatusCode != http.StatusFound || !strings.HasPrefix(a.Header.Get("Location"), "/login?return=") {
			t.Errorf("a visitor: %s gives %d %s", route, a.StatusCode, a.Header.Get("Location"))
		}
	}
}

func TestTheBackOfficeSetsNoCookie(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(2)})
	for _, a := range []answer{
		h.get("merchant", "/admin"), h.get("merchant", "/admin/info/version_templates"), h.get("merchant", "/admin/info/version_templates/edit?id=1"), h.get("merchant", "/admin/nothing"), h.get("", "/admin"),
		h.do("merchant", "POST", "/admin/info/version_templates/delete", map[string][]string{"id": {"2"}}),
	} {
		if c := a.Header.Values("Set-Cookie"); len(c) > 0 {
			t.Errorf("%s %s sets %v", a.Request.Method, a.Request.URL.Path, c)
		}
	}
}

// GoAdmin's FieldOptions.SetSelected writes into the slice it is given: one member's filter would be chosen in another's page.
func TestOnesFilterIsNotChosenInAnothersList(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(3)})
	plain := h.get("merchant", "/admin/info/version_templates").want(t, 200)
	chosen := strings.Count(plain.text, " selected")
	mine := h.get("merchant", "/admin/info/version_templates?state=listed").want(t, 200)
	if got := strings.Count(mine.text, " selected"); got <= chosen {
		t.Fatalf("the chosen filter is not shown as chosen: %d and %d", got, chosen)
	}
	if got := strings.Count(h.get("merchant", "/admin/info/version_templates").want(t, 200).text, " selected"); got != chosen {
		t.Errorf("%d options are chosen in a list that nobody filtered, before it were %d", got, chosen)
	}
}
