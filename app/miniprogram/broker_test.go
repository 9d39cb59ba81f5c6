package miniprogram_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store/storetest"
)

func TestOnlyTheOwnersTokenGetsAnAccessToken(t *testing.T) {
	db := storetest.Open(t)
	w := authtest.New(t, db)
	ctx := t.Context()
	settles(t, w, []string{"return", "push"})
	owner := authtest.User(1)
	byToken := func(who account.Actor, scopes ...string) account.Actor {
		who.Scopes, who.TokenID = scopes, 5
		return who
	}
	limited := byToken(owner, miniprogram.PermissionToken)
	limited.MiniPrograms = []string{"wxffffffffffffffff"}
	for name, c := range map[string]struct {
		who  account.Actor
		want fault.Kind
	}{
		"a login":                   {owner, fault.Forbidden},
		"a token without the scope": {byToken(owner, "miniprogram.read"), fault.Forbidden},
		"another owner":             {byToken(authtest.User(2), miniprogram.PermissionToken), fault.NotFound},
		"the merchant it goes through, who does not own it": {byToken(authtest.Merchant(), miniprogram.PermissionToken), fault.NotFound},
		"a member limited to others":                        {limited, fault.NotFound},
		"an operator":                                       {byToken(account.Actor{AccountID: 9, SpaceID: 99, Role: account.RoleOwner, SpaceKind: account.Platform}, miniprogram.PermissionToken), fault.NotFound},
	} {
		if got, err := w.Apps.HandOut(ctx, c.who, "", authtest.ShopID); fault.KindOf(err) != c.want || got.AccessToken != "" {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	count := func(outcome string) int64 {
		n, err := db.Int(ctx, "SELECT COUNT(*) FROM trail WHERE act='miniprogram.token' AND outcome=?", outcome)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := count("ok"); n != 0 {
		t.Errorf("%d entries of refusals", n)
	}
	got, err := w.Apps.HandOut(ctx, byToken(owner, miniprogram.PermissionToken), "", authtest.ShopID)
	if err != nil || got.AccessToken == "" || got.ExpiresIn < 60 || got.ExpiresIn > int64((100*time.Minute)/time.Second) {
		t.Fatalf("%+v %v", got, err)
	}
	raw, err := json.Marshal(got)
	if err != nil || strings.Contains(strings.ToLower(string(raw)), "refresh") {
		t.Errorf("%s %v", raw, err)
	}
	if n := count("ok"); n != 1 {
		t.Errorf("%d entries", n)
	}
	// After the authorisation has ended there is none.
	if err := w.Apps.OnUnauthorized(ctx, authtest.PlatformID, authtest.ShopID, time.Now().Add(24*time.Hour).Unix()); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Apps.HandOut(ctx, byToken(owner, miniprogram.PermissionToken), "", authtest.ShopID); err == nil {
		t.Errorf("after unauthorized: %+v", got)
	}
	if n := count("failed"); n != 1 {
		t.Errorf("%d failed entries", n)
	}
}
