package grant_test

import (
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestALimitedMemberSeesAndTouchesNoOtherMiniProgram(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := authtest.New(t, db), t.Context()
		if _, err := w.ComeBack(w.Scan(w.Ticket(authtest.User(1)), authtest.ShopID)); err != nil {
			t.Fatal(err)
		}
		w.Deliver("authorized")
		s := grant.New(db, w.Clock, w.Trail, w.Apps)
		member := func(appids ...string) account.Actor {
			who := authtest.User(1)
			who.MiniPrograms = append([]string{}, appids...)
			return who
		}
		for what, who := range map[string]account.Actor{"another one only": member("wx9999999999999999"), "none": member()} {
			page, err := s.MiniPrograms(ctx, who, miniprogram.Filter{})
			if err != nil || len(page.Items) != 0 || page.Total != 0 {
				t.Errorf("%s: the list shows %d: %v", what, len(page.Items), err)
			}
			for call, f := range map[string]func() error{
				"read":   func() error { _, err := s.MiniProgram(ctx, who, authtest.ShopID); return err },
				"sync":   func() error { _, err := s.Sync(ctx, who, authtest.ShopID); return err },
				"grants": func() error { _, err := s.ForMiniProgram(ctx, who, authtest.ShopID); return err },
				"give": func() error {
					_, err := s.Create(ctx, who, grant.Request{AppID: authtest.ShopID, SpaceID: 7, Scopes: []string{"code.trial"}, Source: "contract", SourceKey: "c"})
					return err
				},
			} {
				if err := f(); fault.KindOf(err) != fault.NotFound {
					t.Errorf("%s: %s: %v", what, call, err)
				}
			}
		}
		if _, err := s.MiniProgram(ctx, member(authtest.ShopID), authtest.ShopID); err != nil {
			t.Errorf("the member's own one: %v", err)
		}
		reader := authtest.User(1)
		reader.Role, reader.Permissions = account.RoleReadOnly, []string{"miniprogram.read"}
		if _, err := s.Sync(ctx, reader, authtest.ShopID); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a reader syncs: %v", err)
		}
		if _, err := s.Create(ctx, reader, grant.Request{AppID: authtest.ShopID, SpaceID: 7, Scopes: []string{"code.trial"}, Source: "contract", SourceKey: "c"}); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a reader gives a grant: %v", err)
		}
	})
}
