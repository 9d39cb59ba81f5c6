package miniprogram

import (
	"context"
	"fmt"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// OnAuthorized takes the push `authorized` or `updateauthorized`. The pre-auth code leads back to the ticket, if it is
// one of ours; a code that is used up has been exchanged by the browser's return already.
func (s *Service) OnAuthorized(ctx context.Context, component, code, preAuthCode string, created int64) error {
	ticket := ""
	if preAuthCode != "" {
		var row struct{ Ticket string }
		if _, err := s.db.One(ctx, &row, "SELECT ticket FROM pre_auth_code WHERE hash=?", digest(component, preAuthCode)); err != nil {
			return fmt.Errorf("miniprogram: %w", err)
		}
		ticket = row.Ticket
	}
	err := s.exchange(ctx, component, code, ticket, authTime{latest: created, stamp: created})
	switch wechat.Code(err) {
	case wechat.CodeAuthCodeInvalid, wechat.CodeAuthCodeExpired:
		// Repeating will not help: the ticket has been told, and the administrator has to authorise again.
		return nil
	}
	return err
}

// OnUnauthorized takes the push `unauthorized`: from now on no token of this authorisation leaves the house. One that
// is older than the authorisation it speaks of comes late and changes nothing.
func (s *Service) OnUnauthorized(ctx context.Context, component, appid string, created int64) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE authorization SET state=?, access_token='', refresh_token='', expires_at=0, revoked_time=?, version=version+1 WHERE component=? AND appid=? AND auth_time<=? AND revoked_time<=? AND state<>?",
			Revoked, created, component, appid, created, created, Revoked)
		if err != nil {
			return err
		}
		if n == 0 { // what has ended does not end again, and is no news to anybody
			_, err = s.db.Exec(ctx, "UPDATE authorization SET revoked_time=? WHERE component=? AND appid=? AND auth_time<=? AND revoked_time<? AND state=?", created, component, appid, created, created, Revoked)
			return err
		}
		m, err := s.Find(ctx, appid)
		if err != nil {
			return err
		}
		if err := s.trail.Record(ctx, trail.Entry{Actor: "微信", SpaceID: m.OwnerSpaceID, Component: component, AppID: appid, Act: "miniprogram.unauthorized"}); err != nil {
			return err
		}
		return s.events.Announce(ctx, "miniprogram.unauthorized", component, appid, m.OwnerSpaceID, map[string]string{})
	})
}

// EnsureProfile fetches the profile if it was never read; the event's handler after an authorisation.
func (s *Service) EnsureProfile(ctx context.Context, component, appid string) error {
	m, err := s.Find(ctx, appid)
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		return nil
	case err != nil:
		return err
	case m.SyncedAt > 0:
		return nil
	}
	return s.syncFrom(ctx, account.Actor{}, component, appid)
}
