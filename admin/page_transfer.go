package admin

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

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
