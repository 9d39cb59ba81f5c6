package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

type spaceRow struct {
	ID        int64
	Name      string
	Kind      string
	CreatedAt int64
}

func insertSpace(ctx context.Context, db *store.DB, id int64, name string) error {
	return db.Insert(ctx, "space", map[string]any{"id": id, "name": name, "kind": "personal", "created_at": int64(1)})
}

func TestOnlyTheOwnerOfTheProcessReadsTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil { // one that an earlier build left
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Options{Dialect: store.SQLite, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode != 0o600 {
			t.Errorf("%s has mode %o", filepath.Base(name), mode)
		}
	}
}

func TestRowsGoInAndComeOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		id := db.NewID()
		if err := insertSpace(ctx, db, id, "小店"); err != nil {
			t.Fatal(err)
		}
		if err := insertSpace(ctx, db, id, "again"); !store.Duplicate(err) {
			t.Fatalf("a taken key gave %v", err)
		}
		if added, err := db.InsertIgnore(ctx, "space", map[string]any{"id": id, "name": "x", "kind": "k", "created_at": 1}); err != nil || added {
			t.Fatalf("ignored insert: added=%v err=%v", added, err)
		}
		if err := db.Upsert(ctx, "space", map[string]any{"id": id, "name": "大店", "kind": "merchant", "created_at": 9}, "id"); err != nil {
			t.Fatal(err)
		}
		var got spaceRow
		found, err := db.One(ctx, &got, "SELECT * FROM space WHERE id=?", id)
		if err != nil || !found || got != (spaceRow{id, "大店", "merchant", 1}) {
			t.Fatalf("found=%v err=%v row=%+v", found, err, got)
		}
		var all []spaceRow
		if err := db.All(ctx, &all, "SELECT * FROM space"); err != nil || len(all) != 1 || all[0] != got {
			t.Fatalf("err=%v rows=%+v", err, all)
		}
		if found, err := db.One(ctx, &got, "SELECT * FROM space WHERE id=?", 7); err != nil || found {
			t.Fatalf("absent row: found=%v err=%v", found, err)
		}
	})
}

func TestATransactionIsWholeAndJoinsAnOuterOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		boom := errors.New("boom")
		err := db.Tx(ctx, func(ctx context.Context) error {
			if err := insertSpace(ctx, db, 1, "a"); err != nil {
				return err
			}
			return db.Tx(ctx, func(ctx context.Context) error {
				if err := insertSpace(ctx, db, 2, "b"); err != nil {
					return err
				}
				return boom
			})
		})
		if !errors.Is(err, boom) {
			t.Fatalf("got %v", err)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM space"); err != nil || n != 0 {
			t.Fatalf("%d rows left behind, err %v", n, err)
		}
	})
}

func TestALeaseHasOneHolderAndAGrowingFence(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		var wg sync.WaitGroup
		var mu sync.Mutex
		held := 0
		var first store.Lease
		for range 12 {
			wg.Go(func() {
				l, ok, err := db.Lease(ctx, "token:x", time.Minute)
				if err != nil {
					t.Error(err)
				}
				if ok {
					mu.Lock()
					held++
					first = l
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if held != 1 {
			t.Fatalf("%d holders at once", held)
		}
		if err := db.Release(ctx, first); err != nil {
			t.Fatal(err)
		}
		second, ok, err := db.Lease(ctx, "token:x", time.Minute)
		if err != nil || !ok || second.Fence <= first.Fence {
			t.Fatalf("after release: ok=%v err=%v fence %d then %d", ok, err, first.Fence, second.Fence)
		}
		if ok, err := db.Extend(ctx, first, time.Minute); err != nil || ok {
			t.Fatalf("a lost lease was extended: ok=%v err=%v", ok, err)
		}
	})
}

func TestIDsNeverRepeatAndGrow(t *testing.T) {
	db := storetest.Open(t)
	last := int64(0)
	for range 20_000 {
		id := db.NewID()
		if id <= last {
			t.Fatalf("%d after %d", id, last)
		}
		last = id
	}
}
