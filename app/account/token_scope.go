package account

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"minifleet/app/fault"
)

// Scope is something that a token may be allowed, with its words on a screen. A name that ends in a dot is a family of
// permissions.
type Scope struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Note  string `json:"note"`
}

// never are permissions that no token may carry: with them it could make members, roles or tokens of its own.
func never(permission string) bool { return strings.HasPrefix(permission, "space.") }

// scopeCatalogue lists every scope there is, in the order of a screen.
func scopeCatalogue() []Scope {
	return []Scope{
		{"component.read", "查看第三方平台", "列表、健康状况和地址"},
		{"component.", "管理第三方平台", "包括绑定、自检和请求推送票据"},
		{"miniprogram.read", "查看小程序", "资料、授权状态和谁能操作"},
		{"miniprogram.", "管理小程序", "包括同步资料"},
		{"authorization.", "发起与取消授权", "得到授权页地址，查看进度"},
		{"market.install", "安装模板", "在应用市场里安装"},
		{"market.listing", "上架和下架模板", ""},
		{"market.review", "审核上架", ""},
		{"version.template", "管理草稿与模板", "草稿箱、模板库"},
		{"version.operate", "管理小程序版本", "上传、提审、发布、灰度、回退"},
		{"hosting.", "托管", "查看和撤销谁能操作"},
		{"event.read", "查看事件日志", ""},
		{"event.", "处理事件", "包括重放"},
		{"job.read", "查看定时任务", ""},
		{"job.", "运行定时任务", "包括立即执行"},
		{"plugin.read", "查看插件", ""},
		{"plugin.", "管理插件", "包括重启"},
		{"trail.read", "查看操作日志", ""},
	}
}

// OfferedScopes are the scopes that the actor may put on a token: what their kind of space has and their role includes.
func (a Actor) OfferedScopes() []Scope {
	return slices.DeleteFunc(scopeCatalogue(), func(s Scope) bool { return never(s.Name) || !a.holds(s.Name) })
}

// holds is Can that also knows a family: one is held when something of it is.
func (a Actor) holds(scope string) bool {
	if !strings.HasSuffix(scope, ".") {
		return a.Can(scope)
	}
	held := a.Permissions
	if held == nil && a.Role == RoleOwner {
		held = offered(a.SpaceKind)
	}
	return slices.ContainsFunc(held, func(p string) bool { return strings.HasPrefix(p, scope) && a.SpaceKind.Offers(p) })
}

// check refuses what cannot be a token, on the field at fault, and puts the scopes into the order of the screen.
func (in *TokenRequest) check(who Actor) error {
	bad := fault.InvalidInput()
	in.Name = strings.TrimSpace(in.Name)
	if n := utf8.RuneCountInString(in.Name); n < 1 || n > 40 || strings.ContainsFunc(in.Name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		bad.On("name", "请填写名称（1 到 40 个字），例如 CI 流水线")
	}
	if !slices.Contains(TokenDays(), in.Days) {
		bad.On("days", "有效期应为 7、30、90、365 天，或 0（不过期）")
	}
	var scopes []string
	offered := who.OfferedScopes()
	for _, s := range offered {
		if slices.Contains(in.Scopes, s.Name) {
			scopes = append(scopes, s.Name)
		}
	}
	for _, name := range in.Scopes {
		if !slices.ContainsFunc(offered, func(s Scope) bool { return s.Name == name }) {
			bad.On("scopes", "你在这个空间里没有权限 "+strconv.Quote(name))
		}
	}
	if len(in.Scopes) == 0 {
		bad.On("scopes", "请至少选择一项权限")
	}
	in.Scopes = scopes
	return bad.OrNil()
}
