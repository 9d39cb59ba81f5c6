package gateway

import (
	"sync"
	"testing"
	"time"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// hand is a clock that only the test moves.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func newHand() *hand { return &hand{now: time.UnixMilli(1_800_000_000_000)} }

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// Two replicas that ask as fast as they can get no more than the rate, the burst and the stated error.
func TestTwoReplicasShareABudgetWithinTheStatedError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const rate, replicas, minutes = 600, 2, 3
		h := newHand()
		two := []*budgets{newBudgets(db, h.Now), newBudgets(db, h.Now)}
		made := 0
		for range minutes * 60 {
			for _, b := range two {
				for {
					wait, err := b.take(t.Context(), "c:wx1", rate)
					if err != nil {
						t.Fatal(err)
					}
					if wait > 0 {
						break
					}
					made++
				}
			}
			h.advance(time.Second)
		}
		chunk := rate / chunksPerMinute
		most := rate*minutes + rate/burstShare + replicas*chunk
		if made > most {
			t.Fatalf("%d calls, at most %d were allowed", made, most)
		}
		if least := rate * (minutes - 1); made < least {
			t.Fatalf("%d calls, at least %d would have been fair", made, least)
		}
	})
}

func TestReplicasAtOnceStayWithinTheBudget(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const rate, workers, replicas = 400, 4, 2
		h := newHand() // time stands still: only burst and error may pass
		var mu sync.Mutex
		made := 0
		var all sync.WaitGroup
		for range replicas {
			b := newBudgets(db, h.Now)
			for range workers {
				all.Go(func() {
					for range 300 {
						wait, err := b.take(t.Context(), "a:wx1", rate)
						if err != nil {
							t.Error(err)
							return
						}
						if wait == 0 {
							mu.Lock()
							made++
							mu.Unlock()
						}
					}
				})
			}
		}
		all.Wait()
		if most := rate/burstShare + replicas*(rate/chunksPerMinute); made > most || made < rate/burstShare {
			t.Fatalf("%d calls, want %d to %d", made, rate/burstShare, most)
		}
	})
}

func TestAChunkCostsOneRoundTripAndARareCallerNone(t *testing.T) {
	db := storetest.Open(t)
	h := newHand()
	b := newBudgets(db, h.Now)
	version := func() int64 {
		n, err := db.Int(t.Context(), "SELECT version FROM wechat_budget WHERE name=?", "c:wx1")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 30 { // one chunk
		if wait, err := b.take(t.Context(), "c:wx1", 600); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	if version() != 0 {
		t.Fatal("the first chunk has asked the database")
	}
	for range 90 { // three more
		h.advance(200 * time.Millisecond)
		if wait, err := b.take(t.Context(), "c:wx1", 600); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	if v := version(); v != 4 { // the row itself, and a settlement for each of three chunks
		t.Fatalf("version %d after three settled chunks", v)
	}
}

func TestARefusedCallIsToldWhenAndAReturnedOneCountsNot(t *testing.T) {
	db := storetest.Open(t)
	h := newHand()
	b := newBudgets(db, h.Now)
	wait := time.Duration(0)
	for range 10_000 {
		var err error
		if wait, err = b.take(t.Context(), "c:wx1", 60); err != nil {
			t.Fatal(err)
		}
		if wait > 0 {
			break
		}
	}
	if wait <= 0 || wait > time.Minute {
		t.Fatalf("wait %s", wait)
	}
	h.advance(wait)
	if again, err := b.take(t.Context(), "c:wx1", 60); err != nil || again != 0 {
		t.Fatalf("after the wait: %s %v", again, err)
	}
	if wait, err := b.take(t.Context(), "c:free", 0); wait != 0 || err != nil {
		t.Fatal("no budget bounds nothing")
	}
	b.giveBack("c:wx1", 60)
	b.giveBack("c:wx1", 60)
	if c := b.credit("c:wx1"); c.debt < 0 {
		t.Fatal("more was given back than taken")
	}
}
