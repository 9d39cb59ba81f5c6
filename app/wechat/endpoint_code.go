package wechat

// Endpoint names of trial, audit and release (02 B).
const (
	EndpointCommit         = "code.commit"
	EndpointPages          = "code.pages"
	EndpointCategories     = "code.categories"
	EndpointTrialQRCode    = "code.trial_qrcode"
	EndpointUploadMedia    = "code.upload_media"
	EndpointSubmitAudit    = "code.submit_audit"
	EndpointCodePrivacy    = "code.privacy_info"
	EndpointAuditStatus    = "code.audit_status"
	EndpointLatestAudit    = "code.latest_audit"
	EndpointUndoAudit      = "code.undo_audit"
	EndpointSpeedUp        = "code.speedup_audit"
	EndpointQuota          = "code.quota"
	EndpointRelease        = "code.release"
	EndpointGrayRelease    = "code.gray_release"
	EndpointGrayPlan       = "code.gray_plan"
	EndpointRevertGray     = "code.revert_gray"
	EndpointRollback       = "code.rollback"
	EndpointHistory        = "code.history"
	EndpointChangeVisit    = "code.change_visit_status"
	EndpointVisitStatus    = "code.visit_status"
	EndpointSupportVersion = "code.support_version"
	EndpointSetSupport     = "code.set_support_version"
	EndpointVersionInfo    = "code.version_info"
)

// codeEndpoints are the rows of trial, audit and release. Reading the lanes needs only code.trial, which an installation
// grants, so that the template's merchant sees what became of the code (02 B).
func codeEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointCommit, Title: "上传代码", Path: "/wxa/commit", Method: post, Token: authorize, Scope: "code.commit", Set: setCode},
		{Name: EndpointPages, Title: "获取页面列表", Path: "/wxa/get_page", Method: get, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointCategories, Title: "获取类目", Path: "/wxa/get_category", Method: get, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointTrialQRCode, Title: "获取体验版二维码", Path: "/wxa/get_qrcode", Method: get, Token: authorize, Scope: "code.trial", Set: setCode, AltSet: setShopDecoration, ReadOnly: true, Answer: AnswerImage},
		{Name: EndpointUploadMedia, Title: "上传提审素材", Path: "/wxa/uploadmedia", Method: post, Token: authorize, Scope: "code.audit", Set: setCode, SafeToRepeat: true, Upload: true},
		{Name: EndpointSubmitAudit, Title: "提交审核", Path: "/wxa/submit_audit", Method: post, Token: authorize, Scope: "code.audit", Set: setCode, Quota: QuotaAudit},
		{Name: EndpointCodePrivacy, Title: "获取隐私接口检测结果", Path: "/wxa/security/get_code_privacy_info", Method: get, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointAuditStatus, Title: "查询审核单", Path: "/wxa/get_auditstatus", Method: post, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointLatestAudit, Title: "查询最新审核单", Path: "/wxa/get_latest_auditstatus", Method: get, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointUndoAudit, Title: "撤回审核", Path: "/wxa/undocodeaudit", Method: get, Token: authorize, Scope: "code.audit", Set: setCode, Quota: QuotaUndo},
		{Name: EndpointSpeedUp, Title: "加急审核", Path: "/wxa/speedupaudit", Method: post, Token: authorize, Scope: "code.audit", Set: setCode, Quota: QuotaSpeedUp},
		{Name: EndpointQuota, Title: "查询审核额度", Path: "/wxa/queryquota", Method: get, Token: authorize, Scope: "code.audit", Set: setCode, ReadOnly: true},
		{Name: EndpointRelease, Title: "发布", Path: "/wxa/release", Method: post, Token: authorize, Scope: "code.release", Set: setCode, EmptyBody: true},
		{Name: EndpointGrayRelease, Title: "分阶段发布", Path: "/wxa/grayrelease", Method: post, Token: authorize, Scope: "code.release", Set: setCode},
		{Name: EndpointGrayPlan, Title: "查询分阶段发布", Path: "/wxa/getgrayreleaseplan", Method: get, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointRevertGray, Title: "取消分阶段发布", Path: "/wxa/revertgrayrelease", Method: get, Token: authorize, Scope: "code.release", Set: setCode},
		{Name: EndpointRollback, Title: "版本回退", Path: "/wxa/revertcoderelease", Method: get, Token: authorize, Scope: "code.rollback", Set: setCode},
		{Name: EndpointHistory, Title: "查询可回退版本", Path: "/wxa/revertcoderelease", Method: get, Token: authorize, Fixed: [2]string{"action", "get_history_version"}, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointChangeVisit, Title: "设置服务状态", Path: "/wxa/change_visitstatus", Method: post, Token: authorize, Scope: "service.suspend", Set: setCode},
		{Name: EndpointVisitStatus, Title: "查询服务状态", Path: "/wxa/getvisitstatus", Method: post, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointSupportVersion, Title: "查询最低基础库", Path: "/cgi-bin/wxopen/getweappsupportversion", Method: post, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointSetSupport, Title: "设置最低基础库", Path: "/cgi-bin/wxopen/setweappsupportversion", Method: post, Token: authorize, Scope: "code.release", Set: setCode},
		{Name: EndpointVersionInfo, Title: "查询版本信息", Path: "/wxa/getversioninfo", Method: post, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true, EmptyBody: true},
	}
}
