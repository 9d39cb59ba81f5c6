package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Replay delivers an event again, to one subscriber or, when it is "", to all that take its type. It waits its turn in
// the queue like a new one, and its attempts start from zero. Errors: ErrNotFound (also for a subscriber that does not
// take the type), ErrInert.
func (l *Log) Replay(ctx context.Context, id int64, subscriber string) error {
	woken := map[string]bool{}
	err := l.opts.DB.PlainTx(ctx, func(tx *sql.Tx) error {
		known, err := knownSubscribers(ctx, tx)
		if err != nil {
			return err
		}
		return l.replayOne(ctx, tx, known, id, subscriber, woken)
	})
	if err != nil {
		return fmt.Errorf("event: replay %d: %w", id, err)
	}
	l.subs.wake(woken)
	l.Wake()
	return nil
}

func (l *Log) replayOne(ctx context.Context, tx *sql.Tx, known map[string]interest, id int64, subscriber string, woken map[string]bool) error {
	e := fanned{id: id}
	var fannedOut int
	err := tx.QueryRowContext(ctx, "SELECT type,component,appid,fanned_out FROM event_log WHERE id=?", id).Scan(&e.typ, &e.comp, &e.appid, &fannedOut)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case err != nil:
		return err
	case fannedOut == fanNever:
		return ErrInert
	case fannedOut == fanWaiting:
		return nil // its first delivery is still to come
	}
	found := subscriber == ""
	for name, wants := range known {
		if (subscriber == "" || subscriber == name) && wants.takes(e) {
			if err := l.replayTo(ctx, tx, e, name); err != nil {
				return err
			}
			found, woken[name] = true, true
		}
	}
	if !found {
		return ErrNotFound
	}
	return nil
}

func (l *Log) replayTo(ctx context.Context, tx *sql.Tx, e fanned, subscriber string) error {
	// A handler that is at this event now acknowledges the delivery it read, not the one that is asked for here.
	now, delivery := time.Now().UnixMilli(), l.opts.DB.NewID()
	res, err := tx.ExecContext(ctx, "UPDATE event_delivery SET id=?, state=0, attempts=0, last_error='', updated_at=? WHERE event_id=? AND subscriber=?", delivery, now, e.id, subscriber)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		_, err = tx.ExecContext(ctx, "INSERT INTO event_delivery (id,event_id,subscriber,queue,state,attempts,last_error,updated_at) VALUES (?,?,?,?,0,0,'',?)",
			delivery, e.id, subscriber, e.queue(), now)
		if err != nil {
			return err
		}
	}
	return touchQueue(ctx, tx, queueKey{subscriber, e.queue()}, now, true)
}

// Prune removes events received before the given time (unix milliseconds, platform time) for which nothing is pending,
// with their deliveries, dead letters included. It works in small steps so that appending goes on, and tells how many
// events went.
func (l *Log) Prune(ctx context.Context, before int64) (int64, error) {
	var total int64
	for {
		n, err := l.pruneStep(ctx, before)
		total += n
		if err != nil {
			return total, fmt.Errorf("event: prune: %w", err)
		}
		if n == 0 {
			break
		}
	}
	if _, err := l.opts.DB.Exec(ctx, "DELETE FROM event_intake_damaged WHERE found_at<?", before); err != nil {
		return total, fmt.Errorf("event: prune what is damaged: %w", err)
	}
	_, err := l.opts.DB.Exec(ctx, "DELETE FROM event_queue WHERE due_at=? AND lease_until<? AND NOT EXISTS (SELECT 1 FROM event_delivery d WHERE d.subscriber=event_queue.subscriber AND d.queue=event_queue.queue)",
		idle, time.Now().UnixMilli())
	if err != nil {
		return total, fmt.Errorf("event: prune queues: %w", err)
	}
	return total, nil
}

const pruneStep = 200

func (l *Log) pruneStep(ctx context.Context, before int64) (int64, error) {
	rows, err := l.opts.DB.Reader().QueryContext(ctx, `SELECT id FROM event_log WHERE received_at<? AND fanned_out<>0
AND NOT EXISTS (SELECT 1 FROM event_delivery d WHERE d.event_id=event_log.id AND d.state=0) ORDER BY id LIMIT ?`, before, pruneStep)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var ids []any
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil || len(ids) == 0 {
		return 0, err
	}
	var n int64
	err = l.opts.DB.PlainTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM event_delivery WHERE event_id IN ("+marks(len(ids))+")", ids...); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, "DELETE FROM event_log WHERE id IN ("+marks(len(ids))+")", ids...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}
