package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
)

// nextExport takes one export that waits, or whose process died, and carries it out. It reports whether there was one.
func (s *Service) nextExport(ctx context.Context) (bool, error) {
	var e Export
	found, err := s.db.One(ctx, &e, "SELECT "+exportColumns+" FROM transfer_export WHERE state=? OR (state=? AND lease_until<?) ORDER BY id LIMIT 1", Waiting, Running, time.Now().UnixMilli())
	if err != nil || !found {
		return false, err
	}
	before, blob := e.BlobID, s.db.NewID()
	n, err := s.db.Exec(ctx, "UPDATE transfer_export SET state=?, owner=?, lease_until=?, attempt=attempt+1, blob_id=?, done_rows=0 WHERE id=? AND attempt=? AND (state=? OR (state=? AND lease_until<?))",
		Running, s.owner, time.Now().Add(s.o.Lease).UnixMilli(), blob, e.ID, e.Attempt, Waiting, Running, time.Now().UnixMilli())
	if err != nil || n == 0 {
		return n > 0, err // another worker was quicker
	}
	e.State, e.BlobID, e.Rows, e.Total = Running, blob, 0, -1
	e.Attempt++
	if before != 0 { // what the attempt before left: this one begins anew
		if err := s.db.DeleteBlob(ctx, before); err != nil {
			return true, err
		}
	}
	if e.Attempt > attemptsMax {
		return true, s.endExport(ctx, e, store.BlobInfo{}, fault.New(fault.Unavailable, "export_interrupted", "导出多次中断，请缩小范围后重新导出"))
	}
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	held := make(chan struct{})
	go func() {
		defer close(held)
		s.hold(run, cancel, "transfer_export", e.ID, e.Attempt)
	}()
	info, err := s.makeFile(run, &e)
	cause := context.Cause(run)
	cancel(nil)
	<-held
	if errors.Is(cause, errLost) || ctx.Err() != nil {
		// Cancelled by its owner, taken over by another replica, or the platform is stopping: whoever comes next decides.
		return true, errors.Join(s.db.DeleteBlob(context.WithoutCancel(ctx), blob), s.letGo(context.WithoutCancel(ctx), e))
	}
	return true, s.endExport(context.WithoutCancel(ctx), e, info, err)
}

var errLost = errors.New("transfer: the job is no longer ours")

// hold extends the lease of a job; when it was cancelled or taken over, its work is stopped.
func (s *Service) hold(ctx context.Context, cancel context.CancelCauseFunc, table string, id int64, attempt int) {
	t := time.NewTicker(s.o.Lease / 6)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			n, err := s.db.Exec(ctx, "UPDATE "+table+" SET lease_until=? WHERE id=? AND owner=? AND attempt=? AND state=?", time.Now().Add(s.o.Lease).UnixMilli(), id, s.owner, attempt, Running)
			if err == nil && n == 0 {
				cancel(errLost)
				return
			}
		}
	}
}

// letGo gives a job back that is still ours, so that another replica need not wait for the lease to end.
func (s *Service) letGo(ctx context.Context, e Export) error {
	_, err := s.db.Exec(ctx, "UPDATE transfer_export SET state=?, lease_until=0, attempt=attempt-1 WHERE id=? AND owner=? AND attempt=? AND state=?", Waiting, e.ID, s.owner, e.Attempt, Running)
	return err
}

// makeFile writes the rows straight into the blob: a page, a chunk and the spreadsheet's own buffer are all that is held.
func (s *Service) makeFile(ctx context.Context, e *Export) (store.BlobInfo, error) {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := safely(func() error { return s.writeRows(ctx, w, e) })
		written <- errors.Join(err, w.CloseWithError(err))
	}()
	info, err := s.db.PutBlob(ctx, store.BlobInfo{ID: e.BlobID, SpaceID: e.SpaceID, Kind: blobExport, Name: e.FileName, ContentType: ContentType(e.Format), ExpiresAt: s.millis() + exportLife.Milliseconds()}, r, s.o.MaxBytes)
	// The writer must not wait for a reader that has given up.
	if e := r.CloseWithError(io.ErrClosedPipe); e != nil {
		err = errors.Join(err, e)
	}
	if wrote := <-written; err == nil {
		err = wrote
	}
	return info, err
}

func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("transfer: panic: %v", p)
		}
	}()
	return f()
}

// progressEvery is how often rows and rights are looked at anew while a file is written.
const progressEvery = time.Second

func (s *Service) writeRows(ctx context.Context, out io.Writer, e *Export) (err error) {
	sheet, err := s.today(ctx, *e)
	if err != nil {
		return err
	}
	w, err := s.writer(out, e.Format, sheet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if sheet.Count != nil {
		if e.Total, err = sheet.Count(ctx); err != nil {
			return err
		}
	}
	var looked time.Time
	for cursor := ""; ; {
		rows, next, err := sheet.Page(ctx, cursor)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := w.row(cellsOf(sheet.Columns, row)); err != nil {
				return fmt.Errorf("transfer: write %s: %w", e.Title, err)
			}
		}
		e.Rows += int64(len(rows))
		if cursor = next; next == "" {
			return w.finish()
		}
		if time.Since(looked) >= progressEvery {
			looked = time.Now()
			if err := s.progress(ctx, *e); err != nil {
				return err
			}
			if sheet, err = s.today(ctx, *e); err != nil {
				return err
			}
		}
	}
}

// today admits the person with the rights of this moment.
func (s *Service) today(ctx context.Context, e Export) (Sheet, error) {
	who, err := s.o.Actors.Actor(ctx, e.AccountID, e.SpaceID)
	if err != nil {
		return Sheet{}, err
	}
	return s.open(account.With(ctx, who), who, e)
}

// progress notes how many rows are written; errLost when the job was cancelled or taken over.
func (s *Service) progress(ctx context.Context, e Export) error {
	n, err := s.db.Exec(ctx, "UPDATE transfer_export SET done_rows=?, total_rows=? WHERE id=? AND owner=? AND attempt=? AND state=?", e.Rows, e.Total, e.ID, s.owner, e.Attempt, Running)
	if err == nil && n == 0 {
		err = errLost
	}
	return err
}

// endExport writes the outcome and tells the person, both or neither.
func (s *Service) endExport(ctx context.Context, e Export, info store.BlobInfo, failure error) error {
	if errors.Is(failure, errLost) {
		return s.db.DeleteBlob(ctx, e.BlobID)
	}
	state, text, blob := Done, "", info.ID
	if failure != nil {
		f := fault.From(failure)
		if f.Kind == fault.Internal {
			s.o.Log.ErrorContext(ctx, "an export failed", "export", e.ID, "list", e.List, "error", failure)
		}
		state, text, blob = Failed, cut(f.Message, 500), 0
	}
	now := s.millis()
	ours := false
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE transfer_export SET state=?, error=?, done_rows=?, total_rows=?, file_size=?, blob_id=?, ended_at=?, expires_at=?, lease_until=0 WHERE id=? AND owner=? AND attempt=? AND state=?",
			state, text, e.Rows, e.Rows, info.Size, blob, now, now+exportLife.Milliseconds(), e.ID, s.owner, e.Attempt, Running)
		if ours = n > 0; err != nil || !ours || s.o.Ended == nil {
			return err
		}
		news := Ended{AccountID: e.AccountID, SpaceID: e.SpaceID, Link: "/admin/exports", Failed: failure != nil, Title: "导出完成：" + e.Title, Text: fmt.Sprintf("共 %d 行，文件保留 24 小时。", e.Rows)}
		if failure != nil {
			news.Title, news.Text = "导出失败："+e.Title, text
		}
		return s.o.Ended(ctx, news)
	})
	if err == nil && !ours {
		err = s.db.DeleteBlob(ctx, e.BlobID)
	}
	return err
}
