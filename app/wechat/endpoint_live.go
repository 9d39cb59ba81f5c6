package wechat

// Endpoint names of 直播 (02 H.2).
const (
	EndpointLiveApply           = "live.apply"
	EndpointLiveCreateRoom      = "live.create_room"
	EndpointLiveEditRoom        = "live.edit_room"
	EndpointLiveDeleteRoom      = "live.delete_room"
	EndpointLivePushURL         = "live.push_url"
	EndpointLiveShareCode       = "live.share_code"
	EndpointLiveSetFeed         = "live.set_feed"
	EndpointLiveSetReplay       = "live.set_replay"
	EndpointLiveSetService      = "live.set_service"
	EndpointLiveSetComment      = "live.set_comment"
	EndpointLiveAddRoomGoods    = "live.add_room_goods"
	EndpointLiveAddAssistant    = "live.add_assistant"
	EndpointLiveModifyAssistant = "live.modify_assistant"
	EndpointLiveRemoveAssistant = "live.remove_assistant"
	EndpointLiveAssistants      = "live.assistants"
	EndpointLiveAddSubanchor    = "live.add_subanchor"
	EndpointLiveModifySubanchor = "live.modify_subanchor"
	EndpointLiveDeleteSubanchor = "live.delete_subanchor"
	EndpointLiveSubanchor       = "live.subanchor"
	EndpointLiveAddGoods        = "live.add_goods"
	EndpointLiveAuditGoods      = "live.audit_goods"
	EndpointLiveResetGoodsAudit = "live.reset_goods_audit"
	EndpointLiveUpdateGoods     = "live.update_goods"
	EndpointLiveDeleteGoods     = "live.delete_goods"
	EndpointLiveApprovedGoods   = "live.approved_goods"
	EndpointLiveGoodsOnSale     = "live.goods_on_sale"
	EndpointLiveDeleteRoomGoods = "live.delete_room_goods"
	EndpointLivePushGoods       = "live.push_goods"
	EndpointLiveSortGoods       = "live.sort_goods"
	EndpointLiveGoodsVideo      = "live.goods_video"
	EndpointLiveGoodsStatus     = "live.goods_status"
	EndpointLiveAddRole         = "live.add_role"
	EndpointLiveDeleteRole      = "live.delete_role"
	EndpointLiveRoles           = "live.roles"
)

// liveEndpoints are the rows of 直播 (02 H.2).
func liveEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointLiveApply, Title: "申请开通直播", Path: "/wxa/business/applyliveinfo", Method: post, Token: authorize, Member: [2]string{"action", "apply"}, Scope: "profile.write", Set: 52},
		{Name: EndpointLiveCreateRoom, Title: "创建直播间", Path: "/wxaapi/broadcast/room/create", Method: post, Token: authorize, Scope: "profile.write", Set: 52,
			Secret: []string{"anchorWechat"}},
		{Name: EndpointLiveEditRoom, Title: "编辑直播间", Path: "/wxaapi/broadcast/room/editroom", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true,
			Secret: []string{"anchorWechat"}},
		{Name: EndpointLiveDeleteRoom, Title: "删除直播间", Path: "/wxaapi/broadcast/room/deleteroom", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLivePushURL, Title: "直播间推流地址", Path: "/wxaapi/broadcast/room/getpushurl", Method: get, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true,
			Secret: []string{"pushAddr"}},
		{Name: EndpointLiveShareCode, Title: "直播间分享二维码", Path: "/wxaapi/broadcast/room/getsharedcode", Method: get, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true},
		{Name: EndpointLiveSetFeed, Title: "设置直播间官方收录", Path: "/wxaapi/broadcast/room/updatefeedpublic", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveSetReplay, Title: "设置直播间回放", Path: "/wxaapi/broadcast/room/updatereplay", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveSetService, Title: "设置直播间客服", Path: "/wxaapi/broadcast/room/updatekf", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveSetComment, Title: "设置直播间禁言", Path: "/wxaapi/broadcast/room/updatecomment", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveAddRoomGoods, Title: "直播间导入商品", Path: "/wxaapi/broadcast/room/addgoods", Method: post, Token: authorize, Scope: "profile.write", Set: 52},
		{Name: EndpointLiveAddAssistant, Title: "添加直播间小助手", Path: "/wxaapi/broadcast/room/addassistant", Method: post, Token: authorize, Scope: "profile.write", Set: 52,
			Secret: []string{"username", "nickname"}},
		{Name: EndpointLiveModifyAssistant, Title: "修改直播间小助手", Path: "/wxaapi/broadcast/room/modifyassistant", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true,
			Secret: []string{"username", "nickname"}},
		{Name: EndpointLiveRemoveAssistant, Title: "删除直播间小助手", Path: "/wxaapi/broadcast/room/removeassistant", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true,
			Secret: []string{"username"}},
		{Name: EndpointLiveAssistants, Title: "直播间小助手列表", Path: "/wxaapi/broadcast/room/getassistantlist", Method: get, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true,
			Secret: []string{"nickname", "alias", "openid", "headimg"}},
		{Name: EndpointLiveAddSubanchor, Title: "添加主播副号", Path: "/wxaapi/broadcast/room/addsubanchor", Method: post, Token: authorize, Scope: "profile.write", Set: 52,
			Secret: []string{"username"}},
		{Name: EndpointLiveModifySubanchor, Title: "修改主播副号", Path: "/wxaapi/broadcast/room/modifysubanchor", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true,
			Secret: []string{"username"}},
		{Name: EndpointLiveDeleteSubanchor, Title: "删除主播副号", Path: "/wxaapi/broadcast/room/deletesubanchor", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveSubanchor, Title: "查询主播副号", Path: "/wxaapi/broadcast/room/getsubanchor", Method: get, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true,
			Secret: []string{"username"}},
		{Name: EndpointLiveAddGoods, Title: "添加直播商品", Path: "/wxaapi/broadcast/goods/add", Method: post, Token: authorize, Scope: "profile.write", Set: 52},
		{Name: EndpointLiveAuditGoods, Title: "提审直播商品", Path: "/wxaapi/broadcast/goods/audit", Method: post, Token: authorize, Scope: "profile.write", Set: 52},
		{Name: EndpointLiveResetGoodsAudit, Title: "撤回直播商品审核", Path: "/wxaapi/broadcast/goods/resetaudit", Method: post, Token: authorize, Scope: "profile.write", Set: 52},
		{Name: EndpointLiveUpdateGoods, Title: "更新直播商品", Path: "/wxaapi/broadcast/goods/update", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveDeleteGoods, Title: "删除直播商品", Path: "/wxaapi/broadcast/goods/delete", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveApprovedGoods, Title: "直播商品列表", Path: "/wxaapi/broadcast/goods/getapproved", Method: get, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true},
		{Name: EndpointLiveGoodsOnSale, Title: "上下架直播商品", Path: "/wxaapi/broadcast/goods/onsale", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveDeleteRoomGoods, Title: "从直播间删除商品", Path: "/wxaapi/broadcast/goods/deleteInRoom", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLivePushGoods, Title: "推送直播商品", Path: "/wxaapi/broadcast/goods/push", Method: post, Token: authorize, Scope: "profile.write", Set: 52},
		{Name: EndpointLiveSortGoods, Title: "直播商品排序", Path: "/wxaapi/broadcast/goods/sort", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true},
		{Name: EndpointLiveGoodsVideo, Title: "下载商品讲解视频", Path: "/wxaapi/broadcast/goods/getVideo", Method: post, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true},
		{Name: EndpointLiveGoodsStatus, Title: "查询直播商品状态", Path: "/wxaapi/broadcast/getgoodswarehouse", Method: post, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true},
		{Name: EndpointLiveAddRole, Title: "添加直播成员角色", Path: "/wxaapi/broadcast/role/addrole", Method: post, Token: authorize, Scope: "profile.write", Set: 52,
			Secret: []string{"username"}},
		{Name: EndpointLiveDeleteRole, Title: "删除直播成员角色", Path: "/wxaapi/broadcast/role/deleterole", Method: post, Token: authorize, Scope: "profile.write", Set: 52, SafeToRepeat: true,
			Secret: []string{"username"}},
		{Name: EndpointLiveRoles, Title: "直播成员列表", Path: "/wxaapi/broadcast/role/getrolelist", Method: get, Token: authorize, Scope: "data.read", Set: 52, ReadOnly: true,
			Secret: []string{"openid", "nickname", "username", "headingimg"}},
	}
}
