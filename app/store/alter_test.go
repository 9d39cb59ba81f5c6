package store_test

import (
	"strings"
	"testing"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestTablesAreAlteredOnBothDatabases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		for _, query := range []string{
			"CREATE TABLE altered (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(5) NOT NULL DEFAULT '', extra BIGINT NOT NULL DEFAULT 0)",
			"CREATE UNIQUE INDEX altered_extra ON altered (extra)",
			"INSERT INTO altered (id, name, extra) VALUES (1, 'short', 7)",
		} {
			if _, err := db.Exec(ctx, query); err != nil {
				t.Fatal(err)
			}
		}
		for _, size := range []int{40, 0} { // wider, then any length
			if err := db.WidenText(ctx, "altered", "name", size); err != nil {
				t.Fatal(err)
			}
			length := 500
			if size > 0 {
				length = size
			}
			if _, err := db.Exec(ctx, "UPDATE altered SET name=?", strings.Repeat("长", length)); err != nil {
				t.Errorf("%d characters: %v", length, err)
			}
		}
		for range 2 { // the second time there is nothing left to remove
			if err := db.DropIndex(ctx, "altered", "altered_extra"); err != nil {
				t.Errorf("drop index: %v", err)
			}
			if err := db.DropColumn(ctx, "altered", "extra"); err != nil {
				t.Errorf("drop column: %v", err)
			}
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM altered WHERE id=1"); err != nil || n != 1 {
			t.Errorf("the row is gone: %d, %v", n, err)
		}
		if _, err := db.Exec(ctx, "UPDATE altered SET extra=1"); err == nil {
			t.Error("the column is still there")
		}
	})
}
