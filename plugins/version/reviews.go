package version

import (
	"context"
	"slices"
	"strconv"
	"time"

	"minifleet/plugins/sdk"
)

// The list 审核记录 and the figures of the 工作台 count by the same conditions, so that both show the same number.

// reviewWindow is how many days the figures look back.
const reviewWindow = 30

// What a review came to, as the list's filter names it.
const (
	resultDecided  = "decided"  // WeChat has decided
	resultPassed   = "passed"   // with success
	resultRejected = "rejected" // without
	resultFirst    = "first"    // decided at a version's first submit
	resultFirstOK  = "first_ok" // and passed then
)

var decidedStates = []string{auditPassed, auditRejected, auditReleased}

// reviewsSince is the conditions of a window and a result. Unknown results are everything.
func reviewsSince(now time.Time, days int, result string) []sdk.Where {
	var where []sdk.Where
	if days > 0 {
		where = append(where, sdk.Ge("decided_at", now.Add(-time.Duration(days)*24*time.Hour).UnixMilli()))
	}
	passed := sdk.In("state", auditPassed, auditReleased)
	switch result {
	case resultDecided:
		return append(where, sdk.In("state", decidedStates...))
	case resultPassed:
		return append(where, passed)
	case resultRejected:
		return append(where, sdk.Eq("state", auditRejected))
	case resultFirst:
		return append(where, sdk.In("state", decidedStates...), sdk.Eq("attempt", 1))
	case resultFirstOK:
		return append(where, passed, sdk.Eq("attempt", 1))
	}
	return where
}

// reviewWindows are the days the list can look back.
func reviewWindows() []int { return []int{7, 30, 90} }

func resultOptions() []sdk.Option {
	return []sdk.Option{
		{Value: resultDecided, Label: "已出结果", Color: "blue"}, {Value: resultPassed, Label: "通过", Color: "green"}, {Value: resultRejected, Label: "驳回", Color: "red"},
		{Value: resultFirst, Label: "首次提审的结果", Color: "blue"}, {Value: resultFirstOK, Label: "首次即过", Color: "green"},
	}
}

func (v *plugin) declareReviews(p *sdk.Plugin) {
	p.Menu(sdk.MenuItem{Title: "审核记录", Path: "table:audits", Kinds: []string{"merchant"}, Frame: sdk.FrameAdmin, Order: 41, Permission: permissionOperate})
	p.Table(sdk.Table{
		Name: "audits", Title: "审核记录", Intro: "每一次提审和它的结果", Empty: "还没有提交过审核", Permission: permissionOperate, Kinds: []string{"merchant"},
		Rows: v.auditRows,
		Columns: []sdk.Column{
			{Name: "appid", Title: "AppID", List: true, Filter: "eq"}, {Name: "user_version", Title: "版本号", List: true},
			{Name: "state", Title: "状态", List: true, Options: auditOptions()}, {Name: "attempt", Title: "第几次提审", Type: "int", List: true},
			{Name: "submitted_at", Title: "提审时间", Type: "time", List: true}, {Name: "decided_at", Title: "完成时间", Type: "time", List: true},
			{Name: "took", Title: "用时", List: true}, {Name: "submitted_by", Title: "提审人", List: true},
			{Name: "days", Title: "完成于", Filter: "eq", Options: []sdk.Option{{Value: "7", Label: "近 7 天"}, {Value: "30", Label: "近 30 天"}, {Value: "90", Label: "近 90 天"}}},
			{Name: "result", Title: "结果", Filter: "eq", Options: resultOptions()},
		},
		Actions: []sdk.Action{{Name: "open", Title: "版本管理", Run: v.openAudit}},
	})
}

func auditOptions() []sdk.Option {
	var out []sdk.Option
	for _, state := range []string{auditRunning, auditDelayed, auditPassed, auditRejected, auditUndone, auditReleased} {
		t := auditTag(state)
		out = append(out, sdk.Option{Value: state, Label: t.Label, Color: t.Color})
	}
	return out
}

type auditRow struct {
	ID          int64  `json:"id"`
	Version     int64  `json:"version"`
	AppID       string `json:"appid"`
	UserVersion string `json:"user_version"`
	State       string `json:"state"`
	Attempt     int64  `json:"attempt"`
	SubmittedAt int64  `json:"submitted_at"`
	DecidedAt   int64  `json:"decided_at"`
	Took        string `json:"took"`
	SubmittedBy string `json:"submitted_by"`
}

func (v *plugin) auditRows(ctx context.Context, ask sdk.TableQuery) (sdk.TablePage, error) {
	days, err := strconv.Atoi(ask.Filters["days"])
	if err != nil || !slices.Contains(reviewWindows(), days) {
		days = 0
	}
	where := reviewsSince(sdk.Now(ctx), days, ask.Filters["result"])
	if appid := ask.Filters["appid"]; appid != "" {
		where = append(where, sdk.Eq("appid", appid))
	}
	found, err := v.audits.Find(ctx, sdk.Query{Where: where, Limit: ask.Limit, Cursor: ask.Cursor, Count: true})
	page := sdk.TablePage{Next: found.Next, Total: found.Total}
	for _, a := range found.Items {
		row := auditRow{ID: a.ID, Version: a.Version, AppID: a.AppID, UserVersion: a.UserVersion, State: a.State, Attempt: a.Attempt, SubmittedAt: a.SubmittedAt, DecidedAt: a.DecidedAt, SubmittedBy: a.SubmittedBy}
		if took, ok := a.took(); ok {
			row.Took = span(took)
		}
		page.Rows = append(page.Rows, row)
	}
	return page, err
}

// took is how long WeChat needed, false while it has not decided or its times make no sense.
func (a Audit) took() (time.Duration, bool) {
	ok := slices.Contains(decidedStates, a.State) && a.SubmittedAt > 0 && a.DecidedAt >= a.SubmittedAt
	return time.Duration(a.DecidedAt-a.SubmittedAt) * time.Millisecond, ok
}

// span shows a length of time in one unit.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "不到 1 分钟"
	case d < 2*time.Hour:
		return strconv.FormatInt(int64(d/time.Minute), 10) + " 分钟"
	case d < 72*time.Hour:
		return strconv.FormatFloat(d.Hours(), 'f', 1, 64) + " 小时"
	default:
		return strconv.FormatFloat(d.Hours()/24, 'f', 1, 64) + " 天"
	}
}

// openAudit leads from a review to its mini program's lanes.
func (v *plugin) openAudit(ctx context.Context, ids []int64) (sdk.Result, error) {
	if len(ids) != 1 {
		return sdk.Result{}, sdk.Fail("version.one_row", "请选择一条记录")
	}
	a, err := v.audits.Get(ctx, ids[0])
	if err != nil {
		return sdk.Result{}, err
	}
	return sdk.Result{Redirect: "/miniprograms/" + a.AppID}, nil
}
