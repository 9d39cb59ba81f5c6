package version

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// board reads the plugin's cards as the merchant.
func (s *scene) board() map[string]sdk.Figure {
	s.t.Helper()
	var cards []sdk.Card
	s.must(s.Call("dashboard", struct{}{}, &cards))
	figures := map[string]sdk.Figure{}
	for _, c := range cards {
		for _, f := range append(c.Figures, c.Todo...) {
			if figures[f.Key].Key == "" {
				figures[f.Key] = f
			}
		}
	}
	return figures
}

// listed counts the rows of the list that a figure leads to.
func (s *scene) listed(href string) int {
	s.t.Helper()
	u, err := url.Parse(href)
	s.must(err)
	filters := map[string]string{}
	for name := range u.Query() {
		filters[name] = u.Query().Get(name)
	}
	rows, _, err := s.Rows(strings.TrimPrefix(u.Path, "/admin/info/version_"), sdk.TableQuery{Filters: filters, Limit: 100})
	s.must(err)
	return len(rows)
}

func TestEveryReviewFigureIsTheLengthOfTheListBehindIt(t *testing.T) {
	s := newScene(t)
	before := s.board()
	if f := before["median"]; f.Value != nil || f.Reason == "" {
		t.Fatalf("without reviews the median is %+v, not unknown", f)
	}
	s.committed("1.0.0")
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
	s.wx.decide(wechat.AuditRejected, "1:类目不符", "")
	s.must(s.pushed(wechat.AuditFail, nil))
	s.Advance(30 * time.Minute)
	s.wx.mu.Lock()
	s.wx.now += 1800
	s.wx.mu.Unlock()
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil)) // the same version a second time
	s.wx.mu.Lock()
	s.wx.now += 7200
	s.wx.mu.Unlock()
	s.Advance(2 * time.Hour)
	s.wx.decide(wechat.AuditPassed, "", "")
	s.must(s.pushed(wechat.AuditSuccess, nil))
	s.approved("1.1.0") // at the first submit
	figures := s.board()
	for key, want := range map[string]int64{"decided": 3, "first_pass": 1, "audit_passed": 1, "audit_rejected": 0} {
		if f := figures[key]; f.Value == nil || *f.Value != want {
			t.Errorf("%s is %+v, want %d", key, f, want)
		}
	}
	for _, key := range []string{"decided", "first_pass"} {
		if f := figures[key]; int64(s.listed(f.Href)) != *f.Value {
			t.Errorf("%s says %d, its list %s has %d rows", key, *f.Value, f.Href, s.listed(f.Href))
		}
	}
	if !strings.Contains(figures["first_pass"].Note, "50%（1 / 2）") {
		t.Errorf("first pass: %+v", figures["first_pass"])
	}
	if f := figures["p90"]; f.Value == nil || *f.Value < 120 || f.Note != "样本 3 次" {
		t.Errorf("p90: %+v", f)
	}
	s.Advance(31 * 24 * time.Hour)
	if f := s.board()["decided"]; *f.Value != 0 || s.listed(f.Href) != 0 {
		t.Errorf("after the window: %+v", f)
	}
}

func TestTheQuotaIsUnknownUntilItWasReadAndThenSaysWhen(t *testing.T) {
	s := newScene(t)
	s.must(s.API("GET", "/components/"+testComponent+"/drafts", nil, nil))
	key := "quota_" + testComponent
	if f := s.board()[key]; f.Value != nil || f.Reason == "" {
		t.Fatalf("before it was read: %+v", f)
	}
	note, err := s.Job("read-quotas")
	s.must(err)
	f := s.board()[key]
	if f.Value == nil || *f.Value != 68 || !strings.Contains(f.Note, "共 100") || !strings.Contains(f.Note, "读取于 20") {
		t.Fatalf("after %q: %+v", note, f)
	}
	s.must(s.API("GET", "/components/"+testComponent+"/drafts", nil, nil)) // another sync keeps it
	if f := s.board()[key]; f.Value == nil || *f.Value != 68 {
		t.Fatalf("a draft sync lost the quota: %+v", f)
	}
	s.wx.fail[wechat.EndpointQuota] = []error{refusal(-1)}
	if _, err := s.Job("read-quotas"); err == nil {
		t.Error("a run in which all failed counts as good")
	}
	if f := s.board()[key]; f.Value == nil || *f.Value != 68 {
		t.Errorf("a failed reading blanked the quota: %+v", f)
	}
}

func TestTheBoardOfAnotherSpaceIsEmpty(t *testing.T) {
	s := newScene(t)
	s.approved("1.0.0")
	s.must(s.owner.API("POST", s.app("/release"), nil, nil))
	var mine, theirs []sdk.Card
	s.must(s.Call("dashboard", struct{}{}, &mine))
	s.must(s.nobody.Call("dashboard", struct{}{}, &theirs))
	spread := func(cards []sdk.Card) int {
		for _, c := range cards {
			if c.Key == "spread" {
				return len(c.Chart.Points)
			}
		}
		return -1
	}
	if spread(mine) != 1 || spread(theirs) != 0 {
		t.Fatalf("points: mine %d, of another space %d", spread(mine), spread(theirs))
	}
}

func TestQuantilesAreNearestRanks(t *testing.T) {
	var ten []time.Duration
	for i := range 10 {
		ten = append(ten, time.Duration(i+1)*time.Hour)
	}
	for percent, want := range map[int]time.Duration{50: 5 * time.Hour, 90: 9 * time.Hour, 100: 10 * time.Hour} {
		if got := quantile(ten, percent); got != want {
			t.Errorf("%d%%: %v, want %v", percent, got, want)
		}
	}
	if got := quantile(ten[:1], 50); got != time.Hour {
		t.Errorf("of one: %v", got)
	}
}
