// Package account is people, spaces, members and sessions: who is asking, in which space, with which role.
// It decides permissions inside a space; what may be done on a mini program is decided in grant.
// web and admin authenticate through it; every room takes its Actor.
package account

import (
	"context"
	"slices"
	"strings"

	"minifleet/app/trail"
)

// Cookie is the name of the one session cookie that portal and back office share.
const Cookie = "minifleet_session"

// Kind is what a space is for.
type Kind string

// The three kinds of space.
const (
	Personal Kind = "personal" // 普通用户: owns mini programs
	Merchant Kind = "merchant" // 商户: owns third-party platform apps, templates, listings
	Platform Kind = "platform" // 平台管理员
)

// Title is the word for the kind on screens.
func (k Kind) Title() string {
	switch k {
	case Personal:
		return "普通用户"
	case Merchant:
		return "商户"
	case Platform:
		return "平台管理员"
	default:
		return string(k)
	}
}

// Actor is a person at work in one of their spaces. The zero Actor is nobody.
type Actor struct {
	AccountID, SpaceID, MemberID, SessionID int64
	Name, Login, Space, Role                string
	SpaceKind                               Kind
	Permissions                             []string // what the member's role includes; nil for an owner: all that the kind of space offers
	Scopes                                  []string // what the API token at work includes; nil = not limited by one
	TokenID                                 int64    // of that API token, 0 for a session
	TokenName                               string
	MiniPrograms                            []string // AppIDs the member is limited to; nil = all of the space
	Owner                                   string   // name of the space's first owner, who can give permissions
}

// Nobody reports whether no one is logged in.
func (a Actor) Nobody() bool { return a.AccountID == 0 }

// Operator reports whether the actor works for the platform itself.
func (a Actor) Operator() bool { return a.SpaceKind == Platform }

// offered says which permissions a kind of space has at all; an owner has all of them. A name that ends in a dot is a family.
func offered(k Kind) []string {
	switch k {
	case Personal:
		return []string{"miniprogram.", "token.access", "authorization.", "market.install", "hosting.", "version.operate", "space.member", "space.member.read", "space.role", "space.webhook", "space.extension"}
	case Merchant:
		return []string{
			"component.", "event.read", "miniprogram.", "token.access", "authorization.", "market.listing", "market.install", "hosting.", "version.", "trail.read",
			"space.member", "space.member.read", "space.role", "space.application", "space.webhook", "space.extension", "space.plugin",
		}
	case Platform:
		return []string{
			"component.read", "miniprogram.read", "event.", "job.", "wechat.", "plugin.", "trail.read", "market.review",
			"space.member", "space.member.read", "space.role", "space.application", "space.webhook", "space.extension",
		}
	default:
		return nil
	}
}

// Offers reports whether a kind of space has the permission at all.
func (k Kind) Offers(permission string) bool {
	return includes(offered(k), permission) || len(offered(k)) > 0 && Extension(permission)
}

// includes looks for the permission itself or its family, a name that ends in a dot.
func includes(list []string, permission string) bool {
	for _, p := range list {
		if p == permission || strings.HasSuffix(p, ".") && strings.HasPrefix(permission, p) {
			return true
		}
	}
	return false
}

// Can reports whether the actor may use the permission, like "component.bind": their kind of space offers it, their role
// includes it, and so does the API token they came with.
func (a Actor) Can(permission string) bool {
	if a.Nobody() {
		return false
	}
	if !includes(offered(a.SpaceKind), permission) { // not the house's own; Offers knows extensions'
		return a.SpaceKind.Offers(permission) && a.mayExtension(permission) && (a.Scopes == nil || slices.Contains(a.Scopes, permission))
	}
	if a.Permissions == nil && a.Role != RoleOwner || a.Permissions != nil && !includes(a.Permissions, permission) {
		return false
	}
	return a.Scopes == nil || includes(a.Scopes, permission)
}

// May is Can for one mini program: a member who is limited to certain ones has no permission on another.
func (a Actor) May(permission, appid string) bool { return a.Can(permission) && a.Reaches(appid) }

// Reaches reports whether the actor's membership includes the mini program; whether their space has a right on it is
// decided in grant.
func (a Actor) Reaches(appid string) bool {
	return a.MiniPrograms == nil || slices.Contains(a.MiniPrograms, appid)
}

type actorKey struct{}

// With notes who is asking, and for the operation log the API token they came with.
func With(ctx context.Context, a Actor) context.Context {
	if a.TokenID != 0 {
		ctx = trail.WithVia(ctx, trail.Via{Kind: trail.ViaToken, ID: a.TokenID, Name: a.TokenName})
	}
	return context.WithValue(ctx, actorKey{}, a)
}

// From tells who is asking; false when nobody is.
func From(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok && !a.Nobody()
}
