package command

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNoSpaceReachesAnothers walks every route there is — REST from the router, portal and back office from their own
// lists, plugins from their manifests — with the ids of spaces A and U, as others. A route that is not in the table of
// tenancy_table_test.go fails it, so that nobody adds one without saying whose things it touches.
func TestNoSpaceReachesAnothers(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.routes() {
		if _, known := tenancy()[r]; !known {
			t.Errorf("%s is not in the table of tenancy_table_test.go", r)
		}
	}
	have := w.routes()
	for r := range tenancy() {
		if !slices.Contains(have, r) {
			t.Errorf("%s is in the table, but nothing serves it", r)
		}
	}
	for _, r := range have {
		if c, known := tenancy()[r]; known {
			t.Run(r, func(t *testing.T) { w.walk(t, r, c) })
		}
	}
	t.Run("a delivery of A's under B's own webhook", w.stepchild)
	t.Run("the access_token of a mini program by API tokens", w.broker)
}

// What a route is about.
const (
	object = "object" // one thing of A's or U's, named in the address or the body: 404 for all others
	list   = "list"   // what the asker has: never a thing of A's or U's
	own    = "own"    // the asker themselves: names nothing of anybody
	open   = "open"   // for visitors too; shows nothing of a space
	staff  = "staff"  // operators only: 403 or 404 for a merchant
	shut   = "shut"   // offered to nobody: 403 or 404 for all
	refuse = "refuse" // a thing of A's in the body, or a right that others lack: no way to success, whatever the status
)

// route says what a route is about, and what to send to it.
type route struct {
	about string
	fill  map[string]string // parameter of the address → key of world.ids
	body  string            // JSON or form; {key} stands for an id
	own   bool              // a member who may only read may do it too
	told  bool              // who has it is told 403 as well, since nothing can be done with it
}

// routes lists everything that is served to people and programs; WeChat's own doors and plain files are not.
func (w *world) routes() []string {
	w.t.Helper()
	var all []string
	for _, r := range w.p.web.Frame().GetRoutes() {
		if strings.HasPrefix(r.Route, "/api/v1/") {
			all = append(all, r.Method+" "+r.Route)
		}
	}
	all = append(all, w.p.portal.Routes()...)
	all = append(all, w.p.admin.Routes()...)
	for _, m := range w.p.plugins.Manifests() {
		for _, r := range m.GetRoutes() {
			where := " /p/" + m.GetId()
			if r.GetType() == "api" {
				where = " /api/v1/" + m.GetId()
			}
			all = append(all, r.GetMethod()+where+r.GetPattern())
		}
		for _, tbl := range m.GetTables() {
			at := "/admin/info/" + m.GetId() + "_" + tbl.GetName()
			all = append(all, "GET "+at, "GET "+at+"/edit", "POST "+at+"/edit", "POST "+at+"/delete")
			if tbl.GetCanCreate() {
				all = append(all, "GET "+at+"/new", "POST "+at+"/new")
			}
			for _, a := range tbl.GetActions() {
				all = append(all, "POST "+at+"/act/"+a.GetName())
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var parameter = regexp.MustCompile(`\{([a-z]+)(?:\.\.\.)?\}|\{\$\}`)

// address fills a pattern's parameters with the ids of the table.
func (w *world) address(pattern string, c route) string {
	return parameter.ReplaceAllStringFunc(pattern, func(p string) string {
		name := strings.Trim(p, "{}.$")
		key, named := c.fill[name]
		if !named {
			key = name
		}
		if id, known := w.ids[key]; known {
			return url.PathEscape(id)
		}
		return key
	})
}

var named = regexp.MustCompile(`\{([a-z_-]+)\}`)

// filled puts ids into a body or a query.
func (w *world) filled(text string) string {
	return named.ReplaceAllStringFunc(text, func(p string) string { return w.ids[strings.Trim(p, "{}")] })
}

// markers are the words that no other may ever see.
func (w *world) markers() []string {
	var out []string
	for _, key := range []string{"shop", "token", "grant", "installation", "event", "ticket", "waiting-ticket", "space_role", "invitation", "transfer_export", "transfer_import", "webhook", "notice", "notice_delivery", "trail", "invitation-token"} {
		out = append(out, w.ids[key])
	}
	return append(out, "别家小馆", "planted")
}

func (w *world) walk(t *testing.T, r string, c route) {
	method, pattern, found := strings.Cut(r, " ")
	if !found {
		method, pattern = http.MethodGet, r
	}
	page := !strings.HasPrefix(pattern, "/api/")
	path := w.address(pattern, c)
	if q := c.fill["?"]; q != "" {
		path += "?" + w.filled(q)
	}
	body := w.filled(c.body)
	if body == "" && !page && method != http.MethodGet {
		body = "{}"
	}
	w.nobody(t, c, method, path, body, page)
	paths := []string{path}
	if strings.HasPrefix(path, "/p/") { // a plugin's page stands in both frames
		paths = append(paths, "/admin"+path)
	}
	if c.about == own || c.about == open {
		return
	}
	for _, path := range paths {
		for _, who := range []string{"B", "P"} {
			w.other(t, c, who, method, path, body, page)
		}
	}
	if method == http.MethodGet && c.about == object {
		w.owner(t, path, page, c.told)
	}
	if method != http.MethodGet && c.about == object && !c.own {
		if status, answer, _ := w.send("R", method, path, body, page); status < 400 {
			t.Errorf("who may only read did %s %s: %d %s", method, path, status, short(answer))
		}
	}
}

// broker asks for the shop's access_token with API tokens that may ask: the owner's gets it, and for all
// others there is no such mini program, the merchant who may only upload to it included.
func (w *world) broker(t *testing.T) {
	const at = "/api/v1/miniprograms/" + shop + "/access-token"
	for who, want := range map[string]int{"U": http.StatusOK, "A": http.StatusNotFound, "B": http.StatusNotFound, "P": http.StatusNotFound} {
		var made struct{ Secret string }
		w.rest(who, "POST", "/tokens", map[string]any{"name": "broker", "scopes": []string{"token.access"}, "days": 7}, &made)
		w.tokens["token of "+who] = made.Secret
		status, answer, _ := w.send("token of "+who, http.MethodGet, at, "", false)
		if status != want || (status == http.StatusOK) != strings.Contains(answer, `"access_token":"`) {
			t.Errorf("%s is answered %d %s, want %d", who, status, short(answer), want)
		}
	}
}

// stepchild asks for a thing of A's below something that really is B's.
func (w *world) stepchild(t *testing.T) {
	who, err := w.p.accounts.Authenticate(t.Context(), w.tokens["B"], 0)
	if err != nil {
		t.Fatal(err)
	}
	own := w.plant("webhook", map[string]any{"space_id": who.SpaceID, "name": "mine"})
	for _, base := range []string{"/api/v1/webhooks/", "/admin/webhooks/"} {
		page := strings.HasPrefix(base, "/admin")
		if status, answer, _ := w.send("B", "GET", base+own, "", page); status != http.StatusOK {
			t.Fatalf("B's own webhook: %d %s", status, short(answer))
		}
		at := base + own + "/deliveries/" + w.ids["notice_delivery"]
		w.other(t, route{about: object}, "B", "GET", at, "", page)
		w.other(t, route{about: object}, "B", "POST", at+"/retry", "", page)
	}
}

// owner sees the thing that others do not: a 404 for all would only show that the address is wrong.
func (w *world) owner(t *testing.T, path string, page, told bool) {
	t.Helper()
	var answers []string
	for _, who := range []string{"A", "U", "O"} {
		status, answer, _ := w.send(who, http.MethodGet, path, "", page)
		if status < 400 || told && who == "A" && status == http.StatusForbidden {
			return
		}
		answers = append(answers, fmt.Sprintf("%s %d %s", who, status, short(answer)))
	}
	t.Errorf("no owner reaches %s: %s", path, strings.Join(answers, "; "))
}

// nobody is told to log in, before anything else.
func (w *world) nobody(t *testing.T, c route, method, path, body string, page bool) {
	t.Helper()
	if c.about == open {
		return
	}
	status, answer, header := w.send("", method, path, body, page)
	switch {
	case page && (status == http.StatusFound || status == http.StatusSeeOther) && strings.HasPrefix(header.Get("Location"), "/login"):
	case status == http.StatusUnauthorized:
	default:
		t.Errorf("nobody: %s %s gives %d %s: %s", method, path, status, header.Get("Location"), short(answer))
	}
	for _, m := range w.markers() {
		if strings.Contains(answer, m) && !strings.Contains(path, m) {
			t.Errorf("nobody sees %q", m)
		}
	}
}

// other is somebody whom the thing does not belong to.
func (w *world) other(t *testing.T, c route, who, method, path, body string, page bool) {
	t.Helper()
	status, answer, header := w.send(who, method, path, body, page)
	for _, m := range w.markers() {
		if strings.Contains(answer, m) && !strings.Contains(path, m) {
			t.Errorf("%s sees %q: %d %s", who, m, status, short(answer))
		}
	}
	switch {
	case c.about == object && status == http.StatusForbidden && who == "P":
		// a personal space has no such thing at all
	case c.about == object && status != http.StatusNotFound:
		t.Errorf("%s: %s %s gives %d (%s), want 404: %s", who, method, path, status, header.Get("Location"), short(answer))
	case (c.about == staff || c.about == shut) && status != http.StatusForbidden && status != http.StatusNotFound:
		t.Errorf("%s: %s %s gives %d, want 403 or 404: %s", who, method, path, status, short(answer))
	case c.about == refuse && (status < 400 || status >= 500), status >= 500:
		t.Errorf("%s: %s %s gives %d: %s", who, method, path, status, short(answer))
	}
}
