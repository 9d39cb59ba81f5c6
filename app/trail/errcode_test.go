package trail_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

func TestRefusalsAreCountedByCodeSinceAMoment(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, now := context.Background(), time.UnixMilli(1_790_000_000_000)
		clk := clock.Fixed(now)
		l := trail.New(db, clk)
		for code, times := range map[int]int{-1: 1, 0: 5, 61007: 3, 85009: 2} {
			for range times {
				if err := l.Record(ctx, trail.Entry{Act: "wechat.x", ErrCode: code}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := l.Record(ctx, trail.Entry{Act: "wechat.x", ErrCode: 61007, At: now.Add(-25 * time.Hour).UnixMilli()}); err != nil {
			t.Fatal(err)
		}
		if err := l.Record(ctx, trail.Entry{Act: "wechat.x", ErrCode: 40001, At: now.Add(-25 * time.Hour).UnixMilli()}); err != nil {
			t.Fatal(err)
		}
		got, err := l.ErrCodes(ctx, now.Add(-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if want := []trail.ErrCount{{Code: -1, N: 1}, {Code: 61007, N: 3}, {Code: 85009, N: 2}}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}
