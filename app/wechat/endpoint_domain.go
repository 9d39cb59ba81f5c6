package wechat

// Endpoint names of server and business domains (02 E).
const (
	EndpointModifyDomain             = "domain.modify"
	EndpointDomainGet                = "domain.get"
	EndpointDomainModifyDirectly     = "domain.modify_directly"
	EndpointDomainGetDirectly        = "domain.get_directly"
	EndpointDomainWebview            = "domain.webview"
	EndpointDomainGetWebview         = "domain.get_webview"
	EndpointDomainWebviewDirectly    = "domain.webview_directly"
	EndpointDomainGetWebviewDirectly = "domain.get_webview_directly"
	EndpointDomainWebviewConfirmfile = "domain.webview_confirmfile"
	EndpointDomainEffective          = "domain.effective"
	EndpointDomainEffectiveWebview   = "domain.effective_webview"
	EndpointDomainSetPrefetch        = "domain.set_prefetch"
	EndpointDomainGetPrefetch        = "domain.get_prefetch"
)

// domainEndpoints are the rows of server and business domains (02 E).
func domainEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointModifyDomain, Title: "设置服务器域名", Path: "/wxa/modify_domain", Method: post, Token: authorize, Scope: "domain.write", Set: setCode, Quota: QuotaDomain},
		{Name: EndpointDomainGet, Title: "查看服务器域名", Path: "/wxa/modify_domain", Method: post, Token: authorize, Member: [2]string{"action", "get"}, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointDomainModifyDirectly, Title: "快速设置服务器域名", Path: "/wxa/modify_domain_directly", Method: post, Token: authorize, Scope: "domain.write", Set: setCode, Quota: QuotaDomain},
		{Name: EndpointDomainGetDirectly, Title: "查看快速设置的服务器域名", Path: "/wxa/modify_domain_directly", Method: post, Token: authorize, Member: [2]string{"action", "get"}, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointDomainWebview, Title: "设置业务域名", Path: "/wxa/setwebviewdomain", Method: post, Token: authorize, Scope: "domain.write", Set: setCode, Quota: QuotaDomain},
		{Name: EndpointDomainGetWebview, Title: "查看业务域名", Path: "/wxa/setwebviewdomain", Method: post, Token: authorize, Member: [2]string{"action", "get"}, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointDomainWebviewDirectly, Title: "快速设置业务域名", Path: "/wxa/setwebviewdomain_directly", Method: post, Token: authorize, Scope: "domain.write", Set: setCode, Quota: QuotaDomain},
		{Name: EndpointDomainGetWebviewDirectly, Title: "查看快速设置的业务域名", Path: "/wxa/setwebviewdomain_directly", Method: post, Token: authorize, Member: [2]string{"action", "get"}, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointDomainWebviewConfirmfile, Title: "获取业务域名校验文件", Path: "/wxa/get_webviewdomain_confirmfile", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointDomainEffective, Title: "查看生效的服务器域名", Path: "/wxa/get_effective_domain", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointDomainEffectiveWebview, Title: "查看生效的业务域名", Path: "/wxa/get_effective_webviewdomain", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointDomainSetPrefetch, Title: "设置 DNS 预解析域名", Path: "/wxa/set_prefetchdnsdomain", Method: post, Token: authorize, Scope: "domain.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointDomainGetPrefetch, Title: "查看 DNS 预解析域名", Path: "/wxa/get_prefetchdnsdomain", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
	}
}
