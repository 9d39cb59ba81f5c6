package wechat

// Endpoint names of customer service messages (01 C.4; 02 H.2).
const (
	EndpointServiceSend   = "service.send"
	EndpointServiceTyping = "service.typing"
)

// serviceEndpoints are the rows of customer service messages (01 C.4; 02 H.2).
func serviceEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointServiceSend, Title: "发送客服消息", Path: "/cgi-bin/message/custom/send", Method: post, Token: authorize, Scope: "profile.write", Set: 19, AltSet: 1,
			Secret: []string{"touser", "content"}},
		{Name: EndpointServiceTyping, Title: "发送输入状态", Path: "/cgi-bin/message/custom/typing", Method: post, Token: authorize, Scope: "profile.write", Set: 19, AltSet: 1,
			Secret: []string{"touser"}},
	}
}
