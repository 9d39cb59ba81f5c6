package wechat

// Endpoint names of 体验成员 (02 C).
const (
	EndpointBindTester   = "tester.bind"
	EndpointUnbindTester = "tester.unbind"
	EndpointTesters      = "tester.list"
)

// testerEndpoints are the rows of 体验成员 (02 C).
func testerEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointBindTester, Title: "绑定体验成员", Path: "/wxa/bind_tester", Method: post, Token: authorize, Scope: "tester.write", Set: setCode,
			Secret: []string{"wechatid"}},
		{Name: EndpointUnbindTester, Title: "解绑体验成员", Path: "/wxa/unbind_tester", Method: post, Token: authorize, Scope: "tester.write", Set: setCode, SafeToRepeat: true,
			Secret: []string{"wechatid"}},
		{Name: EndpointTesters, Title: "获取体验成员", Path: "/wxa/memberauth", Method: post, Token: authorize, Member: [2]string{"action", "get_experiencer"}, Scope: "tester.write", Set: setCode, ReadOnly: true},
	}
}
