package version

import (
	"context"
	"slices"
	"strconv"

	"minifleet/plugins/sdk"
)

// The lists over all mini programs, as the back office has them: the same rows, the same filters, the same right.

// mostListed is how many rows one page may have.
const mostListed = 100

func badQuery(field, zh string) *sdk.Error {
	return sdk.Fail("version.bad_query", "查询条件有误，请按提示修改").On(field, zh)
}

// auditStateFilter is the condition of a review's state; "" is no condition.
func auditStateFilter(column, state string) ([]sdk.Where, error) {
	if state == "" {
		return nil, nil
	}
	if !slices.ContainsFunc(auditOptions(), func(o sdk.Option) bool { return o.Value == state }) {
		return nil, badQuery("state", "没有这个状态")
	}
	return []sdk.Where{sdk.Eq(column, state)}, nil
}

func checkLimit(limit int) error {
	if limit < 0 || limit > mostListed {
		return badQuery("limit", "每页应为 1–100 条")
	}
	return nil
}

type findLanesInput struct {
	State     string `json:"-" query:"state"` // of the review
	AppID     string `json:"-" query:"appid" check:"max=64"`
	Component string `json:"-" query:"component" check:"max=64"`
	Online    string `json:"-" query:"online_version" check:"max=64"`
	Name      string `json:"-" query:"name" check:"max=64"`
	Cursor    string `json:"-" query:"cursor"`
	Limit     int    `json:"-" query:"limit"`
}

// LaneItem is one mini program in the list.
type LaneItem struct {
	LaneView
	UpdatedAt int64 `json:"updated_at"`
}

func (v *plugin) apiFindLanes(ctx context.Context, in findLanesInput) (sdk.Rows[LaneItem], error) {
	answer := sdk.Rows[LaneItem]{Items: []LaneItem{}}
	where, err := auditStateFilter("audit_state", in.State)
	if err != nil {
		return answer, err
	}
	if err := checkLimit(in.Limit); err != nil {
		return answer, err
	}
	for _, f := range [][2]string{{"appid", in.AppID}, {"component", in.Component}, {"online_version", in.Online}} {
		if f[1] != "" {
			where = append(where, sdk.Eq(f[0], f[1]))
		}
	}
	if in.Name != "" {
		where = append(where, sdk.Like("name", in.Name))
	}
	page, err := v.lanes.Find(ctx, sdk.Query{Where: where, Sort: "-synced_at", Limit: in.Limit, Cursor: in.Cursor, Count: in.Cursor == ""})
	if err != nil {
		return answer, err
	}
	answer.Next, answer.Total = page.Next, page.Total
	for _, l := range page.Items {
		answer.Items = append(answer.Items, LaneItem{laneView(l, sdk.Now(ctx)), l.UpdatedAt})
	}
	return answer, nil
}

type findAuditsInput struct {
	State  string `json:"-" query:"state"`
	Result string `json:"-" query:"result"`
	Days   string `json:"-" query:"days"`
	AppID  string `json:"-" query:"appid" check:"max=64"`
	Cursor string `json:"-" query:"cursor"`
	Limit  int    `json:"-" query:"limit"`
}

// AuditItem is one review of a mini program.
type AuditItem struct {
	ID    string `json:"id"`
	AppID string `json:"appid"`
	Name  string `json:"name"` // of the mini program
	AuditView
	Attempt int64 `json:"attempt"`
}

// where is the input's conditions: what the list's own filters mean.
func (in findAuditsInput) where(ctx context.Context) ([]sdk.Where, error) {
	days := 0
	if in.Days != "" {
		var err error
		if days, err = strconv.Atoi(in.Days); err != nil || !slices.Contains(reviewWindows(), days) {
			return nil, badQuery("days", "应为 7、30 或 90")
		}
	}
	if in.Result != "" && !slices.ContainsFunc(resultOptions(), func(o sdk.Option) bool { return o.Value == in.Result }) {
		return nil, badQuery("result", "没有这个结果")
	}
	where := reviewsSince(sdk.Now(ctx), days, in.Result)
	state, err := auditStateFilter("state", in.State)
	if err != nil {
		return nil, err
	}
	where = append(where, state...)
	if in.AppID != "" {
		where = append(where, sdk.Eq("appid", in.AppID))
	}
	return where, nil
}

func (v *plugin) apiFindAudits(ctx context.Context, in findAuditsInput) (sdk.Rows[AuditItem], error) {
	answer := sdk.Rows[AuditItem]{Items: []AuditItem{}}
	where, err := in.where(ctx)
	if err != nil {
		return answer, err
	}
	if err := checkLimit(in.Limit); err != nil {
		return answer, err
	}
	page, err := v.audits.Find(ctx, sdk.Query{Where: where, Limit: in.Limit, Cursor: in.Cursor, Count: in.Cursor == ""})
	if err != nil {
		return answer, err
	}
	names, err := v.namesOf(ctx, page.Items)
	if err != nil {
		return answer, err
	}
	answer.Next, answer.Total = page.Next, page.Total
	for _, a := range page.Items {
		answer.Items = append(answer.Items, AuditItem{ID: rowID(a.ID), AppID: a.AppID, Name: names[a.AppID], AuditView: a.view(), Attempt: a.Attempt})
	}
	return answer, nil
}

func (a Audit) view() AuditView {
	return AuditView{
		AuditID: a.AuditID, State: a.State, Version: a.UserVersion, Desc: a.UserDesc, Reason: notNil(a.ReasonLines()), Screenshots: notNil(a.Shots),
		SubmittedAt: a.SubmittedAt, DecidedAt: a.DecidedAt, By: a.SubmittedBy,
	}
}

// namesOf gives the names of the reviews' mini programs.
func (v *plugin) namesOf(ctx context.Context, audits []Audit) (map[string]string, error) {
	names := map[string]string{}
	var appids []string
	for _, a := range audits {
		if !slices.Contains(appids, a.AppID) {
			appids = append(appids, a.AppID)
		}
	}
	if len(appids) == 0 {
		return names, nil
	}
	lanes, err := v.lanes.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.In("appid", appids...)}, Limit: len(appids)})
	for _, l := range lanes.Items {
		names[l.AppID] = l.Name
	}
	return names, err
}
