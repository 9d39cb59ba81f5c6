package version

import (
	"testing"
	"time"

	"minifleet/plugins/sdk"
)

func testMiniProgram() sdk.MiniProgramInfo {
	return sdk.MiniProgramInfo{
		AppID: testApp, Scopes: everyScope, Components: []sdk.MiniProgramBinding{{Component: testComponent, State: "authorized", Sets: []int{18, 30}}},
	}
}

// TestTheStateMachine is the table of 02 B.0: which act is possible in which state, and the reason when it is not.
func TestTheStateMachine(t *testing.T) {
	trial := func(l Lane) Lane { l.TrialVersion, l.TrialAt, l.Scan = "1.1.0", 1, scanClear; return l }
	online := func(l Lane) Lane { l.OnlineVersion, l.OnlineAt = "1.0.0", 1; return l }
	review := func(state string) Lane { return online(trial(Lane{AuditID: 1, AuditState: state})) }
	gray := review(auditPassed)
	gray.Gray, gray.GrayPercent = grayRunning, 30
	paused := gray
	paused.Gray = grayPaused
	scanning := trial(Lane{})
	scanning.Scan = scanRunning
	expedited := review(auditRunning)
	expedited.Expedited = true

	const (
		noTrial    = "还没有体验版，请先上传代码"
		inAudit    = "已有版本在审核中，请等待结果或先撤回"
		noAudit    = "没有正在审核的版本"
		notPassed  = "还没有审核通过的版本"
		released   = "审核通过的版本已经发布"
		noOnline   = "还没有线上版本"
		firstFull  = "还没有线上版本，首次发布请使用全量发布"
		noGray     = "没有进行中的灰度发布"
		stopGray   = "灰度发布中不可回退，请先终止灰度"
		noSpeed    = "审核已延后，不能加急"
		twiceSpeed = "已经加急，请等待审核结果"
		scanWait   = "代码检测中（约 1 分钟），完成后即可提交审核"
	)
	tests := []struct {
		name string
		lane Lane
		want map[string]string // act → reason; absent: possible
	}{
		{"nothing uploaded", Lane{}, map[string]string{actSubmit: noTrial, actWithdraw: noAudit, actSpeedUp: noAudit, actRelease: notPassed, actGray: notPassed, actUngray: noGray, actRollback: noOnline}},
		{"code is being scanned", scanning, map[string]string{actSubmit: scanWait, actWithdraw: noAudit, actSpeedUp: noAudit, actRelease: notPassed, actGray: notPassed, actUngray: noGray, actRollback: noOnline}},
		{"trial only", trial(Lane{}), map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actRelease: notPassed, actGray: notPassed, actUngray: noGray, actRollback: noOnline}},
		{"in review", review(auditRunning), map[string]string{actSubmit: inAudit, actRelease: notPassed, actGray: notPassed, actUngray: noGray}},
		{"in review, expedited", expedited, map[string]string{actSubmit: inAudit, actSpeedUp: twiceSpeed, actRelease: notPassed, actGray: notPassed, actUngray: noGray}},
		{"delayed", review(auditDelayed), map[string]string{actSubmit: inAudit, actSpeedUp: noSpeed, actRelease: notPassed, actGray: notPassed, actUngray: noGray}},
		{"rejected", review(auditRejected), map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actRelease: notPassed, actGray: notPassed, actUngray: noGray}},
		{"withdrawn", review(auditUndone), map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actRelease: notPassed, actGray: notPassed, actUngray: noGray}},
		{"passed, first time", trial(Lane{AuditID: 1, AuditState: auditPassed}), map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actGray: firstFull, actUngray: noGray, actRollback: noOnline}},
		{"passed", review(auditPassed), map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actUngray: noGray}},
		{"gray", gray, map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actRollback: stopGray}},
		{"gray paused", paused, map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actRollback: stopGray}},
		{"released", review(auditReleased), map[string]string{actWithdraw: noAudit, actSpeedUp: noAudit, actRelease: released, actGray: released, actUngray: noGray}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, r := range rules() {
				s := situation{lane: test.lane, app: testMiniProgram(), now: time.UnixMilli(1000)}
				if got := r.reason(s); got != test.want[r.act] {
					t.Errorf("%s: %q, want %q", r.act, got, test.want[r.act])
				}
			}
		})
	}
}

func TestEveryActNeedsAuthorisationScopeAndAFreeWay(t *testing.T) {
	lost, without18, marked := testMiniProgram(), testMiniProgram(), Lane{Pending: actSubmit, PendingAt: 1000}
	lost.Components = []sdk.MiniProgramBinding{{Component: testComponent, State: "revoked", Sets: []int{18}}}
	without18.Components = []sdk.MiniProgramBinding{{Component: testComponent, State: "authorized", Sets: []int{30}}}
	without := testMiniProgram()
	without.Scopes = []string{"data.read"}
	for _, r := range rules() {
		for _, test := range []struct {
			s    situation
			want string
		}{
			{situation{app: lost}, "小程序已取消授权，请重新授权后再操作"},
			{situation{app: without18}, "没有「开发管理与数据分析」权限，请重新授权并勾选"},
			{situation{app: without}, "没有“" + r.right + "”的授权，请联系小程序所有者授权"},
			{situation{app: testMiniProgram(), lane: marked, now: time.UnixMilli(2000)}, "正在提交审核，请稍候刷新"},
		} {
			if got := r.reason(test.s); got != test.want {
				t.Errorf("%s: %q, want %q", r.act, got, test.want)
			}
		}
	}
}

func TestGrayMayOnlyGrow(t *testing.T) {
	running := Lane{Gray: grayRunning, GrayPercent: 30}
	for _, test := range []struct {
		lane    Lane
		percent int
		first   bool
		ok      bool
	}{
		{Lane{}, 1, false, true}, {Lane{}, 0, false, false}, {Lane{}, 0, true, true}, {Lane{}, 101, false, false}, {Lane{}, -1, true, false},
		{running, 30, false, false}, {running, 29, false, false}, {running, 31, false, true}, {running, 100, false, true},
	} {
		if err := checkGray(test.lane, grayStep(test.percent, test.first)); (err == nil) != test.ok {
			t.Errorf("%d%% after %d%%: %v", test.percent, test.lane.GrayPercent, err)
		}
	}
}
