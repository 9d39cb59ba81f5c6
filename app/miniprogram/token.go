package miniprogram

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// An access token lives two hours. The cron job renews it in the last twenty minutes, callers in the last two.
const (
	renewAhead  = 20 * time.Minute
	renewAtCall = 2 * time.Minute
)

type tokenRow struct {
	Component    string
	AppID        string `orm:"appid"`
	State        string
	RefreshToken string
	AccessToken  string
	ExpiresAt    int64
	Version      int64
}

func purpose(column, component, appid string) string {
	return "authorization." + column + ":" + component + "/" + appid
}

// Errors of Token.
var (
	errRevoked = fault.New(fault.Conflict, "authorization_revoked", "小程序已取消对第三方平台的授权，请让管理员重新授权")
	errReauth  = fault.New(fault.Conflict, "authorization_invalid", "小程序的授权已失效，请让管理员重新授权")
)

func (s *Service) tokenRow(ctx context.Context, component, appid string) (tokenRow, error) {
	var row tokenRow
	found, err := s.db.One(ctx, &row, "SELECT component, appid, state, refresh_token, access_token, expires_at, version FROM authorization WHERE component=? AND appid=?", component, appid)
	switch {
	case err != nil:
		return row, fmt.Errorf("miniprogram: %w", err)
	case !found || row.State == Revoked:
		return row, errRevoked
	case row.State == NeedsReauth || row.RefreshToken == "":
		return row, errReauth
	}
	return row, nil
}

// Token gives an authorizer_access_token good for at least two minutes, refreshed once however many ask.
// After `unauthorized` there is none.
func (s *Service) Token(ctx context.Context, component, appid string) (string, error) {
	return s.token(ctx, component, appid, renewAtCall, "")
}

// Renew gives a token other than the rejected one.
func (s *Service) Renew(ctx context.Context, component, appid, rejected string) (string, error) {
	return s.token(ctx, component, appid, renewAtCall, rejected)
}

func (s *Service) token(ctx context.Context, component, appid string, ahead time.Duration, rejected string) (string, error) {
	ready := func(ctx context.Context) (string, bool, error) {
		row, err := s.tokenRow(ctx, component, appid)
		if err != nil || row.AccessToken == "" || row.ExpiresAt < clock.Millis(s.clk.Now().Add(ahead)) {
			return "", false, err
		}
		token, err := s.vault.OpenString(purpose("access_token", component, appid), row.AccessToken)
		return token, token != rejected, err
	}
	if token, ok, err := ready(ctx); err != nil || ok {
		return token, err
	}
	return s.flight.Do(ctx, "authorizer.token:"+component+"/"+appid, ready, func(ctx context.Context) (string, error) {
		return s.refresh(ctx, component, appid)
	})
}

// refresh asks WeChat for a new access token and stores the refresh token that came with it before either is used.
func (s *Service) refresh(ctx context.Context, component, appid string) (string, error) {
	row, err := s.tokenRow(ctx, component, appid)
	if err != nil {
		return "", err
	}
	refreshToken, err := s.vault.OpenString(purpose("refresh_token", component, appid), row.RefreshToken)
	if err != nil {
		return "", err
	}
	got, err := s.askToken(ctx, component, appid, refreshToken)
	if err != nil {
		return "", s.refreshFailed(ctx, row, err)
	}
	access, err1 := s.vault.SealString(purpose("access_token", component, appid), got.AccessToken)
	refresh, err2 := s.vault.SealString(purpose("refresh_token", component, appid), got.RefreshToken)
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	expires := clock.Millis(s.clk.Now().Add(got.ExpiresIn))
	// The version keeps a slow refresh from overwriting the tokens of a newer authorisation, or reviving a revoked one.
	n, err := s.db.Exec(ctx, "UPDATE authorization SET access_token=?, refresh_token=?, expires_at=?, last_error='', version=version+1 WHERE component=? AND appid=? AND version=? AND state=?",
		access, refresh, expires, component, appid, row.Version, Active)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return s.stored(ctx, component, appid)
	}
	return got.AccessToken, nil
}

// stored reads the token that somebody else has put there meanwhile.
func (s *Service) stored(ctx context.Context, component, appid string) (string, error) {
	row, err := s.tokenRow(ctx, component, appid)
	if err != nil {
		return "", err
	}
	return s.vault.OpenString(purpose("access_token", component, appid), row.AccessToken)
}

func (s *Service) askToken(ctx context.Context, component, appid, refreshToken string) (wechat.AuthorizerTokens, error) {
	token, err := s.components.Token(ctx, component)
	if err != nil {
		return wechat.AuthorizerTokens{}, err
	}
	started := time.Now()
	got, err := s.wx.AuthorizerToken(ctx, component, token, appid, refreshToken)
	if wechat.TokenRejected(err) {
		if token, err = s.components.Renew(ctx, component, token); err == nil {
			got, err = s.wx.AuthorizerToken(ctx, component, token, appid, refreshToken)
		}
	}
	s.trail.WeChat(ctx, trail.Call{Endpoint: wechat.EndpointAuthorizerToken, Component: component, AppID: appid, Started: started, Err: err})
	return got, err
}

// refreshFailed keeps the refusal for the screen; only WeChat's word that the refresh token is dead changes the state.
func (s *Service) refreshFailed(ctx context.Context, row tokenRow, cause error) error {
	state := row.State
	if code := wechat.Code(cause); code == wechat.CodeRefreshInvalid || code == wechat.CodeNotAuthorized {
		state = NeedsReauth
	}
	_, err := s.db.Exec(ctx, "UPDATE authorization SET state=?, last_error=? WHERE component=? AND appid=? AND version=? AND state=?",
		state, fault.From(cause).Message, row.Component, row.AppID, row.Version, Active)
	return errors.Join(fmt.Errorf("access token of %s: %w", row.AppID, cause), err)
}

// RefreshTokens renews tokens that end within twenty minutes, a bounded number at a time; the cron job
// authorizer.tokens. Tokens of mini programs that nobody uses are renewed too, which is how a dead authorisation shows.
func (s *Service) RefreshTokens(ctx context.Context) (string, error) {
	var due []tokenRow
	err := s.db.All(ctx, &due, "SELECT component, appid FROM authorization WHERE state=? AND refresh_token<>'' AND expires_at<? ORDER BY expires_at LIMIT 2000", Active, clock.Millis(s.clk.Now().Add(renewAhead)))
	if err != nil {
		return "", err
	}
	slots, results := make(chan struct{}, 8), make(chan error, len(due))
	for _, d := range due {
		slots <- struct{}{}
		go func() {
			defer func() { <-slots }()
			_, err := s.token(ctx, d.Component, d.AppID, renewAhead, "")
			results <- err
		}()
	}
	var failed []error
	for range due {
		if err := <-results; err != nil {
			failed = append(failed, err)
		}
	}
	note := fmt.Sprintf("到期 %d 个，刷新成功 %d 个", len(due), len(due)-len(failed))
	if len(failed) > 3 {
		failed = append(failed[:3], fmt.Errorf("and %d more", len(failed)-3))
	}
	return note, errors.Join(failed...)
}
