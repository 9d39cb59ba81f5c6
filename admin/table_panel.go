package admin

import (
	"html"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	gocontext "github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/modules/db"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/form"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/parameter"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/table"
	"github.com/GoAdminGroup/go-admin/template/types"
	formtype "github.com/GoAdminGroup/go-admin/template/types/form"
)

// source is where a panel's rows come from and go to; its functions are bound to the actor of one request.
type source struct {
	rows func() []TableRow
	save func(form.Values) error
}

// generate is the one generator of all plugin tables: it turns a declared table into GoAdmin's. It is called for each
// request, because GoAdmin writes the selected option into the options it is given.
func generate(ctx *gocontext.Context, t Table, src source) table.Table {
	tb := table.NewDefaultTable(ctx, table.Config{
		CanAdd: t.CanCreate, Editable: t.CanEdit, Deletable: t.CanRemove,
		PrimaryKey: table.PrimaryKey{Type: db.Varchar, Name: queryKey},
		GetDataFun: func(parameter.Parameters) ([]map[string]interface{}, int) {
			rows := src.rows()
			return asMaps(rows), len(rows)
		},
	})
	info := tb.GetInfo().HideQueryInfo()
	info.SetTitle(t.Title)
	info.AddField("ID", queryKey, db.Varchar).FieldHide()
	for _, c := range t.Columns {
		if c.Name == queryKey {
			continue
		}
		info.AddField(c.Title, c.Name, db.Varchar).FieldDisplay(func(v types.FieldModel) interface{} { return cell(c, v.Value) })
		if c.Sort {
			info.FieldSortable()
		}
	}
	panel := tb.GetForm().SetTitle(t.Title)
	panel.AddField("ID", queryKey, db.Varchar, formtype.Default).FieldHide()
	for _, c := range t.Form {
		addField(panel, c)
	}
	panel.SetUpdateFn(src.save).SetInsertFn(src.save)
	return tb
}

func asMaps(rows []TableRow) []map[string]interface{} {
	out := make([]map[string]interface{}, 0, len(rows))
	for _, r := range rows {
		m := map[string]interface{}{queryKey: r.ID}
		for k, v := range r.Values {
			if k != queryKey {
				m[k] = v
			}
		}
		out = append(out, m)
	}
	return out
}

func addField(panel *types.FormPanel, c Column) {
	panel.AddField(c.Title, c.Name, db.Varchar, fieldType(c))
	if options := choices(c); len(options) > 0 {
		panel.FieldOptions(options)
	}
	if c.Required {
		panel.FieldMust()
	}
	panel.FieldPlaceholder("（不填）")
	if c.Required {
		panel.FieldPlaceholder("请选择")
	}
	if c.Help != "" {
		panel.FieldHelpMsg(template.HTML(template.HTMLEscapeString(c.Help)))
	}
}

func fieldType(c Column) formtype.Type {
	switch {
	case len(choices(c)) > 0:
		return formtype.SelectSingle
	case c.Type == "longtext" || c.Type == "json":
		return formtype.TextArea
	case c.Type == "int":
		return formtype.Number
	case c.Type == "time":
		return formtype.Datetime
	default:
		return formtype.Text
	}
}

// choices are made anew at each call: GoAdmin marks the selected one in place.
func choices(c Column) types.FieldOptions {
	var out types.FieldOptions
	for _, o := range c.Options {
		out = append(out, types.FieldOption{Text: o.Label, Value: o.Value})
	}
	if c.Type == "bool" && len(out) == 0 {
		out = types.FieldOptions{{Text: "是", Value: "true"}, {Text: "否", Value: "false"}}
	}
	return out
}

// cell shows a value by its column's type. A string is escaped by the global display function; only what is built
// here from known parts is HTML.
func cell(c Column, value string) interface{} {
	for _, o := range c.Options {
		if o.Value == value {
			return tag(o.Color, o.Label)
		}
	}
	switch c.Type {
	case "bool":
		if value == "true" || value == "1" {
			return "是"
		}
		return "否"
	case "time":
		return stamp(value)
	case "longtext", "json":
		if short := []rune(value); len(short) > 80 {
			return string(short[:80]) + "…"
		}
	}
	return value
}

var tagColors = []string{"green", "blue", "orange", "red", "grey"}

// tag is a state's coloured label; the colour never stands alone.
func tag(color, label string) template.HTML {
	if !slices.Contains(tagColors, color) {
		color = "grey"
	}
	return template.HTML(`<span class="mf-tag mf-tag-` + color + `">` + template.HTMLEscapeString(label) + `</span>`)
}

// shanghai is the one time zone of the screens; China has no summer time, so a fixed offset needs no zone files.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

const timeLayout = "2006-01-02 15:04:05"

// stamp shows Unix milliseconds as the screens' date, and nothing for none.
func stamp(value string) string {
	ms, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil || ms == 0 {
		return "—"
	}
	return time.UnixMilli(ms).In(shanghai).Format(timeLayout)
}

// escapeCell runs over every list cell whose column does not answer HTML of its own making: stored text stays text.
func escapeCell(v types.FieldModel) interface{} { return html.EscapeString(v.Value) }
