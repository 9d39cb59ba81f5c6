package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// States of an export and of an import in the background.
const (
	Waiting   = "waiting"
	Running   = "running"
	Done      = "done"
	Failed    = "failed"
	Cancelled = "cancelled"
)

// Formats of a file.
const (
	XLSX = "xlsx"
	CSV  = "csv"
)

// Bounds of a request.
const (
	maxPicked     = 1000    // rows chosen one by one
	maxUnfinished = 5       // exports of one person at a time
	maxQuery      = 8 << 10 // bytes of filters
	blobExport    = "export"
)

// Request asks for a file.
type Request struct {
	List   string // name of the list
	Format string // XLSX or CSV
	Query  Query
	// Background makes a file of few rows in the background too, for programs that want one kind of answer.
	Background bool
}

// Export is a file in the making or ready. Times are Unix milliseconds on the platform's clock.
type Export struct {
	ID        int64  `json:"id,string"`
	List      string `json:"list" orm:"source"`
	Title     string `json:"title"`
	Format    string `json:"format"`
	State     string `json:"state"`
	Rows      int64  `json:"rows" orm:"done_rows"`
	Total     int64  `json:"total" orm:"total_rows"` // -1 while unknown
	FileName  string `json:"file_name"`
	FileSize  int64  `json:"file_size"`
	Error     string `json:"error,omitempty"`
	CreatedAt int64  `json:"created_at"`
	EndedAt   int64  `json:"ended_at"`
	ExpiresAt int64  `json:"expires_at"`

	AccountID int64  `json:"-"`
	SpaceID   int64  `json:"-"`
	BlobID    int64  `json:"-"`
	Query     string `json:"-"`
	Attempt   int    `json:"-"`
}

// Ended reports whether nothing will change any more.
func (e Export) Ended() bool { return e.State != Waiting && e.State != Running }

// Percent is how far it is, 0 while the number of rows is unknown.
func (e Export) Percent() int64 {
	switch {
	case e.State == Done:
		return 100
	case e.Total <= 0:
		return 0
	default:
		return min(99, e.Rows*100/e.Total)
	}
}

// File is a small export that is ready at once.
type File struct {
	Name, ContentType string
	Content           []byte
	Rows              int
}

// ContentType is what a file of a format is served as.
func ContentType(format string) string {
	if format == CSV {
		return "text/csv; charset=utf-8"
	}
	return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
}

// Start makes the file at once when it has few rows; otherwise it puts an export into the background and File is nil.
func (s *Service) Start(ctx context.Context, who account.Actor, r Request) (*File, Export, error) {
	if who.Nobody() {
		return nil, Export{}, fault.New(fault.Unauthenticated, "login_required", "请先登录")
	}
	if err := r.check(); err != nil {
		return nil, Export{}, err
	}
	src, err := s.source(r.List)
	if err != nil {
		return nil, Export{}, err
	}
	sheet, err := src.Sheet(ctx, who, r.List, r.Query)
	if err != nil {
		return nil, Export{}, err
	}
	var rows [][]string
	more := r.Background
	if !more {
		if rows, more, err = s.firstRows(ctx, sheet); err != nil {
			return nil, Export{}, err
		}
	}
	if more {
		e, err := s.enqueue(ctx, who, r, sheet)
		return nil, e, err
	}
	f, err := s.small(sheet, r.Format, rows)
	if err != nil {
		return nil, Export{}, err
	}
	err = s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "export.download", Object: f.Name, Detail: fmt.Sprintf("%s，%d 行", sheet.Title, f.Rows)})
	return f, Export{}, err
}

func (r Request) check() error {
	bad := fault.InvalidInput()
	if r.Format != XLSX && r.Format != CSV {
		bad.On("format", "请选择 Excel 或 CSV")
	}
	if r.List == "" || len(r.List) > 120 {
		bad.On("table", "请选择要导出的列表")
	}
	if r.Query.Picked() && len(r.Query.IDs) == 0 {
		bad.On("id", "请先勾选要导出的数据")
	}
	if len(r.Query.IDs) > maxPicked {
		bad.On("id", fmt.Sprintf("一次最多勾选 %d 条，更多请导出全部结果", maxPicked))
	}
	if len(r.Query.Values.Encode()) > maxQuery {
		bad.On("query", "筛选条件太长")
	}
	return bad.OrNil()
}

// firstRows reads up to the bound of a small export and tells whether there are more.
func (s *Service) firstRows(ctx context.Context, sheet Sheet) (rows [][]string, more bool, err error) {
	for cursor := ""; ; {
		page, next, err := sheet.Page(ctx, cursor)
		if err != nil {
			return nil, false, err
		}
		if rows = append(rows, page...); len(rows) > s.o.Inline {
			return nil, true, nil
		}
		if next == "" {
			return rows, false, nil
		}
		if cursor = next; len(rows) == s.o.Inline {
			return nil, true, nil
		}
	}
}

func (s *Service) small(sheet Sheet, format string, rows [][]string) (*File, error) {
	var b bytes.Buffer
	w, err := s.writer(&b, format, sheet)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err == nil {
			err = w.row(cellsOf(sheet.Columns, row))
		}
	}
	if err == nil {
		err = w.finish()
	}
	if err = errors.Join(err, w.close()); err != nil {
		return nil, fmt.Errorf("transfer: write %s: %w", sheet.Title, err)
	}
	return &File{Name: fileName(sheet.Title, sheet.Filter, format, s.o.Clock.Now()), ContentType: ContentType(format), Content: b.Bytes(), Rows: len(rows)}, nil
}

// writer begins a file with its header.
func (s *Service) writer(out io.Writer, format string, sheet Sheet) (w sheetWriter, err error) {
	if format == CSV {
		w, err = newCSV(out)
	} else {
		w, err = newXLSX(out, sheet.Title, s.o.TempDir, s.o.SheetRows)
	}
	if err != nil {
		return nil, fmt.Errorf("transfer: begin %s: %w", sheet.Title, err)
	}
	header := make([]cell, len(sheet.Columns))
	for i, c := range sheet.Columns {
		header[i] = cell{text: defuse(c.Title)}
	}
	if err := w.row(header); err != nil {
		return nil, errors.Join(fmt.Errorf("transfer: begin %s: %w", sheet.Title, err), w.close())
	}
	return w, nil
}

func cellsOf(columns []Column, row []string) []cell {
	cells := make([]cell, len(columns))
	for i, c := range columns {
		if i < len(row) {
			cells[i] = c.cellOf(row[i])
		}
	}
	return cells
}

// enqueue notes an export for the background.
func (s *Service) enqueue(ctx context.Context, who account.Actor, r Request, sheet Sheet) (Export, error) {
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM transfer_export WHERE account_id=? AND space_id=? AND state IN (?,?)", who.AccountID, who.SpaceID, Waiting, Running)
	if err != nil {
		return Export{}, err
	}
	if n >= maxUnfinished {
		return Export{}, fault.Newf(fault.TooMany, "exports_unfinished", "你有 %d 个导出还没有完成，请等它们完成或取消后再试", n)
	}
	used, err := s.db.BlobBytes(ctx, who.SpaceID, blobExport)
	if err != nil {
		return Export{}, err
	}
	if used >= s.o.SpaceBytes {
		return Export{}, fault.New(fault.TooMany, "exports_full", "这个空间的导出文件太多，请删除不再需要的文件后再试")
	}
	query, err := json.Marshal(r.Query)
	if err != nil {
		return Export{}, fmt.Errorf("transfer: %w", err)
	}
	now := s.millis()
	e := Export{ID: s.db.NewID(), List: r.List, Title: cut(sheet.Title, 190), Format: r.Format, State: Waiting, Total: -1, CreatedAt: now, AccountID: who.AccountID, SpaceID: who.SpaceID,
		FileName: fileName(sheet.Title, sheet.Filter, r.Format, s.o.Clock.Now()), ExpiresAt: now + exportLife.Milliseconds(), Query: string(query)}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		err := s.db.Insert(ctx, "transfer_export", map[string]any{"id": e.ID, "space_id": e.SpaceID, "account_id": e.AccountID, "source": e.List, "title": e.Title,
			"format": e.Format, "query": e.Query, "state": e.State, "done_rows": 0, "total_rows": e.Total, "file_name": e.FileName, "file_size": 0, "blob_id": 0,
			"error": "", "attempt": 0, "owner": "", "lease_until": 0, "created_at": e.CreatedAt, "ended_at": 0, "expires_at": e.ExpiresAt})
		if err != nil {
			return err
		}
		return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "export.start", Object: e.FileName, Detail: sheet.Title})
	})
	s.stir()
	return e, err
}

const exportColumns = "id, space_id, account_id, source, title, format, query, state, done_rows, total_rows, file_name, file_size, blob_id, error, attempt, created_at, ended_at, expires_at"

var errNoExport = fault.New(fault.NotFound, "export_not_found", "没有找到这个导出，或者文件已过期")

// Exports lists the person's own exports in their present space, newest first; before is the id to go on behind, 0 at
// the start. Next is 0 at the end.
func (s *Service) Exports(ctx context.Context, who account.Actor, before int64, limit int) (list []Export, next int64, err error) {
	if limit < 1 || limit > 100 {
		limit = 20
	}
	query, args := "SELECT "+exportColumns+" FROM transfer_export WHERE account_id=? AND space_id=?", []any{who.AccountID, who.SpaceID}
	if before > 0 {
		query, args = query+" AND id<?", append(args, before)
	}
	if err := s.db.All(ctx, &list, query+" ORDER BY id DESC LIMIT ?", append(args, limit+1)...); err != nil {
		return nil, 0, fmt.Errorf("transfer: exports: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return slices.Clip(list), next, nil
}

// Export reads one of the person's own; NotFound for anybody else's and in another space.
func (s *Service) Export(ctx context.Context, who account.Actor, id int64) (Export, error) {
	var e Export
	found, err := s.db.One(ctx, &e, "SELECT "+exportColumns+" FROM transfer_export WHERE id=? AND account_id=? AND space_id=?", id, who.AccountID, who.SpaceID)
	if err != nil {
		return e, fmt.Errorf("transfer: export: %w", err)
	}
	if !found || who.Nobody() {
		return Export{}, errNoExport
	}
	return e, nil
}

// Open opens the file of one's own export for download, while it has not expired and the list may still be read.
func (s *Service) Open(ctx context.Context, who account.Actor, id int64) (Export, store.BlobInfo, io.ReadCloser, error) {
	e, err := s.Export(ctx, who, id)
	if err != nil {
		return e, store.BlobInfo{}, nil, err
	}
	if e.State != Done || e.ExpiresAt <= s.millis() {
		return e, store.BlobInfo{}, nil, errNoExport
	}
	if err := s.stillMay(ctx, who, e); err != nil {
		return e, store.BlobInfo{}, nil, err
	}
	info, r, err := s.db.OpenBlob(ctx, e.BlobID)
	if err != nil {
		return e, info, nil, err
	}
	err = s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "export.download", Object: e.FileName, Detail: fmt.Sprintf("%s，%d 行", e.Title, e.Rows)})
	if err != nil {
		return e, info, nil, errors.Join(err, r.Close())
	}
	return e, info, r, nil
}

// stillMay asks the list whether the person may read it today; a refusal looks like a file that is not there.
func (s *Service) stillMay(ctx context.Context, who account.Actor, e Export) error {
	_, err := s.open(ctx, who, e)
	if k := fault.KindOf(err); err != nil && (k == fault.Forbidden || k == fault.NotFound) {
		return errNoExport
	}
	return err
}

// open admits the person to the list of an export.
func (s *Service) open(ctx context.Context, who account.Actor, e Export) (Sheet, error) {
	var q Query
	if err := json.Unmarshal([]byte(e.Query), &q); err != nil {
		return Sheet{}, fmt.Errorf("transfer: query of export %d: %w", e.ID, err)
	}
	src, err := s.source(e.List)
	if err != nil {
		return Sheet{}, err
	}
	return src.Sheet(ctx, who, e.List, q)
}

// Cancel ends an export that is not done; the worker stops at its next page. One that has ended is left as it is.
func (s *Service) Cancel(ctx context.Context, who account.Actor, id int64) error {
	e, err := s.Export(ctx, who, id)
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, "UPDATE transfer_export SET state=?, ended_at=?, lease_until=0 WHERE id=? AND state IN (?,?)", Cancelled, s.millis(), id, Waiting, Running)
	if err != nil || n == 0 {
		return err
	}
	return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "export.cancel", Object: e.FileName})
}

// Delete takes an export and its file away; a running one is cancelled by it.
func (s *Service) Delete(ctx context.Context, who account.Actor, id int64) error {
	e, err := s.Export(ctx, who, id)
	if err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "DELETE FROM transfer_export WHERE id=?", id); err != nil {
			return err
		}
		return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "export.delete", Object: e.FileName})
	})
	if err != nil || e.BlobID == 0 {
		return err
	}
	return s.db.DeleteBlob(ctx, e.BlobID)
}
