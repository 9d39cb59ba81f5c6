package wechat

import (
	"cmp"
	"net/http"
	"slices"
	"sync"
)

// Token kinds of an endpoint.
type Token string

// Which token a call carries in its query.
const (
	TokenNone       Token = "none"       // credentials travel in the body; component room only
	TokenComponent  Token = "component"  // component_access_token
	TokenAuthorizer Token = "authorizer" // authorizer_access_token of the mini program
)

// Answer kinds of an endpoint.
type Answer string

// What a successful answer is. An image endpoint answers JSON when it fails.
const (
	AnswerJSON  Answer = "json"
	AnswerImage Answer = "image"
)

// Quotas that a successful call spends; the names are keys of screens and counters.
const (
	QuotaAudit        = "audit"         // monthly submits of the whole platform (85085)
	QuotaSpeedUp      = "speedup"       // monthly expedites of the whole platform (89405)
	QuotaUndo         = "undo"          // withdrawals per mini program (87013)
	QuotaDomain       = "domain"        // 50 a month per mini program (86102)
	QuotaServerDomain = "server_domain" // 50 a month of the platform pool (45104)
	QuotaTemplate     = "template"      // 200 templates of the library (85065)
)

// Endpoint is one row of the endpoint table: everything the gateway must know to decide on and send a call.
type Endpoint struct {
	Name   string // what pages, plugins and the trail call it
	Title  string // Chinese, for the trail
	Path   string
	Method string
	Fixed  [2]string // one fixed query parameter (name, value); zero for none
	Token  Token

	Scope        string // scope a grant must hold; "" = only the component's owner or the system
	Set          int    // permission set the authorisation must hold; 0 = none
	AltSet       int    // another set that also suffices; 0 = none
	ReadOnly     bool   // changes nothing at WeChat
	SafeToRepeat bool   // may be sent again after a doubtful answer; false where quota or customers are touched
	Quota        string // a Quota… name, "" for none
	EmptyBody    bool   // POST without fields: `{}` must be sent (44002)
	Answer       Answer
	Upload       bool // multipart/form-data with one file part
}

// Endpoint names. The typed calls use them; nobody writes the strings by hand.
const (
	EndpointStartPushTicket = "component.start_push_ticket"
	EndpointComponentToken  = "component.token"
	EndpointPreAuthCode     = "component.create_preauthcode"
	EndpointQueryAuth       = "component.query_auth"
	EndpointAuthorizerToken = "component.authorizer_token"
	EndpointAuthorizerInfo  = "component.get_authorizer_info"
	EndpointAuthorizerList  = "component.get_authorizer_list"
	EndpointServerDomain    = "component.modify_server_domain"
	EndpointDrafts          = "template.drafts"
	EndpointAddToTemplate   = "template.add"
	EndpointTemplates       = "template.list"
	EndpointDeleteTemplate  = "template.delete"
	EndpointCommit          = "code.commit"
	EndpointPages           = "code.pages"
	EndpointCategories      = "code.categories"
	EndpointTrialQRCode     = "code.trial_qrcode"
	EndpointUploadMedia     = "code.upload_media"
	EndpointSubmitAudit     = "code.submit_audit"
	EndpointCodePrivacy     = "code.privacy_info"
	EndpointAuditStatus     = "code.audit_status"
	EndpointLatestAudit     = "code.latest_audit"
	EndpointUndoAudit       = "code.undo_audit"
	EndpointSpeedUp         = "code.speedup_audit"
	EndpointQuota           = "code.quota"
	EndpointRelease         = "code.release"
	EndpointGrayRelease     = "code.gray_release"
	EndpointGrayPlan        = "code.gray_plan"
	EndpointRevertGray      = "code.revert_gray"
	EndpointRollback        = "code.rollback"
	EndpointHistory         = "code.history"
	EndpointChangeVisit     = "code.change_visit_status"
	EndpointVisitStatus     = "code.visit_status"
	EndpointSupportVersion  = "code.support_version"
	EndpointSetSupport      = "code.set_support_version"
	EndpointVersionInfo     = "code.version_info"
	EndpointBindTester      = "tester.bind"
	EndpointUnbindTester    = "tester.unbind"
	EndpointTesters         = "tester.list"
	EndpointModifyDomain    = "domain.modify"
	EndpointBasicInfo       = "account.basic_info"
	EndpointRIDInfo         = "openapi.rid"
)

const (
	setCode                  = 18 // 小程序开发与数据分析, held by one component only
	setBasicInfo             = 30 // 小程序基本信息管理
	setShopDecoration        = 86 // alternative for the trial QR code
	get, post                = http.MethodGet, http.MethodPost
	no, component, authorize = TokenNone, TokenComponent, TokenAuthorizer
)

// Endpoints gives the whole table, sorted by name. Sources: 01 D, F.3; 02 0.1, A, B, C, D.1, E.2, E.5.
func Endpoints() []Endpoint {
	return slices.Clone(endpointTable())
}

// endpointTable is built at first use and never changed afterwards.
var endpointTable = sync.OnceValue(func() []Endpoint {
	rows := slices.Concat(componentEndpoints(), codeEndpoints(), releaseEndpoints(), otherEndpoints())
	for i := range rows {
		if rows[i].Answer == "" {
			rows[i].Answer = AnswerJSON
		}
		if rows[i].ReadOnly {
			rows[i].SafeToRepeat = true
		}
	}
	slices.SortFunc(rows, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
	return rows
})

func componentEndpoints() []Endpoint {
	const p = "/cgi-bin/component/"
	return []Endpoint{
		{Name: EndpointStartPushTicket, Title: "启动票据推送", Path: p + "api_start_push_ticket", Method: post, Token: no, SafeToRepeat: true},
		{Name: EndpointComponentToken, Title: "获取平台令牌", Path: p + "api_component_token", Method: post, Token: no},
		{Name: EndpointPreAuthCode, Title: "获取预授权码", Path: p + "api_create_preauthcode", Method: post, Token: component, SafeToRepeat: true},
		{Name: EndpointQueryAuth, Title: "换取授权信息", Path: p + "api_query_auth", Method: post, Token: component},
		{Name: EndpointAuthorizerToken, Title: "刷新授权方令牌", Path: p + "api_authorizer_token", Method: post, Token: component},
		{Name: EndpointAuthorizerInfo, Title: "获取授权方资料", Path: p + "api_get_authorizer_info", Method: post, Token: component, ReadOnly: true},
		{Name: EndpointAuthorizerList, Title: "拉取授权方列表", Path: p + "api_get_authorizer_list", Method: post, Token: component, ReadOnly: true},
		{Name: EndpointServerDomain, Title: "设置平台服务器域名", Path: p + "modify_wxa_server_domain", Method: post, Token: component, Quota: QuotaServerDomain},
		{Name: EndpointDrafts, Title: "获取草稿箱", Path: "/wxa/gettemplatedraftlist", Method: get, Token: component, ReadOnly: true},
		{Name: EndpointAddToTemplate, Title: "添加到模板库", Path: "/wxa/addtotemplate", Method: post, Token: component, Quota: QuotaTemplate},
		{Name: EndpointTemplates, Title: "获取模板库", Path: "/wxa/gettemplatelist", Method: get, Token: component, ReadOnly: true},
		{Name: EndpointDeleteTemplate, Title: "删除模板", Path: "/wxa/deletetemplate", Method: post, Token: component},
		{Name: EndpointRIDInfo, Title: "查询 rid", Path: "/cgi-bin/openapi/rid/get", Method: post, Token: component, ReadOnly: true},
	}
}

// codeEndpoints covers trial and audit. Reading the lanes needs only code.trial, which an installation grants, so that
// the template's merchant sees what became of the code.
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
	}
}

func releaseEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointRelease, Title: "发布", Path: "/wxa/release", Method: post, Token: authorize, Scope: "code.release", Set: setCode, EmptyBody: true},
		{Name: EndpointGrayRelease, Title: "分阶段发布", Path: "/wxa/grayrelease", Method: post, Token: authorize, Scope: "code.release", Set: setCode},
		{Name: EndpointGrayPlan, Title: "查询分阶段发布", Path: "/wxa/getgrayreleaseplan", Method: get, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointRevertGray, Title: "取消分阶段发布", Path: "/wxa/revertgrayrelease", Method: get, Token: authorize, Scope: "code.release", Set: setCode},
		{Name: EndpointRollback, Title: "版本回退", Path: "/wxa/revertcoderelease", Method: get, Token: authorize, Scope: "code.rollback", Set: setCode},
		{Name: EndpointHistory, Title: "查询可回退版本", Path: "/wxa/revertcoderelease", Method: get, Fixed: [2]string{"action", "get_history_version"}, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true},
		{Name: EndpointChangeVisit, Title: "设置服务状态", Path: "/wxa/change_visitstatus", Method: post, Token: authorize, Scope: "service.suspend", Set: setCode},
		{Name: EndpointVisitStatus, Title: "查询服务状态", Path: "/wxa/getvisitstatus", Method: post, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointSupportVersion, Title: "查询最低基础库", Path: "/cgi-bin/wxopen/getweappsupportversion", Method: post, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true, EmptyBody: true},
		{Name: EndpointSetSupport, Title: "设置最低基础库", Path: "/cgi-bin/wxopen/setweappsupportversion", Method: post, Token: authorize, Scope: "code.release", Set: setCode},
		{Name: EndpointVersionInfo, Title: "查询版本信息", Path: "/wxa/getversioninfo", Method: post, Token: authorize, Scope: "code.trial", Set: setCode, ReadOnly: true, EmptyBody: true},
	}
}

func otherEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointBindTester, Title: "绑定体验成员", Path: "/wxa/bind_tester", Method: post, Token: authorize, Scope: "tester.write", Set: setCode},
		{Name: EndpointUnbindTester, Title: "解绑体验成员", Path: "/wxa/unbind_tester", Method: post, Token: authorize, Scope: "tester.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointTesters, Title: "获取体验成员", Path: "/wxa/memberauth", Method: post, Token: authorize, Scope: "tester.write", Set: setCode, ReadOnly: true},
		{Name: EndpointModifyDomain, Title: "设置服务器域名", Path: "/wxa/modify_domain", Method: post, Token: authorize, Scope: "domain.write", Set: setCode, Quota: QuotaDomain},
		{Name: EndpointBasicInfo, Title: "获取基本信息", Path: "/cgi-bin/account/getaccountbasicinfo", Method: get, Token: authorize, Scope: "data.read", Set: setBasicInfo, ReadOnly: true},
	}
}

// LookupEndpoint finds a row by name.
func LookupEndpoint(name string) (Endpoint, bool) {
	rows := endpointTable()
	i, ok := slices.BinarySearchFunc(rows, name, func(e Endpoint, n string) int { return cmp.Compare(e.Name, n) })
	if !ok {
		return Endpoint{}, false
	}
	return rows[i], true
}
