package event

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minifleet/app/store"
)

// maxBatch bounds how many records one statement inserts: enough to share a disk sync, small enough to keep the others
// who write waiting only for milliseconds.
const maxBatch = 64

const insertColumns = "INSERT INTO event_log (id,type,source,component,appid,space_id,subject,url_kind,create_time,received_at,dedupe,payload,fanned_out) VALUES "

const insertRow = "(?,?,?,?,?,?,?,?,?,?,?,?,?)"

// waiting is a record on its way into the log, and the place where its sender waits.
type waiting struct {
	row  row
	done chan error // holds one answer
}

// Append makes r durable and returns only then. Records that arrive together share one transaction. A record whose
// Dedupe is already there is dropped and reported as success. When ctx ends first its error comes back, and the record
// may or may not have been stored.
func (l *Log) Append(ctx context.Context, r Record) error {
	prepared, err := l.prepare(r)
	if err != nil {
		return err
	}
	l.gate.RLock()
	if l.stopped {
		l.gate.RUnlock()
		return ErrStopped
	}
	l.senders.Add(1)
	l.gate.RUnlock()

	w := &waiting{row: prepared, done: make(chan error, 1)}
	select {
	case l.incoming <- w:
		l.senders.Done()
	case <-ctx.Done():
		l.senders.Done()
		return fmt.Errorf("event: append %s: %w", r.Type, ctx.Err())
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("event: append %s: %w", r.Type, ctx.Err())
	}
}

// AppendTx makes records part of the caller's store transaction: they exist when it commits and not otherwise. Without
// a transaction in ctx they get one of their own. Call Wake after the commit for delivery without delay.
func (l *Log) AppendTx(ctx context.Context, records []Record) error {
	err := l.opts.DB.Tx(ctx, func(ctx context.Context) error {
		for _, r := range records {
			prepared, err := l.prepare(r)
			if err != nil {
				return err
			}
			if _, err := l.opts.DB.InsertIgnore(ctx, "event_log", prepared.columns()); err != nil {
				return fmt.Errorf("event: append %s: %w", r.Type, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// The caller's commit is still to come; these looks after it are cheap and find nothing when there is nothing.
	for _, d := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond} {
		time.AfterFunc(d, l.Wake)
	}
	return nil
}

func (r row) columns() map[string]any {
	return map[string]any{
		"id": r.ID, "type": r.Type, "source": r.Source, "component": r.Component, "appid": r.AppID, "space_id": r.SpaceID,
		"subject": r.Subject, "url_kind": r.URLKind, "create_time": r.CreateTime, "received_at": r.ReceivedAt,
		"dedupe": nullable(r.Dedupe), "payload": r.sealed, "fanned_out": r.fan(),
	}
}

func (r row) args(into []any) []any {
	return append(into, r.ID, r.Type, r.Source, r.Component, r.AppID, r.SpaceID, r.Subject, r.URLKind,
		r.CreateTime, r.ReceivedAt, nullable(r.Dedupe), r.sealed, r.fan())
}

func nullable(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

func (r row) fan() int64 {
	if r.Inert {
		return fanNever
	}
	return fanWaiting
}

// appendLoop commits batches until ctx ends and everything that was accepted is durable.
func (l *Log) appendLoop(ctx context.Context) error {
	a := appender{log: l, sql: map[int]string{}}
	for {
		select {
		case w := <-l.incoming:
			a.commit(w)
		case <-ctx.Done():
			return l.drain(&a)
		}
	}
}

// drain refuses new senders, then commits those that were already let in.
func (l *Log) drain(a *appender) error {
	l.gate.Lock()
	l.stopped = true
	l.gate.Unlock()
	gone := make(chan struct{})
	go func() { l.senders.Wait(); close(gone) }()
	for {
		select {
		case w := <-l.incoming:
			a.commit(w)
		case <-gone:
			for {
				select {
				case w := <-l.incoming:
					a.commit(w)
				default:
					return nil
				}
			}
		}
	}
}

// appender is the one writer of batches; its buffers are reused.
type appender struct {
	log   *Log
	batch []*waiting
	args  []any
	sql   map[int]string
}

// commit takes first and whatever else is waiting, makes it durable and answers everybody.
func (a *appender) commit(first *waiting) {
	a.batch = append(a.batch[:0], first)
	for len(a.batch) < maxBatch {
		select {
		case w := <-a.log.incoming:
			a.batch = append(a.batch, w)
			continue
		default:
		}
		break
	}
	// Nobody's context may interrupt a statement that others wait for.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := a.insert(ctx, a.batch)
	switch {
	case err == nil:
		for _, w := range a.batch {
			w.done <- nil
		}
	case store.Duplicate(err):
		for _, w := range a.batch {
			w.done <- a.insertOne(ctx, w)
		}
	default:
		for _, w := range a.batch {
			w.done <- fmt.Errorf("event: append: %w", err)
		}
	}
	a.log.Wake()
}

// insert is one multi-row statement, hence one transaction, without the round trips of BEGIN and COMMIT.
func (a *appender) insert(ctx context.Context, batch []*waiting) error {
	query, ok := a.sql[len(batch)]
	if !ok {
		query = insertColumns + strings.TrimSuffix(strings.Repeat(insertRow+",", len(batch)), ",")
		a.sql[len(batch)] = query
	}
	a.args = a.args[:0]
	for _, w := range batch {
		a.args = w.row.args(a.args)
	}
	_, err := a.log.opts.DB.Writer().ExecContext(ctx, query, a.args...)
	a.log.commits.Add(1)
	clear(a.args) // payloads must not outlive their batch here
	return err
}

// insertOne inserts a record of a batch that met a repeated one. The repeated one itself is a success: its first copy is
// durable.
func (a *appender) insertOne(ctx context.Context, w *waiting) error {
	err := a.insert(ctx, []*waiting{w})
	if store.Duplicate(err) {
		if strings.Contains(strings.ToLower(err.Error()), "dedupe") {
			return nil
		}
		return errors.Join(errors.New("event: id taken"), err)
	}
	if err != nil {
		return fmt.Errorf("event: append: %w", err)
	}
	return nil
}

func newOwner(id int64) string { return "log-" + strconv.FormatInt(id, 36) }
