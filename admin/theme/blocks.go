package theme

import (
	"html/template"
	"slices"
	"strings"

	"github.com/GoAdminGroup/go-admin/template/types"
)

// The small components of GoAdmin's interface. What GoAdmin hands over as template.HTML is HTML of a generator's making
// and stays as it is; every plain string is escaped.

func esc(s string) string { return template.HTMLEscapeString(s) }

func message(title, text string) template.HTML {
	return template.HTML(`<div class="mf-alert mf-alert-red" role="alert"><strong class="mf-alert-title">` + esc(title) + `</strong><p>` + esc(text) + `</p></div>`)
}

// tones are the five colours of the sheet by the words that GoAdmin and Bootstrap use.
var tones = map[string]string{
	"success": "green", "green": "green", "primary": "blue", "info": "blue", "blue": "blue", "warning": "orange", "orange": "orange", "yellow": "orange",
	"danger": "red", "error": "red", "red": "red",
}

func tone(word string) string {
	if t, ok := tones[word]; ok {
		return t
	}
	return "grey"
}

type col struct{ content template.HTML }

func (c *col) SetSize(types.S) types.ColAttribute            { return c }
func (c *col) SetContent(v template.HTML) types.ColAttribute { c.content = v; return c }
func (c *col) AddContent(v template.HTML) types.ColAttribute { c.content += v; return c }
func (c *col) GetContent() template.HTML                     { return `<div>` + c.content + `</div>` }

type row struct{ content template.HTML }

func (c *row) SetContent(v template.HTML) types.RowAttribute { c.content = v; return c }
func (c *row) AddContent(v template.HTML) types.RowAttribute { c.content += v; return c }
func (c *row) GetContent() template.HTML                     { return `<div class="mf-grid">` + c.content + `</div>` }

type label struct {
	content template.HTML
	tone    string
}

func (c *label) SetContent(v template.HTML) types.LabelAttribute { c.content = v; return c }
func (c *label) SetColor(v template.HTML) types.LabelAttribute   { c.tone = string(v); return c }
func (c *label) SetType(v string) types.LabelAttribute           { c.tone = v; return c }
func (c *label) GetContent() template.HTML {
	return template.HTML(`<span class="mf-tag mf-tag-`+tone(c.tone)+`">`) + c.content + `</span>`
}

type image struct {
	src           template.HTML
	width, height string
}

func (c *image) SetWidth(v string) types.ImgAttribute      { c.width = v; return c }
func (c *image) SetHeight(v string) types.ImgAttribute     { c.height = v; return c }
func (c *image) WithModal() types.ImgAttribute             { return c }
func (c *image) SetSrc(v template.HTML) types.ImgAttribute { c.src = v; return c }
func (c *image) GetContent() template.HTML {
	return template.HTML(`<img src="` + esc(string(c.src)) + `" width="` + esc(c.width) + `" height="` + esc(c.height) + `" alt="">`)
}

type button struct {
	content           template.HTML
	class, kind, href string
	id                string
}

func (c *button) SetContent(v template.HTML) types.ButtonAttribute   { c.content = v; return c }
func (c *button) SetOrientationRight() types.ButtonAttribute         { return c }
func (c *button) SetOrientationLeft() types.ButtonAttribute          { return c }
func (c *button) SetMarginLeft(int) types.ButtonAttribute            { return c }
func (c *button) SetMarginRight(int) types.ButtonAttribute           { return c }
func (c *button) SetThemePrimary() types.ButtonAttribute             { return c.AddClass("mf-btn-primary") }
func (c *button) SetSmallSize() types.ButtonAttribute                { return c.AddClass("mf-btn-sm") }
func (c *button) AddClass(class string) types.ButtonAttribute        { c.class += " " + class; return c }
func (c *button) SetID(id string) types.ButtonAttribute              { c.id = id; return c }
func (c *button) SetMiddleSize() types.ButtonAttribute               { return c }
func (c *button) SetHref(v string) types.ButtonAttribute             { c.href = v; return c }
func (c *button) SetThemeWarning() types.ButtonAttribute             { return c.AddClass("mf-btn-danger") }
func (c *button) SetLoadingText(template.HTML) types.ButtonAttribute { return c }
func (c *button) SetThemeDefault() types.ButtonAttribute             { return c }
func (c *button) SetType(v string) types.ButtonAttribute             { c.kind = v; return c }
func (c *button) SetTheme(v string) types.ButtonAttribute {
	switch tone(v) {
	case "red":
		return c.AddClass("mf-btn-danger")
	case "blue":
		return c.AddClass("mf-btn-primary")
	case "green":
		return c.AddClass("mf-btn-green")
	}
	return c
}

func (c *button) GetContent() template.HTML {
	id := ""
	if c.id != "" {
		id = ` id="` + esc(c.id) + `"`
	}
	if c.href != "" {
		return template.HTML(`<a class="mf-btn`+esc(c.class)+`"`+id+` href="`+esc(c.href)+`">`) + c.content + `</a>`
	}
	kind := "button"
	if slices.Contains([]string{"submit", "reset"}, c.kind) {
		kind = c.kind
	}
	return template.HTML(`<button class="mf-btn`+esc(c.class)+`"`+id+` type="`+kind+`">`) + c.content + `</button>`
}

type link struct {
	url     string
	content template.HTML
	blank   bool
}

func (c *link) OpenInNewTab() types.LinkAttribute                   { c.blank = true; return c }
func (c *link) SetURL(v string) types.LinkAttribute                 { c.url = v; return c }
func (c *link) SetAttributes(template.HTMLAttr) types.LinkAttribute { return c }
func (c *link) SetClass(template.HTML) types.LinkAttribute          { return c }
func (c *link) NoPjax() types.LinkAttribute                         { return c }
func (c *link) SetTabTitle(template.HTML) types.LinkAttribute       { return c }
func (c *link) SetContent(v template.HTML) types.LinkAttribute      { c.content = v; return c }
func (c *link) GetContent() template.HTML {
	blank := ""
	if c.blank {
		blank = ` target="_blank" rel="noopener"`
	}
	return template.HTML(`<a class="mf-link" href="`+esc(c.url)+`"`+blank+`>`) + c.content + `</a>`
}

type alert struct {
	tone           string
	title, content template.HTML
}

func (c *alert) SetTheme(v string) types.AlertAttribute          { c.tone = v; return c }
func (c *alert) SetTitle(v template.HTML) types.AlertAttribute   { c.title = v; return c }
func (c *alert) SetContent(v template.HTML) types.AlertAttribute { c.content = v; return c }
func (c *alert) Warning(msg string) template.HTML {
	return template.HTML(`<div class="mf-alert mf-alert-orange" role="alert">` + esc(msg) + `</div>`)
}

func (c *alert) GetContent() template.HTML {
	return template.HTML(`<div class="mf-alert mf-alert-`+tone(c.tone)+`" role="alert"><strong class="mf-alert-title">`) + c.title + `</strong>` + c.content + `</div>`
}

type tabs struct{ data []map[string]template.HTML }

func (c *tabs) SetData(v []map[string]template.HTML) types.TabsAttribute { c.data = v; return c }

// GetContent lays the tabs below each other, each folded but the first: they work without script.
func (c *tabs) GetContent() template.HTML {
	var b strings.Builder
	for i, one := range c.data {
		open := ""
		if i == 0 {
			open = " open"
		}
		b.WriteString(`<details class="mf-details"` + open + `><summary>` + string(one["title"]) + `</summary><div>` + string(one["content"]) + `</div></details>`)
	}
	return template.HTML(b.String())
}

type popup struct {
	id, width           string
	title, body, footer template.HTML
	bare                bool
}

func (c *popup) SetID(v string) types.PopupAttribute                { c.id = v; return c }
func (c *popup) SetTitle(v template.HTML) types.PopupAttribute      { c.title = v; return c }
func (c *popup) SetDraggable() types.PopupAttribute                 { return c }
func (c *popup) SetHideFooter() types.PopupAttribute                { c.bare = true; return c }
func (c *popup) SetWidth(v string) types.PopupAttribute             { c.width = v; return c }
func (c *popup) SetHeight(string) types.PopupAttribute              { return c }
func (c *popup) SetFooter(v template.HTML) types.PopupAttribute     { c.footer = v; return c }
func (c *popup) SetFooterHTML(v template.HTML) types.PopupAttribute { c.footer = v; return c }
func (c *popup) SetBody(v template.HTML) types.PopupAttribute       { c.body = v; return c }
func (c *popup) SetSize(string) types.PopupAttribute                { return c }
func (c *popup) GetContent() template.HTML {
	id := esc(c.id)
	out := template.HTML(`<dialog class="mf-modal" id="`+id+`" aria-labelledby="`+id+`-title"><h2 id="`+id+`-title">`) + c.title + `</h2>` + c.body
	if !c.bare {
		out += `<div class="mf-form-actions"><button type="button" class="mf-btn" data-close>关闭</button>` + c.footer + `</div>`
	}
	return out + `</dialog>`
}

type box struct {
	title, header, body, footer, second template.HTML
	flush                               bool
}

func (c *box) SetHeader(v template.HTML) types.BoxAttribute       { c.header = v; return c }
func (c *box) SetBody(v template.HTML) types.BoxAttribute         { c.body = v; return c }
func (c *box) SetNoPadding() types.BoxAttribute                   { c.flush = true; return c }
func (c *box) SetFooter(v template.HTML) types.BoxAttribute       { c.footer = v; return c }
func (c *box) SetTitle(v template.HTML) types.BoxAttribute        { c.title = v; return c }
func (c *box) WithHeadBorder() types.BoxAttribute                 { return c }
func (c *box) SetIframeStyle(bool) types.BoxAttribute             { return c }
func (c *box) SetAttr(template.HTMLAttr) types.BoxAttribute       { return c }
func (c *box) SetStyle(template.HTMLAttr) types.BoxAttribute      { return c }
func (c *box) SetHeadColor(string) types.BoxAttribute             { return c }
func (c *box) SetClass(string) types.BoxAttribute                 { return c }
func (c *box) SetTheme(string) types.BoxAttribute                 { return c }
func (c *box) SetSecondHeader(v template.HTML) types.BoxAttribute { c.second = v; return c }
func (c *box) SetSecondHeadColor(string) types.BoxAttribute       { return c }
func (c *box) WithSecondHeadBorder() types.BoxAttribute           { return c }
func (c *box) SetSecondHeaderClass(string) types.BoxAttribute     { return c }

// GetContent leaves scripts out that the engine pastes into footers.
func (c *box) GetContent() template.HTML {
	out := template.HTML(`<section class="mf-card">`)
	if c.title != "" || c.header != "" {
		out += `<header class="mf-card-head"><h2>` + c.title + `</h2>` + c.header + `</header>`
	}
	out += c.second
	if c.flush {
		out += c.body
	} else {
		out += `<div class="mf-card-body">` + c.body + `</div>`
	}
	if f := scriptless(c.footer); f != "" {
		out += `<footer class="mf-card-foot">` + f + `</footer>`
	}
	return out + `</section>`
}

// scriptless cuts script elements out of what the engine has put together: the page's policy would refuse them anyway.
func scriptless(in template.HTML) template.HTML {
	s := string(in)
	for {
		from := strings.Index(strings.ToLower(s), "<script")
		if from < 0 {
			return template.HTML(strings.TrimSpace(s))
		}
		to := strings.Index(strings.ToLower(s[from:]), "</script>")
		if to < 0 {
			return template.HTML(strings.TrimSpace(s[:from]))
		}
		s = s[:from] + s[from+to+len("</script>"):]
	}
}
