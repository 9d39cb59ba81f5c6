package resource

import (
	"html/template"
	"strings"
	"unicode/utf8"
)

// End is the right end of the top bar: spaces, bell, preferences, account.
func (b Bar) End() template.HTML {
	var m Markup
	m.Grow(5000)
	b.space(&m)
	m.HTML(b.Bell)
	b.prefs(&m)
	b.account(&m)
	return m.Done()
}

// Prefs is the menu of looks and languages alone, for who is not logged in.
func (b Bar) Prefs() template.HTML {
	var m Markup
	b.prefs(&m)
	return m.Done()
}

func (b Bar) prefs(m *Markup) {
	m.Raw(`<details class="mf-menu" data-menu><summary class="mf-bar-btn" aria-label="外观与语言" data-test="prefs"><svg class="mf-ico" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a9 9 0 1 0 0 18V3z"/><circle cx="12" cy="12" r="9" fill="none"/></svg></summary>
<div class="mf-menu-box mf-menu-narrow"><form method="post" action="/prefs"><input type="hidden" name="return"`)
	m.Attr("value", b.Here)
	m.Raw(">\n" + `<p class="mf-menu-title">外观</p>`)
	for _, c := range [...][2]string{{"auto", "跟随系统"}, {"light", "浅色"}, {"dark", "深色"}} {
		m.Raw("\n"+`<button type="submit" name="theme" value="`, c[0], `"`)
		m.If(b.Theme == c[0], ` aria-current="true"`)
		m.Raw(">", c[1], "</button>")
	}
	m.Raw("\n" + `<p class="mf-menu-title">语言</p>`)
	for _, c := range [...][3]string{{"zh", "zh-CN", "中文"}, {"en", "en", "English"}} {
		m.Raw("\n"+`<button type="submit" name="lang" value="`, c[0], `" lang="`, c[1], `" translate="no"`)
		m.If(b.Lang == c[0], ` aria-current="true"`)
		m.Raw(">", c[2], "</button>")
	}
	m.Raw("\n</form></div></details>")
}

func (b Bar) space(m *Markup) {
	m.Raw(`<details class="mf-menu mf-menu-space" data-menu><summary aria-label="切换空间" data-test="space"><svg class="mf-ico" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" d="M4 21V6l8-3 8 3v15M9 21v-5h6v5M8 9h.01M12 9h.01M16 9h.01M8 12.5h.01M12 12.5h.01M16 12.5h.01"/></svg><span class="mf-ellipsis" translate="no">`)
	m.Text(b.Space)
	m.Raw(`</span></summary>
<div class="mf-menu-box"><p class="mf-menu-title">切换空间</p>
<div hx-get="/account/spaces" hx-trigger="toggle from:closest details once" hx-swap="innerHTML"><a href="/account">查看我的全部空间</a></div></div></details>`)
}

func (b Bar) account(m *Markup) {
	m.Raw(`<details class="mf-menu" data-menu><summary aria-label="账号菜单" data-test="menu"><span class="mf-avatar" aria-hidden="true" translate="no">`)
	m.Text(Initial(b.Name))
	m.Raw(`</span><span class="mf-ellipsis"><b class="mf-ellipsis" translate="no">`)
	m.Text(b.Name)
	m.Raw(`</b><small class="mf-ellipsis">`)
	m.Text(b.Kind)
	m.Raw(`</small></span></summary>
<div class="mf-menu-box">
<p class="mf-menu-note"><b translate="no">`)
	m.Text(b.Name)
	m.Raw(`</b><span translate="no">`)
	m.Text(b.Login)
	m.Raw(`</span> · <span>`)
	m.Text(b.Kind)
	m.Raw("</span></p>\n")
	if b.BackOffice {
		m.Raw(`<a href="/market">打开门户</a>`)
	} else {
		m.Raw(`<a href="/my/miniprograms">我的小程序</a>`)
	}
	links(m, b.More)
	m.If(b.Merchant && !b.BackOffice, "\n"+`<a href="/admin">管理后台</a>`)
	links(m, b.AccountLinks())
	m.Raw(`
<a href="/account">身份切换</a>
<form method="post" action="/logout"><button type="submit" data-test="logout">退出登录</button></form>
</div></details>`)
}

func links(m *Markup, all []BarLink) {
	for _, l := range all {
		m.Raw("\n<a")
		m.Href(l.Href)
		m.Raw(">")
		m.Text(l.Title)
		m.Raw("</a>")
	}
}

// Initial is the first character of a name, for a picture of it.
func Initial(name string) string {
	r, size := utf8.DecodeRuneInString(strings.TrimSpace(name))
	if size == 0 {
		return "·"
	}
	return strings.ToUpper(string(r))
}
