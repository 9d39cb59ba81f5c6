package web

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

func TestAPluginsTopicIsHeardByREST(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "topic@example.test")
	got := h.as(token, "GET", "/api/v1/version/topics/lanes", "")
	if got.status != 200 || got.text != "data: version lanes topic@example.test\n\n" || got.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %q %v", got.status, got.text, got.header)
	}
	if got := h.do("GET", "/api/v1/version/topics/lanes", ""); got.status != 401 || got.code() != "plugin.login" {
		t.Errorf("a visitor: %d %s", got.status, got.text)
	}
	if got := h.as(token, "POST", "/api/v1/version/topics/lanes", "{}"); got.status != 404 {
		t.Errorf("POST: %d %s", got.status, got.text)
	}
}

func TestListenersAreLetGoWhenTheServerStops(t *testing.T) {
	h := newHouse(t)
	if err := h.server.Stop(); err != nil || !h.plugins.ended {
		t.Errorf("listeners let go: %t, %v", h.plugins.ended, err)
	}
}

// broken is a streamed answer whose plugin dies on the way.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errors.New("the plugin is gone")
	}
	return n, err
}

func (broken) Close() error { return nil }

func TestAStreamPassesRESTAndBreaksOffVisibly(t *testing.T) {
	h := newHouse(t)
	token, _ := h.person(account.Merchant, "stream@example.test")
	answer := func(kind string, body io.ReadCloser) {
		h.plugins.answer = plugin.Response{Status: 200, Header: http.Header{"Content-Type": {kind}}, Stream: body}
	}
	long := strings.Repeat("小程序,", 100_000)
	for _, kind := range []string{"image/png", "text/plain; charset=utf-8"} { // as it is, and compressed on the way
		answer(kind, io.NopCloser(strings.NewReader(long)))
		if got := h.as(token, "PUT", "/api/v1/version/stream", "body", "Accept-Encoding", "identity"); got.status != 200 || got.text != long {
			t.Errorf("%s: %d, %d bytes", kind, got.status, len(got.text))
		}
		if asked := h.plugins.asked[len(h.plugins.asked)-1]; string(asked.Body) != "body" || asked.Length != 4 {
			t.Errorf("the plugin got %q of %d", asked.Body, asked.Length)
		}
		for _, accept := range []string{"identity", "gzip"} {
			answer(kind, broken{strings.NewReader(long)})
			req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/api/v1/version/stream", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Accept-Encoding", accept)
			res, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, res.Body); err == nil {
				t.Errorf("%s, %s: %d bytes of a broken answer looked whole", kind, accept, n)
			}
			_ = res.Body.Close()
		}
	}
	if got := h.as(token, "POST", "/api/v1/version/stream", "body", "Idempotency-Key", "k"); got.status != 400 || got.field("Idempotency-Key") == "" {
		t.Errorf("with an idempotency key: %d %s", got.status, got.text)
	}
	h.plugins.err = fault.New(fault.TooMany, "plugin.streams", "同时进行的传输太多")
	if got := h.as(token, "GET", "/api/v1/version/stream", ""); got.status != 429 || got.code() != "plugin.streams" {
		t.Errorf("refused: %d %s", got.status, got.text)
	}
}
