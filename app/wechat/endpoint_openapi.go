package wechat

// Endpoint names of quotas and the lookup of a rid (01 D.10; 02 0, L.1).
const (
	EndpointRIDInfo                    = "openapi.rid"
	EndpointOpenAPIAuthorizerRID       = "openapi.authorizer_rid"
	EndpointOpenAPIComponentQuota      = "openapi.component_quota"
	EndpointOpenAPIQuota               = "openapi.quota"
	EndpointOpenAPIClearComponentQuota = "openapi.clear_component_quota"
	EndpointOpenAPIClearQuota          = "openapi.clear_quota"
	EndpointOpenAPIClearQuotaV2        = "openapi.clear_quota_v2"
)

// openapiEndpoints are the rows of quotas and the lookup of a rid (01 D.10; 02 0, L.1).
func openapiEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointRIDInfo, Title: "查询 rid", Path: "/cgi-bin/openapi/rid/get", Method: post, Token: component, ReadOnly: true,
			Secret: []string{"request_url", "request_body", "response_body"}},
		{Name: EndpointOpenAPIAuthorizerRID, Title: "查询小程序的 rid", Path: "/cgi-bin/openapi/rid/get", Method: post, Token: authorize, Scope: "data.read", ReadOnly: true,
			Secret: []string{"request_url", "request_body", "response_body"}},
		{Name: EndpointOpenAPIComponentQuota, Title: "查询平台接口额度", Path: "/cgi-bin/openapi/quota/get", Method: post, Token: component, ReadOnly: true},
		{Name: EndpointOpenAPIQuota, Title: "查询小程序接口额度", Path: "/cgi-bin/openapi/quota/get", Method: post, Token: authorize, Scope: "data.read", ReadOnly: true},
		{Name: EndpointOpenAPIClearComponentQuota, Title: "清零平台接口额度", Path: "/cgi-bin/clear_quota", Method: post, Token: component, Quota: QuotaClear},
		{Name: EndpointOpenAPIClearQuota, Title: "清零小程序接口额度", Path: "/cgi-bin/clear_quota", Method: post, Token: authorize, Scope: "profile.write", Quota: QuotaClear},
		{Name: EndpointOpenAPIClearQuotaV2, Title: "用密钥清零接口额度", Path: "/cgi-bin/component/clear_quota/v2", Method: post, Token: no, Quota: QuotaClear,
			Secret: []string{"appsecret"}},
	}
}
