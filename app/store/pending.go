package store

import (
	"context"
	"fmt"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Pending tells how many migrations of this build the database has not had yet. It changes no table of a room's.
func (d *DB) Pending(ctx context.Context) (int, error) {
	files, err := migrationFiles(d.dialect)
	if err != nil {
		return 0, err
	}
	dialect := database.DialectSQLite3
	if d.dialect == MySQL {
		dialect = database.DialectMySQL
	}
	p, err := goose.NewProvider(dialect, d.writer, files, goose.WithAllowOutofOrder(true))
	if err != nil {
		return 0, fmt.Errorf("store: migrations: %w", err)
	}
	all, err := p.Status(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: migrations: %w", err)
	}
	n := 0
	for _, m := range all {
		if m.State == goose.StatePending {
			n++
		}
	}
	return n, nil
}

// ServerTime asks the database what time it is, in Unix milliseconds; false for SQLite, which has no clock of its own.
func (d *DB) ServerTime(ctx context.Context) (int64, bool, error) {
	if d.dialect != MySQL {
		return 0, false, nil
	}
	ms, err := d.Int(ctx, "SELECT CAST(UNIX_TIMESTAMP(NOW(3))*1000 AS SIGNED)")
	return ms, true, err
}
