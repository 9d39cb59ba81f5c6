package trail_test

import (
	"strings"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

func TestEntriesComeBackNewestFirstAndPageByPage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
		l := trail.New(db, clk)
		ctx := trail.WithRequestID(t.Context(), "req-1")
		for i := range 5 {
			e := trail.Entry{SpaceID: int64(1 + i%2), Act: "wxa.commit", AppID: "wxa", Actor: "王五", Detail: strings.Repeat("长", 5000)}
			if i == 4 {
				e.Outcome, e.ErrCode, e.RID = trail.Failed, 85009, "r-1"
			}
			if err := l.Record(ctx, e); err != nil {
				t.Fatal(err)
			}
		}
		first, next, err := l.List(ctx, trail.Filter{AppID: "wxa", Limit: 3})
		if err != nil || len(first) != 3 || next == 0 {
			t.Fatalf("%d entries, next %d, err %v", len(first), next, err)
		}
		if e := first[0]; e.ErrCode != 85009 || e.RID != "r-1" || e.RequestID != "req-1" || e.At != 1_760_000_000_000 || e.AppID != "wxa" {
			t.Fatalf("newest entry: %+v", e)
		}
		rest, next, err := l.List(ctx, trail.Filter{AppID: "wxa", Limit: 3, Cursor: next})
		if err != nil || len(rest) != 2 || next != 0 {
			t.Fatalf("second page: %d entries, next %d, err %v", len(rest), next, err)
		}
		mine, _, err := l.List(ctx, trail.Filter{SpaceID: 2})
		if err != nil || len(mine) != 2 {
			t.Fatalf("space 2 has %d entries, err %v", len(mine), err)
		}
		if n, err := l.Count(ctx, trail.Filter{}); err != nil || n != 5 {
			t.Fatalf("counted %d, err %v", n, err)
		}
		// From the other end: the oldest first, what one space did and what was done for it together.
		if err := l.Record(ctx, trail.Entry{SpaceID: 1, Act: "wxa.commit", AppID: "wxa", BehalfSpaceID: 2, Behalf: "客户"}); err != nil {
			t.Fatal(err)
		}
		f := trail.Filter{SpaceID: 2, Behalf: true, Oldest: true, Limit: 2}
		last, next, err := l.List(ctx, f)
		if err != nil || len(last) != 2 || last[0].ID >= last[1].ID || next != last[1].ID {
			t.Fatalf("the end: %+v, next %d, err %v", last, next, err)
		}
		f.Cursor = next
		newer, next, err := l.List(ctx, f)
		if err != nil || len(newer) != 1 || newer[0].ID <= last[1].ID || newer[0].BehalfSpaceID != 2 || next != 0 {
			t.Fatalf("before the end: %+v, next %d, err %v", newer, next, err)
		}
	})
}
