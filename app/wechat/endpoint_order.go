package wechat

// Endpoint names of shipping information and order pages (02 I.2, I.3).
const (
	EndpointOrderManaged            = "order.managed"
	EndpointOrderConfirmed          = "order.confirmed"
	EndpointOrderShip               = "order.ship"
	EndpointOrderShipCombined       = "order.ship_combined"
	EndpointOrderGet                = "order.get"
	EndpointOrderList               = "order.list"
	EndpointOrderConfirmReceive     = "order.confirm_receive"
	EndpointOrderMessagePath        = "order.message_path"
	EndpointOrderSpecial            = "order.special"
	EndpointOrderSetDetailPath      = "order.set_detail_path"
	EndpointOrderDetailPath         = "order.detail_path"
	EndpointOrderApplyPath          = "order.apply_path"
	EndpointOrderPath               = "order.path"
	EndpointOrderLegacyUpload       = "order.legacy_upload"
	EndpointOrderLegacyShip         = "order.legacy_ship"
	EndpointOrderLegacyCombined     = "order.legacy_combined"
	EndpointOrderLegacyCombinedShip = "order.legacy_combined_ship"
	EndpointOrderLegacyVerify       = "order.legacy_verify"
	EndpointOrderLegacyOpen         = "order.legacy_open"
	EndpointOrderLegacyConfirm      = "order.legacy_confirm"
)

// orderEndpoints are the rows of shipping information and order pages (02 I.2, I.3).
func orderEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointOrderManaged, Title: "是否开通发货信息管理", Path: "/wxa/sec/order/is_trade_managed", Method: post, Token: authorize, Scope: "data.read", Set: 142, ReadOnly: true},
		{Name: EndpointOrderConfirmed, Title: "是否完成交易结算管理确认", Path: "/wxa/sec/order/is_trade_management_confirmation_completed", Method: post, Token: authorize, Scope: "data.read", Set: 142, ReadOnly: true},
		{Name: EndpointOrderShip, Title: "录入发货信息", Path: "/wxa/sec/order/upload_shipping_info", Method: post, Token: authorize, Scope: "profile.write", Set: 142,
			Secret: []string{"openid", "consignor_contact", "receiver_contact", "tracking_no"}},
		{Name: EndpointOrderShipCombined, Title: "录入合单发货信息", Path: "/wxa/sec/order/upload_combined_shipping_info", Method: post, Token: authorize, Scope: "profile.write", Set: 142,
			Secret: []string{"openid", "consignor_contact", "receiver_contact", "tracking_no"}},
		{Name: EndpointOrderGet, Title: "查询订单发货状态", Path: "/wxa/sec/order/get_order", Method: post, Token: authorize, Scope: "data.read", Set: 142, ReadOnly: true,
			Secret: []string{"openid", "tracking_no"}},
		{Name: EndpointOrderList, Title: "查询订单列表", Path: "/wxa/sec/order/get_order_list", Method: post, Token: authorize, Scope: "data.read", Set: 142, ReadOnly: true,
			Secret: []string{"openid", "tracking_no"}},
		{Name: EndpointOrderConfirmReceive, Title: "提醒确认收货", Path: "/wxa/sec/order/notify_confirm_receive", Method: post, Token: authorize, Scope: "profile.write", Set: 142},
		{Name: EndpointOrderMessagePath, Title: "设置发货消息跳转路径", Path: "/wxa/sec/order/set_msg_jump_path", Method: post, Token: authorize, Scope: "profile.write", Set: 142, SafeToRepeat: true},
		{Name: EndpointOrderSpecial, Title: "特殊发货报备", Path: "/wxa/sec/order/opspecialorder", Method: post, Token: authorize, Scope: "profile.write", Set: 142},
		{Name: EndpointOrderSetDetailPath, Title: "设置订单详情路径", Path: "/wxa/sec/order/update_order_detail_path", Method: post, Token: authorize, Scope: "profile.write", Set: 182, SafeToRepeat: true},
		{Name: EndpointOrderDetailPath, Title: "查询订单详情路径", Path: "/wxa/sec/order/get_order_detail_path", Method: post, Token: authorize, Scope: "data.read", Set: 182, ReadOnly: true, EmptyBody: true},
		{Name: EndpointOrderApplyPath, Title: "申请购物订单路径", Path: "/wxa/security/applysetorderpathinfo", Method: post, Token: component,
			Secret: []string{"test_account", "test_pwd"}},
		{Name: EndpointOrderPath, Title: "查询购物订单路径", Path: "/wxa/security/getorderpathinfo", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true,
			Secret: []string{"test_account", "test_pwd"}},
		{Name: EndpointOrderLegacyUpload, Title: "上传购物订单", Path: "/user-order/orders", Method: post, Token: authorize, Scope: "profile.write", Set: 120,
			Secret: []string{"openid"}},
		{Name: EndpointOrderLegacyShip, Title: "上传购物订单物流", Path: "/user-order/orders/shippings", Method: post, Token: authorize, Scope: "profile.write", Set: 120,
			Secret: []string{"consignor_contact", "receiver_contact", "tracking_no"}},
		{Name: EndpointOrderLegacyCombined, Title: "上传合单购物订单", Path: "/user-order/combine-orders", Method: post, Token: authorize, Scope: "profile.write", Set: 120},
		{Name: EndpointOrderLegacyCombinedShip, Title: "上传合单购物订单物流", Path: "/user-order/combine-orders/shippings", Method: post, Token: authorize, Scope: "profile.write", Set: 120,
			Secret: []string{"consignor_contact", "receiver_contact", "tracking_no"}},
		{Name: EndpointOrderLegacyVerify, Title: "验证购物订单上传结果", Path: "/user-order/shoppinginfo/verify", Method: post, Token: authorize, Scope: "data.read", Set: 120, ReadOnly: true,
			Secret: []string{"openid"}},
		{Name: EndpointOrderLegacyOpen, Title: "开通购物订单权限", Path: "/user-order/orders-permission/open", Method: post, Token: authorize, Scope: "profile.write", Set: 120, EmptyBody: true},
		{Name: EndpointOrderLegacyConfirm, Title: "提交购物订单权限审核", Path: "/user-order/orders-permission/confirm", Method: post, Token: authorize, Scope: "profile.write", Set: 120, EmptyBody: true},
	}
}
