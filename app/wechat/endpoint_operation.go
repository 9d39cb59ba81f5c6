package wechat

// Endpoint names of error log, performance, live log and feedback (02 K).
const (
	EndpointOperationJSErrors       = "operation.js_errors"
	EndpointOperationJSError        = "operation.js_error"
	EndpointOperationPerformance    = "operation.performance"
	EndpointOperationScenes         = "operation.scenes"
	EndpointOperationClientVersions = "operation.client_versions"
	EndpointOperationLogs           = "operation.logs"
	EndpointOperationFeedback       = "operation.feedback"
	EndpointOperationFeedbackMedia  = "operation.feedback_media"
)

// operationEndpoints are the rows of error log, performance, live log and feedback (02 K).
func operationEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointOperationJSErrors, Title: "错误列表", Path: "/wxaapi/log/jserr_list", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"openid"}},
		{Name: EndpointOperationJSError, Title: "错误详情", Path: "/wxaapi/log/jserr_detail", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"openid", "openId", "Uin", "nickname"}},
		{Name: EndpointOperationPerformance, Title: "性能数据", Path: "/wxaapi/log/get_performance", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointOperationScenes, Title: "访问来源", Path: "/wxaapi/log/get_scene", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointOperationClientVersions, Title: "客户端版本", Path: "/wxaapi/log/get_client_version", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointOperationLogs, Title: "实时日志", Path: "/wxaapi/userlog/userlog_search", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"id"}},
		{Name: EndpointOperationFeedback, Title: "用户反馈", Path: "/wxaapi/feedback/list", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"phone", "openid", "nickname", "head_url"}},
		{Name: EndpointOperationFeedbackMedia, Title: "用户反馈的图片", Path: "/cgi-bin/media/getfeedbackmedia", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true, Answer: AnswerImage},
	}
}
