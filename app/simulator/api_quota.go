package simulator

import (
	"crypto/subtle"
	"slices"
	"strings"
)

// quotaEndpoints are quotas, their reset and the options of an authorizer (01 D.8, D.10).
func quotaEndpoints() []endpoint {
	const base = "/cgi-bin/component/"
	return []endpoint{
		{path: "/cgi-bin/clear_quota", post: true, token: anyToken, run: clearQuota},
		{path: base + "clear_quota", post: true, token: componentToken, run: clearComponentQuota},
		{path: base + "clear_quota/v2", post: true, run: clearQuotaV2},
		{path: "/cgi-bin/openapi/quota/get", post: true, token: anyToken, run: getQuota},
		{path: base + "get_authorizer_option", post: true, token: anyToken, run: getOption},
		{path: base + "set_authorizer_option", post: true, token: anyToken, run: setOption},
		{path: base + "api_get_authorizer_option", post: true, token: anyToken, run: getOption},
		{path: base + "api_set_authorizer_option", post: true, token: anyToken, run: setOption},
	}
}

const clearsPerMonth = 10

// usage is what an account did with its quotas. Calls themselves are counted from the log of calls.
type usage struct {
	Clears    counter           `json:"clears"`     // clear_quota this month
	ClearedMs int64             `json:"cleared_ms"` // calls before do not count any more
	Reuses    counter           `json:"reuses"`     // mini programs registered from a 公众号 this month
	Options   map[string]string `json:"options"`    // location_report and the like
}

func (w *world) usageOf(appID string) *usage {
	if u := w.usages.get(appID); u != nil {
		return u
	}
	return &usage{}
}

// callsToday counts the calls of one account and interface since midnight or the last reset.
func (w *world) callsToday(component, appID, path string, now int64) int {
	account := appID
	if account == "" {
		account = component
	}
	since, n := max(dayStart(now), w.usageOf(account).ClearedMs), 0
	for i := len(w.callLog) - 1; i >= 0 && w.callLog[i].TimeMs >= since; i-- {
		c := w.callLog[i]
		if c.Path == path && c.AppID == appID && (appID != "" || c.Component == component) {
			n++
		}
	}
	return n
}

// withinQuota answers 45009 when the setting daily_limit is used up.
func (w *world) withinQuota(c *apiCall, path string) error {
	limit := w.settings.DailyLimit
	if limit == 0 || c.component == nil || strings.Contains(path, "quota") {
		return nil
	}
	appID := ""
	if c.mp != nil {
		appID = c.mp.AppID
	}
	if w.callsToday(c.component.AppID, appID, path, c.now) >= limit {
		return refuse(45009)
	}
	return nil
}

func (w *world) clear(account string, now int64) error {
	u, month := w.usageOf(account), monthOf(now)
	if u.Clears.in(month) >= clearsPerMonth {
		return refuse(48006)
	}
	u.Clears.add(month)
	u.ClearedMs = now
	w.usages.put(account, u)
	return nil
}

func clearQuota(w *world, c *apiCall) (any, error) {
	var req struct {
		AppID string `json:"appid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	own := c.component.AppID
	if c.mp != nil {
		own = c.mp.AppID
	}
	if req.AppID != own {
		return nil, refuse(40013)
	}
	return fields{}, w.clear(own, c.now)
}

func clearComponentQuota(w *world, c *apiCall) (any, error) {
	var req struct {
		AppID string `json:"component_appid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := c.ownAppID(req.AppID); err != nil {
		return nil, err
	}
	return fields{}, w.clear(c.component.AppID, c.now)
}

// clearQuotaV2 works without a token, for a platform whose token calls are used up.
func clearQuotaV2(w *world, c *apiCall) (any, error) {
	var req struct {
		Component string `json:"component_appid"`
		Secret    string `json:"appsecret"`
		AppID     string `json:"appid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p, err := w.platformOf(c, req.Component, req.Secret)
	if err != nil {
		return nil, err
	}
	account := p.AppID
	if req.AppID != "" && subtle.ConstantTimeCompare([]byte(req.AppID), []byte(p.AppID)) == 0 {
		if auth := w.authorizationOf(p.AppID, req.AppID); auth == nil || !auth.Active {
			return nil, refuse(40013)
		}
		account = req.AppID
	}
	return fields{}, w.clear(account, c.now)
}

// assumedDailyLimit is what quota/get says when the setting daily_limit has none; WeChat publishes no numbers.
const assumedDailyLimit = 1_000_000

func getQuota(w *world, c *apiCall) (any, error) {
	var req struct {
		Path string `json:"cgi_path"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if strings.HasPrefix(req.Path, "/sns/") {
		return nil, refuse(76022)
	}
	if !c.knows(req.Path) {
		return nil, refuse(w.settings.QuotaPathErrcode)
	}
	appID := ""
	if c.mp != nil {
		appID = c.mp.AppID
	}
	limit, used := w.settings.DailyLimit, w.callsToday(c.component.AppID, appID, req.Path, c.now)
	if limit == 0 {
		limit = assumedDailyLimit
	}
	rate := map[string]any{"call_count": 5000, "refresh_second": 60}
	return fields{"quota": map[string]any{"daily_limit": limit, "used": used, "remain": max(0, limit-used)},
		"rate_limit": rate, "component_rate_limit": rate}, nil
}

// optionValues are the options of an official account and what they may be. Read only.
var optionValues = map[string][]string{"location_report": {"0", "1", "2"}, "voice_recognize": {"0", "1"}, "customer_service": {"0", "1"}}

// optionRequest is the body of both option interfaces, in their older and newer form.
type optionRequest struct {
	Component string `json:"component_appid"`
	AppID     string `json:"authorizer_appid"`
	Name      string `json:"option_name"`
	Value     string `json:"option_value"`
}

// optionCall finds the account an option call is about: named in the body with the platform's token, or the token's own.
func (w *world) optionCall(c *apiCall) (optionRequest, *usage, error) {
	var req optionRequest
	if err := c.decode(&req); err != nil {
		return req, nil, err
	}
	switch {
	case w.settings.OptionToken == "component" && c.mp != nil:
		return req, nil, refuse(61014)
	case w.settings.OptionToken == "authorizer" && c.mp == nil:
		return req, nil, refuse(61015)
	case c.mp != nil:
		req.AppID = c.mp.AppID
	default:
		if auth := w.authorizationOf(c.component.AppID, req.AppID); auth == nil || !auth.Active {
			return req, nil, refuse(61003)
		}
	}
	if optionValues[req.Name] == nil {
		return req, nil, refuse(61012)
	}
	return req, w.usageOf(req.AppID), nil
}

func getOption(w *world, c *apiCall) (any, error) {
	req, u, err := w.optionCall(c)
	if err != nil {
		return nil, err
	}
	value := u.Options[req.Name]
	if value == "" {
		value = "0"
	}
	return fields{"authorizer_appid": req.AppID, "option_name": req.Name, "option_value": value}, nil
}

// setOption works for official accounts; a mini program has no options, which is 61025 here.
func setOption(w *world, c *apiCall) (any, error) {
	req, u, err := w.optionCall(c)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(optionValues[req.Name], req.Value) {
		return nil, refuse(61013)
	}
	if m := w.miniPrograms.get(req.AppID); m == nil || !m.Official {
		return nil, refuse(61025)
	}
	if u.Options == nil {
		u.Options = map[string]string{}
	}
	u.Options[req.Name] = req.Value
	w.usages.put(req.AppID, u)
	return fields{}, nil
}
