package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func openLiteTest(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db"), Readers: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, s := range []string{"CREATE TABLE kinds (id BIGINT PRIMARY KEY, name VARCHAR(20), body TEXT, raw LONGBLOB, half DOUBLE, gone BIGINT)", `INSERT INTO kinds VALUES (1,'甲','{"a":1}',x'00ff',1.5,NULL),(2,'','',x'','2',7)`} {
		if _, err := db.writer.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// What the keeping connections read is what the driver reads.
func TestKeptStatementsReadWhatTheDriverReads(t *testing.T) {
	db := openLiteTest(t)
	type row struct {
		ID   int64
		Name string
		Body []byte
		Raw  []byte
		Half float64
		Gone *int64
	}
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{"SELECT * FROM kinds ORDER BY id", nil},
		{"SELECT * FROM kinds WHERE id IN (?) AND name<>? ORDER BY id LIMIT ?", []any{1, 2, "乙", 5}},
		{"SELECT * FROM kinds WHERE gone IS ? OR raw=? ORDER BY id DESC", []any{nil, []byte{}}},
		{"SELECT COUNT(*) AS id, MAX(half) AS half, 'x' AS name FROM kinds WHERE id>? AND ?", []any{0, true}},
	} {
		query := strings.Replace(q.sql, "IN (?)", "IN (?,?)", 1)
		var kept, driver []row
		rows, err := db.lite.query(t.Context(), query, q.args)
		if err == nil {
			err = errors.Join(db.scan.all(rows, &kept), rows.Close())
		}
		if err != nil {
			t.Fatalf("%s: %v", q.sql, err)
		}
		if rows, err = db.reader.QueryContext(t.Context(), query, q.args...); err == nil {
			err = errors.Join(db.scan.all(rows, &driver), rows.Close())
		}
		if err != nil {
			t.Fatalf("%s: %v", q.sql, err)
		}
		if a, b := asJSON(t, kept), asJSON(t, driver); a != b || len(kept) == 0 {
			t.Errorf("%s gave\n%s, the driver\n%s", q.sql, a, b)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestReadsSeeWhatWasWrittenAndForgetOldStatements(t *testing.T) {
	db := openLiteTest(t)
	for i := range 3 * maxPrepared {
		n, err := db.Int(t.Context(), fmt.Sprintf("SELECT COUNT(*)+%d FROM kinds", i))
		if err != nil || n != int64(i)+2 {
			t.Fatal(n, err)
		}
	}
	if len(db.lite.idle) != 1 || len(db.lite.idle[0].known) != maxPrepared || db.lite.idle[0].order.Len() != maxPrepared {
		t.Errorf("%d connections, %d statements kept", len(db.lite.idle), len(db.lite.idle[0].known))
	}
	if _, err := db.writer.ExecContext(t.Context(), "INSERT INTO kinds (id) VALUES (9)"); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Int(t.Context(), "SELECT COUNT(*)+299 FROM kinds"); err != nil || n != 302 {
		t.Errorf("a statement that was kept does not see the new row: %d %v", n, err)
	}
	if _, err := db.writer.ExecContext(t.Context(), "ALTER TABLE kinds ADD COLUMN late BIGINT NOT NULL DEFAULT 4"); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Int(t.Context(), "SELECT SUM(late) FROM kinds"); err != nil || n != 12 {
		t.Errorf("after a change of the table: %d %v", n, err)
	}
}

func TestAStarIsReadAnewWhenTheTableChanges(t *testing.T) {
	db := openLiteTest(t)
	type row struct{ ID, Late int64 }
	var rows []row
	const all = "SELECT * FROM kinds ORDER BY id"
	if err := db.All(t.Context(), &rows, all); err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	if _, err := db.writer.ExecContext(t.Context(), "ALTER TABLE kinds ADD COLUMN late BIGINT NOT NULL DEFAULT 4"); err != nil {
		t.Fatal(err)
	}
	if err := db.All(t.Context(), &rows, all); err != nil || len(rows) != 2 || rows[1].Late != 4 {
		t.Errorf("the kept statement reads the old columns: %+v %v", rows, err)
	}
}

func TestAReadEndsWithItsContext(t *testing.T) {
	db := openLiteTest(t)
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer stop()
	const endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT COUNT(*) FROM c"
	if _, err := db.Int(ctx, endless); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an endless query ended with %v", err)
	}
	if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM kinds"); err != nil || n != 2 {
		t.Errorf("its connection is not good for the next: %d %v", n, err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	if _, err := db.Int(gone, "SELECT 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("a read of somebody who left: %v", err)
	}
}

func TestMistakesOfAQueryAreTold(t *testing.T) {
	db := openLiteTest(t)
	for query, args := range map[string][]any{
		"SELECT nothing FROM kinds": nil, "SELECT 1; SELECT 2": nil, "SELECT id FROM kinds WHERE id=?": nil, "SELECT id FROM kinds": {1},
		"DELETE FROM kinds": nil, "SELECT id FROM kinds WHERE id=? ": {struct{}{}},
	} {
		if n, err := db.Int(t.Context(), query, args...); err == nil {
			t.Errorf("%s gave %d", query, n)
		}
	}
	if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM kinds"); err != nil || n != 2 {
		t.Errorf("a reader has written: %d %v", n, err)
	}
	if len(db.lite.slots) != 0 {
		t.Errorf("%d connections were not given back", len(db.lite.slots))
	}
	rows, err := db.Query(t.Context(), "SELECT id, name, gone FROM kinds ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	var name string
	var gone sql.NullInt64
	if !rows.Next() || rows.Scan(&id, &name) == nil || rows.Scan(&id, &name, &gone) != nil || id != 1 || name != "甲" || gone.Valid {
		t.Error(id, name, gone)
	}
	if err := rows.Scan(&id, &name, new(bool)); err == nil {
		t.Error("a destination that is not known is taken")
	}
	if err := errors.Join(rows.Close(), rows.Close()); err != nil {
		t.Error(err)
	}
}

func TestManyReadersShareFewConnections(t *testing.T) {
	db := openLiteTest(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			for range 20 {
				if n, err := db.Int(t.Context(), "SELECT id FROM kinds WHERE id=? LIMIT ?", 1+i%2, 1); err != nil || n != int64(1+i%2) {
					t.Errorf("reader %d: %d %v", i, n, err)
				}
			}
		})
	}
	all.Wait()
	if len(db.lite.idle) > 3 {
		t.Errorf("%d connections", len(db.lite.idle))
	}
}

func TestAClosedDatabaseReadsNothing(t *testing.T) {
	db, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "x.db")})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.Query(t.Context(), "SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), rows.Close()); err != nil {
		t.Error(err)
	}
	if _, err := db.Int(t.Context(), "SELECT 1"); !errors.Is(err, errReaderClosed) {
		t.Errorf("after Close: %v", err)
	}
}
