package version

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// errDoubt says that the outcome of a sent operation is unknown. Nothing is sent again before WeChat's state was read.
func errDoubt(act string, cause error) *sdk.Error {
	return sdk.Fail("version.doubt", "没有收到微信对“"+titleOf(act)+"”的回答，结果未知。请稍候刷新：系统会先向微信核对，不会重复提交").
		OfKind(sdk.KindUnavailable).Because(cause)
}

// operation is one act on its way.
type operation struct {
	act  string
	note markNote // what was asked for; the state before is filled in
	// ready looks at the adopted state once more, after the table of rules; may be nil.
	ready func(Lane) error
	send  func(context.Context, wechat.MiniProgram, Lane) error
	done  func(*Lane) // what WeChat does not tell afterwards; may be nil
}

// perform carries an operation out at most once (DESIGN §5.5): it is marked in the row before it is sent; a second
// one meanwhile is refused; after doubt WeChat's state is read and adopted first.
func (v *plugin) perform(ctx context.Context, appid string, op operation) (Lane, error) {
	app, err := sdk.GetMiniProgram(ctx, appid)
	if err != nil {
		return Lane{}, err
	}
	lane, err := v.laneOf(ctx, app)
	if err != nil {
		return Lane{}, err
	}
	if lane, err = v.clearWay(ctx, app, lane, op.act); err != nil {
		return lane, err
	}
	if lane, err = v.allowed(ctx, app, lane, op); err != nil {
		return lane, err
	}
	if lane, err = v.mark(ctx, lane, op); err != nil {
		return lane, err
	}
	key := lane.markKey()
	err = op.send(wechat.WithKey(ctx, key), miniProgram(wechat.WithKey(ctx, key), appid), lane)
	// From here on the outcome is written down even if the person has closed the page.
	ctx = context.WithoutCancel(ctx)
	switch {
	case err == nil:
		return v.succeeded(ctx, app, op)
	case uncertain(err):
		lane, noteErr := v.change(ctx, app, false, func(l *Lane) { l.PendingDoubt = true })
		return lane, errDoubt(op.act, errors.Join(err, noteErr))
	default:
		return v.refused(ctx, app, op, err)
	}
}

// clearWay looks at a marker that is already there.
func (v *plugin) clearWay(ctx context.Context, app sdk.MiniProgramInfo, lane Lane, act string) (Lane, error) {
	if lane.Pending == "" {
		return lane, nil
	}
	if lane.Marked(sdk.Now(ctx)) {
		return lane, errBusy(lane.Pending)
	}
	earlier := lane.Pending
	lane, took, err := v.reconcile(ctx, app, lane)
	if err != nil {
		return lane, err
	}
	if took && earlier == act {
		return lane, sdk.Conflict("version.adopted", "上一次"+titleOf(earlier)+"已经生效，页面已更新，无需重复提交")
	}
	return lane, nil
}

// reconcile reads WeChat after doubt, adopts what it says and clears the marker. took tells whether the marked
// operation had happened.
func (v *plugin) reconcile(ctx context.Context, app sdk.MiniProgramInfo, lane Lane) (after Lane, took bool, err error) {
	after, found, err := v.refresh(ctx, app, view{settle: true})
	if err != nil {
		return lane, false, sdk.Fail("version.unsettled", "上一次“"+titleOf(lane.Pending)+"”的结果还没有核对清楚，请稍后再试").
			OfKind(sdk.KindUnavailable).Because(err)
	}
	took = lane.tookEffect(found)
	if err := sdk.Settle(ctx, lane.markKey(), took); err != nil {
		// The row is right already; the gateway's own note of the request stays "unknown" and is shown as such.
		sdk.Log(ctx).Warn("settle the request", "appid", app.AppID, "act", lane.Pending, "error", err.Error())
	}
	return after, took, nil
}

// markKey names the marked operation for the gateway, which sends it once.
func (l Lane) markKey() string {
	return l.AppID + ":" + l.Pending + ":" + strconv.FormatInt(l.PendingAt, 10)
}

// allowed asks the table of rules. What it refuses by a row that may be behind WeChat is asked once more after a read.
func (v *plugin) allowed(ctx context.Context, app sdk.MiniProgramInfo, lane Lane, op operation) (Lane, error) {
	wanted, ok := ruleOf(op.act)
	if !ok {
		return lane, sdk.NotFound("version.act", "没有这个操作")
	}
	s := situation{lane: lane, app: app, now: sdk.Now(ctx)}
	if reason := s.unauthorised(); reason != "" {
		return lane, sdk.Conflict("version.unauthorized", reason)
	}
	if reason := (rule{scope: wanted.scope, right: wanted.right, refuse: func(situation) string { return "" }}).reason(s); reason != "" {
		return lane, sdk.Forbidden("version.no_grant", reason)
	}
	if wanted.refuse(s) != "" {
		if lane.Scan == scanRunning && op.act == actSubmit {
			lane = v.scan(ctx, app, lane)
		}
		fresh, _, err := v.refresh(ctx, app, view{})
		if err != nil {
			return lane, err
		}
		lane, s.lane = fresh, fresh
	}
	if reason := wanted.refuse(s); reason != "" {
		return lane, sdk.Conflict("version.state", reason)
	}
	if op.ready != nil {
		return lane, op.ready(lane)
	}
	return lane, nil
}

// mark notes the operation in the row. Of two clicks at once one fails here, before anything was sent.
// The row may carry somebody's marker although there was none at the beginning: it was read again on the way.
func (v *plugin) mark(ctx context.Context, lane Lane, op operation) (Lane, error) {
	if lane.Pending != "" {
		return lane, errBusy(lane.Pending)
	}
	note := op.note
	note.AuditID, note.AuditState = lane.AuditID, lane.AuditState
	note.TrialVersion, note.TrialDesc, note.TrialAt = lane.TrialVersion, lane.TrialDesc, lane.TrialAt
	note.OnlineVersion, note.OnlineAt = lane.OnlineVersion, lane.OnlineAt
	encoded, err := json.Marshal(note)
	if err != nil {
		return lane, fmt.Errorf("mark %s of %s: %w", op.act, lane.AppID, err)
	}
	marked := lane
	marked.Pending, marked.PendingAt, marked.PendingBy = op.act, sdk.Now(ctx).UnixMilli(), clip(sdk.Actor(ctx).Name, 128)
	marked.PendingDoubt, marked.PendingNote, marked.Watch = false, encoded, 1
	_, err = sdk.Commit(ctx, []sdk.Op{v.lanes.Update(lane.ID, lane.Version, changes(lane, marked))})
	if errors.Is(err, sdk.ErrAborted) {
		return lane, errBusy(op.act)
	}
	if err != nil {
		return lane, fmt.Errorf("mark %s of %s: %w", op.act, lane.AppID, err)
	}
	marked.Version++
	return marked, nil
}

// succeeded adopts the state after a success. When it cannot be read now, the marker stays in doubt: the next click or
// the job reads it.
func (v *plugin) succeeded(ctx context.Context, app sdk.MiniProgramInfo, op operation) (Lane, error) {
	lane, _, err := v.refresh(ctx, app, view{happened: true, settle: true, extra: op.done})
	if err == nil {
		return lane, nil
	}
	sdk.Log(ctx).Warn("read state after success", "appid", app.AppID, "act", op.act, "error", err.Error())
	return v.change(ctx, app, false, func(l *Lane) {
		l.PendingDoubt = true
		if op.done != nil {
			op.done(l)
		}
	})
}

// refused clears the marker: WeChat, or the host before it, did nothing.
func (v *plugin) refused(ctx context.Context, app sdk.MiniProgramInfo, op operation, cause error) (Lane, error) {
	lane, err := v.change(ctx, app, false, func(l *Lane) {
		l.Pending, l.PendingAt, l.PendingBy, l.PendingDoubt, l.PendingNote = "", 0, "", false, nil
		if wechat.Code(cause) == wechat.CodePrivacyScanning {
			l.Scan, l.ScanAt = scanRunning, sdk.Now(ctx).UnixMilli()
		}
	})
	if err != nil {
		return lane, errors.Join(cause, err)
	}
	switch code := wechat.Code(cause); code {
	case wechat.CodePrivacyScanning:
		return lane, sdk.Conflict("version.scanning", "代码检测中（约 1 分钟），完成后即可提交审核，期间不要重新上传代码").Because(cause)
	case wechat.CodeInAudit, wechat.CodeAlreadyReleased:
		// The row was behind. What is wanted stands already; show it.
		if fresh, _, err := v.refresh(ctx, app, view{}); err == nil {
			lane = fresh
		} else {
			sdk.Log(ctx).Warn("read state after refusal", "appid", app.AppID, "errcode", code, "error", err.Error())
		}
	}
	return lane, cause
}

// uncertain tells whether an operation may have happened although err came back: WeChat's answer was lost, or the
// host's.
func uncertain(err error) bool {
	var refusal *wechat.Error
	var lost *wechat.CallError
	if errors.As(err, &refusal) || errors.As(err, &lost) {
		return wechat.Doubtful(err)
	}
	var failure *sdk.Error
	if !errors.As(err, &failure) {
		return true
	}
	switch failure.Kind {
	case sdk.KindInvalid, sdk.KindUnauthenticated, sdk.KindForbidden, sdk.KindNotFound, sdk.KindConflict, sdk.KindTooMany:
		return false
	default:
		return true
	}
}

// scan asks once how far the privacy scan is. It is only a look: what fails is shown by the state that stays.
func (v *plugin) scan(ctx context.Context, app sdk.MiniProgramInfo, lane Lane) Lane {
	found, err := miniProgram(ctx, app.AppID).CodePrivacy(ctx)
	state := scanClear
	apis := append(append([]string(nil), found.WithoutAuth...), found.WithoutConf...)
	switch {
	case wechat.Code(err) == wechat.CodePrivacyScanning:
		return lane
	case err != nil:
		sdk.Log(ctx).Warn("read privacy scan", "appid", app.AppID, "error", err.Error())
		return lane
	case len(apis) > 0:
		state = scanFound
	}
	after, err := v.change(ctx, app, false, func(l *Lane) {
		if l.Scan == scanRunning && l.TrialAt == lane.TrialAt {
			l.Scan, l.ScanAt, l.ScanFound = state, sdk.Now(ctx).UnixMilli(), apis
		}
	})
	if err != nil {
		sdk.Log(ctx).Warn("keep privacy scan", "appid", app.AppID, "error", err.Error())
		return lane
	}
	return after
}
