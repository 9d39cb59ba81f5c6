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

// TokenPrefix begins every API token, so that a person and a scanner of leaked secrets recognise one.
const TokenPrefix = "mft_"

// The bounds of API tokens. They live in wall time, like sessions.
const (
	tokensPerMember = 20
	tokenSeenEvery  = time.Minute
	tokenKept       = 30 * 24 * time.Hour // how long one that has ended stays known, in days of 24 h
)

// TokenDays are the lives a token may be given, in days; 0 is without end, which a screen warns of.
func TokenDays() []int { return []int{7, 30, 90, 365, 0} }

// Token is an API token as its maker sees it later: everything but the secret itself.
type Token struct {
	ID         int64    `json:"id,string"`
	Name       string   `json:"name"`
	Hint       string   `json:"hint"` // the first characters, to tell tokens apart
	Scopes     []string `json:"scopes"`
	CreatedAt  int64    `json:"created_at"`
	ExpiresAt  int64    `json:"expires_at"`   // Unix milliseconds, 0 = never
	LastUsedAt int64    `json:"last_used_at"` // Unix milliseconds, to the minute; 0 = never
	LastIP     string   `json:"last_ip"`
}

// Expired reports whether the token has ended by itself.
func (t Token) Expired(now time.Time) bool {
	return t.ExpiresAt != 0 && t.ExpiresAt <= now.UnixMilli()
}

// TokenRequest is what a person chooses for a new token.
type TokenRequest struct {
	Name   string   // 1 to 40 characters, for the list and the operation log
	Scopes []string // permissions of the maker's own, at least one
	Days   int      // one of TokenDays
}

// people tells who a person is in a space today.
type people interface {
	Actor(ctx context.Context, accountID, spaceID int64) (Actor, error)
}

// Tokens keeps API tokens: each belongs to one person in one space, can do at most what that person can there today,
// and ends with the membership. Safe for concurrent use.
type Tokens struct {
	db     *store.DB
	trail  *trail.Log
	people people
}

// NewTokens makes the service.
func NewTokens(db *store.DB, log *trail.Log, people people) *Tokens {
	return &Tokens{db: db, trail: log, people: people}
}

// ByToken reports whether the actor came with an API token instead of a login.
func (a Actor) ByToken() bool { return a.Scopes != nil }

var (
	errToken     = fault.New(fault.Unauthenticated, "token_invalid", "令牌无效、已过期或已撤销，请换一个令牌")
	errByToken   = fault.New(fault.Forbidden, "token_not_allowed", "API 令牌不能管理令牌，请登录后在页面上操作")
	errNoToken   = fault.New(fault.NotFound, "token_not_found", "没有找到这个令牌，或者它已经撤销")
	errManyToken = fault.New(fault.Conflict, "too_many_tokens", "一个空间里最多 20 个令牌，请先撤销不用的")
)

// Create makes a token for the actor's current space and gives its secret, which is shown this once: only its hash
// is kept.
func (t *Tokens) Create(ctx context.Context, who Actor, in TokenRequest) (Token, string, error) {
	if who.ByToken() || who.Nobody() {
		return Token{}, "", errByToken
	}
	if err := in.check(who); err != nil {
		return Token{}, "", err
	}
	now := time.Now()
	secret := TokenPrefix + rand.Text() + rand.Text()
	made := Token{ID: t.db.NewID(), Name: in.Name, Hint: secret[:len(TokenPrefix)+4], Scopes: in.Scopes, CreatedAt: now.UnixMilli()}
	if in.Days > 0 {
		made.ExpiresAt = now.AddDate(0, 0, in.Days).UnixMilli()
	}
	err := t.db.Tx(ctx, func(ctx context.Context) error {
		err := t.db.Insert(ctx, "api_token", map[string]any{
			"id": made.ID, "token_hash": tokenHash(secret), "hint": made.Hint, "account_id": who.AccountID, "space_id": who.SpaceID, "member_id": who.MemberID,
			"name": made.Name, "scopes": strings.Join(made.Scopes, " "), "created_at": made.CreatedAt, "expires_at": made.ExpiresAt, "last_ip": "",
		})
		if err != nil {
			return err
		}
		// A bound against forgotten heaps, not against an attacker: requests sent together may pass it by a few.
		n, err := t.db.Int(ctx, "SELECT COUNT(*) FROM api_token WHERE member_id=? AND revoked_at=0 AND (expires_at=0 OR expires_at>?)", who.MemberID, now.UnixMilli())
		if err != nil {
			return err
		}
		if n > tokensPerMember {
			return errManyToken
		}
		return t.trail.Record(ctx, trail.Entry{
			AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "token.create", Object: made.Name + " " + made.Hint, Detail: strings.Join(made.Scopes, " "),
		})
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("account: create token: %w", err)
	}
	return made, secret, nil
}

const tokenSQL = "SELECT id, name, hint, scopes, created_at, expires_at, last_used_at, last_ip, account_id, space_id, member_id, revoked_at FROM api_token WHERE "

type tokenRow struct {
	ID         int64
	Name       string
	Hint       string
	Scopes     string
	CreatedAt  int64
	ExpiresAt  int64
	LastUsedAt int64
	LastIP     string `orm:"last_ip"`
	AccountID  int64
	SpaceID    int64
	MemberID   int64
	RevokedAt  int64
}

func (r tokenRow) token() Token {
	return Token{ID: r.ID, Name: r.Name, Hint: r.Hint, Scopes: strings.Fields(r.Scopes), CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt, LastIP: r.LastIP}
}

// List gives the actor's tokens of the current space, the newest first; revoked ones are gone from it, expired ones stay
// for 30 days.
func (t *Tokens) List(ctx context.Context, who Actor) ([]Token, error) {
	if who.ByToken() || who.Nobody() {
		return nil, errByToken
	}
	var rows []tokenRow
	if err := t.db.All(ctx, &rows, tokenSQL+"member_id=? AND revoked_at=0 ORDER BY id DESC LIMIT 100", who.MemberID); err != nil {
		return nil, fmt.Errorf("account: tokens: %w", err)
	}
	list := make([]Token, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.token())
	}
	return list, nil
}

// Revoke ends a token of the actor's at once; a token of somebody else's is NotFound.
func (t *Tokens) Revoke(ctx context.Context, who Actor, id int64) error {
	if who.ByToken() || who.Nobody() {
		return errByToken
	}
	var row tokenRow
	found, err := t.db.One(ctx, &row, tokenSQL+"id=? AND member_id=? AND revoked_at=0", id, who.MemberID)
	if err != nil {
		return fmt.Errorf("account: revoke token: %w", err)
	}
	if !found {
		return errNoToken
	}
	err = t.db.Tx(ctx, func(ctx context.Context) error {
		n, err := t.db.Exec(ctx, "UPDATE api_token SET revoked_at=? WHERE id=? AND revoked_at=0", time.Now().UnixMilli(), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoToken
		}
		return t.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "token.revoke", Object: row.Name + " " + row.Hint})
	})
	if err != nil {
		return fmt.Errorf("account: revoke token: %w", err)
	}
	return nil
}

// Authenticate tells who holds the secret, with the token's scopes and name on the actor. spaceID, unless 0, must be the token's own space: another is NotFound.
func (t *Tokens) Authenticate(ctx context.Context, secret, ip string, spaceID int64) (Actor, error) {
	if !strings.HasPrefix(secret, TokenPrefix) || len(secret) > 200 {
		return Actor{}, errToken
	}
	var row tokenRow
	found, err := t.db.One(ctx, &row, tokenSQL+"token_hash=?", tokenHash(secret))
	if err != nil {
		return Actor{}, fmt.Errorf("account: token: %w", err)
	}
	now := time.Now()
	if !found || row.RevokedAt != 0 || row.token().Expired(now) {
		return Actor{}, errToken
	}
	who, err := t.people.Actor(ctx, row.AccountID, row.SpaceID)
	if fault.KindOf(err) == fault.NotFound {
		return Actor{}, errToken
	}
	if err != nil {
		return Actor{}, err
	}
	// Who left and came back has another membership: the token does not come back with them.
	if who.MemberID != row.MemberID {
		return Actor{}, errToken
	}
	if spaceID != 0 && spaceID != who.SpaceID {
		return Actor{}, fault.New(fault.NotFound, "space_not_found", "没有找到这个空间，或者这个令牌不属于它")
	}
	if now.UnixMilli()-row.LastUsedAt > tokenSeenEvery.Milliseconds() {
		if _, err := t.db.Exec(ctx, "UPDATE api_token SET last_used_at=?, last_ip=? WHERE id=? AND last_used_at=?", now.UnixMilli(), trim(ip, 64), row.ID, row.LastUsedAt); err != nil {
			return Actor{}, err
		}
	}
	who.Scopes, who.TokenID, who.TokenName = row.token().Scopes, row.ID, row.Name
	return who, nil
}

// Prune forgets tokens that ended more than 30 days ago, and those whose membership is gone.
func (t *Tokens) Prune(ctx context.Context) (int64, error) {
	before := time.Now().Add(-tokenKept).UnixMilli()
	return t.db.Exec(ctx, "DELETE FROM api_token WHERE (revoked_at<>0 AND revoked_at<?) OR (expires_at<>0 AND expires_at<?) OR NOT EXISTS (SELECT 1 FROM member WHERE member.id=api_token.member_id)", before, before)
}
