package storetest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/store"
)

// A fresh MariaDB takes seconds to migrate and as long to drop, so databases are used again: each test takes one that nobody
// holds, by a lock that ends with its connection, however that ends, and brings it to where the migrations left it. The server
// is the only place that knows them, so test processes share them.

const (
	sumTable   = "storetest_sum"  // one row: what the schema was after the migrations
	basePrefix = "storetest_row_" // copies of the tables that had rows then
	poolMost   = 200
)

func openMySQL(t testing.TB, server string) *store.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	admin, err := sql.Open("mysql", server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	held, err := admin.Conn(ctx) // its lock is ours until the test ends
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	name, err := take(ctx, held)
	if err != nil {
		t.Fatal(err)
	}
	options := store.Options{Dialect: store.MySQL, DSN: strings.TrimSuffix(server, "/") + "/" + name}
	p := pooled{held, name}
	sound, err := p.restore(ctx)
	if err != nil {
		t.Fatalf("bring %s back: %v", name, err)
	}
	if sound {
		return migrated(t, options)
	}
	if err := p.run(ctx, "DROP DATABASE IF EXISTS "+name, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"); err != nil {
		t.Fatal(err)
	}
	db := migrated(t, options)
	if err := p.remember(ctx); err != nil {
		t.Fatalf("note the schema of %s: %v", name, err)
	}
	return db
}

// take gives the name of a database that no test uses. It is part of the name which migrations were run.
func take(ctx context.Context, held *sql.Conn) (string, error) {
	sum, err := migrationsSum()
	if err != nil {
		return "", err
	}
	for n := range poolMost {
		name := fmt.Sprintf("mf_%s_%d", sum, n)
		var got sql.NullInt64
		if err := held.QueryRowContext(ctx, "SELECT GET_LOCK(?, 0)", name).Scan(&got); err != nil {
			return "", err
		}
		if got.Int64 == 1 {
			return name, nil
		}
	}
	return "", fmt.Errorf("all %d databases are held", poolMost)
}

func migrationsSum() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	files, err := filepath.Glob(filepath.Join(filepath.Dir(here), "..", "migrations", "*", "*.sql"))
	if err != nil || len(files) == 0 {
		return "", errors.Join(err, errors.New("no migrations beside the test"))
	}
	hash := sha256.New()
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(hash, filepath.Base(file), len(raw))
		hash.Write(raw)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// pooled is one database of the pool.
type pooled struct {
	held *sql.Conn
	name string
}

func (p pooled) run(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := p.held.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func (p pooled) texts(ctx context.Context, query string, args ...any) (all []string, err error) {
	rows, err := p.held.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func (p pooled) tables(ctx context.Context) ([]string, error) {
	return p.texts(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema=? ORDER BY table_name", p.name)
}

// schema is what makes two schemas the same: tables, columns, indexes.
func (p pooled) schema(ctx context.Context) (string, error) {
	columns, err := p.texts(ctx, "SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_default) FROM information_schema.columns WHERE table_schema=? AND table_name NOT LIKE 'storetest%' ORDER BY 1", p.name)
	if err != nil {
		return "", err
	}
	indexes, err := p.texts(ctx, "SELECT CONCAT_WS(' ', table_name, index_name, non_unique, seq_in_index, column_name) FROM information_schema.statistics WHERE table_schema=? AND table_name NOT LIKE 'storetest%' ORDER BY 1", p.name)
	sum := sha256.Sum256([]byte(strings.Join(append(columns, indexes...), "\n")))
	return hex.EncodeToString(sum[:]), err
}

// filled lists the tables that have rows.
func (p pooled) filled(ctx context.Context, tables []string) ([]string, error) {
	if len(tables) == 0 {
		return nil, nil
	}
	parts := make([]string, len(tables))
	for i, table := range tables {
		parts[i] = fmt.Sprintf("(SELECT '%s' FROM %s.`%s` LIMIT 1)", table, p.name, table)
	}
	return p.texts(ctx, strings.Join(parts, " UNION ALL "))
}

// remember notes what a later test is to find.
func (p pooled) remember(ctx context.Context) error {
	tables, err := p.tables(ctx)
	if err != nil {
		return err
	}
	filled, err := p.filled(ctx, tables)
	if err != nil {
		return err
	}
	for _, table := range filled {
		copied := p.name + ".`" + basePrefix + table + "`"
		if err := p.run(ctx, "CREATE TABLE "+copied+" LIKE "+p.name+".`"+table+"`", "INSERT INTO "+copied+" SELECT * FROM "+p.name+".`"+table+"`"); err != nil {
			return err
		}
	}
	sum, err := p.schema(ctx)
	if err != nil {
		return err
	}
	return p.run(ctx, "CREATE TABLE "+p.name+"."+sumTable+" (tables_ TEXT, sum_ CHAR(64))",
		"INSERT INTO "+p.name+"."+sumTable+" VALUES ('"+strings.Join(tables, ",")+"','"+sum+"')")
}

// restore empties what tests filled and removes what they made. It says no when there is no such database yet, or when a test
// changed its schema.
func (p pooled) restore(ctx context.Context) (bool, error) {
	tables, err := p.tables(ctx)
	if err != nil || !slices.Contains(tables, sumTable) {
		return false, err
	}
	var known, sum string
	if err := p.held.QueryRowContext(ctx, "SELECT tables_, sum_ FROM "+p.name+"."+sumTable).Scan(&known, &sum); err != nil {
		return false, err
	}
	var own, base []string
	for _, table := range tables {
		switch {
		case strings.HasPrefix(table, basePrefix):
			base = append(base, strings.TrimPrefix(table, basePrefix))
		case table == sumTable:
		case slices.Contains(strings.Split(known, ","), table):
			own = append(own, table)
		default:
			if err := p.run(ctx, "DROP TABLE "+p.name+".`"+table+"`"); err != nil {
				return false, err
			}
		}
	}
	if now, err := p.schema(ctx); err != nil || now != sum {
		return false, err
	}
	filled, err := p.filled(ctx, own)
	if err != nil {
		return false, err
	}
	for _, table := range filled {
		if err := p.run(ctx, "TRUNCATE TABLE "+p.name+".`"+table+"`"); err != nil {
			return false, err
		}
	}
	for _, table := range base {
		if err := p.run(ctx, "INSERT INTO "+p.name+".`"+table+"` SELECT * FROM "+p.name+".`"+basePrefix+table+"`"); err != nil {
			return false, err
		}
	}
	return true, nil
}
