package wechat

// Endpoint names of 备案 (02 I.1).
const (
	EndpointICPEntrance         = "icp.entrance"
	EndpointICPCreateVerify     = "icp.create_verify"
	EndpointICPQueryVerify      = "icp.query_verify"
	EndpointICPUploadMedia      = "icp.upload_media"
	EndpointICPMedia            = "icp.media"
	EndpointICPApply            = "icp.apply"
	EndpointICPCancelApply      = "icp.cancel_apply"
	EndpointICPCancel           = "icp.cancel"
	EndpointICPOnline           = "icp.online"
	EndpointICPContentTypes     = "icp.content_types"
	EndpointICPCertificateTypes = "icp.certificate_types"
	EndpointICPDistricts        = "icp.districts"
	EndpointICPNrlxTypes        = "icp.nrlx_types"
	EndpointICPSubjectTypes     = "icp.subject_types"
)

// icpEndpoints are the rows of 备案 (02 I.1).
func icpEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointICPEntrance, Title: "查询备案状态", Path: "/wxa/icp/get_icp_entrance_info", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true},
		{Name: EndpointICPCreateVerify, Title: "发起负责人核身", Path: "/wxa/icp/create_icp_verifytask", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, AltSet: 156},
		{Name: EndpointICPQueryVerify, Title: "查询负责人核身", Path: "/wxa/icp/query_icp_verifytask", Method: post, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true},
		{Name: EndpointICPUploadMedia, Title: "上传备案材料", Path: "/wxa/icp/upload_icp_media", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, AltSet: 156, SafeToRepeat: true, Upload: true},
		{Name: EndpointICPMedia, Title: "下载备案材料", Path: "/wxa/icp/get_icp_media", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true, Answer: AnswerImage},
		{Name: EndpointICPApply, Title: "提交备案", Path: "/wxa/icp/apply_icp_filing", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, AltSet: 156,
			Secret: []string{"name", "mobile", "email", "emergency_contact", "certificate_number", "certificate_address", "address"}},
		{Name: EndpointICPCancelApply, Title: "撤回备案申请", Path: "/wxa/icp/cancel_apply_icp_filing", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, AltSet: 156, EmptyBody: true},
		{Name: EndpointICPCancel, Title: "注销备案", Path: "/wxa/icp/cancel_icp_filing", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, AltSet: 156},
		{Name: EndpointICPOnline, Title: "查询已通过的备案", Path: "/wxa/icp/get_online_icp_order", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true,
			Secret: []string{"name", "mobile", "email", "emergency_contact", "certificate_number", "certificate_address", "address"}},
		{Name: EndpointICPContentTypes, Title: "查询服务内容类型", Path: "/wxa/icp/query_icp_service_content_types", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true},
		{Name: EndpointICPCertificateTypes, Title: "查询证件类型", Path: "/wxa/icp/query_icp_certificate_types", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true},
		{Name: EndpointICPDistricts, Title: "查询区域代码", Path: "/wxa/icp/query_icp_district_code", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true},
		{Name: EndpointICPNrlxTypes, Title: "查询前置审批类型", Path: "/wxa/icp/query_icp_nrlx_types", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true},
		{Name: EndpointICPSubjectTypes, Title: "查询主体类型", Path: "/wxa/icp/query_icp_subject_types", Method: get, Token: authorize, Scope: "data.read", Set: setCode, AltSet: 156, ReadOnly: true},
	}
}
