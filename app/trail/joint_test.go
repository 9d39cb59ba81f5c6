package trail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestEntriesRecordedAtOnceAllStandAndAreDurableBeforeTheirCallersGoOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		l := New(db, clock.Fixed(time.UnixMilli(1_790_000_000_000)))
		const callers, each = 40, 5
		var all sync.WaitGroup
		for c := range callers {
			all.Go(func() {
				for i := range each {
					e := Entry{ID: int64(c*each + i + 1), AccountID: int64(c%7 + 1), SpaceID: 3, Actor: fmt.Sprint("person ", c%7+1), Act: "wechat.x", AppID: "wx1", Detail: fmt.Sprint(i)}
					if err := l.Record(t.Context(), e); err != nil {
						t.Error(err)
						return
					}
					if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM trail WHERE id=?", e.ID); err != nil || n != 1 {
						t.Errorf("entry %d: %d rows when its caller went on, %v", e.ID, n, err)
					}
				}
			})
		}
		all.Wait()
		page, _, err := l.List(t.Context(), Filter{SpaceID: 3, Limit: 100})
		if err != nil || len(page) != 100 {
			t.Fatalf("%d entries, %v", len(page), err)
		}
		for _, e := range page {
			if e.Actor != fmt.Sprint("person ", e.AccountID) {
				t.Errorf("entry %d: %q by account %d", e.ID, e.Actor, e.AccountID)
			}
		}
		if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM trail"); err != nil || n != callers*each {
			t.Errorf("%d entries in all, %v", n, err)
		}
	})
}

// An entry that the database refuses takes no other with it, and its caller alone hears of it. A caller that has gone away
// does not break off the write of the others either.
func TestOneBadEntryTakesNoOtherWithIt(t *testing.T) {
	db := storetest.Open(t)
	l := New(db, clock.Fixed(time.UnixMilli(1_790_000_000_000)))
	if err := l.Record(t.Context(), Entry{ID: 1, Act: "first"}); err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	var all sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		all.Go(func() {
			ctx, id := gone, int64(100+i)
			if i%5 == 0 {
				id = 1 // taken
			}
			errs[i] = l.Record(ctx, Entry{ID: id, Act: "many"})
		})
	}
	all.Wait()
	for i, err := range errs {
		if refused := store.Duplicate(err); refused != (i%5 == 0) {
			t.Errorf("entry %d: %v", i, err)
		}
	}
	if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM trail WHERE act='many'"); err != nil || n != 16 {
		t.Errorf("%d entries, %v", n, err)
	}
}

// A name that was noted inside a transaction which came to nothing is noted again.
func TestANameOfATransactionThatFailedIsNotedLater(t *testing.T) {
	db := storetest.Open(t)
	l := New(db, clock.Fixed(time.UnixMilli(1_790_000_000_000)))
	entry := Entry{AccountID: 9, SpaceID: 4, Actor: "张三", Act: "x"}
	back := errors.New("back")
	if err := db.Tx(t.Context(), func(ctx context.Context) error {
		if err := l.Record(ctx, entry); err != nil {
			return err
		}
		return back
	}); !errors.Is(err, back) {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
	if err := l.Forget(t.Context(), 9, "已注销"); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), entry); err != nil { // the name was noted before, and is gone now
		t.Fatal(err)
	}
	page, _, err := l.List(t.Context(), Filter{SpaceID: 4, Limit: 10})
	if err != nil || len(page) != 2 {
		t.Fatalf("%d entries, %v", len(page), err)
	}
	for _, e := range page {
		if strings.Contains(e.Actor, "张三") || e.Actor != "已注销" {
			t.Errorf("%q", e.Actor)
		}
	}
}
