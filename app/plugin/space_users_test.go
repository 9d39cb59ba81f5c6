package plugin_test

import (
	"slices"
	"testing"

	"minifleet/app/account"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestSpacesThatLoseAnExtensionAreToldOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newExtHouse(t, db).run(t).ready(t)
		h.open(t, plugin.ReachForm{Reach: plugin.ReachAll})
		for _, who := range []account.Actor{ada, bob, eve} {
			h.switchOn(t, who, map[string]any{})
		}
		h.switchOn(t, opal, map[string]any{})
		if _, err := h.SwitchOff(t.Context(), opal, "ext"); err != nil {
			t.Fatal(err)
		}
		heard := func() []string {
			h.core.mu.Lock()
			defer h.core.mu.Unlock()
			news := slices.Clone(h.core.news)
			h.core.news = nil
			return news
		}
		const closed = " ext 扩展「扩展」不再对你的空间开放，现已停用"
		for _, step := range []struct {
			name string
			form plugin.ReachForm
			want []string
		}{
			{"personal spaces lose it", plugin.ReachForm{Reach: plugin.ReachKinds, Kinds: []account.Kind{account.Merchant, account.Platform}}, []string{"33" + closed}},
			{"all but one lose it", plugin.ReachForm{Reach: plugin.ReachSpaces, SpaceIDs: []int64{ada.SpaceID, opal.SpaceID}}, []string{"22" + closed}},
			{"who has it switched off loses nothing", plugin.ReachForm{Reach: plugin.ReachSpaces, SpaceIDs: []int64{ada.SpaceID}}, nil},
			{"it is opened again", plugin.ReachForm{Reach: plugin.ReachAll}, nil},
			{"nobody has it", plugin.ReachForm{Reach: plugin.ReachNone}, []string{"11" + closed, "22" + closed, "33" + closed}},
			{"nobody has it still", plugin.ReachForm{Reach: plugin.ReachNone}, nil},
		} {
			before, err := plugin.UsedIn(t.Context(), db, spaces{}, "ext")
			if err != nil {
				t.Fatal(err)
			}
			h.open(t, step.form)
			if got := heard(); !slices.Equal(got, step.want) {
				t.Errorf("%s (%v had it): told were %q, want %q", step.name, before, got, step.want)
			}
		}
	})
}
