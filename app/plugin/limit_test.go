package plugin_test

import (
	"slices"
	"testing"

	"minifleet/app/fault"
)

func TestALimitedMemberReadsAndWritesTheirMiniProgramsOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ids := map[string]int64{}
		for _, appid := range []string{"wxa", "wxb", "wxc"} {
			h.core.right(appid, ada.SpaceID, "*")
			ids[appid] = h.must(t, ada, command{Do: "lane.insert", AppID: appid, Text: "row of " + appid}).ID
		}
		for _, c := range []struct {
			limit, hidden []string
		}{
			{[]string{}, []string{"wxa", "wxb", "wxc"}},
			{[]string{"wxa"}, []string{"wxb", "wxc"}},
			{[]string{"wxb", "wxa"}, []string{"wxc"}},
			{[]string{"wxa", "wxb", "wxc"}, nil},
			{[]string{"x') OR ('1'='1"}, []string{"wxa", "wxb", "wxc"}},
		} {
			who := ada
			who.MiniPrograms = c.limit
			list := h.must(t, who, command{Do: "lane.list"}).List
			// A page holds two rows of this list.
			if want := min(2, len(ids)-len(c.hidden)); len(list) != want {
				t.Errorf("limited to %v: %d rows of %d", c.limit, len(list), want)
			}
			for appid, id := range ids {
				hidden := slices.Contains(c.hidden, appid)
				if hidden && slices.Contains(list, "row of "+appid) {
					t.Errorf("limited to %v: the list is %v", c.limit, list)
				}
				_, err := h.do(t, who, command{Do: "lane.get", ID: id})
				if !hidden && err != nil {
					t.Errorf("limited to %v: %s gives %v", c.limit, appid, err)
				}
				if !hidden {
					continue
				}
				wantKind(t, err, fault.NotFound)
				_, err = h.do(t, who, command{Do: "lane.update", ID: id, Text: "x"})
				wantKind(t, err, fault.NotFound)
				_, err = h.do(t, who, command{Do: "lane.delete", ID: id})
				wantKind(t, err, fault.NotFound)
			}
		}
	})
}
