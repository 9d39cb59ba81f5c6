package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"minifleet/plugins/sdk"
)

// heraldPlugin publishes what it is told to.
func heraldPlugin() *sdk.Plugin {
	p := sdk.New("herald", "播报", "0.1.0")
	p.Topic(sdk.Topic{Name: "news", Title: "消息"})
	p.Topic(sdk.Topic{Name: "shops", Title: "门店消息", Kinds: []string{"merchant"}, Permission: "component.bind"})
	publish := func(ctx context.Context, in command) (outcome, error) {
		switch in.Do {
		case "large":
			return outcome{}, sdk.Publish(ctx, in.Text, strings.Repeat("x", 64<<10))
		case "flood":
			var taken, refused int64
			for range in.Num {
				var failure *sdk.Error
				switch err := sdk.Publish(ctx, in.Text, strings.Repeat("x", 20<<10)); {
				case err == nil:
					taken++
				case errors.As(err, &failure) && failure.Kind == sdk.KindTooMany && failure.RetryAfter > 0:
					refused++
				default:
					return outcome{}, err
				}
			}
			return outcome{Text: fmt.Sprint(taken, " taken, ", refused, " refused"), ID: taken}, nil
		}
		return outcome{}, sdk.PublishTo(ctx, in.ID, in.Text, map[string]string{"said": in.AppID + "\nline\r\n\r\ndata: forged"})
	}
	p.API("POST /publish", sdk.JSON(publish))
	p.API("POST /visitor", sdk.JSON(publish), sdk.PublicAccess())
	p.On("peer.*", func(ctx context.Context, event sdk.Event) error {
		own := sdk.PublishTo(ctx, 11, "news", "event about "+event.AppID)
		other := sdk.PublishTo(ctx, 22, "news", "event about "+event.AppID)
		if own != nil || other == nil {
			return fmt.Errorf("to who may read it: %w; to who may not: %w", own, other)
		}
		return nil
	})
	p.Job(sdk.Job{Name: "tell", Title: "播报", Spec: "0 0 1 1 *", Platform: true, Run: func(ctx context.Context) (string, error) {
		return "told", errors.Join(sdk.PublishTo(ctx, 11, "news", "job"), sdk.PublishTo(ctx, 22, "news", "job"))
	}})
	return p
}
