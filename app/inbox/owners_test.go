package inbox

import (
	"testing"
)

func TestAPushOnSomebodyElsesPathIsStoredWithoutEffect(t *testing.T) {
	f := newFixture(t)
	for name, c := range map[string]struct {
		appid, to string
		inert     bool
	}{
		"its own":            {"wxmini", "gh_mini", false},
		"another's":          {"wxmini", "gh_other", true},
		"nobody's":           {"wxmini", "", true},
		"unknown appid":      {"wxstranger", "gh_mini", true},
		"not yet synced one": {"wxnew", "gh_new", true},
	} {
		f.events = nil
		f.owners[testComponent+"/wxnew"] = ""
		w := f.do(push{path: "/wechat/" + testComponent + "/message/" + c.appid, msg: audit(c.to)}.request(t))
		if w.Code != 200 || w.Body.String() != "success" || len(f.events) != 1 || f.events[0].Inert != c.inert || f.events[0].AppID != c.appid {
			t.Errorf("%s: %d %+v", name, w.Code, f.events)
		}
	}
	// A fresh authorisation counts at once.
	f.owners[testComponent+"/wxstranger"] = "gh_mini"
	f.do(push{path: "/wechat/" + testComponent + "/message/wxstranger", msg: audit("gh_mini")}.request(t))
	if f.events[len(f.events)-1].Inert {
		t.Error("an authorisation made a moment ago is not seen")
	}
	// A withdrawn one counts after Invalidate.
	delete(f.owners, testComponent+"/wxstranger")
	f.h.Invalidate(testComponent)
	f.do(push{path: "/wechat/" + testComponent + "/message/wxstranger", msg: audit("gh_mini")}.request(t))
	if !f.events[len(f.events)-1].Inert {
		t.Error("an authorisation that ended is still seen")
	}
}
