package plugin

import (
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

func TestWhoLacksAnExtensionsPermissionReadsItsTitle(t *testing.T) {
	m := &Manifest{Id: "coupon", Permissions: []*pluginpb.Permission{{Name: "coupon.send", Title: "发放优惠券"}}}
	who := account.Actor{AccountID: 1, MemberID: 1, SpaceID: 1, SpaceKind: account.Merchant, Role: account.RoleCustom}
	for permission, words := range map[string]string{"coupon.send": "「发放优惠券」", "coupon.other": "「coupon.other」", "member.manage": "「" + account.PermissionTitle("member.manage") + "」"} {
		err := allow(m, who, nil, permission)
		if f := fault.From(err); f == nil || f.Kind != fault.Forbidden || !strings.Contains(f.Message, words) {
			t.Errorf("%s: %v, want it to name %s", permission, err, words)
		}
	}
	who.Permissions = []string{"coupon.send"}
	if err := allow(m, who, []string{"merchant"}, "coupon.send"); err != nil {
		t.Errorf("with the permission: %v", err)
	}
	if err := allow(m, who, []string{"personal"}, "coupon.send"); fault.From(err).Code != "plugin.kind" {
		t.Errorf("in another kind of space: %v", err)
	}
}
