package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"minifleet/app/fault"
	"minifleet/app/trail"
)

// pendingLife is how long a login waits for its second factor.
const pendingLife = 5 * time.Minute

// Credentials are what a person types to log in, and where from.
type Credentials struct {
	Login, Password string
	IP, UserAgent   string
	Device          string // the device cookie, may be empty
	Captcha         CaptchaAnswer
}

var errCredentials = fault.New(fault.Unauthenticated, "bad_credentials", "账号或密码不正确")

// Login checks the password. It opens a session with a new token, or names a pending login where the account has a second
// factor. A wrong password and an unknown login answer alike, take as long, and are counted alike: after captchaAfter
// failures a captcha is asked for, after lockAfter the login waits, longer each time. A device on which the login has
// succeeded before is counted apart, and an address is never locked: it only sees captchas after ipFailures.
func (s *Service) Login(ctx context.Context, c Credentials) (Session, error) {
	c.Login = NormalLogin(c.Login)
	if len(c.Password) > 1024 || len(c.Login) > 190 {
		return Session{}, errCredentials
	}
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT id, login, name, password_hash FROM account WHERE login=?", c.Login)
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	name := s.deviceCounter("login", c.Login, a.ID, c.Device)
	if err := s.admitGuess(ctx, name, c); err != nil {
		return Session{}, err
	}
	hash := nobodysHash
	if found {
		hash = a.PasswordHash
	}
	ok, err := s.verify(ctx, c.Password, hash)
	if err != nil {
		return Session{}, err
	}
	if !ok || !found {
		return Session{}, s.noteFailure(ctx, name, c, a)
	}
	if err := s.forgive(ctx, name); err != nil {
		return Session{}, err
	}
	on, err := s.hasSecondFactor(ctx, a.ID)
	if err != nil {
		return Session{}, err
	}
	if on {
		return s.hold(ctx, a)
	}
	return s.enter(ctx, a, c)
}

// admitGuess counts the attempt and asks for a captcha where one is due.
func (s *Service) admitGuess(ctx context.Context, name string, c Credentials) error {
	row, err := s.counter(ctx, counterOf("fail-ip", addressOf(c.IP)), s.wall.Now())
	if err != nil {
		return err
	}
	solved := false
	if row.Hits >= ipFailures {
		if err := s.solve(ctx, c.Captcha); err != nil {
			return err
		}
		solved = true
	}
	err = s.attempt(ctx, name, solved)
	if err != errCaptchaNeeded { //nolint:errorlint // the very value that attempt gives
		return err
	}
	if err := s.solve(ctx, c.Captcha); err != nil {
		return err
	}
	return s.attempt(ctx, name, true)
}

// noteFailure counts a failure of the address and records one that locks, once for each lock.
func (s *Service) noteFailure(ctx context.Context, name string, c Credentials, a accountRow) error {
	if _, err := s.take(ctx, counterOf("fail-ip", addressOf(c.IP)), 1<<30, ipWindow); err != nil {
		return err
	}
	row, err := s.counter(ctx, name, s.wall.Now())
	if err != nil {
		return err
	}
	if row.Hits < lockAfter {
		return errCredentials
	}
	// Recorded for unknown logins too, without the login: what is written must not take longer for a known one.
	err = s.trail.Record(ctx, trail.Entry{AccountID: a.ID, Actor: a.Name, Act: "account.locked", Object: trim(c.IP, 64), Outcome: trail.Failed})
	if err != nil {
		return err
	}
	return errCredentials
}

// hold keeps a login whose password was right until its second factor comes.
func (s *Service) hold(ctx context.Context, a accountRow) (Session, error) {
	token, until := rand.Text()+rand.Text(), s.wall.Now().Add(pendingLife)
	err := s.db.Insert(ctx, "login_pending", map[string]any{"id": s.db.NewID(), "token_hash": tokenHash(token), "account_id": a.ID, "expires_at": until.UnixMilli()})
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	return Session{SecondFactor: token, ExpiresAt: until}, nil
}

// SecondStep is the second half of a login.
type SecondStep struct {
	SecondFactor  string // what Login gave
	Code          string // six digits of the authenticator, or a recovery code
	IP, UserAgent string
	Device        string
}

// ErrPendingGone answers a second step that comes too late or twice: the login begins anew.
var ErrPendingGone = fault.New(fault.Unauthenticated, "second_factor_expired", "登录已超时，请重新输入密码")

// FinishLogin ends a pending login with its second factor.
func (s *Service) FinishLogin(ctx context.Context, c SecondStep) (Session, error) {
	now := s.wall.Now().UnixMilli()
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT a.id, a.login, a.name FROM login_pending p JOIN account a ON a.id=p.account_id WHERE p.token_hash=? AND p.expires_at>?", tokenHash(c.SecondFactor), now)
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	if !found {
		return Session{}, ErrPendingGone
	}
	name := s.deviceCounter("second", fmt.Sprint(a.ID), a.ID, c.Device)
	if err := s.attempt(ctx, name, true); err != nil {
		return Session{}, err
	}
	if err := s.checkSecond(ctx, Actor{AccountID: a.ID, Name: a.Name, Login: a.Login}, c.Code); err != nil {
		return Session{}, s.noteWrongCode(ctx, a, c.IP, err)
	}
	if err := s.forgive(ctx, name); err != nil {
		return Session{}, err
	}
	n, err := s.db.Exec(ctx, "DELETE FROM login_pending WHERE token_hash=?", tokenHash(c.SecondFactor))
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	if n == 0 {
		return Session{}, ErrPendingGone
	}
	return s.enter(ctx, a, Credentials{IP: c.IP, UserAgent: c.UserAgent, Device: c.Device})
}

// noteWrongCode records that somebody knows the password and not the second factor: its owner should learn of that.
func (s *Service) noteWrongCode(ctx context.Context, a accountRow, ip string, err error) error {
	if fault.KindOf(err) != fault.Invalid {
		return err
	}
	e := s.trail.Record(ctx, trail.Entry{AccountID: a.ID, Actor: a.Name, Act: "account.second_factor_failed", Object: trim(ip, 64), Outcome: trail.Failed})
	if e != nil {
		return e
	}
	return err
}

// enter opens the session of a person who has proven who they are, in the space they joined first.
func (s *Service) enter(ctx context.Context, a accountRow, c Credentials) (Session, error) {
	members, err := s.Memberships(ctx, a.ID)
	if err != nil {
		return Session{}, err
	}
	if len(members) == 0 {
		return Session{}, fault.New(fault.Forbidden, "no_space", "这个账号还没有加入任何空间，请联系管理员")
	}
	return s.start(ctx, a, members[0], c)
}

func (s *Service) start(ctx context.Context, a accountRow, m Membership, c Credentials) (Session, error) {
	now := s.wall.Now()
	token, id, expires := rand.Text()+rand.Text(), s.db.NewID(), now.Add(sessionLife)
	device, err := s.remember(c.Device, a.ID)
	if err != nil {
		return Session{}, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		err := s.db.Insert(ctx, "login_session", map[string]any{
			"id": id, "token_hash": tokenHash(token), "account_id": a.ID, "member_id": m.MemberID, "ip": trim(c.IP, 64), "user_agent": trim(c.UserAgent, 255),
			"created_at": now.UnixMilli(), "seen_at": now.UnixMilli(), "confirmed_at": now.UnixMilli(), "expires_at": expires.UnixMilli(),
		})
		if err != nil {
			return err
		}
		if err := s.tellOfDevice(ctx, m.actor(a, id), c); err != nil {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: a.ID, SpaceID: m.SpaceID, Actor: a.Name, Act: "account.login", Object: trim(c.IP, 64)})
	})
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	return Session{Token: token, ExpiresAt: expires, Actor: m.actor(a, id), Device: device}, nil
}
