package version

import (
	"context"
	"errors"
	"fmt"

	"minifleet/plugins/sdk"
)

// batch bounds one run of the job. Rows are taken in the order of their last attempt, so none waits for ever.
const batch = 100

// syncAudits looks after reviews in flight and operations whose outcome is unknown: the net below WeChat's pushes. A
// row that cannot be read changes nothing but the time of the attempt.
func (v *plugin) syncAudits(ctx context.Context) (string, error) {
	page, err := v.lanes.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("watch", 1)}, Sort: "tried_at", Limit: batch})
	if err != nil {
		return "", err
	}
	var read, changed, failed, busy int
	var failures []error
	for _, lane := range page.Items {
		if ctx.Err() != nil {
			return "", fmt.Errorf("sync audits: %w", ctx.Err())
		}
		if lane.Marked(sdk.Now(ctx)) {
			busy++
			continue
		}
		after, err := v.follow(ctx, lane)
		switch {
		case err != nil:
			failed++
			failures = append(failures, err)
			sdk.Log(ctx).Warn("sync audit", "appid", lane.AppID, "error", err.Error())
		case after.AuditState != lane.AuditState || after.AuditID != lane.AuditID || after.Pending != lane.Pending:
			changed++
			read++
		default:
			read++
		}
	}
	note := fmt.Sprintf("核对 %d 个，变化 %d 个，失败 %d 个", read, changed, failed)
	if busy > 0 {
		note += fmt.Sprintf("，操作进行中 %d 个", busy)
	}
	if failed > 0 && read == 0 {
		return "", fmt.Errorf("sync audits: all %d failed: %w", failed, failures[0])
	}
	return note, nil
}

// follow reads one row's review, or everything when an operation's outcome is unknown.
func (v *plugin) follow(ctx context.Context, lane Lane) (Lane, error) {
	app, err := sdk.GetMiniProgram(ctx, lane.AppID)
	if err == nil {
		var after Lane
		if lane.Pending != "" {
			after, _, err = v.reconcile(ctx, app, lane)
		} else {
			after, _, err = v.refresh(ctx, app, view{read: readAudit})
		}
		if err == nil {
			return after, nil
		}
	}
	app.AppID = lane.AppID
	_, noteErr := v.change(ctx, app, false, func(l *Lane) { l.TriedAt = sdk.Now(ctx).UnixMilli() })
	return lane, errors.Join(err, noteErr)
}
