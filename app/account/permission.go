package account

import (
	"cmp"
	"slices"
	"strings"

	"minifleet/app/fault"
)

// Permission is one right that a role may include, with its words on the screens.
type Permission struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Area  string `json:"area"`
}

// catalogue lists every permission that is checked anywhere, in the order of the screens. A test compares it with the code.
func catalogue() []Permission {
	return []Permission{
		{"component.read", "查看第三方平台", "第三方平台"},
		{"component.bind", "绑定第三方平台", "第三方平台"},
		{"component.check", "自检第三方平台", "第三方平台"},
		{"component.push", "重新推送票据", "第三方平台"},
		{"component.forward", "管理消息转发", "第三方平台"},
		{"miniprogram.read", "查看小程序", "小程序"},
		{"miniprogram.sync", "同步小程序资料", "小程序"},
		{"token.access", "读取小程序 access_token", "小程序"},
		{"authorization.read", "查看授权进度", "小程序"},
		{"authorization.create", "发起和取消授权", "小程序"},
		{"hosting.grant", "授权他人操作小程序", "小程序"},
		{"hosting.revoke", "撤销他人的操作权", "小程序"},
		{"version.template", "管理草稿与模板", "版本与模板"},
		{"version.operate", "管理小程序版本", "版本与模板"},
		{"market.install", "安装模板", "应用市场"},
		{"market.listing", "上架和下架模板", "应用市场"},
		{"market.review", "审核模板上架", "应用市场"},
		{"event.read", "查看事件日志", "平台运行"},
		{"event.replay", "重放事件", "平台运行"},
		{"job.read", "查看定时任务", "平台运行"},
		{"job.run", "执行定时任务", "平台运行"},
		{"wechat.settle", "核对结果未知的微信请求", "平台运行"},
		{"plugin.read", "查看插件", "平台运行"},
		{"plugin.restart", "重启插件", "平台运行"},
		{"plugin.offer", "设置扩展的可用范围", "平台运行"},
		{"plugin.approve", "安装和审批插件", "平台运行"},
		{"space.application", "商户入驻资料", "空间与成员"},
		{"space.member.read", "查看成员和角色", "空间与成员"},
		{"space.member", "邀请和管理成员", "空间与成员"},
		{"space.role", "管理自定义角色", "空间与成员"},
		{"space.webhook", "管理 Webhook", "空间与成员"},
		{"space.extension", "开启扩展和填写设置", "空间与成员"},
		{"space.plugin", "提交插件", "空间与成员"},
		{"trail.read", "查看操作日志", "空间与成员"},
	}
}

// Permissions lists what roles in a kind of space may include, in the order of the screens.
func Permissions(kind Kind) []Permission {
	return slices.DeleteFunc(catalogue(), func(p Permission) bool { return !kind.Offers(p.Name) })
}

// PermissionTitle gives the words for a permission, its name when there are none.
func PermissionTitle(name string) string {
	for _, p := range append(catalogue(), ownScopes()...) {
		if p.Name == name {
			return p.Title
		}
	}
	return name
}

// Names lists what the actor may do in their space, by name.
func (a Actor) Names() []string {
	var out []string
	for _, p := range Permissions(a.SpaceKind) {
		if a.Can(p.Name) {
			out = append(out, p.Name)
		}
	}
	return out
}

// Require is nil when the actor may use the permission, and otherwise says what is missing and who can give it.
func Require(who Actor, permission string) error { return RequireTitled(who, permission, "") }

// RequireTitled is Require for a permission that may have a title of somebody else's, as those of extensions have; "" is the
// house's own.
func RequireTitled(who Actor, permission, title string) error {
	switch {
	case who.Can(permission):
		return nil
	case who.Nobody():
		return errSession
	case !who.SpaceKind.Offers(permission):
		return fault.New(fault.Forbidden, "wrong_space", "当前身份（"+who.SpaceKind.Title()+"）不能使用这个功能，请切换身份后重试")
	}
	return fault.New(fault.Forbidden, "permission_missing", "你的角色没有「"+cmp.Or(title, PermissionTitle(permission))+"」权限，请联系"+who.givers()+"开通")
}

// Narrowed is Require for an act that is open to every kind of space which has the permission at all, and judged by the room
// itself for the others: it refuses a member whose role leaves it out.
func Narrowed(who Actor, permission string) error {
	if !who.SpaceKind.Offers(permission) {
		return nil
	}
	return Require(who, permission)
}

// givers names who can change the actor's role.
func (a Actor) givers() string {
	if a.Owner == "" {
		return "空间的所有者或管理员"
	}
	return "所有者“" + a.Owner + "”或空间管理员"
}

// Roles that every space has. RoleCustom stands for a role of the space's own making.
const (
	RoleOwner     = "owner"
	RoleAdmin     = "admin"
	RoleOperation = "operation"
	RoleDeveloper = "developer"
	RoleFinance   = "finance"
	RoleReadOnly  = "readonly"
	RoleCustom    = "custom"
)

// Role is a set of permissions that members have. ID is 0 for one that every space has.
type Role struct {
	ID          int64    `json:"id,string"`
	Key         string   `json:"key"` // owner, admin, operation, developer, finance, readonly or custom
	Title       string   `json:"title"`
	Note        string   `json:"note,omitempty"`
	Permissions []string `json:"permissions"`
	Members     int64    `json:"members"`
	Version     int64    `json:"version,string,omitempty"` // of a custom role, for saving it again
}

// RoleTitle gives the word for a built-in role.
func RoleTitle(key string) string {
	switch key {
	case RoleOwner:
		return "所有者"
	case RoleAdmin:
		return "管理员"
	case RoleOperation:
		return "运营"
	case RoleDeveloper:
		return "开发"
	case RoleFinance:
		return "财务"
	case RoleReadOnly:
		return "只读"
	case RoleCustom:
		return "自定义角色"
	default:
		return key
	}
}

// BuiltinRoles lists the roles that every space of the kind has, the owner's first.
func BuiltinRoles(kind Kind) []Role {
	notes := map[string]string{
		RoleOwner: "拥有全部权限，可转让空间", RoleAdmin: "除转让空间外的全部权限", RoleOperation: "日常运营：小程序、安装、版本与上架",
		RoleDeveloper: "第三方平台、模板与版本", RoleFinance: "查看，以及订单与结算", RoleReadOnly: "只能查看",
	}
	var out []Role
	for _, key := range []string{RoleOwner, RoleAdmin, RoleOperation, RoleDeveloper, RoleFinance, RoleReadOnly} {
		out = append(out, Role{Key: key, Title: RoleTitle(key), Note: notes[key], Permissions: builtinPermissions(key, kind)})
	}
	return out
}

// builtinPermissions lists what a built-in role includes in a kind of space; never nil, nothing for an unknown role.
func builtinPermissions(key string, kind Kind) []string {
	out := []string{}
	for _, p := range Permissions(kind) {
		if builtinIncludes(key, p.Name) {
			out = append(out, p.Name)
		}
	}
	return out
}

func builtinIncludes(key, permission string) bool {
	reads := strings.HasSuffix(permission, ".read")
	switch key {
	case RoleOwner, RoleAdmin:
		return true
	case RoleOperation:
		return reads || includes([]string{"miniprogram.", "authorization.", "hosting.", "market.", "version.operate", "event.replay", "space.application"}, permission) || Extension(permission)
	case RoleDeveloper:
		return reads || includes([]string{"component.", "miniprogram.", "authorization.", "version.", "event.", "job.", "plugin.restart", "space.webhook"}, permission)
	case RoleFinance, RoleReadOnly:
		return reads
	default:
		return false
	}
}
