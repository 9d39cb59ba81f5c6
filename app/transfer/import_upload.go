package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

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
		rows = append(rows, map[string]any{"import_id": imp.ID, "no": no, "cells": string(encoded), "verdict": "", "row_id": 0, "problem": "", "note": ""})
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
