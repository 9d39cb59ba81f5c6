package wechat

import (
	"context"
	"fmt"
)

// Versions of a privacy guide.
const (
	PrivacyLive  = 1 // 现网版本: changes the contact data at once
	PrivacyDraft = 2 // 开发版: becomes live with the next release
)

// PrivacyOwner is who answers for the data (02 F.1). At least one contact and NoticeMethod are required.
type PrivacyOwner struct {
	Email        string `json:"contact_email,omitempty"`
	Phone        string `json:"contact_phone,omitempty"`
	QQ           string `json:"contact_qq,omitempty"`
	Wechat       string `json:"contact_weixin,omitempty"`
	NoticeMethod string `json:"notice_method"`                    // e.g. 弹窗
	StoreExpires string `json:"store_expire_timestamp,omitempty"` // text such as 30天
	ExtFile      string `json:"ext_file_media_id,omitempty"`      // of UploadPrivacyFile
	StoreRegion  string `json:"store_region,omitempty"`           // overseas subjects
}

// PrivacyUse is one kind of data and what it is used for. Text is the purpose only: WeChat prints 为了 before it.
type PrivacyUse struct {
	Key   string `json:"privacy_key"` // UserInfo, Location, …; own keys are allowed
	Text  string `json:"privacy_text"`
	Label string `json:"privacy_label,omitempty"` // in answers only
}

// PrivacySDK is a third party's code and what it uses.
type PrivacySDK struct {
	Name     string       `json:"sdk_name"`
	Business string       `json:"sdk_biz_name"`
	Uses     []PrivacyUse `json:"sdk_list"`
}

// PrivacySetting is a privacy guide to be set.
type PrivacySetting struct {
	Version int          `json:"privacy_ver,omitempty"` // Privacy…; 0 means PrivacyDraft
	Owner   PrivacyOwner `json:"owner_setting"`
	Uses    []PrivacyUse `json:"setting_list,omitempty"` // not with PrivacyLive
	SDKs    []PrivacySDK `json:"sdk_privacy_info_list,omitempty"`
}

// SetPrivacy sets the 用户隐私保护指引. Errors: 86069 contact, 86070 notice method, 86072 time, 86073 file, 86074 no live
// version, 86075 the live file may not change.
func (m MiniProgram) SetPrivacy(ctx context.Context, p PrivacySetting) error {
	return m.call(ctx, EndpointPrivacySet, nil, p, nil)
}

// PrivacyGuide is the privacy guide as WeChat holds it.
type PrivacyGuide struct {
	CodeExists bool         `json:"code_exist"`   // false when nothing was committed lately: Detected then says nothing
	Detected   []string     `json:"privacy_list"` // keys found in the code; each should stand in Uses
	Uses       []PrivacyUse `json:"setting_list"`
	UpdatedAt  int64        `json:"update_time"` // unix seconds
	Owner      PrivacyOwner `json:"owner_setting"`
	Known      struct {
		List []PrivacyDescription `json:"privacy_desc_list"`
	} `json:"privacy_desc"`
	SDKs []PrivacySDK `json:"sdk_privacy_info_list"`
}

// PrivacyDescription is what WeChat calls a kind of data.
type PrivacyDescription struct {
	Key  string `json:"privacy_key"`
	Desc string `json:"privacy_desc"`
}

// Privacy reads the privacy guide; version is Privacy…, 0 for WeChat's choice.
func (m MiniProgram) Privacy(ctx context.Context, version int) (PrivacyGuide, error) {
	return ask[PrivacyGuide](ctx, m, EndpointPrivacyGet, nil, struct {
		Version int `json:"privacy_ver,omitempty"`
	}{version})
}

// UploadPrivacyFile uploads a text of up to 100 KB that belongs to the guide and gives its media id.
func (m MiniProgram) UploadPrivacyFile(ctx context.Context, f File) (mediaID string, err error) {
	f.Field = "file"
	var out struct {
		MediaID string `json:"ext_file_media_id"`
	}
	err = m.upload(ctx, EndpointPrivacyUploadFile, nil, f, &out)
	return out.MediaID, err
}

// upload sends a file with fields (nil for none) and decodes the answer into out.
func (m MiniProgram) upload(ctx context.Context, endpoint string, fields map[string]string, f File, out any) error {
	answer, err := m.Upload(ctx, endpoint, nil, fields, f)
	if err != nil {
		return err
	}
	if err := decode(answer, out); err != nil {
		return fmt.Errorf("%s: %w", endpoint, err)
	}
	return nil
}

// Values of PrivacyInterface.Status (02 F.2).
const (
	InterfaceWanted  = 1 // 待申请开通
	InterfaceDenied  = 2 // 无权限
	InterfaceAsked   = 3 // 申请中
	InterfaceRefused = 4 // 申请失败
	InterfaceOpen    = 5 // 已开通
)

// PrivacyInterface is a location interface that must be applied for.
type PrivacyInterface struct {
	Name      string `json:"api_name"` // wx.getLocation
	Title     string `json:"api_ch_name"`
	Desc      string `json:"api_desc"`
	AppliedAt int64  `json:"apply_time"` // unix seconds, 0 before an application
	Status    int    `json:"status"`     // Interface…
	AuditID   int64  `json:"audit_id"`
	Reason    string `json:"fail_reason"`
	Link      string `json:"api_link"`
	Group     string `json:"group_name"`
}

// PrivacyInterfaces lists the interfaces and what became of the applications.
func (m MiniProgram) PrivacyInterfaces(ctx context.Context) ([]PrivacyInterface, error) {
	out, err := ask[struct {
		List []PrivacyInterface `json:"interface_list"`
	}](ctx, m, EndpointPrivacyInterfaces, nil, nil)
	return out.List, err
}

// InterfaceApplication says what an interface is needed for.
type InterfaceApplication struct {
	Name     string   `json:"api_name"`
	Content  string   `json:"content"` // up to 300 characters
	URLs     []string `json:"url_list,omitempty"`
	Pictures []string `json:"pic_list,omitempty"`   // up to 10 addresses
	Videos   []string `json:"video_list,omitempty"` // one address of an MP4
}

// ApplyInterface applies for a location interface and gives the review's id. Errors: 61031 in review already, 61035 needs
// no application, 61036 the account may not.
func (m MiniProgram) ApplyInterface(ctx context.Context, a InterfaceApplication) (auditID int64, err error) {
	out, err := ask[struct {
		AuditID int64 `json:"audit_id"`
	}](ctx, m, EndpointPrivacyApplyInterface, nil, a)
	return out.AuditID, err
}
