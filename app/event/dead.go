package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// DeadLetter is a delivery that was given up.
type DeadLetter struct {
	Row
	Subscriber string
	Attempts   int
	LastError  string
	GivenUpAt  int64 // unix milliseconds, wall time
}

// Key names a dead letter for a list and for ReplayDead.
func (d DeadLetter) Key() string { return strconv.FormatInt(d.ID, 10) + "-" + d.Subscriber }

// ParseDeadKey reads what Key wrote: the event's number and the subscriber.
func ParseDeadKey(key string) (DeadLetter, bool) {
	id, subscriber, found := strings.Cut(key, "-")
	n, err := strconv.ParseInt(id, 10, 64)
	if !found || err != nil || n <= 0 || subscriber == "" {
		return DeadLetter{}, false
	}
	return DeadLetter{Row: Row{ID: n}, Subscriber: subscriber}, true
}

// DeadFilter narrows DeadLetters. Zero fields do not narrow.
type DeadFilter struct {
	Component  string
	AppID      string
	Subscriber string
	Cursor     string // "" for the first page
	Limit      int    // 1 to 200, default 50
}

func (f DeadFilter) where() (string, []any) {
	from, args := "event_delivery d JOIN event_log e ON e.id=d.event_id WHERE d.state=?", []any{stateDead}
	for _, c := range []struct{ column, value string }{{"e.component", f.Component}, {"e.appid", f.AppID}, {"d.subscriber", f.Subscriber}} {
		if c.value != "" {
			from, args = from+" AND "+c.column+"=?", append(args, c.value)
		}
	}
	return from, args
}

// DeadLetters gives a page of deliveries that were given up, of the newest events first, and the cursor of the next one.
func (l *Log) DeadLetters(ctx context.Context, f DeadFilter) (list []DeadLetter, next string, err error) {
	if f.Limit <= 0 || f.Limit > 200 {
		f.Limit = 50
	}
	from, args := f.where()
	if f.Cursor != "" {
		// Several subscribers may have given up the same event, so the cursor is the delivery's own number.
		var at struct{ event, delivery int64 }
		if n, err := fmt.Sscanf(f.Cursor, "%d-%d", &at.event, &at.delivery); err != nil || n != 2 {
			return nil, "", ErrCursor
		}
		from, args = from+" AND (d.event_id<? OR d.event_id=? AND d.id<?)", append(args, at.event, at.event, at.delivery)
	}
	res, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT e.id,e.type,e.source,e.component,e.appid,e.space_id,e.subject,e.url_kind,e.create_time,e.received_at,e.fanned_out,d.id,d.subscriber,d.attempts,d.last_error,d.updated_at FROM "+
		from+" ORDER BY d.event_id DESC, d.id DESC LIMIT ?", append(args, f.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("event: dead letters: %w", err)
	}
	defer res.Close()
	last := int64(0)
	for res.Next() {
		var d DeadLetter
		var id int64
		d.Row, err = scanRow(res.Scan, &id, &d.Subscriber, &d.Attempts, &d.LastError, &d.GivenUpAt)
		if err != nil {
			return nil, "", fmt.Errorf("event: dead letters: %w", err)
		}
		if len(list) == f.Limit {
			next = fmt.Sprintf("%d-%d", list[f.Limit-1].ID, last)
			break
		}
		d.State, last = StateDead, id
		list = append(list, d)
	}
	return list, next, res.Err()
}

// CountDead counts dead letters exactly to TotalMost and gives -1 beyond.
func (l *Log) CountDead(ctx context.Context, f DeadFilter) (int64, error) {
	from, args := f.where()
	n, err := l.opts.DB.CountUpTo(ctx, "", TotalMost, from, args...)
	if err != nil {
		return 0, fmt.Errorf("event: count dead letters: %w", err)
	}
	return n, nil
}

// replayStep is how many events one transaction of a replay of many takes.
const replayStep = 100

// Replayed tells what came of a replay of many.
type Replayed struct {
	Done    int // queued again
	Skipped int // gone, or stored without effect
}

// ReplayMany replays events that are named by their ids, for one subscriber or all. An event that is gone or inert is
// skipped. It stops at the first error; what was done before stays done.
func (l *Log) ReplayMany(ctx context.Context, ids []int64, subscriber string) (Replayed, error) {
	return l.replayEach(ctx, len(ids), func(tx *sql.Tx, known map[string]interest, i int, woken map[string]bool) error {
		return l.replayOne(ctx, tx, known, ids[i], subscriber, woken)
	})
}

// ReplayDead replays dead letters: each goes to the subscriber that gave it up and to nobody else.
func (l *Log) ReplayDead(ctx context.Context, letters []DeadLetter) (Replayed, error) {
	return l.replayEach(ctx, len(letters), func(tx *sql.Tx, known map[string]interest, i int, woken map[string]bool) error {
		return l.replayOne(ctx, tx, known, letters[i].ID, letters[i].Subscriber, woken)
	})
}

func (l *Log) replayEach(ctx context.Context, n int, one func(tx *sql.Tx, known map[string]interest, i int, woken map[string]bool) error) (total Replayed, err error) {
	for from := 0; from < n; from += replayStep {
		var step Replayed
		woken := map[string]bool{}
		err := l.opts.DB.PlainTx(ctx, func(tx *sql.Tx) error {
			step = Replayed{}
			known, err := knownSubscribers(ctx, tx)
			if err != nil {
				return err
			}
			for i := from; i < min(n, from+replayStep); i++ {
				err := one(tx, known, i, woken)
				switch {
				case errors.Is(err, ErrNotFound), errors.Is(err, ErrInert):
					step.Skipped++
				case err != nil:
					return err
				default:
					step.Done++
				}
			}
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("event: replay many: %w", err)
		}
		total.Done, total.Skipped = total.Done+step.Done, total.Skipped+step.Skipped
		l.subs.wake(woken)
	}
	l.Wake()
	return total, nil
}
