package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// freshFor is how long a typed password opens dangerous acts.
const freshFor = 10 * time.Minute

var (
	errByLogin = fault.New(fault.Forbidden, "login_session_needed", "API 令牌不能管理账号安全，请登录后操作")
	// ErrNotFresh asks for the password again; see Confirm.
	ErrNotFresh = fault.New(fault.Forbidden, "password_required", "这一步需要再次输入密码")
)

// Device is where a session runs.
type Device struct {
	ID        int64  `json:"id,string"`
	Device    string `json:"device"`
	IP        string `json:"ip" orm:"ip"`
	CreatedAt int64  `json:"created_at"`
	SeenAt    int64  `json:"seen_at"` // to five minutes
	Current   bool   `json:"current"`
	UserAgent string `json:"-"`
}

// Devices lists where the person is logged in, the last seen first.
func (s *Service) Devices(ctx context.Context, who Actor) ([]Device, error) {
	if who.SessionID == 0 {
		return nil, errByLogin
	}
	rows := []Device{}
	err := s.db.All(ctx, &rows, "SELECT id, ip, user_agent, created_at, seen_at FROM login_session WHERE account_id=? AND expires_at>? ORDER BY seen_at DESC, id DESC LIMIT 200", who.AccountID, s.wall.Now().UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("account: devices: %w", err)
	}
	for i := range rows {
		rows[i].Device, rows[i].Current = DeviceName(rows[i].UserAgent), rows[i].ID == who.SessionID
	}
	return rows, nil
}

// SignOut ends one of the person's sessions; one of others is NotFound.
func (s *Service) SignOut(ctx context.Context, who Actor, id int64) error {
	if who.SessionID == 0 {
		return errByLogin
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "DELETE FROM login_session WHERE id=? AND account_id=?", id, who.AccountID)
		if err != nil {
			return fmt.Errorf("account: sign out: %w", err)
		}
		if n == 0 {
			return fault.New(fault.NotFound, "session_not_found", "这个登录已经退出了")
		}
		return s.record(ctx, who, "account.signout", "")
	})
}

// SignOutOthers ends every session of the person but this one and tells how many.
func (s *Service) SignOutOthers(ctx context.Context, who Actor) (n int64, err error) {
	if who.SessionID == 0 {
		return 0, errByLogin
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if n, err = s.endSessions(ctx, who.AccountID, who.SessionID); err != nil {
			return err
		}
		return s.record(ctx, who, "account.signout_others", fmt.Sprintf("%d", n))
	})
	return n, err
}

// endSessions ends every session of the account but one, and pending logins.
func (s *Service) endSessions(ctx context.Context, accountID, but int64) (int64, error) {
	if _, err := s.db.Exec(ctx, "DELETE FROM login_pending WHERE account_id=?", accountID); err != nil {
		return 0, fmt.Errorf("account: sign out: %w", err)
	}
	n, err := s.db.Exec(ctx, "DELETE FROM login_session WHERE account_id=? AND id<>?", accountID, but)
	if err != nil {
		return 0, fmt.Errorf("account: sign out: %w", err)
	}
	return n, nil
}

func (s *Service) record(ctx context.Context, who Actor, act, object string) error {
	return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: act, Object: object})
}

// Fresh is nil while the session's password was typed in the last ten minutes, else ErrNotFresh.
func (s *Service) Fresh(ctx context.Context, who Actor) error {
	if who.SessionID == 0 {
		return errByLogin
	}
	at, err := s.db.Int(ctx, "SELECT confirmed_at FROM login_session WHERE id=? AND account_id=?", who.SessionID, who.AccountID)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	if s.wall.Now().Sub(time.UnixMilli(at)) > freshFor {
		return ErrNotFresh
	}
	return nil
}

// checkOwnPassword looks at a password of somebody who is logged in. A stolen session gets no more guesses than a stranger.
func (s *Service) checkOwnPassword(ctx context.Context, who Actor, field, password string) error {
	if who.SessionID == 0 {
		return errByLogin
	}
	name := counterOf("confirm", fmt.Sprint(who.AccountID))
	if err := s.attempt(ctx, name, true); err != nil {
		return err
	}
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT password_hash FROM account WHERE id=?", who.AccountID)
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	ok := false
	if found && len(password) <= 1024 {
		if ok, err = s.verify(ctx, password, a.PasswordHash); err != nil {
			return err
		}
	}
	if !ok {
		return fault.InvalidInput().On(field, "密码不正确")
	}
	return s.forgive(ctx, name)
}

// Confirm takes the password again, which opens dangerous acts for ten minutes. The session goes on under a new token, so
// that one that leaked before gains nothing.
func (s *Service) Confirm(ctx context.Context, who Actor, password string) (Session, error) {
	if err := s.checkOwnPassword(ctx, who, "password", password); err != nil {
		return Session{}, err
	}
	return s.rotate(ctx, who, true)
}

// rotate gives the session a new token. confirmed says that the password was just typed.
func (s *Service) rotate(ctx context.Context, who Actor, confirmed bool) (Session, error) {
	token, now := rand.Text()+rand.Text(), s.wall.Now()
	set, args := "token_hash=?, expires_at=?", []any{tokenHash(token), now.Add(sessionLife).UnixMilli()}
	if confirmed {
		set, args = set+", confirmed_at=?", append(args, now.UnixMilli())
	}
	n, err := s.db.Exec(ctx, "UPDATE login_session SET "+set+" WHERE id=? AND account_id=?", append(args, who.SessionID, who.AccountID)...)
	if err != nil {
		return Session{}, fmt.Errorf("account: %w", err)
	}
	if n == 0 {
		return Session{}, errSession
	}
	return Session{Token: token, ExpiresAt: now.Add(sessionLife), Actor: who}, nil
}

// PasswordChange is a new password for somebody who knows the one of now. API tokens need no password and go on working,
// unless EndTokens says that they end too.
type PasswordChange struct {
	Current, Next string
	EndTokens     bool
}

// ChangePassword replaces the password, ends every other session and tells the owner.
func (s *Service) ChangePassword(ctx context.Context, who Actor, c PasswordChange) (Session, error) {
	if who.SessionID == 0 {
		return Session{}, errByLogin
	}
	if why := checkPassword(c.Next, who.Login); why != "" {
		return Session{}, fault.InvalidInput().On("new_password", why)
	}
	if err := s.checkOwnPassword(ctx, who, "password", c.Current); err != nil {
		return Session{}, err
	}
	var sess Session
	ended, err := s.setPassword(ctx, who, c.Next, "account.password", c.EndTokens, func(ctx context.Context) (err error) {
		sess, err = s.rotate(ctx, who, true)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	return sess, s.tell(ctx, who, who.Login, "登录密码已修改", "你的登录密码已修改，其他设备已退出登录"+alsoEnded(ended)+"。")
}

// alsoEnded says in a letter and in the log how many tokens ended with a password.
func alsoEnded(tokens int64) string {
	if tokens == 0 {
		return ""
	}
	return fmt.Sprintf("，%d 个 API 令牌已停用", tokens)
}

// setPassword stores a new password, ends the other sessions, on demand the API tokens, and records the act; also does more
// inside the transaction. It tells how many tokens ended.
func (s *Service) setPassword(ctx context.Context, who Actor, password, act string, endTokens bool, also func(context.Context) error) (ended int64, err error) {
	hash, err := s.hash(ctx, password)
	if err != nil {
		return 0, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "UPDATE account SET password_hash=? WHERE id=?", hash, who.AccountID); err != nil {
			return fmt.Errorf("account: password: %w", err)
		}
		if _, err := s.endSessions(ctx, who.AccountID, who.SessionID); err != nil {
			return err
		}
		if endTokens {
			if ended, err = s.db.Exec(ctx, "UPDATE api_token SET revoked_at=? WHERE account_id=? AND revoked_at=0", time.Now().UnixMilli(), who.AccountID); err != nil {
				return fmt.Errorf("account: tokens: %w", err)
			}
		}
		if err := also(ctx); err != nil {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: act, Detail: strings.TrimPrefix(alsoEnded(ended), "，")})
	})
	return ended, err
}

// LiveTokens is how many API tokens of the person work today, in all their spaces.
func (s *Service) LiveTokens(ctx context.Context, who Actor) (int64, error) {
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM api_token WHERE account_id=? AND revoked_at=0 AND (expires_at=0 OR expires_at>?)", who.AccountID, time.Now().UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("account: tokens: %w", err)
	}
	return n, nil
}

// Reset is a forgotten password set anew with a code. Whoever resets one may have lost it to somebody: API tokens end too,
// unless KeepTokens says otherwise.
type Reset struct {
	Login, Code, Password string
	KeepTokens            bool
}

// ResetPassword sets a new password by a code that was sent for it, ends every session, opens a lock on the login and
// tells the owner. It does not log in, and a second factor stays on.
func (s *Service) ResetPassword(ctx context.Context, r Reset) error {
	r.Login = NormalLogin(r.Login)
	bad := fault.InvalidInput()
	if why := s.refuseLogin(r.Login); why != "" {
		bad.On("login", why)
	}
	if why := checkPassword(r.Password, r.Login); why != "" {
		bad.On("password", why)
	}
	if err := bad.OrNil(); err != nil {
		return err
	}
	if err := s.spend(ctx, ForReset, r.Login, 0, r.Code); err != nil {
		return err
	}
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT id, login, name FROM account WHERE login=?", r.Login)
	if err != nil {
		return fmt.Errorf("account: reset: %w", err)
	}
	if !found {
		return errCode()
	}
	who := Actor{AccountID: a.ID, Name: a.Name, Login: a.Login}
	ended, err := s.setPassword(ctx, who, r.Password, "account.password_reset", !r.KeepTokens, func(ctx context.Context) error { return s.forgive(ctx, counterOf("login", a.Login)) })
	if err != nil {
		return err
	}
	return s.tell(ctx, who, a.Login, "登录密码已重设", "你的登录密码已通过验证码重设，所有设备已退出登录"+alsoEnded(ended)+"。")
}

// SendLoginCode sends a code to the address that shall become the person's login.
func (s *Service) SendLoginCode(ctx context.Context, who Actor, to, ip string, captcha CaptchaAnswer) (CodeSent, error) {
	if err := s.Fresh(ctx, who); err != nil {
		return CodeSent{}, err
	}
	if NormalLogin(to) == who.Login {
		return CodeSent{}, fault.InvalidInput().On("login", "这就是你现在的登录账号")
	}
	return s.sendCode(ctx, CodeRequest{Login: to, Purpose: ForLogin, IP: ip, Captcha: captcha}, who.AccountID)
}

// ChangeLogin makes another address the login, by the code that was sent to it, and tells the old one.
func (s *Service) ChangeLogin(ctx context.Context, who Actor, to, code string) (Session, error) {
	if err := s.Fresh(ctx, who); err != nil {
		return Session{}, err
	}
	to = NormalLogin(to)
	if len(to) > 190 || !emailForm.MatchString(to) && !phoneForm.MatchString(to) {
		return Session{}, fault.InvalidInput().On("login", "请填写邮箱或 11 位手机号")
	}
	if s.CodesNeeded() {
		if err := s.spend(ctx, ForLogin, to, who.AccountID, code); err != nil {
			return Session{}, err
		}
	}
	var sess Session
	old := who.Login
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		if _, err := s.db.Exec(ctx, "UPDATE account SET login=? WHERE id=?", to, who.AccountID); err != nil {
			return err
		}
		// Codes and invitations that went to the address of before are nobody's now.
		if _, err := s.db.Exec(ctx, "DELETE FROM login_code WHERE login=?", old); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, "UPDATE invitation SET login=? WHERE login=? AND accepted_by=?", to, old, who.AccountID); err != nil {
			return err
		}
		who.Login = to
		if sess, err = s.rotate(ctx, who, false); err != nil {
			return err
		}
		return s.record(ctx, who, "account.login_changed", Masked(old)+" → "+Masked(to))
	})
	if store.Duplicate(err) {
		return Session{}, fault.New(fault.Conflict, "login_taken", "该账号已注册").On("login", "该账号已注册，请换一个")
	}
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	return sess, s.tell(ctx, who, old, "登录账号已更换", "你的登录账号已更换为 "+Masked(to)+"。")
}

// Masked shows a login so that its owner knows it and nobody else learns it.
func Masked(login string) string {
	if phoneForm.MatchString(login) {
		return login[:3] + "****" + login[7:]
	}
	name, host, ok := strings.Cut(login, "@")
	if !ok || name == "" {
		return "****"
	}
	return name[:1] + "***@" + host
}
