package wechat

import "context"

// IdentityNode is one choice of the tree of personal identities (01 E.6). A leaf says what proves it.
type IdentityNode struct {
	ID   int64  `json:"node_id"`
	Name string `json:"name"`
	Root struct {
		Type int `json:"type"`
	} `json:"root_info"`
	Leaf struct {
		Requirement string `json:"requirement"`
	} `json:"leaf_info"`
	Nodes []IdentityNode `json:"node_list"`
}

// IdentityTree lists the identities that a person may be certified with.
func (m MiniProgram) IdentityTree(ctx context.Context) ([]IdentityNode, error) {
	out, err := ask[struct {
		List []IdentityNode `json:"identity_tree_list"`
	}](ctx, m, EndpointCertifyIdentityTree, nil, struct{}{})
	return out.List, err
}

// UploadedMedia is a file as WeChat took it.
type UploadedMedia struct {
	Type    string `json:"type"`
	MediaID string `json:"mediaid"`
}

// UploadCertification uploads a picture (png, jpg, jpeg, gif; the name's extension must be true) for a certification.
func (m MiniProgram) UploadCertification(ctx context.Context, f File) (UploadedMedia, error) {
	var out UploadedMedia
	err := m.upload(ctx, EndpointCertifyUpload, nil, f, &out)
	return out, err
}

// Kinds of customer, invoice and payment of a certification.
const (
	CertifyEnterprise = 1
	CertifyIndividual = 12 // 个体工商户
	CertifyPerson     = 15

	InvoiceNone       = 1
	InvoiceElectronic = 2
	InvoiceVAT        = 3

	PaidByProvider = 1 // 服务商预购包
	PaidByMerchant = 2 // 商家自付
)

// Certification is an application for 认证 or 年审 (01 E.6, 02 D.9). Media are ids of UploadCertification.
type Certification struct {
	TaskID             string   `json:"taskid,omitempty"` // only when submitting again
	CustomerType       int      `json:"customer_type"`    // Certify…
	Contact            Contact  `json:"contact_info"`
	Invoice            Invoice  `json:"invoice_info"`
	Qualification      string   `json:"qualification,omitempty"` // media id, not for persons
	QualificationOther []string `json:"qualification_other,omitempty"`
	AccountName        string   `json:"account_name"`
	AccountNameType    int      `json:"account_name_type"` // 1 自选词汇, 2 商标
	AccountMaterial    []string `json:"account_supplemental,omitempty"`
	PayType            int      `json:"pay_type"`                      // Paid…
	Identity           string   `json:"auth_identification,omitempty"` // name of a leaf of IdentityTree
	IdentityMaterial   []string `json:"auth_ident_material,omitempty"`
	ProviderPhone      string   `json:"third_party_phone,omitempty"`
	ServiceAppID       string   `json:"service_appid,omitempty"` // required with PaidByProvider
}

// Contact is whom WeChat asks.
type Contact struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Invoice is how the fee is invoiced; say InvoiceNone even when the provider pays.
type Invoice struct {
	Type       int                `json:"invoice_type"` // Invoice…
	Electronic *ElectronicInvoice `json:"electronic,omitempty"`
	VAT        *VATInvoice        `json:"vat,omitempty"`
	Title      string             `json:"invoice_title,omitempty"`
}

// ElectronicInvoice holds the taxpayer's number.
type ElectronicInvoice struct {
	ID   string `json:"id"`
	Desc string `json:"desc,omitempty"`
}

// VATInvoice is a 增值税专用发票 and where it is sent.
type VATInvoice struct {
	EnterprisePhone   string `json:"enterprise_phone"`
	ID                string `json:"id"`
	EnterpriseAddress string `json:"enterprise_address"`
	BankName          string `json:"bank_name"`
	BankAccount       string `json:"bank_account"`
	MailingAddress    string `json:"mailing_address"`
	Address           string `json:"address"`
	Name              string `json:"name"`
	Phone             string `json:"phone"`
	Province          string `json:"province"`
	City              string `json:"city"`
	District          string `json:"district"`
	Desc              string `json:"desc,omitempty"`
}

// CertificationTask is an application that the administrator goes on with on the phone.
type CertificationTask struct {
	TaskID  string `json:"taskid"`
	AuthURL string `json:"auth_url"` // the administrator opens it in WeChat within 24 h
}

type authData struct {
	Data Certification `json:"auth_data"`
}

// SubmitCertification applies. Error 85050: one runs already.
func (m MiniProgram) SubmitCertification(ctx context.Context, c Certification) (CertificationTask, error) {
	return ask[CertificationTask](ctx, m, EndpointCertifySubmit, nil, authData{c})
}

// ResubmitCertification applies again after a refill was asked for; TaskID is required.
func (m MiniProgram) ResubmitCertification(ctx context.Context, c Certification) (CertificationTask, error) {
	return ask[CertificationTask](ctx, m, EndpointCertifyResubmit, nil, authData{c})
}

// Values of CertificationState.Apply; it counts once Task is 12.
const (
	CertifyNotApplied = 0
	CertifyToPay      = 1
	CertifyInReview   = 2
	CertifyRefill     = 3
	CertifyPassed     = 4
	CertifyFailed     = 5
)

// CertificationState is where an application stands.
type CertificationState struct {
	AppID    string `json:"appid"`
	Task     int    `json:"task_status"` // as Registration…, and 15 waiting for payment
	AuthURL  string `json:"auth_url"`
	Apply    int    `json:"apply_status"` // Certify…
	OrderID  string `json:"orderid"`
	Refill   string `json:"refill_reason"`
	Reason   string `json:"fail_reason"`
	Dispatch struct {
		Provider string `json:"provider"`
		Contact  string `json:"contact"`
		At       int64  `json:"dispatch_time"` // unix seconds
	} `json:"dispatch_info"`
}

// Certification reads where an application stands.
func (m MiniProgram) Certification(ctx context.Context, taskID string) (CertificationState, error) {
	return ask[CertificationState](ctx, m, EndpointCertifyQuery, nil, struct {
		TaskID string `json:"taskid"`
	}{taskID})
}

// CertificationAndFiling is both applications in one.
type CertificationAndFiling struct {
	Data Certification `json:"auth_data"`
	Filing
}

// Procedure is a joint application on its way.
type Procedure struct {
	ID     string `json:"procedure_id"`
	PayURL string `json:"pay_url"`
	Hints  []Hint `json:"hints"`
}

// SubmitCertificationAndFiling applies for 认证 and 备案 at once.
func (m MiniProgram) SubmitCertificationAndFiling(ctx context.Context, c CertificationAndFiling) (Procedure, error) {
	return ask[Procedure](ctx, m, EndpointCertifySubmitWithICP, nil, c)
}

// Procedure reads where a joint application stands: 15 待支付, 16 已支付, 17 认证审核中, 18 认证驳回, 19 认证通过, 20 认证最终失败,
// 21 备案单创建失败, 22 备案平台审核中, 23 平台驳回, 24 管局审核中, 25 管局驳回, 26 全部完成; others occur.
func (m MiniProgram) Procedure(ctx context.Context, id string) (status int, err error) {
	out, err := ask[struct {
		Status int `json:"procedure_status"`
	}](ctx, m, EndpointCertifyQueryWithICP, nil, struct {
		ID string `json:"procedure_id"`
	}{id})
	return out.Status, err
}
