package version

import (
	"context"
	"errors"
	"fmt"

	"minifleet/plugins/sdk"
)

// withQuotaOf is a fresh reading of drafts and templates on the row that is kept, whose quota was read at another time.
func (l Library) withQuotaOf(kept Library) Library {
	l.Row = kept.Row
	l.QuotaRest, l.QuotaLimit, l.SpeedUpRest, l.SpeedUpLimit, l.QuotaAt = kept.QuotaRest, kept.QuotaLimit, kept.SpeedUpRest, kept.SpeedUpLimit, kept.QuotaAt
	return l
}

// readQuotas reads the month's audit quota of every platform app whose library is known. WeChat tells it only with the
// token of an authorised mini program, so one of each is asked; a reading that fails changes nothing.
func (v *plugin) readQuotas(ctx context.Context) (string, error) {
	known, err := v.libraries.All(ctx, sdk.Query{}, 10_000)
	if err != nil {
		return "", err
	}
	read, without := 0, 0
	var failures []error
	for _, library := range known {
		switch ok, err := v.readQuota(ctx, library); {
		case err != nil:
			failures = append(failures, err)
			sdk.Log(ctx).Warn("read audit quota", "component", library.Component, "error", err.Error())
		case !ok:
			without++
		default:
			read++
		}
	}
	note := fmt.Sprintf("读取 %d 个平台的额度，失败 %d 个，没有可用的小程序 %d 个", read, len(failures), without)
	if len(failures) > 0 && read == 0 {
		return "", fmt.Errorf("read quotas: all %d failed: %w", len(failures), failures[0])
	}
	return note, nil
}

// readQuota asks through the newest mini program of the platform app; false when it has none with the code permission.
func (v *plugin) readQuota(ctx context.Context, library Library) (bool, error) {
	page, err := sdk.MiniPrograms(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("component", library.Component)}, Limit: 20})
	if err != nil {
		return false, err
	}
	for _, app := range page.Items {
		if component, held := holder(app, setCode); !held || component != library.Component {
			continue
		}
		quota, err := miniProgram(ctx, app.AppID).Quota(ctx)
		if err != nil {
			return false, err
		}
		set := sdk.Set{"quota_rest": quota.Rest, "quota_limit": quota.Limit, "speedup_rest": quota.SpeedUpRest, "speedup_limit": quota.SpeedUpLimit, "quota_at": sdk.Now(ctx).UnixMilli()}
		after := library
		after.QuotaRest, after.QuotaLimit, after.SpeedUpRest, after.SpeedUpLimit = quota.Rest, quota.Limit, quota.SpeedUpRest, quota.SpeedUpLimit
		_, err = sdk.Commit(ctx, []sdk.Op{v.libraries.Update(library.ID, 0, set)}, sdk.WithEvents(quotaEvents(library, after)...))
		if errors.Is(err, sdk.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}

// spent takes what an operation used off the month's quota as the pages show it, until the next reading. Who does not see the
// platform app's library (the owner of a mini program) leaves it to that reading.
func (v *plugin) spent(ctx context.Context, appid string, take func(*Library)) {
	err := func() error {
		app, err := sdk.GetMiniProgram(ctx, appid)
		if err != nil {
			return err
		}
		component, held := holder(app, setCode)
		if !held {
			return nil
		}
		before, found, err := v.libraries.First(ctx, sdk.Eq("component", component))
		if err != nil || !found || before.QuotaAt == 0 {
			return err
		}
		after := before
		take(&after)
		after.QuotaRest, after.SpeedUpRest = max(0, after.QuotaRest), max(0, after.SpeedUpRest)
		_, err = sdk.Commit(ctx, []sdk.Op{v.libraries.Update(before.ID, 0, sdk.Set{"quota_rest": after.QuotaRest, "speedup_rest": after.SpeedUpRest})},
			sdk.WithEvents(quotaEvents(before, after)...))
		return err
	}()
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		sdk.Log(ctx).Warn("take a submit off the month's quota", "appid", appid, "error", err.Error())
	}
}

// eventQuotaLow is published when a quota of the month is nearly used up, once until it has risen again.
const eventQuotaLow = "quota_low"

// quotaLow is the data of version.quota_low.
type quotaLow struct {
	Quota string `json:"quota"` // audit or speedup
	Rest  int64  `json:"rest"`
	Limit int64  `json:"limit"`
}

// auditLow: a tenth or less of the month's reviews is left.
func (l Library) auditLow() bool { return l.QuotaLimit > 0 && l.QuotaRest*10 <= l.QuotaLimit }

// speedUpLow: a fifth or less of the month's 加急 is left; WeChat gives a handful of them.
func (l Library) speedUpLow() bool { return l.SpeedUpLimit > 0 && l.SpeedUpRest*5 <= l.SpeedUpLimit }

// quotaEvents tells what became low between two readings. A first reading that is low already is news too.
func quotaEvents(before, after Library) []sdk.Event {
	var events []sdk.Event
	tell := func(data quotaLow) {
		events = append(events, sdk.Event{Type: eventQuotaLow, Component: after.Component, SpaceID: after.SpaceID, Subject: data.Quota, Data: data})
	}
	if after.auditLow() && !before.auditLow() {
		tell(quotaLow{"audit", after.QuotaRest, after.QuotaLimit})
	}
	if after.speedUpLow() && !before.speedUpLow() {
		tell(quotaLow{"speedup", after.SpeedUpRest, after.SpeedUpLimit})
	}
	return events
}
