package market

import (
	"slices"
	"strconv"
)

// PermissionSet is a permission set of WeChat with the reason why an installation needs it.
type PermissionSet struct {
	ID   int
	Name string
	Why  string
}

// setCode and setBasic are the sets without which nothing can be installed.
const (
	setCode  = 18
	setBasic = 30
)

// neededSets are a template's own sets and the two that every installation needs, in order and once each.
func neededSets(own []int) []int {
	sets := append([]int{setCode, setBasic}, own...)
	slices.Sort(sets)
	return slices.Compact(sets)
}

func permissionSets(ids []int) []PermissionSet {
	sets := make([]PermissionSet, len(ids))
	for i, id := range ids {
		sets[i] = permissionSet(id)
	}
	return sets
}

// permissionSet names a set in WeChat's words (component and authorisation, section D.9).
func permissionSet(id int) PermissionSet {
	set := PermissionSet{ID: id, Name: "权限集 " + strconv.Itoa(id), Why: "模板的功能需要"}
	switch id {
	case 17:
		set.Name, set.Why = "获取小程序码", "生成带参数的小程序码"
	case setCode:
		set.Name, set.Why = "开发管理与数据分析", "上传代码、生成体验版，并在你确认后提审和发布"
	case 19:
		set.Name, set.Why = "客服管理", "收发客服消息"
	case 25:
		set.Name, set.Why = "开放平台账号管理", "绑定开放平台账号"
	case setBasic:
		set.Name, set.Why = "基本信息管理", "读取名称、主体和类目，检查是否可以安装"
	case 40:
		set.Name, set.Why = "插件管理", "添加模板用到的小程序插件"
	case 45:
		set.Name, set.Why = "物流服务", "查询和生成物流单"
	case 49:
		set.Name, set.Why = "云开发管理", "部署模板的云函数和数据库"
	case 51:
		set.Name, set.Why = "即时配送", "呼叫同城配送"
	case 52:
		set.Name, set.Why = "直播管理", "管理直播间和商品"
	case 65:
		set.Name, set.Why = "广告管理", "管理广告位"
	case 119:
		set.Name, set.Why = "支付管理服务", "开通和管理支付"
	case 142:
		set.Name, set.Why = "发货管理服务", "上报发货信息"
	}
	return set
}
