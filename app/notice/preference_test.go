package notice_test

import (
	"slices"
	"testing"

	"minifleet/app/account"
	"minifleet/app/notice"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// TestWhoIsToldByNameMayChoose asks as members whose role has nothing to do with a batch: its end is told to whoever began
// it, so each of them may choose how.
func TestWhoIsToldByNameMayChoose(t *testing.T) {
	for _, kind := range []account.Kind{account.Personal, account.Merchant, account.Platform} {
		for _, k := range notice.Kinds(kind) {
			if k.Event == notice.BatchFinished && !k.Named {
				t.Errorf("%s: %+v", kind, k)
			}
		}
		if !slices.ContainsFunc(notice.Kinds(kind), func(k notice.Kind) bool { return k.Event == notice.BatchFinished }) {
			t.Errorf("nobody in a space of kind %s can choose how to hear of a batch", kind)
		}
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := open(t, db)
		who := account.Actor{AccountID: 99, SpaceID: mine, SpaceKind: account.Merchant, Role: account.RoleReadOnly, Permissions: []string{"miniprogram.read"}}
		if err := h.SetPreferences(t.Context(), who, []notice.Preference{{Event: notice.BatchFinished, Channel: notice.ChannelMail, On: false}}); err != nil {
			t.Fatal(err)
		}
		list, err := h.Preferences(t.Context(), who)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(c notice.Choice) bool { return c.Event == notice.BatchFinished })
		if i < 0 || list[i].Mail || !list[i].Site {
			t.Errorf("%+v", list)
		}
		if err := h.SetPreferences(t.Context(), who, []notice.Preference{{Event: notice.MemberChanged, Channel: notice.ChannelMail, On: true}}); err == nil {
			t.Error("a role that hears nothing of members chose how to")
		}
	})
}
