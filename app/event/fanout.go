package event

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"minifleet/app/store"
)

// fanBatch is how many events one transaction unpacks or fans out: few enough that a push never waits long for the one
// writer.
const fanBatch = 128

// fanPause is the least time between two steps of the dispatcher while events keep coming. A lone event is fanned out at
// once.
const fanPause = 20 * time.Millisecond

// fanBurst is the pause instead while more pours in than one step takes: then the writer belongs to the pushes, because
// WeChat waits for its answer and nobody waits for a delivery.
const fanBurst = 500 * time.Millisecond

// fanBacklog is how many records may wait before the dispatcher works without pause. Up to this burst, pushes are
// answered at full speed; beyond, they share the writer, which slows the senders down to what can be dispatched.
const fanBacklog = 20_000

// idle is the due time of a queue without pending deliveries: it sorts behind every real one.
const idle = int64(1) << 62

// Values of event_log.fanned_out.
const (
	fanWaiting = 0 // deliveries are still to be made
	fanDone    = 1 // every subscriber has its delivery
	fanNever   = 2 // inert: kept and shown only
)

// States of a delivery.
const (
	statePending = 0
	stateDone    = 1
	stateDead    = 2
)

// fanLoop unpacks what was taken in, and makes the delivery rows of every event that has none yet. It looks for rows that
// are there, never behind a cursor: ids that commit out of order are found whenever they appear.
func (l *Log) fanLoop(ctx context.Context) error {
	poll := time.NewTicker(l.opts.Poll)
	defer poll.Stop()
	for {
		if err := l.retakeJournal(ctx); err != nil && ctx.Err() == nil {
			l.opts.Logger.ErrorContext(ctx, "event intake journal cannot be opened, will be tried again", "error", err)
		}
		more, full, err := l.fanOnce(ctx)
		if err != nil && ctx.Err() == nil {
			l.opts.Logger.ErrorContext(ctx, "event fan-out failed, will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(l.fanWait(more, full)):
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-l.fan:
		case <-poll.C:
		}
	}
}

// fanWait is the pause after a step of the dispatcher.
func (l *Log) fanWait(more, full bool) time.Duration {
	pouring := time.Now().UnixMilli()-l.taken.Load() < fanPause.Milliseconds()
	switch {
	case !pouring, more && l.backlog.Load() > fanBacklog:
		return 0
	case full:
		return fanBurst
	default:
		return fanPause
	}
}

// fanOnce does one step of each kind. It tells whether it found something, so that another look is worth while, and
// whether that was as much as one step takes.
func (l *Log) fanOnce(ctx context.Context) (more, full bool, err error) {
	unpacked, err := l.unpackOnce(ctx)
	if err != nil {
		return false, false, err
	}
	n, err := l.fanOut(ctx)
	return unpacked > 0 || n == fanBatch, unpacked >= fanBatch || n == fanBatch, err
}

type fanned struct {
	id               int64
	typ, comp, appid string
}

func (f fanned) queue() string { return f.comp + "|" + f.appid }

// fanOut takes one batch: it claims the events by flipping their flag, and makes their deliveries in the same
// transaction, so that a crash leaves neither half.
func (l *Log) fanOut(ctx context.Context) (int, error) {
	events, err := l.unfanned(ctx)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	var woken map[string]bool
	oneByOne := false
	err = l.opts.DB.PlainTx(ctx, func(tx *sql.Tx) error {
		known, err := knownSubscribers(ctx, tx)
		if err != nil {
			return err
		}
		mine, err := claim(ctx, tx, events, oneByOne)
		if err != nil {
			oneByOne = errors.Is(err, store.ErrAgain)
			return err
		}
		woken, err = l.addDeliveries(ctx, tx, mine, known)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("event: fan out: %w", err)
	}
	l.subs.wake(woken)
	return len(events), nil
}

func (l *Log) unfanned(ctx context.Context) ([]fanned, error) {
	rows, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT id,type,component,appid FROM event_log WHERE fanned_out=0 ORDER BY id LIMIT ?", fanBatch)
	if err != nil {
		return nil, fmt.Errorf("event: find new events: %w", err)
	}
	defer rows.Close()
	var out []fanned
	for rows.Next() {
		var f fanned
		if err := rows.Scan(&f.id, &f.typ, &f.comp, &f.appid); err != nil {
			return nil, fmt.Errorf("event: find new events: %w", err)
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

// claim flips the flags and gives the events that were still unflipped: another replica may have been faster. All at
// once is the quick way; when that finds somebody else's traces, one by one tells which are ours.
func claim(ctx context.Context, tx *sql.Tx, events []fanned, oneByOne bool) ([]fanned, error) {
	size := len(events)
	if oneByOne {
		size = 1
	}
	var mine []fanned
	for chunk := range slices.Chunk(events, size) {
		args := []any{fanDone}
		for _, e := range chunk {
			args = append(args, e.id)
		}
		res, err := tx.ExecContext(ctx, "UPDATE event_log SET fanned_out=? WHERE fanned_out=0 AND id IN ("+marks(len(chunk))+")", args...)
		if err != nil {
			return nil, err
		}
		switch n, err := res.RowsAffected(); {
		case err != nil:
			return nil, err
		case int(n) == len(chunk):
			mine = append(mine, chunk...)
		case !oneByOne:
			return nil, store.ErrAgain
		}
	}
	return mine, nil
}

func knownSubscribers(ctx context.Context, tx *sql.Tx) (map[string]interest, error) {
	rows, err := tx.QueryContext(ctx, "SELECT name,types,component,appids FROM event_subscriber")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]interest{}
	for rows.Next() {
		var name, types, appids string
		var i interest
		if err := rows.Scan(&name, &types, &i.component, &appids); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(types), &i.types); err != nil {
			return nil, fmt.Errorf("types of %s: %w", name, err)
		}
		if appids != "" {
			if err := json.Unmarshal([]byte(appids), &i.appids); err != nil {
				return nil, fmt.Errorf("mini programs of %s: %w", name, err)
			}
		}
		known[name] = i
	}
	return known, rows.Err()
}

type queueKey struct{ subscriber, queue string }

// addDeliveries inserts the rows of all subscribers of events and makes their queues due. It names whom to wake.
func (l *Log) addDeliveries(ctx context.Context, tx *sql.Tx, events []fanned, known map[string]interest) (map[string]bool, error) {
	now := time.Now().UnixMilli()
	var args []any
	var keys []queueKey
	seen, woken := map[queueKey]bool{}, map[string]bool{}
	for _, e := range events {
		for name, wants := range known {
			if !wants.takes(e) {
				continue
			}
			args = append(args, l.opts.DB.NewID(), e.id, name, e.queue(), statePending, 0, "", now)
			k := queueKey{name, e.queue()}
			if !seen[k] {
				seen[k] = true
				keys = append(keys, k)
			}
			woken[name] = true
		}
	}
	const width, chunk = 8, 100
	for len(args) > 0 {
		n := min(len(args), width*chunk)
		values := strings.TrimSuffix(strings.Repeat("(?,?,?,?,?,?,?,?),", n/width), ",")
		_, err := tx.ExecContext(ctx, "INSERT INTO event_delivery (id,event_id,subscriber,queue,state,attempts,last_error,updated_at) VALUES "+values, args[:n]...)
		if err != nil {
			return nil, err
		}
		args = args[n:]
	}
	for _, k := range keys {
		if err := touchQueue(ctx, tx, k, now, false); err != nil {
			return nil, err
		}
	}
	return woken, nil
}

// touchQueue tells a queue that it has something new. An idle one becomes due; one that backs off keeps its time unless
// now is forced. The version moves, so that a worker about to call the queue empty notices.
func touchQueue(ctx context.Context, tx *sql.Tx, k queueKey, now int64, force bool) error {
	least := idle
	if force {
		least = 0
	}
	for range 2 {
		res, err := tx.ExecContext(ctx, "UPDATE event_queue SET version=version+1, due_at=CASE WHEN due_at>=? THEN ? ELSE due_at END WHERE subscriber=? AND queue=?",
			least, now, k.subscriber, k.queue)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO event_queue (subscriber,queue,version,due_at,lease_until,owner) VALUES (?,?,1,?,0,'')", k.subscriber, k.queue, now)
		if !store.Duplicate(err) {
			return err
		}
	}
	return store.ErrAgain
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }
