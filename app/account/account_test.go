package account_test

import (
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

func service(db *store.DB) *account.Service {
	clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
	return account.New(db, clk, trail.New(db, clk))
}

func wang() account.Registration {
	return account.Registration{Login: "Wang@Example.test ", Password: "correct horse", Name: "王五", Kind: account.Personal, Agreed: true}
}

func TestRegistrationNamesEveryRefusedField(t *testing.T) {
	s := service(storetest.Open(t))
	cases := map[string]struct {
		change func(*account.Registration)
		field  string
	}{
		"no login":         {func(r *account.Registration) { r.Login = "" }, "login"},
		"neither form":     {func(r *account.Registration) { r.Login = "wang" }, "login"},
		"landline":         {func(r *account.Registration) { r.Login = "01012345678" }, "login"},
		"short password":   {func(r *account.Registration) { r.Password = "123456789" }, "password"},
		"long password":    {func(r *account.Registration) { r.Password = strings.Repeat("长", 129) }, "password"},
		"common password":  {func(r *account.Registration) { r.Password = "Password123" }, "password"},
		"one character":    {func(r *account.Registration) { r.Password = "xxxxxxxxxxxx" }, "password"},
		"password = login": {func(r *account.Registration) { r.Password = "wang@example.test" }, "password"},
		"no kind":          {func(r *account.Registration) { r.Kind = account.Platform }, "kind"},
		"nameless company": {func(r *account.Registration) { r.Kind = account.Merchant }, "space_name"},
		"not agreed":       {func(r *account.Registration) { r.Agreed = false }, "agreed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := wang()
			c.change(&r)
			_, err := s.Register(t.Context(), r)
			f := fault.From(err)
			if err == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != c.field {
				t.Fatalf("got %v, want field %s", err, c.field)
			}
		})
	}
}

func TestALoginIsFoundAgainInAnySpelling(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s, ctx := service(db), t.Context()
		who, err := s.Register(ctx, wang())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Register(ctx, wang()); fault.From(err).Code != "login_taken" {
			t.Fatalf("taken login: %v", err)
		}
		sess, err := s.Login(ctx, account.Credentials{Login: " WANG@example.test", Password: "correct horse", IP: "127.0.0.1"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Authenticate(ctx, sess.Token, 0)
		if err != nil || got.AccountID != who.AccountID || got.SpaceKind != account.Personal || got.Name != "王五" {
			t.Fatalf("%+v %v", got, err)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM login_session WHERE token_hash=?", sess.Token); err != nil || n != 0 {
			t.Fatal("the token itself is in the database")
		}
		if err := s.Logout(ctx, sess.Token); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(ctx, sess.Token, 0); fault.KindOf(err) != fault.Unauthenticated {
			t.Fatalf("after logout: %v", err)
		}
	})
}

func TestSpacesOfOthersAreNotFound(t *testing.T) {
	db := storetest.Open(t)
	s, ctx := service(db), t.Context()
	mine, err := s.Register(ctx, wang())
	if err != nil {
		t.Fatal(err)
	}
	r := wang()
	r.Login, r.Kind, r.SpaceName = "13800000000", account.Merchant, "示例贸易有限公司"
	other, err := s.Register(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	sess, err := s.SessionFor(ctx, mine, "127.0.0.1", "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Switch(ctx, sess.Token, other.SpaceID); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("switched into a space of others: %v", err)
	}
	if err := db.Insert(ctx, "member", map[string]any{"id": db.NewID(), "account_id": mine.AccountID, "space_id": other.SpaceID, "role": "owner", "created_at": 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Switch(ctx, sess.Token, other.SpaceID); err != nil {
		t.Fatal(err)
	}
	now, err := s.Authenticate(ctx, sess.Token, 0)
	if err != nil || now.SpaceID != other.SpaceID || !now.Can("component.bind") || now.Can("event.replay") {
		t.Fatalf("%+v %v", now, err)
	}
}

func TestSeedResetsThePasswordOfAnExistingLogin(t *testing.T) {
	s, ctx := service(storetest.Open(t)), t.Context()
	r := account.Registration{Login: "operator@example.test", Password: "first password", Kind: account.Platform, SpaceName: "平台"}
	first, err := s.Seed(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	r.Password = "second password"
	second, err := s.Seed(ctx, r)
	if err != nil || second.AccountID != first.AccountID {
		t.Fatalf("%+v %v", second, err)
	}
	if _, err := s.Login(ctx, account.Credentials{Login: r.Login, Password: "second password"}); err != nil {
		t.Fatal(err)
	}
}
