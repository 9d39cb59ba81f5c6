package gateway_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/wechat"
)

// A person reads the list, looks at WeChat, and comes back: meanwhile the request was found absent, sent anew, and is in
// doubt again. What they know is about the first one.
func TestAPersonDoesNotSettleARequestThatLeftAfterTheyLooked(t *testing.T) {
	h, ctx := open(t, storetest.Open(t)), wechat.WithKey(t.Context(), "release:race")
	owner := gateway.Caller{Actor: authtest.User(1)}
	operator := account.Actor{AccountID: 9, SpaceID: 99, Role: account.RoleOwner, SpaceKind: account.Platform}
	doubt := func() gateway.Sent {
		t.Helper()
		h.Control("/control/faults", map[string]any{"path": "/wxa/release", "drop": true, "times": 1})
		if err := h.as(owner.Actor).Release(ctx); !wechat.Doubtful(err) {
			t.Fatal(err)
		}
		rows, err := h.door.Unsettled(ctx, 10)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%+v %v", rows, err)
		}
		return rows[0]
	}
	looked := doubt()
	if err := h.door.Settle(ctx, owner, "release:race", false); err != nil {
		t.Fatal(err)
	}
	h.Clock.Set(time.Minute)
	again := doubt()
	if again.ID != looked.ID || again.StartedAt == looked.StartedAt {
		t.Fatalf("the same mark, sent anew: %+v %+v", looked, again)
	}
	if err := h.door.SettleByHand(ctx, operator, looked.ID, looked.StartedAt, false); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("settled what they did not look at: %v", err)
	}
	if err := h.as(owner.Actor).Release(ctx); fault.From(err).Code != "wechat_unsettled" {
		t.Fatalf("sent a third time: %v", err)
	}
	if err := h.door.SettleByHand(ctx, operator, again.ID, again.StartedAt, true); err != nil {
		t.Fatal(err)
	}
}

// Two people and the plugin's reconciliation settle at once: one of them counts, and the trail knows one act of a person at
// most.
func TestOneSettlementCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := open(t, db), wechat.WithKey(t.Context(), "release:many")
		owner := gateway.Caller{Actor: authtest.User(1)}
		operator := account.Actor{AccountID: 9, SpaceID: 99, Role: account.RoleOwner, SpaceKind: account.Platform}
		h.Control("/control/faults", map[string]any{"path": "/wxa/release", "drop": true, "times": 1})
		if err := h.as(owner.Actor).Release(ctx); !wechat.Doubtful(err) {
			t.Fatal(err)
		}
		rows, err := h.door.Unsettled(ctx, 10)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%+v %v", rows, err)
		}
		var counted atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if i%2 == 0 {
					if err := h.door.Settle(ctx, owner, "release:many", i%4 == 0); err != nil {
						t.Error(err)
					}
					return
				}
				switch err := h.door.SettleByHand(ctx, operator, rows[0].ID, rows[0].StartedAt, i%4 == 1); {
				case err == nil:
					counted.Add(1)
				case fault.KindOf(err) != fault.NotFound:
					t.Error(err)
				}
			})
		}
		all.Wait()
		n, err := db.Int(ctx, "SELECT COUNT(*) FROM trail WHERE act='wechat.settle'")
		if err != nil || n != counted.Load() || n > 1 {
			t.Errorf("%d entries, %d counted: %v", n, counted.Load(), err)
		}
	})
}
