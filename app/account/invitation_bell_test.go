package account_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

// bellOnly keeps messages and sends no letters.
type bellOnly struct{ told []account.Message }

func (b *bellOnly) Tell(_ context.Context, m account.Message) error {
	b.told = append(b.told, m)
	return nil
}

func (b *bellOnly) Invite(context.Context, string, string, string, string) (bool, error) {
	return false, nil
}

func TestAnInvitedAccountHearsOfItAndNobodyElseCanUseTheNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx, bell := settle(t, db), t.Context(), &bellOnly{}
		vault, err := secret.Ephemeral()
		if err != nil {
			t.Fatal(err)
		}
		w.spaces = account.NewSpaces(account.SpacesOptions{DB: db, Clock: w.clk, Trail: trail.New(db, w.clk), Vault: vault, Accounts: w.accounts, Messenger: bell, PublicURL: "https://fleet.example"})
		boss := w.person("boss@example.test", account.Merchant)
		guest := w.person("guest@example.test", account.Personal)
		other := w.person("other@example.test", account.Personal)
		form := account.InvitationForm{Login: "guest@example.test", Role: account.RoleChoice{Key: account.RoleReadOnly}}
		made, err := w.spaces.Invite(ctx, boss, form)
		if err != nil {
			t.Fatal(err)
		}
		number := strconv.FormatInt(made.ID, 10)
		var heard []account.Message
		for _, m := range bell.told {
			if m.Event == "space.invitation" {
				heard = append(heard, m)
			}
		}
		if len(heard) != 1 || len(heard[0].AccountIDs) != 1 || heard[0].AccountIDs[0] != guest.AccountID || heard[0].Link != "/invite/"+number || strings.Contains(heard[0].Text+heard[0].Title, tokenIn(made.Link)) {
			t.Fatalf("heard %+v", heard)
		}
		for name, who := range map[string]account.Actor{"nobody": {}, "somebody else": other, "who invited": boss} {
			if _, err := w.spaces.Offer(ctx, who, number); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s is shown the offer: %v", name, err)
			}
			if _, err := w.spaces.Accept(ctx, who, number); err == nil {
				t.Errorf("%s accepted", name)
			}
		}
		if offer, err := w.spaces.Offer(ctx, guest, number); err != nil || !offer.Mine {
			t.Fatalf("the guest's offer: %+v, %v", offer, err)
		}
		if _, err := w.spaces.Accept(ctx, guest, number); err != nil {
			t.Fatal(err)
		}
		if _, err := w.spaces.Accept(ctx, guest, number); fault.KindOf(err) != fault.NotFound {
			t.Errorf("accepted twice: %v", err)
		}
		before := len(bell.told)
		if _, err := w.spaces.Invite(ctx, boss, account.InvitationForm{Login: "new@example.test", Role: form.Role}); err != nil {
			t.Fatal(err)
		}
		if n := len(bell.told); n != before {
			t.Errorf("a login without an account was told %d messages", n-before)
		}
	})
}
