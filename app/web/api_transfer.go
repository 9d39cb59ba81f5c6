package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/fault"
	"minifleet/app/transfer"
)

type listExportsIn struct {
	g.Meta `path:"/exports" method:"get" tags:"导出与导入" summary:"我在当前空间的导出" needs:"own.transfer"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listExports(ctx context.Context, in *listExportsIn) (*list[transfer.Export], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.o.Transfers.Exports(ctx, who, cursor, in.Limit)
	return listOf(rows, strconv.FormatInt(next, 10), -1), err
}

type startExportIn struct {
	g.Meta `path:"/exports" method:"post" tags:"导出与导入" summary:"导出一个列表：miniprograms events trail members components jobs plugins 或 插件_表；ids 为空时导出 query 筛选的全部" needs:"own.transfer"`
	List   string            `json:"list" required:"true"`
	Format string            `json:"format" required:"true" d:"xlsx" v:"in:xlsx,csv"`
	IDs    []string          `json:"ids"`
	Query  map[string]string `json:"query"`
}

type startedExport struct{ transfer.Export }

func (startedExport) HTTPStatus() int { return http.StatusAccepted }

func (s *Server) startExport(ctx context.Context, in *startExportIn) (*startedExport, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	values := url.Values{}
	for k, v := range in.Query {
		values.Set(k, v)
	}
	_, e, err := s.o.Transfers.Start(ctx, who, transfer.Request{List: in.List, Format: in.Format, Query: transfer.Query{Values: values, IDs: in.IDs}, Background: true})
	return &startedExport{e}, err
}

type getExportIn struct {
	g.Meta `path:"/exports/{id}" method:"get" tags:"导出与导入" summary:"一个导出的进度" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) getExport(ctx context.Context, in *getExportIn) (*transfer.Export, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.o.Transfers.Export(ctx, who, in.ID)
	return &e, err
}

type exportFileIn struct {
	g.Meta `path:"/exports/{id}/file" method:"get" tags:"导出与导入" summary:"下载导出的文件，保留 24 小时" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (*exportFileIn) streamed() {}

func (s *Server) exportFile(ctx context.Context, in *exportFileIn) (*download, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	e, info, body, err := s.o.Transfers.Open(ctx, who, in.ID)
	return &download{e.FileName, info.ContentType, info.Size, body}, err
}

type cancelExportIn struct {
	g.Meta `path:"/exports/{id}/cancel" method:"post" tags:"导出与导入" summary:"取消一个没有完成的导出" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) cancelExport(ctx context.Context, in *cancelExportIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Transfers.Cancel(ctx, who, in.ID)
}

type deleteExportIn struct {
	g.Meta `path:"/exports/{id}" method:"delete" tags:"导出与导入" summary:"删除一个导出和它的文件" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) deleteExport(ctx context.Context, in *deleteExportIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Transfers.Delete(ctx, who, in.ID)
}

type importListsIn struct {
	g.Meta `path:"/imports/lists" method:"get" tags:"导出与导入" summary:"可以导入的列表" needs:"own.transfer"`
}

func (s *Server) importLists(ctx context.Context, _ *importListsIn) (*list[transfer.List], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Transfers.Importable(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type importTemplateIn struct {
	g.Meta `path:"/imports/template" method:"get" tags:"导出与导入" summary:"下载一个列表的导入模板" needs:"own.transfer"`
	List   string `json:"list" in:"query"`
}

func (*importTemplateIn) streamed() {}

func (s *Server) importTemplate(ctx context.Context, in *importTemplateIn) (*download, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return fileOf(s.o.Transfers.Template(ctx, who, in.List))
}

func fileOf(f *transfer.File, err error) (*download, error) {
	if err != nil {
		return nil, err
	}
	return &download{f.Name, f.ContentType, int64(len(f.Content)), io.NopCloser(bytes.NewReader(f.Content))}, nil
}

type listImportsIn struct {
	g.Meta `path:"/imports" method:"get" tags:"导出与导入" summary:"我在当前空间的导入" needs:"own.transfer"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listImports(ctx context.Context, in *listImportsIn) (*list[transfer.Import], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.o.Transfers.Imports(ctx, who, cursor, in.Limit)
	return listOf(rows, strconv.FormatInt(next, 10), -1), err
}

type uploadImportIn struct {
	g.Meta `path:"/imports" method:"post" tags:"导出与导入" summary:"上传 CSV（请求体就是文件，或 multipart 的 file 字段，最大 8 MB）；还不会写入数据" needs:"own.transfer"`
	List   string `json:"list" in:"query"`
	Name   string `json:"name" in:"query"`
	body   io.Reader
}

func (*uploadImportIn) unrepeatable() {}

func (in *uploadImportIn) take(r *http.Request) error {
	name, body, err := uploadBody(r, transfer.MaxImportBytes)
	if err != nil {
		return fault.InvalidInput().On("file", "请选择要上传的 CSV 文件").Because(err)
	}
	if in.Name == "" {
		in.Name = name
	}
	in.body = body
	return nil
}

type uploadedImport struct{ transfer.Import }

func (uploadedImport) HTTPStatus() int { return http.StatusCreated }

func (s *Server) uploadImport(ctx context.Context, in *uploadImportIn) (*uploadedImport, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	imp, err := s.o.Transfers.Upload(ctx, who, in.List, in.Name, in.body)
	return &uploadedImport{imp}, err
}

type getImportIn struct {
	g.Meta `path:"/imports/{id}" method:"get" tags:"导出与导入" summary:"一个导入：列的对应、检查结果、进度" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) getImport(ctx context.Context, in *getImportIn) (*transfer.Import, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	imp, err := s.o.Transfers.Import(ctx, who, in.ID)
	return &imp, err
}

type importRowsIn struct {
	g.Meta  `path:"/imports/{id}/rows" method:"get" tags:"导出与导入" summary:"导入的每一行：会新建、会修改或为什么不能导入" needs:"own.transfer"`
	ID      int64  `json:"id" in:"path"`
	Verdict string `json:"verdict" in:"query"`
	Cursor  string `json:"cursor" in:"query"`
	Limit   int    `json:"limit" in:"query"`
}

func (s *Server) importRows(ctx context.Context, in *importRowsIn) (*list[transfer.ImportRow], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	after, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	if in.Limit < 1 || in.Limit > 200 {
		in.Limit = 50
	}
	rows, err := s.o.Transfers.Rows(ctx, who, in.ID, in.Verdict, int(after), in.Limit)
	next := ""
	if len(rows) == in.Limit {
		next = strconv.Itoa(rows[len(rows)-1].No)
	}
	return listOf(rows, next, -1), err
}

type checkImportIn struct {
	g.Meta  `path:"/imports/{id}/check" method:"post" tags:"导出与导入" summary:"指定哪一列是哪个字段（列从 0 数起），并试运行" needs:"own.transfer"`
	ID      int64             `json:"id" in:"path"`
	Mapping map[string]string `json:"mapping" required:"true"`
}

func (s *Server) checkImport(ctx context.Context, in *checkImportIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Transfers.Check(ctx, who, in.ID, in.Mapping)
}

type confirmImportIn struct {
	g.Meta `path:"/imports/{id}/confirm" method:"post" tags:"导出与导入" summary:"确认导入；重复确认不会写入两次" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) confirmImport(ctx context.Context, in *confirmImportIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Transfers.Confirm(ctx, who, in.ID)
}

type importProblemsIn struct {
	g.Meta `path:"/imports/{id}/problems" method:"get" tags:"导出与导入" summary:"下载没有导入的行和原因" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (*importProblemsIn) streamed() {}

func (s *Server) importProblems(ctx context.Context, in *importProblemsIn) (*download, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return fileOf(s.o.Transfers.Problems(ctx, who, in.ID))
}

type deleteImportIn struct {
	g.Meta `path:"/imports/{id}" method:"delete" tags:"导出与导入" summary:"删除一个导入的记录；已写入的数据不变" needs:"own.transfer"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) deleteImport(ctx context.Context, in *deleteImportIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Transfers.DropImport(ctx, who, in.ID)
}
