package web

import (
	"net/http"
	"reflect"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// anyToken in a call's needs tag opens the call to every API token.
const anyToken = "*"

// needs is what a call asks of an API token and of a member with a narrowed role: a permission, anyToken, or "" for a call
// that tokens may not make at all. It stands in the tag of the input's g.Meta, so that the check and the OpenAPI document
// cannot differ, and a call that forgets it is closed to tokens.
func needs(in reflect.Type) string {
	meta, _ := in.FieldByName("Meta")
	return meta.Tag.Get("needs")
}

var errTokenHere = fault.New(fault.Forbidden, "token_not_allowed", "API 令牌不能用于这个接口，请登录后操作")

// permit decides before a call whether this token or role is for it. Whether the object is the actor's is decided in the
// rooms; a permission that the kind of space does not have at all is answered there too, in words that fit.
func permit(in reflect.Type, who account.Actor) error {
	want := needs(in)
	switch {
	case who.Nobody() || want == anyToken:
		return nil
	case want == "" && who.ByToken():
		return errTokenHere
	case want == "" || who.Can(want) || who.MayOwn(want):
		return nil
	case who.ByToken():
		return fault.Newf(fault.Forbidden, "token_scope", "这个令牌没有权限 %s，请换一个令牌", want)
	default:
		return account.Narrowed(who, want)
	}
}

// unrepeatable is the input of a call whose answer holds a secret: it is never kept for repetition.
type unrepeatable interface{ unrepeatable() }

// tokenOf is the API token that came with the request, "" when there is none. It comes in the Authorization header only:
// a browser never sends that on its own.
func tokenOf(r *http.Request) string {
	if t := bearer(r); strings.HasPrefix(t, account.TokenPrefix) {
		return t
	}
	return ""
}
