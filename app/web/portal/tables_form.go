package portal

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
)

type tableFormView struct {
	Base, Action string
	Version      string
	Fields       []tableField
	Problem      *fault.Error
}

// formTime is how a browser writes a moment.
const formTime = "2006-01-02T15:04:05"

// formAt is the table a form is of and the row it changes, 0 for a new one.
// A table that takes no such change is refused before anything of the form is read.
func (p *Portal) formAt(r *http.Request, v *visit) (t *plugin.Table, base string, id int64, err error) {
	if t, base, id, err = p.rowAt(r, v); err != nil {
		return nil, "", 0, err
	}
	if id == 0 && !t.GetCanCreate() || id != 0 && !t.GetCanEdit() {
		return nil, "", 0, fault.New(fault.Forbidden, "plugin.readonly", "这个列表不能这样修改")
	}
	return t, base, id, nil
}

// tableForm is the form of a new row, or of one that is there.
func (p *Portal) tableForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, base, id, err := p.formAt(r, v)
	if err != nil {
		return err
	}
	values, version := map[string]string{}, "0"
	if id != 0 {
		row, err := p.o.Tables.Row(r.Context(), v.actor, r.PathValue("plugin"), t.GetName(), id)
		if err != nil {
			return err
		}
		for _, c := range t.GetForm() {
			values[c.GetName()] = formText(c, row.Text(c.GetName()))
		}
		version = row.Text("version")
	}
	return p.showRowForm(w, r, v, t, base, version, values, nil)
}

func (p *Portal) showRowForm(w http.ResponseWriter, r *http.Request, v *visit, t *plugin.Table, base, version string, values map[string]string, problem *fault.Error) error {
	title, action := "新建"+t.GetTitle(), base+"/new"
	if id := r.PathValue("id"); id != "" {
		title, action = "修改"+t.GetTitle(), base+"/rows/"+id
	}
	view := tableFormView{Base: base, Action: action, Version: version, Problem: problem}
	for _, c := range t.GetForm() {
		field := formField(c, values[c.GetName()], problem)
		if c.GetName() == "appid" && field.Kind == "text" && r.PathValue("id") == "" {
			var err error
			if field.Hints, err = p.programHints(r.Context(), v.actor); err != nil {
				return err
			}
		}
		view.Fields = append(view.Fields, field)
	}
	status := http.StatusOK
	if problem != nil {
		status = problem.Kind.Status()
	}
	head := tableHeading(title, r, status, link{Title: t.GetTitle(), Href: base})
	head.Width = "mid"
	return p.show(w, r, v, "plugin-form", view, head)
}

// hintsMost is how many of the space's mini programs a form offers; of more, the AppID is typed or pasted.
const hintsMost = 50

// programHints are the space's mini programs, for a field that takes the AppID of one.
func (p *Portal) programHints(ctx context.Context, who account.Actor) ([]tableOption, error) {
	list, err := p.o.Grants.MiniPrograms(ctx, who, miniprogram.Filter{Limit: hintsMost, Uncounted: true})
	if err != nil {
		return nil, err
	}
	var hints []tableOption
	for _, m := range list.Items {
		hints = append(hints, tableOption{Value: m.AppID, Label: m.NickName})
	}
	return hints, nil
}

func formField(c *plugin.Column, value string, problem *fault.Error) tableField {
	f := tableField{Name: c.GetName(), Title: c.GetTitle(), Kind: "text", Value: value, Help: c.GetHelp(), Required: c.GetRequired(), Size: int64(c.GetSize())}
	if f.Size == 0 {
		f.Size = 255
	}
	switch c.GetType() {
	case "longtext", "json":
		f.Kind = "area"
	case "int", "time", "bool":
		f.Kind = c.GetType()
	}
	f.On = f.Kind == "bool" && value == "true"
	if len(c.GetOptions()) > 0 {
		f.Kind, f.Options = "choice", choicesOf(c, value)
	}
	f.Error = saidOf(problem, f.Name)
	return f
}

// saidOf is what a refusal says of one column, "" for nothing.
func saidOf(problem *fault.Error, column string) string {
	if problem == nil {
		return ""
	}
	for _, wrong := range problem.Fields {
		if wrong.Name == column {
			return wrong.Message
		}
	}
	return ""
}

// formText is a value as the form holds it.
func formText(c *plugin.Column, text string) string {
	if c.GetType() != "time" {
		return text
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil || at <= 0 {
		return ""
	}
	return time.UnixMilli(at).In(shanghai).Format(formTime)
}

// saveRow writes the form. What was typed stays through a refusal.
func (p *Portal) saveRow(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	t, base, id, err := p.formAt(r, v)
	if err != nil {
		return err
	}
	values := map[string]string{}
	for _, c := range t.GetForm() {
		if r.PostForm.Has(c.GetName()) {
			values[c.GetName()] = r.PostForm.Get(c.GetName())
		}
	}
	version := int64(0)
	if id != 0 { // without the version it was made from, a form would write over what others changed meanwhile
		if version, err = strconv.ParseInt(r.PostForm.Get("_version"), 10, 64); err != nil || version <= 0 {
			return fault.New(fault.Invalid, "version", "这个表单不完整，请从列表重新打开")
		}
	}
	if _, err = p.o.Tables.Save(r.Context(), v.actor, r.PathValue("plugin"), t.GetName(), id, version, values); err != nil {
		problem := fault.From(err)
		if problem.Kind != fault.Invalid && problem.Kind != fault.Conflict && problem.Kind != fault.Forbidden {
			return err
		}
		return p.showRowForm(w, r, v, t, base, strconv.FormatInt(version, 10), values, problem)
	}
	p.putFlash(w, "已保存")
	redirect(w, r, base)
	return nil
}
