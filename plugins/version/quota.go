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
		_, err = sdk.Commit(ctx, []sdk.Op{v.libraries.Update(library.ID, 0, set)})
		if errors.Is(err, sdk.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	return false, nil
}
