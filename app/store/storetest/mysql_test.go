package storetest

import (
	"os"
	"slices"
	"testing"
	"time"

	"minifleet/app/store"
)

// TestADatabaseIsUsedAgainAsGoodAsNew spoils one in every way a test can and takes the next.
func TestADatabaseIsUsedAgainAsGoodAsNew(t *testing.T) {
	server := os.Getenv("MINIFLEET_TEST_MYSQL")
	if server == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("MINIFLEET_TEST_MYSQL is not set: CI must run this on MariaDB")
		}
		t.Skip("MINIFLEET_TEST_MYSQL is not set")
	}
	tables := func(db *store.DB) (names []string) {
		var rows []struct{ Name string }
		if err := db.All(t.Context(), &rows, "SELECT table_name AS name FROM information_schema.tables WHERE table_schema=DATABASE() AND table_name NOT LIKE 'storetest%' ORDER BY 1"); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			names = append(names, row.Name)
		}
		return names
	}
	count := func(db *store.DB, table string) int64 {
		n, err := db.CountUpTo(t.Context(), "", 1000, table+" WHERE 1=1")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	spoil := map[string][]string{
		"rows":           {"INSERT INTO plugin_commit (plugin, idem_key, ids, created_at) VALUES ('a','b','[]',1)", "DELETE FROM goose_db_version"},
		"a table":        {"CREATE TABLE plugin_x_y (id BIGINT)", "INSERT INTO plugin_x_y VALUES (1)"},
		"another schema": {"ALTER TABLE plugin_commit ADD COLUMN more BIGINT"},
		"a lost index":   {"DROP INDEX plugin_commit_age ON plugin_commit"},
		"a lost table":   {"DROP TABLE plugin_commit"},
	}
	var first []string
	var versions int64
	t.Run("first", func(t *testing.T) {
		db := openMySQL(t, server)
		first, versions = tables(db), count(db, "goose_db_version")
	})
	for name, statements := range spoil {
		t.Run(name, func(t *testing.T) {
			db := openMySQL(t, server)
			for _, statement := range statements {
				if _, err := db.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
		})
		t.Run("after "+name, func(t *testing.T) {
			began := time.Now()
			db := openMySQL(t, server)
			t.Log(time.Since(began))
			if got := tables(db); !slices.Equal(got, first) {
				t.Errorf("tables are %v, were %v", got, first)
			}
			if n := count(db, "plugin_commit"); n != 0 {
				t.Errorf("%d rows are left", n)
			}
			if n := count(db, "goose_db_version"); n != versions {
				t.Errorf("%d versions, were %d", n, versions)
			}
			if _, err := db.Exec(t.Context(), "SELECT more FROM plugin_commit"); err == nil {
				t.Error("the added column is still there")
			}
		})
	}
	t.Run("two at once", func(t *testing.T) {
		a, b := openMySQL(t, server), openMySQL(t, server)
		if _, err := a.Exec(t.Context(), "INSERT INTO plugin_commit (plugin, idem_key, ids, created_at) VALUES ('a','b','[]',1)"); err != nil {
			t.Fatal(err)
		}
		if n := count(b, "plugin_commit"); n != 0 {
			t.Error("two tests have the same database")
		}
	})
}
