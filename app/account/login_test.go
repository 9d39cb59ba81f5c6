package account_test

import (
	"fmt"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestFailuresAskForACaptchaThenMakeTheLoginWaitLongerEachTime(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	w.settle("wang@example.test", account.Personal)
	for _, login := range []string{"wang@example.test", "nobody@example.test"} { // both alike
		ctx := t.Context()
		for range 3 {
			if _, err := w.Login(ctx, account.Credentials{Login: login, Password: wrongPassword, IP: "192.0.2.1"}); code(err) != "bad_credentials" {
				t.Fatalf("%s: %v", login, err)
			}
		}
		if _, err := w.Login(ctx, account.Credentials{Login: login, Password: rightPassword, IP: "192.0.2.1"}); code(err) != "captcha_required" {
			t.Fatalf("%s, the fourth: %v", login, err)
		}
		waits := []time.Duration{0, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute}
		for i, d := range waits {
			if _, err := w.guess(login, wrongPassword, fmt.Sprintf("192.0.2.%d", 10+i), ""); code(err) != "bad_credentials" {
				t.Fatalf("%s, guess %d: %v", login, i, err)
			}
			if d == 0 {
				continue
			}
			w.wall.Advance(d - time.Second)
			if _, err := w.guess(login, rightPassword, "192.0.2.1", ""); code(err) != "account_locked" {
				t.Fatalf("%s, a second before %v are over: %v", login, d, err)
			}
			w.wall.Advance(time.Second)
		}
	}
	if _, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", ""); err != nil {
		t.Fatalf("the right password after the wait: %v", err)
	}
	if _, err := w.Login(t.Context(), account.Credentials{Login: "wang@example.test", Password: wrongPassword, IP: "198.51.100.1"}); code(err) != "bad_credentials" {
		t.Fatalf("a right password takes the count back: %v", err)
	}
}

func TestGuessesSentAtTheSameTimeAreCountedBeforeTheyAreMade(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, verified)
		w.settle("wang@example.test", account.Personal)
		const guesses = 24
		answers := make(chan string, guesses)
		for range guesses {
			go func() {
				_, err := w.Login(t.Context(), account.Credentials{Login: "wang@example.test", Password: wrongPassword, IP: "192.0.2.1"})
				answers <- code(err)
			}()
		}
		got := map[string]int{}
		for range guesses {
			got[<-answers]++
		}
		if got["bad_credentials"] != 3 || got["captcha_required"] != guesses-3 {
			t.Fatalf("guesses answered: %v, want 3 looked at and the others refused", got)
		}
	})
}

func TestCaptchasSolvedTogetherDoNotOutrunTheLock(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, verified)
		w.settle("wang@example.test", account.Personal)
		const guesses = 16
		answers := make(chan string, guesses)
		read := make([]account.CaptchaAnswer, guesses)
		for i := range read {
			read[i] = w.read()
		}
		for i := range guesses {
			go func() {
				_, err := w.Login(t.Context(), account.Credentials{Login: "wang@example.test", Password: wrongPassword, IP: fmt.Sprintf("192.0.2.%d", i), Captcha: read[i]})
				answers <- code(err)
			}()
		}
		got := map[string]int{}
		for range guesses {
			got[<-answers]++
		}
		if got["bad_credentials"] != 5 || got["account_locked"] != guesses-5 {
			t.Fatalf("guesses answered: %v, want 5 looked at and the others locked out", got)
		}
	})
}

func TestAnOfficeBehindOneAddressIsNeverLockedOut(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	const office, people = "203.0.113.7", 50
	for i := range people {
		w.settle(fmt.Sprintf("p%d@example.test", i), account.Personal)
	}
	for i := range 40 { // one of them, or a bot among them, tries what it can
		if _, err := w.guess(fmt.Sprintf("p%d@example.test", i%4), wrongPassword, office, ""); code(err) != "bad_credentials" && code(err) != "account_locked" {
			t.Fatalf("%v", err)
		}
	}
	for i := 4; i < people; i++ {
		login := fmt.Sprintf("p%d@example.test", i)
		if _, err := w.Login(t.Context(), account.Credentials{Login: login, Password: rightPassword, IP: office}); code(err) != "captcha_required" {
			t.Fatalf("%s without captcha: %v", login, err)
		}
		if _, err := w.guess(login, rightPassword, office, ""); err != nil {
			t.Fatalf("%s cannot log in: %v", login, err)
		}
	}
	if _, err := w.Login(t.Context(), account.Credentials{Login: "p9@example.test", Password: rightPassword, IP: "198.51.100.9"}); err != nil {
		t.Fatalf("elsewhere: %v", err)
	}
}

func TestStrangersGuessesDoNotLockTheOwnersDeviceOut(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	w.settle("wang@example.test", account.Personal)
	w.settle("li@example.test", account.Personal)
	mine, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", "")
	if err != nil || mine.Device == "" {
		t.Fatalf("%+v %v", mine, err)
	}
	other, err := w.guess("li@example.test", rightPassword, "198.51.100.1", "")
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		_, _ = w.guess("wang@example.test", wrongPassword, "198.51.100.1", other.Device) // a device of somebody else counts as none
	}
	if _, err := w.guess("wang@example.test", rightPassword, "192.0.2.9", ""); code(err) != "account_locked" {
		t.Fatalf("a strange device: %v", err)
	}
	for _, forged := range []string{mine.Device + "x", "x" + mine.Device, "abc~1.AAAA"} {
		if _, err := w.guess("wang@example.test", rightPassword, "192.0.2.9", forged); code(err) != "account_locked" {
			t.Fatalf("a forged device: %v", err)
		}
	}
	if _, err := w.Login(t.Context(), account.Credentials{Login: "wang@example.test", Password: rightPassword, IP: "192.0.2.1", Device: mine.Device}); err != nil {
		t.Fatalf("the owner's own device: %v", err)
	}
	for range 5 {
		_, _ = w.guess("wang@example.test", wrongPassword, "192.0.2.1", mine.Device)
	}
	if _, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", mine.Device); code(err) != "account_locked" {
		t.Fatalf("a stolen device is counted too: %v", err)
	}
}

func TestAnUnknownLoginTakesAsLongAsAKnownOne(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	best := map[string]time.Duration{"known": time.Hour, "unknown": time.Hour}
	for i := range 6 {
		w.settle(fmt.Sprintf("known%d@example.test", i), account.Personal)
		for range 3 { // the captcha would come after the third
			for kind := range best {
				began := time.Now()
				_, err := w.Login(t.Context(), account.Credentials{Login: fmt.Sprintf("%s%d@example.test", kind, i), Password: wrongPassword, IP: fmt.Sprintf("192.0.2.%d", i)})
				if code(err) != "bad_credentials" {
					t.Fatal(err)
				}
				best[kind] = min(best[kind], time.Since(began))
			}
		}
	}
	// Looking at no password at all would be ten times as fast; a busy machine makes both uneven.
	if best["unknown"] < best["known"]/3 || best["known"] < best["unknown"]/3 {
		t.Fatalf("%v", best)
	}
}

func TestACaptchaIsGoodForOneAnswerOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newTown(t, db, verified)
		w.settle("wang@example.test", account.Personal)
		for range 3 {
			_, _ = w.guess("wang@example.test", wrongPassword, "192.0.2.1", "")
		}
		try := func(c account.CaptchaAnswer) string {
			_, err := w.Login(t.Context(), account.Credentials{Login: "wang@example.test", Password: wrongPassword, IP: "192.0.2.1", Captcha: c})
			return code(err)
		}
		read := w.read()
		wrong := account.CaptchaAnswer{Token: read.Token, Digits: "x"}
		late := w.read()
		if got := try(wrong); got != "captcha_wrong" {
			t.Fatalf("wrong digits: %s", got)
		}
		if got := try(read); got != "captcha_wrong" {
			t.Fatalf("a second answer to the same captcha: %s", got)
		}
		if got := try(w.read()); got != "bad_credentials" {
			t.Fatalf("right digits: %s", got)
		}
		w.wall.Advance(11 * time.Minute)
		if got := try(late); got != "captcha_wrong" {
			t.Fatalf("too late: %s", got)
		}
		if got := try(account.CaptchaAnswer{Token: "bm9uc2Vuc2U", Digits: "12345"}); got != "captcha_wrong" {
			t.Fatalf("a made-up token: %s", got)
		}
	})
}

func TestACaptchaCanBeHeard(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	c, err := w.NewCaptcha()
	if err != nil || len(c.PNG) < 500 || string(c.PNG[1:4]) != "PNG" {
		t.Fatalf("%d bytes %v", len(c.PNG), err)
	}
	sound, err := w.CaptchaSound(c.Token)
	if err != nil || len(sound) < 10_000 || string(sound[:4]) != "RIFF" {
		t.Fatalf("%d bytes %v", len(sound), err)
	}
	if _, err := w.CaptchaSound("bm9uc2Vuc2U"); fault.KindOf(err) != fault.NotFound {
		t.Fatal(err)
	}
}

func TestALoginAlwaysGetsANewToken(t *testing.T) {
	w := newTown(t, storetest.Open(t), verified)
	w.settle("wang@example.test", account.Personal)
	seen := map[string]bool{}
	for range 3 {
		sess, err := w.guess("wang@example.test", rightPassword, "192.0.2.1", "")
		if err != nil || seen[sess.Token] {
			t.Fatalf("%v, seen before: %v", err, seen[sess.Token])
		}
		seen[sess.Token] = true
	}
}
