package account_test

import (
	"testing"

	"minifleet/app/account"
)

func TestPermissionsOfExtensions(t *testing.T) {
	for name, want := range map[string]bool{
		"coupon.coupons": true, "coupon.coupons.read": true, "a1.b_c": true,
		"component.bind": false, "component.anything": false, "space.role": false, "own.notice": false, "coupon": false, "coupon.": false, ".x": false, "Coupon.x": false, "x.y": false, "coupon.x y": false, "version.more": false,
	} {
		if account.Extension(name) != want {
			t.Errorf("%q is an extension's: %v", name, !want)
		}
	}
	may := func(role string, permissions, scopes []string, kind account.Kind) account.Actor {
		return account.Actor{AccountID: 1, SpaceID: 2, Role: role, Permissions: permissions, Scopes: scopes, SpaceKind: kind}
	}
	for name, c := range map[string]struct {
		who  account.Actor
		want bool
	}{
		"owner":                 {may(account.RoleOwner, nil, nil, account.Merchant), true},
		"owner, personal":       {may(account.RoleOwner, nil, nil, account.Personal), true},
		"admin":                 {may(account.RoleAdmin, []string{"space.role"}, nil, account.Merchant), true},
		"operation":             {may(account.RoleOperation, []string{"miniprogram.read"}, nil, account.Merchant), true},
		"developer":             {may(account.RoleDeveloper, []string{"miniprogram.read"}, nil, account.Merchant), false},
		"read only":             {may(account.RoleReadOnly, []string{"miniprogram.read"}, nil, account.Merchant), false},
		"custom with it":        {may(account.RoleCustom, []string{"coupon.coupons"}, nil, account.Merchant), true},
		"custom without":        {may(account.RoleCustom, []string{"coupon.other"}, nil, account.Merchant), false},
		"nobody's role":         {may("guest", nil, nil, account.Merchant), false},
		"visitor":               {account.Actor{}, false},
		"a token with it":       {may(account.RoleOwner, nil, []string{"coupon.coupons"}, account.Merchant), true},
		"a token without":       {may(account.RoleOwner, nil, []string{"miniprogram.read"}, account.Merchant), false},
		"a token beyond a role": {may(account.RoleReadOnly, []string{}, []string{"coupon.coupons"}, account.Merchant), false},
		"a space of no kind":    {may(account.RoleOwner, nil, nil, ""), false},
	} {
		if got := c.who.Can("coupon.coupons"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if reader := may(account.RoleReadOnly, []string{}, nil, account.Merchant); !reader.Can("coupon.coupons.read") {
		t.Error("who may only read cannot read")
	}
}
