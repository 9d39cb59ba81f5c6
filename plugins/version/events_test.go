package version

import (
	"reflect"
	"strings"
	"testing"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func grayStep(percent int, experiencersFirst bool) wechat.Gray {
	return wechat.Gray{Percentage: percent, ExperiencersFirst: experiencersFirst}
}

func inReview(t *testing.T) *scene {
	t.Helper()
	s := newScene(t)
	s.committed("1.0.0")
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
	return s
}

func TestAPushedVerdictReachesLanesHistoryAndOthers(t *testing.T) {
	for _, test := range []struct {
		event, news, state string
		status             int
	}{
		{wechat.AuditSuccess, "version.audit_passed", auditPassed, wechat.AuditPassed},
		{wechat.AuditFail, "version.audit_rejected", auditRejected, wechat.AuditRejected},
		{wechat.AuditDelay, "version.audit_delayed", auditDelayed, wechat.AuditDelayed},
	} {
		t.Run(test.event, func(t *testing.T) {
			s := inReview(t)
			s.wx.decide(test.status, "1:名称不符<br>(1)请修改<br>", "mediaA|mediaB")
			for range 3 { // at least once
				s.must(s.pushed(test.event, nil))
			}
			audit := s.lanes().Audit
			if audit.State != test.state {
				t.Fatalf("audit is %+v", audit)
			}
			if got := s.news(); !reflect.DeepEqual(got, []string{test.news}) {
				t.Fatalf("published %v", got)
			}
			if test.state == auditRejected && (!reflect.DeepEqual(audit.Reason, []string{"1:名称不符", "(1)请修改"}) || !reflect.DeepEqual(audit.Screenshots, []string{"mediaA", "mediaB"})) {
				t.Fatalf("audit is %+v", audit)
			}
			page, err := s.owner.Get(s.app(""))
			s.must(err)
			if !strings.Contains(page.Body, auditTag(test.state).Label) {
				t.Fatal("the page does not show it")
			}
		})
	}
}

func TestTheTrueStateWinsOverALatePush(t *testing.T) {
	s := inReview(t)
	s.wx.decide(wechat.AuditRejected, "x", "")
	s.must(s.pushed(wechat.AuditFail, nil))
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil)) // submitted again; now the old push comes a second time
	s.must(s.pushed(wechat.AuditFail, nil))
	if audit := s.lanes().Audit; audit.State != auditRunning || audit.AuditID != 1002 {
		t.Fatalf("audit is %+v", audit)
	}
}

func TestThePushsOwnWordsAreTakenWhenWeChatCannotBeAsked(t *testing.T) {
	s := inReview(t)
	s.wx.fail[wechat.EndpointLatestAudit] = []error{refusal(-1), refusal(-1), refusal(-1)}
	s.must(s.pushed(wechat.AuditFail, map[string]string{"FailTime": "1", "Reason": "旧的"})) // of an earlier review
	if audit := s.lanes().Audit; audit.State != auditRunning {
		t.Fatalf("an old push counted: %+v", audit)
	}
	s.must(s.pushed(wechat.AuditFail, map[string]string{"Reason": "名称不符<br>截图不清", "ScreenShot": "m1| m2"}))
	audit := s.lanes().Audit
	if audit.State != auditRejected || !reflect.DeepEqual(audit.Reason, []string{"名称不符", "截图不清"}) || !reflect.DeepEqual(audit.Screenshots, []string{"m1", "m2"}) {
		t.Fatalf("audit is %+v", audit)
	}
	if got := s.news(); !reflect.DeepEqual(got, []string{"version.audit_rejected"}) {
		t.Fatalf("published %v", got)
	}
	if err := s.pushed(wechat.AuditSuccess, nil); err == nil {
		t.Fatal("a push about no known review was dropped instead of tried again")
	}
}

func TestTheJobFindsWhatAPushDidNotBring(t *testing.T) {
	s := inReview(t)
	before := s.wx.sent(wechat.EndpointVersionInfo)
	s.wx.decide(wechat.AuditPassed, "", "")
	note, err := s.Job("sync-audits")
	s.must(err)
	if note != "核对 1 个，变化 1 个，失败 0 个" || s.wx.sent(wechat.EndpointVersionInfo) != before {
		t.Fatalf("note %q", note)
	}
	if got := s.news(); !reflect.DeepEqual(got, []string{"version.audit_passed"}) {
		t.Fatalf("published %v", got)
	}
	s.must(s.pushed(wechat.AuditSuccess, nil)) // the push after all
	if len(s.news()) != 1 {
		t.Fatalf("published %v", s.news())
	}
	asked := s.wx.sent(wechat.EndpointLatestAudit)
	note, err = s.Job("sync-audits")
	s.must(err)
	if note != "核对 0 个，变化 0 个，失败 0 个" || s.wx.sent(wechat.EndpointLatestAudit) != asked {
		t.Fatalf("a decided review is still followed: %q", note)
	}
}

func TestAFailingReadInTheJobChangesNothingAndIsCounted(t *testing.T) {
	s := inReview(t)
	before := s.lanes()
	s.wx.fail[wechat.EndpointLatestAudit] = []error{refusal(-1)}
	if _, err := s.Job("sync-audits"); err == nil {
		t.Fatal("a run in which all failed counts as good")
	}
	if after := s.lanes(); !reflect.DeepEqual(after.Audit, before.Audit) || after.SyncedAt != before.SyncedAt {
		t.Fatalf("changed %+v to %+v", before, after)
	}
}

func TestTheFirstReadFollowsTheAuthorisation(t *testing.T) {
	s := newScene(t)
	s.wx.online = &wechat.OnlineVersion{Time: 1_790_000_000, Version: "0.9.0", Desc: "旧"}
	s.wx.audit = fields{"auditid": 7, "status": wechat.AuditPassed, "user_version": "0.9.0", "user_desc": "旧", "submit_audit_time": 1_789_000_000}
	s.must(s.Event(sdk.Event{Type: "miniprogram.authorized", Component: testComponent, AppID: testApp, SpaceID: ownerSpace}))
	lanes := s.lanes()
	if lanes.Online == nil || lanes.Online.Version != "0.9.0" || lanes.Audit.State != auditReleased {
		t.Fatalf("lanes are %+v %+v", lanes.Online, lanes.Audit)
	}
	if len(s.news()) != 0 {
		t.Fatalf("old reviews are news: %v", s.news())
	}
}

func TestReasonsAreTextWhateverWeChatSends(t *testing.T) {
	s := inReview(t)
	s.wx.decide(wechat.AuditRejected, `1:<script>alert(1)</script>不符<br><br/>(1) a < b & "c"`, "")
	s.must(s.pushed(wechat.AuditFail, nil))
	page, err := s.owner.Get(s.app(""))
	s.must(err)
	if strings.Contains(page.Body, "<script") || !strings.Contains(page.Body, "a &lt; b &amp;") {
		t.Fatalf("page: %s", page.Body)
	}
	want := []string{"1:alert(1)不符", `(1) a < b & "c"`}
	if got := s.lanes().Audit.Reason; !reflect.DeepEqual(got, want) {
		t.Fatalf("reason %q, want %q", got, want)
	}
}

func TestAnUnknownStatusKeepsWhatIsKnown(t *testing.T) {
	s := inReview(t)
	s.wx.decide(9, "", "")
	s.must(s.owner.API("POST", s.app("/sync"), nil, nil))
	if audit := s.lanes().Audit; audit.State != auditRunning {
		t.Fatalf("audit is %+v", audit)
	}
}
