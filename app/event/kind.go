package event

import "strings"

// Kind is a type of event with its words on the screens.
type Kind struct {
	Type  string `json:"type"` // exact, or a prefix followed by '*'
	Group string `json:"group"`
	Title string `json:"title"`
}

// Groups of kinds, in the order of the screens.
const (
	groupAuthorization = "授权"
	groupRegistration  = "注册与认证"
	groupVersion       = "代码审核"
	groupAccount       = "账号信息审核"
	groupRisk          = "违规与限制"
	groupTrade         = "交易与物流"
	groupMessage       = "用户消息"
	groupHouse         = "平台内部"
)

// PushKinds lists the pushes of WeChat's that are known by name (01 B and C, 02), in the order of the screens. Others are
// stored and delivered like them, under their own type.
func PushKinds() []Kind {
	return []Kind{
		{"component_verify_ticket", groupAuthorization, "票据推送"},
		{"authorized", groupAuthorization, "授权成功"},
		{"updateauthorized", groupAuthorization, "更新授权"},
		{"unauthorized", groupAuthorization, "取消授权"},
		{"release_check.*", groupAuthorization, "全网发布检测"},

		{"notify_third_fasteregister", groupRegistration, "快速注册结果"},
		{"notify_third_fastregisterbetaapp", groupRegistration, "试用小程序创建结果"},
		{"notify_third_fastverifybetaapp", groupRegistration, "试用小程序转正结果"},
		{"notify_3rd_wxa_auth", groupRegistration, "微信认证进度"},
		{"notify_3rd_wxa_wxverify", groupRegistration, "微信认证到期提醒"},
		{"notify_3rd_wxa_auth_and_icp", groupRegistration, "认证及备案进度"},
		{"notify_icpfiling_verify_result", groupRegistration, "备案人脸核验结果"},
		{"notify_apply_icpfiling_result", groupRegistration, "备案审核结果"},
		{"betaapp_authorization_apply_event", groupRegistration, "复用公众号资质申请"},
		{"betaapp_verify_event", groupRegistration, "复用公众号资质转正"},
		{"betaapp_verify_apply_event", groupRegistration, "复用公众号资质转正申请"},
		{"wx_verify_pay_succ", groupRegistration, "认证支付成功"},
		{"wx_verify_dispatch", groupRegistration, "认证派单"},
		{"qualification_verify_success", groupRegistration, "资质认证成功"},
		{"qualification_verify_fail", groupRegistration, "资质认证失败"},
		{"naming_verify_success", groupRegistration, "名称认证成功"},
		{"naming_verify_fail", groupRegistration, "名称认证失败"},
		{"annual_renew", groupRegistration, "年审通知"},
		{"verify_expired", groupRegistration, "认证过期"},

		{"weapp_audit_success", groupVersion, "代码审核通过"},
		{"weapp_audit_fail", groupVersion, "代码审核驳回"},
		{"weapp_audit_delay", groupVersion, "代码审核延后"},

		{"wxa_nickname_audit", groupAccount, "名称审核结果"},
		{"wxa_category_audit", groupAccount, "类目审核结果"},
		{"wxa_privacy_apply", groupAccount, "隐私接口审核结果"},
		{"order_path_apply_result_notify", groupAccount, "订单中心路径申请结果"},
		{"order_path_audit_result_notify", groupAccount, "订单中心路径审核结果"},
		{"add_nearby_poi_audit_info", groupAccount, "附近地点审核结果"},
		{"create_map_poi_audit_info", groupAccount, "创建地点审核结果"},
		{"nearby_category_audit_info", groupAccount, "附近类目审核结果"},

		{"wxa_illegal_record", groupRisk, "小程序违规"},
		{"wxa_appeal_record", groupRisk, "申诉结果"},
		{"wxa_media_check", groupRisk, "内容安全检测结果"},

		{"trade_manage_remind_access_api", groupTrade, "提醒接入发货信息管理"},
		{"trade_manage_remind_shipping", groupTrade, "提醒发货"},
		{"trade_manage_order_settlement", groupTrade, "订单结算"},
		{"add_express_path", groupTrade, "运单轨迹更新"},

		{"subscribe_msg_popup_event", groupMessage, "订阅消息弹窗"},
		{"subscribe_msg_change_event", groupMessage, "订阅消息设置变更"},
		{"subscribe_msg_sent_event", groupMessage, "订阅消息发送结果"},
		{"user_enter_tempsession", groupMessage, "用户进入客服会话"},
		{"user_authorization_revoke", groupMessage, "用户撤回授权"},
		{"user_info_modified", groupMessage, "用户资料变更"},
		{"debug_demo", groupMessage, "消息调试"},
		{"subscribe", groupMessage, "关注"},
		{"unsubscribe", groupMessage, "取消关注"},
		{"message.text", groupMessage, "文本消息"},
		{"message.image", groupMessage, "图片消息"},
		{"message.miniprogrampage", groupMessage, "小程序卡片消息"},
		{"message.*", groupMessage, "用户消息"},
	}
}

// houseKinds are the events of our own rooms and plugins.
func houseKinds() []Kind {
	return []Kind{
		{"miniprogram.authorized", groupHouse, "小程序已授权"},
		{"miniprogram.unauthorized", groupHouse, "小程序已取消授权"},
		{"miniprogram.status_changed", groupHouse, "小程序账号状态变化"},
		{"version.quota_low", groupHouse, "提审额度不足"},
		{"market.installation.*", groupHouse, "模板安装"},
		{"market.*", groupHouse, "应用市场"},
		{"version.*", groupHouse, "版本管理"},
		{"hosting.*", groupHouse, "托管"},
	}
}

// TitleOf is the words for a type, the type itself when there are none.
func TitleOf(typ string) string {
	for _, list := range [][]Kind{PushKinds(), houseKinds()} {
		for _, k := range list {
			if matches([]string{k.Type}, typ) {
				return k.Title
			}
		}
	}
	return typ
}

// ForwardableKinds are the pushes that may be told to somebody else's address: all but the ticket, which is a credential
// of the whole platform app, and what only concerns WeChat's own test accounts.
func ForwardableKinds() []Kind {
	var out []Kind
	for _, k := range PushKinds() {
		if k.Type != "component_verify_ticket" && !strings.HasPrefix(k.Type, "release_check.") {
			out = append(out, k)
		}
	}
	return out
}

// SubscriberTitle is who a subscriber is, on the screens.
func SubscriberTitle(name string) string {
	switch name {
	case "component.tickets":
		return "保存票据"
	case "component.release_checks":
		return "全网发布检测"
	case "miniprogram.authorizations":
		return "处理授权变化"
	case "miniprogram.profiles":
		return "同步小程序资料"
	case "notice.happenings":
		return "发送消息通知"
	}
	if _, ok := strings.CutPrefix(name, "forward:"); ok {
		return "消息转发"
	}
	if id, ok := strings.CutPrefix(name, "plugin:"); ok {
		return "插件 " + id
	}
	return name
}
