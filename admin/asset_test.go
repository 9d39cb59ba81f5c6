package admin

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestAssetsAreLocalImmutableAndNeedNoLogin(t *testing.T) {
	h := open(t, Options{})
	address, err := h.admin.assets.address(swordCSS)
	if err != nil {
		t.Fatal(err)
	}
	a := h.get("", address).want(t, 200, ".sidebar-menu")
	if a.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/css") || a.Header.Get("ETag") == "" {
		t.Errorf("headers %v", a.Header)
	}
	h.do("", "GET", address, nil, withHeader("If-None-Match", a.Header.Get("ETag"))).want(t, 304)
	for _, path := range []string{"/admin/assets/nothing.js", "/admin/assets/layout.tmpl", "/admin/assets/../admin.css", "/admin/assets/dist/", "/admin/assets/"} {
		h.get("", path).want(t, 404)
	}
	h.do("", "POST", address, url.Values{}).want(t, 404)
}

// outside finds an address of another site where a browser would follow it by itself.
var outside = regexp.MustCompile(`(?i)(?:src|srcset|action|formaction|poster|data)\s*=\s*["']?\s*(?:https?:)?//|<link[^>]+href\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?\s*(?:https?:)?//|@import`)

var linked = regexp.MustCompile(`(?:src|href)="(/admin/assets/[^"]+)"`)

func TestNoPageAsksAnotherSite(t *testing.T) {
	h, _ := withRooms(t)
	h.do("merchant", "POST", "/admin/miniprograms/links", url.Values{"component": {bound}}).want(t, 303)
	seen := map[string]bool{}
	for who, paths := range map[string][]string{
		"merchant": {"/admin", "/admin/components", "/admin/components/new", "/admin/components/" + bound, "/admin/components/wx2222222222222222/setup", "/admin/miniprograms", "/admin/miniprograms/links/ticket1", "/admin/trail", tableURL, tableURL + "/new", tableURL + "/edit?id=1", "/admin/p/version/drafts", "/admin/nothing"},
		"operator": {"/admin", "/admin/events", "/admin/events/77", "/admin/jobs", "/admin/jobs/prune", "/admin/plugins", "/admin/trail"},
		"user":     {"/admin"},
	} {
		for _, path := range paths {
			a := h.get(who, path)
			if bad := outside.FindString(a.text); bad != "" {
				t.Errorf("%s: %s", path, bad)
			}
			for _, inline := range []string{"<script>", "<style", " style=\"", " onclick=", "javascript:"} {
				if strings.Contains(a.text, inline) {
					t.Errorf("%s: %s under a policy that forbids it", path, inline)
				}
			}
			for _, m := range linked.FindAllStringSubmatch(a.text, -1) {
				seen[m[1]] = true
			}
		}
	}
	if len(seen) < 3 {
		t.Fatalf("the pages link %v", seen)
	}
	for file := range seen {
		if bad := outside.FindString(h.get("", file).want(t, 200).text); bad != "" {
			t.Errorf("%s: %s", file, bad)
		}
	}
}

func TestAddressesOfOtherSitesAreCutFromStyleSheets(t *testing.T) {
	in := `@import url("https://fonts.example/x.css");a{background:url(//cdn.example/x.png)}b{src:url('http://x/y.woff')}c{background:url(../img/ok.png)}`
	if got := elsewhere.ReplaceAllLiteralString(in, "url()"); outside.MatchString(got) || !strings.Contains(got, "../img/ok.png") {
		t.Errorf("left %s", got)
	}
}
