package gateway_test

import (
	"context"
	"testing"

	"minifleet/app/gateway"
	"minifleet/app/miniprogram/authtest"
	"minifleet/app/store/storetest"
	"minifleet/app/wechat"
)

// BenchmarkCall shows what the door costs beside a bare call of the client with a token at hand: grant, authorisation, token,
// budgets, trail.
func BenchmarkCall(b *testing.B) {
	h := open(b, storetest.Open(b))
	h.door = gateway.New(h.options(gateway.Limits{ComponentPerMinute: 1_000_000, AppPerMinute: 1_000_000}))
	e, _ := wechat.LookupEndpoint(wechat.EndpointVersionInfo)
	token, err := h.Apps.Token(b.Context(), authtest.PlatformID, authtest.ShopID)
	if err != nil {
		b.Fatal(err)
	}
	req := wechat.Request{Endpoint: e.Name, AppID: authtest.ShopID, Component: authtest.PlatformID}
	for _, c := range []struct {
		name string
		call func(context.Context) error
	}{
		{"client", func(ctx context.Context) error { _, err := h.WeChat.Send(ctx, e, token, req); return err }},
		{"gateway", func(ctx context.Context) error {
			_, err := h.door.Do(ctx, gateway.Caller{Actor: authtest.User(1)}, req)
			return err
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.call(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		// Sixteen callers for each core, as when a job looks after a fleet: what they share counts here.
		b.Run(c.name+"-crowd", func(b *testing.B) {
			b.SetParallelism(16)
			b.RunParallel(func(next *testing.PB) {
				for next.Next() {
					if err := c.call(b.Context()); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
