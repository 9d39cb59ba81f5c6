package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// The bounds of a login. Sessions use wall time: a demo that advances its clock does not log people out.
const (
	sessionLife  = 14 * 24 * time.Hour
	seenEvery    = 5 * time.Minute
	failuresFree = 10
	lockFor      = 15 * time.Minute
)

// Service is the room's door. Safe for concurrent use.
type Service struct {
	db      *store.DB
	clk     clock.Clock
	trail   *trail.Log
	hashing *semaphore.Weighted
}

// New makes the service. At most two passwords are hashed at once, since each takes 19 MiB and a core.
func New(db *store.DB, clk clock.Clock, log *trail.Log) *Service {
	return &Service{db: db, clk: clk, trail: log, hashing: semaphore.NewWeighted(2)}
}

type accountRow struct {
	ID           int64
	Login        string
	Name         string
	PasswordHash string
	Failures     int
	LockedUntil  int64
}

// Credentials are what a person types to log in, and where from.
type Credentials struct {
	Login, Password string
	IP, UserAgent   string
}

// Session is a fresh login. Token is shown once; the database keeps its hash.
type Session struct {
	Token     string
	ExpiresAt time.Time
	Actor     Actor
}

var errCredentials = fault.New(fault.Unauthenticated, "bad_credentials", "账号或密码不正确")

func (s *Service) hash(ctx context.Context, password string) (string, error) {
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer s.hashing.Release(1)
	return hashPassword(password), nil
}

func (s *Service) verify(ctx context.Context, password, hash string) (bool, error) {
	if err := s.hashing.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer s.hashing.Release(1)
	return verifyPassword(password, hash), nil
}

// nobodysHash is compared against when a login is unknown, so that an answer takes as long as for a known one.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Login checks the password and opens a session with a new token. After ten failures in a row the account
// waits fifteen minutes; a wrong password and an unknown login answer alike.
func (s *Service) Login(ctx context.Context, c Credentials) (Session, error) {
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT id, login, name, password_hash FROM account WHERE login=?", NormalLogin(c.Login))
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	hash := nobodysHash
	if found {
		hash = a.PasswordHash
	}
	if len(c.Password) > 1024 {
		return Session{}, errCredentials
	}
	now, attempt := time.Now(), 0
	if found {
		if attempt, err = s.takeAttempt(ctx, a.ID, now); err != nil {
			return Session{}, err
		}
	}
	ok, err := s.verify(ctx, c.Password, hash)
	if err != nil {
		return Session{}, err
	}
	if !found {
		return Session{}, errCredentials
	}
	if !ok {
		return Session{}, s.noteFailure(ctx, a, attempt)
	}
	if _, err := s.db.Exec(ctx, "UPDATE account SET failures=0, locked_until=0 WHERE id=?", a.ID); err != nil {
		return Session{}, err
	}
	members, err := s.Memberships(ctx, a.ID)
	if err != nil {
		return Session{}, err
	}
	if len(members) == 0 {
		return Session{}, fault.New(fault.Forbidden, "no_space", "这个账号还没有加入任何空间，请联系管理员")
	}
	return s.start(ctx, a, members[0], c, now)
}

// takeAttempt counts an attempt before its password is looked at: guesses sent at the same time, also to other replicas,
// would otherwise all be made before the first of them is counted. The tenth in a row locks the account; a right
// password takes the count and the lock back.
func (s *Service) takeAttempt(ctx context.Context, id int64, now time.Time) (attempt int, err error) {
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		// MySQL assigns from left to right, SQLite all at once: the lock is told by the count before, in both.
		n, err := s.db.Exec(ctx, "UPDATE account SET locked_until=CASE WHEN (failures+1)%?=0 THEN ? ELSE locked_until END, failures=failures+1 WHERE id=? AND locked_until<=?",
			failuresFree, now.Add(lockFor).UnixMilli(), id, now.UnixMilli())
		if err != nil {
			return fmt.Errorf("account: login: %w", err)
		}
		if n == 0 {
			return fault.New(fault.TooMany, "account_locked", "密码连续输错太多次，请 15 分钟后再试")
		}
		counted, err := s.db.Int(ctx, "SELECT failures FROM account WHERE id=?", id)
		attempt = int(counted)
		return err
	})
	return attempt, err
}

func (s *Service) noteFailure(ctx context.Context, a accountRow, attempt int) error {
	if attempt%failuresFree == 0 {
		if err := s.trail.Record(ctx, trail.Entry{AccountID: a.ID, Actor: a.Name, Act: "account.locked", Outcome: trail.Failed}); err != nil {
			return err
		}
	}
	return errCredentials
}

func (s *Service) start(ctx context.Context, a accountRow, m Membership, c Credentials, now time.Time) (Session, error) {
	token := rand.Text() + rand.Text()
	id := s.db.NewID()
	expires := now.Add(sessionLife)
	actor := m.actor(a, id)
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		err := s.db.Insert(ctx, "login_session", map[string]any{
			"id": id, "token_hash": tokenHash(token), "account_id": a.ID, "member_id": m.MemberID, "ip": trim(c.IP, 64), "user_agent": trim(c.UserAgent, 255),
			"created_at": now.UnixMilli(), "seen_at": now.UnixMilli(), "expires_at": expires.UnixMilli(),
		})
		if err != nil {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: a.ID, SpaceID: m.SpaceID, Actor: a.Name, Act: "account.login", Object: trim(c.IP, 64)})
	})
	if err != nil {
		return Session{}, fmt.Errorf("account: login: %w", err)
	}
	return Session{Token: token, ExpiresAt: expires, Actor: actor}, nil
}

// SessionFor opens a session right after registration, without asking for the password again.
func (s *Service) SessionFor(ctx context.Context, who Actor, ip, userAgent string) (Session, error) {
	m := Membership{MemberID: who.MemberID, SpaceID: who.SpaceID, Space: who.Space, Kind: who.SpaceKind, Role: who.Role}
	return s.start(ctx, accountRow{ID: who.AccountID, Login: who.Login, Name: who.Name}, m, Credentials{IP: ip, UserAgent: userAgent}, time.Now())
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func trim(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return string([]rune(s[:n-4]))
}
