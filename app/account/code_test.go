package account_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func (w *town) ask(p account.Purpose, login, ip string) error {
	w.t.Helper()
	_, err := w.SendCode(w.t.Context(), account.CodeRequest{Login: login, Purpose: p, IP: ip})
	return err
}

func TestRegisteringTakesTheCodeThatWasSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := newTown(t, db, verified), t.Context()
		r := wang()
		_, err := w.Register(ctx, r)
		wantField(t, err, "code")
		if err := w.ask(account.ForRegister, r.Login, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		l := w.post.last(t, "wang@example.test")
		if len(l.Code) != 6 || !strings.Contains(l.Text, l.Code) {
			t.Fatalf("%+v", l)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM login_code WHERE code_hash=? OR code_hash LIKE ?", l.Code, "%"+l.Code+"%"); err != nil || n != 0 {
			t.Fatal("the code itself is in the database", err)
		}
		r.Code = l.Code[:3] + " " + l.Code[3:] // as people copy it
		if _, err := w.Register(ctx, r); err != nil {
			t.Fatal(err)
		}
		r.Login = "other@example.test"
		_, err = w.Register(ctx, r)
		wantField(t, err, "code") // somebody else's code
	})
}

func TestACodeEndsAfterItsUseItsTimeAndItsTries(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), verified), t.Context()
	w.settle("wang@example.test", account.Personal)
	reset := func(code string) error {
		return w.ResetPassword(ctx, account.Reset{Login: "wang@example.test", Code: code, Password: "another horse"})
	}
	send := func() string {
		w.wall.Advance(time.Minute)
		if err := w.ask(account.ForReset, "wang@example.test", "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		return w.post.last(t, "wang@example.test").Code
	}
	first := send()
	second := send()
	if first != second {
		wantField(t, reset(first), "code") // only the newest works
	}
	if err := reset(second); err != nil {
		t.Fatal(err)
	}
	wantField(t, reset(second), "code") // once
	third := send()
	w.wall.Advance(10*time.Minute + time.Second)
	wantField(t, reset(third), "code")
	w.wall.Advance(time.Hour)
	fourth := send()
	for range 5 {
		wantField(t, reset(other(fourth)), "code")
	}
	wantField(t, reset(fourth), "code") // the sixth look, though it is right
}

// other is a code that differs.
func other(code string) string {
	if code == "000000" {
		return "111111"
	}
	return "000000"
}

func TestCodesGuessedAtTheSameTimeShareFiveTries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, verified)
		w.settle("wang@example.test", account.Personal)
		if err := w.ask(account.ForReset, "wang@example.test", "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		right := w.post.last(t, "wang@example.test").Code
		const guesses = 20
		done := make(chan error, guesses)
		for range guesses {
			go func() {
				done <- w.ResetPassword(t.Context(), account.Reset{Login: "wang@example.test", Code: other(right), Password: "another horse"})
			}()
		}
		for range guesses {
			wantField(t, <-done, "code")
		}
		if n, err := db.Int(t.Context(), "SELECT tries FROM login_code"); err != nil || n != 5 {
			t.Fatalf("%d looks at one code, %v", n, err)
		}
		wantField(t, w.ResetPassword(t.Context(), account.Reset{Login: "wang@example.test", Code: right, Password: "another horse"}), "code")
	})
}

func TestOneCodeUsedTwiceAtOnceOpensOneAccount(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, verified)
		r := wang()
		if err := w.ask(account.ForRegister, r.Login, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
		r.Code = w.post.last(t, "wang@example.test").Code
		done := make(chan error, 4)
		for range 4 {
			go func() { _, err := w.Register(t.Context(), r); done <- err }()
		}
		good := 0
		for range 4 {
			if <-done == nil {
				good++
			}
		}
		if good != 1 {
			t.Fatalf("%d accounts", good)
		}
	})
}

func TestCodesAreSentSeldom(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	for i := range 5 {
		if err := w.ask(account.ForRegister, "wang@example.test", fmt.Sprintf("192.0.2.%d", i)); err != nil {
			t.Fatal(err)
		}
		if err := w.ask(account.ForRegister, "wang@example.test", "192.0.2.99"); code(err) != "code_too_often" || !strings.Contains(err.Error(), "秒") {
			t.Fatalf("at once again: %v", err)
		}
		w.wall.Advance(time.Minute)
	}
	if err := w.ask(account.ForReset, "wang@example.test", "192.0.2.98"); code(err) != "code_too_often" || !strings.Contains(err.Error(), "分钟") {
		t.Fatalf("the sixth in an hour: %v", err)
	}
	w.wall.Advance(time.Hour)
	if err := w.ask(account.ForRegister, "wang@example.test", "192.0.2.98"); err != nil {
		t.Fatalf("an hour later: %v", err)
	}
}

func TestAnAddressThatSendsManyCodesSeesCaptchasThenAnEnd(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	send := func(i int, c account.CaptchaAnswer) string {
		// IPv6 of one customer: another address of the same /64 each time.
		_, err := w.SendCode(t.Context(), account.CodeRequest{Login: fmt.Sprintf("p%d@example.test", i), Purpose: account.ForRegister, IP: fmt.Sprintf("2001:db8:1:2::%x", i+1), Captcha: c})
		return code(err)
	}
	for i := range 3 {
		if got := send(i, account.CaptchaAnswer{}); got != "" {
			t.Fatal(got)
		}
	}
	if got := send(3, account.CaptchaAnswer{}); got != "captcha_required" {
		t.Fatal(got)
	}
	for i := 3; i < 20; i++ {
		if got := send(i, w.read()); got != "" {
			t.Fatalf("%d: %s", i, got)
		}
	}
	if got := send(20, w.read()); got != "code_too_often" {
		t.Fatalf("the twenty-first: %s", got)
	}
	if _, err := w.SendCode(t.Context(), account.CodeRequest{Login: "q@example.test", Purpose: account.ForRegister, IP: "2001:db8:1:3::1"}); err != nil {
		t.Fatalf("a neighbour: %v", err)
	}
}

func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), verified), t.Context()
	w.settle("known@example.test", account.Personal)
	for _, p := range []account.Purpose{account.ForRegister, account.ForReset} {
		a, errA := w.SendCode(ctx, account.CodeRequest{Login: "known@example.test", Purpose: p, IP: "192.0.2.1"})
		b, errB := w.SendCode(ctx, account.CodeRequest{Login: "nobody@example.test", Purpose: p, IP: "192.0.2.2"})
		if errA != nil || errB != nil || a.ResendAt != b.ResendAt {
			t.Fatalf("%s: %+v %v, %+v %v", p, a, errA, b, errB)
		}
		w.wall.Advance(time.Minute)
	}
	if l := w.post.letters[0]; l.Code != "" || !strings.Contains(l.Text, "该账号已注册") {
		t.Fatalf("the owner of a taken login is told: %+v", l)
	}
	if l := w.post.letters[3]; l.Code != "" || !strings.Contains(l.Text, "还没有注册") {
		t.Fatalf("whoever has no account is told: %+v", l)
	}
	var said []string
	for _, login := range []string{"known@example.test", "nobody@example.test"} {
		r := wang()
		r.Login, r.Code = login, "123456"
		_, err := w.Register(ctx, r)
		e := w.ResetPassword(ctx, account.Reset{Login: login, Code: "123456", Password: "another horse"})
		said = append(said, fault.From(err).Error()+fault.From(e).Error())
	}
	if said[0] != said[1] {
		t.Fatalf("known: %s\nunknown: %s", said[0], said[1])
	}
}

func TestALetterThatCannotGoOutIsSaidAndMayBeTriedAgain(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	w.post.broken = errPost
	if err := w.ask(account.ForRegister, "wang@example.test", "192.0.2.1"); fault.KindOf(err) != fault.Unavailable {
		t.Fatal(err)
	}
	w.post.broken = nil
	if err := w.ask(account.ForRegister, "wang@example.test", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	wantField(t, w.ask(account.ForRegister, "13800000000", "192.0.2.1"), "login") // no SMS here
	wantField(t, w.ask(account.ForRegister, "nonsense", "192.0.2.1"), "login")
	wantField(t, w.ask(account.ForLogin, "li@example.test", "192.0.2.1"), "purpose")
	if hint := w.LoginHint(); hint != "邮箱" {
		t.Fatal(hint)
	}
	w.post.phones = true
	if hint := w.LoginHint(); hint != "邮箱或手机号" {
		t.Fatal(hint)
	}
	if err := w.ask(account.ForRegister, "+86 13800000000", "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
}

func TestAnAddressOpensTwentyAccountsAnHour(t *testing.T) {
	w, ctx := newTown(t, storetest.Open(t), account.Rules{}), t.Context()
	open := func(i int) error {
		r := wang()
		r.Login, r.IP = fmt.Sprintf("p%d@example.test", i), "192.0.2.1"
		_, err := w.Register(ctx, r)
		return err
	}
	for i := range 20 {
		if err := open(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := open(20); code(err) != "register_too_often" {
		t.Fatal(err)
	}
	w.wall.Advance(time.Hour)
	if err := open(20); err != nil {
		t.Fatal(err)
	}
	if err := open(20); code(err) != "login_taken" { // told openly only where nobody proves a login
		t.Fatal(err)
	}
}
