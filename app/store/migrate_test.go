package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// TestASchemaGoesBackAndForthAgain takes the newer migrations back and brings them once more: whoever rolls a release back
// and forward must not end at an index that is there already.
func TestASchemaGoesBackAndForthAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		files := t.TempDir()
		for _, dir := range []string{"common", string(db.Dialect())} {
			names, err := filepath.Glob("migrations/" + dir + "/*.sql")
			if err != nil || len(names) == 0 {
				t.Fatal(names, err)
			}
			for _, name := range names {
				body, err := os.ReadFile(name)
				if err == nil {
					err = os.WriteFile(filepath.Join(files, filepath.Base(name)), body, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		dialect := database.DialectSQLite3
		if db.Dialect() == store.MySQL {
			dialect = database.DialectMySQL
		}
		p, err := goose.NewProvider(dialect, db.Writer(), os.DirFS(files))
		if err != nil {
			t.Fatal(err)
		}
		if down, err := p.DownTo(t.Context(), 681); err != nil || len(down) < 3 {
			t.Fatalf("%d down, %v", len(down), err)
		}
		if up, err := p.Up(t.Context()); err != nil || len(up) < 3 {
			t.Fatalf("%d up, %v", len(up), err)
		}
	})
}
