package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"minifleet/app/store"
)

// intake is one packed batch.
type intake struct {
	id   int64
	rows []row
}

// unpackOnce moves the oldest packed batches into event_log, with the deliveries of all subscribers, in one transaction:
// a crash leaves a batch either packed or unpacked. It tells how many events that were.
func (l *Log) unpackOnce(ctx context.Context) (int, error) {
	batches, err := l.packed(ctx)
	if err != nil || len(batches) == 0 {
		return 0, err
	}
	var woken map[string]bool
	var moved int64
	oneByOne := false
	err = l.inTx(ctx, func(tx *sql.Tx) error {
		mine, err := claimIntake(ctx, tx, batches, oneByOne)
		if err != nil {
			oneByOne = errors.Is(err, errRaced)
			return err
		}
		var rows []row
		for _, b := range mine {
			rows = append(rows, b.rows...)
		}
		moved = int64(len(rows))
		known, err := knownSubscribers(ctx, tx)
		if err != nil {
			return err
		}
		stored, err := l.insertRows(ctx, tx, rows)
		if err != nil {
			return err
		}
		woken, err = l.addDeliveries(ctx, tx, stored, known)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("event: unpack: %w", err)
	}
	// Another replica may unpack what this process took in, so the count is a hint, and never below zero.
	if l.backlog.Add(-moved) < 0 {
		l.backlog.Store(0)
	}
	l.subs.wake(woken)
	return int(moved), nil
}

// packed reads the oldest batches, up to about fanBatch events.
func (l *Log) packed(ctx context.Context) ([]intake, error) {
	rows, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT id,data FROM event_intake ORDER BY id LIMIT ?", fanBatch/8)
	if err != nil {
		return nil, fmt.Errorf("event: read intake: %w", err)
	}
	defer rows.Close()
	var batches []intake
	for events := 0; events < fanBatch && rows.Next(); {
		var b intake
		var data []byte
		if err := rows.Scan(&b.id, &data); err != nil {
			return nil, fmt.Errorf("event: read intake: %w", err)
		}
		if b.rows, err = unpack(data); err != nil {
			return nil, fmt.Errorf("event: intake %d: %w", b.id, err)
		}
		events += len(b.rows)
		batches = append(batches, b)
	}
	return batches, rows.Err()
}

// claimIntake deletes the packed rows and gives those that were still there: another replica may have been faster.
func claimIntake(ctx context.Context, tx *sql.Tx, batches []intake, oneByOne bool) ([]intake, error) {
	if !oneByOne {
		args := make([]any, len(batches))
		for i, b := range batches {
			args[i] = b.id
		}
		n, err := affected(tx.ExecContext(ctx, "DELETE FROM event_intake WHERE id IN ("+marks(len(args))+")", args...))
		if err == nil && int(n) != len(batches) {
			err = errRaced
		}
		return batches, err
	}
	var mine []intake
	for _, b := range batches {
		n, err := affected(tx.ExecContext(ctx, "DELETE FROM event_intake WHERE id=?", b.id))
		if err != nil {
			return nil, err
		}
		if n == 1 {
			mine = append(mine, b)
		}
	}
	return mine, nil
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

const insertColumns = "INSERT INTO event_log (id,type,source,component,appid,space_id,subject,url_kind,create_time,received_at,dedupe,payload,fanned_out) VALUES "

const insertRow = "(?,?,?,?,?,?,?,?,?,?,?,?,?)"

// insertChunk is how many rows share a statement. More is slower: the SQLite driver looks each parameter up in the list
// of all.
const insertChunk = 12

// insertRows stores rows, without those whose dedupe key is taken, and gives the ones that are to be delivered.
func (l *Log) insertRows(ctx context.Context, tx *sql.Tx, rows []row) ([]fanned, error) {
	var stored []fanned
	for len(rows) > 0 {
		n := min(len(rows), insertChunk)
		chunk := rows[:n]
		rows = rows[n:]
		err := insertMany(ctx, tx, chunk)
		switch {
		case err == nil:
			stored = appendFanned(stored, chunk...)
			continue
		case !store.Duplicate(err):
			return nil, err
		}
		// Somebody in the chunk is a repetition. Both databases undo the one statement and keep the transaction.
		for _, r := range chunk {
			err := insertMany(ctx, tx, []row{r})
			if store.Duplicate(err) && !strings.Contains(err.Error(), "dedupe") {
				r.ID = l.opts.DB.NewID() // two replicas may draw the same id; nobody knows this one yet
				err = insertMany(ctx, tx, []row{r})
			}
			switch {
			case err == nil:
				stored = appendFanned(stored, r)
			case store.Duplicate(err) && strings.Contains(err.Error(), "dedupe"):
			default:
				return nil, err
			}
		}
	}
	return stored, nil
}

func appendFanned(list []fanned, rows ...row) []fanned {
	for _, r := range rows {
		if !r.Inert {
			list = append(list, fanned{r.ID, r.Type, r.Component, r.AppID})
		}
	}
	return list
}

func insertMany(ctx context.Context, tx *sql.Tx, rows []row) error {
	args := make([]any, 0, 13*len(rows))
	for _, r := range rows {
		state := fanDone // its deliveries are made in the same transaction
		if r.Inert {
			state = fanNever
		}
		args = append(args, r.ID, r.Type, r.Source, r.Component, r.AppID, r.SpaceID, r.Subject, r.URLKind,
			r.CreateTime, r.ReceivedAt, nullable(r.Dedupe), r.sealed, state)
	}
	_, err := tx.ExecContext(ctx, insertColumns+strings.TrimSuffix(strings.Repeat(insertRow+",", len(rows)), ","), args...)
	return err
}
