package version

import (
	"testing"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// TestTheListsAreReadByREST reads what the back office's lists show, by their filters, as those who see them.
func TestTheListsAreReadByREST(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
	s.wx.decide(wechat.AuditRejected, "1:类目不符:<br>选择<b>餐饮</b>类目<br>", "shot-1|shot-2")
	s.must(s.pushed(wechat.AuditFail, nil))
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))

	for _, c := range []struct {
		name, query string
		who         func(string, string, any, any) error
		want        int
	}{
		{"all", "", s.API, 1}, {"of the mini program", "?appid=" + testApp, s.API, 1}, {"of another", "?appid=wxnone", s.API, 0}, {"of the state", "?state=running", s.API, 1},
		{"of another state", "?state=passed", s.API, 0}, {"of the platform app", "?component=" + testComponent, s.API, 1}, {"of another platform app", "?component=wxnone", s.API, 0},
		{"by name", "?name=小店", s.API, 1}, {"by another name", "?name=大店", s.API, 0}, {"of an online version", "?online_version=1.0.0", s.API, 0}, {"another space's", "", s.nobody.API, 0},
	} {
		var found sdk.Rows[LaneItem]
		s.must(c.who("GET", "/lanes"+c.query, nil, &found))
		if len(found.Items) != c.want || found.Total == nil || *found.Total != int64(c.want) {
			t.Errorf("%s: %d lanes, total %v, want %d", c.name, len(found.Items), found.Total, c.want)
		}
		for _, l := range found.Items {
			if l.AppID != testApp || l.Component != testComponent || l.Trial == nil || l.Trial.Version != "1.0.0" || l.Audit == nil || l.Audit.State != auditRunning || l.Online != nil || l.UpdatedAt == 0 {
				t.Errorf("%s: %+v", c.name, l)
			}
		}
	}

	for _, c := range []struct {
		name, query string
		who         func(string, string, any, any) error
		want        int
	}{
		{"all", "", s.API, 2}, {"the rejected", "?state=rejected", s.API, 1}, {"by result", "?result=rejected&days=30", s.API, 1}, {"passed", "?result=passed", s.API, 0},
		{"of the mini program", "?appid=" + testApp, s.API, 2}, {"of another", "?appid=wxnone", s.API, 0}, {"another space's", "", s.nobody.API, 0},
	} {
		var found sdk.Rows[AuditItem]
		s.must(c.who("GET", "/audits"+c.query, nil, &found))
		if len(found.Items) != c.want || found.Total == nil || *found.Total != int64(c.want) {
			t.Errorf("%s: %d reviews, total %v, want %d", c.name, len(found.Items), found.Total, c.want)
		}
		for _, a := range found.Items {
			if a.AppID != testApp || a.Name != "测试小店" || a.Version != "1.0.0" || a.ID == "" || a.Attempt == 0 || a.SubmittedAt == 0 {
				t.Errorf("%s: %+v", c.name, a)
			}
			if a.State == auditRejected && (len(a.Reason) != 2 || len(a.Screenshots) != 2 || a.DecidedAt == 0) {
				t.Errorf("%s: the rejection is %+v", c.name, a)
			}
		}
	}
	for _, query := range []string{"/lanes?state=nonsense", "/lanes?limit=101", "/audits?state=nonsense", "/audits?limit=-1", "/audits?days=8", "/audits?result=nonsense"} {
		if err := s.API("GET", query, nil, nil); len(sdk.FieldErrors(err)) != 1 {
			t.Errorf("%s is answered %v", query, err)
		}
	}
}

// TestTheListOfReviewsIsReadPageByPage asks with the cursor of the page before until there is none.
func TestTheListOfReviewsIsReadPageByPage(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	for range 3 {
		s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
		s.must(s.owner.API("POST", s.app("/audit/withdraw"), nil, nil))
	}
	seen, cursor := map[string]bool{}, ""
	for pages := 1; ; pages++ {
		var page sdk.Rows[AuditItem]
		s.must(s.API("GET", "/audits?limit=1&cursor="+cursor, nil, &page))
		for _, a := range page.Items {
			seen[a.ID] = true
		}
		if len(page.Items) != 1 || (page.Total != nil) != (cursor == "") {
			t.Fatalf("page %d: %+v", pages, page)
		}
		if cursor = page.Next; cursor == "" {
			if pages != 3 || len(seen) != 3 {
				t.Fatalf("%d reviews on %d pages", len(seen), pages)
			}
			return
		}
	}
}
