package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
)

// Catalog is that of third-party plugins. What is decided through it has taken effect when it returns.
type Catalog interface {
	// MaySubmit is asked before an archive is read, nil where Submit would look at it.
	MaySubmit(who account.Actor) error
	Submit(ctx context.Context, who account.Actor, name string, source io.ReaderAt, size int64) (plugin.Archive, error)
	Archives(ctx context.Context, who account.Actor, f plugin.ArchiveFilter) (plugin.ArchivePage, error)
	Archive(ctx context.Context, who account.Actor, id int64) (plugin.Archive, error)
	Baseline(ctx context.Context, who account.Actor, a plugin.Archive) (*plugin.Archive, error)
	Approve(ctx context.Context, who account.Actor, id int64, sum string) error
	Reject(ctx context.Context, who account.Actor, id int64, reason string) error
	Withdraw(ctx context.Context, who account.Actor, id, reason string) error
	Back(ctx context.Context, who account.Actor, id string) error
}

// archivePath is the one address whose body may be as large as an archive.
const archivePath = "/api/v1/plugin-archives"

// archiveOverhead is what a multipart form adds to a file.
const archiveOverhead = 64 << 10

// bodyLimitOf is the most that a request's body may hold.
func bodyLimitOf(r *http.Request) int64 {
	if r.Method == http.MethodPost && r.URL.Path == archivePath {
		return archive.MaxSize + archiveOverhead
	}
	return bodyLimit
}

func (s *Server) archiveRoutes() []any {
	return []any{s.listArchives, s.submitArchive, s.getArchive, s.approveArchive, s.rejectArchive, s.withdrawPlugin, s.backPlugin}
}

type listArchivesIn struct {
	g.Meta `path:"/plugin-archives" method:"get" tags:"插件" summary:"提交过的插件包：平台看到全部，商户看到自己的" needs:"plugin.read"`
	Plugin string `json:"plugin" in:"query" dc:"插件代号"`
	State  string `json:"state" in:"query" dc:"pending、approved、rejected 或 withdrawn"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listArchives(ctx context.Context, in *listArchivesIn) (*list[plugin.Archive], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := s.o.Catalog.Archives(ctx, who, plugin.ArchiveFilter{Plugin: in.Plugin, State: in.State, Cursor: cursor, Limit: in.Limit})
	return listOf(page.Items, strconv.FormatInt(page.Next, 10), page.Total), err
}

type submitArchiveIn struct {
	g.Meta `path:"/plugin-archives" method:"post" tags:"插件" summary:"提交插件包（请求体就是 .mfp 文件，或 multipart 的 file 字段，最大 64 MB）；批准之前不会运行"`
	Name   string `json:"name" in:"query" dc:"文件名"`
	open   func() (name string, body io.Reader, err error)
}

func (*submitArchiveIn) unrepeatable() {}

// take leaves the body where it is: whether it is read is for submitArchive to say.
func (in *submitArchiveIn) take(r *http.Request) error {
	in.open = func() (string, io.Reader, error) { return uploadBody(r, archive.MaxSize) }
	return nil
}

// read is the archive, in memory.
func (in *submitArchiveIn) read() ([]byte, error) {
	name, body, err := in.open()
	var raw []byte
	if err == nil {
		raw, err = io.ReadAll(io.LimitReader(body, archive.MaxSize+1))
	}
	if err != nil || len(raw) == 0 {
		return nil, fault.InvalidInput().On("file", "请选择要上传的插件包（.mfp）").Because(err)
	}
	if in.Name == "" {
		in.Name = name
	}
	return raw, nil
}

type submittedArchive struct{ plugin.Archive }

func (submittedArchive) HTTPStatus() int { return http.StatusCreated }

func (s *Server) submitArchive(ctx context.Context, in *submitArchiveIn) (*submittedArchive, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.o.Catalog.MaySubmit(who); err != nil {
		return nil, err
	}
	raw, err := in.read()
	if err != nil {
		return nil, err
	}
	made, err := s.o.Catalog.Submit(ctx, who, in.Name, bytes.NewReader(raw), int64(len(raw)))
	return &submittedArchive{made}, err
}

type getArchiveIn struct {
	g.Meta `path:"/plugin-archives/{id}" method:"get" tags:"插件" summary:"一个插件包：要求的权限，以及与上架中的版本的差别" needs:"plugin.read"`
	ID     int64 `json:"id" in:"path"`
}

type archiveOut struct {
	plugin.Archive
	Asks     []plugin.Asked `json:"asks" dc:"要求的权限，按种类"`
	Baseline string         `json:"baseline" dc:"比较的是哪个上架中的版本；空为没有"`
	More     bool           `json:"more" dc:"比上架中的版本要求更多权限"`
}

func (s *Server) getArchive(ctx context.Context, in *getArchiveIn) (*archiveOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.o.Catalog.Archive(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	before, err := s.o.Catalog.Baseline(ctx, who, a)
	if err != nil {
		return nil, err
	}
	out := &archiveOut{Archive: a}
	if before == nil {
		out.Asks = plugin.Ask(a.Spec, nil)
		return out, nil
	}
	out.Asks, out.Baseline = plugin.Ask(a.Spec, &before.Spec), before.Version
	out.More = plugin.More(out.Asks)
	return out, nil
}

type approveArchiveIn struct {
	g.Meta `path:"/plugin-archives/{id}/approve" method:"post" tags:"插件" summary:"批准一个插件包并上架；sha256 应与核对过的一致"`
	ID     int64  `json:"id" in:"path"`
	SHA256 string `json:"sha256" required:"true"`
}

func (s *Server) approveArchive(ctx context.Context, in *approveArchiveIn) (*acceptedOut, error) {
	who, err := operator(ctx, plugin.PermissionApprove)
	if err != nil {
		return nil, err
	}
	return &acceptedOut{}, s.o.Catalog.Approve(ctx, who, in.ID, in.SHA256)
}

type rejectArchiveIn struct {
	g.Meta `path:"/plugin-archives/{id}/reject" method:"post" tags:"插件" summary:"拒绝一个插件包，提交者会看到原因"`
	ID     int64  `json:"id" in:"path"`
	Reason string `json:"reason" required:"true"`
}

func (s *Server) rejectArchive(ctx context.Context, in *rejectArchiveIn) (*acceptedOut, error) {
	who, err := operator(ctx, plugin.PermissionApprove)
	if err != nil {
		return nil, err
	}
	return &acceptedOut{}, s.o.Catalog.Reject(ctx, who, in.ID, in.Reason)
}

type withdrawPluginIn struct {
	g.Meta `path:"/plugins/{id}/withdraw" method:"post" tags:"插件" summary:"下架一个第三方插件，它保存的数据不变"`
	ID     string `json:"id" in:"path"`
	Reason string `json:"reason" required:"true"`
}

func (s *Server) withdrawPlugin(ctx context.Context, in *withdrawPluginIn) (*acceptedOut, error) {
	who, err := operator(ctx, plugin.PermissionApprove)
	if err != nil {
		return nil, err
	}
	return &acceptedOut{}, s.o.Catalog.Withdraw(ctx, who, in.ID, in.Reason)
}

type backPluginIn struct {
	g.Meta `path:"/plugins/{id}/back" method:"post" tags:"插件" summary:"第三方插件回到上一个上架过的版本"`
	ID     string `json:"id" in:"path"`
}

func (s *Server) backPlugin(ctx context.Context, in *backPluginIn) (*acceptedOut, error) {
	who, err := operator(ctx, plugin.PermissionApprove)
	if err != nil {
		return nil, err
	}
	return &acceptedOut{}, s.o.Catalog.Back(ctx, who, in.ID)
}
