package account_test

import (
	"errors"
	"slices"
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

type tokenHouse struct {
	*testing.T
	db     *store.DB
	people *account.Service
	tokens *account.Tokens
	log    *trail.Log
}

func eachTokenHouse(t *testing.T, f func(h tokenHouse)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
		log := trail.New(db, clk)
		people := account.New(db, clk, log)
		f(tokenHouse{t, db, people, account.NewTokens(db, log, people), log})
	})
}

func (h tokenHouse) person(login string, kind account.Kind) account.Actor {
	h.Helper()
	who, err := h.people.Seed(h.Context(), account.Registration{Login: login, Password: "a long enough secret", Name: "王五", Kind: kind, SpaceName: "空间", Agreed: true})
	if err != nil {
		h.Fatal(err)
	}
	return who
}

func (h tokenHouse) token(who account.Actor, scopes ...string) (account.Token, string) {
	h.Helper()
	made, secret, err := h.tokens.Create(h.Context(), who, account.TokenRequest{Name: "CI", Scopes: scopes, Days: 30})
	if err != nil {
		h.Fatal(err)
	}
	return made, secret
}

func (h tokenHouse) exec(query string, args ...any) {
	h.Helper()
	if n, err := h.db.Exec(h.Context(), query, args...); err != nil || n != 1 {
		h.Fatalf("%s: %d rows, %v", query, n, err)
	}
}

func (h tokenHouse) refused(why, secret string, space int64, code string) {
	h.Helper()
	who, err := h.tokens.Authenticate(h.Context(), secret, "192.0.2.1", space)
	if !who.Nobody() || err == nil || fault.From(err).Code != code {
		h.Errorf("%s: %+v, %v; want %s", why, who, err, code)
	}
}

func TestATokenActsForItsPersonWithinItsScopes(t *testing.T) {
	eachTokenHouse(t, func(h tokenHouse) {
		owner := h.person("m@example.test", account.Merchant)
		made, secret := h.token(owner, "component.read", "trail.read")
		if !strings.HasPrefix(secret, "mft_") || len(secret) < 40 || !strings.HasPrefix(secret, made.Hint) || len(made.Hint) > 8 {
			h.Fatalf("secret %q, hint %q", secret, made.Hint)
		}
		who, err := h.tokens.Authenticate(h.Context(), secret, "192.0.2.7", owner.SpaceID)
		if err != nil {
			h.Fatal(err)
		}
		if who.AccountID != owner.AccountID || who.SpaceID != owner.SpaceID || !who.ByToken() || owner.ByToken() || who.Name != "王五" || who.TokenName != "CI" || who.TokenID != made.ID {
			h.Errorf("%+v", who)
		}
		for permission, want := range map[string]bool{"component.read": true, "trail.read": true, "component.bind": false, "version.operate": false, "job.run": false} {
			if who.Can(permission) != want {
				h.Errorf("Can(%s) = %v", permission, !want)
			}
		}
		h.refused("another space", secret, owner.SpaceID+1, "space_not_found")
		h.refused("a guess", secret[:len(secret)-1]+"x", 0, "token_invalid")
		h.refused("a login token", strings.TrimPrefix(secret, "mft_"), 0, "token_invalid")
		if _, err := h.people.Authenticate(h.Context(), secret, 0); err == nil {
			h.Error("an API token opens a session")
		}
	})
}

func TestTheSecretIsNotInTheDatabase(t *testing.T) {
	eachTokenHouse(t, func(h tokenHouse) {
		_, secret := h.token(h.person("m@example.test", account.Merchant), "trail.read")
		for _, table := range []string{"api_token", "trail"} {
			rows, err := h.db.Maps(h.Context(), "SELECT * FROM "+table)
			if err != nil || len(rows) == 0 {
				h.Fatalf("%s: %d rows, %v", table, len(rows), err)
			}
			for _, row := range rows {
				for column, value := range row {
					if text, ok := value.(string); ok && strings.Contains(text, secret[8:30]) {
						h.Errorf("%s.%s holds the secret", table, column)
					}
				}
			}
		}
	})
}

func TestATokenDiesWithExpiryRevocationAndMembership(t *testing.T) {
	eachTokenHouse(t, func(h tokenHouse) {
		owner := h.person("m@example.test", account.Merchant)
		expired, one := h.token(owner, "trail.read")
		h.exec("UPDATE api_token SET expires_at=? WHERE id=?", time.Now().UnixMilli()-1, expired.ID)
		h.refused("expired", one, 0, "token_invalid")

		revoked, two := h.token(owner, "trail.read")
		stranger := h.person("s@example.test", account.Merchant)
		if err := h.tokens.Revoke(h.Context(), stranger, revoked.ID); fault.KindOf(err) != fault.NotFound {
			h.Errorf("a stranger revoked it: %v", err)
		}
		if err := h.tokens.Revoke(h.Context(), owner, revoked.ID); err != nil {
			h.Fatal(err)
		}
		h.refused("revoked", two, 0, "token_invalid")
		if err := h.tokens.Revoke(h.Context(), owner, revoked.ID); fault.KindOf(err) != fault.NotFound {
			h.Errorf("revoked twice: %v", err)
		}

		_, three := h.token(owner, "trail.read")
		h.exec("DELETE FROM member WHERE id=?", owner.MemberID)
		h.refused("left", three, 0, "token_invalid")
		if err := h.db.Insert(h.Context(), "member", map[string]any{"id": h.db.NewID(), "account_id": owner.AccountID, "space_id": owner.SpaceID, "role": account.RoleOwner, "created_at": 1}); err != nil {
			h.Fatal(err)
		}
		h.refused("left and came back", three, 0, "token_invalid")
		if n, err := h.tokens.Prune(h.Context()); err != nil || n != 3 {
			h.Errorf("pruned %d, %v", n, err)
		}
	})
}

func TestATokenCannotManageTokens(t *testing.T) {
	eachTokenHouse(t, func(h tokenHouse) {
		owner := h.person("m@example.test", account.Merchant)
		made, secret := h.token(owner, "component.read", "component.bind")
		byToken, err := h.tokens.Authenticate(h.Context(), secret, "192.0.2.1", 0)
		if err != nil {
			h.Fatal(err)
		}
		_, _, createErr := h.tokens.Create(h.Context(), byToken, account.TokenRequest{Name: "more", Scopes: []string{"component.bind"}, Days: 7})
		_, listErr := h.tokens.List(h.Context(), byToken)
		for what, err := range map[string]error{"create": createErr, "list": listErr, "revoke": h.tokens.Revoke(h.Context(), byToken, made.ID)} {
			if fault.KindOf(err) != fault.Forbidden || err == nil {
				h.Errorf("%s by a token: %v", what, err)
			}
		}
	})
}

func TestATokenHasNoMoreThanItsPersonMayGive(t *testing.T) {
	eachTokenHouse(t, func(h tokenHouse) {
		merchant := h.person("m@example.test", account.Merchant)
		for _, tt := range []struct {
			name, field string
			in          account.TokenRequest
		}{
			{"no scope", "scopes", account.TokenRequest{Name: "x", Days: 7}},
			{"a scope of operators", "scopes", account.TokenRequest{Name: "x", Days: 7, Scopes: []string{"job.run"}}},
			{"members and roles", "scopes", account.TokenRequest{Name: "x", Days: 7, Scopes: []string{"space.member"}}},
			{"everything", "scopes", account.TokenRequest{Name: "x", Days: 7, Scopes: []string{""}}},
			{"two scopes in one", "scopes", account.TokenRequest{Name: "x", Days: 7, Scopes: []string{"trail.read component.bind"}}},
			{"no name", "name", account.TokenRequest{Name: "  ", Days: 7, Scopes: []string{"trail.read"}}},
			{"a name of two lines", "name", account.TokenRequest{Name: "a\nb", Days: 7, Scopes: []string{"trail.read"}}},
			{"a life nobody offers", "days", account.TokenRequest{Name: "x", Days: 31, Scopes: []string{"trail.read"}}},
		} {
			_, _, err := h.tokens.Create(h.Context(), merchant, tt.in)
			if f := fault.From(err); f == nil || !slices.ContainsFunc(f.Fields, func(f fault.Field) bool { return f.Name == tt.field }) {
				h.Errorf("%s: %v, want a sentence on %s", tt.name, err, tt.field)
			}
		}
		reader := merchant
		reader.Role, reader.Permissions = "reader", []string{"component.read", "trail.read"}
		if _, _, err := h.tokens.Create(h.Context(), reader, account.TokenRequest{Name: "x", Days: 7, Scopes: []string{"version.operate"}}); fault.KindOf(err) != fault.Invalid {
			h.Errorf("a reader gave what a reader has not: %v", err)
		}
		for _, s := range reader.OfferedScopes() {
			if s.Name != "component.read" && s.Name != "trail.read" && !reader.MayOwn(s.Name) {
				h.Errorf("a reader is offered %s", s.Name)
			}
		}
	})
}

func TestLastUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	eachTokenHouse(t, func(h tokenHouse) {
		owner := h.person("m@example.test", account.Merchant)
		_, secret := h.token(owner, "trail.read")
		use := func(ip string) account.Token {
			if _, err := h.tokens.Authenticate(h.Context(), secret, ip, 0); err != nil {
				h.Fatal(err)
			}
			list, err := h.tokens.List(h.Context(), owner)
			if err != nil || len(list) != 1 {
				h.Fatalf("%v %v", list, err)
			}
			return list[0]
		}
		first := use("192.0.2.1")
		if first.LastUsedAt == 0 || first.LastIP != "192.0.2.1" {
			h.Errorf("first use: %+v", first)
		}
		if again := use("192.0.2.2"); again.LastUsedAt != first.LastUsedAt || again.LastIP != first.LastIP {
			h.Errorf("written twice in a minute: %+v", again)
		}
		h.exec("UPDATE api_token SET last_used_at=last_used_at-60001 WHERE id=?", first.ID)
		if later := use("192.0.2.2"); later.LastIP != "192.0.2.2" {
			h.Errorf("a minute later: %+v", later)
		}
	})
}

func TestAMemberHasAtMostTwentyTokens(t *testing.T) {
	eachTokenHouse(t, func(h tokenHouse) {
		owner := h.person("m@example.test", account.Merchant)
		for range 20 {
			h.token(owner, "trail.read")
		}
		_, _, err := h.tokens.Create(h.Context(), owner, account.TokenRequest{Name: "one more", Scopes: []string{"trail.read"}, Days: 7})
		if want := (&fault.Error{Code: "too_many_tokens"}); !errors.Is(err, want) {
			h.Errorf("the 21st: %v", err)
		}
		entries, _, err := h.log.List(h.Context(), trail.Filter{SpaceID: owner.SpaceID, Act: "token.create", Limit: 100})
		if err != nil || len(entries) != 20 {
			h.Errorf("%d entries in the trail, %v", len(entries), err)
		}
	})
}
