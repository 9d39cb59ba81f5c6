package event

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"minifleet/app/event/journal"
	"minifleet/app/store"
)

// journalSuffix makes the folder's name out of the database file's: they belong together and move together.
const journalSuffix = ".intake"

// settleTime bounds how long the end of Run goes on unpacking.
const settleTime = 3 * time.Second

// takeJournal opens the journal beside an SQLite file, when nobody else has it, and takes over what earlier runs left
// there. Until it succeeds, and beside another database, batches go into event_intake. Only the process that holds the
// journal reads it, so each batch is unpacked once.
func (l *Log) takeJournal(ctx context.Context) error {
	if l.opts.DB.Dialect() != store.SQLite {
		return nil
	}
	file, err := l.opts.DB.File(ctx)
	if err != nil || file == "" {
		return err
	}
	o := l.journalOptions
	o.Report = func(err error) { l.opts.Logger.ErrorContext(ctx, "event intake journal", "error", err) }
	j, err := journal.Open(file+journalSuffix, o)
	switch {
	case errors.Is(err, journal.ErrLocked), errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return fmt.Errorf("event: %w", err)
	}
	if err := l.adoptRuns(ctx, j); err != nil {
		return errors.Join(fmt.Errorf("event: take over the intake journal: %w", err), j.Close())
	}
	l.tending.Go(func() { j.Tend(ctx) })
	l.journal.Store(j)
	l.Wake()
	return nil
}

// inherit frees the queues that an earlier run held when it died, so that a crash does not hold up their events until the
// leases run out. Whoever has the journal is, beside SQLite, the one that serves; should another one deliver on the side, it
// notices that its lease is gone, and the event in its hands may come twice, as after any crash.
func (l *Log) inherit(ctx context.Context) error {
	if l.journal.Load() == nil {
		return nil
	}
	_, err := l.opts.DB.Exec(ctx, "UPDATE event_queue SET lease_until=0, owner='' WHERE lease_until>0 AND owner<>?", l.owner)
	if err != nil {
		return fmt.Errorf("event: free queues: %w", err)
	}
	return nil
}

// retakeJournal tries again to take the journal, every Poll, for as long as somebody else has it.
func (l *Log) retakeJournal(ctx context.Context) error {
	if l.journal.Load() != nil || time.Since(l.tried) < l.opts.Poll {
		return nil
	}
	l.tried = time.Now()
	return l.takeJournal(ctx)
}

// adoptRuns compares what is in the journal with what the database knows of it, and makes this run known.
func (l *Log) adoptRuns(ctx context.Context, j *journal.Journal) error {
	known, newest, err := l.journalRuns(ctx)
	if err != nil {
		return err
	}
	log := l.opts.Logger
	onDisk := map[string]bool{}
	for _, run := range j.Earlier() {
		onDisk[run] = true
		unpacked, ok := known[run]
		if !ok {
			batches, err := j.SetAside(run)
			log.ErrorContext(ctx, "the intake journal belongs to another state of this database: its batches are put aside and not delivered",
				"folder", j.Dir(), "run", run, "batches", batches)
			if err != nil {
				return err
			}
			continue
		}
		if missing := j.Adopt(run, uint64(unpacked)); missing > 0 {
			log.ErrorContext(ctx, "batches are missing in the intake journal; those behind them are delivered", "folder", j.Dir(), "run", run, "missing", missing)
		}
	}
	if newest != "" && !onDisk[newest] && known[newest] > 0 {
		log.WarnContext(ctx, "the database was moved without its intake journal: what was answered shortly before may be missing", "folder", j.Dir(), "run", newest)
	}
	return l.opts.DB.Tx(ctx, func(ctx context.Context) error {
		for run := range known {
			if onDisk[run] {
				continue
			}
			if _, err := l.opts.DB.Exec(ctx, "DELETE FROM event_journal WHERE id=?", run); err != nil {
				return err
			}
		}
		return l.opts.DB.Insert(ctx, "event_journal", map[string]any{"id": j.ID(), "started_at": time.Now().UnixMilli(), "unpacked": 0})
	})
}

// journalRuns tells the highest unpacked batch of each run of the journal that this database has seen, and the newest run.
func (l *Log) journalRuns(ctx context.Context) (known map[string]int64, newest string, err error) {
	rows, err := l.opts.DB.Reader().QueryContext(ctx, "SELECT id,unpacked FROM event_journal ORDER BY started_at")
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	known = map[string]int64{}
	for rows.Next() {
		var unpacked int64
		if err := rows.Scan(&newest, &unpacked); err != nil {
			return nil, "", err
		}
		known[newest] = unpacked
	}
	return known, newest, rows.Err()
}

// leaveJournal unpacks what is left, as far as time allows, and gives the journal back. When nothing is left the database
// stands for itself and forgets the journal.
func (l *Log) leaveJournal() error {
	j := l.journal.Load()
	if j == nil {
		return nil
	}
	l.tending.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), settleTime)
	defer cancel()
	for n, err := 1, error(nil); n > 0 && j.Len() > 0; {
		if n, err = l.unpackOnce(ctx); err != nil {
			l.opts.Logger.WarnContext(ctx, "what was taken in last is unpacked at the next start", "error", err)
			break
		}
	}
	empty := j.Len() == 0
	if err := j.Close(); err != nil || !empty {
		return err
	}
	if _, err := l.opts.DB.Exec(ctx, "DELETE FROM event_journal"); err != nil {
		return fmt.Errorf("event: leave the intake journal: %w", err)
	}
	return nil
}

// unpackJournal moves the oldest batches of the journal into event_log, with their deliveries and the number of the last
// one, in one transaction: a crash before it leaves them in the journal, one after it leaves a number that says so.
func (l *Log) unpackJournal(ctx context.Context, j *journal.Journal, most int) (int, error) {
	pending := j.Pending(most)
	var rows []row
	var bad []damage
	taken := 0
	for _, b := range pending {
		data, err := j.Read(b)
		var more []row
		if err == nil {
			more, err = unpack(data)
		} else {
			j.Keep(b)
		}
		if err != nil {
			bad = append(bad, damage{reason: fmt.Sprintf("batch %d of run %s: %v", b.Seq, b.Run, err), data: data})
		}
		rows = append(rows, more...)
		if taken++; len(rows) >= fanBatch {
			break
		}
	}
	if taken == 0 {
		return 0, nil
	}
	last := pending[taken-1]
	n, err := l.move(ctx, func(tx *sql.Tx) ([]row, []damage, error) {
		n, err := affected(tx.ExecContext(ctx, "UPDATE event_journal SET unpacked=? WHERE id=? AND unpacked<?", int64(last.Seq), last.Run, int64(last.Seq)))
		if err == nil && n != 1 {
			err = fmt.Errorf("batch %d of run %s is unknown to this database", last.Seq, last.Run)
		}
		return rows, bad, err
	})
	if err != nil {
		return 0, err
	}
	j.Release(taken)
	return n, nil
}
