package account_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

func operators(db *store.DB) (*account.Operators, *account.Service) {
	s := service(db)
	return account.NewOperators(db, trail.New(db, clock.System()), s), s
}

func chief(login string) account.Registration {
	return account.Registration{Login: login, Password: "long-enough-pass-1", Name: "林站长"}
}

func TestAnEmptyInstallationAsksForItsFirstOperatorOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		o, s := operators(db)
		token, err := o.Invite(ctx)
		if err != nil || token == "" {
			t.Fatalf("token %q, error %v", token, err)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM setup_token WHERE token_hash=?", token); err != nil || n != 0 {
			t.Fatalf("the token is in the database in clear: %d, %v", n, err)
		}
		second, err := o.Invite(ctx)
		if err != nil || second == token {
			t.Fatalf("the second start gave %q, error %v", second, err)
		}
		if _, err := o.First(ctx, "another-token", chief("chief@example.test")); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("a wrong token: %v", err)
		}
		bad := chief("chief@example.test")
		bad.Password = "short"
		if _, err := o.First(ctx, token, bad); fault.KindOf(err) != fault.Invalid {
			t.Fatalf("a short password: %v", err)
		}
		made, err := o.First(ctx, token, chief("Chief@Example.test"))
		if err != nil {
			t.Fatal(err)
		}
		if !made.Operator() || made.Role != account.RoleOwner || made.Space != account.PlatformSpace {
			t.Fatalf("made %+v", made)
		}
		session, err := s.Login(ctx, account.Credentials{Login: "chief@example.test", Password: "long-enough-pass-1"})
		if err != nil || !session.Actor.Can("plugin.restart") {
			t.Fatalf("login %+v, error %v", session.Actor, err)
		}
		for _, used := range []string{token, second} {
			if _, err := o.First(ctx, used, chief("other@example.test")); fault.KindOf(err) != fault.NotFound {
				t.Fatalf("a token after the first operator: %v", err)
			}
		}
		fresh, _ := operators(db)
		if needed, err := fresh.Needed(ctx); err != nil || needed {
			t.Fatalf("needed after a restart: %v, %v", needed, err)
		}
		if again, err := fresh.Invite(ctx); err != nil || again != "" {
			t.Fatalf("a start with an operator gave %q, %v", again, err)
		}
	})
}

func TestTwoSubmitsAtOnceMakeOneOperator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		one, _ := operators(db)
		two, _ := operators(db) // as another replica
		token, err := one.Invite(ctx)
		if err != nil {
			t.Fatal(err)
		}
		other, err := two.Invite(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			o, with := one, token
			if i%2 == 1 {
				o, with = two, other
			}
			wait.Go(func() { _, errs[i] = o.First(ctx, with, chief(strings.Repeat("a", i+1)+"@example.test")) })
		}
		wait.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case fault.KindOf(err) != fault.NotFound:
				t.Errorf("a loser got %v", err)
			}
		}
		n, err := db.Int(ctx, "SELECT COUNT(*) FROM account")
		if err != nil || won != 1 || n != 1 {
			t.Fatalf("%d winners, %d accounts, error %v", won, n, err)
		}
	})
}

func TestASetupTokenEndsAfterAnHour(t *testing.T) {
	db := storetest.Open(t)
	ctx := context.Background()
	o, _ := operators(db)
	token, err := o.Invite(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ctx, "UPDATE setup_token SET expires_at=expires_at-3600000"); err != nil {
		t.Fatal(err)
	}
	if ok, err := o.Invited(ctx, token); err != nil || ok {
		t.Fatalf("invited %v, error %v", ok, err)
	}
	if _, err := o.First(ctx, token, chief("chief@example.test")); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("an old token: %v", err)
	}
}

func TestTheCommandLineBringsAnOperatorBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		o, s := operators(db)
		token, err := o.Invite(ctx)
		if err != nil {
			t.Fatal(err)
		}
		first, err := o.Add(ctx, chief("rescue@example.test"))
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := o.Invited(ctx, token); err != nil || ok {
			t.Fatalf("the setup address outlives the first operator: %v, %v", ok, err)
		}
		// Somebody who is a merchant already joins with the password they have.
		r := wang()
		if _, err := s.Register(ctx, r); err != nil {
			t.Fatal(err)
		}
		joined, err := o.Add(ctx, account.Registration{Login: r.Login})
		if err != nil || joined.SpaceID != first.SpaceID || !joined.Operator() {
			t.Fatalf("joined %+v, error %v", joined, err)
		}
		session, err := s.Login(ctx, account.Credentials{Login: r.Login, Password: r.Password})
		if err != nil {
			t.Fatal(err)
		}
		members, err := s.Memberships(ctx, session.Actor.AccountID)
		if err != nil || len(members) != 2 {
			t.Fatalf("memberships %+v, error %v", members, err)
		}
		if _, err := o.Add(ctx, account.Registration{Login: "nobody@example.test"}); fault.KindOf(err) != fault.Invalid {
			t.Fatalf("a new account without a password: %v", err)
		}
	})
}
