package account_test

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// post is a sender that keeps its letters. It reaches mail only, unless told otherwise.
type post struct {
	mu      sync.Mutex
	letters []account.Letter
	phones  bool
	broken  error
}

func (p *post) Reaches(login string) bool { return p.phones || strings.Contains(login, "@") }

func (p *post) Send(_ context.Context, l account.Letter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return p.broken
	}
	p.letters = append(p.letters, l)
	return nil
}

func (p *post) last(t *testing.T, to string) account.Letter {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.letters) - 1; i >= 0; i-- {
		if p.letters[i].To == to {
			return p.letters[i]
		}
	}
	t.Fatalf("no letter went to %s", to)
	return account.Letter{}
}

// town is the service with a vault, a post office and a clock that the test moves.
type town struct {
	*account.Service
	t     *testing.T
	db    *store.DB
	post  *post
	wall  *clock.Manual
	vault *secret.Vault
}

func newTown(t *testing.T, db *store.DB, rules account.Rules) *town {
	t.Helper()
	vault, err := secret.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	w := &town{t: t, db: db, post: &post{}, wall: clock.Fixed(time.UnixMilli(1_760_000_000_000)), vault: vault}
	w.Service = account.New(db, w.wall, trail.New(db, w.wall), account.WithVault(vault), account.WithSender(w.post), account.WithRules(rules), account.WithWallClock(w.wall))
	return w
}

const (
	rightPassword = "correct horse"
	wrongPassword = "wrong password"
)

// settle seeds an account and gives a session of it.
func (w *town) settle(login string, kind account.Kind) account.Session {
	w.t.Helper()
	who, err := w.Seed(w.t.Context(), account.Registration{Login: login, Password: rightPassword, Name: "王五", Kind: kind, SpaceName: "空间"})
	if err != nil {
		w.t.Fatal(err)
	}
	sess, err := w.SessionFor(w.t.Context(), who, "192.0.2.1", "test")
	if err != nil {
		w.t.Fatal(err)
	}
	return sess
}

// guess logs in; a captcha is solved when asked for.
func (w *town) guess(login, password, ip, device string) (account.Session, error) {
	w.t.Helper()
	c := account.Credentials{Login: login, Password: password, IP: ip, Device: device}
	sess, err := w.Login(w.t.Context(), c)
	if fault.From(err) != nil && fault.From(err).Code == "captcha_required" {
		c.Captcha = w.read()
		sess, err = w.Login(w.t.Context(), c)
	}
	return sess, err
}

// read makes a captcha and reads it as only somebody with the keys can.
func (w *town) read() account.CaptchaAnswer {
	w.t.Helper()
	c, err := w.NewCaptcha()
	if err != nil {
		w.t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(c.Token)
	if err != nil {
		w.t.Fatal(err)
	}
	plain, err := w.vault.OpenString("captcha", base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		w.t.Fatal(err)
	}
	_, digits, _ := strings.Cut(plain, `"d":"`)
	return account.CaptchaAnswer{Token: c.Token, Digits: digits[:5]}
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.From(err).Code
}

// wantField checks that an error is the refusal of one field.
func wantField(t *testing.T, err error, field string) {
	t.Helper()
	f := fault.From(err)
	if f == nil || len(f.Fields) != 1 || f.Fields[0].Name != field {
		t.Fatalf("got %v, want the field %s refused", err, field)
	}
}

// count counts the trail's entries of an act.
func (w *town) count(act string) int64 {
	w.t.Helper()
	n, err := w.db.Int(w.t.Context(), "SELECT COUNT(*) FROM trail WHERE act=?", act)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

var verified = account.Rules{VerifyLogins: true}

var errPost = errors.New("the post office is closed")
