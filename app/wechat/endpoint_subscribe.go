package wechat

// Endpoint names of subscription messages (02 H.2).
const (
	EndpointSubscribeCategories = "subscribe.categories"
	EndpointSubscribeTitles     = "subscribe.titles"
	EndpointSubscribeKeywords   = "subscribe.keywords"
	EndpointSubscribeAdd        = "subscribe.add"
	EndpointSubscribeList       = "subscribe.list"
	EndpointSubscribeDelete     = "subscribe.delete"
	EndpointSubscribeSend       = "subscribe.send"
)

// subscribeEndpoints are the rows of subscription messages (02 H.2).
func subscribeEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointSubscribeCategories, Title: "订阅消息的类目", Path: "/wxaapi/newtmpl/getcategory", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointSubscribeTitles, Title: "公共模板标题", Path: "/wxaapi/newtmpl/getpubtemplatetitles", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointSubscribeKeywords, Title: "公共模板关键词", Path: "/wxaapi/newtmpl/getpubtemplatekeywords", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointSubscribeAdd, Title: "添加订阅消息模板", Path: "/wxaapi/newtmpl/addtemplate", Method: post, Token: authorize, Scope: "profile.write", Set: setCode},
		{Name: EndpointSubscribeList, Title: "已添加的订阅消息模板", Path: "/wxaapi/newtmpl/gettemplate", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointSubscribeDelete, Title: "删除订阅消息模板", Path: "/wxaapi/newtmpl/deltemplate", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointSubscribeSend, Title: "发送订阅消息", Path: "/cgi-bin/message/subscribe/send", Method: post, Token: authorize, Scope: "profile.write", Set: setCode,
			Secret: []string{"touser", "data"}},
	}
}
