package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// Migrate brings the schema to this build's version. Replicas that start together take turns by a lease.
func (d *DB) Migrate(ctx context.Context) error {
	// The lease table comes before any migration, since the migrations themselves are under a lease.
	_, err := d.Exec(ctx, "CREATE TABLE IF NOT EXISTS lease (name VARCHAR(190) NOT NULL PRIMARY KEY, owner VARCHAR(80) NOT NULL, lease_until BIGINT NOT NULL, fence BIGINT NOT NULL)")
	if err != nil {
		return err
	}
	lease, err := d.awaitLease(ctx, "migrate", 2*time.Minute)
	if err != nil {
		return err
	}
	files, err := migrationFiles(d.dialect)
	if err != nil {
		return err
	}
	dialect := database.DialectSQLite3
	if d.dialect == MySQL {
		dialect = database.DialectMySQL
	}
	p, err := goose.NewProvider(dialect, d.writer, files, goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("store: migrations: %w", err)
	}
	_, err = p.Up(ctx)
	return errors.Join(err, d.Release(ctx, lease))
}

func (d *DB) awaitLease(ctx context.Context, name string, ttl time.Duration) (Lease, error) {
	for {
		l, ok, err := d.Lease(ctx, name, ttl)
		if err != nil || ok {
			return l, err
		}
		select {
		case <-ctx.Done():
			return l, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// migrationFiles lays the common migrations and the dialect's own into one folder, as goose wants them.
func migrationFiles(d Dialect) (fs.FS, error) {
	all := fstest.MapFS{}
	for _, dir := range []string{"common", string(d)} {
		names, err := fs.Glob(migrations, "migrations/"+dir+"/*.sql")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			body, err := migrations.ReadFile(name)
			if err != nil {
				return nil, err
			}
			all[path.Base(name)] = &fstest.MapFile{Data: body, Mode: 0o444}
		}
	}
	return all, nil
}
