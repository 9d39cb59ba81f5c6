package plugin_test

import (
	"context"

	"minifleet/plugins/sdk"
)

// echoPlugin is one of two that never stop by themselves. A person has ping say something; pong has ping tell on, by a call; at that pong answers, and ping
// says it again.
func echoPlugin(id string) *sdk.Plugin {
	p := sdk.New(id, "回声", "0.1.0")
	say := func(ctx context.Context, kind string) error {
		_, err := sdk.Commit(ctx, nil, sdk.WithEvents(sdk.Event{Type: kind, AppID: "wxa", Data: map[string]string{}}))
		return err
	}
	if id == "pong" {
		p.On("ping.said", func(ctx context.Context, _ sdk.Event) error {
			return sdk.Call(ctx, "ping.tell", map[string]string{}, nil)
		})
		p.On("ping.told", func(ctx context.Context, _ sdk.Event) error { return say(ctx, "answered") })
		return p
	}
	p.API("POST /say", sdk.JSON(func(ctx context.Context, _ struct{}) (struct{}, error) { return struct{}{}, say(ctx, "said") }))
	p.Operation("tell", sdk.JSON(func(ctx context.Context, _ map[string]string) (struct{}, error) {
		return struct{}{}, say(ctx, "told")
	}))
	p.On("pong.answered", func(ctx context.Context, _ sdk.Event) error { return say(ctx, "said") })
	return p
}
