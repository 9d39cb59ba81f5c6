package simulator

import (
	"net/url"
	"slices"
	"strings"
)

// jumpEndpoints are the rules by which an ordinary link opens a mini program (02 G.1).
func jumpEndpoints() []endpoint {
	const base = "/cgi-bin/wxopen/qrcodejump"
	return []endpoint{
		{path: base + "add", post: true, token: authorizerToken, sets: codeSets, run: addJumpRule},
		{path: base + "get", post: true, token: authorizerToken, sets: codeSets, run: getJumpRules},
		{path: base + "download", post: true, token: authorizerToken, sets: codeSets, run: jumpConfirmFile},
		{path: base + "publish", post: true, token: authorizerToken, sets: codeSets, run: publishJumpRule},
		{path: base + "delete", post: true, token: authorizerToken, sets: codeSets, run: deleteJumpRule},
	}
}

// jumpBook is the rules of one mini program.
type jumpBook struct {
	Rules    []jumpRule `json:"rules"`
	Releases counter    `json:"releases"` // publishes this month
}

// jumpRule is one prefix that opens a page.
type jumpRule struct {
	Prefix  string   `json:"prefix"`
	SubRule int      `json:"permit_sub_rule"` // 1 不占用, 2 占用
	Path    string   `json:"path"`
	Version int      `json:"open_version"` // 1 开发版, 2 体验版, 3 线上版
	Debug   []string `json:"debug_url"`
	State   int      `json:"state"` // 1 未发布, 2 已发布
}

const (
	jumpUnpublished   = 1
	jumpPublished     = 2
	jumpPublishMonth  = 100
	maxJumpDebugLinks = 5
)

func (w *world) jumpsOf(appID string) *jumpBook {
	if b := w.jumps.get(appID); b != nil {
		return b
	}
	return &jumpBook{}
}

func (b *jumpBook) index(prefix string) int {
	return slices.IndexFunc(b.Rules, func(r jumpRule) bool { return r.Prefix == prefix })
}

// jumpRequest is the body of qrcodejumpadd.
type jumpRequest struct {
	Prefix  string   `json:"prefix"`
	SubRule number   `json:"permit_sub_rule"`
	Path    string   `json:"path"`
	Version number   `json:"open_version"`
	Debug   []string `json:"debug_url"`
	IsEdit  number   `json:"is_edit"`
}

// check answers 85066 for a bad link, 85068 for a debug link outside it and 85069 for a missing check file, which is what
// a host whose name begins with nofile has.
func (r jumpRequest) check() error {
	u, err := url.Parse(r.Prefix)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || !validHost(strings.ToLower(u.Hostname())) || u.Fragment != "" {
		return refuse(85066)
	}
	if r.SubRule < 1 || r.SubRule > 2 || r.Version < 1 || r.Version > 3 || r.Path == "" {
		return refuse(85066)
	}
	if len(r.Debug) > maxJumpDebugLinks {
		return refuse(85068)
	}
	for _, link := range r.Debug {
		if !strings.HasPrefix(link, r.Prefix) {
			return refuse(85068)
		}
	}
	if strings.HasPrefix(u.Hostname(), "nofile") {
		return refuse(85069)
	}
	return nil
}

func addJumpRule(w *world, c *apiCall) (any, error) {
	var req jumpRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if c.mp.PrincipalType == 0 {
		return nil, refuse(85075)
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	b := w.jumpsOf(c.mp.AppID)
	at := b.index(req.Prefix)
	switch {
	case req.IsEdit == 0 && at >= 0:
		return nil, refuse(85071)
	case req.IsEdit == 1 && at < 0:
		return nil, refuse(85066)
	case req.IsEdit == 0 && len(b.Rules) >= w.settings.JumpRuleLimit:
		return nil, refuse(85073)
	}
	for _, appID := range w.jumps.ids() {
		if appID != c.mp.AppID && w.jumps.get(appID).index(req.Prefix) >= 0 {
			return nil, refuse(85072)
		}
	}
	rule := jumpRule{Prefix: req.Prefix, SubRule: int(req.SubRule), Path: req.Path, Version: int(req.Version), Debug: notNil(req.Debug), State: jumpUnpublished}
	if at >= 0 {
		b.Rules[at] = rule
	} else {
		b.Rules = append(b.Rules, rule)
	}
	w.jumps.put(c.mp.AppID, b)
	return fields{}, nil
}

func getJumpRules(w *world, c *apiCall) (any, error) {
	var req struct {
		Type     number   `json:"get_type"` // 0 all, 1 the named prefixes, 2 a page
		Prefixes []string `json:"prefix_list"`
		Page     number   `json:"page_num"`
		Size     number   `json:"page_size"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	b, list := w.jumpsOf(c.mp.AppID), []jumpRule{}
	for _, r := range b.Rules {
		if req.Type != 1 || slices.Contains(req.Prefixes, r.Prefix) {
			list = append(list, r)
		}
	}
	total := len(list)
	if req.Type == 2 && req.Page >= 1 && req.Size >= 1 && req.Page < 1<<20 && req.Size < 1<<20 {
		from := min(int(req.Page-1)*int(req.Size), total)
		list = list[from:min(from+int(req.Size), total)]
	}
	return fields{"rule_list": list, "qrcodejump_open": 1, "list_size": total,
		"qrcodejump_pub_quota": max(0, jumpPublishMonth-b.Releases.in(monthOf(c.now)))}, nil
}

func jumpConfirmFile(w *world, c *apiCall) (any, error) {
	return confirmFile(w, "jump/"+c.mp.AppID), nil
}

// prefixCall reads the prefix of a rule that exists; 85066 otherwise.
func (w *world) prefixCall(c *apiCall) (*jumpBook, int, error) {
	var req struct {
		Prefix string `json:"prefix"`
	}
	if err := c.decode(&req); err != nil {
		return nil, 0, err
	}
	b := w.jumpsOf(c.mp.AppID)
	at := b.index(req.Prefix)
	if at < 0 {
		return nil, 0, refuse(85066)
	}
	return b, at, nil
}

func publishJumpRule(w *world, c *apiCall) (any, error) {
	b, at, err := w.prefixCall(c)
	if err != nil {
		return nil, err
	}
	month := monthOf(c.now)
	switch {
	case c.mp.Online == nil:
		return nil, refuse(85074)
	case b.Releases.in(month) >= jumpPublishMonth:
		return nil, refuse(886000)
	}
	b.Releases.add(month)
	b.Rules[at].State = jumpPublished
	w.jumps.put(c.mp.AppID, b)
	return fields{}, nil
}

func deleteJumpRule(w *world, c *apiCall) (any, error) {
	b, at, err := w.prefixCall(c)
	if err != nil {
		return nil, err
	}
	b.Rules = slices.Delete(b.Rules, at, at+1)
	w.jumps.put(c.mp.AppID, b)
	return fields{}, nil
}
