package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"minifleet/app/fault"
)

// The bounds of codes.
const (
	codeLife    = 10 * time.Minute
	codeTries   = 5
	codePause   = 60 * time.Second
	codesPerTo  = 5  // to one login in an hour
	codesPerIP  = 20 // asked for by one address in an hour
	codesFreeIP = 3  // of those without a captcha
)

var codeForm = regexp.MustCompile(`^[0-9]{6}$`)

// CodeRequest asks for a code. The login may be anybody's.
type CodeRequest struct {
	Login   string
	Purpose Purpose // ForRegister or ForReset
	IP      string
	Captcha CaptchaAnswer
}

// CodeSent is the answer, the same whether or not the login has an account.
type CodeSent struct {
	Login    string // in its normal form
	ResendAt time.Time
}

// errCode answers a code that is wrong, too old, used up or never sent; none of them apart.
func errCode() error {
	return fault.InvalidInput().On("code", "验证码错误或已过期，请检查或重新获取")
}

// CodesNeeded reports whether opening an account asks for a code; see Rules.VerifyLogins.
func (s *Service) CodesNeeded() bool { return s.sender != nil && s.rules.VerifyLogins }

// CanReset reports whether a forgotten password can be reset here: somebody must be able to send the code.
func (s *Service) CanReset() bool { return s.sender != nil }

// LoginHint says which logins can be reached, for the label of the field.
func (s *Service) LoginHint() string {
	if s.CodesNeeded() {
		switch mail, phone := s.sender.Reaches("a@example.com"), s.sender.Reaches("13800000000"); {
		case mail && !phone:
			return "邮箱"
		case phone && !mail:
			return "手机号"
		}
	}
	return "邮箱或手机号"
}

// SendCode sends a code, or to a login that cannot use one a letter that says why. At most one a minute and five an hour to
// a login, twenty an hour for an address; after three of an address a captcha is asked for.
func (s *Service) SendCode(ctx context.Context, r CodeRequest) (CodeSent, error) {
	if r.Purpose != ForRegister && r.Purpose != ForReset {
		return CodeSent{}, fault.InvalidInput().On("purpose", "应为 register 或 reset")
	}
	return s.sendCode(ctx, r, 0)
}

func (s *Service) sendCode(ctx context.Context, r CodeRequest, accountID int64) (CodeSent, error) {
	r.Login = NormalLogin(r.Login)
	if why := s.refuseLogin(r.Login); why != "" {
		return CodeSent{}, fault.InvalidInput().On("login", why)
	}
	if err := s.mayMail(ctx, r); err != nil {
		return CodeSent{}, err
	}
	owner, err := s.db.Int(ctx, "SELECT id FROM account WHERE login=?", r.Login)
	if err != nil {
		return CodeSent{}, fmt.Errorf("account: code: %w", err)
	}
	code, err := newCode()
	if err != nil {
		return CodeSent{}, err
	}
	letter, id := codeLetter(r.Login, r.Purpose, code), s.db.NewID()
	hashes, err := s.codeHash(id, code)
	if err != nil {
		return CodeSent{}, err
	}
	switch {
	case r.Purpose == ForReset && owner == 0:
		letter = unknownLetter(r.Login, r.Purpose)
	case r.Purpose != ForReset && owner != 0:
		letter = takenLetter(r.Login, r.Purpose)
	}
	if letter.Code == "" {
		hashes[0] = "-" // no code fits
	}
	now := s.wall.Now()
	err = s.db.Insert(ctx, "login_code", map[string]any{
		"id": id, "purpose": string(r.Purpose), "login": r.Login, "account_id": accountID, "code_hash": hashes[0],
		"tries": 0, "used_at": 0, "created_at": now.UnixMilli(), "expires_at": now.Add(codeLife).UnixMilli(),
	})
	if err != nil {
		return CodeSent{}, fmt.Errorf("account: code: %w", err)
	}
	if err := s.sender.Send(ctx, letter); err != nil {
		if e := s.forgive(ctx, counterOf("code-pause", r.Login)); e != nil {
			return CodeSent{}, e
		}
		return CodeSent{}, fault.New(fault.Unavailable, "code_not_sent", "验证码暂时发不出去，请稍后再试").Because(err)
	}
	return CodeSent{Login: r.Login, ResendAt: now.Add(codePause)}, nil
}

// refuseLogin gives the reason a login cannot be written to, empty when it can.
func (s *Service) refuseLogin(login string) string {
	switch {
	case len(login) > 190 || !emailForm.MatchString(login) && !phoneForm.MatchString(login):
		return "请填写邮箱或 11 位手机号"
	case s.sender == nil:
		return "本平台还不能发送验证码，请联系平台管理员"
	case s.sender.Reaches(login):
		return ""
	case phoneForm.MatchString(login):
		return "本平台还不能发送短信，请用邮箱"
	default:
		return "本平台还不能发送邮件，请用手机号"
	}
}

// mayMail uses up one code of the hour, of the login and of the address.
func (s *Service) mayMail(ctx context.Context, r CodeRequest) error {
	address := counterOf("code-ip", addressOf(r.IP))
	row, err := s.counter(ctx, address, s.wall.Now())
	if err != nil {
		return err
	}
	if row.Hits >= codesFreeIP {
		if err := s.solve(ctx, r.Captcha); err != nil {
			return err
		}
	}
	pause := counterOf("code-pause", r.Login)
	for _, c := range []struct {
		name   string
		most   int
		window time.Duration
		sorry  func(left time.Duration) string
	}{
		{pause, 1, codePause, func(d time.Duration) string { return "刚刚已发送，请 " + spell(d) + "后再获取" }},
		{counterOf("code-to", r.Login), codesPerTo, time.Hour, func(d time.Duration) string { return "获取验证码太频繁，请 " + spell(d) + "后再试" }},
		{address, codesPerIP, time.Hour, func(d time.Duration) string {
			return "你所在的网络获取验证码太频繁，请 " + spell(d) + "后再试"
		}},
	} {
		ok, err := s.take(ctx, c.name, c.most, c.window)
		if err != nil {
			return err
		}
		if !ok {
			row, err := s.counter(ctx, c.name, s.wall.Now())
			if err != nil {
				return err
			}
			why := c.sorry(time.UnixMilli(row.ExpiresAt).Sub(s.wall.Now()))
			return fault.New(fault.TooMany, "code_too_often", why).On("code", why)
		}
	}
	return nil
}

// CodeCaptchaDue tells a page that the next code will be asked for with a captcha.
func (s *Service) CodeCaptchaDue(ctx context.Context, ip string) (bool, error) {
	row, err := s.counter(ctx, counterOf("code-ip", addressOf(ip)), s.wall.Now())
	return row.Hits >= codesFreeIP, err
}

func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("account: code: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

// codeHash is keyed: six digits under a plain hash are read off a table.
func (s *Service) codeHash(id int64, code string) ([]string, error) {
	return s.vault.Index(fmt.Sprintf("login_code:%d", id), code)
}

type codeRow struct {
	ID       int64
	CodeHash string
}

// spend uses up the newest code of a login. Every look at it is counted first, so that guesses sent together do not get
// more than codeTries between them.
func (s *Service) spend(ctx context.Context, p Purpose, login string, accountID int64, code string) error {
	code = strings.Join(strings.Fields(code), "")
	if code == "" {
		return fault.InvalidInput().On("code", "请先获取验证码，再填写收到的 6 位数字")
	}
	if !codeForm.MatchString(code) {
		return fault.InvalidInput().On("code", "验证码是 6 位数字")
	}
	var row codeRow
	found, err := s.db.One(ctx, &row, "SELECT id, code_hash FROM login_code WHERE login=? AND purpose=? AND account_id=? ORDER BY id DESC LIMIT 1", login, string(p), accountID)
	if err != nil {
		return fmt.Errorf("account: code: %w", err)
	}
	if !found {
		return errCode()
	}
	now := s.wall.Now().UnixMilli()
	n, err := s.db.Exec(ctx, "UPDATE login_code SET tries=tries+1 WHERE id=? AND tries<? AND used_at=0 AND expires_at>?", row.ID, codeTries, now)
	if err != nil {
		return fmt.Errorf("account: code: %w", err)
	}
	hashes, err := s.codeHash(row.ID, code)
	if err != nil {
		return err
	}
	fits := 0
	for _, h := range hashes {
		fits |= subtle.ConstantTimeCompare([]byte(h), []byte(row.CodeHash))
	}
	if n == 0 || fits == 0 {
		return errCode()
	}
	if n, err = s.db.Exec(ctx, "UPDATE login_code SET used_at=? WHERE id=? AND used_at=0", now, row.ID); err != nil {
		return fmt.Errorf("account: code: %w", err)
	}
	if n == 0 {
		return errCode()
	}
	return nil
}
