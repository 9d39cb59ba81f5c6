package wechat_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"minifleet/app/wechat"
	"minifleet/app/wechat/wechattest"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

// straight is a Transport that sends everything over HTTPS with one token.
type straight struct{ client *wechat.Client }

func (s straight) Do(ctx context.Context, req wechat.Request) (wechat.Response, error) {
	e, ok := wechat.LookupEndpoint(req.Endpoint)
	if !ok {
		return wechat.Response{}, fmt.Errorf("no endpoint %q", req.Endpoint)
	}
	return s.client.Send(ctx, e, "TOKEN", req)
}

func TestTypedCallsOverHTTPS(t *testing.T) {
	wechattest.Suite(t, goldens(t), func(t *testing.T, base string, use func(context.Context, wechattest.Callers)) {
		client := &wechat.Client{BaseURL: base}
		way := straight{client}
		use(t.Context(), wechattest.Callers{App: wechat.MiniProgram{Transport: way}, Platform: wechat.Component{Transport: way}, Client: client})
	})
}

// TestTypedCallsOverThePluginsHost runs the same inside a plugin: over gRPC to a host, and from there over HTTPS.
func TestTypedCallsOverThePluginsHost(t *testing.T) {
	var base string
	var inside func(ctx context.Context)
	p := sdk.New("golden", "对照", "0.1.0")
	p.Operation("run", sdk.JSON(func(ctx context.Context, _ struct{}) (struct{}, error) {
		inside(ctx)
		return struct{}{}, nil
	}))
	h := sdktest.New(t, p, sdktest.Options{
		House:        true,
		WeChat:       lazily(func() wechat.Transport { return straight{&wechat.Client{BaseURL: base}} }),
		MiniPrograms: []sdk.MiniProgramInfo{{AppID: wechattest.AppID, OwnerSpace: 11}},
	})
	wechattest.Suite(t, goldens(t), func(t *testing.T, at string, use func(context.Context, wechattest.Callers)) {
		base = at
		inside = func(ctx context.Context) {
			way := sdk.WeChat(ctx)
			use(ctx, wechattest.Callers{App: wechat.MiniProgram{Transport: way}, Platform: wechat.Component{Transport: way}})
		}
		if err := h.Call("run", struct{}{}, nil); err != nil {
			t.Fatal(err)
		}
	})
}

type lazily func() wechat.Transport

func (l lazily) Do(ctx context.Context, req wechat.Request) (wechat.Response, error) {
	return l().Do(ctx, req)
}

func TestEveryTypedCallHasAGoldenFile(t *testing.T) {
	var names []string
	for _, g := range goldens(t) {
		names = append(names, g.Name)
	}
	for _, name := range wechattest.Typed() {
		if !slices.Contains(names, name) {
			t.Errorf("%s is typed without a golden file", name)
		}
	}
}
