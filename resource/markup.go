package resource

import (
	"html/template"
	"strings"
)

// Markup writes HTML by code, for what every page draws: a template walks its tree and looks each value up anew, which was
// a third of a list page's CPU. What is not Raw is escaped.
type Markup struct{ b strings.Builder }

// Grow makes room for n bytes.
func (m *Markup) Grow(n int) { m.b.Grow(n) }

// Raw writes HTML of the program's own.
func (m *Markup) Raw(parts ...string) {
	for _, s := range parts {
		m.b.WriteString(s)
	}
}

// HTML writes what was made as HTML already.
func (m *Markup) HTML(h template.HTML) { m.b.WriteString(string(h)) }

// Text writes text, between tags or inside a quoted attribute.
func (m *Markup) Text(s string) { m.b.WriteString(template.HTMLEscapeString(s)) }

// Attr writes an attribute.
func (m *Markup) Attr(name, value string) {
	m.Raw(" ", name, `="`)
	m.Text(value)
	m.Raw(`"`)
}

// Href writes the attribute of a link. An address of any scheme but http and https leads nowhere.
func (m *Markup) Href(address string) {
	if scheme, _, found := strings.Cut(address, ":"); found && !strings.ContainsAny(scheme, "/?#") && !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		address = "#"
	}
	m.Attr("href", address)
}

// If writes raw where ok holds.
func (m *Markup) If(ok bool, raw string) {
	if ok {
		m.b.WriteString(raw)
	}
}

// Done is what was written.
func (m *Markup) Done() template.HTML { return template.HTML(m.b.String()) }
