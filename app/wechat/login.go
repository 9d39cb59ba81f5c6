package wechat

import (
	"context"
	"net/url"
)

// LoginSession is who logged in to a mini program. SessionKey never goes to a browser or a phone.
type LoginSession struct {
	OpenID     string `json:"openid"`
	SessionKey string `json:"session_key"`
	UnionID    string `json:"unionid"` // "" without an open platform account
}

// Session exchanges the code of wx.login of the mini program appID; a code is good once, for about 5 minutes (01 F.2).
// Errors: 40029 code, 45011 too often this minute, 61003 not authorised.
func (c Component) Session(ctx context.Context, appID, code string) (LoginSession, error) {
	return ask[LoginSession](ctx, c, EndpointLoginSession, url.Values{
		"appid": {appID}, "js_code": {code}, "grant_type": {"authorization_code"}, "component_appid": {c.AppID},
	}, nil)
}

// UserToken are the tokens of a person's 网页授权 at an official account.
type UserToken struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
	OpenID       string `json:"openid"`
	Scope        string `json:"scope"`
	UnionID      string `json:"unionid"`
}

// UserToken exchanges the code of a 网页授权 of the official account appID (01 F.2). Error 40029: code.
func (c Component) UserToken(ctx context.Context, appID, code string) (UserToken, error) {
	return ask[UserToken](ctx, c, EndpointLoginOAuthToken, url.Values{
		"appid": {appID}, "code": {code}, "grant_type": {"authorization_code"}, "component_appid": {c.AppID},
	}, nil)
}

// RefreshUserToken renews a person's token of the official account appID. Error 40030: the refresh token is dead.
func (c Component) RefreshUserToken(ctx context.Context, appID, refreshToken string) (UserToken, error) {
	return ask[UserToken](ctx, c, EndpointLoginOAuthRefresh, url.Values{
		"appid": {appID}, "grant_type": {"refresh_token"}, "refresh_token": {refreshToken}, "component_appid": {c.AppID},
	}, nil)
}
