package wechat

// Endpoint names of temporary and permanent material (02 B.5, B.8, H.2).
const (
	EndpointMediaUpload   = "media.upload"
	EndpointMediaGet      = "media.get"
	EndpointMediaMaterial = "media.material"
)

// mediaEndpoints are the rows of temporary and permanent material (02 B.5, B.8, H.2).
func mediaEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointMediaUpload, Title: "上传临时素材", Path: "/cgi-bin/media/upload", Method: post, Token: authorize, Scope: "data.read", SafeToRepeat: true, Upload: true},
		{Name: EndpointMediaGet, Title: "下载临时素材", Path: "/cgi-bin/media/get", Method: get, Token: authorize, Scope: "data.read", ReadOnly: true, Answer: AnswerImage},
		{Name: EndpointMediaMaterial, Title: "下载永久素材", Path: "/cgi-bin/material/get_material", Method: post, Token: authorize, Scope: "data.read", ReadOnly: true, Answer: AnswerImage},
	}
}
