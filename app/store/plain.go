package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// ErrAgain, returned by a transaction's function, rolls it back and runs it again: it found that another process had done
// part of the work first.
var ErrAgain = errors.New("store: run the transaction again")

// PlainTx is Tx for hot paths: f gets the database/sql transaction itself, which does not travel in the context. What the
// database breaks off is run again as with Tx, so f must not keep what an earlier run of it made.
func (d *DB) PlainTx(ctx context.Context, f func(tx *sql.Tx) error) error {
	return d.again(ctx, func() error {
		tx, err := d.writer.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		return tx.Commit()
	})
}

// File is the path of SQLite's database file, for what has to lie beside it; "" for any other database.
func (d *DB) File(ctx context.Context) (string, error) {
	if d.dialect != SQLite {
		return "", nil
	}
	var file string
	err := d.reader.QueryRowContext(ctx, "SELECT file FROM pragma_database_list WHERE name='main'").Scan(&file)
	if err != nil {
		return "", fmt.Errorf("store: path of the database: %w", err)
	}
	return file, nil
}
