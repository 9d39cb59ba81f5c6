package event

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"time"
)

// Bounds of what one transaction takes in: enough to share a disk sync, small enough for one packet of any database.
const (
	maxBatch      = 256
	maxBatchBytes = 4 << 20
)

// gatherLooks is how many looks in a row must find nothing new before a batch is committed.
const gatherLooks = 3

// waiting is a record on its way into the log, and the place where its sender waits.
type waiting struct {
	row  row
	done chan error // holds one answer
}

// Append makes r durable and returns only then. Records that arrive together share one transaction: they are packed into
// one row of event_intake, which costs a third of rows of their own with all indexes, and the dispatcher unpacks them
// into event_log a moment later. A record whose Dedupe is already there is dropped then, and success for its sender all
// the same. When ctx ends first its error comes back, and the record may or may not have been stored.
//
// Inside a store transaction it is AppendTx: waiting there for another writer's commit would wait for ever on SQLite.
func (l *Log) Append(ctx context.Context, r Record) error {
	if l.opts.DB.InTx(ctx) {
		return l.AppendTx(ctx, []Record{r})
	}
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
	a := appender{log: l}
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
	log    *Log
	batch  []*waiting
	packed []byte
}

// commit takes first and whatever else is waiting, makes it durable in one row and answers everybody.
func (a *appender) commit(first *waiting) {
	a.gather(first)
	a.packed = pack(a.packed[:0], a.batch)
	// Nobody's context may interrupt a statement that others wait for. (The driver also starts a goroutine per statement
	// for a context that can end.)
	_, err := a.log.opts.DB.Writer().ExecContext(context.Background(), "INSERT INTO event_intake (id,data) VALUES (?,?)", a.log.opts.DB.NewID(), a.packed)
	if err != nil {
		err = fmt.Errorf("event: append: %w", err)
	} else {
		a.log.commits.Add(1)
		a.log.backlog.Add(int64(len(a.batch)))
		a.log.taken.Store(time.Now().UnixMilli())
	}
	for _, w := range a.batch {
		w.done <- err
	}
	a.log.Wake()
	if cap(a.packed) > maxBatchBytes { // a rare giant must not stay for good
		a.packed = nil
	}
}

// gather takes first and whatever else is on its way. Before each look it lets every goroutine run that can: a request
// that has arrived already shall share this disk sync instead of waiting for the next. When nobody else is ready, as with
// a lone push, this costs nothing.
func (a *appender) gather(first *waiting) {
	a.batch = append(a.batch[:0], first)
	size := len(first.row.sealed)
	for quiet := 0; quiet < gatherLooks && len(a.batch) < maxBatch && size < maxBatchBytes; {
		select {
		case w := <-a.log.incoming:
			a.batch = append(a.batch, w)
			size += len(w.row.sealed)
			quiet = 0
		default:
			quiet++
			runtime.Gosched()
		}
	}
}

func newOwner(id int64) string { return "log-" + strconv.FormatInt(id, 36) }
