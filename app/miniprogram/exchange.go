package miniprogram

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// Authorised is the data of the event miniprogram.authorized.
type Authorised struct {
	Ticket string `json:"ticket,omitempty"`
	Sets   []int  `json:"sets"`
	Owner  int64  `json:"owner_space_id,string"`
}

// authTime is when an authorisation was made, in Unix seconds: at the latest (a revocation after it wins), and what is
// remembered of it (a revocation before it is an old one).
type authTime struct{ latest, stamp int64 }

// exchange trades an authorisation code for tokens, once however often and from wherever the code comes, and settles
// who owns the mini program. ticket is "" when nobody here asked.
func (s *Service) exchange(ctx context.Context, component, code, ticket string, at authTime) error {
	hash := digest(component, code)
	ready := func(ctx context.Context) (string, bool, error) {
		var row struct {
			AppID  string `orm:"appid"`
			Ticket string
		}
		found, err := s.db.One(ctx, &row, "SELECT appid, ticket FROM auth_code WHERE hash=?", hash)
		if err != nil || !found {
			return "", false, err
		}
		// The push came first without knowing the ticket (its pre-auth code was not told): the return brings it now.
		// A code that belongs to another ticket stays there.
		if row.Ticket == "" && ticket != "" {
			err = s.claim(ctx, component, hash, row.AppID, ticket)
		} else if row.Ticket != ticket && ticket != "" {
			err = s.endTicket(ctx, ticket, Failed, "", FailureCode)
		}
		return row.AppID, true, err
	}
	if _, ok, err := ready(ctx); err != nil || ok {
		return err
	}
	_, err := s.flight.Do(ctx, "auth.code:"+hash, ready, func(ctx context.Context) (string, error) {
		return s.trade(ctx, component, code, ticket, at)
	})
	return err
}

func (s *Service) trade(ctx context.Context, component, code, ticket string, at authTime) (string, error) {
	token, err := s.components.Token(ctx, component)
	if err != nil {
		return "", err
	}
	started := time.Now()
	g, err := s.wx.QueryAuth(ctx, component, token, code)
	if wechat.TokenRejected(err) {
		if token, err = s.components.Renew(ctx, component, token); err == nil {
			g, err = s.wx.QueryAuth(ctx, component, token, code)
		}
	}
	s.trail.WeChat(ctx, trail.Call{Endpoint: wechat.EndpointQueryAuth, Component: component, AppID: g.AppID, Started: started, Err: err})
	if err != nil {
		if code := wechat.Code(err); code == wechat.CodeAuthCodeInvalid || code == wechat.CodeAuthCodeExpired {
			err = errors.Join(err, s.endTicket(ctx, ticket, Failed, "", FailureCode))
		}
		return "", fmt.Errorf("exchange authorisation code: %w", err)
	}
	if err := s.settle(ctx, component, digest(component, code), ticket, g, at); err != nil {
		return "", err
	}
	// The person who waits wants to see a name. Should WeChat not answer now, the event's handler tries again.
	if err := s.syncFrom(ctx, account.Actor{}, component, g.AppID); err != nil {
		return g.AppID, nil //nolint:nilerr // the subscriber of miniprogram.authorized repeats the sync
	}
	return g.AppID, nil
}

// settle stores what the code brought in one transaction: refresh token and access token together, the owner, the
// ticket's end, the event.
func (s *Service) settle(ctx context.Context, component, hash, ticket string, g wechat.Grant, at authTime) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		now := clock.Millis(s.clk.Now())
		added, err := s.db.InsertIgnore(ctx, "auth_code", map[string]any{"hash": hash, "component": component, "appid": g.AppID, "ticket": ticket, "created_at": now})
		if err != nil || !added {
			return err
		}
		_, err = s.db.InsertIgnore(ctx, "mini_program", map[string]any{
			"appid": g.AppID, "id": s.db.NewID(), "owner_space_id": 0, "nick_name": "", "user_name": "", "head_img": "", "principal": "", "signature": "",
			"service_type": 0, "verify_type": -1, "account_status": 0, "categories": "[]", "synced_at": 0, "created_at": now,
		})
		if err != nil {
			return err
		}
		active, err := s.storeTokens(ctx, component, g, at)
		if err != nil {
			return err
		}
		if !active {
			return s.endTicket(ctx, ticket, Failed, g.AppID, "revoked")
		}
		owner, err := s.own(ctx, component, g.AppID, ticket)
		if err != nil {
			return err
		}
		return s.events.Announce(ctx, "miniprogram.authorized", component, g.AppID, owner, Authorised{Ticket: ticket, Sets: g.Sets, Owner: owner})
	})
}

// storeTokens writes the tokens of an authorisation unless a newer revocation is known (01 G.3 rule 3).
// Cached access tokens are replaced at once.
func (s *Service) storeTokens(ctx context.Context, component string, g wechat.Grant, at authTime) (active bool, err error) {
	access, err1 := s.vault.SealString(purpose("access_token", component, g.AppID), g.AccessToken)
	refresh, err2 := s.vault.SealString(purpose("refresh_token", component, g.AppID), g.RefreshToken)
	if err := errors.Join(err1, err2); err != nil {
		return false, err
	}
	now := s.clk.Now()
	expires := clock.Millis(now.Add(g.ExpiresIn))
	if _, err := s.db.InsertIgnore(ctx, "authorization", map[string]any{
		"id": s.db.NewID(), "component": component, "appid": g.AppID, "state": Revoked, "sets": "", "refresh_token": "", "access_token": "", "expires_at": 0,
		"auth_time": 0, "revoked_time": 0, "version": 0, "last_error": "", "created_at": clock.Millis(now),
	}); err != nil {
		return false, err
	}
	n, err := s.db.Exec(ctx, "UPDATE authorization SET state=?, sets=?, refresh_token=?, access_token=?, expires_at=?, auth_time=CASE WHEN auth_time>? THEN auth_time ELSE ? END, last_error='', version=version+1 WHERE component=? AND appid=? AND revoked_time<=?",
		Active, formatSets(g.Sets), refresh, access, expires, at.stamp, at.stamp, component, g.AppID, at.latest)
	return n > 0, err
}

// own makes the ticket's space the owner if there is none, and ends the ticket. It returns the owner.
func (s *Service) own(ctx context.Context, component, appid, ticket string) (int64, error) {
	var t Ticket
	if ticket != "" {
		var err error
		if t, err = s.Ticket(ctx, ticket); err != nil {
			return 0, err
		}
	}
	if t.OwnerSpaceID != 0 {
		if _, err := s.db.Exec(ctx, "UPDATE mini_program SET owner_space_id=? WHERE appid=? AND owner_space_id=0", t.OwnerSpaceID, appid); err != nil {
			return 0, err
		}
	}
	var row struct{ OwnerSpaceID int64 }
	if _, err := s.db.One(ctx, &row, "SELECT owner_space_id FROM mini_program WHERE appid=?", appid); err != nil {
		return 0, err
	}
	if ticket == "" {
		return row.OwnerSpaceID, s.record(ctx, Ticket{Component: component}, appid, "miniprogram.authorized", trail.OK, "微信侧授权")
	}
	if t.OwnerSpaceID != 0 && row.OwnerSpaceID != t.OwnerSpaceID {
		err := s.endTicket(ctx, ticket, Failed, appid, FailureOwned)
		return row.OwnerSpaceID, errors.Join(err, s.record(ctx, t, appid, "miniprogram.authorized", trail.Failed, "小程序属于其他空间"))
	}
	err := s.endTicket(ctx, ticket, Authorized, appid, "")
	return row.OwnerSpaceID, errors.Join(err, s.record(ctx, t, appid, "miniprogram.authorized", trail.OK, ""))
}

// claim gives a code that arrived without a ticket to the ticket that its return names.
func (s *Service) claim(ctx context.Context, component, hash, appid, ticket string) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE auth_code SET ticket=? WHERE hash=? AND ticket=''", ticket, hash)
		if err != nil || n == 0 {
			return err
		}
		owner, err := s.own(ctx, component, appid, ticket)
		if err != nil {
			return err
		}
		return s.events.Announce(ctx, "miniprogram.authorized", component, appid, owner, Authorised{Ticket: ticket, Owner: owner})
	})
}
