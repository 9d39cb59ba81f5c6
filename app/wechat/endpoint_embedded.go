package wechat

// Endpoint names of 半屏小程序 (02 H.2).
const (
	EndpointEmbeddedList         = "embedded.list"
	EndpointEmbeddedOwnList      = "embedded.own_list"
	EndpointEmbeddedAdd          = "embedded.add"
	EndpointEmbeddedDelete       = "embedded.delete"
	EndpointEmbeddedRevoke       = "embedded.revoke"
	EndpointEmbeddedSetAuthorize = "embedded.set_authorize"
)

// embeddedEndpoints are the rows of 半屏小程序 (02 H.2).
func embeddedEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointEmbeddedList, Title: "半屏小程序调用列表", Path: "/wxaapi/wxaembedded/get_list", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointEmbeddedOwnList, Title: "半屏小程序授权列表", Path: "/wxaapi/wxaembedded/get_own_list", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointEmbeddedAdd, Title: "申请调用半屏小程序", Path: "/wxaapi/wxaembedded/add_embedded", Method: post, Token: authorize, Scope: "profile.write", Set: setCode},
		{Name: EndpointEmbeddedDelete, Title: "取消调用半屏小程序", Path: "/wxaapi/wxaembedded/del_embedded", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointEmbeddedRevoke, Title: "取消授权的半屏小程序", Path: "/wxaapi/wxaembedded/del_authorize", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointEmbeddedSetAuthorize, Title: "设置半屏小程序授权方式", Path: "/wxaapi/wxaembedded/set_authorize", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
	}
}
