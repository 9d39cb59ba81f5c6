package theme

import (
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/GoAdminGroup/go-admin/template/types"
	formtype "github.com/GoAdminGroup/go-admin/template/types/form"
)

// form draws GoAdmin's form fields: label, input, help, and below the field what is wrong with it. GoAdmin types a
// field's value as HTML although it is what somebody typed: it is escaped here.
type form struct {
	header, footer, extra template.HTML
	fields                types.FormFields
	url, method           string
	hidden                map[string]string
}

func (c *form) SetHeader(v template.HTML) types.FormAttribute     { c.header = v; return c }
func (c *form) SetContent(v types.FormFields) types.FormAttribute { c.fields = v; return c }
func (c *form) SetTabContents(v []types.FormFields) types.FormAttribute {
	for _, one := range v {
		c.fields = append(c.fields, one...)
	}
	return c
}
func (c *form) SetTabHeaders([]string) types.FormAttribute              { return c }
func (c *form) SetFooter(v template.HTML) types.FormAttribute           { c.extra = v; return c }
func (c *form) SetPrefix(string) types.FormAttribute                    { return c }
func (c *form) SetUrl(v string) types.FormAttribute                     { c.url = v; return c }
func (c *form) SetPrimaryKey(string) types.FormAttribute                { return c }
func (c *form) SetHorizontal(bool) types.FormAttribute                  { return c }
func (c *form) SetId(string) types.FormAttribute                        { return c }
func (c *form) SetAjax(template.JS, template.JS) types.FormAttribute    { return c }
func (c *form) SetHiddenFields(v map[string]string) types.FormAttribute { c.hidden = v; return c }
func (c *form) SetFieldsHTML(v template.HTML) types.FormAttribute       { c.extra = v; return c }
func (c *form) SetMethod(v string) types.FormAttribute                  { c.method = v; return c }
func (c *form) SetHeadWidth(int) types.FormAttribute                    { return c }
func (c *form) SetInputWidth(int) types.FormAttribute                   { return c }
func (c *form) SetTitle(template.HTML) types.FormAttribute              { return c }
func (c *form) SetLayout(formtype.Layout) types.FormAttribute           { return c }
func (c *form) SetOperationFooter(v template.HTML) types.FormAttribute  { c.footer = v; return c }
func (c *form) GetDefaultBoxHeader(bool) template.HTML                  { return "" }
func (c *form) GetDetailBoxHeader(string, string) template.HTML         { return "" }
func (c *form) GetBoxHeaderNoButton() template.HTML                     { return "" }

func (c *form) GetContent() template.HTML {
	var b strings.Builder
	method := "post"
	if strings.EqualFold(c.method, "get") {
		method = "get"
	}
	b.WriteString(`<form action="` + esc(c.url) + `" method="` + method + `" class="mf-card mf-form mf-form-page" novalidate>` + string(c.header))
	for _, f := range c.fields {
		writeField(&b, f)
	}
	for _, name := range slices.Sorted(maps.Keys(c.hidden)) {
		b.WriteString(`<input type="hidden" name="` + esc(name) + `" value="` + esc(c.hidden[name]) + `">`)
	}
	b.WriteString(string(scriptless(c.extra)) + string(scriptless(c.footer)) + `</form>`)
	return template.HTML(b.String())
}

// writeField draws one field. Foot holds what is wrong with it, as HTML of the caller's making.
func writeField(b *strings.Builder, f types.FormField) {
	if f.Hide {
		b.WriteString(`<input type="hidden" name="` + esc(f.Field) + `" value="` + esc(string(f.Value)) + `">`)
		return
	}
	id, class, described := "f-"+f.Field, "mf-field", []string{}
	if f.HelpMsg != "" {
		described = append(described, id+"-help")
	}
	invalid := ""
	if f.Foot != "" {
		class, invalid = class+" mf-field-bad", ` aria-invalid="true"`
		described = append(described, id+"-error")
	}
	attrs := ` id="` + esc(id) + `" name="` + esc(f.Field) + `"` + invalid
	if len(described) > 0 {
		attrs += ` aria-describedby="` + esc(strings.Join(described, " ")) + `"`
	}
	required := ""
	if f.Must {
		attrs += ` required`
		required = ` <span class="mf-required" aria-hidden="true">*</span>`
	}
	b.WriteString(`<div class="` + class + `"><label class="mf-label" for="` + esc(id) + `">` + esc(f.Head) + required + `</label>`)
	writeInput(b, f, attrs)
	if f.HelpMsg != "" {
		b.WriteString(`<p class="mf-help" id="` + esc(id) + `-help">` + string(f.HelpMsg) + `</p>`)
	}
	if f.Foot != "" {
		b.WriteString(`<p class="mf-error" id="` + esc(id) + `-error">` + string(f.Foot) + `</p>`)
	}
	b.WriteString(`</div>`)
}

func writeInput(b *strings.Builder, f types.FormField, attrs string) {
	value := esc(string(f.Value))
	switch f.FormType {
	case formtype.SelectSingle, formtype.Select, formtype.SelectBox, formtype.Radio, formtype.Switch:
		b.WriteString(`<select class="mf-select"` + attrs + `><option value="">` + esc(f.Placeholder) + `</option>`)
		for _, o := range f.Options {
			selected := ""
			if o.Selected || o.SelectedLabel != "" {
				selected = ` selected`
			}
			b.WriteString(`<option value="` + esc(o.Value) + `"` + selected + `>` + esc(o.Text) + `</option>`)
		}
		b.WriteString(`</select>`)
	case formtype.TextArea, formtype.RichText, formtype.Code:
		b.WriteString(`<textarea class="mf-textarea" rows="6"` + attrs + `>` + value + `</textarea>`)
	default:
		kind, known := inputKinds[f.FormType]
		if !known {
			kind = `type="text"`
		}
		if len(f.Options) > 0 { // offered beside free text
			attrs += ` list="f-` + esc(f.Field) + `-list"`
			b.WriteString(`<datalist id="f-` + esc(f.Field) + `-list" translate="no">`)
			for _, o := range f.Options {
				b.WriteString(`<option value="` + esc(o.Value) + `">` + esc(o.Text) + `</option>`)
			}
			b.WriteString(`</datalist>`)
		}
		fmt.Fprintf(b, `<input class="mf-input" %s%s value="%s">`, kind, attrs, value)
	}
}

var inputKinds = map[formtype.Type]string{
	formtype.Number: `type="number" step="1"`, formtype.Datetime: `type="datetime-local" step="1"`, formtype.Date: `type="date"`,
	formtype.Password: `type="password" autocomplete="new-password"`, formtype.Email: `type="email"`, formtype.Url: `type="url"`,
}
