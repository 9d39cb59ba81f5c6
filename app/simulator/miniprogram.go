package simulator

import (
	"slices"
	"strings"
)

// miniProgram is one WeChat mini program with its profile and its version lanes.
type miniProgram struct {
	AppID         string              `json:"appid"`
	UserName      string              `json:"user_name"` // 原始ID, gh_…
	NickName      string              `json:"nick_name"`
	HeadImg       string              `json:"head_img"`
	Signature     string              `json:"signature"`
	PrincipalName string              `json:"principal_name"`
	PrincipalType int                 `json:"principal_type"` // 0 personal, 1 enterprise
	Credential    string              `json:"credential"`
	Admin         string              `json:"admin"`          // WeChat id of the administrator
	VerifyType    int                 `json:"verify_type"`    // −1 not certified, 0 certified
	CertifiedMs   int64               `json:"certified_ms"`   // end of the certification; 0: it never ends
	AccountStatus int                 `json:"account_status"` // 1 normal, 14 cancelled, 16 banned, 18 warned, 19 frozen
	RegisterType  int                 `json:"register_type"`
	ServiceType   int                 `json:"service_type"`  // 0 normal, 12 试用小程序
	TrialEndsMs   int64               `json:"trial_ends_ms"` // a 试用小程序 that is not converted ends then
	Official      bool                `json:"official"`      // a 公众号, which lends its 主体 to new mini programs
	Developed     bool                `json:"developed"`     // 开发小程序: its uploads land in a draft box
	Categories    []category          `json:"categories"`
	NameSet       bool                `json:"name_set"`
	AvatarSet     bool                `json:"avatar_set"`
	IntroSet      bool                `json:"intro_set"`
	PrivacyAPIs   []string            `json:"privacy_apis"` // location APIs it may use
	Domains       map[string][]string `json:"domains"`
	Testers       []string            `json:"testers"` // WeChat ids
	TesterLimit   int                 `json:"tester_limit"`
	DailyVisits   int                 `json:"daily_visits,omitempty"` // people a day in the figures; 0: the simulator decides
	VisitClosed   bool                `json:"visit_closed"`
	CreatedMs     int64               `json:"created_ms"`

	Trial          *build      `json:"trial,omitempty"`    // 体验版
	Audits         []audit     `json:"audits"`             // newest last
	Approved       *build      `json:"approved,omitempty"` // last approved audit that was not released yet
	ApprovedAudit  int64       `json:"approved_audit"`
	Gray           *grayPlan   `json:"gray,omitempty"`
	Online         *published  `json:"online,omitempty"`
	History        []published `json:"history"` // versions a rollback can reach, newest first
	NextAppVersion int         `json:"next_app_version"`
	UndoDay        counter     `json:"undo_day"`
	UndoMonth      counter     `json:"undo_month"`

	programTraits
}

// category is one configured 类目 with its ids, as submit_audit wants it.
type category struct {
	FirstClass  string `json:"first_class"`
	SecondClass string `json:"second_class"`
	ThirdClass  string `json:"third_class,omitempty"`
	FirstID     int    `json:"first_id"`
	SecondID    int    `json:"second_id"`
	ThirdID     int    `json:"third_id,omitempty"`
}

// build is one committed code package.
type build struct {
	Component   string   `json:"component"`
	TemplateID  int64    `json:"template_id"`
	Version     string   `json:"version"`
	Desc        string   `json:"desc"`
	ExtJSON     string   `json:"ext_json"`
	Pages       []string `json:"pages"`
	PrivacyAPIs []string `json:"privacy_apis"` // location APIs the code uses
	Declared    []string `json:"declared"`     // requiredPrivateInfos
	CommittedMs int64    `json:"committed_ms"`
}

// Audit states of WeChat's get_auditstatus.
const (
	auditPassed    = 0
	auditRejected  = 1
	auditRunning   = 2
	auditWithdrawn = 3
	auditDelayed   = 4
)

// audit is one submitted version.
type audit struct {
	AuditID     int64    `json:"auditid"`
	Build       build    `json:"build"`
	Status      int      `json:"status"`
	Reason      string   `json:"reason"`
	Screenshots []string `json:"screenshots"`
	VersionDesc string   `json:"version_desc"`
	Categories  []string `json:"categories"`
	SubmittedMs int64    `json:"submitted_ms"`
	DecidedMs   int64    `json:"decided_ms"`
	Expedited   bool     `json:"expedited"`
	Released    bool     `json:"released"`
}

func (a *audit) open() bool { return a.Status == auditRunning || a.Status == auditDelayed }

// Gray release plan states.
const (
	grayRunning = 1
	grayDone    = 3
	grayDeleted = 4
)

// grayPlan is one staged release.
type grayPlan struct {
	Status           int   `json:"status"`
	Percentage       int   `json:"percentage"`
	DebuggerFirst    bool  `json:"debugger_first"`
	ExperiencerFirst bool  `json:"experiencer_first"`
	CreatedMs        int64 `json:"created_ms"`
	AuditID          int64 `json:"auditid"`
	Build            build `json:"build"`
}

// published is a version that is or was online.
type published struct {
	AppVersion int   `json:"app_version"`
	Build      build `json:"build"`
	ReleasedMs int64 `json:"released_ms"`
	Reverted   bool  `json:"reverted"` // it is online because of a rollback
}

const (
	maxHistory = 5
	maxAudits  = 50
)

// named tells whether a search for a name, an appid or a 主体 finds the mini program; letters of either case, "" finds all.
func (m *miniProgram) named(search string) bool {
	search = strings.ToLower(search)
	for _, text := range []string{m.NickName, m.AppID, m.PrincipalName} {
		if strings.Contains(strings.ToLower(text), search) {
			return true
		}
	}
	return false
}

func (m *miniProgram) lastAudit() *audit {
	if len(m.Audits) == 0 {
		return nil
	}
	return &m.Audits[len(m.Audits)-1]
}

func (m *miniProgram) audit(id int64) *audit {
	for i := range m.Audits {
		if m.Audits[i].AuditID == id {
			return &m.Audits[i]
		}
	}
	return nil
}

func (m *miniProgram) grayIsRunning() bool { return m.Gray != nil && m.Gray.Status == grayRunning }

func (m *miniProgram) hasCategory(firstID, secondID int) bool {
	return slices.ContainsFunc(m.Categories, func(c category) bool { return c.FirstID == firstID && c.SecondID == secondID })
}

// publish puts a build online for everybody; the version before becomes the newest one a rollback can reach.
func (m *miniProgram) publish(b build, now int64) {
	if m.Online != nil {
		old := *m.Online
		old.Reverted = false
		m.History = append([]published{old}, m.History...)
		if len(m.History) > maxHistory {
			m.History = m.History[:maxHistory]
		}
	}
	m.NextAppVersion++
	m.Online = &published{AppVersion: m.NextAppVersion, Build: b, ReleasedMs: now}
	if m.grayIsRunning() {
		m.Gray.Status = grayDone
		m.Gray.Percentage = 100
	}
	if a := m.audit(m.ApprovedAudit); a != nil {
		a.Released = true
	}
	m.Approved, m.ApprovedAudit = nil, 0
}
