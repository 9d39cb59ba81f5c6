package plugin

import (
	"testing"

	"minifleet/app/account"
	"minifleet/app/store/storetest"
	"minifleet/plugins/sdk/pluginpb"
)

func TestADescribedPluginKnowsWhetherItIsAnExtension(t *testing.T) {
	declared := func(platform bool) *Manifest {
		return &Manifest{
			Id: "ware", Protocol: protocol, Jobs: []*pluginpb.Job{{Name: "count", Spec: "@hourly", Platform: platform}},
			Collections: []*pluginpb.Collection{{Name: "goods", Columns: []*Column{{Name: "sku", Type: "text"}}, Visibility: &pluginpb.Visibility{Kind: "space"}}},
		}
	}
	for name, c := range map[string]struct {
		third, platform bool
		extension       string
		refused         bool
	}{
		"an extension and its tables":                   {third: true, extension: "ware"},
		"an extension's job for the platform":           {third: true, platform: true, extension: "ware"},
		"a plugin of the house":                         {platform: true},
		"a plugin of the house with a job of a space's": {refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			info, err := describe("ware", c.third, nil, declared(c.platform))
			if (err != nil) != c.refused {
				t.Fatalf("described with %v", err)
			}
			if err == nil && (info.third != c.third || info.collections["goods"].extension != c.extension) {
				t.Errorf("third is %v, its rows are those of %q", info.third, info.collections["goods"].extension)
			}
		})
	}
}

func TestATableActsInTheFrameThatItsPersonHas(t *testing.T) {
	b := newBench(t, storetest.Open(t), Quota{})
	info, err := describe("ware", false, nil, &Manifest{
		Id: "ware", Protocol: protocol, Tables: []*Table{{Name: "goods", Title: "货物", Collection: "goods"}},
		Collections: []*pluginpb.Collection{{Name: "goods", Columns: []*Column{{Name: "sku", Type: "text"}}, Visibility: &pluginpb.Visibility{Kind: "space"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.roster.add(&unit{id: "ware", info: info})
	for kind, prefix := range map[account.Kind]string{account.Personal: "/p/ware", account.Merchant: "/admin/p/ware", account.Platform: "/admin/p/ware"} {
		_, _, a, err := b.table(t.Context(), account.Actor{AccountID: 1, SpaceID: 1, Role: account.RoleOwner, SpaceKind: kind}, "ware", "goods")
		if err != nil || a.prefix != prefix || (a.frame == FramePortal) != (kind == account.Personal) {
			t.Errorf("for a %s space it acts below %s in %s, %v", kind, a.prefix, a.frame, err)
		}
	}
}
