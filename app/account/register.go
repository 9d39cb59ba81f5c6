package account

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// Registration is what a person fills in to open an account and its first space.
type Registration struct {
	Login     string // e-mail address or mainland phone number
	Password  string
	Name      string // how others see the person; the login's first part when empty
	Kind      Kind   // Personal or Merchant
	SpaceName string // a merchant's company name
	Agreed    bool   // the agreement and privacy policy were ticked
	Code      string // what was sent to the login; see CodesNeeded
	IP        string // who asks; an address opens at most registrationsPerIP accounts an hour
}

// registrationsPerIP bounds how many accounts one address opens in an hour.
const registrationsPerIP = 20

var (
	emailForm = regexp.MustCompile(`^[a-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$`)
	phoneForm = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
)

// NormalLogin is the form in which a login is stored and compared.
func NormalLogin(s string) string {
	return strings.ToLower(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "+86")))
}

func (r *Registration) check() error {
	bad := fault.InvalidInput()
	r.Login = NormalLogin(r.Login)
	if len(r.Login) > 190 || !emailForm.MatchString(r.Login) && !phoneForm.MatchString(r.Login) {
		bad.On("login", "请填写邮箱或 11 位手机号")
	}
	if why := checkPassword(r.Password, r.Login); why != "" {
		bad.On("password", why)
	}
	r.Name, r.SpaceName = strings.TrimSpace(r.Name), strings.TrimSpace(r.SpaceName)
	if utf8.RuneCountInString(r.Name) > 40 {
		bad.On("name", "名字最多 40 个字")
	}
	switch r.Kind {
	case Personal:
	case Merchant:
		if n := utf8.RuneCountInString(r.SpaceName); n < 2 || n > 60 {
			bad.On("space_name", "请填写企业名称（2 到 60 个字）")
		}
	default:
		bad.On("kind", "请选择普通用户或商户")
	}
	if !r.Agreed {
		bad.On("agreed", "请先阅读并勾选协议")
	}
	return bad.OrNil()
}

// Register opens an account with a space of its own. Where codes are needed, a login that is taken cannot be told from one
// whose code is wrong, since no code was sent to it; elsewhere it is refused on the field "login".
func (s *Service) Register(ctx context.Context, r Registration) (Actor, error) {
	if err := r.check(); err != nil {
		return Actor{}, err
	}
	if s.CodesNeeded() {
		if why := s.refuseLogin(r.Login); why != "" {
			return Actor{}, fault.InvalidInput().On("login", why)
		}
		if err := s.spend(ctx, ForRegister, r.Login, 0, r.Code); err != nil {
			return Actor{}, err
		}
	}
	if r.IP != "" {
		ok, err := s.take(ctx, counterOf("register-ip", addressOf(r.IP)), registrationsPerIP, time.Hour)
		if err != nil {
			return Actor{}, err
		}
		if !ok {
			return Actor{}, fault.New(fault.TooMany, "register_too_often", "你所在的网络注册太频繁，请一小时后再试")
		}
	}
	return s.open(ctx, r)
}

// Seed opens an account of any kind, the operator's too, unless its login exists; for the demo and the first start.
func (s *Service) Seed(ctx context.Context, r Registration) (Actor, error) {
	r.Login = NormalLogin(r.Login)
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT * FROM account WHERE login=?", r.Login)
	if err != nil {
		return Actor{}, fmt.Errorf("account: seed: %w", err)
	}
	if !found {
		return s.open(ctx, r)
	}
	if _, err := s.db.Exec(ctx, "UPDATE account SET password_hash=? WHERE id=?", hashPassword(r.Password), a.ID); err != nil {
		return Actor{}, err
	}
	if err := s.forgive(ctx, counterOf("login", r.Login)); err != nil {
		return Actor{}, err
	}
	m, err := s.Memberships(ctx, a.ID)
	if err != nil || len(m) == 0 {
		return Actor{}, fmt.Errorf("account: seed %s: no membership: %w", r.Login, err)
	}
	return m[0].actor(a, 0), nil
}

func (s *Service) open(ctx context.Context, r Registration) (Actor, error) {
	if r.Name == "" {
		r.Name, _, _ = strings.Cut(r.Login, "@")
	}
	if r.SpaceName == "" {
		r.SpaceName = r.Name
	}
	now := clock.Millis(s.clk.Now())
	a := Actor{AccountID: s.db.NewID(), SpaceID: s.db.NewID(), MemberID: s.db.NewID(), Name: r.Name, Login: r.Login, Space: r.SpaceName, Role: RoleOwner, SpaceKind: r.Kind}
	hash, err := s.hash(ctx, r.Password)
	if err != nil {
		return Actor{}, err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.db.Insert(ctx, "account", map[string]any{"id": a.AccountID, "login": a.Login, "name": a.Name, "password_hash": hash, "created_at": now}); err != nil {
			return err
		}
		if err := s.db.Insert(ctx, "space", map[string]any{"id": a.SpaceID, "name": a.Space, "kind": string(a.SpaceKind), "created_at": now}); err != nil {
			return err
		}
		if err := s.db.Insert(ctx, "member", map[string]any{"id": a.MemberID, "account_id": a.AccountID, "space_id": a.SpaceID, "role": a.Role, "created_at": now}); err != nil {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: a.AccountID, SpaceID: a.SpaceID, Actor: a.Name, Act: "account.register", Object: string(a.SpaceKind)})
	})
	if store.Duplicate(err) {
		return Actor{}, fault.New(fault.Conflict, "login_taken", "该账号已注册，请直接登录").On("login", "该账号已注册，请直接登录").Because(err)
	}
	if err != nil {
		return Actor{}, fmt.Errorf("account: register: %w", err)
	}
	return a, nil
}
