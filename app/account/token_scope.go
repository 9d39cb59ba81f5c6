package account

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"minifleet/app/fault"
)

// never are permissions that no token may carry: with them it could make members, roles or secrets of its own, or have
// programs run.
func never(permission string) bool {
	return strings.HasPrefix(permission, "space.") || permission == "plugin.approve"
}

// What a person does for themselves under any role. Only a token needs leave for it.
const (
	OwnNotices   = "own.notice"
	OwnTransfers = "own.transfer"
)

// ownScopes are the words for it, in the order of the screen.
func ownScopes() []Permission {
	return []Permission{{OwnNotices, "读取我的消息", "我自己"}, {OwnTransfers, "导出和导入列表", "我自己"}}
}

// MayOwn reports whether the actor may use one of the own scopes: everybody who is logged in, a token that carries it.
func (a Actor) MayOwn(scope string) bool {
	return !a.Nobody() && strings.HasPrefix(scope, "own.") && (a.Scopes == nil || slices.Contains(a.Scopes, scope))
}

// OfferedScopes are the permissions that the actor may put on a token: those of their own but the space's own affairs.
func (a Actor) OfferedScopes() []Permission {
	return append(slices.DeleteFunc(Permissions(a.SpaceKind), func(p Permission) bool { return never(p.Name) || !a.Can(p.Name) }), ownScopes()...)
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
	for _, p := range offered {
		if slices.Contains(in.Scopes, p.Name) {
			scopes = append(scopes, p.Name)
		}
	}
	for _, name := range in.Scopes {
		if Extension(name) && who.Can(name) && !slices.Contains(scopes, name) {
			scopes = append(scopes, name)
		}
		if !slices.Contains(scopes, name) && !slices.ContainsFunc(offered, func(p Permission) bool { return p.Name == name }) {
			bad.On("scopes", "不能写进令牌的权限："+strconv.Quote(name))
		}
	}
	if len(in.Scopes) == 0 {
		bad.On("scopes", "请至少选择一项权限")
	}
	in.Scopes = scopes
	return bad.OrNil()
}
