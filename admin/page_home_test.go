package admin

import (
	"context"
	"net/url"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/dashboard"
	"minifleet/app/fault"
	"minifleet/app/schedule"
	"minifleet/app/trail"
)

// fakeBoard shows what the test puts into it.
type fakeBoard struct {
	view dashboard.Snapshot
	list dashboard.Checklist
	set  []string
}

func (f *fakeBoard) Snapshot(context.Context, account.Actor) (dashboard.Snapshot, error) {
	return f.view, nil
}
func (f *fakeBoard) Checklist(context.Context, account.Actor) (dashboard.Checklist, error) {
	return f.list, nil
}
func (f *fakeBoard) SetChecklist(_ context.Context, _ account.Actor, list, state string) error {
	if state == "bad" {
		return fault.InvalidInput().On("state", "没有这个状态")
	}
	f.set = append(f.set, list+"="+state)
	return nil
}

func withBoard(t *testing.T) (*house, *fakeBoard) {
	t.Helper()
	two := int64(2)
	b := &fakeBoard{
		view: dashboard.Snapshot{At: start.UnixMilli(), Todo: []dashboard.Figure{{Key: "rejected", Title: "驳回待处理", Value: &two, Href: "/admin/info/version_lanes?audit_state=rejected", Tone: "red"}},
			Cards: []dashboard.Card{
				{Key: "audits", Title: "审核状态", Figures: []dashboard.Figure{{Key: "rejected", Title: "审核驳回", Value: &two, Href: "/admin/info/version_lanes?audit_state=rejected"}, {Key: "median", Title: "用时", Reason: "还没有审核", Href: "/admin/x"}}},
				{Key: "down", Title: "模板市场", Unavailable: "插件暂不可用，请稍后刷新"},
				{Key: "spread", Title: "线上版本分布", Chart: &dashboard.Chart{Title: "分布", Kind: "bar", Points: []dashboard.Point{{Label: "</script><b>1.0</b>", Value: 3, Href: "/admin/info/version_lanes?online_version=1"}}}},
			}},
		list: dashboard.Checklist{State: dashboard.ListOpen, Done: 1, Steps: []dashboard.Step{{Key: "component", Title: "绑定第三方平台", Done: true, Known: true, Href: "/admin/components", Button: "查看"}, {Key: "draft", Title: "上传代码", Href: "/admin/p/version/drafts", Button: "去草稿箱", Number: 2}}},
	}
	r := newRooms()
	s := r.services()
	s.Board = b
	s.Behind = Behind{
		FailedRuns: func(_ context.Context, since time.Time, cursor int64, limit int) ([]schedule.Run, int64, error) {
			if !since.Equal(start.Add(-24*time.Hour)) || limit != behindSize {
				t.Errorf("failures since %v, %d at once", since, limit)
			}
			return []schedule.Run{{ID: 9, Job: "prune", Note: "<b>disk full</b>", StartedAt: start.UnixMilli()}}, 1, nil
		},
		ErrCodes: func(context.Context, time.Time) ([]trail.ErrCount, error) {
			return []trail.ErrCount{{Code: 61007, N: 2}, {Code: -1, N: 5}}, nil
		},
		Refusals: func(_ context.Context, _ time.Time, code, cursor int64, _ int) ([]trail.Entry, int64, int64, error) {
			return []trail.Entry{{At: start.UnixMilli(), Actor: "小王", Act: "wechat.code.submit_audit", ErrCode: int(code), RID: "rid-1"}}, 77, 2, nil
		},
		Directory: func(_ context.Context, _ account.Actor, f account.SpaceFilter) ([]account.SpaceEntry, int64, int64, error) {
			return []account.SpaceEntry{{Name: "晨光软件", Kind: f.Kind, Members: 3}}, 0, -1, nil
		},
	}
	return open(t, Options{Services: s, Plugins: newFakePlugins(2), Clock: clock.Fixed(start), PublicURL: "https://fleet.example", Asset: func(name string) string { return "/assets/" + name }}), b
}

func TestTheWorkBenchLinksEveryKnownFigureAndDashesTheUnknown(t *testing.T) {
	h, _ := withBoard(t)
	a := h.get("merchant", "/admin").want(t, 200,
		`<a href="/admin/info/version_lanes?audit_state=rejected" data-figure="rejected">2</a>`, "驳回待处理", `<span data-figure="median">—</span>`, "还没有审核", "插件暂不可用",
		`<script type="application/json">{`, `\u003c/script\u003e`, "查看数据表", `role="img"`, `/assets/charts.js`, `href="/admin/p/version/drafts">去草稿箱`, "统计于 2026-11-22 20:00:00")
	a.lacks(t, "<b>1.0</b>", `href="/admin/x"`, "style=", "onclick")
}

func TestAMemberFoldsAndDismissesTheChecklist(t *testing.T) {
	h, b := withBoard(t)
	for _, state := range []string{"folded", "dismissed", "open"} {
		a := h.do("merchant", "POST", "/admin/checklist", url.Values{"list": {"start"}, "state": {state}})
		if a.StatusCode != 303 || a.Header.Get("Location") != "/admin" {
			t.Errorf("%s: %d to %s", state, a.StatusCode, a.Header.Get("Location"))
		}
	}
	if len(b.set) != 3 || b.set[1] != "start=dismissed" {
		t.Errorf("kept %v", b.set)
	}
	h.do("merchant", "POST", "/admin/checklist", url.Values{"list": {"start"}, "state": {"bad"}}).want(t, 400)
	b.list.State = dashboard.ListFolded
	h.get("merchant", "/admin").want(t, 200, "展开", "下一步", "上传代码").lacks(t, "去草稿箱")
	b.list.State = dashboard.ListDismissed
	h.get("merchant", "/admin").want(t, 200, "重新打开新手清单").lacks(t, `data-test="checklist"`)
}

func TestTheListsBehindTheOperatorsFigures(t *testing.T) {
	h, _ := withBoard(t)
	h.get("operator", "/admin/jobs/failures").want(t, 200, "共 1 条", "&lt;b&gt;disk full", "prune")
	h.get("operator", "/admin/errors").want(t, 200, "共 7 条", `href="/admin/errors?errcode=61007"`)
	h.get("operator", "/admin/errors?errcode=61007").want(t, 200, "共 2 条", "rid-1", "下一页", "61007")
	h.get("operator", "/admin/spaces?kind=merchant").want(t, 200, "共 10,000", "晨光软件", `value="merchant" selected`)
	h.get("operator", "/admin/plugins?state=backoff").want(t, 200, "共 1 条", "模板市场").lacks(t, "版本管理</")
	h.get("operator", "/admin/jobs?newest=never").want(t, 200, "共 1 条", "清理").lacks(t, "刷新平台令牌")
	h.get("operator", "/admin/components?state=ok").want(t, 200, "共 1 条", "星河开放平台").lacks(t, "新平台")
	h.get("operator", "/admin/guide/backup").want(t, 200, "key.json")
	h.get("operator", "/admin/guide/nothing").want(t, 404)
	for _, path := range []string{"/admin/jobs/failures", "/admin/errors", "/admin/spaces", "/admin/guide/mail"} {
		h.get("merchant", path).want(t, 404)
	}
}
