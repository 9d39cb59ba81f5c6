package market

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

func TestStartTwiceIsOneRun(t *testing.T) {
	f := newFixture(t)
	made := f.try(f.list().Slug)
	var clicks sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		clicks.Go(func() {
			errs[i] = f.API("POST", fmt.Sprintf("/installations/%d/start", made.ID), startBody(appReady), nil)
		})
	}
	clicks.Wait()
	for _, err := range errs {
		if err != nil {
			t.Errorf("a click is answered by %v", err)
		}
	}
	f.must(f.deliver())
	f.must(f.API("POST", fmt.Sprintf("/installations/%d/start", made.ID), startBody(appReady), nil))
	f.must(f.deliver())
	started := 0
	for _, event := range f.Published() {
		if event.Type == "market."+eventStarted {
			started++
		}
	}
	if found := f.read(made.ID); started != 1 || len(f.calls) != 4 || found.State != Done {
		t.Errorf("%d runs, %d calls, %s", started, len(f.calls), found.State)
	}
	if err := f.API("POST", fmt.Sprintf("/installations/%d/start", made.ID), startBody(appUnbound), nil); sdk.FieldErrors(err)["appid"] == "" {
		t.Errorf("another mini program after the start: %v", err)
	}
}

func TestRunGoesOnAfterACrashInTheMiddle(t *testing.T) {
	f := newFixture(t)
	began := f.begin()
	f.install = func(call int, in installInput) (installOutput, error) {
		switch call {
		case 1, 2:
			return answerAfter(call, in), nil
		case 3: // the process of plugin version died between mark and answer
			return installOutput{}, sdk.Fail("plugin.down", "「版本管理」插件暂时不可用").OfKind(sdk.KindUnavailable)
		default:
			return answerAfter(call-1, in), nil
		}
	}
	if err := f.deliver(); err == nil {
		t.Fatal("the event is taken as handled although a step got no answer")
	}
	found := f.read(began.ID)
	if found.State != Installing || found.Steps[1].State != stepDone || !strings.Contains(found.Hint, "正在自动重试") {
		t.Fatalf("after the crash: %+v", found)
	}
	f.page(f.Harness, fmt.Sprintf("/installations/%d", began.ID), "正在自动重试")
	f.must(f.deliver())
	if found := f.read(began.ID); found.State != Done || found.Hint != "" || len(f.calls) != 5 {
		t.Errorf("after redelivery: %s, hint %q, %d calls", found.State, found.Hint, len(f.calls))
	}
	f.must(f.Event(f.Published()[0])) // delivered once more
	if len(f.calls) != 5 {
		t.Errorf("a repeated delivery made call %d", len(f.calls))
	}
}

func TestFailedStepShowsItsCauseAndRetryGoesOn(t *testing.T) {
	f := newFixture(t)
	began := f.begin()
	f.install = func(call int, in installInput) (installOutput, error) {
		if call == 2 {
			answer := answerAfter(1, in)
			answer.State, answer.Next = "failed", false
			answer.Steps[1].State, answer.Steps[1].Error, answer.Steps[1].Action = stepFailed, "域名不在平台的域名池里", "请商户先登记域名"
			answer.Steps[1].ErrCode, answer.Steps[1].RID = 85017, "abc-123"
			return answer, nil
		}
		return answerAfter(call-1, in), nil
	}
	f.must(f.deliver())
	home := fmt.Sprintf("/installations/%d", began.ID)
	f.page(f.Harness, home, "配置域名失败：域名不在平台的域名池里", "请商户先登记域名", "85017", "abc-123", "重试此步", `data-state="fail"`)
	if found := f.read(began.ID); found.State != Failed || found.ErrCode != 85017 || found.RID != "abc-123" {
		t.Fatalf("failed as %+v", found)
	}
	last := f.Published()[len(f.Published())-1]
	var told failedData
	f.must(last.Decode(&told))
	if last.Type != "market.installation.failed" || last.AppID != appReady || last.SpaceID != merchant.SpaceID || !strings.Contains(told.Reason, "域名池") || told.Remedy != "请商户先登记域名" || told.ErrCode != 85017 {
		t.Errorf("told %+v %+v", last, told)
	}
	answer, err := f.PostForm(home+"/retry", nil)
	if err != nil || answer.View.GetRedirect() != "/p/market"+home {
		t.Fatalf("retry: %+v, %v", answer, err)
	}
	f.must(f.API("POST", home+"/retry", nil, nil)) // a second click while it runs
	f.must(f.deliver())
	if found := f.read(began.ID); found.State != Done || found.Failure != "" || len(f.calls) != 5 {
		t.Errorf("after retry: %+v, %d calls", found, len(f.calls))
	}
}

func TestRefusalOfTheWholeCallEndsTheAttempt(t *testing.T) {
	f := newFixture(t)
	began := f.begin()
	for name, test := range map[string]struct {
		err  error
		says string
		code int64
	}{
		"refused":           {sdk.Forbidden("no_grant", "没有上传代码的授权"), "没有上传代码的授权", 0},
		"refused by WeChat": {&wechat.Error{Code: 85014, Message: "invalid template rid: r1", RID: "r1", Endpoint: wechat.EndpointCommit}, "模板", 85014},
	} {
		t.Run(name, func(t *testing.T) {
			f.install = func(int, installInput) (installOutput, error) { return installOutput{}, test.err }
			f.must(f.deliver())
			found := f.read(began.ID)
			if found.State != Failed || !strings.Contains(found.Failure, test.says) || found.ErrCode != test.code || found.Steps[0].State != stepFailed {
				t.Errorf("failed as %+v", found)
			}
			f.must(f.API("POST", fmt.Sprintf("/installations/%d/retry", began.ID), nil, nil))
		})
	}
}

func TestStalledInstallationIsResumed(t *testing.T) {
	f := newFixture(t)
	began := f.begin() // its event is never delivered: dead letter
	if note, err := f.Job("resume-installations"); err != nil || note != "续跑 0 个" {
		t.Errorf("too early: %q, %v", note, err)
	}
	f.delivered = len(f.Published())
	f.Advance(6 * time.Minute)
	f.page(f.Harness, fmt.Sprintf("/installations/%d", began.ID), "等待的时间比平常久", "重试此步")
	for _, want := range []string{"续跑 1 个", "续跑 0 个"} {
		if note, err := f.Job("resume-installations"); err != nil || note != want {
			t.Errorf("job says %q, %v; want %q", note, err, want)
		}
	}
	f.must(f.deliver())
	if found := f.read(began.ID); found.State != Done || len(f.calls) != 4 {
		t.Errorf("resumed to %s with %d calls", found.State, len(f.calls))
	}
}
