package event

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
)

// errRaced says that another replica did part of the work first; the transaction starts again with fresh eyes.
var errRaced = errors.New("event: raced with another replica")

// inTx runs f in one write transaction and repeats it after deadlocks and races. f must not keep what it made before
// its last run.
func (l *Log) inTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	var err error
	for try := range 5 {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(try*try) * 5 * time.Millisecond):
			}
		}
		if err = l.once(ctx, f); err == nil || !transient(err) {
			return err
		}
	}
	return err
}

func (l *Log) once(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := l.opts.DB.Writer().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// transient knows the errors of a database that ask for another try: deadlock and lock wait of MySQL, a busy SQLite.
func transient(err error) bool {
	if errors.Is(err, errRaced) {
		return true
	}
	s := err.Error()
	for _, sign := range []string{"Error 1213", "Error 1205", "database is locked", "SQLITE_BUSY"} {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return false
}
