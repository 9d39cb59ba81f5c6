package gateway

import (
	"context"
	"errors"
	"fmt"

	"minifleet/app/clock"
	"minifleet/app/wechat"
)

// Quota is what is left of a platform app's month: as WeChat told it at ReadAt, less what was spent through this door since.
type Quota struct {
	Component    string `json:"component" orm:"component"`
	Rest         int64  `json:"rest" orm:"audit_rest"`
	Limit        int64  `json:"limit" orm:"audit_limit"`
	SpeedUpRest  int64  `json:"speedup_rest" orm:"speedup_rest"`
	SpeedUpLimit int64  `json:"speedup_limit" orm:"speedup_limit"`
	ReadAt       int64  `json:"read_at" orm:"read_at"` // Unix milliseconds, platform time
}

// Quota gives what is remembered of a platform app; false when WeChat was never asked.
func (g *Gateway) Quota(ctx context.Context, component string) (Quota, bool, error) {
	var q Quota
	found, err := g.db.One(ctx, &q, "SELECT component, audit_rest, audit_limit, speedup_rest, speedup_limit, read_at FROM wechat_quota WHERE component=?", component)
	if err != nil {
		return q, false, fmt.Errorf("gateway: quota of %s: %w", component, err)
	}
	return q, found, nil
}

// countQuota keeps what a call says about the month: a reading replaces what is remembered, a submit or an expedite takes one
// off, and WeChat's "used up" leaves none.
func (g *Gateway) countQuota(ctx context.Context, e wechat.Endpoint, component string, res wechat.Response, answer error) error {
	ctx = context.WithoutCancel(ctx)
	column := map[string]string{wechat.QuotaAudit: "audit_rest", wechat.QuotaSpeedUp: "speedup_rest"}[e.Quota]
	switch {
	case e.Name == wechat.EndpointQuota && answer == nil:
		told, err := wechat.MiniProgram{Transport: answered{res}}.Quota(ctx)
		if err != nil {
			return fmt.Errorf("gateway: quota of %s: %w", component, err)
		}
		return g.keepQuota(ctx, component, told)
	case column != "" && answer == nil:
		if _, err := g.db.Exec(ctx, "UPDATE wechat_quota SET "+column+"="+column+"-1 WHERE component=? AND "+column+">0", component); err != nil {
			return fmt.Errorf("gateway: quota of %s: %w", component, err)
		}
		return g.quotaStands(ctx, component, column)
	case wechat.Code(answer) == wechat.CodeAuditQuotaUsed:
		return g.quotaUsed(ctx, component, "audit_rest", StandingAudit)
	case wechat.Code(answer) == wechat.CodeSpeedUpQuotaUsed:
		return g.quotaUsed(ctx, component, "speedup_rest", StandingSpeedUp)
	}
	return nil
}

func (g *Gateway) keepQuota(ctx context.Context, component string, told wechat.Quota) error {
	err := g.db.Upsert(ctx, "wechat_quota", map[string]any{
		"component": component, "audit_rest": told.Rest, "audit_limit": told.Limit, "speedup_rest": told.SpeedUpRest, "speedup_limit": told.SpeedUpLimit,
		"read_at": clock.Millis(g.clk.Now()),
	}, "component")
	if err != nil {
		return fmt.Errorf("gateway: quota of %s: %w", component, err)
	}
	return errors.Join(g.quotaStands(ctx, component, "audit_rest"), g.quotaStands(ctx, component, "speedup_rest"))
}

// answered is a transport that has the answer already, for reading it with the typed call.
type answered struct{ res wechat.Response }

func (a answered) Do(context.Context, wechat.Request) (wechat.Response, error) { return a.res, nil }
