package grant_test

import (
	"errors"
	"testing"

	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store/storetest"
)

// CheckOwned spares the owner a question and nobody else: it says what Check says, also for scopes that there are not and for
// callers who are nobody.
func TestCheckOwnedSaysWhatCheckSays(t *testing.T) {
	w := authtest.New(t, storetest.Open(t))
	if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
		t.Fatal(err)
	}
	w.Deliver("authorized")
	s, ctx := grant.New(w.DB, w.Clock, w.Trail, w.Apps), t.Context()
	if _, err := s.Create(ctx, authtest.User(1), grant.Request{AppID: authtest.ShopID, SpaceID: authtest.Merchant().SpaceID, Scopes: []string{"code.trial"}, Source: "x", SourceKey: "x"}); err != nil {
		t.Fatal(err)
	}
	for _, appid := range []string{authtest.ShopID, authtest.CafeID} {
		owner := int64(0)
		if ways, err := w.Apps.Ways(ctx, appid); err == nil {
			owner = ways.OwnerSpaceID
		} else if fault.KindOf(err) != fault.NotFound {
			t.Fatal(err)
		}
		for _, space := range []int64{0, -1, authtest.User(1).SpaceID, authtest.User(2).SpaceID, authtest.Merchant().SpaceID} {
			for _, scope := range []string{grant.DataRead, "code.trial", "code.release", "no.such.scope", ""} {
				a, b := s.Check(ctx, space, appid, scope), s.CheckOwned(ctx, owner, space, appid, scope)
				if (a == nil) != (b == nil) || a != nil && fault.From(a).Code != fault.From(b).Code {
					t.Errorf("%s, space %d, %q: Check %v, CheckOwned %v", appid, space, scope, a, b)
				}
			}
		}
	}
	if _, err := w.Apps.Ways(ctx, "wxnobody"); !errors.Is(err, miniprogram.ErrNotFound()) {
		t.Errorf("%v", err)
	}
}
