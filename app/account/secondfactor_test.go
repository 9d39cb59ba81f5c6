package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// authenticator is somebody's phone.
type authenticator struct {
	w      *town
	secret string
}

func (a authenticator) at(ahead time.Duration) string {
	a.w.t.Helper()
	code, err := totp.GenerateCode(a.secret, a.w.wall.Now().Add(ahead))
	if err != nil {
		a.w.t.Fatal(err)
	}
	return code
}

// protect turns the second factor on.
func (w *town) protect(sess account.Session) (account.Session, authenticator, []string) {
	w.t.Helper()
	setup, err := w.BeginSecondFactor(w.t.Context(), sess.Actor)
	if err != nil {
		w.t.Fatal(err)
	}
	phone := authenticator{w, setup.Secret}
	next, codes, err := w.EnableSecondFactor(w.t.Context(), sess.Actor, phone.at(0))
	if err != nil {
		w.t.Fatal(err)
	}
	w.wall.Advance(time.Minute)
	return next, phone, codes
}

// pending types the right password.
func (w *town) pending() string {
	w.t.Helper()
	sess, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", "")
	if err != nil || sess.SecondFactor == "" || sess.Token != "" || sess.Actor.AccountID != 0 {
		w.t.Fatalf("a password alone gives %+v %v", sess, err)
	}
	return sess.SecondFactor
}

func (w *town) finish(pending, code string) (account.Session, error) {
	return w.FinishLogin(w.t.Context(), account.SecondStep{SecondFactor: pending, Code: code, IP: "192.0.2.1"})
}

func TestSettingUpASecondFactor(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTown(t, db, verified), t.Context()
		elsewhere := w.settle("wang@example.test", account.Personal)
		sess, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", "")
		if err != nil {
			t.Fatal(err)
		}
		setup, err := w.BeginSecondFactor(ctx, sess.Actor)
		if err != nil || len(setup.Secret) != 32 || !strings.HasPrefix(setup.URI, "otpauth://totp/MiniFleet:wang@example.test?") {
			t.Fatalf("%+v %v", setup, err)
		}
		if again, err := w.BeginSecondFactor(ctx, sess.Actor); err != nil || again != setup {
			t.Fatalf("a page loaded again shows the same: %+v %v", again, err)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM second_factor WHERE secret LIKE ?", "%"+setup.Secret+"%"); err != nil || n != 0 {
			t.Fatal("the secret is in the database in clear", err)
		}
		_, _, err = w.EnableSecondFactor(ctx, sess.Actor, "abc")
		wantField(t, err, "code")
		if login, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", ""); err != nil || login.Token == "" {
			t.Fatalf("not asked for before it is confirmed: %v", err)
		}
		phone := authenticator{w, setup.Secret}
		next, codes, err := w.EnableSecondFactor(ctx, sess.Actor, phone.at(0))
		if err != nil || len(codes) != 10 {
			t.Fatalf("%v %v", codes, err)
		}
		for name, token := range map[string]string{"elsewhere": elsewhere.Token, "the token before": sess.Token} {
			if _, err := w.Authenticate(ctx, token, 0); fault.KindOf(err) != fault.Unauthenticated {
				t.Fatalf("%s: %v", name, err)
			}
		}
		state, err := w.SecondFactor(ctx, next.Actor)
		if err != nil || !state.On || state.RecoveryCodes != 10 || state.Required {
			t.Fatalf("%+v %v", state, err)
		}
		if _, err := w.BeginSecondFactor(ctx, next.Actor); code(err) != "second_factor_on" {
			t.Fatalf("the secret is never shown again: %v", err)
		}
		if l := w.post.last(t, "wang@example.test"); !strings.Contains(l.Title, "两步验证已开启") {
			t.Fatalf("%+v", l)
		}
	})
}

func TestACodeOfThePhoneWorksOnceAndOneStepAround(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, verified)
		_, phone, _ := w.protect(w.settle("wang@example.test", account.Personal))
		now := phone.at(0)
		if _, err := w.finish(w.pending(), now); err != nil {
			t.Fatal(err)
		}
		_, err := w.finish(w.pending(), now)
		wantField(t, err, "code") // replayed
		_, err = w.finish(w.pending(), phone.at(-30*time.Second))
		wantField(t, err, "code") // older than one that was used
		if _, err := w.finish(w.pending(), phone.at(30*time.Second)); err != nil {
			t.Fatalf("a phone that is ahead: %v", err)
		}
		w.wall.Advance(5 * time.Minute)
		for _, off := range []time.Duration{-60 * time.Second, 60 * time.Second} {
			_, err = w.finish(w.pending(), phone.at(off))
			wantField(t, err, "code")
		}
		if _, err := w.finish(w.pending(), phone.at(-30*time.Second)); err != nil {
			t.Fatalf("a phone that is behind: %v", err)
		}
	})
}

func TestOneCodeSentManyTimesAtOnceOpensOneSession(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, verified)
		_, phone, codes := w.protect(w.settle("wang@example.test", account.Personal))
		for name, code := range map[string]string{"phone": phone.at(0), "recovery code": codes[0]} {
			var tokens [4]string
			for i := range tokens {
				tokens[i] = w.pending()
			}
			done := make(chan error, len(tokens))
			for _, token := range tokens {
				go func() { _, err := w.finish(token, code); done <- err }()
			}
			good := 0
			for range tokens {
				if <-done == nil {
					good++
				}
			}
			if good != 1 {
				t.Errorf("%s: %d sessions", name, good)
			}
		}
	})
}

func TestARecoveryCodeWorksOnceAndTellsTheOwner(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), verified), t.Context()
	sess, _, codes := w.protect(w.settle("wang@example.test", account.Personal))
	if _, err := w.finish(w.pending(), strings.ToLower(codes[3])); err != nil {
		t.Fatal(err)
	}
	if l := w.post.last(t, "wang@example.test"); !strings.Contains(l.Text, "还剩 9 个") {
		t.Fatalf("%+v", l)
	}
	_, err := w.finish(w.pending(), codes[3])
	wantField(t, err, "code") // stolen and used again
	fresh, err := w.NewRecoveryCodes(ctx, sess.Actor)
	if err != nil || len(fresh) != 10 {
		t.Fatal(fresh, err)
	}
	_, err = w.finish(w.pending(), codes[4])
	wantField(t, err, "code") // of the old list
	if _, err := w.finish(w.pending(), fresh[0]); err != nil {
		t.Fatal(err)
	}
	if w.count("account.recovery_used") != 2 {
		t.Fatal("not in the trail")
	}
}

func TestGuessingTheSecondFactorIsSlowHoweverOftenOneBegins(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	_, phone, _ := w.protect(w.settle("wang@example.test", account.Personal))
	wrong := other(phone.at(0))
	for range 5 {
		_, err := w.finish(w.pending(), wrong)
		wantField(t, err, "code")
	}
	if _, err := w.finish(w.pending(), phone.at(0)); code(err) != "account_locked" {
		t.Fatalf("a sixth guess on a fresh login: %v", err)
	}
	if w.count("account.second_factor_failed") != 5 {
		t.Fatal("nobody learns that the password is known")
	}
	late := w.pending()
	w.wall.Advance(30 * time.Second)
	if _, err := w.finish(late, phone.at(0)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.finish(late, phone.at(30*time.Second)); !errors.Is(err, account.ErrPendingGone) {
		t.Fatalf("a pending login opens one session: %v", err)
	}
	late = w.pending()
	w.wall.Advance(5*time.Minute + time.Second)
	if _, err := w.finish(late, phone.at(0)); !errors.Is(err, account.ErrPendingGone) {
		t.Fatalf("too late: %v", err)
	}
	if _, err := w.finish("made up", phone.at(0)); !errors.Is(err, account.ErrPendingGone) {
		t.Fatal(err)
	}
}

func TestTurningTheSecondFactorOffTakesPasswordAndCode(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTown(t, db, verified), t.Context()
		sess, phone, codes := w.protect(w.settle("wang@example.test", account.Personal))
		wantField(t, w.DisableSecondFactor(ctx, sess.Actor, wrongPassword, phone.at(0)), "password")
		wantField(t, w.DisableSecondFactor(ctx, sess.Actor, rightPassword, other(phone.at(0))), "code")
		if err := w.DisableSecondFactor(ctx, sess.Actor, rightPassword, phone.at(0)); err != nil {
			t.Fatal(err)
		}
		if login, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", ""); err != nil || login.Token == "" {
			t.Fatalf("%+v %v", login, err)
		}
		if _, err := w.NewRecoveryCodes(ctx, sess.Actor); code(err) != "second_factor_off" {
			t.Fatal(err)
		}
		_ = codes
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM recovery_code"); err != nil || n != 0 {
			t.Fatal("recovery codes outlive the second factor", n, err)
		}
	})
}

func TestAResetDoesNotGetAroundTheSecondFactor(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), verified), t.Context()
	w.protect(w.settle("wang@example.test", account.Personal))
	if err := w.ask(account.ForReset, "wang@example.test", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	held := w.pending()
	if err := w.ResetPassword(ctx, account.Reset{Login: "wang@example.test", Code: w.post.last(t, "wang@example.test").Code, Password: "another horse"}); err != nil {
		t.Fatal(err)
	}
	if sess, err := w.guess("wang@example.test", "another horse", "192.0.2.1", ""); err != nil || sess.SecondFactor == "" {
		t.Fatalf("%+v %v", sess, err)
	}
	if _, err := w.finish(held, "123456"); !errors.Is(err, account.ErrPendingGone) {
		t.Fatalf("a login begun with the old password: %v", err)
	}
}

func TestThePlatformMayAskItsPeopleForASecondFactor(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), account.Rules{OperatorsNeedSecondFactor: true}), t.Context()
	merchant := w.settle("m@example.test", account.Merchant)
	if _, err := w.Authenticate(ctx, merchant.Token, 0); err != nil {
		t.Fatalf("a merchant: %v", err)
	}
	op := w.settle("wang@example.test", account.Platform)
	who, err := w.Authenticate(ctx, op.Token, 0)
	if !errors.Is(err, account.ErrFactorNeeded) || who.AccountID == 0 {
		t.Fatalf("%+v %v", who, err)
	}
	if _, err := w.Actor(ctx, who.AccountID, who.SpaceID); !errors.Is(err, account.ErrFactorNeeded) {
		t.Fatalf("work of their tokens: %v", err)
	}
	next, phone, _ := w.protect(op)
	if _, err := w.Authenticate(ctx, next.Token, 0); err != nil {
		t.Fatal(err)
	}
	if err := w.DisableSecondFactor(ctx, next.Actor, rightPassword, phone.at(0)); code(err) != "second_factor_required" {
		t.Fatal(err)
	}
}
