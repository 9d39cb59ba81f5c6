package miniprogram

import "strconv"

// SetName is the Chinese name of a permission set of mini programs (01 D.9).
func SetName(id int) string {
	switch id {
	case 17:
		return "获取小程序码"
	case 18:
		return "开发管理与数据分析"
	case 19:
		return "客服管理"
	case 25:
		return "开放平台账号管理"
	case 30:
		return "基本信息管理"
	case 31:
		return "认证名称检测"
	case 37:
		return "附近的小程序"
	case 40:
		return "插件管理"
	case 45:
		return "物流服务"
	case 49:
		return "云开发管理"
	case 51:
		return "即时配送"
	case 52:
		return "直播管理"
	case 57:
		return "页面推送"
	case 65:
		return "广告管理"
	case 76:
		return "违规与交易投诉管理"
	case 81:
		return "试用小程序快速认证"
	case 88:
		return "小程序链接管理"
	case 119:
		return "支付管理服务"
	case 142:
		return "发货管理服务"
	case 151:
		return "交易保障"
	case 156:
		return "备案服务"
	default:
		return "权限集 " + strconv.Itoa(id)
	}
}

// NeededSets are the permission sets without which this product's main job cannot be done.
func NeededSets() []int { return []int{18, 30} }
