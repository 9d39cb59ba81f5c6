package plugin

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// cleaned keeps of an extension's fragment what shows something, and of what acts only what acts on the extension itself. The
// frame's policy stops scripts, but neither a form nor a request of htmx to an address of the core, which would act as the
// person who looks; nor a field that joins a form of the frame, nor a style sheet from elsewhere. Ids are kept: the frame's
// own begin with "mf-" and are refused.
func (d *described) cleaned(body []byte) []byte { return d.cleaner().SanitizeBytes(body) }

var (
	word      = regexp.MustCompile(`^[A-Za-z0-9_:. -]{0,120}$`)
	words     = regexp.MustCompile(`^[\p{L}\p{N}\p{P}\p{S}\p{Zs}]{0,500}$`)
	anyText   = regexp.MustCompile(`(?s)^.*$`)
	digits    = regexp.MustCompile(`^-?[0-9.]{1,20}$`)
	boolean   = regexp.MustCompile(`^[a-z0-9-]{0,20}$`)
	ownID     = regexp.MustCompile(`^x-[A-Za-z0-9_-]{1,60}$`)
	drawing   = regexp.MustCompile(`^[A-Za-z0-9 ,.#()-]*$`)
	trigger   = regexp.MustCompile(`^[a-z0-9 ,.:]{1,80}$`)
	swap      = regexp.MustCompile(`^(innerHTML|outerHTML|beforeend|afterbegin|none)$`)
	target    = regexp.MustCompile(`^(this|#x-[A-Za-z0-9_-]{1,60})$`)
	inputType = regexp.MustCompile(`^(text|number|email|tel|url|search|date|datetime-local|month|time|checkbox|radio|hidden|color|range|file|password|submit|button|reset)$`)
)

func cleaner(plugin string) *bluemonday.Policy {
	own := regexp.MustCompile(`^/(admin/)?p/` + regexp.QuoteMeta(plugin) + `(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?([?][^#\s"<>]*)?$`) // no segment begins with a dot
	file := regexp.MustCompile(`^/p/` + regexp.QuoteMeta(plugin) + `/assets/[0-9a-f]{64}/[A-Za-z0-9_./-]+$`)
	p := bluemonday.NewPolicy()
	p.AllowElements(
		"a", "abbr", "article", "aside", "b", "blockquote", "br", "button", "caption", "cite", "code", "col", "colgroup", "datalist", "dd", "del", "details", "div", "dl", "dt",
		"em", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "input", "ins", "kbd", "label", "legend", "li",
		"mark", "meter", "nav", "ol", "optgroup", "option", "output", "p", "pre", "progress", "q", "s", "samp", "section", "select", "small", "span", "strong", "sub", "summary",
		"sup", "table", "tbody", "td", "textarea", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "wbr", "svg", "path", "g", "circle", "line", "polyline", "rect",
	)
	p.AllowAttrs("class", "dir", "lang", "role", "translate", "scope").Matching(word).Globally()
	p.AllowAttrs("id").Matching(ownID).Globally()
	p.AllowAttrs("title", "alt", "aria-label", "aria-hidden", "aria-live", "aria-current", "data-test", "data-state", "data-confirm", "data-confirm-word", "data-copy").Matching(words).Globally()
	p.AllowAttrs("aria-describedby", "aria-labelledby", "for", "list").Matching(ownID).Globally()
	p.AllowAttrs("colspan", "rowspan", "width", "height", "min", "max", "step", "maxlength", "minlength", "rows", "cols", "size", "low", "high", "optimum", "start").Matching(digits).Globally()
	p.AllowAttrs("datetime").Matching(word).OnElements("time", "del", "ins")
	p.AllowAttrs("open").Matching(boolean).OnElements("details")
	p.AllowAttrs("d", "viewbox", "fill", "stroke", "stroke-width", "cx", "cy", "r", "x", "y", "x1", "x2", "y1", "y2", "points").Matching(drawing).OnElements("svg", "path", "g", "circle", "line", "polyline", "rect")

	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("https", "mailto", "tel")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile(`^_blank$`)).OnElements("a")
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	p.AllowAttrs("src").OnElements("img")
	p.AllowDataURIImages()
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^stylesheet$`)).OnElements("link")
	p.AllowAttrs("href").Matching(file).OnElements("link")

	p.AllowAttrs("action").Matching(own).OnElements("form")
	p.AllowAttrs("method").Matching(regexp.MustCompile(`^(?i:get|post)$`)).OnElements("form")
	p.AllowAttrs("enctype").Matching(regexp.MustCompile(`^(multipart/form-data|application/x-www-form-urlencoded)$`)).OnElements("form")
	p.AllowAttrs("formaction").Matching(own).OnElements("button", "input")
	p.AllowAttrs("type").Matching(inputType).OnElements("input", "button")
	p.AllowAttrs("name", "autocomplete", "inputmode").Matching(word).OnElements("input", "button", "select", "textarea")
	p.AllowAttrs("value").Matching(anyText).OnElements("input", "button", "option", "li", "meter", "progress")
	p.AllowAttrs("placeholder", "label", "accept", "pattern").Matching(words).OnElements("input", "textarea", "optgroup", "option")
	p.AllowAttrs("required", "checked", "selected", "disabled", "readonly", "multiple", "autofocus", "hidden").Matching(boolean).Globally()

	p.AllowAttrs("hx-get", "hx-post").Matching(own).Globally()
	p.AllowAttrs("hx-trigger").Matching(trigger).Globally()
	p.AllowAttrs("hx-swap").Matching(swap).Globally()
	p.AllowAttrs("hx-target").Matching(target).Globally()
	p.AllowAttrs("data-news").Matching(own).Globally()
	return p
}
