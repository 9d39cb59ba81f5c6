package account_test

import (
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

func TestAResetEndsEverySessionOpensTheLockAndTellsTheOwner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTown(t, db, verified), t.Context()
		sess := w.settle("wang@example.test", account.Personal)
		for range 5 {
			_, _ = w.guess("wang@example.test", wrongPassword, "198.51.100.1", "")
		}
		if _, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", ""); code(err) != "account_locked" {
			t.Fatal(err)
		}
		if err := w.ask(account.ForReset, "wang@example.test", "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		got := w.post.last(t, "wang@example.test").Code
		wantField(t, w.ResetPassword(ctx, account.Reset{Login: "wang@example.test", Code: got, Password: "short"}), "password")
		if err := w.ResetPassword(ctx, account.Reset{Login: "Wang@example.test", Code: got, Password: "another horse"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Authenticate(ctx, sess.Token, 0); fault.KindOf(err) != fault.Unauthenticated {
			t.Fatalf("the old session: %v", err)
		}
		if l := w.post.last(t, "wang@example.test"); !strings.Contains(l.Title, "密码已重设") {
			t.Fatalf("%+v", l)
		}
		if _, err := w.guess("wang@example.test", "another horse", "192.0.2.1", ""); err != nil {
			t.Fatal(err)
		}
		if w.count("account.password_reset") != 1 {
			t.Fatal("not in the trail")
		}
	})
}

func TestChangingThePasswordEndsTheOthersAndRenewsThisSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTown(t, db, verified), t.Context()
		elsewhere := w.settle("wang@example.test", account.Personal)
		here, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.ChangePassword(ctx, here.Actor, account.PasswordChange{Current: wrongPassword, Next: "another horse"})
		wantField(t, err, "password")
		_, err = w.ChangePassword(ctx, here.Actor, account.PasswordChange{Current: rightPassword, Next: "1234567890"})
		wantField(t, err, "new_password")
		next, err := w.ChangePassword(ctx, here.Actor, account.PasswordChange{Current: rightPassword, Next: "another horse"})
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{"elsewhere": elsewhere.Token, "the token before": here.Token} {
			if _, err := w.Authenticate(ctx, token, 0); fault.KindOf(err) != fault.Unauthenticated {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if who, err := w.Authenticate(ctx, next.Token, 0); err != nil || who.SessionID != here.Actor.SessionID {
			t.Fatalf("%+v %v", who, err)
		}
		for range 5 {
			_, err = w.ChangePassword(ctx, here.Actor, account.PasswordChange{Current: wrongPassword, Next: "one more horse"})
		}
		if _, err = w.ChangePassword(ctx, here.Actor, account.PasswordChange{Current: wrongPassword, Next: "one more horse"}); code(err) != "account_locked" {
			t.Fatalf("guessing the password from a stolen session: %v", err)
		}
	})
}

func TestDevicesAreListedAndSignedOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTown(t, db, verified), t.Context()
		stranger := w.settle("li@example.test", account.Personal)
		who, err := w.Seed(ctx, account.Registration{Login: "wang@example.test", Password: rightPassword, Name: "王五", Kind: account.Personal})
		if err != nil {
			t.Fatal(err)
		}
		var all []account.Session
		for _, agent := range []string{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0", "Mozilla/5.0 (Windows NT 10.0) Chrome/143 Safari/537", "curl/8"} {
			w.wall.Advance(time.Minute)
			sess, err := w.SessionFor(ctx, who, "192.0.2.1", agent)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sess)
		}
		me := all[1].Actor
		list, err := w.Devices(ctx, me)
		if err != nil || len(list) != 3 || list[0].Device != "curl" || list[1].Device != "Chrome · Windows" || !list[1].Current || list[2].Device != "微信 · iPhone" || list[2].Current {
			t.Fatalf("%+v %v", list, err)
		}
		if err := w.SignOut(ctx, me, stranger.Actor.SessionID); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("a session of others: %v", err)
		}
		if err := w.SignOut(ctx, me, all[0].Actor.SessionID); err != nil {
			t.Fatal(err)
		}
		if n, err := w.SignOutOthers(ctx, me); err != nil || n != 1 {
			t.Fatalf("%d %v", n, err)
		}
		if list, err := w.Devices(ctx, me); err != nil || len(list) != 1 || !list[0].Current {
			t.Fatalf("%+v %v", list, err)
		}
		if _, err := w.Authenticate(ctx, stranger.Token, 0); err != nil {
			t.Fatalf("others stay: %v", err)
		}
		me.SessionID = 0 // an API token's actor
		if _, err := w.Devices(ctx, me); code(err) != "login_session_needed" {
			t.Fatal(err)
		}
	})
}

func TestDangerousActsAskForThePasswordAgain(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), verified), t.Context()
	sess := w.settle("wang@example.test", account.Personal)
	if err := w.Fresh(ctx, sess.Actor); err != nil {
		t.Fatalf("right after the login: %v", err)
	}
	w.wall.Advance(10*time.Minute + time.Second)
	if _, err := w.SendLoginCode(ctx, sess.Actor, "li@example.test", "192.0.2.1", account.CaptchaAnswer{}); code(err) != "password_required" {
		t.Fatal(err)
	}
	_, err := w.Confirm(ctx, sess.Actor, wrongPassword)
	wantField(t, err, "password")
	next, err := w.Confirm(ctx, sess.Actor, rightPassword)
	if err != nil || next.Token == sess.Token {
		t.Fatalf("the session goes on under a new token: %v", err)
	}
	if _, err := w.Authenticate(ctx, sess.Token, 0); fault.KindOf(err) != fault.Unauthenticated {
		t.Fatalf("the token before: %v", err)
	}
	if err := w.Fresh(ctx, next.Actor); err != nil {
		t.Fatal(err)
	}
}

func TestALoginChangesByTheCodeThatTheNewOneGot(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTown(t, db, verified), t.Context()
		sess := w.settle("wang@example.test", account.Personal)
		w.settle("taken@example.test", account.Personal)
		send := func(to string) error {
			w.wall.Advance(time.Minute)
			_, err := w.SendLoginCode(ctx, sess.Actor, to, "192.0.2.1", account.CaptchaAnswer{})
			return err
		}
		wantField(t, send("wang@example.test"), "login")
		if err := send("taken@example.test"); err != nil {
			t.Fatalf("a taken one must look like any other: %v", err)
		}
		if l := w.post.last(t, "taken@example.test"); l.Code != "" {
			t.Fatalf("%+v", l)
		}
		_, err := w.ChangeLogin(ctx, sess.Actor, "taken@example.test", "123456")
		wantField(t, err, "code")
		if err := send("new@example.test"); err != nil {
			t.Fatal(err)
		}
		got := w.post.last(t, "new@example.test").Code
		_, err = w.ChangeLogin(ctx, sess.Actor, "third@example.test", got)
		wantField(t, err, "code")
		next, err := w.ChangeLogin(ctx, sess.Actor, "New@example.test", got)
		if err != nil {
			t.Fatal(err)
		}
		if who, err := w.Authenticate(ctx, next.Token, 0); err != nil || who.Login != "new@example.test" {
			t.Fatalf("%+v %v", who, err)
		}
		if l := w.post.last(t, "wang@example.test"); !strings.Contains(l.Text, "n***@example.test") {
			t.Fatalf("the old address is told: %+v", l)
		}
		if _, err := w.guess("new@example.test", rightPassword, "192.0.2.1", ""); err != nil {
			t.Fatal(err)
		}
	})
}

func TestANoticeThatCannotGoOutIsInTheTrail(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), verified), t.Context()
	sess := w.settle("wang@example.test", account.Personal)
	w.post.broken = errPost
	if _, err := w.ChangePassword(ctx, sess.Actor, account.PasswordChange{Current: rightPassword, Next: "another horse"}); err != nil {
		t.Fatalf("the change stands: %v", err)
	}
	if w.count("account.notice") != 1 {
		t.Fatal("nobody learns that the owner was not told")
	}
}

func TestPruneForgetsWhatHasEnded(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), verified), t.Context()
	w.settle("wang@example.test", account.Personal)
	if err := w.ask(account.ForReset, "wang@example.test", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		_, _ = w.guess("wang@example.test", wrongPassword, "192.0.2.1", "")
	}
	if n, err := w.Prune(ctx); err != nil || n != 0 {
		t.Fatalf("%d %v", n, err)
	}
	w.wall.Advance(15 * 24 * time.Hour)
	if n, err := w.Prune(ctx); err != nil || n < 6 {
		t.Fatalf("%d %v", n, err)
	}
	for _, table := range []string{"login_session", "login_code", "captcha_used", "throttle"} {
		if n, err := w.db.Int(ctx, "SELECT COUNT(*) FROM "+table); err != nil || n != 0 {
			t.Fatalf("%s: %d %v", table, n, err)
		}
	}
}

// TestTokensEndWithAPasswordWhereAskedFor changes and resets passwords: a reset ends the tokens of every space unless it is
// told not to, a change only when it is told to; what was refused ends none, and other people's stay.
func TestTokensEndWithAPasswordWhereAskedFor(t *testing.T) {
	const login = "wang@example.test"
	change := func(current string, end bool) func(*town, account.Session) error {
		return func(w *town, me account.Session) error {
			_, err := w.ChangePassword(t.Context(), me.Actor, account.PasswordChange{Current: current, Next: "another horse", EndTokens: end})
			return err
		}
	}
	reset := func(keep, right bool) func(*town, account.Session) error {
		return func(w *town, _ account.Session) error {
			if err := w.ask(account.ForReset, login, "192.0.2.1"); err != nil {
				return err
			}
			sent := w.post.last(t, login).Code
			if !right {
				sent = other(sent)
			}
			return w.ResetPassword(t.Context(), account.Reset{Login: login, Code: sent, Password: "another horse", KeepTokens: keep})
		}
	}
	for _, c := range []struct {
		name    string
		act     func(*town, account.Session) error
		refused bool
		ended   bool
	}{
		{"a change", change(rightPassword, false), false, false},
		{"a change that ends them", change(rightPassword, true), false, true},
		{"a change with a wrong password", change(wrongPassword, true), true, false},
		{"a reset", reset(false, true), false, true},
		{"a reset that keeps them", reset(true, true), false, false},
		{"a reset with a wrong code", reset(false, false), true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w, ctx := newTown(t, db, verified), t.Context()
				tokens := account.NewTokens(db, trail.New(db, w.wall), w.Service)
				me, stranger := w.settle(login, account.Personal), w.settle("li@example.test", account.Personal)
				secret := map[int64]string{}
				for _, who := range []account.Actor{me.Actor, stranger.Actor} {
					_, s, err := tokens.Create(ctx, who, account.TokenRequest{Name: "部署", Scopes: []string{"miniprogram.read"}, Days: 30})
					if err != nil {
						t.Fatal(err)
					}
					secret[who.AccountID] = s
				}
				if n, err := w.LiveTokens(ctx, me.Actor); err != nil || n != 1 {
					t.Fatalf("%d tokens, %v", n, err)
				}
				if err := c.act(w, me); (err != nil) != c.refused {
					t.Fatal(err)
				}
				_, err := tokens.Authenticate(ctx, secret[me.Actor.AccountID], "192.0.2.1", 0)
				if ended := fault.KindOf(err) == fault.Unauthenticated; ended != c.ended {
					t.Errorf("ended: %v, want %v (%v)", ended, c.ended, err)
				}
				if told := !c.refused && strings.Contains(w.post.last(t, login).Text, "1 个 API 令牌已停用"); told != c.ended {
					t.Errorf("the owner was told of the tokens: %v, want %v", told, c.ended)
				}
				if _, err := tokens.Authenticate(ctx, secret[stranger.Actor.AccountID], "192.0.2.1", 0); err != nil {
					t.Errorf("somebody else's token: %v", err)
				}
			})
		})
	}
}
