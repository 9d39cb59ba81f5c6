package wechat

// Names of the pushes about a mini program's own affairs besides those of code audits (01 C.2).
const (
	NicknameAudited = "wxa_nickname_audit"
	CategoryAudited = "wxa_category_audit"
	PrivacyAudited  = "wxa_privacy_apply"
	Violated        = "wxa_illegal_record"
	Appealed        = "wxa_appeal_record"
)

// AuditContent is weapp_audit_success, weapp_audit_fail or weapp_audit_delay (01 C.1); Push.AuditResult reads the same.
type AuditContent struct {
	SucceededAt int64  `push:"SuccTime"`   // unix seconds, of a success
	FailedAt    int64  `push:"FailTime"`   // unix seconds, of a rejection
	DelayedAt   int64  `push:"DelayTime"`  // unix seconds, of a delay
	Reason      string `push:"Reason"`     // WeChat's HTML fragment: escape before showing
	Screenshots string `push:"ScreenShot"` // media ids joined by a vertical bar
}

// NicknameContent is the review of a name. It may come on either URL.
type NicknameContent struct {
	AppID    string `push:"appid"` // only where it comes on the ticket URL
	Result   int    `push:"ret"`   // NicknameRejected or NicknamePassed
	Nickname string `push:"nickname"`
	Reason   string `push:"reason"`
}

// CategoryContent is the review of a category.
type CategoryContent struct {
	Result int    `push:"ret"` // CategoryRejected or CategoryPassed
	First  int64  `push:"first"`
	Second int64  `push:"second"`
	Reason string `push:"reason"`
}

// PrivacyContent is the review of a location interface. The values of Status are those of one public SDK: ask
// PrivacyInterfaces too.
type PrivacyContent struct {
	Info struct {
		Name      string `push:"api_name"`
		AppliedAt int64  `push:"apply_time"` // unix seconds
		AuditID   string `push:"audit_id"`
		AuditedAt int64  `push:"audit_time"` // unix seconds
		Reason    string `push:"reason"`
		Status    int    `push:"status"` // 2 rejected, 3 passed
	} `push:"result_info"`
}

// ViolationContent is a violation that was recorded (names unverified).
type ViolationContent struct {
	ID       string `push:"illegal_record_id"`
	AppID    string `push:"appid"`
	At       int64  `push:"illegal_time"` // unix seconds
	Reason   string `push:"illegal_reason"`
	Content  string `push:"illegal_content"`
	RuleURL  string `push:"rule_url"`
	RuleName string `push:"rule_name"`
}

// AppealContent is what became of an appeal; the numbers are those of Appeal.
type AppealContent struct {
	ID         string                  `push:"appeal_record_id"`
	AppID      string                  `push:"appid"`
	At         int64                   `push:"appeal_time"` // unix seconds
	Count      int                     `push:"appeal_count"`
	From       int                     `push:"appeal_from"`
	Status     int                     `push:"appeal_status"`
	AuditedAt  int64                   `push:"audit_time"` // unix seconds
	Reason     string                  `push:"audit_reason"`
	Punishment string                  `push:"punish_description"`
	Materials  []AppealMaterialContent `push:"material"`
}

// AppealMaterialContent is a charge and what was said against it.
type AppealMaterialContent struct {
	Charge struct {
		Content string `push:"content"`
		URL     string `push:"content_url"`
	} `push:"illegal_material"`
	Answer struct {
		Reason string   `push:"reason"`
		Proofs []string `push:"proof_material_id"`
	} `push:"appeal_material"`
}

// NearbyContent is the review of a place or of its category. The facts name the pushes only; the fields are those of the
// official sample as known, all optional.
type NearbyContent struct {
	AuditID string `push:"audit_id"`
	Status  int    `push:"status"` // 1 审核中, 2 审核失败, 3 审核通过
	Reason  string `push:"reason"`
	PoiID   string `push:"poi_id"`
}

// VerifyStepContent is a step of a certification; the facts name the pushes only.
type VerifyStepContent struct {
	TaskID   string `push:"taskid"`
	OrderID  string `push:"orderid"`
	Provider string `push:"provider"`
	Contact  string `push:"contact"`
	At       int64  `push:"dispatch_time"` // unix seconds
}

// OfficialVerifyContent is a step of an official account's certification: ExpiredTime of a success or a reminder, the
// other two of a failure.
type OfficialVerifyContent struct {
	Expires  int64  `push:"ExpiredTime"` // unix seconds
	FailedAt int64  `push:"FailTime"`    // unix seconds
	Reason   string `push:"FailReason"`
}
