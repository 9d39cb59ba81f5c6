package wechat

import "context"

// APIQuota is what one path may still be called (01 D.10, 02 L.1).
type APIQuota struct {
	Daily struct {
		Limit  int64 `json:"daily_limit"`
		Used   int64 `json:"used"`
		Remain int64 `json:"remain"`
	} `json:"quota"`
	Rate          RateLimit `json:"rate_limit"`           // of the account
	ComponentRate RateLimit `json:"component_rate_limit"` // of the platform
}

// RateLimit is a number of calls per span.
type RateLimit struct {
	Calls   int64 `json:"call_count"`
	Seconds int64 `json:"refresh_second"`
}

type quotaPath struct {
	Path string `json:"cgi_path"`
}

// APIQuota reads the quota of path (with its leading slash, no host) for calls on behalf of the mini program.
// Errors: 76003/76021 path, 76022 not for this kind of path.
func (m MiniProgram) APIQuota(ctx context.Context, path string) (APIQuota, error) {
	return ask[APIQuota](ctx, m, EndpointOpenAPIQuota, nil, quotaPath{path})
}

// APIQuota reads the quota of path for the platform's own calls.
func (c Component) APIQuota(ctx context.Context, path string) (APIQuota, error) {
	return ask[APIQuota](ctx, c, EndpointOpenAPIComponentQuota, nil, quotaPath{path})
}

type quotaOwner struct {
	AppID string `json:"appid"`
}

// ClearQuota sets the mini program's daily counters to zero: 10 times a month, console included (48006).
func (m MiniProgram) ClearQuota(ctx context.Context) error {
	return m.call(ctx, EndpointOpenAPIClearQuota, nil, quotaOwner{m.AppID}, nil)
}

// ClearQuota sets the platform's own daily counters to zero: 10 times a month, console included (48006).
func (c Component) ClearQuota(ctx context.Context) error {
	return c.call(ctx, EndpointOpenAPIClearComponentQuota, nil, quotaOwner{c.AppID}, nil)
}

// ClearQuotaBySecret clears without a token, for when the quota of the token call itself is used up. appID is the mini
// program whose counters are meant, "" for the platform's own. It shares the 10 times a month.
func (c *Client) ClearQuotaBySecret(ctx context.Context, component, secret, appID string) error {
	_, err := c.send(ctx, EndpointOpenAPIClearQuotaV2, "", struct {
		Component string `json:"component_appid"`
		Secret    string `json:"appsecret"`
		AppID     string `json:"appid,omitempty"`
	}{component, secret, appID}, nil)
	return err
}

// RIDInfo is what WeChat kept of one earlier call, for about 7 days.
type RIDInfo struct {
	InvokeTime   int64  `json:"invoke_time"` // unix seconds
	CostInMS     int64  `json:"cost_in_ms"`
	RequestURL   string `json:"request_url"`
	RequestBody  string `json:"request_body"`
	ResponseBody string `json:"response_body"`
	ClientIP     string `json:"client_ip"`
}

type ridAnswer struct {
	Request RIDInfo `json:"request"`
}

type ridQuestion struct {
	RID string `json:"rid"`
}

// RIDInfo looks up a rid of a call with the platform's token. Its texts hold tokens and personal data: mask before
// showing. Errors: 76001 no rid, 76002/76004 not found or too old.
func (c Component) RIDInfo(ctx context.Context, rid string) (RIDInfo, error) {
	out, err := ask[ridAnswer](ctx, c, EndpointRIDInfo, nil, ridQuestion{rid})
	return out.Request, err
}

// RIDInfo looks up a rid of a call on behalf of the mini program; see Component.RIDInfo.
func (m MiniProgram) RIDInfo(ctx context.Context, rid string) (RIDInfo, error) {
	out, err := ask[ridAnswer](ctx, m, EndpointOpenAPIAuthorizerRID, nil, ridQuestion{rid})
	return out.Request, err
}
