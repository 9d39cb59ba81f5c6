package theme

import (
	"html/template"
	"strings"
)

// FormID is the one form that every tick and every row's button of a list belongs to. It stands outside the table, since
// forms cannot hold forms.
const FormID = "list-form"

// Grid is a list as a table: rows that become cards on a phone, a sticky last column of acts, heads that sort. It is
// rendered by the code below instead of a template: it is the most that a list page has to do.
type Grid struct {
	// Label names the table for those who cannot see it.
	Label   string
	Columns []Column
	Rows    []Row
	// Pick puts a box to tick in front of each row.
	Pick bool
	// Dense rows are 36 px high instead of 45.
	Dense bool
	// Acts reserves the last column.
	Acts bool
}

// Column is a head. Sort is "" for a column that cannot be sorted, else none, asc or desc; Href is where a click leads.
type Column struct {
	Name, Title string
	Sort, Href  string
	Number      bool
}

// Row is one line; its cells are in the order of the columns, already escaped.
type Row struct {
	ID    string
	Name  string // for the tick's label, plain text
	Cells []template.HTML
	Ops   []Op
	Off   bool // greyed: it stays visible, but is over
}

// Op is one act on a row: a link, or a button that posts to Post. Name and Value go along with the form.
type Op struct {
	Title, Href, Post   string
	Name, Value         string
	Confirm, Word, Test string
	Danger              bool
}

// maxOps is how many acts of a row stand open; the others are below 更多.
const maxOps = 3

// HTML draws the table.
func (g Grid) HTML() template.HTML {
	var b strings.Builder
	b.Grow(600 + len(g.Rows)*900)
	b.WriteString(`<div class="mf-table-wrap mf-grid-wrap" data-list-wrap role="region" tabindex="0" aria-label="`)
	b.WriteString(esc(g.Label))
	b.WriteString(`"><table class="mf-table mf-table-list`)
	if g.Dense {
		b.WriteString(` mf-table-dense`)
	}
	b.WriteString(`"><thead><tr>`)
	if g.Pick {
		b.WriteString(`<th class="mf-pick" scope="col"><input type="checkbox" data-pick-all aria-label="全选本页"></th>`)
	}
	for _, c := range g.Columns {
		c.head(&b)
	}
	if g.Acts {
		b.WriteString(`<th scope="col" class="mf-cell-actions mf-sticky">操作</th>`)
	}
	b.WriteString(`</tr></thead><tbody>`)
	for _, r := range g.Rows {
		g.row(&b, r)
	}
	b.WriteString(`</tbody></table></div>`)
	return template.HTML(b.String())
}

var sortWords = map[string]struct{ mark, aria string }{"asc": {"↑", "ascending"}, "desc": {"↓", "descending"}, "none": {"↕", "none"}}

func (c Column) head(b *strings.Builder) {
	class := ""
	if c.Number {
		class = ` class="mf-num"`
	}
	words, sortable := sortWords[c.Sort]
	if !sortable {
		b.WriteString(`<th scope="col"` + class + `>` + esc(c.Title) + `</th>`)
		return
	}
	b.WriteString(`<th scope="col"` + class + ` aria-sort="` + words.aria + `"><a class="mf-sort mf-sort-` + c.Sort + `" href="` + esc(c.Href) + `">` + esc(c.Title) + ` <span aria-hidden="true">` + words.mark + `</span></a></th>`)
}

func (g Grid) row(b *strings.Builder, r Row) {
	if r.Off {
		b.WriteString(`<tr class="mf-row-off">`)
	} else {
		b.WriteString(`<tr>`)
	}
	if g.Pick {
		b.WriteString(`<td class="mf-pick"><label><input type="checkbox" form="` + FormID + `" name="id" value="` + esc(r.ID) + `" data-pick><span class="mf-sr">选择 <span translate="no">` + esc(r.Name) + `</span></span></label></td>`)
	}
	for i, c := range g.Columns {
		b.WriteString(`<td`)
		if c.Number {
			b.WriteString(` class="mf-num"`)
		}
		b.WriteString(` data-label="` + esc(c.Title) + `">`)
		if i < len(r.Cells) {
			b.WriteString(string(r.Cells[i]))
		}
		b.WriteString(`</td>`)
	}
	if g.Acts {
		b.WriteString(`<td class="mf-cell-actions mf-sticky">`)
		writeOps(b, r.Ops)
		b.WriteString(`</td>`)
	}
	b.WriteString(`</tr>`)
}

// writeOps puts what cannot be undone last, so that it ends below 更多 when there are many.
func writeOps(b *strings.Builder, ops []Op) {
	ordered := make([]Op, 0, len(ops))
	for _, danger := range []bool{false, true} {
		for _, o := range ops {
			if o.Danger == danger {
				ordered = append(ordered, o)
			}
		}
	}
	for i, o := range ordered {
		if i == maxOps {
			b.WriteString(`<details class="mf-menu mf-more" data-menu><summary class="mf-op">更多</summary><div class="mf-menu-box mf-menu-narrow">`)
		}
		o.write(b, i >= maxOps)
	}
	if len(ordered) > maxOps {
		b.WriteString(`</div></details>`)
	}
}

func (o Op) write(b *strings.Builder, inMenu bool) {
	class := "mf-op"
	if inMenu {
		class = "mf-menu-op"
	}
	if o.Danger {
		class += " mf-danger"
	}
	attr := func(name, value string) {
		if value != "" {
			b.WriteString(` ` + name + `="` + esc(value) + `"`)
		}
	}
	if o.Post == "" {
		b.WriteString(`<a class="` + class + `" href="` + esc(o.Href) + `"`)
		attr("data-test", o.Test)
		b.WriteString(`>` + esc(o.Title) + `</a>`)
		return
	}
	b.WriteString(`<button type="submit" form="` + FormID + `" class="` + class + `" formaction="` + esc(o.Post) + `"`)
	attr("name", o.Name)
	attr("value", o.Value)
	attr("data-confirm", o.Confirm)
	attr("data-confirm-word", o.Word)
	attr("data-test", o.Test)
	b.WriteString(`>` + esc(o.Title) + `</button>`)
}
