package wechat

// Endpoint names of jump rules of ordinary links and mini program codes (02 G.1, G.2).
const (
	EndpointQRCodeAddRule     = "qrcode.add_rule"
	EndpointQRCodeRules       = "qrcode.rules"
	EndpointQRCodeConfirmfile = "qrcode.confirmfile"
	EndpointQRCodePublishRule = "qrcode.publish_rule"
	EndpointQRCodeDeleteRule  = "qrcode.delete_rule"
	EndpointQRCodeCode        = "qrcode.code"
	EndpointQRCodeUnlimited   = "qrcode.unlimited"
	EndpointQRCodeSquare      = "qrcode.square"
)

// qrcodeEndpoints are the rows of jump rules of ordinary links and mini program codes (02 G.1, G.2).
func qrcodeEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointQRCodeAddRule, Title: "设置二维码规则", Path: "/cgi-bin/wxopen/qrcodejumpadd", Method: post, Token: authorize, Scope: "profile.write", Set: setCode},
		{Name: EndpointQRCodeRules, Title: "获取二维码规则", Path: "/cgi-bin/wxopen/qrcodejumpget", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointQRCodeConfirmfile, Title: "下载二维码校验文件", Path: "/cgi-bin/wxopen/qrcodejumpdownload", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointQRCodePublishRule, Title: "发布二维码规则", Path: "/cgi-bin/wxopen/qrcodejumppublish", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, Quota: QuotaJumpRule},
		{Name: EndpointQRCodeDeleteRule, Title: "删除二维码规则", Path: "/cgi-bin/wxopen/qrcodejumpdelete", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointQRCodeCode, Title: "获取小程序码", Path: "/wxa/getwxacode", Method: post, Token: authorize, Scope: "profile.write", Set: 17, Quota: QuotaCode, Answer: AnswerImage},
		{Name: EndpointQRCodeUnlimited, Title: "获取不限制的小程序码", Path: "/wxa/getwxacodeunlimit", Method: post, Token: authorize, Scope: "data.read", Set: 17, ReadOnly: true, Answer: AnswerImage},
		{Name: EndpointQRCodeSquare, Title: "获取小程序二维码", Path: "/cgi-bin/wxaapp/createwxaqrcode", Method: post, Token: authorize, Scope: "profile.write", Set: 17, Quota: QuotaCode, Answer: AnswerImage},
	}
}
