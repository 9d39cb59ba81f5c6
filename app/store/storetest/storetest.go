// Package storetest opens fresh migrated databases for tests: SQLite always, and MariaDB when
// MINIFLEET_TEST_MYSQL names a server (user:password@tcp(127.0.0.1:port)/), as `make test` sets it.
package storetest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"minifleet/app/store"
)

// Open returns a fresh migrated SQLite database that ends with the test.
func Open(t testing.TB) *store.DB {
	t.Helper()
	return migrated(t, store.Options{Dialect: store.SQLite, Path: filepath.Join(t.TempDir(), "test.db")})
}

// Each runs f as a subtest for every database at hand, so that one suite serves both.
func Each(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t)) })
	server := os.Getenv("MINIFLEET_TEST_MYSQL")
	if server == "" {
		if os.Getenv("CI") != "" {
			t.Error("MINIFLEET_TEST_MYSQL is not set: CI must run the suite on MariaDB too")
		}
		return
	}
	t.Run("mysql", func(t *testing.T) { f(t, openMySQL(t, server)) })
}

// EachB is Each for benchmarks: MariaDB only where there is one.
func EachB(b *testing.B, f func(b *testing.B, db *store.DB)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { f(b, Open(b)) })
	if server := os.Getenv("MINIFLEET_TEST_MYSQL"); server != "" {
		b.Run("mysql", func(b *testing.B) { f(b, openMySQL(b, server)) })
	}
}

func migrated(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := store.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	return db
}
