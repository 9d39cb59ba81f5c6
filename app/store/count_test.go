package store_test

import (
	"testing"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestRowsAreCountedExactlyUpToABound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		count := func(want int64) {
			t.Helper()
			if n, err := db.CountUpTo(ctx, "", 3, "space WHERE kind=?", "personal"); err != nil || n != want {
				t.Fatalf("counted %d, want %d: %v", n, want, err)
			}
		}
		count(0)
		for id := range int64(5) {
			if err := insertSpace(ctx, db, id+1, "x"); err != nil {
				t.Fatal(err)
			}
			if id < 3 {
				count(id + 1)
			} else {
				count(-1)
			}
		}
		if n, err := db.CountUpTo(ctx, "", 3, "space WHERE kind=?", "merchant"); err != nil || n != 0 {
			t.Fatalf("another question got %d: %v", n, err)
		}
		if n, err := db.CountUpTo(ctx, "", 10, "space WHERE kind=?", "personal"); err != nil || n != 5 {
			t.Fatalf("another bound got %d: %v", n, err)
		}
	})
}
