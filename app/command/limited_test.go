package command_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	formShape  = regexp.MustCompile(`(?s)<form [^>]*?method="post"[^>]*?>.*?</form>`)
	formAction = regexp.MustCompile(`^<form [^>]*?action="([^"]+)"`)
	formInput  = regexp.MustCompile(`<(?:input|button|textarea) [^>]*?name="([^"]+)"[^>]*?>`)
	inputValue = regexp.MustCompile(` value="([^"]*)"`)
)

// endings are forms that are everybody's and end the visit or lead away from the space that is walked.
var endings = []string{"/logout", "/space", "/my/spaces", "/my/spaces/leave", "/my/data/close", "/prefs", "/demo/as"}

// hired invites somebody of the demo into another's present space and gives their session there.
func hired(d *running, boss client, login string, role map[string]any) client {
	d.t.Helper()
	role["login"] = login
	var in struct{ Link string }
	boss.must(http.StatusCreated, http.MethodPost, "/invitations", role, &in)
	who := client{d, d.login(login)}
	var m struct {
		SpaceID string `json:"space_id"`
	}
	who.must(http.StatusOK, http.MethodPost, "/invitations/token/"+path.Base(in.Link)+"/accept", nil, &m)
	who.must(http.StatusOK, http.MethodPut, "/me/space", map[string]any{"space_id": m.SpaceID}, nil)
	return who
}

// TestAMemberWhoReadsOnlyMeetsNoClosedDoor walks the portal as a 只读 member of a personal and of a merchant's space: no link
// and no form that is offered answers 403; what the role lacks is a button that is off and says why.
func TestAMemberWhoReadsOnlyMeetsNoClosedDoor(t *testing.T) {
	d := startDemo(t, binary(t))
	mainJob(t, d)
	for _, pair := range [][2]string{{"user", "merchant"}, {"merchant", "user"}} {
		who := hired(d, client{d, d.login(pair[0] + "@example.test")}, pair[1]+"@example.test", map[string]any{"role": "readonly"})
		pages, forms, off := 0, 0, 0
		for _, address := range portalPages(d, who.token, []string{"/my/miniprograms", "/my/spaces", "/my/members", "/my/exports", "/account", "/market", "/my/notices", "/my/security", "/my/tokens", "/my/data"}) {
			status, page := visit(t, d, who.token, address)
			if status == http.StatusForbidden {
				t.Errorf("%s of %s: %s answers 403", pair[1], pair[0], address)
			}
			pages++
			off += strings.Count(page, "mf-why")
			for _, form := range formShape.FindAllString(page, -1) {
				action := formAction.FindStringSubmatch(form)
				if action == nil || slices.Contains(endings, action[1]) {
					continue
				}
				forms++
				if status, answer := click(t, d, who.token, strings.ReplaceAll(action[1], "&amp;", "&"), filled(form)); status == http.StatusForbidden {
					t.Errorf("%s of %s: the form to %s on %s answers 403: %.300s", pair[1], pair[0], action[1], address, answer)
				}
			}
		}
		if pages < 10 || forms < 3 || off < 2 {
			t.Errorf("%s of %s: %d pages, %d forms, %d reasons: the walk is too short", pair[1], pair[0], pages, forms, off)
		}
	}
}

// portalPages follows the links of the portal from roots on and gives one address of every kind of page.
func portalPages(d *running, token string, roots []string) []string {
	d.t.Helper()
	var out []string
	seen := map[string]bool{}
	for queue := roots; len(queue) > 0 && len(out) < maxPages; queue = queue[1:] {
		u, err := url.Parse(queue[0])
		if err != nil || seen[shape(u)] {
			continue
		}
		seen[shape(u)] = true
		out = append(out, queue[0])
		_, page := visit(d.t, d, token, queue[0])
		for _, m := range href.FindAllStringSubmatch(page, -1) {
			next := html.UnescapeString(m[1])
			if !strings.HasPrefix(next, "/admin") && !slices.ContainsFunc(away, func(s string) bool { return strings.Contains(next, s) }) {
				queue = append(queue, next)
			}
		}
	}
	return out
}

// filled takes a form as it stands on the page.
func filled(form string) url.Values {
	v := url.Values{}
	for _, m := range formInput.FindAllStringSubmatch(form, -1) {
		value := ""
		if found := inputValue.FindStringSubmatch(m[0]); found != nil {
			value = found[1]
		}
		v.Add(m[1], value)
	}
	return v
}

// TestAMemberLimitedToMiniProgramsReadsNoOthersLog: list, one entry, export and the page in the back office.
func TestAMemberLimitedToMiniProgramsReadsNoOthersLog(t *testing.T) {
	d := startDemo(t, binary(t))
	mainJob(t, d)
	boss := client{d, d.login("merchant@example.test")}
	type entries struct {
		Items []struct {
			ID    string `json:"id"`
			AppID string `json:"appid"`
		}
		Total int64
	}
	boss.must(http.StatusOK, http.MethodPost, "/miniprograms/"+walkShop+"/sync", nil, nil)
	var all entries
	boss.must(http.StatusOK, http.MethodGet, "/trail?limit=100", nil, &all)
	foreign := ""
	for _, e := range all.Items {
		if e.AppID == walkShop {
			foreign = e.ID
		}
	}
	if foreign == "" {
		t.Fatalf("nothing was done to %s", walkShop)
	}
	const other = "wx00000000000000aa"
	who := hired(d, boss, "user@example.test", map[string]any{"role": "developer", "miniprograms": []string{other}})
	boss.must(http.StatusOK, http.MethodGet, "/trail?limit=100", nil, &all)
	var some entries
	who.must(http.StatusOK, http.MethodGet, "/trail?limit=100", nil, &some)
	for _, e := range some.Items {
		if e.AppID != "" && e.AppID != other {
			t.Errorf("the list shows entry %s of %s", e.ID, e.AppID)
		}
	}
	if len(some.Items) == 0 || some.Total >= all.Total {
		t.Errorf("%d of %d entries, in all %d", len(some.Items), some.Total, all.Total)
	}
	var none json.RawMessage
	who.must(http.StatusNotFound, http.MethodGet, "/trail/"+foreign, nil, &none)
	who.must(http.StatusNotFound, http.MethodGet, "/trail?appid="+walkShop, nil, &none)
	if status, page := visit(t, d, who.token, "/admin/trail"); status != http.StatusOK || strings.Contains(page, walkShop) {
		t.Errorf("/admin/trail: %d, or it names the mini program", status)
	}
	if status, _ := visit(t, d, who.token, "/admin/trail/"+foreign); status != http.StatusNotFound {
		t.Errorf("one entry in the back office: %d", status)
	}
	if status, file := click(t, d, who.token, "/admin/exports", url.Values{"table": {"trail"}, "format": {"csv"}, "scope": {"all"}}); status != http.StatusOK || strings.Contains(file, walkShop) || !strings.Contains(file, "操作人") {
		t.Errorf("the export: %d, or it names the mini program: %.200s", status, file)
	}
}
