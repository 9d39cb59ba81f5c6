package admin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/transfer"
)

// Transfers is what the pages ask of the room that carries lists out as files and in from files.
type Transfers interface {
	Start(ctx context.Context, who account.Actor, r transfer.Request) (*transfer.File, transfer.Export, error)
	Exports(ctx context.Context, who account.Actor, before int64, limit int) ([]transfer.Export, int64, error)
	Cancel(ctx context.Context, who account.Actor, id int64) error
	Delete(ctx context.Context, who account.Actor, id int64) error

	Importable(ctx context.Context, who account.Actor) ([]transfer.List, error)
	Template(ctx context.Context, who account.Actor, list string) (*transfer.File, error)
	Form(ctx context.Context, who account.Actor, list string) (transfer.Form, error)
	Upload(ctx context.Context, who account.Actor, list, name string, r io.Reader) (transfer.Import, error)
	Imports(ctx context.Context, who account.Actor, before int64, limit int) ([]transfer.Import, int64, error)
	Import(ctx context.Context, who account.Actor, id int64) (transfer.Import, error)
	Rows(ctx context.Context, who account.Actor, id int64, verdict string, after, limit int) ([]transfer.ImportRow, error)
	Check(ctx context.Context, who account.Actor, id int64, mapping map[string]string) error
	Confirm(ctx context.Context, who account.Actor, id int64) error
	Problems(ctx context.Context, who account.Actor, id int64) (*transfer.File, error)
	DropImport(ctx context.Context, who account.Actor, id int64) error
}

func (a *Admin) transferPages() []Page {
	return []Page{
		{Pattern: "GET /exports", Title: "导出记录", Query: []string{queryCursor}, Handle: a.exportsPage},
		{Pattern: "GET /exports/rows", Title: "导出记录", Query: []string{queryCursor}, Handle: a.exportRows},
		{Pattern: "POST /exports", Title: "导出", Handle: a.startExport},
		{Pattern: "POST /exports/{id}/cancel", Title: "导出记录", Handle: a.endExport(Transfers.Cancel, "已取消导出")},
		{Pattern: "POST /exports/{id}/delete", Title: "导出记录", Handle: a.endExport(Transfers.Delete, "已删除导出")},
		{Pattern: "GET /imports", Title: "导入", Query: []string{"table", queryCursor}, Handle: a.importsPage},
		{Pattern: "GET /imports/template", Title: "导入", Query: []string{"table"}, Handle: a.importTemplate},
		{Pattern: "POST /imports", Title: "导入", Handle: a.uploadImport},
		{Pattern: "GET /imports/{id}", Title: "导入", Query: []string{"verdict", queryCursor}, Handle: a.importPage},
		{Pattern: "GET /imports/{id}/problems", Title: "导入", Handle: a.importProblems},
		{Pattern: "POST /imports/{id}/check", Title: "导入", Handle: a.checkImport},
		{Pattern: "POST /imports/{id}/confirm", Title: "导入", Handle: a.confirmImport},
		{Pattern: "POST /imports/{id}/delete", Title: "导入", Handle: a.dropImport},
	}
}

// transferTag is the word and colour of a state.
func transferTag(state string) (color, label string) {
	switch state {
	case transfer.Waiting:
		return "grey", "排队中"
	case transfer.Running:
		return "blue", "处理中"
	case transfer.Done:
		return "green", "已完成"
	case transfer.Failed:
		return "red", "失败"
	case transfer.Cancelled:
		return "grey", "已取消"
	default:
		return "orange", "待处理"
	}
}

// ownRequest are the fields of the export dialog that are not the list's query.
var ownRequest = []string{"table", "format", "scope", "id", queryCursor, queryBack, queryPageSize}

// startExport answers the export dialog: with the file itself when it is small.
func (a *Admin) startExport(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if err := r.ParseForm(); err != nil {
		return View{}, fault.New(fault.Invalid, "body", "提交的内容不完整，请重试").Because(err)
	}
	in, q := r.PostForm, transfer.Query{Values: url.Values{}}
	for name, values := range in {
		if !slices.Contains(ownRequest, name) && len(values) > 0 && values[0] != "" {
			q.Values.Set(name, values[0])
		}
	}
	if in.Get("scope") == "selected" {
		q.IDs = append([]string{}, in["id"]...)
	}
	file, _, err := a.o.Services.Transfers.Start(ctx, actor, transfer.Request{List: in.Get("table"), Format: in.Get("format"), Query: q})
	if err != nil {
		return View{}, err
	}
	if file != nil {
		return rawFile(file), nil
	}
	a.flash.put(actor, "数据较多，正在后台导出，完成后可以在这里下载")
	return View{Redirect: Prefix + "/exports"}, nil
}

func rawFile(f *transfer.File) View {
	return View{Raw: &Raw{ContentType: f.ContentType, Header: http.Header{"Content-Disposition": {transfer.Disposition(f.Name)}}, Body: f.Content}}
}

type exportRow struct {
	transfer.Export
	Color, Label, Size, Format string
	Known                      bool // how many rows there are
	Expired                    bool
}

type exportsView struct {
	Rows []exportRow
	Busy bool
	Poll string
	Next string
}

func (a *Admin) exportsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v, err := a.exports(ctx, actor, r)
	return View{Subtitle: "只有你自己能看到和下载；文件保留 24 小时。", Body: a.render("exports", v)}, err
}

func (a *Admin) exportRows(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	v, err := a.exports(ctx, actor, r)
	return View{Body: a.render("export-rows", v), Bare: true}, err
}

func (a *Admin) exports(ctx context.Context, actor account.Actor, r *http.Request) (exportsView, error) {
	cursor := r.URL.Query().Get(queryCursor)
	before, _ := strconv.ParseInt(cursor, 10, 64) // anything else is the first page
	list, next, err := a.o.Services.Transfers.Exports(ctx, actor, before, 20)
	v := exportsView{Poll: Prefix + "/exports/rows?" + url.Values{queryCursor: {cursor}}.Encode()}
	now := a.clock.Now().UnixMilli()
	for _, e := range list {
		row := exportRow{Export: e, Size: bytesText(e.FileSize), Format: map[string]string{transfer.XLSX: "Excel", transfer.CSV: "CSV"}[e.Format], Known: e.Total > 0, Expired: e.State == transfer.Done && e.ExpiresAt <= now}
		if row.Color, row.Label = transferTag(e.State); row.Expired {
			row.Color, row.Label = "grey", "已过期"
		}
		v.Rows, v.Busy = append(v.Rows, row), v.Busy || !e.Ended()
	}
	if next != 0 {
		v.Next = Prefix + "/exports?" + queryCursor + "=" + strconv.FormatInt(next, 10)
	}
	return v, err
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<20:
		return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB"
	case n >= 1<<10:
		return strconv.FormatInt(n>>10, 10) + " KB"
	default:
		return strconv.FormatInt(n, 10) + " B"
	}
}

func (a *Admin) endExport(end func(Transfers, context.Context, account.Actor, int64) error, done string) func(context.Context, account.Actor, *http.Request) (View, error) {
	return func(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
		id, err := transferID(r)
		if err != nil {
			return View{}, err
		}
		if err := end(a.o.Services.Transfers, ctx, actor, id); err != nil {
			return View{}, err
		}
		a.flash.put(actor, done)
		return View{Redirect: Prefix + "/exports"}, nil
	}
}

func transferID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, fault.New(fault.NotFound, "not_found", "没有找到这条记录")
	}
	return id, nil
}

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
	for _, r := range rows {
		line := importLine{No: r.No, Verdict: r.Verdict, Reason: r.Reason(v.Form), Note: r.Note}
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
