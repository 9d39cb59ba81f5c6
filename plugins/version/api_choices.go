package version

import (
	"context"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// What a form offers to choose from, for whoever acts by REST.

// AuditChoices is what a submit may name, as WeChat has it now.
type AuditChoices struct {
	Pages        []string          `json:"pages"`
	Categories   []wechat.Category `json:"categories"`
	Quota        *AuditQuota       `json:"quota"` // null when it could not be read
	QuotaProblem string            `json:"quota_problem,omitempty"`
}

// AuditQuota is what is left of the month's audits, shared by all mini programs of the platform app.
type AuditQuota struct {
	Rest         int64 `json:"audit_rest"`
	Limit        int64 `json:"audit_limit"`
	SpeedUpRest  int64 `json:"speedup_rest"`
	SpeedUpLimit int64 `json:"speedup_limit"`
}

func (v *plugin) apiAuditChoices(ctx context.Context, in appPath) (AuditChoices, error) {
	if _, err := sdk.GetMiniProgram(ctx, in.AppID); err != nil {
		return AuditChoices{}, err
	}
	app := miniProgram(ctx, in.AppID)
	pages, err := app.Pages(ctx)
	if err != nil {
		return AuditChoices{}, err
	}
	categories, err := app.Categories(ctx)
	if err != nil {
		return AuditChoices{}, err
	}
	choices := AuditChoices{Pages: notNil(pages), Categories: categories}
	if choices.Categories == nil {
		choices.Categories = []wechat.Category{}
	}
	if quota, err := app.Quota(ctx); err == nil {
		choices.Quota = &AuditQuota{quota.Rest, quota.Limit, quota.SpeedUpRest, quota.SpeedUpLimit}
	} else {
		choices.QuotaProblem = sdk.Message(err) // a submit works without knowing it
	}
	return choices, nil
}

func (v *plugin) apiHistory(ctx context.Context, in appPath) (sdk.Rows[wechat.HistoryVersion], error) {
	out := sdk.Rows[wechat.HistoryVersion]{Items: []wechat.HistoryVersion{}}
	if _, err := sdk.GetMiniProgram(ctx, in.AppID); err != nil {
		return out, err
	}
	history, err := miniProgram(ctx, in.AppID).History(ctx)
	if err != nil {
		return out, err
	}
	out.Items = append(out.Items, history...)
	total := int64(len(out.Items))
	out.Total = &total
	return out, nil
}
