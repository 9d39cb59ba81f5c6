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
	// goose's own Status reads a time that our MySQL connections give as text: the table is asked directly.
	var rows []struct{ VersionID int64 }
	if err := d.All(ctx, &rows, "SELECT version_id FROM goose_db_version WHERE is_applied=1"); err != nil {
		return 0, fmt.Errorf("store: migrations: %w", err)
	}
	had := map[int64]bool{}
	for _, r := range rows {
		had[r.VersionID] = true
	}
	n := 0
	for _, m := range p.ListSources() {
		if !had[m.Version] {
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
