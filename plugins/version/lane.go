package version

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// States of a lane's review. The words are those of mp.weixin.
const (
	auditNone     = ""
	auditRunning  = "running"
	auditDelayed  = "delayed"
	auditPassed   = "passed"
	auditRejected = "rejected"
	auditUndone   = "undone"
	auditReleased = "released" // passed, and online since
)

// States of the privacy scan that follows each upload (61039 until it ends).
const (
	scanNone    = ""
	scanRunning = "scanning"
	scanClear   = "clear"
	scanFound   = "found" // undeclared or unauthorised interfaces: 61040 unless declared unused
)

// States of a gray release.
const (
	grayNone    = ""
	grayRunning = "running"
	grayPaused  = "paused"
)

// Lane is what we last knew of one mini program's versions: one row per mini program. WeChat is the truth; SyncedAt
// says when it was read. Times are Unix milliseconds.
type Lane struct {
	sdk.Row
	AppID     string `json:"appid" col:"appid,AppID,text,size:64,filter:eq,search,list"`
	Name      string `json:"name" col:"name,小程序,text,size:128,search,list"`
	Component string `json:"component" col:"component,第三方平台,text,size:64"`
	Merchant  int64  `json:"-" col:"merchant,模板所属商户,int"` // space whose template was uploaded last, 0 when unknown

	TrialVersion      string   `json:"trial_version" col:"trial_version,体验版本,text,size:64,list"`
	TrialDesc         string   `json:"trial_desc" col:"trial_desc,体验版描述,longtext"`
	TrialAt           int64    `json:"trial_at" col:"trial_at,上传时间,time"`
	TrialTemplate     string   `json:"trial_template" col:"trial_template,体验版模板,text,size:32"` // row id of our template, "" when not ours
	TrialTemplateName string   `json:"trial_template_name" col:"trial_template_name,体验版模板名称,text,size:128"`
	TrialBy           string   `json:"trial_by" col:"trial_by,上传人,text,size:128"`
	Scan              string   `json:"scan" col:"scan,代码检测,text,size:16"`
	ScanAt            int64    `json:"scan_at" col:"scan_at,检测时间,time"`
	ScanFound         []string `json:"scan_found" col:"scan_found,检测结果,json"`

	AuditID           int64           `json:"audit_id,string" col:"audit_id,审核单,int"`
	AuditState        string          `json:"audit_state" col:"audit_state,审核状态,text,size:16,filter:eq,list,options:running=审核中|blue;delayed=审核延后|orange;passed=审核通过|green;rejected=审核驳回|red;undone=已撤回|grey;released=已上线|green"`
	AuditVersion      string          `json:"audit_version" col:"audit_version,审核版本,text,size:64,list"`
	AuditDesc         string          `json:"audit_desc" col:"audit_desc,审核版描述,longtext"`
	AuditReason       string          `json:"audit_reason" col:"audit_reason,驳回原因,longtext"` // WeChat's fragment: show ReasonLines
	AuditShots        []string        `json:"audit_shots" col:"audit_shots,驳回截图,json"`
	AuditAt           int64           `json:"audit_at" col:"audit_at,提审时间,time"`
	AuditDecidedAt    int64           `json:"audit_decided_at" col:"audit_decided_at,审核完成时间,time"`
	AuditTemplate     string          `json:"audit_template" col:"audit_template,审核版模板,text,size:32"`
	AuditTemplateName string          `json:"audit_template_name" col:"audit_template_name,审核版模板名称,text,size:128"`
	AuditBy           string          `json:"audit_by" col:"audit_by,提审人,text,size:128"`
	Expedited         bool            `json:"expedited" col:"expedited,已加急,bool"`
	LastSubmit        json.RawMessage `json:"last_submit" col:"last_submit,上次提审资料,json"` // a wechat.Submit

	OnlineVersion      string `json:"online_version" col:"online_version,线上版本,text,size:64,filter:eq,list"`
	OnlineDesc         string `json:"online_desc" col:"online_desc,线上版描述,longtext"`
	OnlineAt           int64  `json:"online_at" col:"online_at,发布时间,time"`
	OnlineTemplate     string `json:"online_template" col:"online_template,线上版模板,text,size:32"`
	OnlineTemplateName string `json:"online_template_name" col:"online_template_name,线上版模板名称,text,size:128"`
	OnlineBy           string `json:"online_by" col:"online_by,发布人,text,size:128"`
	Gray               string `json:"gray" col:"gray,灰度状态,text,size:16"`
	GrayPercent        int    `json:"gray_percent" col:"gray_percent,灰度比例,int"`
	GrayAt             int64  `json:"gray_at" col:"gray_at,灰度开始时间,time"`

	// The marker of DESIGN §5.5: set before a call is sent, cleared when its outcome is known.
	Pending      string          `json:"pending" col:"pending,进行中的操作,text,size:16"`
	PendingAt    int64           `json:"pending_at" col:"pending_at,操作时间,time"`
	PendingBy    string          `json:"pending_by" col:"pending_by,操作人,text,size:128"`
	PendingDoubt bool            `json:"pending_doubt" col:"pending_doubt,结果未知,bool"`
	PendingNote  json.RawMessage `json:"pending_note" col:"pending_note,操作前状态,json"` // a markNote

	Watch    int64 `json:"watch" col:"watch,需要跟踪,int"` // 1: the job looks after this row
	TriedAt  int64 `json:"tried_at" col:"tried_at,最近尝试,time,sort"`
	SyncedAt int64 `json:"synced_at" col:"synced_at,最近同步,time,list,sort"`
	LostAt   int64 `json:"lost_at" col:"lost_at,授权取消时间,time"` // 0: authorised
}

// InFlight tells whether a review is going on.
func (l Lane) InFlight() bool { return l.AuditState == auditRunning || l.AuditState == auditDelayed }

// GrayOn tells whether a gray release exists, running or paused.
func (l Lane) GrayOn() bool { return l.Gray == grayRunning || l.Gray == grayPaused }

// Marked tells whether an operation may still be on its way.
func (l Lane) Marked(now time.Time) bool {
	return l.Pending != "" && !l.PendingDoubt && now.UnixMilli()-l.PendingAt < markTTL.Milliseconds()
}

// ReasonLines is the rejection clause by clause, as plain text.
func (l Lane) ReasonLines() []string { return reasonLines(l.AuditReason) }

// watched says whether the job has to look after the row.
func (l Lane) watched() int64 {
	if l.LostAt == 0 && (l.InFlight() || l.Pending != "") {
		return 1
	}
	return 0
}

// reasonLines splits WeChat's HTML fragment into lines of plain text. They must still be escaped like any text.
func reasonLines(fragment string) []string {
	var lines []string
	for line := range strings.SplitSeq(wechat.PlainReason(fragment), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// auditStateOf turns WeChat's status into ours; "" for one that WeChat does not document.
func auditStateOf(status int) string {
	switch status {
	case wechat.AuditPassed:
		return auditPassed
	case wechat.AuditRejected:
		return auditRejected
	case wechat.AuditRunning:
		return auditRunning
	case wechat.AuditUndone:
		return auditUndone
	case wechat.AuditDelayed:
		return auditDelayed
	default:
		return auditNone
	}
}

// changes is what must be written to make the row from into to. Columns that decide who sees a row never change.
func changes[T any](from, to T) sdk.Set {
	set := sdk.Set{}
	before, after := reflect.ValueOf(from), reflect.ValueOf(to)
	for _, field := range reflect.VisibleFields(before.Type()) {
		name, _, tagged := strings.Cut(field.Tag.Get("col"), ",")
		if !tagged || name == "appid" {
			continue
		}
		if value := after.FieldByIndex(field.Index).Interface(); !reflect.DeepEqual(before.FieldByIndex(field.Index).Interface(), value) {
			set[name] = value
		}
	}
	return set
}

// Audit is one review of the past or present; the rows of a mini program are its history.
type Audit struct {
	sdk.Row
	AppID       string   `json:"appid" col:"appid,AppID,text,size:64"`
	AuditID     int64    `json:"audit_id,string" col:"audit_id,审核单,int"`
	UserVersion string   `json:"user_version" col:"user_version,版本号,text,size:64"`
	UserDesc    string   `json:"user_desc" col:"user_desc,描述,longtext"`
	State       string   `json:"state" col:"state,状态,text,size:16"`
	Reason      string   `json:"reason" col:"reason,原因,longtext"`
	Shots       []string `json:"screenshots" col:"screenshots,截图,json"`
	SubmittedAt int64    `json:"submitted_at" col:"submitted_at,提审时间,time"`
	DecidedAt   int64    `json:"decided_at" col:"decided_at,完成时间,time"`
	SubmittedBy string   `json:"submitted_by" col:"submitted_by,提审人,text,size:128"`
	Attempt     int64    `json:"attempt" col:"attempt,第几次提审,int"` // of this version, from 1; 0 for reviews from before it was counted
}

// ReasonLines is the reason clause by clause, as plain text.
func (a Audit) ReasonLines() []string { return reasonLines(a.Reason) }
