// Package account is people, spaces, members and sessions: who is asking, in which space, with which role.
// It decides permissions inside a space; what may be done on a mini program is decided in grant.
// web and admin authenticate through it; every room takes its Actor.
package account

import (
	"context"
	"strings"
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

// RoleOwner is the role of whoever opened the space.
const RoleOwner = "owner"

// Actor is a person at work in one of their spaces. The zero Actor is nobody.
type Actor struct {
	AccountID, SpaceID, MemberID, SessionID int64
	Name, Login, Space, Role                string
	SpaceKind                               Kind
}

// Nobody reports whether no one is logged in.
func (a Actor) Nobody() bool { return a.AccountID == 0 }

// Operator reports whether the actor works for the platform itself.
func (a Actor) Operator() bool { return a.SpaceKind == Platform }

// offered says which permissions a kind of space has at all; an owner has all of them. A name that ends in a dot is a family.
var offered = map[Kind][]string{
	Personal: {"miniprogram.", "authorization.", "market.install", "hosting.", "version.operate"},
	Merchant: {"component.", "miniprogram.", "authorization.", "market.", "hosting.", "version.", "trail.read"},
	Platform: {"component.read", "miniprogram.read", "event.", "job.", "plugin.", "trail.read", "market.review"},
}

// Can reports whether the actor's role in the current space includes the permission, like "component.bind".
func (a Actor) Can(permission string) bool {
	if a.Nobody() || a.Role != RoleOwner {
		return false
	}
	for _, p := range offered[a.SpaceKind] {
		if p == permission || strings.HasSuffix(p, ".") && strings.HasPrefix(permission, p) {
			return true
		}
	}
	return false
}

type actorKey struct{}

// With notes who is asking.
func With(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// From tells who is asking; false when nobody is.
func From(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok && !a.Nobody()
}
