package wechat

import (
	"context"
	"fmt"
	"time"
)

// The calls of this file mint and read tokens. Only the rooms component and miniprogram make them, straight on a
// Client, because the gateway itself needs the tokens they bring.

// send encodes in, calls endpoint and decodes into out. Errors wrap *Error and *CallError.
func (c *Client) send(ctx context.Context, endpoint, token string, in, out any) (Response, error) {
	e, ok := LookupEndpoint(endpoint)
	if !ok {
		return Response{}, fmt.Errorf("wechat: no endpoint %q", endpoint)
	}
	body, err := encode(in)
	if err != nil {
		return Response{}, err
	}
	res, err := c.Send(ctx, e, token, Request{Endpoint: endpoint, Body: body})
	if err != nil || out == nil {
		return res, err
	}
	return res, decode(res.Body, out)
}

// incomplete is the error of an answer that lacks what the call is for.
func incomplete(endpoint, field string) error {
	return &CallError{Endpoint: endpoint, Status: 200, Sent: true, Cause: errorText("answer without " + field)}
}

// IssuedToken is a component_access_token and how long it lives from receipt.
type IssuedToken struct {
	Token     string
	ExpiresIn time.Duration
}

// ComponentToken exchanges the newest ticket for a component_access_token (01 D.1). Errors: 61005/61006 ticket,
// 40125/40001 secret, 61004 IP.
func (c *Client) ComponentToken(ctx context.Context, component, secret, ticket string) (IssuedToken, error) {
	in := struct {
		AppID  string `json:"component_appid"`
		Secret string `json:"component_appsecret"`
		Ticket string `json:"component_verify_ticket"`
	}{component, secret, ticket}
	var out struct {
		Token   string `json:"component_access_token"`
		Expires int64  `json:"expires_in"`
	}
	if _, err := c.send(ctx, EndpointComponentToken, "", in, &out); err != nil {
		return IssuedToken{}, err
	}
	if out.Token == "" || out.Expires <= 0 {
		return IssuedToken{}, incomplete(EndpointComponentToken, "component_access_token")
	}
	return IssuedToken{out.Token, time.Duration(out.Expires) * time.Second}, nil
}

// StartPushTicket asks WeChat to push tickets again. The field is component_secret here, unlike in ComponentToken.
func (c *Client) StartPushTicket(ctx context.Context, component, secret string) error {
	in := struct {
		AppID  string `json:"component_appid"`
		Secret string `json:"component_secret"`
	}{component, secret}
	_, err := c.send(ctx, EndpointStartPushTicket, "", in, nil)
	return err
}

// PreAuthCode is good for one opening of an authorisation page.
type PreAuthCode struct {
	Code      string
	ExpiresIn time.Duration
}

// CreatePreAuthCode makes a code on click; it is never cached (01 D.2).
func (c *Client) CreatePreAuthCode(ctx context.Context, component, componentToken string) (PreAuthCode, error) {
	var out struct {
		Code    string `json:"pre_auth_code"`
		Expires int64  `json:"expires_in"`
	}
	if _, err := c.send(ctx, EndpointPreAuthCode, componentToken, componentBody{AppID: component}, &out); err != nil {
		return PreAuthCode{}, err
	}
	if out.Code == "" || out.Expires <= 0 {
		return PreAuthCode{}, incomplete(EndpointPreAuthCode, "pre_auth_code")
	}
	return PreAuthCode{out.Code, time.Duration(out.Expires) * time.Second}, nil
}

type componentBody struct {
	AppID string `json:"component_appid"`
}

type funcInfo struct {
	Category struct {
		ID int `json:"id"`
	} `json:"funcscope_category"`
}

func sets(list []funcInfo) []int {
	ids := make([]int, 0, len(list))
	for _, f := range list {
		ids = append(ids, f.Category.ID)
	}
	return ids
}

// Grant is what an authorisation code was exchanged for (01 D.4). Store RefreshToken before AccessToken is used.
type Grant struct {
	AppID        string
	AccessToken  string // "" when the account has no API permission
	RefreshToken string // "" when the account has no API permission
	ExpiresIn    time.Duration
	Sets         []int // the permission sets the merchant really ticked
}

// QueryAuth exchanges an authorisation code. Codes are single use: 61009 invalid (also used up), 61010 expired.
func (c *Client) QueryAuth(ctx context.Context, component, componentToken, code string) (Grant, error) {
	in := struct {
		AppID string `json:"component_appid"`
		Code  string `json:"authorization_code"`
	}{component, code}
	var out struct {
		Info struct {
			AppID   string     `json:"authorizer_appid"`
			Access  string     `json:"authorizer_access_token"`
			Expires int64      `json:"expires_in"`
			Refresh string     `json:"authorizer_refresh_token"`
			Funcs   []funcInfo `json:"func_info"`
		} `json:"authorization_info"`
	}
	if _, err := c.send(ctx, EndpointQueryAuth, componentToken, in, &out); err != nil {
		return Grant{}, err
	}
	if out.Info.AppID == "" {
		return Grant{}, incomplete(EndpointQueryAuth, "authorizer_appid")
	}
	return Grant{AppID: out.Info.AppID, AccessToken: out.Info.Access, RefreshToken: out.Info.Refresh,
		ExpiresIn: time.Duration(out.Info.Expires) * time.Second, Sets: sets(out.Info.Funcs)}, nil
}

// AuthorizerTokens are the fruits of a refresh. Store RefreshToken before AccessToken is used, even when unchanged.
type AuthorizerTokens struct {
	AccessToken  string
	RefreshToken string
	ExpiresIn    time.Duration
}

// AuthorizerToken refreshes the access token of one authorisation (01 D.5). Errors: 61023 refresh token invalid,
// 61003 no longer authorised.
func (c *Client) AuthorizerToken(ctx context.Context, component, componentToken, appID, refreshToken string) (AuthorizerTokens, error) {
	in := struct {
		Component string `json:"component_appid"`
		AppID     string `json:"authorizer_appid"`
		Refresh   string `json:"authorizer_refresh_token"`
	}{component, appID, refreshToken}
	var out struct {
		Access  string `json:"authorizer_access_token"`
		Expires int64  `json:"expires_in"`
		Refresh string `json:"authorizer_refresh_token"`
	}
	if _, err := c.send(ctx, EndpointAuthorizerToken, componentToken, in, &out); err != nil {
		return AuthorizerTokens{}, err
	}
	if out.Access == "" || out.Expires <= 0 {
		return AuthorizerTokens{}, incomplete(EndpointAuthorizerToken, "authorizer_access_token")
	}
	if out.Refresh == "" {
		out.Refresh = refreshToken // absent means unchanged; an empty one must never replace a good one
	}
	return AuthorizerTokens{out.Access, out.Refresh, time.Duration(out.Expires) * time.Second}, nil
}
