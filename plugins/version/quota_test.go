package version

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"minifleet/app/wechat"
)

// lows are the quotas that were told to be nearly used up, and to whom.
func (s *scene) lows() []string {
	s.t.Helper()
	var told []string
	for _, e := range s.Published() {
		if e.Type != "version.quota_low" {
			continue
		}
		var data quotaLow
		s.must(e.Decode(&data))
		if e.Component != testComponent || e.SpaceID != merchantSpace || e.AppID != "" || data.Limit == 0 {
			s.t.Errorf("told %+v %+v", e, data)
		}
		told = append(told, data.Quota)
	}
	return told
}

func TestAQuotaThatRunsOutIsToldOnceUntilItRoseAgain(t *testing.T) {
	s := newScene(t)
	s.must(s.API("GET", "/components/"+testComponent+"/drafts", nil, nil))
	for _, step := range []struct {
		name  string
		quota wechat.Quota
		want  []string
	}{
		{"plenty", wechat.Quota{Rest: 68, Limit: 100, SpeedUpRest: 2, SpeedUpLimit: 5}, nil},
		{"a tenth left", wechat.Quota{Rest: 10, Limit: 100, SpeedUpRest: 2, SpeedUpLimit: 5}, []string{"audit"}},
		{"less still", wechat.Quota{Rest: 3, Limit: 100, SpeedUpRest: 2, SpeedUpLimit: 5}, []string{"audit"}},
		{"one 加急 left", wechat.Quota{Rest: 3, Limit: 100, SpeedUpRest: 1, SpeedUpLimit: 5}, []string{"audit", "speedup"}},
		{"a new month", wechat.Quota{Rest: 100, Limit: 100, SpeedUpRest: 5, SpeedUpLimit: 5}, []string{"audit", "speedup"}},
		{"used up again", wechat.Quota{Rest: 0, Limit: 100, SpeedUpRest: 0, SpeedUpLimit: 5}, []string{"audit", "speedup", "audit", "speedup"}},
		{"no quota at all is not low", wechat.Quota{}, []string{"audit", "speedup", "audit", "speedup"}},
	} {
		s.wx.mu.Lock()
		s.wx.quota = step.quota
		s.wx.mu.Unlock()
		if _, err := s.Job("read-quotas"); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := s.lows(); !slices.Equal(got, step.want) {
			t.Errorf("%s: told %v, want %v", step.name, got, step.want)
		}
	}
	s.draftsPageShows(0, 0)
}

// draftsPageShows compares the figures of the 工作台 with the page that they lead to.
func (s *scene) draftsPageShows(audit, speedUp int64) {
	s.t.Helper()
	board := s.board()
	for key, want := range map[string]int64{"quota_": audit, "speedup_": speedUp} {
		f := board[key+testComponent]
		if f.Value == nil || *f.Value != want || f.Href != draftsAddress+"?component="+testComponent {
			s.t.Errorf("%s: %+v", key, f)
		}
	}
	page, err := s.Get("/drafts?component=" + testComponent)
	s.must(err)
	for _, words := range []string{fmt.Sprintf(`data-quota="audit">%d<`, audit), fmt.Sprintf(`data-quota="speedup">%d<`, speedUp), "共 1 条"} {
		if !strings.Contains(page.Body, words) {
			s.t.Errorf("the drafts page lacks %q", words)
		}
	}
}

func TestAnOwnSubmitIsTakenOffTheQuotaThatIsShown(t *testing.T) {
	s := newScene(t)
	s.must(s.API("GET", "/components/"+testComponent+"/drafts", nil, nil))
	s.wx.mu.Lock()
	s.wx.quota = wechat.Quota{Rest: 68, Limit: 100, SpeedUpRest: 2, SpeedUpLimit: 5}
	s.wx.mu.Unlock()
	if _, err := s.Job("read-quotas"); err != nil {
		t.Fatal(err)
	}
	s.committed("1.0.0")
	s.Grant(testApp, merchantSpace, "data.read", "code.commit", "code.trial", "code.audit")
	s.must(s.API("POST", s.app("/audit"), nil, nil))
	s.draftsPageShows(67, 2)
}
