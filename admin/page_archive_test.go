package admin

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
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

// archives is a catalog that is only ever handed archives.
type archives struct {
	Catalog
	real *plugin.Catalog
}

func (a archives) Enabled() bool                     { return a.real.Enabled() }
func (a archives) MaySubmit(who account.Actor) error { return a.real.MaySubmit(who) }

func (a archives) Submit(ctx context.Context, who account.Actor, name string, source io.ReaderAt, size int64) (plugin.Archive, error) {
	return a.real.Submit(ctx, who, name, source, size)
}

// staff knows one more: a clerk whose role lets mini programs be read and nothing handed in.
type staff struct{ fakeAccounts }

func (s staff) Authenticate(ctx context.Context, token string, n int64) (account.Actor, error) {
	if token != "clerk" {
		return s.fakeAccounts.Authenticate(ctx, token, n)
	}
	clerk := people["merchant"]
	clerk.Name, clerk.Role, clerk.Permissions = "店员", "clerk", []string{"miniprogram.read"}
	return clerk, nil
}

type asked struct {
	io.Reader
	n *atomic.Int64
}

func (a asked) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	a.n.Add(int64(n))
	return n, err
}

func TestAnUploadedArchiveThatIsNotWantedIsNotRead(t *testing.T) {
	for name, c := range map[string]struct {
		enabled  bool
		who      string
		status   int
		says     string
		readsAny bool
	}{
		"a merchant where extensions are off":     {who: "merchant", status: 403, says: "平台没有开放第三方插件，请联系平台管理员"},
		"an operator where extensions are off":    {who: "operator", status: 403, says: "第三方插件没有开启"},
		"a person who has no back office":         {enabled: true, who: "user", status: 403, says: "个人空间没有管理后台"},
		"a visitor":                               {enabled: true, status: 302},
		"a member whose role may not hand one in": {enabled: true, who: "clerk", status: 403},
		"a merchant where they are on":            {enabled: true, who: "merchant", status: 400, readsAny: true},
	} {
		t.Run(name, func(t *testing.T) {
			db, clk := storetest.Open(t), clock.Fixed(time.UnixMilli(1_760_000_000_000))
			services := newRooms().services()
			services.Catalog = archives{real: plugin.NewCatalog(plugin.CatalogOptions{DB: db, Clock: clk, Trail: trail.New(db, clk), Enabled: c.enabled})}
			h := open(t, Options{DB: db, Services: services, Accounts: staff{}})
			form := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mfp\"\r\n\r\n" + strings.Repeat("x", 300<<10) + "\r\n--x--\r\n"
			var sent atomic.Int64
			r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+archivesBase+"/new", asked{strings.NewReader(form), &sent})
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = int64(len(form))
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			r.Header.Set("Expect", "100-continue")
			r.Header.Set("Origin", h.url)
			if c.who != "" {
				r.AddCookie(&http.Cookie{Name: account.Cookie, Value: c.who})
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
			if got.StatusCode != c.status || !strings.Contains(string(text), c.says) {
				t.Errorf("answered %d %.600s", got.StatusCode, text)
			}
			if (sent.Load() > 0) != c.readsAny {
				t.Errorf("%d bytes of the body were asked for", sent.Load())
			}
		})
	}
}
