package wechat

import "context"

// BasicInfo is the profile as the mini program's own account holds it (02 D.1).
type BasicInfo struct {
	AppID          string         `json:"appid"`
	AccountType    int            `json:"account_type"` // 3 小程序
	PrincipalType  int            `json:"principal_type"`
	PrincipalName  string         `json:"principal_name"`
	Credential     string         `json:"credential"`
	CustomerType   int            `json:"customer_type"`
	RealnameStatus int            `json:"realname_status"` // 1 done, 2 running, 3 failed
	Nickname       string         `json:"nickname"`
	Country        int            `json:"registered_country"` // 1017 China
	Verify         VerifyInfo     `json:"wx_verify_info"`
	Signature      SignatureInfo  `json:"signature_info"`
	HeadImage      HeadImageInfo  `json:"head_image_info"`
	NicknameInfo   NicknameDetail `json:"nickname_info"`
}

// VerifyInfo tells about 微信认证.
type VerifyInfo struct {
	Qualification bool  `json:"qualification_verify"`
	Naming        bool  `json:"naming_verify"`
	AnnualReview  bool  `json:"annual_review"`
	ReviewBegin   int64 `json:"annual_review_begin_time"` // unix seconds
	ReviewEnd     int64 `json:"annual_review_end_time"`   // unix seconds
}

// SignatureInfo is the 简介 and how often it may still change this month.
type SignatureInfo struct {
	Signature string `json:"signature"`
	Used      int    `json:"modify_used_count"`
	Quota     int    `json:"modify_quota"`
}

// HeadImageInfo is the 头像 and how often it may still change this month.
type HeadImageInfo struct {
	URL   string `json:"head_image_url"`
	Used  int    `json:"modify_used_count"`
	Quota int    `json:"modify_quota"`
}

// NicknameDetail is the 名称 and how often it may still change this year.
type NicknameDetail struct {
	Nickname string `json:"nickname"`
	Used     int    `json:"modify_used_count"`
	Quota    int    `json:"modify_quota"`
}

// BasicInfo reads the profile. It needs permission set 30.
func (m MiniProgram) BasicInfo(ctx context.Context) (BasicInfo, error) {
	var out BasicInfo
	err := m.call(ctx, EndpointBasicInfo, nil, nil, &out)
	return out, err
}
