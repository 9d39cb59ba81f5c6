package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// setupLife is how long a one-time setup address works.
const setupLife = time.Hour

// PlatformSpace is the name of the platform's own space until somebody changes it.
const PlatformSpace = "平台"

// errSetupGone answers a token that is wrong, used or too old, and every token once there is an operator.
var errSetupGone = fault.New(fault.NotFound, "setup_gone", "这个初始化地址无效、已过期或已经用过。重新启动服务会给出新的地址")

// Operators brings people into the platform's space: the first one through a one-time address, later ones by the
// command line of whoever runs the machine. Safe for concurrent use.
type Operators struct {
	db       *store.DB
	trail    *trail.Log
	accounts *Service
	settled  atomic.Bool // an operator was seen once: there is nothing left to set up
}

// NewOperators makes the service.
func NewOperators(db *store.DB, log *trail.Log, accounts *Service) *Operators {
	return &Operators{db: db, trail: log, accounts: accounts}
}

// Needed reports whether this installation still waits for its first operator.
func (o *Operators) Needed(ctx context.Context) (bool, error) {
	if o.settled.Load() {
		return false, nil
	}
	n, err := o.db.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM setup_claim UNION ALL SELECT 1 AS one FROM space s JOIN member m ON m.space_id=s.id WHERE s.kind=?) x", string(Platform))
	if err != nil {
		return false, fmt.Errorf("account: setup: %w", err)
	}
	if n > 0 {
		o.settled.Store(true)
	}
	return n == 0, nil
}

// Invite makes a new one-time token while there is no operator, "" otherwise. Tokens of other replicas stay valid until
// they end; the database keeps hashes only.
func (o *Operators) Invite(ctx context.Context) (string, error) {
	needed, err := o.Needed(ctx)
	if err != nil || !needed {
		return "", err
	}
	token, now := rand.Text(), time.Now()
	err = o.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := o.db.Exec(ctx, "DELETE FROM setup_token WHERE expires_at<=?", now.UnixMilli()); err != nil {
			return err
		}
		return o.db.Insert(ctx, "setup_token", map[string]any{"token_hash": tokenHash(token), "expires_at": now.Add(setupLife).UnixMilli(), "created_at": now.UnixMilli()})
	})
	if err != nil {
		return "", fmt.Errorf("account: setup token: %w", err)
	}
	return token, nil
}

// Invited reports whether the token may set up the first operator now.
func (o *Operators) Invited(ctx context.Context, token string) (bool, error) {
	needed, err := o.Needed(ctx)
	if err != nil || !needed || token == "" {
		return false, err
	}
	n, err := o.db.Int(ctx, "SELECT COUNT(*) FROM setup_token WHERE token_hash=? AND expires_at>?", tokenHash(token), time.Now().UnixMilli())
	return n > 0, err
}

// First opens the first operator's account. Of two submits at once, also on two replicas, one succeeds; the other and
// every later one gets a fault of kind NotFound. Complaints about fields leave the token as it is.
func (o *Operators) First(ctx context.Context, token string, r Registration) (Actor, error) {
	invited, err := o.Invited(ctx, token)
	if err != nil {
		return Actor{}, err
	}
	if !invited {
		return Actor{}, errSetupGone
	}
	r.Kind, r.Agreed = Platform, true
	if err := r.checkOperator(); err != nil {
		return Actor{}, err
	}
	hash, err := o.accounts.hash(ctx, r.Password)
	if err != nil {
		return Actor{}, err
	}
	var made Actor
	err = o.db.Tx(ctx, func(ctx context.Context) error {
		made, err = o.open(ctx, r, hash)
		if err != nil {
			return err
		}
		if err := o.db.Insert(ctx, "setup_claim", map[string]any{"id": 1, "account_id": made.AccountID, "created_at": time.Now().UnixMilli()}); err != nil {
			return err
		}
		n, err := o.db.Exec(ctx, "DELETE FROM setup_token WHERE token_hash=? AND expires_at>?", tokenHash(token), time.Now().UnixMilli())
		if err == nil && n == 0 {
			err = errSetupGone
		}
		if err != nil {
			return err
		}
		_, err = o.db.Exec(ctx, "DELETE FROM setup_token")
		return err
	})
	if store.Duplicate(err) {
		// Either somebody was faster, or the login belongs to somebody who registered before.
		if again, checkErr := o.Needed(ctx); checkErr != nil || !again {
			return Actor{}, errSetupGone
		}
		return Actor{}, loginTaken(err)
	}
	if err != nil {
		return Actor{}, fmt.Errorf("account: first operator: %w", err)
	}
	o.settled.Store(true)
	return made, nil
}

// Add brings an operator in from the machine's own command line, for recovery. An account that exists keeps its
// password unless one is given and joins the platform's space; a new one needs a password.
func (o *Operators) Add(ctx context.Context, r Registration) (Actor, error) {
	r.Login, r.Kind, r.Agreed = NormalLogin(r.Login), Platform, true
	var a accountRow
	found, err := o.db.One(ctx, &a, "SELECT id, login, name FROM account WHERE login=?", r.Login)
	if err != nil {
		return Actor{}, fmt.Errorf("account: add operator: %w", err)
	}
	hash := ""
	if !found || r.Password != "" {
		if err := r.checkOperator(); err != nil {
			return Actor{}, err
		}
		if hash, err = o.accounts.hash(ctx, r.Password); err != nil {
			return Actor{}, err
		}
	}
	var made Actor
	err = o.db.Tx(ctx, func(ctx context.Context) error {
		if !found {
			made, err = o.open(ctx, r, hash)
			return err
		}
		if hash != "" {
			if _, err := o.db.Exec(ctx, "UPDATE account SET password_hash=?, failures=0, locked_until=0 WHERE id=?", hash, a.ID); err != nil {
				return err
			}
		}
		made, err = o.join(ctx, a)
		return err
	})
	if err != nil {
		return Actor{}, fmt.Errorf("account: add operator %s: %w", r.Login, err)
	}
	o.settled.Store(true)
	return made, nil
}

// open makes an account and its membership in the platform's space, inside the caller's transaction.
func (o *Operators) open(ctx context.Context, r Registration, hash string) (Actor, error) {
	a := accountRow{ID: o.db.NewID(), Login: r.Login, Name: r.Name}
	if a.Name == "" {
		a.Name, _, _ = strings.Cut(r.Login, "@")
	}
	err := o.db.Insert(ctx, "account", map[string]any{"id": a.ID, "login": a.Login, "name": a.Name, "password_hash": hash, "created_at": time.Now().UnixMilli()})
	if err != nil {
		return Actor{}, err
	}
	return o.join(ctx, a)
}

// join makes the account an owner of the platform's space, which is made when there is none.
func (o *Operators) join(ctx context.Context, a accountRow) (Actor, error) {
	var home struct {
		ID   int64
		Name string
	}
	now := time.Now().UnixMilli()
	found, err := o.db.One(ctx, &home, "SELECT id, name FROM space WHERE kind=? ORDER BY id LIMIT 1", string(Platform))
	if err != nil {
		return Actor{}, err
	}
	if !found {
		home.ID, home.Name = o.db.NewID(), PlatformSpace
		if err := o.db.Insert(ctx, "space", map[string]any{"id": home.ID, "name": home.Name, "kind": string(Platform), "created_at": now}); err != nil {
			return Actor{}, err
		}
	}
	m := Membership{MemberID: o.db.NewID(), SpaceID: home.ID, Space: home.Name, Kind: Platform, Role: RoleOwner}
	if _, err := o.db.InsertIgnore(ctx, "member", map[string]any{"id": m.MemberID, "account_id": a.ID, "space_id": home.ID, "role": m.Role, "created_at": now}); err != nil {
		return Actor{}, err
	}
	if _, err := o.db.Exec(ctx, "UPDATE member SET role=? WHERE account_id=? AND space_id=?", RoleOwner, a.ID, home.ID); err != nil {
		return Actor{}, err
	}
	if m.MemberID, err = o.db.Int(ctx, "SELECT id FROM member WHERE account_id=? AND space_id=?", a.ID, home.ID); err != nil {
		return Actor{}, err
	}
	err = o.trail.Record(ctx, trail.Entry{AccountID: a.ID, SpaceID: home.ID, Actor: a.Name, Act: "account.operator", Object: MaskLogin(a.Login)})
	return m.actor(a, 0), err
}

// checkOperator is check for somebody who works for the platform: no company, no ticks.
func (r *Registration) checkOperator() error {
	bad := fault.InvalidInput()
	r.Login, r.Name = NormalLogin(r.Login), strings.TrimSpace(r.Name)
	if len(r.Login) > 190 || !emailForm.MatchString(r.Login) && !phoneForm.MatchString(r.Login) {
		bad.On("login", "请填写邮箱或 11 位手机号")
	}
	if why := checkPassword(r.Password, r.Login); why != "" {
		bad.On("password", why)
	}
	if utf8.RuneCountInString(r.Name) > 40 {
		bad.On("name", "名字最多 40 个字")
	}
	return bad.OrNil()
}

func loginTaken(err error) error {
	return fault.New(fault.Conflict, "login_taken", "该账号已注册，请换一个").On("login", "该账号已注册，请换一个，或在服务器上执行 minifleet operator add").Because(err)
}
