package wechat

// Endpoint names of content security (02 H.2).
const (
	EndpointContentCheckText  = "content.check_text"
	EndpointContentCheckMedia = "content.check_media"
	EndpointContentCheckImage = "content.check_image"
)

// contentEndpoints are the rows of content security (02 H.2).
func contentEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointContentCheckText, Title: "文本内容检测", Path: "/wxa/msg_sec_check", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"openid", "content"}},
		{Name: EndpointContentCheckMedia, Title: "音视频图片异步检测", Path: "/wxa/media_check_async", Method: post, Token: authorize, Scope: "profile.write", Set: setCode,
			Secret: []string{"openid"}},
		{Name: EndpointContentCheckImage, Title: "图片内容检测", Path: "/wxa/img_sec_check", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true, Upload: true},
	}
}
