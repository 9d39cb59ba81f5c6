package wechat

import (
	"context"
	"errors"
	"net/url"
)

// Values of FilingEntrance.Status (02 I.1). From FilingNone on, bits over 1024 say what is missing before an application.
const (
	FilingPlatformReview   = 2
	FilingPlatformRejected = 3
	FilingBureauReview     = 4
	FilingBureauRejected   = 5
	FilingDone             = 6
	FilingNone             = 1024

	FilingLacksProfile       = 1
	FilingLacksCategory      = 2
	FilingLacksCertification = 4
)

// FilingEntrance is where the 备案 stands and whether one may apply.
type FilingEntrance struct {
	Status    int           `json:"status"` // Filing…
	Canceling bool          `json:"is_canceling"`
	Rejected  []FilingAudit `json:"audit_data"`
	Available bool          `json:"available"`
	SMS       int           `json:"sms_verify_status"` // 1 等待, 2 完成, 3 超时
}

// FilingAudit is one field that was rejected.
type FilingAudit struct {
	Field   string `json:"key_name"`
	Error   string `json:"error"`
	Suggest string `json:"suggest"`
}

// FilingEntrance reads where the 备案 stands.
func (m MiniProgram) FilingEntrance(ctx context.Context) (FilingEntrance, error) {
	out, err := ask[struct {
		Info FilingEntrance `json:"info"`
	}](ctx, m, EndpointICPEntrance, nil, nil)
	return out.Info, err
}

// FilingVerification is a face check of the person who answers for the mini program.
type FilingVerification struct {
	TaskID string `json:"task_id"`
	URL    string `json:"verify_url"` // only together with a certification
}

// CreateFilingVerification starts a face check; withCertification asks for one that counts for both.
func (m MiniProgram) CreateFilingVerification(ctx context.Context, withCertification bool) (FilingVerification, error) {
	return ask[FilingVerification](ctx, m, EndpointICPCreateVerify, nil, struct {
		With bool `json:"along_with_auth"`
	}{withCertification})
}

// FilingVerificationState is the outcome of a face check; Face is final only when Finished.
type FilingVerificationState struct {
	Finished bool `json:"is_finish"`
	Face     int  `json:"face_status"`            // 0 未开始, 1 等待, 2 失败, 3 成功
	With     int  `json:"along_with_auth_result"` // 9: the SMS code passed
}

// FilingVerification reads the outcome of a face check.
func (m MiniProgram) FilingVerification(ctx context.Context, taskID string) (FilingVerificationState, error) {
	return ask[FilingVerificationState](ctx, m, EndpointICPQueryVerify, nil, struct {
		TaskID string `json:"task_id"`
	}{taskID})
}

// FilingUpload is a file of an application and the field it belongs to.
type FilingUpload struct {
	Type            string `json:"type"`                       // image or video
	CertificateType string `json:"certificate_type,omitempty"` // number, for certificates; a wrong one shows up only in hints
	Field           string `json:"icp_order_field,omitempty"`  // icp_subject.principal_info.certificate_photo_front
}

// FilingMedia is an uploaded file.
type FilingMedia struct {
	Type      string
	MediaID   string
	CreatedAt int64 // unix seconds
}

// UploadFilingMedia uploads a file of an application.
func (m MiniProgram) UploadFilingMedia(ctx context.Context, u FilingUpload, f File) (FilingMedia, error) {
	fields := map[string]string{"type": u.Type}
	if u.CertificateType != "" {
		fields["certificate_type"] = u.CertificateType
	}
	if u.Field != "" {
		fields["icp_order_field"] = u.Field
	}
	var out struct {
		Type       string `json:"type"`
		MediaID    string `json:"media_id"`
		CreatedAt  int64  `json:"created_at"`
		CreatedAt2 int64  `json:"create_at"` // seen instead of created_at
	}
	if err := m.upload(ctx, EndpointICPUploadMedia, fields, f, &out); err != nil {
		return FilingMedia{}, err
	}
	if out.CreatedAt == 0 {
		out.CreatedAt = out.CreatedAt2
	}
	return FilingMedia{out.Type, out.MediaID, out.CreatedAt}, nil
}

// FilingMedia downloads a file of an application.
func (m MiniProgram) FilingMedia(ctx context.Context, mediaID string) (Image, error) {
	return m.Fetch(ctx, EndpointICPMedia, url.Values{"media_id": {mediaID}}, nil)
}

// Hint is one field that an application was refused for, with its own errcode.
type Hint struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
	Field   string `json:"err_field"`
}

type hints struct {
	Hints []Hint `json:"hints"`
}

// ApplyFiling applies for the 备案. A refusal (86202) comes back as an error and fills the hints. Errors: 86324 in review
// already, 86358 an unfinished one exists, 86301 busy.
func (m MiniProgram) ApplyFiling(ctx context.Context, f Filing) ([]Hint, error) {
	var out hints
	err := m.call(ctx, EndpointICPApply, nil, f, &out)
	var refused *Error
	if errors.As(err, &refused) && len(refused.Body) > 0 {
		if decodeErr := decode(refused.Body, &out); decodeErr != nil {
			return nil, errors.Join(err, decodeErr)
		}
	}
	return out.Hints, err
}

// CancelFilingApplication withdraws an application before the platform's review passed. Errors: 86330, 86368.
func (m MiniProgram) CancelFilingApplication(ctx context.Context) error {
	return m.call(ctx, EndpointICPCancelApply, nil, struct{}{}, nil)
}

// What CancelFiling ends.
const (
	CancelFilingSubject = 1 // 注销主体
	CancelFilingApplet  = 2 // 注销小程序
	CancelFilingWechat  = 3 // 注销微信小程序
)

// CancelFiling ends a 备案; it cannot be taken back.
func (m MiniProgram) CancelFiling(ctx context.Context, what int) error {
	return m.call(ctx, EndpointICPCancel, nil, struct {
		What int `json:"cancel_type"`
	}{what}, nil)
}

// OnlineFiling reads the 备案 that stands, with personal data masked by WeChat. Error 86328: none.
func (m MiniProgram) OnlineFiling(ctx context.Context) (Filing, error) {
	return ask[Filing](ctx, m, EndpointICPOnline, nil, nil)
}

// FilingType is one entry of the lists that an application chooses from.
type FilingType struct {
	Type        int    `json:"type"`
	ParentType  int    `json:"parent_type"`  // service content
	SubjectType int    `json:"subject_type"` // certificates
	Name        string `json:"name"`
	Remark      string `json:"remark"`
}

func (m MiniProgram) filingTypes(ctx context.Context, endpoint string) ([]FilingType, error) {
	out, err := ask[struct {
		Items []FilingType `json:"items"`
	}](ctx, m, endpoint, nil, nil)
	return out.Items, err
}

// FilingContentTypes lists the 服务内容类型.
func (m MiniProgram) FilingContentTypes(ctx context.Context) ([]FilingType, error) {
	return m.filingTypes(ctx, EndpointICPContentTypes)
}

// FilingCertificateTypes lists the 证件类型 of each kind of subject.
func (m MiniProgram) FilingCertificateTypes(ctx context.Context) ([]FilingType, error) {
	return m.filingTypes(ctx, EndpointICPCertificateTypes)
}

// FilingApprovalTypes lists the 前置审批类型; 24 is 以上都不涉及.
func (m MiniProgram) FilingApprovalTypes(ctx context.Context) ([]FilingType, error) {
	return m.filingTypes(ctx, EndpointICPNrlxTypes)
}

// FilingSubjectTypes lists the 主体类型.
func (m MiniProgram) FilingSubjectTypes(ctx context.Context) ([]FilingType, error) {
	return m.filingTypes(ctx, EndpointICPSubjectTypes)
}

// District is a 省, 市 or 区 (Type 1, 2, 3).
type District struct {
	Type int        `json:"type"`
	Code string     `json:"code"`
	Name string     `json:"name"`
	Sub  []District `json:"sub_list"`
}

// FilingDistricts reads the whole tree of districts.
func (m MiniProgram) FilingDistricts(ctx context.Context) ([]District, error) {
	out, err := ask[struct {
		Items []District `json:"items"`
	}](ctx, m, EndpointICPDistricts, nil, nil)
	return out.Items, err
}
