package account

import (
	"context"
	"errors"
	"fmt"

	"minifleet/app/fault"
)

// Memberships lists a person's spaces, the first joined first.
func (s *Service) Memberships(ctx context.Context, accountID int64) ([]Membership, error) {
	var rows []Membership
	if err := s.db.All(ctx, &rows, membershipSQL+" ORDER BY m.id", accountID); err != nil {
		return nil, fmt.Errorf("account: memberships: %w", err)
	}
	for i := range rows {
		rows[i].resolve()
	}
	return rows, nil
}

var errSession = fault.New(fault.Unauthenticated, "login_required", "请先登录")

type sessionRow struct {
	ID        int64
	AccountID int64
	MemberID  int64
	SeenAt    int64
	ExpiresAt int64
	Login     string
	Name      string
}

func (s *Service) session(ctx context.Context, token string) (sessionRow, accountRow, error) {
	var row sessionRow
	var a accountRow
	if len(token) < 20 || len(token) > 200 {
		return row, a, errSession
	}
	found, err := s.db.One(ctx, &row, "SELECT l.id, l.account_id, l.member_id, l.seen_at, l.expires_at, a.login, a.name"+
		" FROM login_session l JOIN account a ON a.id=l.account_id WHERE l.token_hash=?", tokenHash(token))
	if err != nil {
		return row, a, fmt.Errorf("account: session: %w", err)
	}
	if !found || row.ExpiresAt < s.wall.Now().UnixMilli() {
		return row, a, errSession
	}
	a.ID, a.Login, a.Name = row.AccountID, row.Login, row.Name
	return row, a, nil
}

// Authenticate tells who holds the token: in the session's current space, or in spaceID when that is not 0
// and the person is a member of it; a space of others is NotFound. With ErrFactorNeeded the actor is told too: they may
// set up their second factor and nothing else.
func (s *Service) Authenticate(ctx context.Context, token string, spaceID int64) (Actor, error) {
	row, a, err := s.session(ctx, token)
	if err != nil {
		return Actor{}, err
	}
	query, args := membershipSQL+" AND m.id=?", []any{a.ID, row.MemberID}
	if spaceID != 0 {
		query, args = membershipSQL+" AND m.space_id=?", []any{a.ID, spaceID}
	}
	var m Membership
	found, err := s.db.One(ctx, &m, query, args...)
	if err != nil {
		return Actor{}, fmt.Errorf("account: session: %w", err)
	}
	if !found && spaceID != 0 {
		return Actor{}, fault.New(fault.NotFound, "space_not_found", "没有找到这个空间，或者你不是它的成员")
	}
	if !found {
		return Actor{}, errSession
	}
	// "Seen" is for the list of sessions; writing it on every request would put the one writer on the way of each page.
	if now := s.wall.Now(); now.UnixMilli()-row.SeenAt > seenEvery.Milliseconds() {
		if _, err := s.db.Exec(ctx, "UPDATE login_session SET seen_at=? WHERE id=?", now.UnixMilli(), row.ID); err != nil {
			return Actor{}, err
		}
	}
	return m.actor(a, row.ID), s.mustSetUp(ctx, a.ID, m.Kind)
}

// Switch makes another of the person's spaces the session's current one.
func (s *Service) Switch(ctx context.Context, token string, spaceID int64) (Actor, error) {
	to, err := s.Authenticate(ctx, token, spaceID)
	if err != nil && !errors.Is(err, ErrFactorNeeded) {
		return Actor{}, err
	}
	if _, err := s.db.Exec(ctx, "UPDATE login_session SET member_id=? WHERE id=?", to.MemberID, to.SessionID); err != nil {
		return Actor{}, err
	}
	return to, nil
}

// Logout ends the session of the token; an unknown one is already ended.
func (s *Service) Logout(ctx context.Context, token string) error {
	_, err := s.db.Exec(ctx, "DELETE FROM login_session WHERE token_hash=?", tokenHash(token))
	return err
}

// Prune removes sessions, codes, captchas and counters that have ended.
func (s *Service) Prune(ctx context.Context) (int64, error) {
	total := int64(0)
	for _, table := range []string{"login_session", "login_pending", "login_code", "captcha_used", "throttle"} {
		n, err := s.db.Exec(ctx, "DELETE FROM "+table+" WHERE expires_at<?", s.wall.Now().UnixMilli())
		if err != nil {
			return total, fmt.Errorf("account: prune %s: %w", table, err)
		}
		total += n
	}
	return total, nil
}

// Space is a tenant as others may see it.
type Space struct {
	ID   int64  `json:"id,string"`
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Spaces reads the names of spaces; unknown ids are left out.
func (s *Service) Spaces(ctx context.Context, ids ...int64) (map[int64]Space, error) {
	out := map[int64]Space{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []Space
	if err := s.db.All(ctx, &rows, "SELECT id, name, kind FROM space WHERE id IN (?)", ids); err != nil {
		return nil, fmt.Errorf("account: spaces: %w", err)
	}
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}

// Actor tells who a person is in a space today; NotFound when the account or the membership is gone. For work that
// outlives a session.
func (s *Service) Actor(ctx context.Context, accountID, spaceID int64) (Actor, error) {
	gone := fault.New(fault.NotFound, "member_not_found", "这个成员已不在该空间")
	var a accountRow
	found, err := s.db.One(ctx, &a, "SELECT id, login, name FROM account WHERE id=?", accountID)
	if err != nil {
		return Actor{}, fmt.Errorf("account: %w", err)
	}
	if !found {
		return Actor{}, gone
	}
	var m Membership
	found, err = s.db.One(ctx, &m, membershipSQL+" AND m.space_id=?", accountID, spaceID)
	if err != nil {
		return Actor{}, fmt.Errorf("account: %w", err)
	}
	if !found {
		return Actor{}, gone
	}
	return m.actor(a, 0), s.mustSetUp(ctx, a.ID, m.Kind)
}
