package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"golang.org/x/sync/semaphore"

	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// The bounds of a session. It uses wall time: a demo that advances its clock does not log people out.
const (
	sessionLife = 14 * 24 * time.Hour
	seenEvery   = 5 * time.Minute
)

// Service is the room's door. Safe for concurrent use.
type Service struct {
	db          *store.DB
	clk         clock.Clock
	trail       *trail.Log
	hashing     *semaphore.Weighted
	wall        clock.Clock
	vault       Vault
	sender      CodeSender                                                       // nil where nobody can be reached
	watchDevice func(ctx context.Context, who Actor, ip, userAgent string) error // nil for nobody
	rules       Rules
}

// New makes the service. At most two passwords are hashed at once, since each takes 19 MiB and a core. A real house gives
// WithVault; see the settings for what the others change.
func New(db *store.DB, clk clock.Clock, log *trail.Log, with ...Setting) *Service {
	s := &Service{db: db, clk: clk, trail: log, hashing: semaphore.NewWeighted(2), wall: clock.System(), rules: Rules{VerifyLogins: true}}
	for _, set := range with {
		set(s)
	}
	if s.vault == nil {
		s.vault = newFleetingVault()
	}
	return s
}

type accountRow struct {
	ID           int64
	Login        string
	Name         string
	PasswordHash string
}

// Session is a fresh login. Token and Device are shown once; the database keeps the token's hash.
type Session struct {
	Token     string
	ExpiresAt time.Time
	Actor     Actor
	Device    string // for DeviceCookie: recognises the device next time

	// SecondFactor is set instead of Token when the password was right and a code is still asked for: it names the
	// pending login until ExpiresAt.
	SecondFactor string
}

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

// SessionFor opens a session right after registration, without asking for the password again.
func (s *Service) SessionFor(ctx context.Context, who Actor, ip, userAgent string) (Session, error) {
	m := Membership{MemberID: who.MemberID, SpaceID: who.SpaceID, Space: who.Space, Kind: who.SpaceKind, Role: who.Role}
	return s.start(ctx, accountRow{ID: who.AccountID, Login: who.Login, Name: who.Name}, m, Credentials{IP: ip, UserAgent: userAgent})
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
