package wechat

// Endpoint names of violations, appeals, trade score and complaints (02 I.4).
const (
	EndpointViolationList            = "violation.list"
	EndpointViolationAppeals         = "violation.appeals"
	EndpointViolationPenalties       = "violation.penalties"
	EndpointViolationGuarantee       = "violation.guarantee"
	EndpointViolationComplaint       = "violation.complaint"
	EndpointViolationAnswerComplaint = "violation.answer_complaint"
	EndpointViolationProveComplaint  = "violation.prove_complaint"
	EndpointViolationRefundComplaint = "violation.refund_complaint"
	EndpointViolationAppealComplaint = "violation.appeal_complaint"
)

// violationEndpoints are the rows of violations, appeals, trade score and complaints (02 I.4).
func violationEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointViolationList, Title: "违规记录", Path: "/wxa/getillegalrecords", Method: post, Token: authorize, Scope: "data.read", Set: 76, AltSet: setCode, ReadOnly: true},
		{Name: EndpointViolationAppeals, Title: "申诉记录", Path: "/wxa/getappealrecords", Method: post, Token: authorize, Scope: "data.read", Set: 76, AltSet: setCode, ReadOnly: true},
		{Name: EndpointViolationPenalties, Title: "交易体验分扣分记录", Path: "/wxaapi/wxamptrade/get_penalty_list", Method: get, Token: authorize, Scope: "data.read", Set: 151, ReadOnly: true},
		{Name: EndpointViolationGuarantee, Title: "交易保障状态", Path: "/wxaapi/wxamptrade/get_guarantee_status", Method: get, Token: authorize, Scope: "data.read", Set: 151, ReadOnly: true},
		{Name: EndpointViolationComplaint, Title: "投诉单详情", Path: "/wxaapi/minishop/complaintOrderDetail", Method: post, Token: authorize, Scope: "data.read", Set: 76, ReadOnly: true},
		{Name: EndpointViolationAnswerComplaint, Title: "回应投诉", Path: "/wxaapi/minishop/bussiRespondComplaint", Method: post, Token: authorize, Scope: "profile.write", Set: 76},
		{Name: EndpointViolationProveComplaint, Title: "补充投诉凭证", Path: "/wxaapi/minishop/bussiSupplyProof", Method: post, Token: authorize, Scope: "profile.write", Set: 76},
		{Name: EndpointViolationRefundComplaint, Title: "补充退款凭证", Path: "/wxaapi/minishop/bussiSupplyRefund", Method: post, Token: authorize, Scope: "profile.write", Set: 76},
		{Name: EndpointViolationAppealComplaint, Title: "投诉申诉", Path: "/wxaapi/minishop/busiAppeal", Method: post, Token: authorize, Scope: "profile.write", Set: 76},
	}
}
