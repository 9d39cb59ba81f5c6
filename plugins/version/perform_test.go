package version

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func TestAVersionGoesFromUploadToOnlineAndBack(t *testing.T) {
	s := newScene(t)
	s.approved("1.0.0")
	if audit := s.lanes().Audit; audit.State != auditPassed || audit.By != "店主" {
		t.Fatalf("audit is %+v", audit)
	}
	s.must(s.owner.API("POST", s.app("/release"), nil, nil))
	lanes := s.lanes()
	if lanes.Online == nil || lanes.Online.Version != "1.0.0" || lanes.Audit.State != auditReleased || lanes.Online.By != "店主" {
		t.Fatalf("after release online is %+v, audit %+v", lanes.Online, lanes.Audit)
	}
	if lanes.Online.Template == "" || lanes.Online.Template != lanes.Trial.Template {
		t.Fatalf("online comes from template %q, trial from %q", lanes.Online.Template, lanes.Trial.Template)
	}

	s.approved("1.1.0")
	s.must(s.owner.API("POST", s.app("/gray"), map[string]any{"gray_percentage": 30}, nil))
	if gray := s.lanes().Gray; gray == nil || gray.Percent != 30 {
		t.Fatalf("gray is %+v", gray)
	}
	err := s.owner.API("POST", s.app("/gray"), map[string]any{"gray_percentage": 20}, nil)
	if sdk.FieldErrors(err)["gray_percentage"] == "" {
		t.Fatalf("a smaller percentage gave %v", err)
	}
	if err := s.owner.API("POST", s.app("/rollback"), nil, nil); !strings.Contains(sdk.Message(err), "请先终止灰度") {
		t.Fatalf("rollback during gray gave %v", err)
	}
	s.must(s.owner.API("POST", s.app("/gray/revert"), nil, nil))
	s.must(s.owner.API("POST", s.app("/release"), nil, nil))
	s.must(s.owner.API("POST", s.app("/rollback"), map[string]any{"from": "1.1.0"}, nil))
	if lanes := s.lanes(); lanes.Online.Version != "1.0.0" || lanes.Gray != nil {
		t.Fatalf("after rollback online is %+v, gray %+v", lanes.Online, lanes.Gray)
	}
	if s.wx.sent(wechat.EndpointRelease) != 2 || s.wx.sent(wechat.EndpointRollback) != 1 {
		t.Fatalf("calls: %v", s.wx.calls)
	}
}

// acts are the operations that must never take effect twice, each with the state it starts from.
var acts = []struct {
	act      string
	endpoint string
	prepare  func(*scene)
	post     func(*scene) error
}{
	{actSubmit, wechat.EndpointSubmitAudit, func(s *scene) { s.committed("1.0.0") }, func(s *scene) error { return s.owner.API("POST", s.app("/audit"), nil, nil) }},
	{actWithdraw, wechat.EndpointUndoAudit, func(s *scene) {
		s.committed("1.0.0")
		s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
	}, func(s *scene) error { return s.owner.API("POST", s.app("/audit/withdraw"), nil, nil) }},
	{actRelease, wechat.EndpointRelease, func(s *scene) { s.approved("1.0.0") }, func(s *scene) error { return s.owner.API("POST", s.app("/release"), nil, nil) }},
	{actGray, wechat.EndpointGrayRelease, twoVersions, func(s *scene) error {
		return s.owner.API("POST", s.app("/gray"), map[string]any{"gray_percentage": 30}, nil)
	}},
	{actUngray, wechat.EndpointRevertGray, func(s *scene) {
		twoVersions(s)
		s.must(s.owner.API("POST", s.app("/gray"), map[string]any{"gray_percentage": 30}, nil))
	}, func(s *scene) error { return s.owner.API("POST", s.app("/gray/revert"), nil, nil) }},
	{actRollback, wechat.EndpointRollback, func(s *scene) {
		twoVersions(s)
		s.must(s.owner.API("POST", s.app("/release"), nil, nil))
	}, func(s *scene) error { return s.owner.API("POST", s.app("/rollback"), nil, nil) }},
	{actCommit, wechat.EndpointCommit, func(s *scene) { s.template() }, func(s *scene) error {
		return s.API("POST", s.app("/commit"), map[string]any{"template_id": 0, "user_version": "1.0.0", "user_desc": "首版"}, nil)
	}},
}

// twoVersions leaves 1.0.0 online and 1.1.0 approved.
func twoVersions(s *scene) {
	s.approved("1.0.0")
	s.must(s.owner.API("POST", s.app("/release"), nil, nil))
	s.approved("1.1.0")
}

func TestASecondClickWhileTheFirstIsOnItsWayIsRefused(t *testing.T) {
	for _, test := range acts {
		t.Run(test.act, func(t *testing.T) {
			s := newScene(t)
			test.prepare(s)
			before := s.wx.sent(test.endpoint)
			var second error
			s.wx.hook[test.endpoint] = func() { second = test.post(s) }
			s.must(test.post(s))
			if !errors.Is(second, sdk.ErrConflict) || !strings.Contains(sdk.Message(second), "正在提交，请稍候刷新") {
				t.Fatalf("the second click got %v", second)
			}
			if sent := s.wx.sent(test.endpoint) - before; sent != 1 {
				t.Fatalf("sent %d times", sent)
			}
			if pending := s.lanes().Pending; pending != nil {
				t.Fatalf("the marker stayed: %+v", pending)
			}
		})
	}
}

// A click whose row is behind reads WeChat and then the row again. By then another click may have marked it.
func TestAClickThatReadsTheRowAnewRespectsTheMarkerInIt(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
	s.wx.decide(wechat.AuditPassed, "", "") // no push: the row still says that the review is running
	release := func() error { return s.owner.API("POST", s.app("/release"), nil, nil) }
	sending, answered, other := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	s.wx.hook[wechat.EndpointVersionInfo] = func() {
		go func() { other <- release() }()
		<-sending
	}
	s.wx.hook[wechat.EndpointRelease] = func() {
		close(sending)
		<-answered
	}
	err := release()
	close(answered)
	if first := <-other; first != nil {
		t.Fatalf("the click that came first got %v", first)
	}
	if !errors.Is(err, sdk.ErrConflict) || !strings.Contains(sdk.Message(err), "正在提交，请稍候刷新") {
		t.Fatalf("the click that was overtaken got %v", err)
	}
	if sent := s.wx.sent(wechat.EndpointRelease); sent != 1 {
		t.Fatalf("released %d times", sent)
	}
}

func TestALostAnswerIsSettledByReadingBeforeAnythingIsSentAgain(t *testing.T) {
	for _, test := range acts {
		t.Run(test.act, func(t *testing.T) {
			s := newScene(t)
			test.prepare(s)
			before := s.wx.sent(test.endpoint)
			s.wx.lose[test.endpoint] = 1 // it happens, the answer is lost
			err := test.post(s)
			if !strings.Contains(sdk.Message(err), "结果未知") {
				t.Fatalf("a lost answer gave %v", err)
			}
			if pending := s.lanes().Pending; pending == nil || !pending.Doubt || pending.Act != test.act {
				t.Fatalf("the marker is %+v", pending)
			}
			if err := test.post(s); !errors.Is(err, sdk.ErrConflict) {
				t.Fatalf("the second try gave %v", err)
			}
			if sent := s.wx.sent(test.endpoint) - before; sent != 1 {
				t.Fatalf("sent %d times", sent)
			}
			if pending := s.lanes().Pending; pending != nil {
				t.Fatalf("the marker stayed: %+v", pending)
			}
		})
	}
}

func TestWhatNeverReachedWeChatIsSentAgainAfterTheRead(t *testing.T) {
	for _, test := range acts {
		t.Run(test.act, func(t *testing.T) {
			s := newScene(t)
			test.prepare(s)
			before := s.wx.sent(test.endpoint)
			s.wx.fail[test.endpoint] = []error{&wechat.CallError{Endpoint: test.endpoint, Sent: true, Cause: errors.New("timeout")}}
			if err := test.post(s); !strings.Contains(sdk.Message(err), "结果未知") {
				t.Fatalf("no answer gave %v", err)
			}
			s.must(test.post(s))
			if sent := s.wx.sent(test.endpoint) - before; sent != 2 {
				t.Fatalf("sent %d times", sent)
			}
		})
	}
}

func TestTheJobSettlesAMarkerThatADeadProcessLeft(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	s.wx.lose[wechat.EndpointSubmitAudit] = 1
	if err := s.owner.API("POST", s.app("/audit"), nil, nil); err == nil {
		t.Fatal("a lost answer was taken for success")
	}
	note, err := s.Job("sync-audits")
	s.must(err)
	if want := "核对 1 个，变化 1 个，失败 0 个"; note != want {
		t.Fatalf("note %q, want %q", note, want)
	}
	if lanes := s.lanes(); lanes.Pending != nil || lanes.Audit == nil || lanes.Audit.State != auditRunning || lanes.Audit.By != "店主" {
		t.Fatalf("lanes are %+v, audit %+v", lanes.Pending, lanes.Audit)
	}
}

func TestAFreshMarkerIsLeftAloneAndAnOldOneIsSettled(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	// The process dies between mark and answer: what stays is the marker.
	s.wx.hook[wechat.EndpointSubmitAudit] = func() {
		if err := s.owner.API("POST", s.app("/sync"), nil, nil); err != nil {
			t.Errorf("sync while the operation is on its way: %v", err)
		}
		if pending := s.lanes().Pending; pending == nil || pending.Doubt {
			t.Errorf("a sync took the marker away: %+v", pending)
		}
		if note, err := s.Job("sync-audits"); err != nil || !strings.Contains(note, "操作进行中 1 个") {
			t.Errorf("job: %q, %v", note, err)
		}
		s.Advance(markTTL + time.Second)
		if pending := s.lanes().Pending; pending == nil || !pending.Doubt {
			t.Errorf("an old marker still counts: %+v", pending)
		}
	}
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
}

func TestARefusalClearsTheMarkerAndComesBackAsItIs(t *testing.T) {
	s := newScene(t)
	s.committed("1.0.0")
	s.wx.fail[wechat.EndpointSubmitAudit] = []error{refusal(85085)}
	err := s.owner.API("POST", s.app("/audit"), nil, nil)
	if wechat.Code(err) != 85085 {
		t.Fatalf("refusal came back as %v", err)
	}
	if lanes := s.lanes(); lanes.Pending != nil || lanes.Audit != nil {
		t.Fatalf("lanes are %+v %+v", lanes.Pending, lanes.Audit)
	}
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
}

func TestAFailingSyncChangesNothing(t *testing.T) {
	s := newScene(t)
	s.approved("1.0.0")
	s.must(s.owner.API("POST", s.app("/release"), nil, nil))
	before := s.lanes()
	for _, endpoint := range []string{wechat.EndpointLatestAudit, wechat.EndpointVersionInfo, wechat.EndpointGrayPlan} {
		s.wx.fail[endpoint] = []error{refusal(-1)}
		if err := s.owner.API("POST", s.app("/sync"), nil, nil); wechat.Code(err) != -1 {
			t.Fatalf("sync with a failing %s gave %v", endpoint, err)
		}
		if after := s.lanes(); after.SyncedAt != before.SyncedAt || *after.Online != *before.Online || after.Audit.State != before.Audit.State {
			t.Fatalf("a failing %s changed %+v to %+v", endpoint, before, after)
		}
	}
}

func TestSubmittingWaitsForThePrivacyScan(t *testing.T) {
	s := newScene(t)
	s.template()
	s.must(s.API("POST", s.app("/commit"), map[string]any{"template_id": 0}, nil))
	scanning := refusal(wechat.CodePrivacyScanning)
	s.wx.fail[wechat.EndpointCodePrivacy] = []error{scanning, scanning, scanning}
	page, err := s.owner.Get(s.app(""))
	s.must(err)
	if !strings.Contains(page.Body, "代码检测中") || !strings.Contains(page.Body, `disabled data-act="submit"`) {
		t.Fatalf("the page does not say why: %s", page.Body)
	}
	if err := s.owner.API("POST", s.app("/audit"), nil, nil); !strings.Contains(sdk.Message(err), "代码检测中") {
		t.Fatalf("submit gave %v", err)
	}
	if s.wx.sent(wechat.EndpointSubmitAudit) != 0 {
		t.Fatal("submitted during the scan")
	}
	s.wx.fail[wechat.EndpointCodePrivacy] = nil
	if got := s.lanes().Trial.Scan; got != scanClear {
		t.Fatalf("scan is %q", got)
	}
	s.wx.fail[wechat.EndpointSubmitAudit] = []error{scanning} // WeChat knows better
	if err := s.owner.API("POST", s.app("/audit"), nil, nil); !errors.Is(err, sdk.ErrConflict) || wechat.Code(err) != wechat.CodePrivacyScanning {
		t.Fatalf("61039 came back as %v", err)
	}
	s.must(s.owner.API("POST", s.app("/audit"), nil, nil))
}

func TestExtJSONThatDoesNotParseIsRefusedBeforeAnyCall(t *testing.T) {
	s := newScene(t)
	s.template()
	calls := len(s.wx.calls)
	for _, given := range []string{`{"ext":`, `[]`, `null`, `{"ext":{}} x`, `"text"`, "{\n  \"ext\": oops\n}"} {
		err := s.API("POST", s.app("/commit"), map[string]any{"template_id": 0, "ext_json": given}, nil)
		if sdk.FieldErrors(err)["ext_json"] == "" {
			t.Errorf("%s gave %v", given, err)
		}
		if err := s.owner.Call("install", installInput{Installation: "1", AppID: testApp, Component: testComponent, Version: "1", ExtJSON: given}, nil); sdk.FieldErrors(err)["ext_json"] == "" {
			t.Errorf("installing with %s gave %v", given, err)
		}
	}
	if len(s.wx.calls) != calls {
		t.Fatalf("WeChat was called: %v", s.wx.calls[calls:])
	}
	page, err := s.PostForm(s.app("/commit"), url.Values{"template": {s.templateID()}, "ext_json": {"{\n  oops"}, "user_version": {"1"}, "user_desc": {"x"}})
	s.must(err)
	if page.Status != 400 || !strings.Contains(page.Body, "第 2 行") {
		t.Fatalf("form answers %d %s", page.Status, page.Body)
	}
}

func (s *scene) templateID() string {
	var made struct{ Items []TemplateView }
	s.must(s.API("GET", "/components/"+testComponent+"/templates", nil, &made))
	return made.Items[0].ID
}

func TestACommitCarriesExtAppidOfTheMiniProgram(t *testing.T) {
	s := newScene(t)
	s.template()
	s.must(s.API("POST", s.app("/commit"), map[string]any{"template_id": 0, "ext_json": `{"extAppid":"wxother","ext":{"name":"<某某店>"}}`}, nil))
	if got, want := s.wx.commits[0].ExtJSON, `{"ext":{"name":"<某某店>"},"extAppid":"`+testApp+`"}`; got != want {
		t.Fatalf("sent %s, want %s", got, want)
	}
}

func TestNobodyTakesATemplateThatIsNotTheirs(t *testing.T) {
	s := newScene(t)
	s.template()
	err := s.owner.API("POST", s.app("/commit"), map[string]any{"template_id": 0, "user_version": "1", "user_desc": "x"}, nil)
	if !errors.Is(err, sdk.ErrNotFound) || s.wx.sent(wechat.EndpointCommit) != 0 {
		t.Fatalf("the owner took a template that was never installed: %v", err)
	}
}

func TestAnotherSpaceSeesNothing(t *testing.T) {
	s := newScene(t)
	s.approved("1.0.0")
	for _, path := range []string{"", "/audit", "/commit", "/gray", "/rollback", "/confirm/release"} {
		if _, err := s.nobody.Get(s.app(path)); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("GET %s gave %v", path, err)
		}
	}
	for _, path := range []string{"/audit", "/release", "/gray", "/rollback", "/sync", "/audit/withdraw", "/audit/speedup"} {
		if err := s.nobody.API("POST", s.app(path), nil, nil); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("POST %s gave %v", path, err)
		}
	}
	if _, err := s.nobody.Raw("/trial-qrcode/" + testApp); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("the trial QR code gave %v", err)
	}
	if err := s.nobody.API("GET", "/components/"+testComponent+"/drafts", nil, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("drafts gave %v", err)
	}
}

func TestAMerchantWithoutTheGrantIsRefusedWithTheReason(t *testing.T) {
	s := newScene(t)
	s.approved("1.0.0")
	err := s.API("POST", s.app("/release"), nil, nil)
	var failure *sdk.Error
	if !errors.As(err, &failure) || failure.Kind != sdk.KindForbidden || !strings.Contains(failure.Message, "没有“发布”的授权") {
		t.Fatalf("release without a grant gave %v", err)
	}
	if slices.Contains(s.wx.calls, wechat.EndpointRelease) {
		t.Fatal("release was sent")
	}
}
