package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/plugin"
	"minifleet/app/trail"
)

// archives is a catalog that is only ever handed archives.
type archives struct {
	Catalog
	real *plugin.Catalog
}

func (a archives) MaySubmit(who account.Actor) error { return a.real.MaySubmit(who) }

func (a archives) Submit(ctx context.Context, who account.Actor, name string, source io.ReaderAt, size int64) (plugin.Archive, error) {
	return a.real.Submit(ctx, who, name, source, size)
}

// counted tells whether anything of an upload was asked for: a client that waits for "100 Continue" sends its body only when
// the server begins to read it.
type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestAnArchiveThatIsNotWantedIsNotRead(t *testing.T) {
	for name, c := range map[string]struct {
		enabled  bool
		kind     account.Kind // "" comes without a session
		multi    bool
		status   int
		code     string
		readsAny bool
	}{
		"a visitor":                            {enabled: true, status: 401, code: "login_required"},
		"a person's space":                     {enabled: true, kind: account.Personal, status: 403},
		"a merchant where extensions are off":  {kind: account.Merchant, status: 403, code: "plugin.third_party_off"},
		"an operator where extensions are off": {kind: account.Platform, status: 403, code: "plugin.third_party_off"},
		"a form where extensions are off":      {kind: account.Merchant, multi: true, status: 403, code: "plugin.third_party_off"},
		"a merchant where they are on":         {enabled: true, kind: account.Merchant, status: 400, code: "invalid_input", readsAny: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(o *Options) {
				clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
				o.Catalog = archives{real: plugin.NewCatalog(plugin.CatalogOptions{DB: o.DB, Clock: clk, Trail: trail.New(o.DB, clk), Enabled: c.enabled})}
			})
			var sent atomic.Int64
			r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+archivePath, counted{strings.NewReader(strings.Repeat("x", 300<<10)), &sent})
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = 300 << 10
			r.Header.Set("Expect", "100-continue")
			if c.multi {
				r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			}
			if c.kind != "" {
				token, _ := h.person(c.kind, "m@example.test")
				r.Header.Set("Authorization", "Bearer "+token)
			}
			client := &http.Transport{ExpectContinueTimeout: time.Minute}
			t.Cleanup(client.CloseIdleConnections)
			got, err := client.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			if err := got.Body.Close(); err != nil {
				t.Fatal(err)
			}
			if code := (reply{text: string(text)}).code(); got.StatusCode != c.status || c.code != "" && code != c.code {
				t.Errorf("answered %d %s", got.StatusCode, text)
			}
			if (sent.Load() > 0) != c.readsAny {
				t.Errorf("%d bytes of the body were asked for", sent.Load())
			}
		})
	}
}
