package event

import (
	"context"
	"fmt"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestRatesAreCountedOnceAndEqualTheList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		manual := l.opts.Clock.(*clock.Manual)
		run(t, l)
		began := manual.Now()
		for i := range 40 {
			must(t, l.Append(ctx, record("wxa", fmt.Sprint(i))))
			manual.Advance(time.Minute)
		}
		await(t, "fan-out", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log WHERE fanned_out>0") == 40 })
		if n, err := l.CountRates(ctx); err != nil || n < 2 {
			t.Fatalf("counted %d buckets, error %v", n, err)
		}
		if n, err := l.CountRates(ctx); err != nil || n != 0 {
			t.Fatalf("counted again: %d, error %v", n, err)
		}
		rates, err := l.Rates(ctx, began)
		must(t, err)
		var sum int64
		for _, r := range rates {
			rows, _, err := l.List(ctx, Filter{From: r.At, To: r.At + RateBucket.Milliseconds(), Limit: 200})
			must(t, err)
			if int64(len(rows)) != r.N {
				t.Errorf("bucket %d says %d, the list has %d", r.At, r.N, len(rows))
			}
			sum += r.N
		}
		if last := rates[len(rates)-1].At + RateBucket.Milliseconds(); sum == 0 || last > manual.Now().UnixMilli() {
			t.Errorf("sum %d, last bucket ends %d, now %d", sum, last, manual.Now().UnixMilli())
		}
		manual.Advance(RateBucket + time.Minute)
		if n, err := l.CountRates(ctx); err != nil || n == 0 {
			t.Errorf("later: %d, %v", n, err)
		}
		if n, err := l.PruneRates(ctx, manual.Now()); err != nil || n < 3 {
			t.Errorf("pruned %d, %v", n, err)
		}
	})
}
