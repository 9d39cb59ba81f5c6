package command

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
)

// TestTheGuardHolds tries on every route of the whole platform what admin/holes_test.go lists. The routes come from the
// running platform, as in TestNoSpaceReachesAnothers, so a new one is attacked without anybody thinking of it.
func TestTheGuardHolds(t *testing.T) {
	w := newWorld(t)
	t.Run("another site's page makes no browser act", w.forged)
	t.Run("no parameter carries SQL or a script", w.injected)
	t.Run("no call takes a field it does not name", w.overfilled)
	t.Run("no address leads to another site", w.ledAway)
	t.Run("no path leaves its folder or goes around the guard", w.strayed)
	t.Run("GoAdmin's own session opens nothing", w.withGoAdminSession)
	t.Run("a member sees the mini programs of their limit", w.limitedMember)
	t.Run("a member acts on the mini programs of their limit", w.limitedActs)
	t.Run("an API token reaches what its scopes say", w.narrowToken)
	t.Run("uploads are what they are", w.uploaded)
	t.Run("no password lies in the database", w.searched)
	t.Run("stored scripts stay text on every page", w.planted) // last: it overwrites what there is
}

// hostile is what a form of an attacker brings: it ends a quotation in SQL, an attribute and an element.
const hostile = `x' OR '1'='1";--><svg/onload=alert(1)>`

// raw is the part of hostile that stands in a page only when nobody has escaped it.
const raw = "<svg/onload"

// as makes one request with the session as a browser would hold it; change says what is wrong with it.
func (w *world) as(who, method, path, body string, change func(*http.Request)) (int, string, http.Header) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.base, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.URL.Opaque = path // as it is: an attacker's client does not tidy addresses up
	w.sent++
	req.Header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{11, byte(w.sent >> 16), byte(w.sent >> 8), byte(w.sent)}).String())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token := w.tokens[who]; token != "" {
		req.AddCookie(&http.Cookie{Name: account.Cookie, Value: token})
	}
	change(req)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode, string(answer), res.Header
}

// fromHere is a request from a page of this site.
func (w *world) fromHere(r *http.Request) {
	r.Header.Set("Origin", w.base)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
}

// split gives a route's method and address, filled with the ids of the table.
func (w *world) split(route string) (method, path string) {
	method, pattern, found := strings.Cut(route, " ")
	if !found {
		method, pattern = http.MethodPost, route
	}
	return method, w.address(pattern, tenancy()[route])
}

// forged sends every unsafe request as another site's page would make A's browser send it: with A's cookie.
func (w *world) forged(t *testing.T) {
	acts := func() int64 {
		n, err := w.p.db.Int(t.Context(), "SELECT COUNT(*) FROM trail WHERE account_id=?", w.ids["account"])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before, tried := acts(), 0
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for _, route := range w.routes() {
		method, path := w.split(route)
		if method == http.MethodGet {
			continue
		}
		tried++
		body := w.filled(tenancy()[route].body)
		for how, change := range map[string]func(*http.Request){
			"another origin":      header("Origin", "https://evil.example"),
			"our name elsewhere":  header("Origin", w.base+".evil.example"),
			"a sandboxed frame":   header("Origin", "null"),
			"said by the browser": header("Sec-Fetch-Site", "cross-site"),
			"a sister site":       func(r *http.Request) { w.fromHere(r); r.Header.Set("Sec-Fetch-Site", "same-site") },
			"no word":             func(*http.Request) {},
			"as text": func(r *http.Request) {
				r.Header.Set("Content-Type", "text/plain")
				r.Header.Set("Origin", "https://evil.example")
			},
			"another method": func(r *http.Request) {
				r.Header.Set("X-Http-Method-Override", "GET")
				r.Header.Set("Origin", "https://evil.example")
			},
			"another address": func(r *http.Request) {
				r.Header.Set("X-Url-Path", "/healthz")
				r.Header.Set("Origin", "https://evil.example")
			},
			"a scheme of its own": func(r *http.Request) {
				r.Header.Set("Authorization", "Basic eDp5")
				r.Header.Set("Origin", "https://evil.example")
			},
		} {
			if status, answer, _ := w.as("A", method, path, body, change); status != http.StatusForbidden || !strings.Contains(answer, "cross_origin") && !strings.Contains(answer, "已拒绝") {
				t.Errorf("%s %s, %s: %d %s", method, path, how, status, short(answer))
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d routes were tried", tried)
	}
	if now := acts(); now != before {
		t.Errorf("the operation log of A grew from %d to %d", before, now)
	}
	// Logging a victim in as somebody else needs no session of theirs.
	for _, path := range []string{"/login", "/login/second-factor", "/register", "/register/code", "/reset", "/reset/code", "/setup"} {
		if status, answer, _ := w.as("", "POST", path, "login=a@example.test", header("Origin", "https://evil.example")); status != http.StatusForbidden {
			t.Errorf("POST %s by a visitor: %d %s", path, status, short(answer))
		}
	}
}

// parameters are the names that lists, forms and REST calls read from the query.
var parameters = strings.Fields(`q state cursor id __sort __sort_type __pageSize __columns back last more view component appid type event role from to actor act object outcome
	kind list format target verdict unread limit source url_kind plugin space account category sort page template draft_id created_at return round code topic name login rid
	before after version status since until search subscriber errcode result title`)

// sqlWords stand in the answer only when a database complained.
var sqlWords = regexp.MustCompile(`(?i)syntax error|SQLITE_|no such (column|table)|unrecognized token|Error 1064`)

// injected puts hostile into every parameter of every page, list and call, and into their addresses.
func (w *world) injected(t *testing.T) {
	check := func(who, path string) (status int) {
		t.Helper()
		status, answer, header := w.as(who, http.MethodGet, path, "", func(*http.Request) {})
		html := strings.HasPrefix(header.Get("Content-Type"), "text/html")
		if status >= 500 || sqlWords.MatchString(answer) || html && strings.Contains(answer, raw) {
			t.Errorf("%s: GET %s: %d %s", who, path, status, short(answer))
		}
		for _, m := range w.markers() {
			// The demo's outbox shows everybody's mail to everybody: nobody has one there. It is not served outside the demo.
			if who == "B" && !strings.HasPrefix(path, "/demo/outbox") && strings.Contains(answer, m) && !strings.Contains(path, m) {
				t.Errorf("B sees %q at %s", m, path)
			}
		}
		return status
	}
	for _, route := range w.routes() {
		method, path := w.split(route)
		if method != http.MethodGet && strings.Contains(route, " ") || strings.HasPrefix(path, "/swagger") {
			continue
		}
		c := tenancy()[route]
		who := []string{"B"}
		if c.about == staff {
			who = []string{"O"}
		} else if c.about == object {
			who = []string{"B", "A"}
		}
		paths := []string{path}
		if strings.HasPrefix(path, "/p/") {
			paths = append(paths, "/admin"+path)
		}
		for _, person := range who {
			for _, path := range paths {
				check(person, path+"/"+url.PathEscape(hostile))
				check(person, path+"?"+url.Values{hostile: {"1"}, "x_goadmin_join_y": {"1"}, "__prefix": {"manager"}}.Encode())
				all := url.Values{}
				for _, name := range parameters {
					all.Set(name, hostile)
				}
				if check(person, path+"?"+all.Encode()) != http.StatusBadRequest {
					continue
				}
				for _, name := range parameters { // one that is refused hides the others
					check(person, path+"?"+url.Values{name: {hostile}}.Encode())
				}
			}
		}
	}
}

// overfilled gives every REST call what it does not name: whose row it is, who made it, what it may do.
func (w *world) overfilled(t *testing.T) {
	for _, route := range w.routes() {
		method, path := w.split(route)
		// The body of a DELETE is not read at all.
		if method == http.MethodGet || method == http.MethodDelete || !strings.HasPrefix(path, "/api/v1/") || strings.Contains(route, "/files/") || strings.HasSuffix(route, "POST /api/v1/imports") || strings.HasSuffix(route, "POST /api/v1/plugin-archives") {
			continue
		}
		if slices.ContainsFunc([]string{"version", "market", "hosting"}, func(p string) bool { return strings.HasPrefix(path, "/api/v1/"+p+"/") }) {
			continue // a plugin's own; the host writes owner and space itself: app/plugin/data_test.go
		}
		who := "A"
		if tenancy()[route].about == staff {
			who = "O"
		}
		for _, name := range []string{"space_id", "account_id", "member_id", "created_by", "mf_foreign"} {
			if strings.Contains(tenancy()[route].body, `"`+name+`"`) {
				continue
			}
			status, answer, _ := w.as(who, method, path, `{"`+name+`":"1"}`, func(r *http.Request) {
				w.fromHere(r)
				r.Header.Set("Content-Type", "application/json")
			})
			if status != http.StatusBadRequest || !strings.Contains(answer, name) {
				t.Errorf("%s %s with %s: %d %s", method, path, name, status, short(answer))
			}
		}
	}
}

// elsewhere are addresses that some browser takes for another site, or for a script.
var elsewhere = []string{
	"https://evil.example/", "//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`, `\\evil.example`, "https:evil.example", "https:/evil.example", "/\t/evil.example", "\t//evil.example",
	"/\n/evil.example", " //evil.example", "/%09/evil.example", "/%5cevil.example", "/.//evil.example", "/..//evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example\\@127.0.0.1", "/\x00/evil.example",
	"/x\r\nSet-Cookie: mf=1", "/x\r\n\r\n<script>",
}

// ledAway follows every redirect that a parameter, a form or a header might have a say in.
func (w *world) ledAway(t *testing.T) {
	check := func(what string, header http.Header) {
		t.Helper()
		if strings.Contains(strings.Join(header.Values("Set-Cookie"), ""), "mf=1") {
			t.Errorf("%s sets a cookie of its own", what)
		}
		for _, to := range append(header.Values("Location"), header.Values("Hx-Redirect")...) {
			if !staysHere(w.base, to) {
				t.Errorf("%s leads to %q", what, to)
			}
		}
	}
	to := func(address string) url.Values {
		q := url.Values{}
		for _, name := range []string{"return", "next", "ref", "redirect", "url", "to", "back", "return_to", "continue"} {
			q.Set(name, address)
		}
		return q
	}
	var heeding [][2]string // person and page that does something with such a parameter
	for _, route := range w.routes() {
		method, path := w.split(route)
		if method != http.MethodGet || strings.HasPrefix(path, "/api/") {
			continue
		}
		for _, who := range []string{"A", ""} {
			_, answer, header := w.as(who, http.MethodGet, path+"?"+to("/market/mf-marker").Encode(), "", func(*http.Request) {})
			if strings.Contains(answer, `="/market/mf-marker"`) || strings.Contains(header.Get("Location"), "mf-marker") {
				heeding = append(heeding, [2]string{who, path})
			}
			for _, away := range elsewhere[:3] {
				_, _, header := w.as(who, http.MethodGet, path+"?"+to(away).Encode(), "", func(*http.Request) {})
				check(who+" GET "+path+" with "+away, header)
			}
		}
	}
	if len(heeding) < 6 {
		t.Errorf("only %v heed where to go next", heeding)
	}
	for _, away := range elsewhere {
		q := to(away)
		for _, one := range heeding {
			_, answer, header := w.as(one[0], http.MethodGet, one[1]+"?"+q.Encode(), "", func(*http.Request) {})
			check(one[0]+" GET "+one[1]+" with "+away, header)
			if link := regexp.MustCompile(`(href|action)="[^"/]*(//|\\|:)[^"]*(evil|alert)`).FindString(answer); link != "" {
				t.Errorf("%s GET %s with %s links to %s", one[0], one[1], away, link)
			}
		}
		forms := map[string]url.Values{
			"/prefs": {"theme": {"dark"}}, "/space": {"space": {w.ids["space-u"]}}, "/my/security/confirm": {"password": {"walk-Passw0rd-1"}},
		}
		for path, form := range forms {
			for name, v := range q {
				form[name] = v
			}
			fresh := w.session("U")
			status, _, header := w.as("U", http.MethodPost, path, form.Encode(), w.fromHere)
			check("POST "+path+" with "+away, header)
			if path == "/my/security/confirm" && status != http.StatusSeeOther {
				t.Errorf("POST %s did nothing: %d", path, status)
			}
			w.tokens["U"] = fresh
		}
		for path, form := range map[string]url.Values{"/admin/lists/miniprograms/choice": {"column": {"name"}}, "/admin/lists/miniprograms/filters": {"title": {"x"}, "query": {away}}} {
			form.Set("return", away)
			_, _, header := w.as("A", http.MethodPost, path, form.Encode(), w.fromHere)
			check("POST "+path+" with "+away, header)
		}
		_, _, header := w.as("", http.MethodPost, "/login", url.Values{"login": {"user@example.test"}, "password": {"walk-Passw0rd-1"}, "return": {away}}.Encode(), w.fromHere)
		check("POST /login with "+away, header)
		if strings.ContainsAny(away, "\r\n\x00") {
			continue // no client can say that in a header
		}
		for _, name := range []string{"Referer", "Hx-Current-Url"} {
			_, _, header = w.as("", http.MethodPost, "/my/spaces", "", func(r *http.Request) { w.fromHere(r); r.Header.Set(name, away) })
			check("POST /my/spaces with "+name+" "+away, header)
		}
	}
}

// session opens a further session of a person, for acts that end one.
func (w *world) session(who string) string {
	w.t.Helper()
	actor, err := w.p.accounts.Authenticate(w.t.Context(), w.tokens[who], 0)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.p.accounts.SessionFor(w.t.Context(), actor, "127.0.0.1", "test")
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Token
}

// staysHere reads an address as browsers do: tabs and line breaks do not count, a backslash is a slash.
func staysHere(base, to string) bool {
	clean := strings.ReplaceAll(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(strings.TrimLeft(to, " \x00")), `\`, "/")
	if strings.HasPrefix(clean, "//") {
		return false
	}
	here, err1 := url.Parse(base)
	there, err2 := url.Parse(clean)
	if err1 != nil || err2 != nil {
		return false
	}
	end := here.ResolveReference(there)
	return end.Scheme == here.Scheme && end.Host == here.Host
}

// withGoAdminSession comes with the session that the guard made for A, and without A's own.
func (w *world) withGoAdminSession(t *testing.T) {
	if status, _, _ := w.send("A", "GET", "/admin/info/version_templates", "", true); status != http.StatusOK {
		t.Fatalf("A's list: %d", status)
	}
	rows, err := w.p.db.Maps(t.Context(), "SELECT sid FROM goadmin_session")
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d sessions of GoAdmin, %v", len(rows), err)
	}
	for _, row := range rows {
		cookie := fmt.Sprintf("Cookie: go_admin_session=%s", row["sid"])
		for _, path := range []string{"/admin", "/admin/trail", "/admin/info/version_templates", "/admin/info/manager", "/api/../admin/trail"} {
			if status, answer := w.wire(t, "GET", path, cookie); status == http.StatusOK || status >= 500 {
				t.Errorf("GET %s with GoAdmin's session: %d %s", path, status, short(answer))
			}
		}
	}
}
