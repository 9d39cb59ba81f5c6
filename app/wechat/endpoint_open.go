package wechat

// Endpoint names of the open platform account behind a unionid (01 F.1).
const (
	EndpointOpenCreate     = "open.create"
	EndpointOpenBind       = "open.bind"
	EndpointOpenUnbind     = "open.unbind"
	EndpointOpenGet        = "open.get"
	EndpointOpenHave       = "open.have"
	EndpointOpenSameEntity = "open.same_entity"
)

// openEndpoints are the rows of the open platform account behind a unionid (01 F.1).
func openEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointOpenCreate, Title: "创建开放平台账号", Path: "/cgi-bin/open/create", Method: post, Token: authorize, Scope: "profile.write", Set: 25, AltSet: 24},
		{Name: EndpointOpenBind, Title: "绑定开放平台账号", Path: "/cgi-bin/open/bind", Method: post, Token: authorize, Scope: "profile.write", Set: 25, AltSet: 24},
		{Name: EndpointOpenUnbind, Title: "解绑开放平台账号", Path: "/cgi-bin/open/unbind", Method: post, Token: authorize, Scope: "profile.write", Set: 25, AltSet: 24, SafeToRepeat: true},
		{Name: EndpointOpenGet, Title: "查询绑定的开放平台账号", Path: "/cgi-bin/open/get", Method: post, Token: authorize, Scope: "data.read", Set: 25, AltSet: 24, ReadOnly: true},
		{Name: EndpointOpenHave, Title: "查询是否绑定开放平台账号", Path: "/cgi-bin/open/have", Method: get, Token: authorize, Scope: "data.read", Set: 25, AltSet: 24, ReadOnly: true},
		{Name: EndpointOpenSameEntity, Title: "查询是否同主体", Path: "/cgi-bin/open/sameentity", Method: get, Token: authorize, Scope: "data.read", Set: 25, AltSet: 24, ReadOnly: true},
	}
}
