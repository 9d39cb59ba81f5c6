package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// linkSets is 小程序链接管理. Read only.
var linkSets = []int{88}

// linkEndpoints are schemes, url links and short links (02 G.3).
func linkEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/generatescheme", post: true, token: authorizerToken, sets: linkSets, run: generateScheme},
		{path: "/wxa/queryscheme", post: true, token: authorizerToken, sets: linkSets, run: queryScheme},
		{path: "/wxa/generate_urllink", post: true, token: authorizerToken, sets: linkSets, run: generateURLLink},
		{path: "/wxa/query_urllink", post: true, token: authorizerToken, sets: linkSets, run: queryURLLink},
		{path: "/wxa/genwxashortlink", post: true, token: authorizerToken, sets: linkSets, run: generateShortLink},
		{path: "/wxa/generatenfcscheme", post: true, token: authorizerToken, sets: linkSets, run: generateNFCScheme},
	}
}

// link is one generated link.
type link struct {
	Value     string          `json:"value"`
	AppID     string          `json:"appid"`
	Path      string          `json:"path"`
	Query     string          `json:"query"`
	Env       string          `json:"env_version"`
	Cloud     json.RawMessage `json:"cloud_base,omitempty"`
	CreatedMs int64           `json:"created_ms"`
	ExpireMs  int64           `json:"expire_ms"` // 0: never
}

// linkBook counts the links of one mini program.
type linkBook struct {
	Day       counter `json:"day"`
	Permanent int     `json:"permanent"` // short links that never end
}

const (
	maxLinkDays       = 30
	maxLinkQuery      = 1024
	maxPermanentLinks = 100_000
	maxLinkTitle      = 20
	maxLinkPath       = 1024
)

// linkTarget is where a link leads and how long it lives.
type linkTarget struct {
	Path           string `json:"path"`
	Query          string `json:"query"`
	Env            string `json:"env_version"`
	IsExpire       bool   `json:"is_expire"`
	ExpireType     number `json:"expire_type"` // 0 a time, 1 days
	ExpireTime     number `json:"expire_time"`
	ExpireInterval number `json:"expire_interval"`
}

// pagesOf are the pages of the version an env_version means; nil when there is none.
func (m *miniProgram) pagesOf(env string) []string {
	switch {
	case env == "release" && m.Online != nil:
		return m.Online.Build.Pages
	case env != "release" && m.Trial != nil:
		return m.Trial.Pages
	}
	return nil
}

// validEnv tells whether env_version is one of WeChat's.
func validEnv(env string) bool { return env == "release" || env == "trial" || env == "develop" }

// newLink checks a target in WeChat's order and stores the link.
func (w *world) newLink(c *apiCall, t linkTarget, value string, cloud json.RawMessage) (*link, error) {
	if t.Env == "" {
		t.Env = "release"
	}
	page := strings.TrimPrefix(t.Path, "/")
	switch {
	case c.mp.PrincipalType == 0:
		return nil, refuse(40002)
	case !validEnv(t.Env):
		return nil, refuse(85402)
	case c.mp.Online == nil:
		return nil, refuse(85079)
	case strings.Contains(page, "?") || len(page) > maxLinkPath || (page != "" && !slices.Contains(c.mp.pagesOf(t.Env), page)):
		return nil, refuse(40165)
	case len(t.Query) > maxLinkQuery || strings.ContainsAny(t.Query, " \t\r\n#"):
		return nil, refuse(40212)
	}
	expire, err := t.expiry(c.now)
	if err != nil {
		return nil, err
	}
	b, day := w.linksOf(c.mp.AppID), dayOf(c.now)
	if b.Day.in(day) >= w.settings.LinksPerDay {
		return nil, refuse(44993)
	}
	b.Day.add(day)
	w.linkBooks.put(c.mp.AppID, b)
	l := &link{Value: value, AppID: c.mp.AppID, Path: t.Path, Query: t.Query, Env: t.Env, Cloud: cloud, CreatedMs: c.now, ExpireMs: expire}
	w.links.put(value, l)
	return l, nil
}

func (w *world) linksOf(appID string) *linkBook {
	if b := w.linkBooks.get(appID); b != nil {
		return b
	}
	return &linkBook{}
}

// expiry is the end of a link: over a minute and at most 30 days away; 85401 otherwise.
func (t linkTarget) expiry(now int64) (int64, error) {
	last := now + maxLinkDays*24*3600*1000
	if !t.IsExpire && t.ExpireTime == 0 && t.ExpireInterval == 0 {
		return last, nil
	}
	end := int64(t.ExpireTime) * 1000
	switch {
	case t.ExpireType == 1 && (t.ExpireInterval < 1 || t.ExpireInterval > maxLinkDays):
		return 0, refuse(85401)
	case t.ExpireType == 1:
		end = now + int64(t.ExpireInterval)*24*3600*1000
	case t.ExpireType != 0 || t.ExpireTime > 1<<40 || end <= now+60_000 || end > last:
		return 0, refuse(85401)
	}
	return end, nil
}

func generateScheme(w *world, c *apiCall) (any, error) {
	var req struct {
		Jump linkTarget `json:"jump_wxa"`
		linkTarget
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	target := req.linkTarget
	target.Path, target.Query, target.Env = req.Jump.Path, req.Jump.Query, req.Jump.Env
	l, err := w.newLink(c, target, "weixin://dl/business/?t="+w.ids.text(base62, 11), nil)
	if err != nil {
		return nil, err
	}
	return fields{"openlink": l.Value}, nil
}

func generateNFCScheme(w *world, c *apiCall) (any, error) {
	var req struct {
		Jump  linkTarget `json:"jump_wxa"`
		Model string     `json:"model_id"`
		SN    string     `json:"sn"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Model == "" {
		return nil, refuse(40097)
	}
	l, err := w.newLink(c, linkTarget{Path: req.Jump.Path, Query: req.Jump.Query, Env: req.Jump.Env}, "weixin://dl/business/?t="+w.ids.text(base62, 11), nil)
	if err != nil {
		return nil, err
	}
	return fields{"openlink": l.Value}, nil
}

func generateURLLink(w *world, c *apiCall) (any, error) {
	var req struct {
		linkTarget
		Cloud json.RawMessage `json:"cloud_base"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if len(req.Cloud) > 0 && c.mp.CloudOff {
		return nil, refuse(85088)
	}
	l, err := w.newLink(c, req.linkTarget, c.publicURL+"/sim/link/"+w.ids.text(base62, 11), req.Cloud)
	if err != nil {
		return nil, err
	}
	return fields{"url_link": l.Value}, nil
}

func generateShortLink(w *world, c *apiCall) (any, error) {
	var req struct {
		Page      string `json:"page_url"`
		Title     string `json:"page_title"`
		Permanent bool   `json:"is_permanent"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Title == "" || utf8.RuneCountInString(req.Title) > maxLinkTitle || strings.ContainsAny(req.Title, "/#\r\n") {
		return nil, refuse(40225)
	}
	b := w.linksOf(c.mp.AppID)
	if req.Permanent && b.Permanent >= maxPermanentLinks {
		return nil, refuse(85400)
	}
	path, query, _ := strings.Cut(req.Page, "?")
	l, err := w.newLink(c, linkTarget{Path: path, Query: query}, fmt.Sprintf("#小程序://%s/%s/%s", c.mp.NickName, req.Title, w.ids.text(base62, 15)), nil)
	if err != nil {
		return nil, err
	}
	if req.Permanent {
		l.ExpireMs = 0
		w.links.put(l.Value, l)
		b = w.linksOf(c.mp.AppID)
		b.Permanent++
		w.linkBooks.put(c.mp.AppID, b)
	}
	return fields{"link": l.Value}, nil
}

// linkInfo is a living link of this mini program; 85403 otherwise.
func (w *world) linkInfo(c *apiCall, value string) (map[string]any, map[string]any, error) {
	l := w.links.get(value)
	if l == nil || l.AppID != c.mp.AppID {
		return nil, nil, refuse(85403)
	}
	info := map[string]any{"appid": l.AppID, "path": l.Path, "query": l.Query, "create_time": l.CreatedMs / 1000,
		"expire_time": l.ExpireMs / 1000, "env_version": l.Env}
	if len(l.Cloud) > 0 {
		info["cloud_base"] = l.Cloud
	}
	rest := w.settings.LinksPerDay - w.linksOf(l.AppID).Day.in(dayOf(c.now))
	return info, map[string]any{"remain_visit_quota": max(0, rest)}, nil
}

func queryScheme(w *world, c *apiCall) (any, error) {
	var req struct {
		Scheme string `json:"scheme"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	info, quota, err := w.linkInfo(c, req.Scheme)
	if err != nil {
		return nil, err
	}
	return fields{"scheme_info": info, "quota_info": quota}, nil
}

func queryURLLink(w *world, c *apiCall) (any, error) {
	var req struct {
		Link string `json:"url_link"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	info, quota, err := w.linkInfo(c, req.Link)
	if err != nil {
		return nil, err
	}
	return fields{"url_link_info": info, "quota_info": quota}, nil
}
