package account_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// race runs f so many times at once and counts the codes of what came back.
func race(n int, f func(i int) error) map[string]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	got := map[string]int{}
	for i := range n {
		all.Go(func() {
			err := f(i)
			code := ""
			if err != nil {
				code = fault.From(err).Code
			}
			if code == "internal" {
				code = fmt.Sprint(errors.Unwrap(err))
			}
			mu.Lock()
			defer mu.Unlock()
			got[code]++
		})
	}
	all.Wait()
	return got
}

func TestOfManyAcceptsAtOnceOneJoins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss, guest := w.person("boss@example.test", account.Merchant), w.person("guest@example.test", account.Personal)
		in, err := w.spaces.Invite(ctx, boss, account.InvitationForm{Login: guest.Login, Role: account.RoleChoice{Key: account.RoleReadOnly}})
		if err != nil {
			t.Fatal(err)
		}
		got := race(8, func(int) error { _, err := w.spaces.Accept(ctx, guest, tokenIn(in.Link)); return err })
		if got[""] != 1 || got["invitation_gone"] != 7 {
			t.Fatalf("%v", got)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM member WHERE space_id=?", boss.SpaceID); err != nil || n != 2 {
			t.Fatalf("%d members, %v", n, err)
		}
	})
}

func TestASpaceKeepsExactlyOneOwnerThroughRaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss := w.person("boss@example.test", account.Merchant)
		var heirs []account.Actor
		for i := range 4 {
			heirs = append(heirs, w.hire(boss, fmt.Sprintf("heir%d@example.test", i), account.RoleChoice{Key: account.RoleAdmin}, account.Limit{}))
		}
		wantFault(t, "the last owner leaves", w.spaces.Leave(ctx, boss), fault.Conflict, "last_owner")
		wantFault(t, "a wrong password", w.spaces.HandOver(ctx, boss, heirs[0].MemberID, "wrong password"), fault.Invalid, "")
		got := race(5, func(i int) error {
			if i == 4 {
				return w.spaces.Leave(ctx, boss)
			}
			return w.spaces.HandOver(ctx, boss, heirs[i].MemberID, goodPassword)
		})
		if got[""] < 1 {
			t.Fatalf("nothing succeeded: %v", got)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM member WHERE space_id=? AND role='owner'", boss.SpaceID); err != nil || n != 1 {
			t.Fatalf("%d owners after %v: %v", n, got, err)
		}
	})
}

func TestTwoOwnersLeaveAtOnceAndOneStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss := w.person("boss@example.test", account.Merchant)
		second := w.hire(boss, "second@example.test", account.RoleChoice{Key: account.RoleAdmin}, account.Limit{})
		if _, err := db.Exec(ctx, "UPDATE member SET role='owner' WHERE id=?", second.MemberID); err != nil {
			t.Fatal(err)
		}
		both := []account.Actor{boss, w.again(second)}
		got := race(2, func(i int) error { return w.spaces.Leave(ctx, both[i]) })
		if got[""] != 1 || got["last_owner"] != 1 {
			t.Fatalf("%v", got)
		}
	})
}
