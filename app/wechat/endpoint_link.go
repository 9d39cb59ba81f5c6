package wechat

// Endpoint names of links that open a mini program (02 G.3).
const (
	EndpointLinkScheme      = "link.scheme"
	EndpointLinkQueryScheme = "link.query_scheme"
	EndpointLinkURL         = "link.url"
	EndpointLinkQueryURL    = "link.query_url"
	EndpointLinkShort       = "link.short"
	EndpointLinkNFCScheme   = "link.nfc_scheme"
)

// linkEndpoints are the rows of links that open a mini program (02 G.3).
func linkEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointLinkScheme, Title: "生成 Scheme 链接", Path: "/wxa/generatescheme", Method: post, Token: authorize, Scope: "profile.write", Set: 88, Quota: QuotaLink},
		{Name: EndpointLinkQueryScheme, Title: "查询 Scheme 链接", Path: "/wxa/queryscheme", Method: post, Token: authorize, Scope: "data.read", Set: 88, ReadOnly: true},
		{Name: EndpointLinkURL, Title: "生成 URL 链接", Path: "/wxa/generate_urllink", Method: post, Token: authorize, Scope: "profile.write", Set: 88, Quota: QuotaLink},
		{Name: EndpointLinkQueryURL, Title: "查询 URL 链接", Path: "/wxa/query_urllink", Method: post, Token: authorize, Scope: "data.read", Set: 88, ReadOnly: true},
		{Name: EndpointLinkShort, Title: "生成短链接", Path: "/wxa/genwxashortlink", Method: post, Token: authorize, Scope: "profile.write", Set: 88, Quota: QuotaLink},
		{Name: EndpointLinkNFCScheme, Title: "生成 NFC 的 Scheme 链接", Path: "/wxa/generatenfcscheme", Method: post, Token: authorize, Scope: "profile.write", Set: 88, Quota: QuotaLink},
	}
}
