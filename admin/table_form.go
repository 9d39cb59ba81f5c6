package admin

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	gocontext "github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/form"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/parameter"
	"github.com/GoAdminGroup/go-admin/template/types"
	formtype "github.com/GoAdminGroup/go-admin/template/types/form"

	"minifleet/admin/theme"
	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

// fieldVersion carries the version of the row that a form was opened on.
const fieldVersion = "mf_version"

// formPage shows a form ourselves: GoAdmin's own form page writes a token row at every view.
func (a *Admin) formPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, row, err := a.formRow(ctx, actor, r, r.URL.Query().Get(queryKey))
	if err != nil {
		return View{}, err
	}
	return a.form(actor, r, t, row, nil)
}

// formRow finds the table and, for an edit, its row, and checks that the table allows it.
func (a *Admin) formRow(ctx context.Context, actor account.Actor, r *http.Request, id string) (Table, TableRow, error) {
	t, err := a.tableOf(ctx, actor, r.PathValue("table"))
	if err != nil {
		return t, TableRow{}, err
	}
	if strings.HasSuffix(r.URL.Path, "/new") {
		if !t.CanCreate {
			err = fault.New(fault.Forbidden, "no_create", "这个列表不能新建")
		}
		return t, TableRow{Values: map[string]string{}}, err
	}
	if !t.CanEdit {
		return t, TableRow{}, fault.New(fault.Forbidden, "no_edit", "这个列表不能修改")
	}
	row, err := a.o.Plugins.Row(ctx, actor, t.Plugin, t.Name, id)
	row.ID = id
	return t, row, err
}

// form renders GoAdmin's form over the row, each refused field with its reason below it.
func (a *Admin) form(actor account.Actor, r *http.Request, t Table, row TableRow, problem error) (View, error) {
	panel := generate(gocontext.NewContext(r), t, source{rows: func() []TableRow { return []TableRow{formValues(t, row)} }})
	info, err := panel.GetDataWithId(parameter.BaseParam().WithPKs(row.ID))
	if err != nil {
		return View{}, err
	}
	f := fault.From(problem)
	fields := slices.DeleteFunc(info.FieldList, func(x types.FormField) bool { return x.Field == queryKey })
	shown := formValues(t, row).Values
	for i := range fields {
		if fields[i].Field == "appid" && fields[i].FormType == formtype.Text && row.ID == "" {
			if fields[i].Options, err = a.programHints(r.Context(), actor); err != nil {
				return View{}, err
			}
		}
		// What was typed, as it was typed: the display chain has escaped GoAdmin's copy already, and the theme escapes once.
		fields[i].Value = template.HTML(shown[fields[i].Field])
		fields[i].Foot = fieldError(f, fields[i].Field)
	}
	hidden := map[string]string{fieldVersion: strconv.FormatInt(row.Version, 10)}
	title, url := "新建"+t.Title, t.Address()+"/new"
	if row.ID != "" {
		hidden[queryKey], title, url = row.ID, "修改"+t.Title, t.Address()+"/edit"
	}
	content := theme.New().Form().SetContent(fields).SetPrimaryKey(queryKey).SetUrl(url).
		SetHiddenFields(hidden).SetHeader(a.render("form-problem", summary(t, f))).SetOperationFooter(a.render("form-buttons", t.Address())).GetContent()
	return View{Title: title, Trail: []Link{{t.Title, t.Address()}}, Body: content, Status: problemStatus(problem)}, nil
}

// hintsMost is how many mini programs a form offers; of more, the AppID is typed or pasted.
const hintsMost = 50

// programHints are mini programs that the member sees, for a field that takes the AppID of one.
func (a *Admin) programHints(ctx context.Context, actor account.Actor) (types.FieldOptions, error) {
	if a.o.Services.MiniPrograms == nil {
		return nil, nil
	}
	page, err := a.o.Services.MiniPrograms.List(ctx, actor, miniprogram.Filter{Limit: hintsMost, Uncounted: true})
	if err != nil {
		return nil, err
	}
	var hints types.FieldOptions
	for _, m := range page.Items {
		hints = append(hints, types.FieldOption{Value: m.AppID, Text: m.NickName})
	}
	return hints, nil
}

// fieldError is what the theme sets below the field.
func fieldError(f *fault.Error, name string) template.HTML {
	if f == nil {
		return ""
	}
	return template.HTML(template.HTMLEscapeString(fieldMessage(f, name)))
}

// formErrors is the summary above a refused form: what is wrong, each line leading to its field.
type formErrors struct {
	Message string
	Fields  []wrongField
	WeChat  *fault.Upstream
}

// wrongField is one refused field. Title is "" where the message names the field itself, or no column bears the name.
type wrongField struct{ Name, Title, Message string }

func summary(t Table, f *fault.Error) *formErrors {
	if f == nil {
		return nil
	}
	out := &formErrors{Message: f.Headline(), WeChat: f.WeChat}
	for _, field := range f.Fields {
		wrong := wrongField{Name: field.Name, Message: field.Message}
		i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == field.Name })
		if i >= 0 && !strings.Contains(field.Message, t.Columns[i].Title) {
			wrong.Title = t.Columns[i].Title
		}
		out.Fields = append(out.Fields, wrong)
	}
	return out
}

const inputTime = "2006-01-02T15:04:05"

// formValues is the row as inputs take it: times as local date and time.
func formValues(t Table, row TableRow) TableRow {
	out := TableRow{ID: row.ID, Version: row.Version, Values: map[string]string{}}
	for _, c := range t.Form {
		v := row.Values[c.Name]
		if ms, err := strconv.ParseInt(v, 10, 64); c.Type == "time" && err == nil {
			v = ""
			if ms != 0 {
				v = time.UnixMilli(ms).In(shanghai).Format(inputTime)
			}
		}
		out.Values[c.Name] = v
	}
	return out
}

// savePage checks a posted form against the declared columns and saves it through GoAdmin's table.
func (a *Admin) savePage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	t, row, err := a.formRow(ctx, actor, r, r.PostFormValue(queryKey))
	if err != nil {
		return View{}, err
	}
	row.Values = map[string]string{}
	for _, c := range t.Form {
		row.Values[c.Name] = r.PostFormValue(c.Name)
	}
	if row.ID != "" {
		if row.Version, err = strconv.ParseInt(r.PostFormValue(fieldVersion), 10, 64); err != nil {
			return View{}, fault.New(fault.Invalid, "version", "这个表单不完整，请从列表重新打开")
		}
	}
	values, err := checkForm(t, row.Values)
	if err == nil {
		panel := generate(gocontext.NewContext(r), t, source{save: func(v form.Values) error {
			return a.o.Plugins.Save(ctx, actor, t.Plugin, t.Name, TableSave{ID: row.ID, Version: row.Version, Values: pick(t, v)})
		}})
		if row.ID == "" {
			err = panel.InsertData(gocontext.NewContext(r), values)
		} else {
			err = panel.UpdateData(gocontext.NewContext(r), values)
		}
	}
	if err != nil {
		return a.form(actor, r, t, row, err)
	}
	a.flash.put(actor, "已保存")
	return View{Redirect: t.Address()}, nil
}

// pick takes the declared columns out of what GoAdmin's table hands on, and nothing else.
func pick(t Table, v form.Values) map[string]string {
	out := map[string]string{}
	for _, c := range t.Form {
		out[c.Name] = v.Get(c.Name)
	}
	return out
}

// checkForm checks what a column declares: required, length, number, choice, time.
func checkForm(t Table, in map[string]string) (form.Values, error) {
	bad, out := fault.InvalidInput(), form.Values{}
	for _, c := range t.Form {
		v, err := checkValue(c, in[c.Name])
		if err != nil {
			bad.On(c.Name, err.Error())
		}
		out[c.Name] = []string{v}
	}
	return out, bad.OrNil()
}

func checkValue(c Column, v string) (string, error) {
	trimmed := strings.TrimSpace(v)
	if trimmed == "" {
		if c.Required {
			return "", errors.New("请填写" + c.Title)
		}
		return "", nil
	}
	if options := choices(c); len(options) > 0 {
		if !slices.ContainsFunc(options, func(o types.FieldOption) bool { return o.Value == v }) {
			return "", errors.New("请从列表中选择" + c.Title)
		}
		return v, nil
	}
	switch c.Type {
	case "int":
		if _, err := strconv.ParseInt(trimmed, 10, 64); err != nil {
			return v, errors.New(c.Title + "应为整数")
		}
		return trimmed, nil
	case "time":
		return checkTime(c, trimmed)
	case "longtext", "json":
		return v, nil
	}
	size := c.Size
	if size == 0 {
		size = 255
	}
	if n := len([]rune(v)); n > size {
		return v, errors.New(c.Title + "最多 " + strconv.Itoa(size) + " 个字，现在有 " + strconv.Itoa(n) + " 个")
	}
	return v, nil
}

func checkTime(c Column, v string) (string, error) {
	for _, layout := range []string{inputTime, "2006-01-02T15:04", timeLayout} {
		if at, err := time.ParseInLocation(layout, v, shanghai); err == nil {
			return strconv.FormatInt(at.UnixMilli(), 10), nil
		}
	}
	return v, errors.New(c.Title + "应为日期和时间，例如 2026-11-22 09:30:00")
}
