package command

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
)

// TestEveryActOfTheScreensIsARESTCall takes the routes of the screens from where they are served, as the walk with foreign
// ids does, and the calls from the running platform's /api.json: whoever adds a form has to say which call does the same.
func TestEveryActOfTheScreensIsARESTCall(t *testing.T) {
	w := startWorld(t)
	calls, routes, table := w.documented(), w.routes(), acts()
	for _, r := range routes {
		if _, known := table[r]; !known && changes(r) {
			t.Errorf("%s is an act of the screens without a row in acts_table_test.go: name the call of /api.json that does the same", r)
		}
	}
	told := 0
	for r, a := range table {
		if !slices.Contains(routes, r) {
			t.Errorf("%s is in the table, but nothing serves it", r)
		}
		if (len(a.rest) > 0) == (a.why != "") {
			t.Errorf("%s wants either its calls or a reason, and has %q and %q", r, a.rest, a.why)
		}
		for _, call := range a.rest {
			told++
			if !slices.Contains(calls, call) {
				t.Errorf("%s: %s is not in /api.json", r, call)
			}
		}
	}
	if told < 100 {
		t.Errorf("only %d calls are told: the table is not all there", told)
	}
	w.tablesAreShut(t, table)
}

// changes tells whether a route of the screens may change something: a GET does not, unless the table says so.
func changes(r string) bool {
	method, path, found := strings.Cut(r, " ")
	if !found {
		return true // every method
	}
	return method != http.MethodGet && !strings.HasPrefix(path, "/api/")
}

// TestEveryFieldOfAPluginsCallIsExplained looks at what only the running platform has: the calls that the plugins' manifests
// declare. The others are looked at in app/web.
func TestEveryFieldOfAPluginsCallIsExplained(t *testing.T) {
	fields := 0
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			props, _ := v["properties"].(map[string]any)
			for name, raw := range props {
				fields++
				if p, _ := raw.(map[string]any); p["$ref"] == nil && p["description"] == nil {
					t.Errorf("%s: %s has no meaning: add it to app/web/openapi_plugin.go", at, name)
				}
			}
			for _, x := range v {
				walk(at, x)
			}
		case []any:
			for _, x := range v {
				if p, ok := x.(map[string]any); ok && p["in"] != nil && (p["description"] == nil || p["description"] == "") {
					t.Errorf("%s: the parameter %v has no meaning: add it to app/web/openapi_plugin.go", at, p["name"])
				}
				walk(at, x)
			}
		}
	}
	for path, methods := range startWorld(t).document() {
		for method, call := range methods {
			walk(strings.ToUpper(method)+" "+path, call)
		}
	}
	if fields < 300 {
		t.Errorf("only %d fields were looked at", fields)
	}
}

// documented lists the calls of /api.json, as method and path.
func (w *world) documented() []string {
	w.t.Helper()
	var calls []string
	for path, methods := range w.document() {
		for method := range methods {
			calls = append(calls, strings.ToUpper(method)+" "+path)
		}
	}
	return calls
}

// document is the paths of the running platform's /api.json: path → method → call.
func (w *world) document() map[string]map[string]any {
	w.t.Helper()
	// Until an installation has an operator it answers no call.
	if _, err := w.p.accounts.Seed(w.t.Context(), account.Registration{Login: "operator@example.test", Password: "walk-Passw0rd-1", Name: "O", Kind: account.Platform, SpaceName: "平台", Agreed: true}); err != nil {
		w.t.Fatal(err)
	}
	status, answer, _ := w.send("", http.MethodGet, "/api.json", "", false)
	if status != http.StatusOK {
		w.t.Fatalf("/api.json: %d %s", status, short(answer))
	}
	var doc struct {
		Paths map[string]map[string]any
	}
	if err := json.Unmarshal([]byte(answer), &doc); err != nil {
		w.t.Fatal(err)
	}
	return doc.Paths
}

// tablesAreShut holds the reason shutTable against what the plugins' tables really declare.
func (w *world) tablesAreShut(t *testing.T, table map[string]act) {
	t.Helper()
	seen := 0
	for _, m := range w.p.plugins.Manifests() {
		for _, tbl := range m.GetTables() {
			at := "POST /admin/info/" + m.GetId() + "_" + tbl.GetName()
			for suffix, open := range map[string]bool{"/edit": tbl.GetCanEdit(), "/delete": tbl.GetCanRemove()} {
				if shut := table[at+suffix].why == shutTable; shut == open {
					t.Errorf("%s%s: the table declares %v, the reason says shut: %v", at, suffix, open, shut)
				}
				seen++
			}
			if tbl.GetCanCreate() && len(table[at+"/new"].rest) == 0 {
				t.Errorf("%s/new: rows can be made, so it needs a call of its own", at)
			}
		}
	}
	if seen == 0 {
		t.Error("no plugin has a table: nothing was compared")
	}
}
