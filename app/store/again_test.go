package store_test

import (
	"context"
	"sync"
	"testing"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// Transactions that lock the same two rows in opposite order deadlock on MySQL; each of them must come through.
func TestDeadlocksAreRunAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		for id := range int64(2) {
			if err := insertSpace(ctx, db, id+1, "0"); err != nil {
				t.Fatal(err)
			}
		}
		const rounds = 40
		var wg sync.WaitGroup
		for _, order := range [][2]int64{{1, 2}, {2, 1}, {1, 2}, {2, 1}} {
			wg.Go(func() {
				for range rounds {
					err := db.Tx(ctx, func(ctx context.Context) error {
						for _, id := range order {
							if _, err := db.Exec(ctx, "UPDATE space SET created_at=created_at+1 WHERE id=?", id); err != nil {
								return err
							}
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if n, err := db.Int(ctx, "SELECT MIN(created_at) FROM space"); err != nil || n != 1+4*rounds {
			t.Fatalf("counted to %d, want %d: %v", n, 1+4*rounds, err)
		}
	})
}
