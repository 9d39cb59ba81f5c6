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

// Whoever binds a platform app may sign under its keys whatever they like: it must not become news of a mini program that
// is somebody else's.
func TestAForgedPushAboutSomebodyElsesMiniProgramIsStoredWithoutEffect(t *testing.T) {
	f := newFixture(t)
	f.owners["wxffffffffffffffff/wxvictim"] = "gh_victim"
	const head = "<xml><AppId>" + testComponent + "</AppId><CreateTime>1760000000</CreateTime>"
	for name, c := range map[string]struct {
		msg   string
		inert bool
	}{
		"a violation of another's":          {head + "<InfoType>wxa_illegal_record</InfoType><appid>wxvictim</appid></xml>", true},
		"a registration of another's":       {head + "<InfoType>notify_third_fasteregister</InfoType><appid>wxvictim</appid><status>0</status></xml>", true},
		"a certification, by another field": {head + "<InfoType>notify_3rd_wxa_auth</InfoType><verify_appid>wxvictim</verify_appid></xml>", true},
		"an event that names no platform":   {"<xml><CreateTime>1760000000</CreateTime><MsgType>event</MsgType><Event>wxa_nickname_audit</Event><appid>wxvictim</appid></xml>", true},
		"one of its own":                    {head + "<InfoType>wxa_illegal_record</InfoType><appid>wxmini</appid></xml>", false},
		"a registration of a new one":       {head + "<InfoType>notify_third_fasteregister</InfoType><appid>wxnew</appid><status>0</status></xml>", false},
		"an authorisation of another's":     {head + "<InfoType>authorized</InfoType><AuthorizerAppid>wxvictim</AuthorizerAppid></xml>", false},
		"no mini program":                   {head + "<InfoType>notify_load</InfoType></xml>", false},
	} {
		f.events = nil
		w := f.do(push{path: "/wechat/" + testComponent + "/ticket", msg: c.msg}.request(t))
		if w.Code != 200 || len(f.events) != 1 || f.events[0].Inert != c.inert {
			t.Errorf("%s: %d %+v", name, w.Code, f.events)
		}
	}
}
