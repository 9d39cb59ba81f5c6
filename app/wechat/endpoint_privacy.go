package wechat

// Endpoint names of the privacy guide and location interfaces (02 F).
const (
	EndpointPrivacySet            = "privacy.set"
	EndpointPrivacyGet            = "privacy.get"
	EndpointPrivacyUploadFile     = "privacy.upload_file"
	EndpointPrivacyInterfaces     = "privacy.interfaces"
	EndpointPrivacyApplyInterface = "privacy.apply_interface"
)

// privacyEndpoints are the rows of the privacy guide and location interfaces (02 F).
func privacyEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointPrivacySet, Title: "设置用户隐私保护指引", Path: "/cgi-bin/component/setprivacysetting", Method: post, Token: authorize, Scope: "privacy.write", Set: setCode, SafeToRepeat: true,
			Secret: []string{"contact_email", "contact_phone", "contact_qq", "contact_weixin"}},
		{Name: EndpointPrivacyGet, Title: "查询用户隐私保护指引", Path: "/cgi-bin/component/getprivacysetting", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"contact_email", "contact_phone", "contact_qq", "contact_weixin"}},
		{Name: EndpointPrivacyUploadFile, Title: "上传隐私补充文件", Path: "/cgi-bin/component/uploadprivacyextfile", Method: post, Token: authorize, Scope: "privacy.write", Set: setCode, SafeToRepeat: true, Upload: true},
		{Name: EndpointPrivacyInterfaces, Title: "查询隐私接口", Path: "/wxa/security/get_privacy_interface", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointPrivacyApplyInterface, Title: "申请隐私接口", Path: "/wxa/security/apply_privacy_interface", Method: post, Token: authorize, Scope: "privacy.write", Set: setCode},
	}
}
