package store_test

import (
	"testing"
	"time"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestAMigratedDatabaseHasNothingPending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if n, err := db.Pending(t.Context()); err != nil || n != 0 {
			t.Fatalf("%d pending, %v", n, err)
		}
		if _, err := db.Exec(t.Context(), "DELETE FROM goose_db_version WHERE version_id=633"); err != nil {
			t.Fatal(err)
		}
		if n, err := db.Pending(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d pending after one was taken back, %v", n, err)
		}
		ms, has, err := db.ServerTime(t.Context())
		if err != nil || has != (db.Dialect() == store.MySQL) {
			t.Fatalf("%v %v", has, err)
		}
		if d := time.Since(time.UnixMilli(ms)).Abs(); has && d > time.Minute {
			t.Fatalf("the server's time is %v away", d)
		}
	})
}
