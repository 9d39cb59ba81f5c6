package wechat

// Endpoint names of registration on behalf of a merchant (01 E.1–E.5).
const (
	EndpointRegisterEnterprise       = "register.enterprise"
	EndpointRegisterEnterpriseSearch = "register.enterprise_search"
	EndpointRegisterPersonal         = "register.personal"
	EndpointRegisterPersonalQuery    = "register.personal_query"
	EndpointRegisterTransaction      = "register.transaction"
	EndpointRegisterBeta             = "register.beta"
	EndpointRegisterBetaRename       = "register.beta_rename"
	EndpointRegisterBetaVerify       = "register.beta_verify"
	EndpointRegisterBetaMPAdmin      = "register.beta_mp_admin"
	EndpointRegisterBetaMPVerify     = "register.beta_mp_verify"
	EndpointRegisterFromOfficial     = "register.from_official"
)

// registerEndpoints are the rows of registration on behalf of a merchant (01 E.1–E.5).
func registerEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointRegisterEnterprise, Title: "快速注册企业小程序", Path: "/cgi-bin/component/fastregisterweapp", Method: post, Token: component, Fixed: [2]string{"action", "create"},
			Secret: []string{"legal_persona_wechat", "legal_persona_name", "component_phone"}},
		{Name: EndpointRegisterEnterpriseSearch, Title: "查询企业小程序注册任务", Path: "/cgi-bin/component/fastregisterweapp", Method: post, Token: component, Fixed: [2]string{"action", "search"}, ReadOnly: true,
			Secret: []string{"legal_persona_wechat", "legal_persona_name"}},
		{Name: EndpointRegisterPersonal, Title: "快速注册个人小程序", Path: "/wxa/component/fastregisterpersonalweapp", Method: post, Token: component, Fixed: [2]string{"action", "create"},
			Secret: []string{"idname", "wxuser", "component_phone"}},
		{Name: EndpointRegisterPersonalQuery, Title: "查询个人小程序注册任务", Path: "/wxa/component/fastregisterpersonalweapp", Method: post, Token: component, Fixed: [2]string{"action", "query"}, ReadOnly: true},
		{Name: EndpointRegisterTransaction, Title: "快速注册个人交易小程序", Path: "/wxa/component/fastregistertransactionweapp", Method: post, Token: component,
			Secret: []string{"openid", "component_phone"}},
		{Name: EndpointRegisterBeta, Title: "创建试用小程序", Path: "/wxa/component/fastregisterbetaweapp", Method: post, Token: component,
			Secret: []string{"openid"}},
		{Name: EndpointRegisterBetaRename, Title: "修改试用小程序名称", Path: "/wxa/setbetaweappnickname", Method: post, Token: authorize, Scope: "profile.write", Set: 81, AltSet: setBasicInfo},
		{Name: EndpointRegisterBetaVerify, Title: "试用小程序转正", Path: "/wxa/verifybetaweapp", Method: post, Token: authorize, Scope: "profile.write", Set: 81,
			Secret: []string{"legal_persona_wechat", "legal_persona_name", "component_phone", "legal_persona_idcard"}},
		{Name: EndpointRegisterBetaMPAdmin, Title: "复用公众号转正：管理员确认", Path: "/wxa/getmpadminauth", Method: post, Token: authorize, Scope: "profile.write", Set: 81},
		{Name: EndpointRegisterBetaMPVerify, Title: "复用公众号转正：提交", Path: "/wxa/mpverifybetaweapp", Method: post, Token: authorize, Scope: "profile.write", Set: 81,
			Secret: []string{"ticket"}},
		{Name: EndpointRegisterFromOfficial, Title: "复用公众号资质注册小程序", Path: "/cgi-bin/account/fastregister", Method: post, Token: authorize, Scope: "profile.write", Set: 27,
			Secret: []string{"ticket", "authorization_code"}},
	}
}
