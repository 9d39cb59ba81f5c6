package account_test

import (
	"context"
	"fmt"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestTheDirectoryOfSpacesIsForOperators(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := service(db)
		for i := range 3 {
			r := wang()
			r.Login = fmt.Sprintf("user%d@example.test", i)
			r.Kind = account.Personal
			if _, err := s.Register(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		r := wang()
		r.Kind, r.SpaceName = account.Merchant, "100% 好店"
		merchant, err := s.Register(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := s.Directory(ctx, merchant, account.SpaceFilter{}); fault.KindOf(err) != fault.Forbidden {
			t.Fatalf("a merchant: %v", err)
		}
		operator := account.Actor{AccountID: 1, SpaceID: 1, SpaceKind: account.Platform, Role: account.RoleOwner}
		list, next, total, err := s.Directory(ctx, operator, account.SpaceFilter{Kind: account.Personal, Limit: 2})
		if err != nil || len(list) != 2 || total != 3 || next == 0 || list[0].Members != 1 {
			t.Fatalf("%+v, next %d, total %d, error %v", list, next, total, err)
		}
		if list, next, _, err = s.Directory(ctx, operator, account.SpaceFilter{Kind: account.Personal, Limit: 2, Cursor: next}); err != nil || len(list) != 1 || next != 0 {
			t.Fatalf("%+v, next %d, error %v", list, next, err)
		}
		if list, _, _, err = s.Directory(ctx, operator, account.SpaceFilter{Query: "100%"}); err != nil || len(list) != 1 {
			t.Fatalf("search: %+v, error %v", list, err)
		}
	})
}
