package wechat

// Endpoint names of 认证 on behalf (01 E.6; 02 D.9).
const (
	EndpointCertifyIdentityTree  = "certify.identity_tree"
	EndpointCertifyUpload        = "certify.upload"
	EndpointCertifySubmit        = "certify.submit"
	EndpointCertifyResubmit      = "certify.resubmit"
	EndpointCertifyQuery         = "certify.query"
	EndpointCertifySubmitWithICP = "certify.submit_with_icp"
	EndpointCertifyQueryWithICP  = "certify.query_with_icp"
)

// certifyEndpoints are the rows of 认证 on behalf (01 E.6; 02 D.9).
func certifyEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointCertifyIdentityTree, Title: "查询个人认证身份选项", Path: "/wxa/sec/authidentitytree", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointCertifyUpload, Title: "上传认证材料", Path: "/wxa/sec/uploadauthmaterial", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true, Upload: true},
		{Name: EndpointCertifySubmit, Title: "提交认证", Path: "/wxa/sec/wxaauth", Method: post, Token: authorize, Scope: "profile.write", Set: setCode,
			Secret: []string{"name", "email", "phone", "enterprise_phone", "bank_account", "third_party_phone", "address", "mailing_address"}},
		{Name: EndpointCertifyResubmit, Title: "重新提交认证", Path: "/wxa/sec/reauth", Method: post, Token: authorize, Scope: "profile.write", Set: setCode,
			Secret: []string{"name", "email", "phone", "enterprise_phone", "bank_account", "third_party_phone", "address", "mailing_address"}},
		{Name: EndpointCertifyQuery, Title: "查询认证进度", Path: "/wxa/sec/queryauth", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"contact"}},
		{Name: EndpointCertifySubmitWithICP, Title: "同时提交认证和备案", Path: "/wxa/sec/submit_auth_and_icp", Method: post, Token: authorize, Scope: "profile.write", Set: setCode,
			Secret: []string{"name", "email", "phone", "enterprise_phone", "bank_account", "third_party_phone", "address", "mailing_address", "name", "mobile", "email", "emergency_contact", "certificate_number", "certificate_address", "address"}},
		{Name: EndpointCertifyQueryWithICP, Title: "查询认证和备案进度", Path: "/wxa/sec/query_auth_and_icp", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
	}
}
