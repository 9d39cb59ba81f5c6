package grant_test

import (
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// stage is a shop of the first user and a café of the second, both authorised to the platform app.
func stage(t *testing.T, db *store.DB) (*authtest.World, *grant.Service) {
	t.Helper()
	w := authtest.New(t, db)
	for n, appid := range map[int64]string{1: authtest.ShopID, 2: authtest.CafeID} {
		ticket := w.Ticket(authtest.User(n))
		if _, err := w.ComeBack(w.Scan(ticket, appid)); err != nil {
			t.Fatal(err)
		}
	}
	return w, grant.New(db, w.Clock, w.Trail, w.Apps)
}

func request(appid string, space int64, key string) grant.Request {
	return grant.Request{AppID: appid, SpaceID: space, Scopes: []string{"code.commit"}, Source: "installation", SourceKey: key}
}

func TestAHolderSeesItsOwnGrantsAndNotWhoElseTheOwnerWorksWith(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		_, s := stage(t, db)
		ctx, owner, one := t.Context(), authtest.User(1), authtest.Merchant()
		two := account.Actor{AccountID: 9, SpaceID: 99, Role: account.RoleOwner, SpaceKind: account.Merchant}
		for key, to := range map[string]account.Actor{"installation:1": one, "installation:2": two} {
			if _, err := s.Create(ctx, owner, request(authtest.ShopID, to.SpaceID, key)); err != nil {
				t.Fatal(err)
			}
		}
		operator := account.Actor{AccountID: 3, SpaceID: 33, Role: account.RoleOwner, SpaceKind: account.Platform}
		for name, c := range map[string]struct {
			who  account.Actor
			want int
		}{"owner": {owner, 2}, "operator": {operator, 2}, "one holder": {one, 1}, "the other": {two, 1}} {
			rows, err := s.ForMiniProgram(ctx, c.who, authtest.ShopID)
			if err != nil || len(rows) != c.want {
				t.Errorf("%s sees %d grants (%v), want %d", name, len(rows), err, c.want)
			}
			if c.want == 1 && rows[0].SpaceID != c.who.SpaceID {
				t.Errorf("%s sees the grant of space %d", name, rows[0].SpaceID)
			}
		}
		if _, err := s.ForMiniProgram(ctx, authtest.User(2), authtest.ShopID); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a stranger: %v", err)
		}
	})
}

func TestASourceKeyNeverTurnsSomebodyElsesGrantIntoAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		_, s := stage(t, db)
		ctx, merchant := t.Context(), authtest.Merchant()
		first, err := s.Create(ctx, authtest.User(1), request(authtest.ShopID, merchant.SpaceID, "installation:1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Create(ctx, authtest.User(2), request(authtest.CafeID, merchant.SpaceID, "installation:1")); fault.KindOf(err) != fault.Conflict {
			t.Fatalf("the key of another owner's grant: %v", err)
		}
		if err := s.Check(ctx, merchant.SpaceID, authtest.ShopID, "code.commit"); err != nil {
			t.Errorf("the first grant is gone: %v", err)
		}
		if err := s.Check(ctx, merchant.SpaceID, authtest.CafeID, "code.commit"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the second grant was made: %v", err)
		}
		again, err := s.Create(ctx, authtest.User(1), request(authtest.ShopID, merchant.SpaceID, "installation:1"))
		if err != nil || again.ID != first.ID {
			t.Errorf("the same request again gave grant %d (%v), want %d", again.ID, err, first.ID)
		}
	})
}

func TestOnlyTheOwnerRevokesAndItWorksAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		_, s := stage(t, db)
		ctx, owner, merchant := t.Context(), authtest.User(1), authtest.Merchant()
		g, err := s.Create(ctx, owner, request(authtest.ShopID, merchant.SpaceID, "installation:1"))
		if err != nil {
			t.Fatal(err)
		}
		for name, who := range map[string]account.Actor{"its holder": merchant, "a stranger": authtest.User(2), "nobody": {}} {
			if err := s.Revoke(ctx, who, g.ID); fault.KindOf(err) != fault.NotFound {
				t.Errorf("revoked by %s: %v", name, err)
			}
		}
		if err := s.Check(ctx, merchant.SpaceID, authtest.ShopID, "code.release"); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a scope that was not given: %v", err)
		}
		if err := s.Revoke(ctx, owner, g.ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Check(ctx, merchant.SpaceID, authtest.ShopID, "code.commit"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("after 撤销: %v", err)
		}
	})
}
