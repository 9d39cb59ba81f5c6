// Package store opens the one relational database and hands down what rooms need of it: queries, transactions
// that travel in the context, ids, leases, migrations. It holds no table of a room's but leases.
// Domain rooms call it; only this package knows a dialect.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/gogf/gf/v2/database/gdb"
)

// Dialect names the kind of database.
type Dialect string

// The two dialects; MariaDB and TiDB speak MySQL.
const (
	SQLite Dialect = "sqlite"
	MySQL  Dialect = "mysql"
)

// Options say which database to open.
type Options struct {
	// Dialect is SQLite unless set.
	Dialect Dialect
	// Path is the database file of SQLite; its folder must exist.
	Path string
	// DSN is a go-sql-driver/mysql data source name without parameters of ours (user:pass@tcp(host:3306)/name).
	DSN string
	// Readers bounds SQLite's pool of readers, or MySQL's whole pool; 0 means 8.
	Readers int
}

// DB is an open database. Safe for concurrent use.
type DB struct {
	g       gdb.DB
	writer  *sql.DB
	reader  *sql.DB
	lite    *lite // SQLite only
	dialect Dialect
	admin   func() (*sql.DB, error)
	ids     *ids
	owner   string
	many    many
	scan    scanner
}

// Dialect tells the kind of database.
func (d *DB) Dialect() Dialect { return d.dialect }

// Writer is the pool that writes; in SQLite it has one connection, so never hold it while waiting for something else.
func (d *DB) Writer() *sql.DB { return d.writer }

// Reader is the pool that reads committed rows.
func (d *DB) Reader() *sql.DB { return d.reader }

// GoAdminPool opens GoAdmin's own small pool: in SQLite its transactions take the write lock at once and wait
// for it, so that its saves and the pushes' do not meet as "database is locked". The caller closes it.
func (d *DB) GoAdminPool() (*sql.DB, error) { return d.admin() }

// NewID makes a key for a new row.
func (d *DB) NewID() int64 { return d.ids.next(time.Now()) }

// Close closes the pools.
func (d *DB) Close() error {
	var err error
	if d.lite != nil {
		err = d.lite.close()
	}
	return errors.Join(err, d.reader.Close(), d.writer.Close())
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.reader.PingContext(ctx) }

// Tx runs f in a transaction that travels in the context; inside another Tx it joins that one. A transaction that MySQL
// breaks off for another one's sake (a deadlock) is run again, so f must not keep what an earlier run of it made.
func (d *DB) Tx(ctx context.Context, f func(ctx context.Context) error) error {
	if d.InTx(ctx) {
		return f(ctx)
	}
	return d.again(ctx, func() error {
		return d.g.Transaction(ctx, func(ctx context.Context, _ gdb.TX) error { return f(ctx) })
	})
}

// tries is how often a broken-off transaction is run at most. The waits between them are random and double up to longest,
// so that many who want the same rows come apart; together they stay below three seconds.
const (
	tries   = 16
	longest = 256 * time.Millisecond
)

// again repeats what the database broke off: nothing of it has happened.
func (d *DB) again(ctx context.Context, run func() error) error {
	for try := 1; ; try++ {
		err := run()
		if err == nil || try == tries || !brokenOff(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(rand.N(min(4*time.Millisecond<<try, longest)) + time.Millisecond):
		}
	}
}

// brokenOff knows MySQL's deadlock (1213) and lock wait (1205), and who asks for another run.
func brokenOff(err error) bool {
	var e *mysql.MySQLError
	return errors.Is(err, ErrAgain) || errors.As(err, &e) && (e.Number == 1213 || e.Number == 1205)
}

// InTx reports whether ctx carries a transaction of this database.
func (d *DB) InTx(ctx context.Context) bool { return gdb.TXFromCtx(ctx, d.g.GetGroup()) != nil }

// Exec runs a statement and returns how many rows it changed.
func (d *DB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	var res sql.Result
	run := func() (err error) {
		res, err = d.g.Exec(ctx, query, args...)
		return err
	}
	var err error
	if d.InTx(ctx) { // a statement's deadlock ends the whole transaction: Tx begins it again
		err = run()
	} else {
		err = d.again(ctx, run)
	}
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	return res.RowsAffected()
}

// Maps reads every row as column → value, for tables whose columns are known only at run time.
func (d *DB) Maps(ctx context.Context, query string, args ...any) ([]map[string]any, error) {
	rows, err := d.g.GetAll(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return rows.List(), nil
}

// Insert adds one row. A taken unique key gives an error for which Duplicate is true.
func (d *DB) Insert(ctx context.Context, table string, row map[string]any) error {
	query, args := insertSQL("INSERT INTO", table, row)
	_, err := d.Exec(ctx, query, args...)
	return err
}

// InsertIgnore adds one row unless a unique key is taken, and reports whether it was added.
func (d *DB) InsertIgnore(ctx context.Context, table string, row map[string]any) (bool, error) {
	verb := "INSERT OR IGNORE INTO"
	if d.dialect == MySQL {
		verb = "INSERT IGNORE INTO"
	}
	query, args := insertSQL(verb, table, row)
	n, err := d.Exec(ctx, query, args...)
	return n > 0, err
}

// Upsert adds one row or, when the unique key of keyCols is taken, replaces the other columns.
func (d *DB) Upsert(ctx context.Context, table string, row map[string]any, keyCols ...string) error {
	query, args := insertSQL("INSERT INTO", table, row)
	keys := map[string]bool{}
	for _, k := range keyCols {
		keys[k] = true
	}
	var sets []string
	for _, c := range columns(row) {
		if keys[c] || c == "id" || c == "created_at" {
			continue
		}
		if d.dialect == MySQL {
			sets = append(sets, "`"+c+"`=VALUES(`"+c+"`)")
		} else {
			sets = append(sets, "`"+c+"`=excluded.`"+c+"`")
		}
	}
	if d.dialect == MySQL {
		query += " ON DUPLICATE KEY UPDATE " + strings.Join(sets, ",")
	} else {
		query += " ON CONFLICT(`" + strings.Join(keyCols, "`,`") + "`) DO UPDATE SET " + strings.Join(sets, ",")
	}
	_, err := d.Exec(ctx, query, args...)
	return err
}

// Duplicate reports whether err says that a unique key is taken.
func Duplicate(err error) bool {
	if err == nil {
		return false
	}
	s := err.Error()
	return strings.Contains(s, "UNIQUE constraint failed") || strings.Contains(s, "Error 1062")
}

func columns(row map[string]any) []string {
	cols := make([]string, 0, len(row))
	for c := range row {
		cols = append(cols, c)
	}
	sort.Strings(cols)
	return cols
}

func insertSQL(verb, table string, row map[string]any) (string, []any) {
	cols := columns(row)
	args := make([]any, len(cols))
	for i, c := range cols {
		args[i] = row[c]
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(cols)), ",")
	return verb + " `" + table + "` (`" + strings.Join(cols, "`,`") + "`) VALUES (" + marks + ")", args
}
