package gateway

import (
	"testing"
	"time"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/wechat"
)

func refusal(code int) error { return &wechat.Error{Code: code, Endpoint: "x"} }

func TestARepeatedLimitRestsLongerAndAnAnswerEndsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := newHand(), t.Context()
		p := newPauses(db, h.Now)
		rest := func() time.Duration {
			wait, _, err := p.rest(ctx, "wx1|x")
			if err != nil {
				t.Fatal(err)
			}
			return wait
		}
		for _, c := range []struct {
			code int
			want []time.Duration
		}{
			{wechat.CodeMinuteLimit, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute}},
			{wechat.CodeDailyLimit, []time.Duration{time.Minute, 4 * time.Minute, 16 * time.Minute, time.Hour, time.Hour}},
			{wechat.CodeBusy, []time.Duration{0, 0, time.Second, 2 * time.Second, 4 * time.Second}},
		} {
			for i, want := range c.want {
				if _, err := p.learn(ctx, "wx1|x", refusal(c.code)); err != nil {
					t.Fatal(err)
				}
				if got := rest(); got != want {
					t.Fatalf("%d, time %d: rests %s, want %s", c.code, i+1, got, want)
				}
				h.advance(want)
			}
			if rest() != 0 {
				t.Fatalf("%d: still resting", c.code)
			}
			if _, err := p.learn(ctx, "wx1|x", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := p.learn(ctx, "wx1|x", refusal(c.code)); err != nil {
				t.Fatal(err)
			}
			if got := rest(); got != c.want[0] {
				t.Fatalf("%d: after an answer it rests %s, want %s", c.code, got, c.want[0])
			}
			h.advance(24 * time.Hour)
		}
		if wait, _, _ := p.rest(ctx, "wx2|x"); wait != 0 {
			t.Fatal("another mini program rests as well")
		}
	})
}

func TestAnotherReplicaLearnsOfAPauseWithinTwoSeconds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h, ctx := newHand(), t.Context()
		one, two := newPauses(db, h.Now), newPauses(db, h.Now)
		if wait, _, err := two.rest(ctx, "wx1|x"); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
		if _, err := one.learn(ctx, "wx1|x", refusal(wechat.CodeMinuteLimit)); err != nil {
			t.Fatal(err)
		}
		h.advance(pausesFresh)
		wait, code, err := two.rest(ctx, "wx1|x")
		if err != nil || wait <= 0 || code != wechat.CodeMinuteLimit {
			t.Fatal(wait, code, err)
		}
	})
}
