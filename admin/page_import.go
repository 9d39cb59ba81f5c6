package admin

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/transfer"
)

type importRow struct {
	transfer.Import
	Color, Label string
}

type importsView struct {
	Lists []transfer.List
	Table string
	// Guide are the columns of the chosen list, "" for none chosen.
	Guide   transfer.Form
	Rows    []importRow
	Next    string
	Problem *fault.Error
}

func (a *Admin) importsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return a.imports(ctx, actor, r.URL.Query(), nil)
}

func (a *Admin) imports(ctx context.Context, actor account.Actor, q url.Values, problem error) (View, error) {
	v := importsView{Table: q.Get("table"), Problem: fault.From(problem)}
	var err error
	if v.Lists, err = a.o.Services.Transfers.Importable(ctx, actor); err != nil {
		return View{}, err
	}
	i := slices.IndexFunc(v.Lists, func(l transfer.List) bool { return l.Name == v.Table })
	if i < 0 && len(v.Lists) == 1 {
		i, v.Table = 0, v.Lists[0].Name
	}
	if i >= 0 {
		if v.Guide, err = a.o.Services.Transfers.Form(ctx, actor, v.Lists[i].Name); err != nil {
			return View{}, err
		}
	}
	before, _ := strconv.ParseInt(q.Get(queryCursor), 10, 64) // anything else is the first page
	list, next, err := a.o.Services.Transfers.Imports(ctx, actor, before, 20)
	for _, i := range list {
		row := importRow{Import: i}
		row.Color, row.Label = importTag(i)
		v.Rows = append(v.Rows, row)
	}
	if next != 0 {
		v.Next = Prefix + "/imports?" + queryCursor + "=" + strconv.FormatInt(next, 10)
	}
	return View{Subtitle: "先上传检查，看清每一行会怎样，确认后才写入。", Body: a.render("imports", v), Status: problemStatus(problem)}, err
}

func importTag(i transfer.Import) (color, label string) {
	switch {
	case i.Phase == transfer.PhaseMap:
		return "orange", "待对应列"
	case i.Phase == transfer.PhaseCheck && i.Busy():
		return "blue", "检查中"
	case i.Checked():
		return "orange", "待确认"
	case i.Phase == transfer.PhaseApply && i.Busy():
		return "blue", "导入中"
	default:
		return transferTag(i.State)
	}
}

func (a *Admin) importTemplate(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f, err := a.o.Services.Transfers.Template(ctx, actor, r.URL.Query().Get("table"))
	if err != nil {
		return View{}, err
	}
	return rawFile(f), nil
}

func (a *Admin) uploadImport(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	up, err := readUpload(ctx, r)
	if err != nil {
		return View{}, err
	}
	table := up.values["table"]
	imp, err := a.o.Services.Transfers.Upload(ctx, actor, table, up.names["file"], bytes.NewReader(up.files["file"]))
	if f := fault.From(err); err != nil && f.Kind == fault.Invalid {
		return a.imports(ctx, actor, url.Values{"table": {table}}, err)
	}
	if err != nil {
		return View{}, err
	}
	return View{Redirect: Prefix + "/imports/" + strconv.FormatInt(imp.ID, 10)}, nil
}

type importColumn struct {
	At, Title, Field, Error string
}

type importCell struct{ Text, Error string }

type importLine struct {
	No                   int
	Verdict              string
	Cells                []importCell
	Color, Label, Reason string
	Note                 string
}

type importView struct {
	transfer.Import
	Color, Label    string
	Form            transfer.Form
	Columns         []importColumn
	Lines           []importLine
	Verdict         string
	Next            string
	Missing         []string
	Problem         *fault.Error
	Applied, Result bool
}

func (a *Admin) importPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id, err := transferID(r)
	if err != nil {
		return View{}, err
	}
	return a.oneImport(ctx, actor, id, r.URL.Query(), nil)
}

func (a *Admin) oneImport(ctx context.Context, actor account.Actor, id int64, q url.Values, problem error) (View, error) {
	t := a.o.Services.Transfers
	imp, err := t.Import(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	form, err := t.Form(ctx, actor, imp.List)
	if err != nil {
		return View{}, err
	}
	v := importView{Import: imp, Form: form, Problem: fault.From(problem), Verdict: q.Get("verdict"), Applied: imp.Phase == transfer.PhaseApply}
	v.Color, v.Label = importTag(imp)
	v.Result = v.Applied && !imp.Busy()
	wrong := map[string]string{}
	if v.Problem != nil {
		for _, f := range v.Problem.Fields {
			wrong[f.Name] = f.Message
			if name, ok := strings.CutPrefix(f.Name, "field-"); ok && name != "" {
				v.Missing = append(v.Missing, f.Message)
			}
		}
	}
	for i, title := range imp.Header {
		at := strconv.Itoa(i)
		v.Columns = append(v.Columns, importColumn{at, title, imp.Mapping[at], wrong["column-"+at]})
	}
	if !imp.Busy() {
		if err := a.importLines(ctx, actor, &v, q); err != nil {
			return View{}, err
		}
	}
	view := View{Title: "导入：" + imp.Title, Trail: []Link{{"导入", Prefix + "/imports"}}, Body: a.render("import", v), Status: problemStatus(problem)}
	return view, nil
}

// importPageRows is how many rows a page of an import shows.
const importPageRows = 50

func (a *Admin) importLines(ctx context.Context, actor account.Actor, v *importView, q url.Values) error {
	after, _ := strconv.Atoi(q.Get(queryCursor)) // anything else is the first page
	rows, err := a.o.Services.Transfers.Rows(ctx, actor, v.ID, v.Verdict, after, importPageRows)
	if err != nil {
		return err
	}
	// What is wrong with a cell stands at the cell; the row's own words are about what no column shows.
	elsewhere := transfer.Form{Fields: slices.DeleteFunc(slices.Clone(v.Form.Fields), func(f transfer.Field) bool {
		return slices.ContainsFunc(v.Columns, func(c importColumn) bool { return c.Field == f.Name })
	})}
	for _, r := range rows {
		line := importLine{No: r.No, Verdict: r.Verdict, Reason: r.Reason(elsewhere), Note: r.Note}
		line.Color, line.Label = verdictTag(r.Verdict)
		for i := range v.Columns {
			cell := importCell{Error: r.Problems[v.Columns[i].Field]}
			if v.Columns[i].Field == "" {
				cell.Error = ""
			}
			if i < len(r.Cells) {
				cell.Text = r.Cells[i]
			}
			line.Cells = append(line.Cells, cell)
		}
		v.Lines = append(v.Lines, line)
	}
	if len(rows) == importPageRows {
		v.Next = Prefix + "/imports/" + strconv.FormatInt(v.ID, 10) + "?" + url.Values{"verdict": {v.Verdict}, queryCursor: {strconv.Itoa(rows[len(rows)-1].No)}}.Encode()
	}
	return nil
}

func verdictTag(verdict string) (color, label string) {
	switch verdict {
	case transfer.Create:
		return "blue", "将新建"
	case transfer.Update:
		return "blue", "将修改"
	case transfer.Refused:
		return "red", "不能导入"
	case transfer.Created:
		return "green", "已新建"
	case transfer.Updated:
		return "green", "已修改"
	default:
		return "grey", "未检查"
	}
}

func (a *Admin) checkImport(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id, err := transferID(r)
	if err != nil {
		return View{}, err
	}
	if err := r.ParseForm(); err != nil {
		return View{}, fault.New(fault.Invalid, "body", "提交的内容不完整，请重试").Because(err)
	}
	mapping := map[string]string{}
	for name := range r.PostForm {
		if at, ok := strings.CutPrefix(name, "column-"); ok {
			mapping[at] = r.PostForm.Get(name)
		}
	}
	err = a.o.Services.Transfers.Check(ctx, actor, id, mapping)
	if f := fault.From(err); err != nil && f.Kind == fault.Invalid {
		return a.oneImport(ctx, actor, id, url.Values{}, err)
	}
	return View{Redirect: Prefix + "/imports/" + r.PathValue("id")}, err
}

func (a *Admin) confirmImport(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id, err := transferID(r)
	if err != nil {
		return View{}, err
	}
	return View{Redirect: Prefix + "/imports/" + r.PathValue("id")}, a.o.Services.Transfers.Confirm(ctx, actor, id)
}

func (a *Admin) dropImport(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id, err := transferID(r)
	if err != nil {
		return View{}, err
	}
	if err := a.o.Services.Transfers.DropImport(ctx, actor, id); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "已删除导入记录")
	return View{Redirect: Prefix + "/imports"}, nil
}

func (a *Admin) importProblems(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id, err := transferID(r)
	if err != nil {
		return View{}, err
	}
	f, err := a.o.Services.Transfers.Problems(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	return rawFile(f), nil
}
