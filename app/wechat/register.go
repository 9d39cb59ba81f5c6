package wechat

import "context"

// Enterprise is a company or 个体户 that registers a mini program (01 E.1).
type Enterprise struct {
	Name               string `json:"name"`                 // exactly as in the business register
	Code               string `json:"code"`                 // number of the kind CodeType
	CodeType           int    `json:"code_type"`            // 1 统一社会信用代码 (18), 2 组织机构代码 (9), 3 营业执照注册号 (15)
	LegalPersonaWechat string `json:"legal_persona_wechat"` // WeChat id, no openid
	LegalPersonaName   string `json:"legal_persona_name"`   // the name bound to that WeChat id's bank card
	ComponentPhone     string `json:"component_phone,omitempty"`
}

// RegisterEnterprise starts 快速注册企业小程序: the legal person gets a message and must show the face within 24 h. The
// outcome comes as the push notify_third_fasteregister and names no task: match by the four fields as sent.
// Errors: 89249 a task for this subject runs, 61070/86004 name or WeChat id, 89248/89255 code, 91030 too often.
func (c Component) RegisterEnterprise(ctx context.Context, e Enterprise) error {
	return c.call(ctx, EndpointRegisterEnterprise, nil, e, nil)
}

// EnterpriseTask names a running registration.
type EnterpriseTask struct {
	Name               string `json:"name"`
	LegalPersonaWechat string `json:"legal_persona_wechat"`
	LegalPersonaName   string `json:"legal_persona_name"`
}

// SearchEnterprise asks where a registration stands. The errcode is the answer: 89250 none, 89251 waiting for the face
// check, 89252 data being compared. It spends quota and forgets finished tasks, so it is not for polling.
func (c Component) SearchEnterprise(ctx context.Context, t EnterpriseTask) error {
	return c.call(ctx, EndpointRegisterEnterpriseSearch, nil, t, nil)
}

// Values of RegistrationTask.Status (01 E.3). 1, 2, 5, 8, 11, 12, 14 and 1001–1008 are final.
const (
	RegistrationBegun           = 0
	RegistrationTimedOut        = 1
	RegistrationDeclined        = 2
	RegistrationAgreed          = 3
	RegistrationFaceBegun       = 4
	RegistrationFaceFailed      = 5
	RegistrationFacePassed      = 6
	RegistrationCodeSent        = 7
	RegistrationPhoneFailed     = 8
	RegistrationPhonePassed     = 9
	RegistrationSubmitted       = 10
	RegistrationCreateFailed    = 11
	RegistrationCreated         = 12
	RegistrationVerified        = 13
	RegistrationVerifyingFailed = 14
)

// Personal is a person who registers a mini program (01 E.3).
type Personal struct {
	Name           string `json:"idname"`
	WechatID       string `json:"wxuser"`
	ComponentPhone string `json:"component_phone,omitempty"`
	NewVersion     bool   `json:"new_version,omitempty"` // the newer flow, with fewer inputs
}

// RegistrationTask is a registration that a person goes on with on the phone.
type RegistrationTask struct {
	TaskID       string `json:"taskid"`
	AuthorizeURL string `json:"authorize_url"` // to be shown as a QR code; valid for 24 h
	Status       int    `json:"status"`        // Registration…
}

// RegisterPersonal starts 快速注册个人小程序.
func (c Component) RegisterPersonal(ctx context.Context, p Personal) (RegistrationTask, error) {
	return ask[RegistrationTask](ctx, c, EndpointRegisterPersonal, nil, p)
}

// PersonalTask reads where a personal registration stands.
func (c Component) PersonalTask(ctx context.Context, taskID string) (RegistrationTask, error) {
	return ask[RegistrationTask](ctx, c, EndpointRegisterPersonalQuery, nil, struct {
		TaskID string `json:"taskid"`
	}{taskID})
}

// Transaction is a person who registers a 个人交易小程序; only qualified providers may (01 E.3).
type Transaction struct {
	OpenID         string `json:"openid"`
	ComponentPhone string `json:"component_phone,omitempty"`
	NewVersion     bool   `json:"new_version,omitempty"`
}

// RegisterTransaction starts the registration of a 个人交易小程序.
func (c Component) RegisterTransaction(ctx context.Context, t Transaction) (RegistrationTask, error) {
	return ask[RegistrationTask](ctx, c, EndpointRegisterTransaction, nil, t)
}

// Beta is a 试用小程序 to be made (01 E.4).
type Beta struct {
	Name   string `json:"name"`   // 4 to 30 characters, no brands; WeChat adds a suffix
	OpenID string `json:"openid"` // the future administrator, from any account of the platform
}

// BetaTask is a 试用小程序 on its way.
type BetaTask struct {
	UniqueID     string `json:"unique_id"`     // comes back in notify_third_fastregisterbetaapp
	AuthorizeURL string `json:"authorize_url"` // ours to deliver; valid for 24 h, once
}

// RegisterBeta makes a 试用小程序. It counts among the five mini programs of the administrator's WeChat id.
func (c Component) RegisterBeta(ctx context.Context, b Beta) (BetaTask, error) {
	return ask[BetaTask](ctx, c, EndpointRegisterBeta, nil, b)
}

// RenameBeta renames a 试用小程序 before its conversion.
func (m MiniProgram) RenameBeta(ctx context.Context, name string) error {
	return m.call(ctx, EndpointRegisterBetaRename, nil, struct {
		Name string `json:"name"`
	}{name}, nil)
}

// BetaVerification is who a 试用小程序 is to belong to; every field is required (01 E.4).
type BetaVerification struct {
	EnterpriseName     string `json:"enterprise_name"`
	Code               string `json:"code"`
	CodeType           int    `json:"code_type"`
	LegalPersonaWechat string `json:"legal_persona_wechat"`
	LegalPersonaName   string `json:"legal_persona_name"`
	LegalPersonaIDCard string `json:"legal_persona_idcard"`
	ComponentPhone     string `json:"component_phone"`
}

// VerifyBeta starts the conversion (转正) of a 试用小程序: first the legal person shows the face, then the administrator
// confirms. The outcome comes as notify_third_fastverifybetaapp. Errors: 89249 running, 89251/89252 waiting for people.
func (m MiniProgram) VerifyBeta(ctx context.Context, v BetaVerification) error {
	return m.call(ctx, EndpointRegisterBetaVerify, nil, struct {
		Info BetaVerification `json:"verify_info"`
	}{v}, nil)
}

// BetaOfficialAdmin asks the administrator of the official account mpAppID to lend its qualification to this 试用小程序,
// and gives the address where they confirm. sameAdmin: the account and the mini program share the administrator.
func (m MiniProgram) BetaOfficialAdmin(ctx context.Context, mpAppID string, sameAdmin bool) (authorizeURL string, err error) {
	return m.authorizeURL(ctx, EndpointRegisterBetaMPAdmin, struct {
		AppID string `json:"mp_appid"`
		Same  int    `json:"same_admin"`
	}{mpAppID, flag(sameAdmin)})
}

// VerifyBetaByOfficial converts a 试用小程序 with the ticket of the push betaapp_authorization_apply_event and gives the
// address where the administrator confirms.
func (m MiniProgram) VerifyBetaByOfficial(ctx context.Context, mpAppID, ticket string) (authorizeURL string, err error) {
	return m.authorizeURL(ctx, EndpointRegisterBetaMPVerify, struct {
		AppID  string `json:"mp_appid"`
		Ticket string `json:"ticket"`
	}{mpAppID, ticket})
}

func (m MiniProgram) authorizeURL(ctx context.Context, endpoint string, in any) (string, error) {
	out, err := ask[struct {
		URL string `json:"authorize_url"`
	}](ctx, m, endpoint, nil, in)
	return out.URL, err
}

// flag writes a yes or no as WeChat's older endpoints want it.
func flag(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// OfficialRegistration is a mini program made with an official account's qualification (01 E.5). Exchange
// AuthorizationCode at once.
type OfficialRegistration struct {
	AppID             string `json:"appid"`
	AuthorizationCode string `json:"authorization_code"`
	Verified          bool   `json:"is_wx_verify_succ"` // the certification was copied too
	Linked            bool   `json:"is_link_succ"`      // the mini program is linked to the account
}

// RegisterFromOfficial makes a mini program for the official account that m is, with the ticket that its administrator
// brought back from fastregisterauth. Errors: 61055 five a month, 61057 one is running, 61058 ticket.
func (m MiniProgram) RegisterFromOfficial(ctx context.Context, ticket string) (OfficialRegistration, error) {
	return ask[OfficialRegistration](ctx, m, EndpointRegisterFromOfficial, nil, struct {
		Ticket string `json:"ticket"`
	}{ticket})
}
