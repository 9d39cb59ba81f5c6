package admin

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"minifleet/app/account"
	"minifleet/app/store"
)

// sessionLife is how long a GoAdmin session row is kept before it is made anew; ours may live longer or shorter.
const sessionLife = 24 * time.Hour

// maxRemembered bounds the memory of sessions already written.
const maxRemembered = 10000

// shadows keeps the GoAdmin user of each membership and the GoAdmin session of each of our sessions. GoAdmin only
// ever sees a session id made here: it would adopt whatever id the browser sent.
type shadows struct {
	db     *store.DB
	flight singleflight.Group

	mu    sync.Mutex
	known map[sessionKey]shadow
}

type sessionKey struct{ session, member int64 }

type shadow struct {
	sid   string
	user  int64
	until time.Time
}

func newShadows(db *store.DB) *shadows {
	return &shadows{db: db, known: map[sessionKey]shadow{}}
}

// session returns the GoAdmin session id for the actor. It writes only the first time a session meets a membership.
// Wall time, as login sessions use it.
func (s *shadows) session(ctx context.Context, a account.Actor) (shadow, error) {
	key, now := sessionKey{a.SessionID, a.MemberID}, time.Now()
	s.mu.Lock()
	sh, ok := s.known[key]
	s.mu.Unlock()
	if ok && now.Before(sh.until) {
		return sh, nil
	}
	// A page and what it loads arrive together: one of them writes, the others take its row. Another replica may
	// write at the same moment too; then its row is found at the second try.
	made, err, _ := s.flight.Do(fmt.Sprint(key), func() (any, error) {
		ctx := context.WithoutCancel(ctx) // the others wait for it even if this one leaves
		sh, err := s.make(ctx, key, a, now)
		if store.Duplicate(err) {
			sh, err = s.make(ctx, key, a, now)
		}
		return sh, err
	})
	if err != nil {
		return shadow{}, fmt.Errorf("admin: session of member %d: %w", a.MemberID, err)
	}
	sh = made.(shadow)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxRemembered {
		clear(s.known)
	}
	s.known[key] = sh
	return sh, nil
}

// make finds the session's row or writes it.
func (s *shadows) make(ctx context.Context, key sessionKey, a account.Actor, now time.Time) (shadow, error) {
	sh, err := s.find(ctx, key, now)
	if err != nil || sh.sid != "" {
		return sh, err
	}
	return s.create(ctx, key, a, now)
}

// forget drops the remembered session of the actor, so that the next request writes a new one.
func (s *shadows) forget(a account.Actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.known, sessionKey{a.SessionID, a.MemberID})
}

func (s *shadows) find(ctx context.Context, key sessionKey, now time.Time) (shadow, error) {
	var row struct {
		Sid       string
		UserID    int64 `orm:"goadmin_user_id"`
		CreatedAt int64
	}
	found, err := s.db.One(ctx, &row, "SELECT s.sid, h.goadmin_user_id, s.created_at FROM admin_session s JOIN admin_shadow h ON h.member_id=s.member_id JOIN goadmin_session g ON g.sid=s.sid WHERE s.session_id=? AND s.member_id=? AND s.created_at>?",
		key.session, key.member, now.Add(-sessionLife).UnixMilli())
	if err != nil || !found {
		return shadow{}, err
	}
	return shadow{sid: row.Sid, user: row.UserID, until: time.UnixMilli(row.CreatedAt).Add(sessionLife)}, nil
}

// create makes the shadow user where there is none, and a fresh session row, and drops the rows that ran out.
func (s *shadows) create(ctx context.Context, key sessionKey, a account.Actor, now time.Time) (sh shadow, err error) {
	sh = shadow{sid: rand.Text() + rand.Text(), until: now.Add(sessionLife)}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if sh.user, err = s.user(ctx, a, now); err != nil {
			return err
		}
		if err := s.prune(ctx, key, now); err != nil {
			return err
		}
		values := fmt.Sprintf(`{"user_id":%d}`, sh.user)
		if err := s.db.Insert(ctx, "goadmin_session", map[string]any{"sid": sh.sid, "values": values}); err != nil {
			return err
		}
		return s.db.Insert(ctx, "admin_session", map[string]any{"session_id": key.session, "member_id": key.member, "sid": sh.sid, "created_at": now.UnixMilli()})
	})
	return sh, err
}

// user finds or makes the GoAdmin user of the membership: no password opens it, and its one role holds permission *.
func (s *shadows) user(ctx context.Context, a account.Actor, now time.Time) (int64, error) {
	id, err := s.db.Int(ctx, "SELECT goadmin_user_id FROM admin_shadow WHERE member_id=?", a.MemberID)
	if err != nil || id != 0 {
		return id, err
	}
	name, login := []rune(a.Name), fmt.Sprintf("member-%d", a.MemberID)
	row := map[string]any{"username": login, "password": "!", "name": string(name[:min(len(name), 80)])}
	if err := s.db.Insert(ctx, "goadmin_users", row); err != nil {
		return 0, err
	}
	// The database's own small id, not one of ours: GoAdmin reads it from JSON as a float, which ends at 2^53.
	if id, err = s.db.Int(ctx, "SELECT id FROM goadmin_users WHERE username=?", login); err != nil {
		return 0, err
	}
	if err := s.db.Insert(ctx, "goadmin_role_users", map[string]any{"role_id": 1, "user_id": id}); err != nil {
		return 0, err
	}
	return id, s.db.Insert(ctx, "admin_shadow", map[string]any{"member_id": a.MemberID, "goadmin_user_id": id, "created_at": now.UnixMilli()})
}

// prune drops this session's former rows and every row that ran out, of GoAdmin's table and of ours.
func (s *shadows) prune(ctx context.Context, key sessionKey, now time.Time) error {
	const old = "created_at<? OR (session_id=? AND member_id=?)"
	args := []any{now.Add(-sessionLife).UnixMilli(), key.session, key.member}
	if _, err := s.db.Exec(ctx, "DELETE FROM goadmin_session WHERE sid IN (SELECT sid FROM admin_session WHERE "+old+")", args...); err != nil {
		return err
	}
	_, err := s.db.Exec(ctx, "DELETE FROM admin_session WHERE "+old, args...)
	return err
}
