package wechat

// Endpoint names of profile, name, avatar, search and the linked official account (02 D.1–D.6, D.8, H.2).
const (
	EndpointBasicInfo                 = "account.basic_info"
	EndpointAccountCheckNickname      = "account.check_nickname"
	EndpointAccountSetNickname        = "account.set_nickname"
	EndpointAccountQueryNickname      = "account.query_nickname"
	EndpointAccountModifyHeadImage    = "account.modify_head_image"
	EndpointAccountModifySignature    = "account.modify_signature"
	EndpointAccountRebindAdmin        = "account.rebind_admin"
	EndpointAccountSearchStatus       = "account.search_status"
	EndpointAccountChangeSearchStatus = "account.change_search_status"
	EndpointAccountDataSetting        = "account.data_setting"
	EndpointAccountSetDataSetting     = "account.set_data_setting"
	EndpointAccountShowCandidates     = "account.show_candidates"
	EndpointAccountShowItem           = "account.show_item"
	EndpointAccountUpdateShowItem     = "account.update_show_item"
	EndpointAccountLinkedAccounts     = "account.linked_accounts"
	EndpointAccountLink               = "account.link"
	EndpointAccountUnlink             = "account.unlink"
)

// accountEndpoints are the rows of profile, name, avatar, search and the linked official account (02 D.1–D.6, D.8, H.2).
func accountEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointBasicInfo, Title: "获取基本信息", Path: "/cgi-bin/account/getaccountbasicinfo", Method: get, Token: authorize, Scope: "data.read", Set: setBasicInfo, ReadOnly: true,
			Secret: []string{"credential"}},
		{Name: EndpointAccountCheckNickname, Title: "检测名称", Path: "/cgi-bin/wxverify/checkwxverifynickname", Method: post, Token: authorize, Scope: "data.read", Set: 31, ReadOnly: true},
		{Name: EndpointAccountSetNickname, Title: "设置名称", Path: "/wxa/setnickname", Method: post, Token: authorize, Scope: "profile.write", Set: setBasicInfo, AltSet: 61, Quota: QuotaNickname},
		{Name: EndpointAccountQueryNickname, Title: "查询改名审核", Path: "/wxa/api_wxa_querynickname", Method: post, Token: authorize, Scope: "data.read", Set: setBasicInfo, AltSet: 61, ReadOnly: true},
		{Name: EndpointAccountModifyHeadImage, Title: "修改头像", Path: "/cgi-bin/account/modifyheadimage", Method: post, Token: authorize, Scope: "profile.write", Set: setBasicInfo, Quota: QuotaHeadImage},
		{Name: EndpointAccountModifySignature, Title: "修改简介", Path: "/cgi-bin/account/modifysignature", Method: post, Token: authorize, Scope: "profile.write", Set: setBasicInfo, Quota: QuotaSignature},
		{Name: EndpointAccountRebindAdmin, Title: "换绑管理员", Path: "/cgi-bin/account/componentrebindadmin", Method: post, Token: authorize, Scope: "profile.write", Set: setBasicInfo,
			Secret: []string{"taskid"}},
		{Name: EndpointAccountSearchStatus, Title: "查询搜索状态", Path: "/wxa/getwxasearchstatus", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAccountChangeSearchStatus, Title: "设置搜索状态", Path: "/wxa/changewxasearchstatus", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointAccountDataSetting, Title: "查看数据预拉取设置", Path: "/wxa/fetchdatasetting", Method: post, Token: authorize, Member: [2]string{"action", "get"}, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAccountSetDataSetting, Title: "设置数据预拉取", Path: "/wxa/fetchdatasetting", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointAccountShowCandidates, Title: "获取可展示的公众号", Path: "/wxa/getwxamplinkforshow", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAccountShowItem, Title: "获取展示的公众号", Path: "/wxa/getshowwxaitem", Method: get, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAccountUpdateShowItem, Title: "设置展示的公众号", Path: "/wxa/updateshowwxaitem", Method: post, Token: authorize, Scope: "profile.write", Set: setCode, SafeToRepeat: true},
		{Name: EndpointAccountLinkedAccounts, Title: "查询公众号关联的小程序", Path: "/cgi-bin/wxopen/wxamplinkget", Method: post, Token: authorize, Scope: "data.read", Set: 33, ReadOnly: true, EmptyBody: true},
		{Name: EndpointAccountLink, Title: "公众号关联小程序", Path: "/cgi-bin/wxopen/wxamplink", Method: post, Token: authorize, Scope: "profile.write", Set: 33},
		{Name: EndpointAccountUnlink, Title: "公众号解除关联小程序", Path: "/cgi-bin/wxopen/wxampunlink", Method: post, Token: authorize, Scope: "profile.write", Set: 33, SafeToRepeat: true},
	}
}
