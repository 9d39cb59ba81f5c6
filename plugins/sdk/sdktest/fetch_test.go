package sdktest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

func TestAPluginReachesOnlyTheHostsItAskedFor(t *testing.T) {
	p := sdk.New("robot", "机器人", "0.1.0")
	p.Asks(sdk.ToHosts("example.com"))
	p.API("POST /post", sdk.JSON(func(ctx context.Context, in struct{ URL string }) (map[string]string, error) {
		var out map[string]string
		err := sdk.Post(ctx, in.URL, map[string]string{"text": "好"}, &out)
		return out, err
	}))
	status := http.StatusOK
	h := sdktest.New(t, p, sdktest.Options{Outside: func(r sdk.FetchRequest) (sdk.FetchResponse, error) {
		if r.URL == "https://example.com/down" {
			return sdk.FetchResponse{}, errors.New("no route")
		}
		return sdk.FetchResponse{Status: status, Body: []byte(`{"got":"` + r.Method + `"}`)}, nil
	}})
	var out map[string]string
	if err := h.API("POST", "/post", map[string]string{"URL": "https://example.com/x"}, &out); err != nil || out["got"] != "POST" {
		t.Errorf("posted %v, %v", out, err)
	}
	status = http.StatusBadGateway
	for url, want := range map[string]struct {
		kind sdk.Kind
		code string
	}{
		"https://example.com/x":      {sdk.KindUnavailable, "http_502"},
		"https://example.com/down":   {sdk.KindUnavailable, "plugin.http_failed"},
		"https://evil.example.com/x": {sdk.KindForbidden, "plugin.http_host"},
		"https://example.com:99/":    {sdk.KindForbidden, "plugin.http_host"},
		"http://example.com/":        {sdk.KindInvalid, "plugin.http_address"},
	} {
		err := h.API("POST", "/post", map[string]string{"URL": url}, nil)
		var failure *sdk.Error
		if !errors.As(err, &failure) || failure.Kind != want.kind || failure.Code != want.code {
			t.Errorf("%s gave %v, want %v", url, err, want)
		}
	}
}
