package wechat

// Endpoint names of the platform itself (01 B.1, D, F.3; 02 E.5).
const (
	EndpointStartPushTicket            = "component.start_push_ticket"
	EndpointComponentToken             = "component.token"
	EndpointPreAuthCode                = "component.create_preauthcode"
	EndpointQueryAuth                  = "component.query_auth"
	EndpointAuthorizerToken            = "component.authorizer_token"
	EndpointAuthorizerInfo             = "component.get_authorizer_info"
	EndpointAuthorizerList             = "component.get_authorizer_list"
	EndpointServerDomain               = "component.modify_server_domain"
	EndpointComponentGetServerDomain   = "component.get_server_domain"
	EndpointComponentModifyJumpDomain  = "component.modify_jump_domain"
	EndpointComponentGetJumpDomain     = "component.get_jump_domain"
	EndpointComponentDomainConfirmfile = "component.domain_confirmfile"
	EndpointComponentGetOption         = "component.get_option"
	EndpointComponentSetOption         = "component.set_option"
)

// componentEndpoints are the rows of the platform itself (01 B.1, D, F.3; 02 E.5).
func componentEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointStartPushTicket, Title: "启动票据推送", Path: "/cgi-bin/component/api_start_push_ticket", Method: post, Token: no, SafeToRepeat: true,
			Secret: []string{"component_secret"}},
		{Name: EndpointComponentToken, Title: "获取平台令牌", Path: "/cgi-bin/component/api_component_token", Method: post, Token: no,
			Secret: []string{"component_appsecret", "component_verify_ticket", "component_access_token"}},
		{Name: EndpointPreAuthCode, Title: "获取预授权码", Path: "/cgi-bin/component/api_create_preauthcode", Method: post, Token: component, SafeToRepeat: true,
			Secret: []string{"pre_auth_code"}},
		{Name: EndpointQueryAuth, Title: "换取授权信息", Path: "/cgi-bin/component/api_query_auth", Method: post, Token: component,
			Secret: []string{"authorization_code", "authorizer_access_token", "authorizer_refresh_token"}},
		{Name: EndpointAuthorizerToken, Title: "刷新授权方令牌", Path: "/cgi-bin/component/api_authorizer_token", Method: post, Token: component,
			Secret: []string{"authorizer_access_token", "authorizer_refresh_token"}},
		{Name: EndpointAuthorizerInfo, Title: "获取授权方资料", Path: "/cgi-bin/component/api_get_authorizer_info", Method: post, Token: component, ReadOnly: true,
			Secret: []string{"authorizer_refresh_token"}},
		{Name: EndpointAuthorizerList, Title: "拉取授权方列表", Path: "/cgi-bin/component/api_get_authorizer_list", Method: post, Token: component, ReadOnly: true,
			Secret: []string{"refresh_token"}},
		{Name: EndpointServerDomain, Title: "设置平台服务器域名", Path: "/cgi-bin/component/modify_wxa_server_domain", Method: post, Token: component, Quota: QuotaServerDomain},
		{Name: EndpointComponentGetServerDomain, Title: "查看平台服务器域名", Path: "/cgi-bin/component/modify_wxa_server_domain", Method: post, Token: component, Member: [2]string{"action", "get"}, ReadOnly: true},
		{Name: EndpointComponentModifyJumpDomain, Title: "设置平台业务域名", Path: "/cgi-bin/component/modify_wxa_jump_domain", Method: post, Token: component, Quota: QuotaServerDomain},
		{Name: EndpointComponentGetJumpDomain, Title: "查看平台业务域名", Path: "/cgi-bin/component/modify_wxa_jump_domain", Method: post, Token: component, Member: [2]string{"action", "get"}, ReadOnly: true},
		{Name: EndpointComponentDomainConfirmfile, Title: "获取平台业务域名校验文件", Path: "/cgi-bin/component/get_domain_confirmfile", Method: post, Token: component, ReadOnly: true, EmptyBody: true},
		{Name: EndpointComponentGetOption, Title: "查询授权方选项", Path: "/cgi-bin/component/get_authorizer_option", Method: post, Token: component, ReadOnly: true},
		{Name: EndpointComponentSetOption, Title: "设置授权方选项", Path: "/cgi-bin/component/set_authorizer_option", Method: post, Token: component, SafeToRepeat: true},
	}
}
