package miniprogram

import (
	"context"
	"fmt"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// AccessToken is an authorizer_access_token for another system of the owner's. There is never a refresh token in it.
type AccessToken struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"` // seconds until it should be asked for again: this house renews it before WeChat ends it
}

// PermissionToken is what handing a token out needs; no built-in role but owner and administrator has it.
const PermissionToken = "token.access"

// brokerLeast is the least that is told as still to come: shorter, and another system would do nothing but ask.
const brokerLeast = 60 * time.Second

// HandOut gives the owner's other systems a token of their mini program (中控). Only the space that owns the mini program gets
// one, and only by an API token that carries the permission: grants let others act through this house, never past it.
// component names the platform app, "" for any whose authorisation stands. One entry of the operation log tells of it.
func (s *Service) HandOut(ctx context.Context, who account.Actor, component, appid string) (AccessToken, error) {
	none := fault.New(fault.NotFound, "miniprogram_not_found", "没有找到这个小程序")
	m, err := s.Find(ctx, appid)
	if fault.KindOf(err) == fault.NotFound || err == nil && (m.OwnerSpaceID == 0 || m.OwnerSpaceID != who.SpaceID || !who.Reaches(appid)) {
		return AccessToken{}, none
	}
	if err == nil {
		err = account.Require(who, PermissionToken)
	}
	if err != nil {
		return AccessToken{}, err
	}
	if !who.ByToken() {
		return AccessToken{}, fault.New(fault.Forbidden, "token_needed", "这个接口只接受 API 令牌，请新建一个带“读取小程序 access_token”权限的令牌")
	}
	if err := s.keepPace(ctx, who.TokenID, m.AppID); err != nil {
		return AccessToken{}, err
	}
	out, err := s.handOut(ctx, component, appid)
	e := trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Component: component, AppID: appid, Act: "miniprogram.token", Outcome: trail.OK}
	if err != nil {
		e.Outcome, e.Detail = trail.Failed, fault.From(err).Message
	}
	// Nobody gets a token without its entry.
	if noted := s.trail.Record(ctx, e); noted != nil {
		return AccessToken{}, fmt.Errorf("hand out token of %s: %w", appid, noted)
	}
	return out, err
}

func (s *Service) handOut(ctx context.Context, component, appid string) (AccessToken, error) {
	component, err := s.Holder(ctx, appid, component)
	if err != nil {
		return AccessToken{}, err
	}
	token, err := s.Token(ctx, component, appid)
	if err != nil {
		return AccessToken{}, err
	}
	row, err := s.tokenRow(ctx, component, appid)
	if err != nil {
		return AccessToken{}, err
	}
	left := time.UnixMilli(row.ExpiresAt).Sub(s.clk.Now())
	// The cron job replaces a token twenty minutes before its end, and the old one may die at once (01 D.5).
	until := max(left-renewAhead, min(left, brokerLeast))
	return AccessToken{AccessToken: token, ExpiresIn: int64(until / time.Second)}, nil
}
