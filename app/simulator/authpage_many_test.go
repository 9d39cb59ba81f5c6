package simulator

import (
	"net/url"
	"strings"
	"testing"
)

func TestThePhoneFindsOneOfTenThousandMiniPrograms(t *testing.T) {
	g := startRig(t, Options{})
	ct := g.componentToken(g.bind())
	g.control("fleet", object{"count": 10_000, "prefix": "连锁门店", "admin": "liansuo"})
	g.program(testProgram, object{"nick_name": "Corner Café", "admin": "liansuo"})
	b := g.browser()
	page, _ := b.open(authorizationLink("", testComponent, g.preAuth(ct), "/wxaopen/safe/bindcomponent"), fromPlatform)
	action := formAction.FindStringSubmatch(page)[1]
	page, _ = b.open(action+"?person=liansuo", "")
	if n := strings.Count(page, `data-test="program-`); n != phonePerPage || !strings.Contains(page, `data-test="phone-total">10001<`) || len(page) > 40_000 {
		t.Fatalf("the first page lists %d of them in %d bytes", n, len(page))
	}
	second, _ := b.open(action+"?person=liansuo&page=2", "")
	if second == page || !strings.Contains(second, `data-test="phone-prev"`) || !strings.Contains(second, "第 2 / 501 页") {
		t.Error("there is no second page")
	}
	for _, search := range []string{"corner", " café ", testProgram, strings.ToUpper(testProgram)} {
		page, _ = b.open(action+"?person=liansuo&q="+url.QueryEscape(search), "")
		if strings.Count(page, `data-test="program-`) != 1 || !strings.Contains(page, "program-"+testProgram) {
			t.Errorf("the search for %q does not find it", search)
		}
	}
	if page, _ = b.open(action+"?person=liansuo&q=nothing", ""); !strings.Contains(page, `data-test="no-match"`) {
		t.Error("a search that finds nothing does not say so")
	}
	page, _ = b.open(action+"?person=liansuo&appid="+testProgram+"&q=0009", "")
	if !strings.Contains(page, "不在本页") || !strings.Contains(page, `name="set"`) {
		t.Error("what was chosen on another page is not named")
	}
	_, location := b.submit(action, url.Values{"person": {"liansuo"}, "appid": {testProgram}, "set": {"18"}, "action": {"confirm"}})
	if !strings.Contains(location, "auth_code=") {
		t.Errorf("went to %q", location)
	}
}
