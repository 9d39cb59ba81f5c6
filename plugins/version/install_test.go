package version

import (
	"errors"
	"strings"
	"testing"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func installOf(template TemplateView) installInput {
	return installInput{
		Installation: "501", AppID: testApp, Component: testComponent, TemplateID: template.TemplateID, Template: template.ID,
		ExtJSON: `{"ext":{"shopName":"小店"}}`, Version: "1.0.0", Desc: "首版", Domains: &Domains{Request: []string{"https://api.example.com"}},
	}
}

// states shortens the steps to one letter each.
func states(out installOutput) string {
	short := ""
	for _, step := range out.Steps {
		short += step.State[:1]
	}
	return short
}

func TestAnInstallationGoesStepByStepAndNothingIsSentTwice(t *testing.T) {
	s := newScene(t)
	in := installOf(s.template())
	for i, want := range []string{"dwww", "ddww", "dddw", "dddd", "dddd"} {
		var out installOutput
		s.must(s.owner.Call("install", in, &out))
		if states(out) != want || out.Next != (i < 3) {
			t.Fatalf("call %d: %s next %v: %+v", i+1, states(out), out.Next, out.Steps)
		}
	}
	if s.wx.sent(wechat.EndpointCommit) != 1 || len(s.wx.domains.Request) != 1 {
		t.Fatalf("calls: %v", s.wx.calls)
	}
	installed := 0
	for _, event := range s.Published() {
		if event.Type == "version.installed" {
			installed++
			if event.AppID != testApp || event.Subject != "501" {
				t.Fatalf("event %+v", event)
			}
		}
	}
	if installed != 1 {
		t.Fatalf("version.installed was published %d times", installed)
	}
	if trial := s.lanes().Trial; trial == nil || trial.Version != "1.0.0" || trial.Template != in.Template || trial.By != "店主" {
		t.Fatalf("trial is %+v", trial)
	}
	holdsAll(t, s.page(""), "<dt>模板</dt><dd>点餐</dd>")
	s.deliver(0)
	detail, err := s.Get("/templates/" + in.Template)
	s.must(err)
	holdsAll(t, detail.Body, "还有 1 个小程序") // an installed template cannot be deleted either
	s.must(s.owner.API("POST", s.app("/commit"), map[string]any{"template_id": 0, "user_version": "1.0.1", "user_desc": "再传"}, nil))
	if _, err := s.owner.Raw("/trial-qrcode/" + testApp); err != nil {
		t.Fatalf("trial QR code: %v", err)
	}
}

func TestACrashBetweenMarkAndAnswerOfTheCommit(t *testing.T) {
	for name, lost := range map[string]bool{"it had happened": true, "it had not": false} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			in := installOf(s.template())
			var out installOutput
			s.must(s.owner.Call("install", in, &out))
			s.must(s.owner.Call("install", in, &out))
			if lost {
				s.wx.lose[wechat.EndpointCommit] = 1
			} else {
				s.wx.fail[wechat.EndpointCommit] = []error{&wechat.CallError{Sent: true, Cause: errors.New("killed")}}
			}
			if err := s.owner.Call("install", in, &out); err == nil {
				t.Fatal("a lost answer was taken for success")
			}
			s.must(s.owner.Call("install", in, &out))
			if states(out) != "dddw" {
				t.Fatalf("steps %+v", out.Steps)
			}
			if got := len(s.wx.commits); got != 1 {
				t.Fatalf("WeChat saw %d commits", got)
			}
		})
	}
}

func TestAnOldTrialVersionWithTheSameNameIsNotTakenForOurs(t *testing.T) {
	s := newScene(t)
	s.wx.trial = &wechat.TrialVersion{Time: s.wx.now - 1000, Version: "1.0.0", Desc: "首版"}
	in := installOf(s.template())
	var out installOutput
	s.must(s.owner.Call("install", in, &out))
	s.must(s.owner.Call("install", in, &out))
	s.wx.fail[wechat.EndpointCommit] = []error{&wechat.CallError{Sent: true, Cause: errors.New("killed")}}
	if err := s.owner.Call("install", in, &out); err == nil {
		t.Fatal("a lost answer was taken for success")
	}
	s.must(s.owner.Call("install", in, &out))
	if len(s.wx.commits) != 1 {
		t.Fatal("the configuration was never uploaded")
	}
}

func TestAFailedStepSaysWhyAndIsTriedAgainByCallingAgain(t *testing.T) {
	s := newScene(t)
	in := installOf(s.template())
	s.wx.fail[wechat.EndpointModifyDomain] = []error{refusal(61007)}
	var out installOutput
	s.must(s.owner.Call("install", in, &out))
	s.must(s.owner.Call("install", in, &out))
	step := out.Steps[1]
	if out.State != stepFailed || out.Next || step.ErrCode != 61007 || step.RID != "66-77-88" || step.Error == "" || step.Action == "" || step.EndedAt == 0 {
		t.Fatalf("out %+v", out)
	}
	s.must(s.owner.Call("install", in, &out))
	if states(out) != "ddww" || out.Steps[1].Error != "" || !out.Next {
		t.Fatalf("after the retry %+v", out)
	}
}

func TestAPassingTroubleComesBackAsAnErrorAFewTimes(t *testing.T) {
	s := newScene(t)
	in := installOf(s.template())
	for range patience {
		s.wx.fail[wechat.EndpointModifyDomain] = append(s.wx.fail[wechat.EndpointModifyDomain], refusal(wechat.CodeBusy))
	}
	var out installOutput
	s.must(s.owner.Call("install", in, &out))
	for n := 1; n < patience; n++ {
		if err := s.owner.Call("install", in, &out); wechat.Code(err) != wechat.CodeBusy {
			t.Fatalf("try %d gave %v", n, err)
		}
	}
	s.must(s.owner.Call("install", in, &out))
	if out.State != stepFailed || out.Steps[1].Attempts != patience {
		t.Fatalf("out %+v", out)
	}
}

// The event that drives an installation is delivered at least once. A second delivery that meets the first must not end
// the installation as failed: what it gets is worth repeating.
func TestTwoCallsAtOnceDoNotFailTheInstallation(t *testing.T) {
	s := newScene(t)
	in := installOf(s.template())
	var out installOutput
	s.must(s.owner.Call("install", in, &out)) // check
	s.must(s.owner.Call("install", in, &out)) // domains
	s.wx.hook[wechat.EndpointCommit] = func() {
		var other installOutput
		s.must(s.owner.Call("install", in, &other)) // finds the step cut short, and does it
	}
	err := s.owner.Call("install", in, nil)
	var failure *sdk.Error
	if !errors.As(err, &failure) || failure.Kind != sdk.KindUnavailable {
		t.Fatalf("the call that was overtaken got %v", err)
	}
	for out.Next {
		s.must(s.owner.Call("install", in, &out))
	}
	if out.State != stepDone {
		t.Fatalf("the installation ended as %s", states(out))
	}
}

func TestMissingPermissionSetsAreNamed(t *testing.T) {
	app := sdk.MiniProgramInfo{Components: []sdk.MiniProgramBinding{
		{Component: testComponent, State: "authorized", Sets: []int{30}}, {Component: "wxother", State: "authorized", Sets: []int{18}},
		{Component: "wxgone", State: "revoked", Sets: []int{18, 30}},
	}}
	for component, want := range map[string]string{
		testComponent: "开发管理与数据分析（18）", "wxother": "基本信息管理（30）", "wxgone": "开发管理与数据分析（18）、基本信息管理（30）",
	} {
		if got := strings.Join(missingSets(app, component), "、"); got != want {
			t.Errorf("%s lacks %q, want %q", component, got, want)
		}
	}
}

func TestATemplateThatIsGoneFailsTheCheck(t *testing.T) {
	s := newScene(t)
	in := installOf(s.template())
	in.TemplateID = 9
	var out installOutput
	s.must(s.owner.Call("install", in, &out))
	if out.State != stepFailed || out.Steps[0].ErrCode != 85014 || s.wx.sent(wechat.EndpointCommit) != 0 {
		t.Fatalf("out %+v", out)
	}
}

func TestAnotherContentStartsTheInstallationOver(t *testing.T) {
	s := newScene(t)
	in := installOf(s.template())
	var out installOutput
	for range 4 {
		s.must(s.owner.Call("install", in, &out))
	}
	in.ExtJSON = `{"ext":{"shopName":"另一家"}}`
	s.must(s.owner.Call("install", in, &out))
	if states(out) != "dwww" {
		t.Fatalf("steps %s", states(out))
	}
}

func TestNobodyInstallsOnAnothersMiniProgram(t *testing.T) {
	s := newScene(t)
	in := installOf(s.template())
	if err := s.nobody.Call("install", in, nil); err == nil {
		t.Fatal("another space installed")
	}
	if s.wx.sent(wechat.EndpointVersionInfo)+s.wx.sent(wechat.EndpointCommit) != 0 {
		t.Fatalf("calls %v", s.wx.calls)
	}
	var out installOutput
	s.must(s.owner.Call("install", in, &out))
	in.AppID = "wxother"
	if err := s.owner.Call("install", in, nil); !errors.Is(err, sdk.ErrConflict) {
		t.Fatalf("another mini program gave %v", err)
	}
}

func TestDomains(t *testing.T) {
	run := func(t *testing.T, s *scene, in installInput) Step {
		t.Helper()
		var out installOutput
		s.must(s.owner.Call("install", in, &out))
		s.must(s.owner.Call("install", in, &out))
		return out.Steps[1]
	}
	t.Run("none wanted", func(t *testing.T) {
		s := newScene(t)
		in := installOf(s.template())
		in.Domains = nil
		if step := run(t, s, in); step.State != stepDone || step.Note != "模板没有要求域名" || s.wx.sent(wechat.EndpointModifyDomain) != 0 {
			t.Fatalf("step %+v", step)
		}
	})
	t.Run("all present", func(t *testing.T) {
		s := newScene(t)
		s.wx.domains.Request = []string{"https://API.example.com"}
		if step := run(t, s, installOf(s.template())); step.State != stepDone || s.wx.sent(wechat.EndpointModifyDomain) != 1 {
			t.Fatalf("step %+v, calls %v", step, s.wx.calls)
		}
	})
	t.Run("85017 without the domains is a failure that names them", func(t *testing.T) {
		s := newScene(t)
		in := installOf(s.template())
		var out installOutput
		s.must(s.owner.Call("install", in, &out))
		s.wx.hook[wechat.EndpointModifyDomain] = func() { // after the first read
			s.wx.mu.Lock()
			defer s.wx.mu.Unlock()
			s.wx.hook[wechat.EndpointModifyDomain] = func() {
				s.wx.mu.Lock()
				defer s.wx.mu.Unlock()
				s.wx.fail[wechat.EndpointModifyDomain] = []error{refusal(wechat.CodeDomainUnchanged)}
			}
		}
		s.must(s.owner.Call("install", in, &out))
		if step := out.Steps[1]; step.State != stepFailed || !strings.Contains(step.Error, "https://api.example.com") || step.ErrCode != wechat.CodeDomainUnchanged {
			t.Fatalf("step %+v", step)
		}
	})
}
