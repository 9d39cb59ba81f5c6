package component

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

// A token lives two hours. The cron job renews it in the last twenty minutes, callers in the last two.
const (
	renewAhead  = 20 * time.Minute
	renewAtCall = 2 * time.Minute
)

// sealedRow is a component with its sealed secrets.
type sealedRow struct {
	AppID          string `orm:"appid"`
	Secret         string
	Token          string
	AesKey         string
	PreviousToken  string
	PreviousAesKey string
	Ticket         string
	AccessToken    string
	TokenExpiresAt int64
}

func (s *Service) sealed(ctx context.Context, appid string) (sealedRow, error) {
	var row sealedRow
	found, err := s.db.One(ctx, &row, "SELECT appid, secret, token, aes_key, previous_token, previous_aes_key, ticket, access_token, token_expires_at FROM component WHERE appid=?", appid)
	if err != nil {
		return row, fmt.Errorf("component: %w", err)
	}
	if !found {
		return row, errNotFound
	}
	return row, nil
}

// Keys are what pushes of a component are verified and decrypted with; the current ones first.
type Keys struct{ Tokens, AESKeys []string }

// Keys opens the keys of a component; NotFound when it is not bound here.
func (s *Service) Keys(ctx context.Context, appid string) (Keys, error) {
	row, err := s.sealed(ctx, appid)
	if err != nil {
		return Keys{}, err
	}
	var k Keys
	for _, f := range []struct {
		column, sealed string
		into           *[]string
	}{{"token", row.Token, &k.Tokens}, {"token", row.PreviousToken, &k.Tokens}, {"aes_key", row.AesKey, &k.AESKeys}, {"aes_key", row.PreviousAesKey, &k.AESKeys}} {
		plain, err := s.vault.OpenString(purpose(f.column, appid), f.sealed)
		if err != nil {
			return Keys{}, err
		}
		if plain != "" {
			*f.into = append(*f.into, plain)
		}
	}
	return k, nil
}

// SaveTicket keeps a pushed ticket unless a newer one is there already. created is the push's CreateTime in Unix seconds.
func (s *Service) SaveTicket(ctx context.Context, appid, ticket string, created int64) error {
	if ticket == "" {
		return fmt.Errorf("component: empty ticket for %s", appid)
	}
	sealed, err := s.vault.SealString(purpose("ticket", appid), ticket)
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "UPDATE component SET ticket=?, ticket_time=?, ticket_at=? WHERE appid=? AND ticket_time<=?", sealed, created, clock.Millis(s.clk.Now()), appid, created)
	return err
}

// Token gives a component_access_token that is good for at least two minutes. However many ask at once, on however
// many replicas, WeChat is asked once.
func (s *Service) Token(ctx context.Context, appid string) (string, error) {
	return s.token(ctx, appid, renewAtCall, "")
}

// Renew gives a token other than the rejected one: that which another caller got meanwhile, or a new one.
func (s *Service) Renew(ctx context.Context, appid, rejected string) (string, error) {
	return s.token(ctx, appid, renewAtCall, rejected)
}

func (s *Service) token(ctx context.Context, appid string, ahead time.Duration, rejected string) (string, error) {
	ready := func(ctx context.Context) (string, bool, error) {
		row, err := s.sealed(ctx, appid)
		if err != nil || row.AccessToken == "" || row.TokenExpiresAt < clock.Millis(s.clk.Now().Add(ahead)) {
			return "", false, err
		}
		token, err := s.vault.OpenString(purpose("access_token", appid), row.AccessToken)
		return token, token != rejected, err
	}
	if token, ok, err := ready(ctx); err != nil || ok {
		return token, err
	}
	return s.flight.Do(ctx, "component.token:"+appid, ready, func(ctx context.Context) (string, error) { return s.exchange(ctx, appid) })
}

// errNoTicket is what callers see before the first push.
var errNoTicket = fault.New(fault.Unavailable, "no_ticket", "还没有收到微信推送的票据，请先完成第三方平台的消息配置")

// exchange trades the ticket for a token and stores it before handing it out.
func (s *Service) exchange(ctx context.Context, appid string) (string, error) {
	row, err := s.sealed(ctx, appid)
	if err != nil {
		return "", err
	}
	if row.Ticket == "" {
		return "", errNoTicket
	}
	ticket, err1 := s.vault.OpenString(purpose("ticket", appid), row.Ticket)
	secret, err2 := s.vault.OpenString(purpose("secret", appid), row.Secret)
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	started := time.Now()
	issued, err := s.wx.ComponentToken(ctx, appid, secret, ticket)
	s.trail.WeChat(ctx, trail.Call{Endpoint: wechat.EndpointComponentToken, Component: appid, Started: started, Err: err})
	if err != nil {
		return "", s.noteError(ctx, appid, err)
	}
	sealed, err := s.vault.SealString(purpose("access_token", appid), issued.Token)
	if err != nil {
		return "", err
	}
	expires := clock.Millis(s.clk.Now().Add(issued.ExpiresIn))
	if _, err := s.db.Exec(ctx, "UPDATE component SET access_token=?, token_expires_at=?, last_error='', last_errcode=0, last_error_at=0 WHERE appid=?", sealed, expires, appid); err != nil {
		return "", err
	}
	return issued.Token, nil
}

// noteError keeps the refusal for the health page and wraps it for the caller.
func (s *Service) noteError(ctx context.Context, appid string, cause error) error {
	code := wechat.Code(cause)
	text := "没有连上微信接口"
	if code != 0 {
		text = fmt.Sprintf("微信返回错误 %d", code)
		if e, ok := wechat.Explain(code); ok {
			text = e.Reason
		}
	}
	_, err := s.db.Exec(ctx, "UPDATE component SET last_error=?, last_errcode=?, last_error_at=? WHERE appid=?", text, code, clock.Millis(s.clk.Now()), appid)
	return errors.Join(fmt.Errorf("component token of %s: %w", appid, cause), err)
}

// RefreshTokens renews every token that ends within twenty minutes; the cron job component.tokens. It tells how many
// it renewed; one platform's failure does not keep another's from being renewed.
func (s *Service) RefreshTokens(ctx context.Context) (string, error) {
	var due []struct {
		AppID string `orm:"appid"`
	}
	if err := s.db.All(ctx, &due, "SELECT appid FROM component WHERE ticket<>'' AND token_expires_at<?", clock.Millis(s.clk.Now().Add(renewAhead))); err != nil {
		return "", err
	}
	var failed []error
	for _, c := range due {
		if _, err := s.token(ctx, c.AppID, renewAhead, ""); err != nil {
			failed = append(failed, err)
		}
	}
	return fmt.Sprintf("到期 %d 个，刷新成功 %d 个", len(due), len(due)-len(failed)), errors.Join(failed...)
}
