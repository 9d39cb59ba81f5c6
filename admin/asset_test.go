package admin

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"minifleet/resource"
)

// outside finds an address of another site where a browser would follow it by itself.
var outside = regexp.MustCompile(`(?i)(?:src|srcset|action|formaction|poster|data)\s*=\s*["']?\s*(?:https?:)?//|<link[^>]+href\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?\s*(?:https?:)?//|@import`)

var linked = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)

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
			for _, inline := range []string{"<script>", "<style", " style=\"", " onclick=", "javascript:", "jquery"} {
				if strings.Contains(a.text, inline) {
					t.Errorf("%s: %s under a policy that forbids it", path, inline)
				}
			}
			for _, m := range linked.FindAllStringSubmatch(a.text, -1) {
				seen[m[1]] = true
			}
		}
	}
	assets, err := resource.Load()
	if err != nil {
		t.Fatal(err)
	}
	if assets.Missing() {
		t.Skip("the pages were not built: nothing is linked; run make pages")
	}
	if len(seen) != 2 {
		t.Fatalf("the pages link %v, want one sheet and one script", seen)
	}
	for file := range seen {
		if bad := outside.FindString(h.get("", file).want(t, http.StatusOK).text); bad != "" {
			t.Errorf("%s: %s", file, bad)
		}
	}
}
