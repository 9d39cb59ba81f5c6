package resource

import (
	"html/template"
	"net/http"
	"strings"
)

// The cookies of what a person prefers, set by POST /prefs and read by both frames.
const (
	ThemeCookie = "mf_theme" // auto, light or dark
	LangCookie  = "mf_lang"  // zh or en
)

// Bar is what End draws: the right end of the top bar and the account menu, the same in the
// portal and in the back office. Every text of it is escaped; Bell is HTML of the frame's own making.
type Bar struct {
	Theme, Lang string
	Here        string // the address that /prefs and /space lead back to
	Name, Login string
	Space, Kind string
	BackOffice  bool // this frame is the back office
	Merchant    bool // the space has a back office
	Bell        template.HTML
	More        []BarLink
}

// BarLink is a titled address in the account menu.
type BarLink struct{ Title, Href string }

// Prefer reads the preferences of a request and where it came to.
func (b *Bar) Prefer(r *http.Request) {
	b.Theme, b.Lang = "auto", "zh"
	if c, err := r.Cookie(ThemeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		b.Theme = c.Value
	}
	if c, err := r.Cookie(LangCookie); err == nil && c.Value == "en" {
		b.Lang = c.Value
	}
	if b.Here = r.URL.RequestURI(); r.Method != http.MethodGet || len(b.Here) > 1000 || !strings.HasPrefix(b.Here, "/") || strings.HasPrefix(b.Here, "//") {
		b.Here = "/"
	}
}

// HTMLTheme is the theme that the page's root element names, "" for the system's own choice.
func (b Bar) HTMLTheme() string {
	if b.Theme == "light" || b.Theme == "dark" {
		return b.Theme
	}
	return ""
}

// HTMLLang is the language that the page's root element names.
func (b Bar) HTMLLang() string {
	if b.Lang == "en" {
		return "en"
	}
	return "zh-CN"
}

// AccountLinks are the pages about oneself, below /my, for every kind of person.
func (Bar) AccountLinks() []BarLink {
	return []BarLink{{"账号与安全", "/my/security"}, {"API 令牌", "/my/tokens"}, {"消息设置", "/my/notices"}, {"我的数据", "/my/data"}}
}
