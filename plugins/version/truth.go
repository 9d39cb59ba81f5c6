package version

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"minifleet/app/wechat"
)

// truth is what WeChat says about one mini program at one moment. Lanes tells whether more than the review was read.
type truth struct {
	HasAudit bool
	Audit    wechat.AuditStatus
	Lanes    bool
	Trial    *wechat.TrialVersion
	Online   *wechat.OnlineVersion
	Gray     *wechat.GrayPlan
}

// readAudit reads the review only: one call, for jobs and events.
func readAudit(ctx context.Context, app wechat.MiniProgram) (truth, error) {
	var t truth
	var err error
	if t.Audit, t.HasAudit, err = app.LatestAudit(ctx); err != nil {
		return truth{}, fmt.Errorf("read latest audit of %s: %w", app.AppID, err)
	}
	return t, nil
}

// readAll reads review, lanes and gray release. One failure fails it all, so that nothing is adopted by halves.
func readAll(ctx context.Context, app wechat.MiniProgram) (truth, error) {
	t, err := readAudit(ctx, app)
	if err != nil {
		return truth{}, err
	}
	versions, err := app.VersionInfo(ctx)
	if err != nil {
		return truth{}, fmt.Errorf("read versions of %s: %w", app.AppID, err)
	}
	t.Lanes, t.Trial, t.Online = true, versions.Trial, versions.Online
	if t.Gray, err = app.GrayPlan(ctx); err != nil {
		return truth{}, fmt.Errorf("read gray release of %s: %w", app.AppID, err)
	}
	return t, nil
}

// markNote is what was known when an operation was marked: to tell afterwards whether it took effect, and whose it was.
type markNote struct {
	AuditID       int64  `json:"audit_id,omitempty"`
	AuditState    string `json:"audit_state,omitempty"`
	TrialVersion  string `json:"trial_version,omitempty"`
	TrialDesc     string `json:"trial_desc,omitempty"`
	TrialAt       int64  `json:"trial_at,omitempty"`
	OnlineVersion string `json:"online_version,omitempty"`
	OnlineAt      int64  `json:"online_at,omitempty"`

	// What was asked for.
	Version      string `json:"version,omitempty"` // commit
	Desc         string `json:"desc,omitempty"`
	Template     string `json:"template,omitempty"`
	Space        int64  `json:"space,omitempty"` // of the template's merchant
	TemplateName string `json:"template_name,omitempty"`
	Percent      int    `json:"percent,omitempty"` // gray
}

func (l Lane) note() markNote {
	var note markNote
	if len(l.PendingNote) > 0 {
		if err := json.Unmarshal(l.PendingNote, &note); err != nil {
			return markNote{} // unreadable: nothing can be proved, so the operation counts as not done
		}
	}
	return note
}

// tookEffect tells from WeChat's state whether the marked operation happened.
func (l Lane) tookEffect(t truth) bool {
	note := l.note()
	switch l.Pending {
	case actSubmit:
		return t.HasAudit && t.Audit.AuditID != note.AuditID
	case actWithdraw:
		return t.HasAudit && t.Audit.AuditID == note.AuditID && t.Audit.Status == wechat.AuditUndone
	case actRelease, actRollback:
		return t.Lanes && t.Online != nil && (t.Online.Version != note.OnlineVersion || t.Online.Time*1000 > note.OnlineAt)
	case actGray:
		return t.Lanes && (t.Gray != nil && grayStateOf(t.Gray) != grayNone && t.Gray.Percentage >= note.Percent ||
			note.Percent == 100 && t.Online != nil && t.Online.Time*1000 > note.OnlineAt)
	case actUngray:
		return t.Lanes && grayStateOf(t.Gray) == grayNone
	case actCommit:
		return t.Lanes && t.Trial != nil && t.Trial.Version == note.Version && t.Trial.Desc == note.Desc &&
			(t.Trial.Time*1000 > note.TrialAt || note.TrialVersion != note.Version || note.TrialDesc != note.Desc)
	default: // speed-up leaves no trace that can be read
		return false
	}
}

func grayStateOf(plan *wechat.GrayPlan) string {
	if plan == nil {
		return grayNone
	}
	switch plan.Status {
	case wechat.GrayInitial, wechat.GrayRunning:
		return grayRunning
	case wechat.GrayPaused:
		return grayPaused
	default:
		return grayNone
	}
}

// adopt takes over what WeChat says. It never touches the marker. happened says that the marked operation is known to
// have taken effect, so that what it did is credited to whoever did it.
func adopt(lane Lane, t truth, happened bool, now time.Time) Lane {
	if t.Lanes {
		lane = adoptTrial(lane, t, happened, now)
		lane.Gray, lane.GrayPercent, lane.GrayAt = grayStateOf(t.Gray), 0, 0
		if lane.Gray != grayNone {
			lane.GrayPercent, lane.GrayAt = t.Gray.Percentage, t.Gray.CreatedAt*1000
		}
		lane.SyncedAt = now.UnixMilli()
	}
	if t.HasAudit {
		lane = adoptAudit(lane, t, happened, now)
	}
	if t.Lanes {
		lane = adoptOnline(lane, t, happened)
	}
	lane.TriedAt = now.UnixMilli()
	return lane
}

func adoptTrial(lane Lane, t truth, happened bool, now time.Time) Lane {
	if t.Trial == nil {
		lane.TrialVersion, lane.TrialDesc, lane.TrialAt, lane.TrialTemplate, lane.TrialTemplateName, lane.TrialBy = "", "", 0, "", "", ""
		lane.Scan, lane.ScanAt, lane.ScanFound = scanNone, 0, nil
		return lane
	}
	committed := happened && lane.Pending == actCommit
	if committed || t.Trial.Version != lane.TrialVersion || t.Trial.Desc != lane.TrialDesc {
		lane.TrialTemplate, lane.TrialTemplateName, lane.TrialBy = "", "", ""
		lane.Scan, lane.ScanAt, lane.ScanFound = scanRunning, now.UnixMilli(), nil
	}
	lane.TrialVersion, lane.TrialDesc, lane.TrialAt = clip(t.Trial.Version, 64), t.Trial.Desc, t.Trial.Time*1000
	if committed {
		note := lane.note()
		lane.TrialTemplate, lane.TrialTemplateName, lane.TrialBy = note.Template, note.TemplateName, lane.PendingBy
		if note.Space != 0 {
			lane.Merchant = note.Space
		}
	}
	return lane
}

func adoptAudit(lane Lane, t truth, happened bool, now time.Time) Lane {
	state := auditStateOf(t.Audit.Status)
	if state == auditNone { // a status nobody documents: keep what we know
		return lane
	}
	same := lane.AuditID == t.Audit.AuditID && lane.AuditState != auditNone
	if !same {
		lane.AuditTemplate, lane.AuditTemplateName, lane.AuditBy = "", "", ""
		if t.Audit.UserVersion == lane.TrialVersion {
			lane.AuditTemplate, lane.AuditTemplateName = lane.TrialTemplate, lane.TrialTemplateName
		}
		if happened && lane.Pending == actSubmit {
			lane.AuditBy = lane.PendingBy
		}
		lane.Expedited, lane.AuditDecidedAt = false, 0
	}
	released := same && lane.AuditState == auditReleased ||
		happened && lane.Pending == actRelease ||
		t.Lanes && t.Online != nil && t.Online.Version == t.Audit.UserVersion && t.Audit.SubmittedAt > 0 && t.Online.Time >= t.Audit.SubmittedAt
	if state == auditPassed && released {
		state = auditReleased
	}
	switch {
	case state == auditRunning || state == auditDelayed:
		lane.AuditDecidedAt = 0
	case lane.AuditDecidedAt == 0:
		lane.AuditDecidedAt = now.UnixMilli()
	}
	lane.AuditID, lane.AuditState = t.Audit.AuditID, state
	lane.AuditVersion, lane.AuditDesc = clip(t.Audit.UserVersion, 64), t.Audit.UserDesc
	lane.AuditReason, lane.AuditShots = t.Audit.Reason, t.Audit.Screenshots
	if t.Audit.SubmittedAt > 0 || !same {
		lane.AuditAt = t.Audit.SubmittedAt * 1000
	}
	return lane
}

func adoptOnline(lane Lane, t truth, happened bool) Lane {
	if t.Online == nil {
		lane.OnlineVersion, lane.OnlineDesc, lane.OnlineAt, lane.OnlineTemplate, lane.OnlineTemplateName, lane.OnlineBy = "", "", 0, "", "", ""
		return lane
	}
	version := clip(t.Online.Version, 64)
	if version == "" { // seen empty in the field although something is online (02 B.17)
		version = lane.OnlineVersion
	}
	if version != lane.OnlineVersion || t.Online.Time*1000 != lane.OnlineAt {
		lane.OnlineTemplate, lane.OnlineTemplateName, lane.OnlineBy = "", "", ""
		if lane.AuditState == auditReleased && version == lane.AuditVersion && lane.Pending != actRollback {
			lane.OnlineTemplate, lane.OnlineTemplateName = lane.AuditTemplate, lane.AuditTemplateName
		}
		if happened && (lane.Pending == actRelease || lane.Pending == actRollback || lane.Pending == actGray) {
			lane.OnlineBy = lane.PendingBy
		}
	}
	lane.OnlineVersion, lane.OnlineDesc, lane.OnlineAt = version, t.Online.Desc, t.Online.Time*1000
	return lane
}

// clip keeps WeChat's text within a column, which never happens with what it documents.
func clip(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
