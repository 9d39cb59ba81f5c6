package simulator

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// qrcodeEndpoints are mini program codes (02 G.2).
func qrcodeEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/getwxacode", post: true, token: authorizerToken, sets: []int{17}, run: getWxaCode},
		{path: "/wxa/getwxacodeunlimit", post: true, token: authorizerToken, sets: []int{17}, run: getWxaCodeUnlimited},
		{path: "/cgi-bin/wxaapp/createwxaqrcode", post: true, token: authorizerToken, sets: []int{17}, run: createWxaQRCode},
	}
}

// codeBook counts the codes of one mini program.
type codeBook struct {
	Total  int     `json:"total"`  // getwxacode and createwxaqrcode, ever
	Minute counter `json:"minute"` // getwxacodeunlimit
}

func (w *world) codesOf(appID string) *codeBook {
	if b := w.codeBooks.get(appID); b != nil {
		return b
	}
	return &codeBook{}
}

const (
	minCodeWidth   = 280
	maxCodeWidth   = 1280
	maxCodePath    = 1024
	maxSquarePath  = 128
	maxScene       = 32
	reservedInCode = "scancode_time"
)

// codeRequest is the body of the three code interfaces.
type codeRequest struct {
	Path      string `json:"path"`
	Page      string `json:"page"`
	Scene     string `json:"scene"`
	CheckPath *bool  `json:"check_path"`
	Env       string `json:"env_version"`
	Width     number `json:"width"`
}

// width keeps what was asked for within WeChat's bounds.
func (r codeRequest) width() int {
	if r.Width == 0 {
		return defaultCodeWidth
	}
	return int(min(max(r.Width, minCodeWidth), maxCodeWidth))
}

// countCode answers 45029 when the codes of a mini program are used up for good.
func (w *world) countCode(c *apiCall) error {
	b := w.codesOf(c.mp.AppID)
	if b.Total >= w.settings.CodesTotal {
		return refuse(45029)
	}
	b.Total++
	w.codeBooks.put(c.mp.AppID, b)
	return nil
}

// codeLink is where a code of the simulator leads: the phone page of the mini program.
func (c *apiCall) codeLink(env, path string) string {
	return c.publicURL + "/sim/trial/" + c.mp.AppID + "?" + url.Values{"env": {env}, "path": {path}}.Encode()
}

func getWxaCode(w *world, c *apiCall) (any, error) {
	var req codeRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Env == "" {
		req.Env = "release"
	}
	page, query, _ := strings.Cut(req.Path, "?")
	switch {
	case req.Path == "" || len(req.Path) > maxCodePath:
		return nil, refuse(40159)
	case !validEnv(req.Env):
		return nil, refuse(40097)
	case strings.Contains(query, reservedInCode):
		return nil, refuse(85096)
	case !slices.Contains(c.mp.pagesOf(req.Env), strings.TrimPrefix(page, "/")):
		return nil, refuse(41030)
	}
	if err := w.countCode(c); err != nil {
		return nil, err
	}
	return codePicture("image/jpeg", c.codeLink(req.Env, req.Path), req.width())
}

func createWxaQRCode(w *world, c *apiCall) (any, error) {
	var req codeRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	page, _, _ := strings.Cut(req.Path, "?")
	switch {
	case req.Path == "" || len(req.Path) > maxSquarePath:
		return nil, refuse(40159)
	case !slices.Contains(c.mp.pagesOf("release"), strings.TrimPrefix(page, "/")):
		return nil, refuse(41030)
	}
	if err := w.countCode(c); err != nil {
		return nil, err
	}
	return codePicture("image/jpeg", c.codeLink("release", req.Path), req.width())
}

func getWxaCodeUnlimited(w *world, c *apiCall) (any, error) {
	var req codeRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Env == "" {
		req.Env = "release"
	}
	switch {
	case req.Scene == "" || len(req.Scene) > maxScene || strings.ContainsFunc(req.Scene, notVisible):
		return nil, refuse(40169)
	case !validEnv(req.Env):
		return nil, refuse(40097)
	case strings.Contains(req.Scene, reservedInCode):
		return nil, refuse(85096)
	case strings.HasPrefix(req.Page, "/") || strings.Contains(req.Page, "?"):
		return nil, refuse(41030)
	}
	pages := c.mp.pagesOf(req.Env)
	if req.CheckPath == nil || *req.CheckPath {
		if (req.Page != "" && !slices.Contains(pages, req.Page)) || len(pages) == 0 {
			return nil, refuse(41030)
		}
	}
	b, minute := w.codesOf(c.mp.AppID), minuteOf(c.now)
	if b.Minute.in(minute) >= w.settings.CodesPerMinute {
		return nil, refuse(45009)
	}
	b.Minute.add(minute)
	w.codeBooks.put(c.mp.AppID, b)
	return codePicture("image/jpeg", c.codeLink(req.Env, req.Page+"?scene="+url.QueryEscape(req.Scene)), req.width())
}

func notVisible(r rune) bool {
	return r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' || r == '%'
}
