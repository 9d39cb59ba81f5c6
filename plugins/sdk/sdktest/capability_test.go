package sdktest_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

func TestAnExtensionGetsNoMoreThanItAsksFor(t *testing.T) {
	p := sdk.New("asker", "申请", "0.1.0")
	p.Asks(sdk.ToWeChat(wechat.EndpointRelease), sdk.ToCore("miniprograms"), sdk.ToCall("version.install"))
	p.API("POST /do", sdk.JSON(func(ctx context.Context, in struct {
		Do string `json:"do"`
	}) (struct{}, error) {
		app := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: "wxa"}
		var err error
		switch in.Do {
		case "release":
			err = app.Release(ctx)
		case "audit":
			_, _, err = app.LatestAudit(ctx)
		case "apps":
			_, err = sdk.MiniPrograms(ctx, sdk.Query{})
		case "spaces":
			_, err = sdk.Spaces(ctx, 11)
		case "can":
			_, err = sdk.Can(ctx, "asker.x")
		case "grant":
			_, err = sdk.GrantCreate(ctx, sdk.GrantRequest{})
		case "install":
			err = sdk.Call(ctx, "version.install", struct{}{}, nil)
		case "remove":
			err = sdk.Call(ctx, "version.remove", struct{}{}, nil)
		}
		return struct{}{}, err
	}))
	options := sdktest.Options{Actor: owner, WeChat: &answers{}, MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wxa", OwnerSpace: 11}}}
	for _, extension := range []bool{true, false} {
		options.House = !extension
		h := sdktest.New(t, p, options)
		for _, operation := range []string{"version.install", "version.remove", "core.grant.create"} {
			h.Stub(operation, func(sdk.ActorInfo, json.RawMessage) (any, error) { return map[string]string{"id": "1"}, nil })
		}
		for _, do := range []string{"release", "apps", "can", "install", "audit", "spaces", "grant", "remove"} {
			refused := extension && slices.Contains([]string{"audit", "spaces", "grant", "remove"}, do)
			err := h.API("POST", "/do", map[string]string{"do": do}, nil)
			if sdk.Refused(err, "plugin.capability") != refused {
				t.Errorf("extension %t: %s gave %v", extension, do, err)
			}
		}
	}
}

func TestNewsOfTopicsAreKept(t *testing.T) {
	p := sdk.New("teller", "消息", "0.1.0")
	p.Topic(sdk.Topic{Name: "moved", Title: "移动"})
	p.API("POST /tell", sdk.JSON(func(ctx context.Context, in struct {
		Topic string `json:"topic"`
		Space int64  `json:"space"`
	}) (struct{}, error) {
		return struct{}{}, sdk.PublishTo(ctx, in.Space, in.Topic, map[string]string{"to": in.Topic})
	}))
	h := sdktest.New(t, p, sdktest.Options{Actor: owner})
	tell := func(topic string, space int64) error {
		return h.API("POST", "/tell", map[string]any{"topic": topic, "space": space}, nil)
	}
	if err := tell("moved", 0); err != nil {
		t.Fatal(err)
	}
	var failure *sdk.Error
	if err := tell("moved", 22); !errors.As(err, &failure) || failure.Kind != sdk.KindForbidden {
		t.Errorf("another space's listeners: %v", err)
	}
	if err := tell("unknown", 0); !errors.As(err, &failure) || failure.Kind != sdk.KindInvalid {
		t.Errorf("a topic that nobody declared: %v", err)
	}
	if news := h.News(); len(news) != 1 || news[0].Topic != "moved" || news[0].SpaceID != 11 || string(news[0].Data) != `{"to":"moved"}` {
		t.Errorf("news %+v", news)
	}
}
