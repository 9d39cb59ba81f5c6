package version

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// attempts bounds how often a write is tried again after somebody else was faster.
const attempts = 5

// errBusy answers a second click while the first is on its way.
func errBusy(act string) *sdk.Error {
	return sdk.Conflict("version.busy", "正在提交，请稍候刷新（"+titleOf(act)+"尚未完成）")
}

// laneOf reads the row of a mini program and makes it when there is none. It never calls WeChat.
func (v *plugin) laneOf(ctx context.Context, app sdk.MiniProgramInfo) (Lane, error) {
	for range attempts {
		lane, found, err := v.lanes.First(ctx, sdk.Eq("appid", app.AppID))
		if err != nil || found {
			return lane, err
		}
		component, _ := holder(app, setCode)
		_, err = sdk.Commit(ctx, []sdk.Op{v.lanes.Insert(Lane{AppID: app.AppID, Name: nameOf(app), Component: component})})
		if err != nil && !errors.Is(err, sdk.ErrConflict) {
			return Lane{}, fmt.Errorf("make the lanes of %s: %w", app.AppID, err)
		}
	}
	return Lane{}, fmt.Errorf("make the lanes of %s: %w", app.AppID, sdk.ErrAborted)
}

func nameOf(app sdk.MiniProgramInfo) string {
	if app.NickName == "" {
		return app.AppID
	}
	return clip(app.NickName, 128)
}

// profile copies what the core says about the mini program.
func (l Lane) profile(app sdk.MiniProgramInfo) Lane {
	l.Name = nameOf(app)
	if component, held := holder(app, setCode); held {
		l.Component, l.LostAt = component, 0
	}
	return l
}

// view is how refresh reads WeChat and what else it writes.
type view struct {
	read     func(context.Context, wechat.MiniProgram) (truth, error) // nil: everything
	happened bool                                                     // the marked operation is known to have worked
	settle   bool                                                     // clear the marker
	announce bool                                                     // the change was pushed by WeChat
	extra    func(*Lane)
}

// refresh reads WeChat's state and adopts it. A failing read changes nothing. The row is read before WeChat, so that a
// state older than somebody else's write is never written over it.
func (v *plugin) refresh(ctx context.Context, app sdk.MiniProgramInfo, how view) (lane Lane, found truth, err error) {
	if how.read == nil {
		how.read = readAll
	}
	for range attempts {
		before, err := v.laneOf(ctx, app)
		if err != nil {
			return Lane{}, truth{}, err
		}
		found, err := how.read(ctx, miniProgram(ctx, app.AppID))
		if err != nil {
			return before, truth{}, err
		}
		after := adopt(before.profile(app), found, how.happened || how.settle && before.tookEffect(found), sdk.Now(ctx))
		if how.settle {
			after.Pending, after.PendingAt, after.PendingBy, after.PendingDoubt, after.PendingNote = "", 0, "", false, nil
		}
		if how.extra != nil {
			how.extra(&after)
		}
		after, err = v.save(ctx, app, before, after, how.announce)
		if err == nil {
			return after, found, nil
		}
		if !errors.Is(err, sdk.ErrAborted) && !errors.Is(err, sdk.ErrConflict) {
			return before, truth{}, err
		}
	}
	return Lane{}, truth{}, fmt.Errorf("refresh lanes of %s: %w", app.AppID, sdk.ErrAborted)
}

// change writes what is known without asking WeChat.
func (v *plugin) change(ctx context.Context, app sdk.MiniProgramInfo, announce bool, edit func(*Lane)) (Lane, error) {
	for range attempts {
		before, err := v.laneOf(ctx, app)
		if err != nil {
			return Lane{}, err
		}
		after := before
		edit(&after)
		after, err = v.save(ctx, app, before, after, announce)
		if err == nil || !errors.Is(err, sdk.ErrAborted) && !errors.Is(err, sdk.ErrConflict) {
			return after, err
		}
	}
	return Lane{}, fmt.Errorf("change lanes of %s: %w", app.AppID, sdk.ErrAborted)
}

// save writes a lane and, in the same transaction, what follows from the change: the review's history and the events.
// It gives the row as it stands then.
func (v *plugin) save(ctx context.Context, app sdk.MiniProgramInfo, before, after Lane, announce bool) (Lane, error) {
	after.Watch = after.watched()
	set := changes(before, after)
	if len(set) == 0 {
		return after, nil
	}
	ops := []sdk.Op{v.lanes.Update(before.ID, before.Version, set)}
	history, err := v.history(ctx, before, after)
	if err != nil {
		return before, err
	}
	events := append(auditEvents(app, before, after, announce), useEvents(before, after)...)
	_, err = sdk.Commit(ctx, append(ops, history...), sdk.WithEvents(events...))
	if err != nil {
		return before, fmt.Errorf("save lanes of %s: %w", after.AppID, err)
	}
	after.Version++
	return after, nil
}

// history keeps one row per review.
func (v *plugin) history(ctx context.Context, before, after Lane) ([]sdk.Op, error) {
	unchanged := before.AuditID == after.AuditID && before.AuditState == after.AuditState && before.AuditReason == after.AuditReason &&
		slices.Equal(before.AuditShots, after.AuditShots) && before.AuditBy == after.AuditBy
	if unchanged || after.AuditState == auditNone {
		return nil, nil
	}
	now := Audit{
		AppID: after.AppID, AuditID: after.AuditID, UserVersion: after.AuditVersion, UserDesc: after.AuditDesc, State: after.AuditState,
		Reason: after.AuditReason, Shots: after.AuditShots, SubmittedAt: after.AuditAt, DecidedAt: after.AuditDecidedAt, SubmittedBy: after.AuditBy,
	}
	kept, found, err := v.audits.First(ctx, sdk.Eq("appid", after.AppID), sdk.Eq("audit_id", after.AuditID))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read audit %d of %s: %w", after.AuditID, after.AppID, err)
	case !found:
		if now.Attempt, err = v.attempt(ctx, now); err != nil {
			return nil, err
		}
		return []sdk.Op{v.audits.Insert(now)}, nil
	}
	now.Row, now.Attempt = kept.Row, kept.Attempt
	if set := changes(kept, now); len(set) > 0 {
		return []sdk.Op{v.audits.Update(kept.ID, kept.Version, set)}, nil
	}
	return nil, nil
}

// attempt counts how often this version was submitted, this time included.
func (v *plugin) attempt(ctx context.Context, now Audit) (int64, error) {
	past, err := v.audits.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("appid", now.AppID), sdk.Eq("user_version", now.UserVersion)}, Limit: 1, Count: true})
	if err != nil || past.Total == nil {
		return 0, err
	}
	return *past.Total + 1, nil
}

// auditChange is the data of version.audit_passed, audit_rejected and audit_delayed.
type auditChange struct {
	AuditID     int64    `json:"audit_id,string"`
	UserVersion string   `json:"user_version"`
	Reason      []string `json:"reason"`
	Screenshots []string `json:"screenshots"`
}

// auditEvents tells others about a verdict, once: only the change of a review that was in flight, or one that WeChat
// pushed, is news.
func auditEvents(app sdk.MiniProgramInfo, before, after Lane, announce bool) []sdk.Event {
	same := before.AuditID == after.AuditID
	if same && before.AuditState == after.AuditState || !(same && before.InFlight() || announce) {
		return nil
	}
	kind := ""
	switch after.AuditState {
	case auditPassed, auditReleased:
		kind = "audit_passed"
	case auditRejected:
		kind = "audit_rejected"
	case auditDelayed:
		kind = "audit_delayed"
	default:
		return nil
	}
	if after.AuditState == auditReleased && before.AuditState == auditPassed {
		return nil
	}
	return []sdk.Event{{
		Type: kind, Component: after.Component, AppID: after.AppID, SpaceID: app.OwnerSpace, Subject: fmt.Sprint(after.AuditID),
		Data: auditChange{AuditID: after.AuditID, UserVersion: after.AuditVersion, Reason: after.ReasonLines(), Screenshots: after.AuditShots},
	}}
}

// laneTemplates is the data of version.lane_templates: which of a merchant's templates a mini program runs.
type laneTemplates struct {
	Name   string `json:"name"`
	Trial  string `json:"trial"`
	Audit  string `json:"audit"`
	Online string `json:"online"`
}

// useEvents tells the template's merchant, whose rows this call may not write, which templates are in use.
func useEvents(before, after Lane) []sdk.Event {
	if before.TrialTemplate == after.TrialTemplate && before.AuditTemplate == after.AuditTemplate && before.OnlineTemplate == after.OnlineTemplate {
		return nil
	}
	return []sdk.Event{{
		Type: eventUse, Component: after.Component, AppID: after.AppID, SpaceID: after.Merchant, Subject: after.AppID,
		Data: laneTemplates{Name: after.Name, Trial: after.TrialTemplate, Audit: after.AuditTemplate, Online: after.OnlineTemplate},
	}}
}
