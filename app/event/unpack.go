package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"minifleet/app/store"
)

// unpackBatches is how many batches one step looks at.
const unpackBatches = fanBatch / 8

// intake is one packed batch of event_intake.
type intake struct {
	id   int64
	rows []row
	bad  *damage // set instead of rows
}

// damage is something that was taken in and cannot be read.
type damage struct {
	reason string
	data   []byte
}

// unpackOnce moves the oldest packed batches into event_log: those of event_intake first, then those of the journal. It
// tells how many events that were.
func (l *Log) unpackOnce(ctx context.Context) (int, error) {
	n, err := l.unpackRows(ctx)
	if j := l.journal.Load(); j != nil && n == 0 && err == nil {
		n, err = l.unpackJournal(ctx, j, unpackBatches)
	}
	if err != nil {
		return 0, fmt.Errorf("event: unpack: %w", err)
	}
	return n, nil
}

// unpackRows moves the oldest batches of event_intake.
func (l *Log) unpackRows(ctx context.Context) (int, error) {
	batches, err := l.packed(ctx)
	if err != nil || len(batches) == 0 {
		return 0, err
	}
	raced := false
	return l.move(ctx, func(tx *sql.Tx) (rows []row, bad []damage, err error) {
		mine, err := claimIntake(ctx, tx, batches, raced)
		if err != nil {
			raced = errors.Is(err, store.ErrAgain)
			return nil, nil, err
		}
		for _, b := range mine {
			rows = append(rows, b.rows...)
			if b.bad != nil {
				bad = append(bad, *b.bad)
			}
		}
		return rows, bad, nil
	})
}

// move stores what claim took out of the intake, with the deliveries of all subscribers, in one transaction with claim:
// a crash leaves a batch either packed or unpacked. What is damaged is put aside. It tells how many of both there were.
func (l *Log) move(ctx context.Context, claim func(tx *sql.Tx) ([]row, []damage, error)) (int, error) {
	var woken map[string]bool
	var rows []row
	var bad []damage
	err := l.opts.DB.PlainTx(ctx, func(tx *sql.Tx) (err error) {
		if rows, bad, err = claim(tx); err != nil {
			return err
		}
		if err := l.putAside(ctx, tx, bad); err != nil {
			return err
		}
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
		return 0, err
	}
	for _, d := range bad {
		l.opts.Logger.ErrorContext(ctx, "pushes that were taken in cannot be read; they are put aside in event_intake_damaged", "reason", d.reason, "bytes", len(d.data))
	}
	// Another replica may unpack what this process took in, so the count is a hint, and never below zero.
	if l.backlog.Add(-int64(len(rows))) < 0 {
		l.backlog.Store(0)
	}
	l.subs.wake(woken)
	return len(rows) + len(bad), nil
}

// putAside keeps what is damaged for a person to look at.
func (l *Log) putAside(ctx context.Context, tx *sql.Tx, bad []damage) error {
	for _, d := range bad {
		data := d.data
		if data == nil {
			data = []byte{}
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO event_intake_damaged (id,found_at,reason,data) VALUES (?,?,?,?)",
			l.opts.DB.NewID(), time.Now().UnixMilli(), cut(d.reason, 480), data)
		if err != nil {
			return err
		}
	}
	return nil
}

// Waiting tells how many batches are taken in and not yet in the lists.
func (l *Log) Waiting(ctx context.Context) (int64, error) {
	n, err := l.opts.DB.Int(ctx, "SELECT COUNT(*) FROM event_intake")
	if err != nil {
		return 0, fmt.Errorf("event: count what waits: %w", err)
	}
	if j := l.journal.Load(); j != nil {
		n += int64(j.Len())
	}
	return n, nil
}

// Damaged tells how many batches were put aside because they could not be read.
func (l *Log) Damaged(ctx context.Context) (int64, error) {
	n, err := l.opts.DB.Int(ctx, "SELECT COUNT(*) FROM event_intake_damaged")
	if err != nil {
		return 0, fmt.Errorf("event: count what is damaged: %w", err)
	}
	return n, nil
}

// packed reads the oldest batches, up to about fanBatch events.
func (l *Log) packed(ctx context.Context) ([]intake, error) {
	rows, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT id,data FROM event_intake ORDER BY id LIMIT ?", unpackBatches)
	if err != nil {
		return nil, fmt.Errorf("read intake: %w", err)
	}
	defer rows.Close()
	var batches []intake
	for events := 0; events < fanBatch && rows.Next(); {
		var b intake
		var data []byte
		if err := rows.Scan(&b.id, &data); err != nil {
			return nil, fmt.Errorf("read intake: %w", err)
		}
		if b.rows, err = unpack(data); err != nil {
			b.bad = &damage{reason: fmt.Sprintf("row %d of event_intake: %v", b.id, err), data: data}
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
			err = store.ErrAgain
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

const insertColumns = "INSERT INTO event_log (id,type,source,component,appid,space_id,subject,url_kind,create_time,received_at,dedupe,payload,raw,fanned_out) VALUES "

const insertRow = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

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
	args := make([]any, 0, 14*len(rows))
	for _, r := range rows {
		state := fanDone // its deliveries are made in the same transaction
		if r.Inert {
			state = fanNever
		}
		args = append(args, r.ID, r.Type, r.Source, r.Component, r.AppID, r.SpaceID, r.Subject, r.URLKind,
			r.CreateTime, r.ReceivedAt, nullable(r.Dedupe), r.sealed, nullable(r.Raw), state)
	}
	_, err := tx.ExecContext(ctx, insertColumns+strings.TrimSuffix(strings.Repeat(insertRow+",", len(rows)), ","), args...)
	return err
}
