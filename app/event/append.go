package event

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Bounds of what one commit takes in: enough to share a disk sync, small enough for one packet of any database.
const (
	maxBatch      = 256
	maxBatchBytes = 4 << 20
)

// What gather goes by. Senders who wait for their answer before they push again come back together; a batch that leaves
// before most of them are back pays for a disk sync that few share, and one that waits for all leaves nobody to work
// while the disk does. Below smallCrowd a push never waits for others, and above it no longer than patience.
const (
	smallCrowd = 8
	patience   = 2 * time.Millisecond
)

// quorum is how many of a crowd are waited for.
func quorum(crowd int) int {
	if crowd < smallCrowd {
		return 1
	}
	return crowd * 3 / 4
}

// batch is what is committed together. Its senders wait for done and then read err.
type batch struct {
	packed []byte
	count  int
	done   chan struct{}
	err    error
}

func (b *batch) full() bool { return b.count >= maxBatch || len(b.packed) >= maxBatchBytes }

// Append makes r durable and returns only then. Records that arrive together share one commit. A record whose Dedupe is
// already there is dropped when it is unpacked, and success for its sender all the same. When ctx ends first its error
// comes back, and the record may or may not have been stored.
//
// Inside a store transaction, and for an event that others led to, it is AppendTx: waiting there for another writer's commit would wait for ever on SQLite.
func (l *Log) Append(ctx context.Context, r Record) error {
	if l.opts.DB.InTx(ctx) || r.Hops != 0 { // what others arrive with is packed, where no push has any
		return l.AppendTx(ctx, []Record{r})
	}
	prepared, err := l.prepare(r)
	if err != nil {
		return err
	}
	b, err := l.join(&prepared)
	if err != nil {
		return err
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("event: append %s: %w", r.Type, ctx.Err())
	}
}

// join adds a row to the batch that is committed next.
func (l *Log) join(r *row) (*batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return nil, ErrStopped
	}
	var b *batch
	if n := len(l.batches); n > 0 && !l.batches[n-1].full() {
		b = l.batches[n-1]
	} else {
		b = &batch{done: make(chan struct{}), packed: l.buffer[:0]}
		l.buffer = nil
		l.batches = append(l.batches, b)
	}
	b.packed = packRow(b.packed, r)
	b.count++
	if b.count == 1 {
		signal(l.arrived)
	}
	if b.count == l.quorum || b.full() {
		signal(l.enough)
	}
	return b, nil
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
		"dedupe": nullable(r.Dedupe), "payload": r.sealed, "raw": nullable(r.Raw), "fanned_out": r.fan(), "hops": r.Hops,
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
	for {
		select {
		case <-l.arrived:
			l.commitAll()
		case <-ctx.Done():
			l.mu.Lock()
			l.stopped = true
			l.mu.Unlock()
			l.commitAll()
			return nil
		}
	}
}

// commitAll commits one batch after the other until none is left.
func (l *Log) commitAll() {
	for {
		b := l.gather()
		if b == nil {
			return
		}
		l.commit(b)
	}
}

// commit makes a batch durable and answers everybody in it.
func (l *Log) commit(b *batch) {
	if err := l.store(packHead(b.count), b.packed); err != nil {
		b.err = fmt.Errorf("event: append: %w", err)
	} else {
		l.commits.Add(1)
		l.backlog.Add(int64(b.count))
		l.taken.Store(time.Now().UnixMilli())
	}
	close(b.done)
	l.Wake()
	l.mu.Lock()
	crowd := b.count
	for _, waiting := range l.batches {
		crowd += waiting.count
	}
	l.crowd = max(crowd, l.crowd-1)
	if cap(b.packed) <= 1<<20 { // nobody reads it any more, and a rare giant must not stay for good
		l.buffer = b.packed
	}
	l.mu.Unlock()
}

// store makes a packed batch durable: in the journal when this process holds it, else as one row of event_intake.
func (l *Log) store(head, packed []byte) error {
	if j := l.journal.Load(); j != nil {
		return j.Append(head, packed)
	}
	// Nobody's context may interrupt a statement that others wait for. (The driver also starts a goroutine per statement
	// for a context that can end.)
	_, err := l.opts.DB.Writer().ExecContext(context.Background(), "INSERT INTO event_intake (id,data) VALUES (?,?)",
		l.opts.DB.NewID(), slices.Concat(head, packed))
	return err
}

// gather takes the oldest batch, nil when there is none, after enough of those who pushed together lately have come back.
func (l *Log) gather() *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.batches) == 0 {
		return nil
	}
	b := l.batches[0]
	if l.quorum = quorum(l.crowd); b.count < l.quorum && !b.full() && !l.stopped {
		select { // what an earlier gathering was told
		case <-l.enough:
		default:
		}
		l.mu.Unlock()
		timer := time.NewTimer(patience)
		select {
		case <-l.enough:
		case <-timer.C:
		}
		timer.Stop()
		l.mu.Lock()
		if b.count < l.quorum { // they went away
			l.crowd = b.count
		}
	}
	l.batches = slices.Delete(l.batches, 0, 1)
	return b
}

// signal leaves a word in a channel that holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func newOwner(id int64) string { return "log-" + strconv.FormatInt(id, 36) }
