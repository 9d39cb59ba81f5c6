package plugin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"minifleet/app/fault"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
	"minifleet/plugins/sdk"
)

// robotPlugin reaches out wherever it is told to.
func robotPlugin() *sdk.Plugin {
	p := sdk.New("robot", "机器人", "0.1.0")
	p.Asks(sdk.ToHosts("example.com", "inside.example.com", "other.example.com:8443"))
	p.API("POST /fetch", sdk.JSON(func(ctx context.Context, in sdk.FetchRequest) (sdk.FetchResponse, error) { return sdk.Fetch(ctx, in) }))
	return p
}

// streets says which address a name has and what was dialled.
type streets struct {
	server *httptest.Server
	mu     sync.Mutex
	dialed []string
	log    bytes.Buffer
}

func (s *streets) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	switch host {
	case "inside.example.com":
		return []netip.Addr{netip.MustParseAddr("10.0.0.8")}, nil
	case "example.com", "other.example.com", "qyapi.weixin.qq.com":
		return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil
	}
	return nil, errors.New("no such host")
}

func (s *streets) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	s.dialed = append(s.dialed, address)
	s.mu.Unlock()
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, s.server.Listener.Addr().String())
}

// newRobot runs the plugin with a guarded dialler whose every public address is one local server.
func newRobot(t *testing.T, handle http.HandlerFunc) (*house, *streets) {
	t.Helper()
	town := &streets{server: httptest.NewTLSServer(handle)}
	t.Cleanup(town.server.Close)
	client := notice.WebhookOptions{Resolver: town, Dial: town.dial}.Client()
	guarded, ok := client.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("the guarded transport is a %T", client.Transport)
	}
	trusted, ok := town.server.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("the test server's client has no transport")
	}
	guarded.TLSClientConfig = trusted.TLSClientConfig
	db := storetest.Open(t)
	h := &house{core: newCore(t, db), db: db}
	h.core.actors[ada.AccountID] = ada
	options := h.hostOptions()
	options.Plugins = []plugin.First{{ID: "robot", Argv: argv("robot")}}
	options.Outside = plugin.Outside{Client: client}
	options.Log = slog.New(slog.NewTextHandler(town, nil))
	var err error
	if h.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	return h.run(t).ready(t), town
}

// Write keeps the host's log.
func (s *streets) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(line)
}

func (s *streets) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *streets) calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dialed)
}

func (h *house) fetch(t *testing.T, in sdk.FetchRequest) (out sdk.FetchResponse, err error) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "robot", Frame: plugin.FrameAPI, Method: http.MethodPost, Path: "/fetch", Body: body})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer.Body, &out)
}

func TestAPluginReachesTheHostsItAskedFor(t *testing.T) {
	h, town := newRobot(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Got", r.Method+" "+r.Host+r.URL.RequestURI()+" "+r.Header.Get("User-Agent")+" "+r.Header.Get("X-Key"))
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(append([]byte("echo "), body...))
	})
	got, err := h.fetch(t, sdk.FetchRequest{Method: "POST", URL: "https://example.com/send?key=secret", Header: map[string]string{"x-key": "k"}, Body: []byte("你好")})
	if err != nil || got.Status != http.StatusTeapot || string(got.Body) != "echo 你好" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if got.Header["X-Got"] != "POST example.com/send?key=secret MiniFleet-Plugin/robot k" || got.Header["Set-Cookie"] != "" {
		t.Errorf("headers %v", got.Header)
	}
	if dialed := town.calls(); len(dialed) != 1 || dialed[0] != "93.184.215.14:443" {
		t.Errorf("dialled %v: only the address that was looked at may be", dialed)
	}
	if strings.Contains(town.logged(), "secret") || !strings.Contains(town.logged(), "plugin reached out") {
		t.Errorf("the log says %s", town.logged())
	}
}

func TestAPluginDoesNotReachFurther(t *testing.T) {
	h, town := newRobot(t, func(http.ResponseWriter, *http.Request) { t.Error("something was reached") })
	for _, bad := range []struct {
		request sdk.FetchRequest
		kind    fault.Kind
		code    string
	}{
		{sdk.FetchRequest{URL: "https://evil.example.com/"}, fault.Forbidden, "plugin.http_host"},
		{sdk.FetchRequest{URL: "https://example.com:8443/"}, fault.Forbidden, "plugin.http_host"},
		{sdk.FetchRequest{URL: "https://other.example.com/"}, fault.Forbidden, "plugin.http_host"},
		{sdk.FetchRequest{URL: "https://example.com.evil.example/"}, fault.Forbidden, "plugin.http_host"},
		{sdk.FetchRequest{URL: "https://example.com@evil.example/"}, fault.Invalid, "plugin.http_address"},
		{sdk.FetchRequest{URL: "http://example.com/"}, fault.Invalid, "plugin.http_address"},
		{sdk.FetchRequest{URL: "file:///etc/passwd"}, fault.Invalid, "plugin.http_address"},
		{sdk.FetchRequest{URL: "https://inside.example.com/"}, fault.Unavailable, "plugin.http_failed"},
		{sdk.FetchRequest{URL: "https://example.com/", Body: bytes.Repeat([]byte("x"), 1<<20+1), Method: "POST"}, fault.Invalid, "plugin.http_too_large"},
		{sdk.FetchRequest{URL: "https://example.com/", Header: map[string]string{"host": "inside"}}, fault.Internal, ""},
		{sdk.FetchRequest{URL: "https://example.com/", Method: "CONNECT"}, fault.Internal, ""},
	} {
		_, err := h.fetch(t, bad.request)
		var failure *fault.Error
		if !errors.As(err, &failure) || bad.code != "" && (failure.Kind != bad.kind || failure.Code != bad.code) {
			t.Errorf("%s %s %v gave %v", bad.request.Method, bad.request.URL, bad.request.Header, err)
		}
	}
	if dialed := town.calls(); len(dialed) > 0 {
		t.Errorf("dialled %v", dialed)
	}
}

func TestRedirectsAreToldAndNotFollowed(t *testing.T) {
	h, town := newRobot(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://other.example.com:8443/", http.StatusFound)
	})
	got, err := h.fetch(t, sdk.FetchRequest{URL: "https://example.com/"})
	if err != nil || got.Status != http.StatusFound || got.Header["Location"] != "https://other.example.com:8443/" || len(town.calls()) != 1 {
		t.Errorf("got %+v, %v, dialled %v", got, err, town.calls())
	}
}

func TestAnAnswerWithoutEndIsNotTakenIn(t *testing.T) {
	h, _ := newRobot(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 5 << 10 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
	})
	_, err := h.fetch(t, sdk.FetchRequest{URL: "https://example.com/"})
	var failure *fault.Error
	if !errors.As(err, &failure) || failure.Code != "plugin.http_too_large" {
		t.Errorf("5 MiB gave %v", err)
	}
}

func TestAFloodOfRequestsIsHeldBack(t *testing.T) {
	h, _ := newRobot(t, func(http.ResponseWriter, *http.Request) {})
	var failure *fault.Error
	for n := range 200 {
		_, err := h.fetch(t, sdk.FetchRequest{URL: "https://example.com/"})
		if err == nil {
			continue
		}
		if !errors.As(err, &failure) || failure.Kind != fault.TooMany || failure.RetryAfter <= 0 || n < 30 {
			t.Fatalf("request %d gave %v", n, err)
		}
		return
	}
	t.Error("200 requests at a stretch went out")
}
