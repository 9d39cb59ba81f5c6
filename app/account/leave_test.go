package account_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestAClosedAccountLeavesNothingOfThePersonAndFreesTheLogin(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss := w.person("boss@example.test", account.Merchant)
		w.apply(boss)
		sess, err := w.accounts.SessionFor(ctx, boss, "127.0.0.1", "laptop")
		if err != nil {
			t.Fatal(err)
		}
		wantFault(t, "another login", w.spaces.CloseAccount(ctx, boss, goodPassword, "other@example.test"), fault.Invalid, "")
		wantFault(t, "a wrong password", w.spaces.CloseAccount(ctx, boss, "wrong password", boss.Login), fault.Invalid, "")
		if err := w.spaces.CloseAccount(ctx, boss, goodPassword, " Boss@example.test"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.accounts.Authenticate(ctx, sess.Token, 0); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("a session goes on: %v", err)
		}
		for _, query := range []string{
			"SELECT COUNT(*) FROM account WHERE login LIKE '%boss%' OR name LIKE '%boss%' OR password_hash LIKE '$%' AND id<>0", "SELECT COUNT(*) FROM member", "SELECT COUNT(*) FROM login_session",
			"SELECT COUNT(*) FROM merchant_application", "SELECT COUNT(*) FROM merchant_round", "SELECT COUNT(*) FROM blob_file", "SELECT COUNT(*) FROM space WHERE name LIKE '%boss%'",
		} {
			if n, err := db.Int(ctx, query); err != nil || n != 0 {
				t.Errorf("%s: %d, %v", query, n, err)
			}
		}
		if len(w.erased) != 1 || w.erased[0] != boss.AccountID {
			t.Errorf("other rooms were told %v", w.erased)
		}
		again := w.person("boss@example.test", account.Personal)
		if again.AccountID == boss.AccountID {
			t.Error("the login is not free")
		}
	})
}

func TestWhoIsNeededCannotCloseTheirAccountAndIsToldWhatToDo(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss := w.person("boss@example.test", account.Merchant)
	admin := w.hire(boss, "admin@example.test", account.RoleChoice{Key: account.RoleAdmin}, account.Limit{})
	err := w.spaces.CloseAccount(ctx, boss, goodPassword, boss.Login)
	wantFault(t, "the only owner of a space with members", err, fault.Conflict, "account_held")
	if !strings.Contains(fault.From(err).Message, "转让") {
		t.Errorf("nothing to do is named: %v", err)
	}
	if err := w.spaces.HandOver(ctx, boss, admin.MemberID, goodPassword); err != nil {
		t.Fatal(err)
	}
	boss = w.again(boss)
	if boss.Role != account.RoleAdmin {
		t.Fatalf("after handing over: %s", boss.Role)
	}
	if err := w.spaces.CloseAccount(ctx, boss, goodPassword, boss.Login); err != nil {
		t.Fatal(err)
	}
	user := w.person("user@example.test", account.Personal)
	for what, held := range map[string]heldThings{"authorised mini programs": {authorized: 2}, "platform apps": {components: 1}} {
		*w.held = held
		wantFault(t, what, w.spaces.CloseAccount(ctx, user, goodPassword, user.Login), fault.Conflict, "account_held")
	}
	*w.held = heldThings{}
	op := w.person("op@example.test", account.Platform)
	wantFault(t, "the platform's last owner", w.spaces.CloseAccount(ctx, op, goodPassword, op.Login), fault.Conflict, "account_held")
	token := user
	token.Scopes = []string{"miniprogram.read"}
	wantFault(t, "an API token", w.spaces.CloseAccount(ctx, token, goodPassword, user.Login), fault.Forbidden, "login_only")
}

func TestTheExportHoldsWhatIsKeptAboutThePersonAndNoSecret(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss, other := w.person("boss@example.test", account.Merchant), w.person("other@example.test", account.Merchant)
	var b bytes.Buffer
	if err := w.spaces.ExportData(ctx, boss, &b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(raw)
		if strings.Contains(string(raw), "argon2") || strings.Contains(string(raw), other.Login) {
			t.Errorf("%s tells too much: %s", f.Name, raw)
		}
	}
	var me struct{ Login string }
	if err := json.Unmarshal([]byte(files["account.json"]), &me); err != nil || me.Login != boss.Login {
		t.Errorf("account.json: %s", files["account.json"])
	}
	if !strings.Contains(files["memberships.json"], boss.Space) || !strings.Contains(files["trail.jsonl"], "account.register") || len(files) != 4 {
		t.Errorf("%v", files)
	}
}
