package version

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// eventUse is our own event, as published: which templates a mini program runs.
const eventUse = "lane_templates"

func (v *plugin) declareBackground(p *sdk.Plugin) {
	for _, name := range []string{wechat.AuditSuccess, wechat.AuditFail, wechat.AuditDelay} {
		p.On("wechat."+name, v.auditPushed)
	}
	p.On("miniprogram.authorized", v.authorized)
	p.On("miniprogram.unauthorized", v.unauthorized)
	p.On("version."+eventUse, v.templatesUsed)
	p.Job(sdk.Job{Name: "sync-audits", Title: "同步审核状态", Spec: "*/5 * * * *", Platform: true, Run: v.syncAudits})
	p.Job(sdk.Job{Name: "read-quotas", Title: "读取提审额度", Spec: "17 * * * *", Platform: true, Run: v.readQuotas})
}

// auditPush is what a push of WeChat says about a review. It names no audit id (01 C.1).
type auditPush struct {
	status int
	at     int64 // unix seconds
	reason string
	shots  []string
}

func pushOf(e sdk.Event) (auditPush, error) {
	var raw map[string]json.RawMessage
	if err := e.Decode(&raw); err != nil {
		return auditPush{}, err
	}
	field := func(name string) string {
		var text string
		if json.Unmarshal(raw[name], &text) != nil { // numbers come without quotes
			text = string(raw[name])
		}
		return text
	}
	push := auditPush{reason: field("Reason")}
	stamp := ""
	switch strings.TrimPrefix(e.Type, "wechat.") {
	case wechat.AuditSuccess:
		push.status, stamp, push.reason = wechat.AuditPassed, field("SuccTime"), ""
	case wechat.AuditFail:
		push.status, stamp = wechat.AuditRejected, field("FailTime")
	case wechat.AuditDelay:
		push.status, stamp = wechat.AuditDelayed, field("DelayTime")
	default:
		return auditPush{}, fmt.Errorf("event %s is no audit push", e.Type)
	}
	if seconds, err := strconv.ParseInt(stamp, 10, 64); err == nil {
		push.at = seconds
	} else {
		push.at = e.At / 1000 // absent in old pushes: the event's own time
	}
	for id := range strings.SplitSeq(field("ScreenShot"), "|") {
		if id = strings.TrimSpace(id); id != "" {
			push.shots = append(push.shots, id)
		}
	}
	return push, nil
}

// auditPushed adopts a verdict. The push is only a hint, since it names no review and may come late or twice: WeChat
// is asked for the latest one. When it cannot be asked, the push's own words are taken for the review in flight.
func (v *plugin) auditPushed(ctx context.Context, e sdk.Event) error {
	if e.AppID == "" {
		return nil // stored without effect: nobody knows whose it is
	}
	push, err := pushOf(e)
	if err != nil {
		return err
	}
	app, err := sdk.GetMiniProgram(ctx, e.AppID)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, _, err = v.refresh(ctx, app, view{read: readAudit, announce: true, extra: func(l *Lane) {
		if l.AuditState == auditStateOf(push.status) && push.at*1000 >= l.AuditAt && !l.InFlight() {
			l.AuditDecidedAt = push.at * 1000
		}
	}})
	if err == nil {
		return nil
	}
	fate := pushUnknown
	if _, changeErr := v.change(ctx, app, true, func(l *Lane) { fate = l.takePush(push) }); changeErr != nil {
		return errors.Join(err, changeErr)
	}
	if fate == pushUnknown {
		return err // not about a review we know: ask again later
	}
	sdk.Log(ctx).Warn("went by the push's own words", "appid", e.AppID, "error", err.Error())
	return nil
}

// What became of a push's own words.
const (
	pushUnknown = iota // no review in flight that it could be about
	pushStale          // older than the review in flight
	pushTaken
)

// takePush writes the push's verdict on the review in flight, unless the push is older than that review.
func (l *Lane) takePush(push auditPush) int {
	if !l.InFlight() {
		return pushUnknown
	}
	if push.at*1000 < l.AuditAt {
		return pushStale
	}
	l.AuditState, l.AuditReason, l.AuditShots = auditStateOf(push.status), push.reason, push.shots
	if !l.InFlight() {
		l.AuditDecidedAt = push.at * 1000
	}
	return pushTaken
}

// authorized reads the lanes of a newly authorised mini program for the first time, or again.
func (v *plugin) authorized(ctx context.Context, e sdk.Event) error {
	app, err := sdk.GetMiniProgram(ctx, e.AppID)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, held := holder(app, setCode); !held {
		_, err := v.change(ctx, app, false, func(l *Lane) { *l = l.profile(app) })
		return err
	}
	_, _, err = v.refresh(ctx, app, view{})
	var refusal *wechat.Error
	if errors.As(err, &refusal) && !uncertain(err) {
		// Repeating will not help; the page shows the reason at the next 立即同步.
		sdk.Log(ctx).Warn("first read of the lanes", "appid", e.AppID, "error", err.Error())
		_, err = v.change(ctx, app, false, func(l *Lane) { *l = l.profile(app) })
	}
	return err
}

// unauthorized notes that nothing can be read or done any more. The core publishes it only when it took effect, so a
// late push of an older authorisation never comes here.
func (v *plugin) unauthorized(ctx context.Context, e sdk.Event) error {
	lane, found, err := v.lanes.First(ctx, sdk.Eq("appid", e.AppID))
	if err != nil || !found {
		return err
	}
	if lane.Component != e.Component && lane.Component != "" {
		return nil // another 第三方平台 holds the code
	}
	app, err := sdk.GetMiniProgram(ctx, e.AppID)
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		return err
	}
	if _, held := holder(app, setCode); held {
		return nil // authorised again meanwhile
	}
	app.AppID = e.AppID
	if _, err := v.change(ctx, app, false, func(l *Lane) {
		if l.LostAt == 0 {
			l.LostAt = e.At
		}
	}); err != nil {
		return err
	}
	return v.forgetUse(ctx, e.AppID)
}

func (v *plugin) forgetUse(ctx context.Context, appid string) error {
	use, found, err := v.uses.First(ctx, sdk.Eq("appid", appid))
	if err != nil || !found {
		return err
	}
	_, err = sdk.Commit(ctx, []sdk.Op{v.uses.Delete(use.ID, 0)})
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	return err
}

// templatesUsed keeps the merchant's row of which templates a mini program runs.
func (v *plugin) templatesUsed(ctx context.Context, e sdk.Event) error {
	var now laneTemplates
	if err := e.Decode(&now); err != nil {
		return err
	}
	kept, found, err := v.uses.First(ctx, sdk.Eq("appid", e.AppID))
	if err != nil {
		return err
	}
	wanted := Use{Row: kept.Row, AppID: e.AppID, Name: now.Name, Trial: now.Trial, Audit: now.Audit, Online: now.Online}
	var op sdk.Op
	switch none := now.Trial == "" && now.Audit == "" && now.Online == ""; {
	case none && !found:
		return nil
	case none, found && e.SpaceID != 0 && kept.SpaceID != e.SpaceID: // the row's merchant is fixed: make another
		if err := v.forgetUse(ctx, e.AppID); err != nil || none {
			return err
		}
		op = v.uses.Insert(wanted)
	case found:
		set := changes(kept, wanted)
		if len(set) == 0 {
			return nil
		}
		op = v.uses.Update(kept.ID, kept.Version, set)
	case e.SpaceID == 0:
		return nil // no merchant is known, so nobody needs to know
	default:
		op = v.uses.Insert(wanted)
	}
	_, err = sdk.Commit(ctx, []sdk.Op{op})
	return err
}
