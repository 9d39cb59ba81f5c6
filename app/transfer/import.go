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
	"minifleet/app/trail"
)

// Phases of an import, and the state in which it waits for the person's next step.
const (
	PhaseMap   = "map"
	PhaseCheck = "check"
	PhaseApply = "apply"
	Idle       = "idle"
)

// Verdicts on a row.
const (
	Create  = "create"
	Update  = "update"
	Refused = "refused"
	Created = "created"
	Updated = "updated"
	begun   = "begun"
)

const importLife = 7 * 24 * hour // milliseconds

const hour = 3_600_000

var errNotImportable = fault.New(fault.Forbidden, "not_importable", "这个列表不能导入")

// Import is a file on its way in. Times are Unix milliseconds.
type Import struct {
	ID        int64             `json:"id,string"`
	List      string            `json:"list" orm:"target"`
	Title     string            `json:"title"`
	FileName  string            `json:"file_name"`
	Encoding  string            `json:"encoding"`
	Header    []string          `json:"header" orm:"-"`
	Mapping   map[string]string `json:"mapping" orm:"-"` // field by the column's position, "0" the first
	Phase     string            `json:"phase"`
	State     string            `json:"state"`
	Rows      int64             `json:"rows" orm:"total_rows"`
	Done      int64             `json:"done" orm:"done_rows"`
	Creates   int64             `json:"creates" orm:"create_rows"`
	Updates   int64             `json:"updates" orm:"update_rows"`
	Refused   int64             `json:"refused" orm:"refused_rows"`
	Error     string            `json:"error,omitempty"`
	CreatedAt int64             `json:"created_at"`
	EndedAt   int64             `json:"ended_at"`
	ExpiresAt int64             `json:"expires_at"`

	AccountID   int64  `json:"-"`
	SpaceID     int64  `json:"-"`
	HeaderJSON  string `json:"-" orm:"header"`
	MappingJSON string `json:"-" orm:"mapping"`
	Attempt     int    `json:"-"`
}

// Busy reports whether the import is worked on in the background.
func (i Import) Busy() bool { return i.State == Waiting || i.State == Running }

// Checked reports whether the dry run is through and the import can be confirmed.
func (i Import) Checked() bool { return i.Phase == PhaseCheck && i.State == Done }

// Percent is how far the phase at hand is.
func (i Import) Percent() int64 {
	if i.Rows == 0 || i.State == Done {
		return 100
	}
	return i.Done * 100 / i.Rows
}

// ImportRow is one row with what was found out about it. Problems are by field; "" is the row as a whole.
type ImportRow struct {
	No       int               `json:"no"`
	Cells    []string          `json:"cells"`
	Verdict  string            `json:"verdict"`
	RowID    int64             `json:"row_id,string"`
	Problems map[string]string `json:"problems,omitempty"`
	Note     string            `json:"note,omitempty"` // of a row that is not refused
}

// Upload keeps a CSV's rows and guesses which column is which field. Nothing is imported yet.
func (s *Service) Upload(ctx context.Context, who account.Actor, list, name string, r io.Reader) (Import, error) {
	if who.Nobody() {
		return Import{}, fault.New(fault.Unauthenticated, "login_required", "请先登录")
	}
	_, form, err := s.form(ctx, who, list)
	if err != nil {
		return Import{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(r, MaxImportBytes+1))
	if err != nil {
		return Import{}, badFile("文件没有传完，或者超过 8 MB，请重试").Because(err)
	}
	if len(raw) > MaxImportBytes {
		return Import{}, badFile("文件太大，最大 8 MB，请拆成几个文件")
	}
	text, encoding, err := decodeText(raw)
	if err != nil {
		return Import{}, err
	}
	var rows []map[string]any
	imp := Import{ID: s.db.NewID(), List: list, Title: cut(form.Title, 190), FileName: cut(clean(name, 200), 200), Encoding: encoding, Phase: PhaseMap, State: Idle,
		CreatedAt: s.millis(), AccountID: who.AccountID, SpaceID: who.SpaceID, Mapping: map[string]string{}}
	imp.ExpiresAt = imp.CreatedAt + importLife
	imp.Header, err = parseCSV(text, func(no int, cells []string) error {
		encoded, err := json.Marshal(cells)
		rows = append(rows, map[string]any{"import_id": imp.ID, "no": no, "cells": string(encoded), "verdict": "", "row_id": 0, "problem": ""})
		return err
	})
	if err != nil {
		return Import{}, err
	}
	used := map[string]bool{}
	for i, title := range imp.Header {
		if field := form.guess(title); field != "" && !used[field] {
			imp.Mapping[fmt.Sprint(i)], used[field] = field, true
		}
	}
	imp.Rows = int64(len(rows))
	return imp, s.keepImport(ctx, who, imp, rows)
}

// keepImport writes the rows in bounded batches, and the import itself last: until then nobody sees it.
func (s *Service) keepImport(ctx context.Context, who account.Actor, imp Import, rows []map[string]any) error {
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM transfer_import WHERE account_id=? AND space_id=? AND expires_at>?", who.AccountID, who.SpaceID, imp.CreatedAt)
	if err != nil {
		return err
	}
	if n >= 50 {
		return fault.New(fault.TooMany, "imports_kept", "最近的导入太多，请先删除不再需要的导入记录")
	}
	for batch := range slices.Chunk(rows, importBatch) {
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			for _, row := range batch {
				if err := s.db.Insert(ctx, "transfer_import_row", row); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	header, err := json.Marshal(imp.Header)
	if err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	mapping, err := json.Marshal(imp.Mapping)
	if err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		err := s.db.Insert(ctx, "transfer_import", map[string]any{"id": imp.ID, "space_id": imp.SpaceID, "account_id": imp.AccountID, "target": imp.List, "title": imp.Title,
			"file_name": imp.FileName, "encoding": imp.Encoding, "header": string(header), "mapping": string(mapping), "phase": imp.Phase, "state": imp.State,
			"total_rows": imp.Rows, "done_rows": 0, "create_rows": 0, "update_rows": 0, "refused_rows": 0, "error": "", "attempt": 0, "owner": "", "lease_until": 0,
			"created_at": imp.CreatedAt, "ended_at": 0, "expires_at": imp.ExpiresAt})
		if err != nil {
			return err
		}
		return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "import.upload", Object: imp.FileName, Detail: fmt.Sprintf("%s，%d 行", imp.Title, imp.Rows)})
	})
}

const importColumns = "id, space_id, account_id, target, title, file_name, encoding, header, mapping, phase, state, total_rows, done_rows, create_rows, update_rows, refused_rows, error, attempt, created_at, ended_at, expires_at"

var errNoImport = fault.New(fault.NotFound, "import_not_found", "没有找到这个导入")

func (i *Import) unpack() error {
	if err := json.Unmarshal([]byte(i.HeaderJSON), &i.Header); err != nil {
		return fmt.Errorf("transfer: header of import %d: %w", i.ID, err)
	}
	if err := json.Unmarshal([]byte(i.MappingJSON), &i.Mapping); err != nil {
		return fmt.Errorf("transfer: mapping of import %d: %w", i.ID, err)
	}
	return nil
}

// Imports lists the person's own imports in their present space, newest first.
func (s *Service) Imports(ctx context.Context, who account.Actor, before int64, limit int) (list []Import, next int64, err error) {
	if limit < 1 || limit > 100 {
		limit = 20
	}
	query, args := "SELECT "+importColumns+" FROM transfer_import WHERE account_id=? AND space_id=?", []any{who.AccountID, who.SpaceID}
	if before > 0 {
		query, args = query+" AND id<?", append(args, before)
	}
	if err := s.db.All(ctx, &list, query+" ORDER BY id DESC LIMIT ?", append(args, limit+1)...); err != nil {
		return nil, 0, fmt.Errorf("transfer: imports: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	for i := range list {
		if err := list[i].unpack(); err != nil {
			return nil, 0, err
		}
	}
	return list, next, nil
}

// Import reads one of the person's own; NotFound for anybody else's and in another space.
func (s *Service) Import(ctx context.Context, who account.Actor, id int64) (Import, error) {
	var imp Import
	found, err := s.db.One(ctx, &imp, "SELECT "+importColumns+" FROM transfer_import WHERE id=? AND account_id=? AND space_id=?", id, who.AccountID, who.SpaceID)
	if err != nil {
		return imp, fmt.Errorf("transfer: import: %w", err)
	}
	if !found || who.Nobody() {
		return Import{}, errNoImport
	}
	return imp, imp.unpack()
}

// Form tells what an import's list takes, for the choice of columns.
func (s *Service) Form(ctx context.Context, who account.Actor, list string) (Form, error) {
	_, f, err := s.form(ctx, who, list)
	return f, err
}

// Rows gives an import's rows with their verdicts; verdict "" for all. after is the number to go on behind.
func (s *Service) Rows(ctx context.Context, who account.Actor, id int64, verdict string, after, limit int) ([]ImportRow, error) {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return nil, err
	}
	return s.rows(ctx, imp.ID, verdict, after, min(max(limit, 1), 500))
}

func (s *Service) rows(ctx context.Context, id int64, verdict string, after, limit int) ([]ImportRow, error) {
	query, args := "SELECT no, cells, verdict, row_id, problem FROM transfer_import_row WHERE import_id=? AND no>?", []any{id, after}
	if verdict != "" {
		query, args = query+" AND verdict=?", append(args, verdict)
	}
	var list []struct {
		No             int
		Cells, Verdict string
		RowID          int64
		Problem        string
	}
	if err := s.db.All(ctx, &list, query+" ORDER BY no LIMIT ?", append(args, limit)...); err != nil {
		return nil, fmt.Errorf("transfer: rows: %w", err)
	}
	out := make([]ImportRow, len(list))
	for i, l := range list {
		out[i] = ImportRow{No: l.No, Verdict: l.Verdict, RowID: l.RowID}
		err := json.Unmarshal([]byte(l.Cells), &out[i].Cells)
		if err == nil && l.Problem != "" {
			err = json.Unmarshal([]byte(l.Problem), &out[i].Problems)
		}
		if l.Verdict != Refused && l.Verdict != begun {
			out[i].Note, out[i].Problems = out[i].Problems[""], nil
		}
		if err != nil {
			return nil, fmt.Errorf("transfer: row %d of import %d: %w", l.No, id, err)
		}
	}
	return out, nil
}

// Check sets which column is which field ("0" is the first column) and starts the dry run.
func (s *Service) Check(ctx context.Context, who account.Actor, id int64, mapping map[string]string) error {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return err
	}
	_, form, err := s.form(ctx, who, imp.List)
	if err != nil {
		return err
	}
	kept, err := checkMapping(imp, form, mapping)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("transfer: %w", err)
	}
	// Only before the import was confirmed: a row that is in must not lose its mark.
	n, err := s.db.Exec(ctx, "UPDATE transfer_import SET phase=?, state=?, mapping=?, done_rows=0, create_rows=0, update_rows=0, refused_rows=0, error='', attempt=0, lease_until=0 WHERE id=? AND phase<>? AND state NOT IN (?,?)",
		PhaseCheck, Waiting, string(encoded), id, PhaseApply, Waiting, Running)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "import_running", "这个导入正在处理或已经提交，不能再修改")
	}
	s.stir()
	return err
}

func checkMapping(imp Import, form Form, mapping map[string]string) (map[string]string, error) {
	bad, kept, used := fault.InvalidInput(), map[string]string{}, map[string]bool{}
	for i := range imp.Header {
		at := fmt.Sprint(i)
		name := mapping[at]
		if name == "" {
			continue
		}
		if _, ok := form.field(name); !ok {
			bad.On("column-"+at, "请从列表中选择")
		} else if used[name] {
			bad.On("column-"+at, "这个字段已经对应了另一列")
		}
		kept[at], used[name] = name, true
	}
	for _, f := range form.Fields {
		if f.Required && !used[f.Name] && !used[RowID] {
			bad.On("field-"+f.Name, "「"+f.Title+"」必填，请选择它对应的列")
		}
	}
	if len(kept) == 0 {
		bad.On("mapping", "请至少选择一列")
	}
	return kept, bad.OrNil()
}

// Confirm imports what the dry run allowed. A second click, and a click after it is through, changes nothing.
func (s *Service) Confirm(ctx context.Context, who account.Actor, id int64) error {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return err
	}
	if _, _, err := s.form(ctx, who, imp.List); err != nil {
		return err
	}
	if imp.Phase == PhaseApply {
		return nil
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE transfer_import SET phase=?, state=?, done_rows=0, attempt=0, lease_until=0 WHERE id=? AND phase=? AND state=? AND create_rows+update_rows>0",
			PhaseApply, Waiting, id, PhaseCheck, Done)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "import_not_checked", "没有可以导入的行，请先完成检查")
		}
		return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "import.confirm", Object: imp.FileName,
			Detail: fmt.Sprintf("%s，新建 %d 行，修改 %d 行", imp.Title, imp.Creates, imp.Updates)})
	})
	s.stir()
	return err
}

// DropImport takes an import and its rows away; what it has written stays. A running one stops at its next batch.
func (s *Service) DropImport(ctx context.Context, who account.Actor, id int64) error {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "DELETE FROM transfer_import WHERE id=?", id); err != nil {
			return err
		}
		return s.o.Trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "import.delete", Object: imp.FileName})
	})
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "DELETE FROM transfer_import_row WHERE import_id=?", id)
	return err
}

// Template is an empty CSV with the fields' titles, to be filled in.
func (s *Service) Template(ctx context.Context, who account.Actor, list string) (*File, error) {
	_, form, err := s.form(ctx, who, list)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := newCSV(&b)
	if err != nil {
		return nil, err
	}
	header := make([]cell, 0, len(form.Fields))
	for _, f := range form.Fields {
		title := f.Title
		if f.Required {
			title += "*"
		}
		header = append(header, cell{text: defuse(title)})
	}
	if err := errors.Join(w.row(header), w.finish()); err != nil {
		return nil, err
	}
	return &File{Name: clean(form.Title, 40) + "-导入模板.csv", ContentType: ContentType(CSV), Content: b.Bytes()}, nil
}

// Problems is a CSV of the refused rows with the reason in front, to be mended and brought again.
func (s *Service) Problems(ctx context.Context, who account.Actor, id int64) (*File, error) {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return nil, err
	}
	_, form, err := s.form(ctx, who, imp.List)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := newCSV(&b)
	if err != nil {
		return nil, err
	}
	header := []cell{{text: "行号"}, {text: "原因"}}
	for _, title := range imp.Header {
		header = append(header, cell{text: defuse(title)})
	}
	if err := w.row(header); err != nil {
		return nil, err
	}
	count := 0
	for after := 0; ; {
		rows, err := s.rows(ctx, id, Refused, after, 500)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			line := []cell{{text: fmt.Sprint(r.No)}, {text: defuse(r.Reason(form))}}
			for _, c := range r.Cells {
				line = append(line, cell{text: defuse(rearm(c))})
			}
			if err := w.row(line); err != nil {
				return nil, err
			}
			after = r.No
			count++
		}
		if len(rows) < 500 {
			break
		}
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	return &File{Name: clean(imp.Title, 40) + "-未导入的行.csv", ContentType: ContentType(CSV), Content: b.Bytes(), Rows: count}, nil
}

// Reason is all that is wrong with a row, in one sentence.
func (r ImportRow) Reason(form Form) string {
	var out []string
	for _, f := range form.Fields {
		if p := r.Problems[f.Name]; p != "" {
			out = append(out, f.Title+"："+p)
		}
	}
	if p := r.Problems[""]; p != "" {
		out = append(out, p)
	}
	text := ""
	for i, o := range out {
		if i > 0 {
			text += "；"
		}
		text += o
	}
	return text
}

// pruneImports forgets imports whose time is up.
func (s *Service) pruneImports(ctx context.Context, now int64) error {
	var gone []struct{ ID int64 }
	if err := s.db.All(ctx, &gone, "SELECT id FROM transfer_import WHERE expires_at<? AND state NOT IN (?,?) LIMIT 100", now, Waiting, Running); err != nil {
		return fmt.Errorf("transfer: prune: %w", err)
	}
	for _, g := range gone {
		for _, query := range []string{"DELETE FROM transfer_import WHERE id=?", "DELETE FROM transfer_import_row WHERE import_id=?"} {
			if _, err := s.db.Exec(ctx, query, g.ID); err != nil {
				return fmt.Errorf("transfer: prune: %w", err)
			}
		}
	}
	return nil
}
