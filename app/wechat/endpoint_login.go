package wechat

// Endpoint names of login on behalf (01 F.2).
const (
	EndpointLoginSession      = "login.session"
	EndpointLoginOAuthToken   = "login.oauth_token"
	EndpointLoginOAuthRefresh = "login.oauth_refresh"
)

// loginEndpoints are the rows of login on behalf (01 F.2).
func loginEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointLoginSession, Title: "小程序登录", Path: "/sns/component/jscode2session", Method: get, Token: component, TokenQuery: "component_access_token",
			Secret: []string{"js_code", "session_key", "openid", "unionid"}},
		{Name: EndpointLoginOAuthToken, Title: "公众号网页授权换取令牌", Path: "/sns/oauth2/component/access_token", Method: get, Token: component, TokenQuery: "component_access_token",
			Secret: []string{"code", "access_token", "refresh_token", "openid", "unionid"}},
		{Name: EndpointLoginOAuthRefresh, Title: "公众号网页授权刷新令牌", Path: "/sns/oauth2/component/refresh_token", Method: get, Token: component, TokenQuery: "component_access_token",
			Secret: []string{"access_token", "refresh_token", "openid"}},
	}
}
