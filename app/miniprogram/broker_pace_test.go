package miniprogram_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// Two replicas share one bound, and many callers at once do not get past it.
func TestTheBrokersBoundHoldsAcrossReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := authtest.New(t, db)
		settles(t, w, []string{"return", "push"})
		var wall atomic.Int64
		wall.Store(1_790_000_040) // a whole minute
		replicas := []*miniprogram.Service{}
		for range 2 {
			replicas = append(replicas, w.Replica(miniprogram.Options{PublicURL: w.Public, PCHost: w.Sim.URL, H5Host: w.Sim.URL, Wall: func() time.Time { return time.Unix(wall.Load(), 0) }}))
		}
		owner := authtest.User(1)
		owner.Scopes, owner.TokenID = []string{miniprogram.PermissionToken}, 5
		burst := func(n int) (given, refused int64) {
			var ok, late atomic.Int64
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					_, err := replicas[i%2].HandOut(t.Context(), owner, "", authtest.ShopID)
					switch {
					case err == nil:
						ok.Add(1)
					case fault.KindOf(err) == fault.TooMany && fault.From(err).RetryAfter > 0 && fault.From(err).RetryAfter <= time.Minute:
						late.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			all.Wait()
			return ok.Load(), late.Load()
		}
		if given, refused := burst(50); given != 30 || refused != 20 {
			t.Fatalf("%d given, %d refused", given, refused)
		}
		other := owner
		other.TokenID = 6
		if _, err := replicas[0].HandOut(t.Context(), other, "", authtest.ShopID); err != nil {
			t.Errorf("another API token: %v", err)
		}
		wall.Add(59)
		if given, _ := burst(2); given != 0 {
			t.Errorf("%d given in the same minute", given)
		}
		wall.Add(1)
		if given, refused := burst(40); given != 30 || refused != 10 {
			t.Errorf("the next minute: %d given, %d refused", given, refused)
		}
		// Refusals of the bound leave no entry: else who asks too often fills the log.
		if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM trail WHERE act='miniprogram.token'"); err != nil || n != 61 {
			t.Errorf("%d entries %v", n, err)
		}
		if n, err := replicas[0].PrunePace(t.Context(), time.Unix(wall.Load(), 0).Add(time.Hour)); err != nil || n != 2 {
			t.Errorf("pruned %d %v", n, err)
		}
	})
}
