package wechat

// Names of the pushes on the ticket URL besides those of authorisation (01 B.3–B.6).
const (
	RegistrationDone     = "notify_third_fasteregister"
	BetaRegistered       = "notify_third_fastregisterbetaapp"
	BetaVerified         = "notify_third_fastverifybetaapp"
	CertificationMoved   = "notify_3rd_wxa_auth"
	CertificationExpires = "notify_3rd_wxa_wxverify"
	ProcedureMoved       = "notify_3rd_wxa_auth_and_icp"
	FilingFaceChecked    = "notify_icpfiling_verify_result"
	FilingReviewed       = "notify_apply_icpfiling_result"
	OrderPathApplied     = "order_path_apply_result_notify"
	OrderPathAudited     = "order_path_audit_result_notify"

	// These three may come as Event on the message URL.
	BetaByOfficialAgreed  = "betaapp_authorization_apply_event"
	BetaByOfficialDone    = "betaapp_verify_event"
	BetaByOfficialApplied = "betaapp_verify_apply_event"
)

// TicketContent is component_verify_ticket. The ticket is a credential: never log it.
type TicketContent struct {
	Ticket string `push:"ComponentVerifyTicket"`
}

// AuthorizationContent is authorized, updateauthorized or unauthorized (01 B.2); Push.Authorization reads the same.
type AuthorizationContent struct {
	AppID       string `push:"AuthorizerAppid"`
	Code        string `push:"AuthorizationCode"`
	CodeExpires int64  `push:"AuthorizationCodeExpiredTime"` // absolute unix seconds
	PreAuthCode string `push:"PreAuthCode"`
}

// RegistrationContent is the outcome of a registration (01 B.3) or of a 转正 (01 B.5). There is no task id: match Info
// with what was sent; on some failures it is missing. It holds personal data.
type RegistrationContent struct {
	AppID    string           `push:"appid"`     // the new mini program, only with Status 0
	Status   int              `push:"status"`    // 0 created; 101–105, 1000–1008 and 100001–100004 in 01 E.1
	AuthCode string           `push:"auth_code"` // for QueryAuth; only with Status 0, never of a 转正
	Message  string           `push:"msg"`       // "OK" or WeChat's English reason
	Info     RegistrationInfo `push:"info"`
}

// RegistrationInfo echoes the request: the first six of an enterprise, the last three of a person.
type RegistrationInfo struct {
	Name               string `push:"name"`
	Code               string `push:"code"`
	CodeType           int    `push:"code_type"`
	LegalPersonaWechat string `push:"legal_persona_wechat"`
	LegalPersonaName   string `push:"legal_persona_name"`
	ComponentPhone     string `push:"component_phone"`
	WechatID           string `push:"wxuser"`
	PersonName         string `push:"idname"`
}

// BetaContent is the outcome of RegisterBeta (01 B.4); UniqueID is that of BetaTask.
type BetaContent struct {
	AppID   string `push:"appid"`
	Status  int    `push:"status"` // 0 created
	Message string `push:"msg"`
	Info    struct {
		UniqueID string `push:"unique_id"`
		Name     string `push:"name"`
	} `push:"info"`
}

// CertificationContent is a step of a certification; the numbers are those of CertificationState.
type CertificationContent struct {
	AppID    string `push:"appid"`
	TaskID   string `push:"taskid"`
	Task     int    `push:"task_status"`
	Apply    int    `push:"apply_status"`
	Message  string `push:"message"`
	Dispatch struct {
		Provider string `push:"provider"`
		Contact  string `push:"contact"`
		At       int64  `push:"dispatch_time"` // unix seconds
	} `push:"dispatch_info"`
}

// CertificationExpiry reminds of the end of a certification, 60 and 30 days before and on the day.
type CertificationExpiry struct {
	AppID   string `push:"appid"`
	Expires int64  `push:"expired"` // unix seconds
	Message string `push:"message"`
}

// ProcedureContent is a step of a joint application; Status as in MiniProgram.Procedure.
type ProcedureContent struct {
	AppID       string `push:"appid"` // unverified
	ProcedureID string `push:"procedure_id"`
	Status      int    `push:"procedure_status"`
}

// FilingFaceContent is the outcome of a face check for a 备案.
type FilingFaceContent struct {
	TaskID string `push:"task_id"`
	AppID  string `push:"verify_appid"`
	Result int    `push:"result"`                 // 2 failed, 3 passed
	With   int    `push:"along_with_auth_result"` // 9: the SMS code passed
}

// FilingContent is the outcome of a 备案; Status as in FilingEntrance.
type FilingContent struct {
	AppID  string `push:"authorizer_appid"`
	Status int    `push:"beian_status"`
}

// OrderPathContent is what became of order pages, one entry per mini program.
type OrderPathContent struct {
	List []OrderPathResult `push:"list"`
}

// OrderPathResult is what became of one mini program's order page.
type OrderPathResult struct {
	AppID     string `push:"appid"`
	AuditID   string `push:"audit_id"`
	Status    int    `push:"status"`     // 2 审核中, 3 失败, 4 通过
	AppliedAt int64  `push:"apply_time"` // unix seconds
	AuditedAt int64  `push:"audit_time"` // unix seconds
	Reason    string `push:"reason"`
	Message   string `push:"msg"`
	Ret       int    `push:"ret"`
}

// BetaByOfficialContent tells how the 转正 of a 试用小程序 with an official account's qualification goes on. The spelling
// of the group is WeChat's.
type BetaByOfficialContent struct {
	Info struct {
		AppID   string `push:"appid"`
		MPAppID string `push:"mp_appid"`
		At      int64  `push:"operation_time"` // unix seconds
		Status  int    `push:"status"`
		Message string `push:"msg"`
		Ticket  string `push:"ticket"` // for VerifyBetaByOfficial
	} `push:"ApplyAuthorizationInfoNoitfy"`
}
