package plugin_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
)

// door is a browser's way to a plugin: what portal and REST do, over a real connection.
func (h *house) door(t testing.TB, actor account.Actor, id, frame string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := h.Pass(r.Context(), actor, plugin.Request{
			Plugin: id, Frame: frame, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Length: r.ContentLength,
		}, plugin.Upload(w, r))
		if err != nil {
			failure := fault.From(err)
			http.Error(w, failure.Code+" "+failure.Message, failure.Kind.Status())
			return
		}
		answer.Send(w, r)
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server
}

func (h *house) flowState(t testing.TB) flowState {
	t.Helper()
	answer, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "flow", Frame: plugin.FrameAPI, Method: "GET", Path: "/state"})
	if err != nil {
		t.Fatal(err)
	}
	var state flowState
	if err := json.Unmarshal(answer.Body, &state); err != nil {
		t.Fatal(err)
	}
	return state
}

func digest(t testing.TB, from io.Reader) (string, int64) {
	t.Helper()
	sum := sha256.New()
	n, err := io.Copy(sum, from)
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(sum.Sum(nil)), n
}

func open(t testing.TB, method, url string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Body.Close() })
	return got
}

const large = 64 << 20

func TestLargeBodiesPassInBothDirections(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	want, _ := digest(t, &pattern{n: large})
	for _, frame := range []string{plugin.FramePortal, plugin.FrameAdmin, plugin.FrameAPI} {
		t.Run(frame, func(t *testing.T) {
			site := h.door(t, ada, "flow", frame)
			for _, path := range []string{"/down?n=%d", "/down?sized=1&n=%d"} {
				got := open(t, "GET", site.URL+fmt.Sprintf(path, large), nil)
				sum, n := digest(t, got.Body)
				if sum != want || n != large || got.StatusCode != 200 {
					t.Errorf("%s: %d bytes, status %d, sum matches: %t", path, n, got.StatusCode, sum == want)
				}
				if sized := strings.Contains(path, "sized"); (got.ContentLength == large) != sized {
					t.Errorf("%s: Content-Length %d", path, got.ContentLength)
				}
			}
			got := open(t, "POST", site.URL+"/up", io.LimitReader(&pattern{n: large}, large))
			said, err := io.ReadAll(got.Body)
			if err != nil || string(said) != fmt.Sprint(large, " -1 ", want) {
				t.Errorf("the plugin received %q, %v", said, err)
			}
		})
	}
}

func TestASlowReaderSlowsThePluginAndMemoryStaysBounded(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	site := h.door(t, ada, "flow", plugin.FramePortal)
	var before, held runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	got := open(t, "GET", site.URL+fmt.Sprintf("/down?n=%d", large), nil)
	if _, err := io.CopyN(io.Discard, got.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	last := int64(-1)
	eventually(t, "the plugin stands still", time.Minute, func() bool {
		time.Sleep(300 * time.Millisecond)
		now := h.flowState(t).Sent
		still := now == last
		last = now
		return still
	})
	runtime.GC()
	runtime.ReadMemStats(&held)
	inHost := int64(held.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("reader took 1 MiB, the plugin has written %d KiB and waits; the host holds %d KiB more than before", last>>10, inHost>>10)
	if last > 16<<20 {
		t.Errorf("the plugin ran %d MiB ahead of its reader", last>>20)
	}
	if inHost > 8<<20 {
		t.Errorf("the host holds %d MiB", inHost>>20)
	}
	n, err := io.Copy(io.Discard, got.Body)
	if err != nil || n != large-1<<20 {
		t.Errorf("then came %d bytes, %v", n, err)
	}
	if resident := h.Status()[0].MemoryBytes; resident > 200<<20 {
		t.Errorf("the plugin has %d MiB", resident>>20)
	}
}

func TestBodiesPassAtTheSameTime(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	site := h.door(t, ada, "flow", plugin.FramePortal)
	connection, err := net.Dial("tcp", strings.TrimPrefix(site.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_, _ = io.WriteString(connection, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
	got, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"one", "two", "three"} {
		if _, err := fmt.Fprintf(connection, "%x\r\n%s\r\n", len(word), word); err != nil {
			t.Fatal(err)
		}
		back := make([]byte, len(word))
		if _, err := io.ReadFull(got.Body, back); err != nil || string(back) != word {
			t.Fatalf("%q came back for %q: %v", back, word, err)
		}
	}
	_, _ = io.WriteString(connection, "0\r\n\r\n")
	if rest, err := io.ReadAll(got.Body); err != nil || len(rest) != 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestAReaderThatGoesEndsThePluginsCall(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	site := h.door(t, ada, "flow", plugin.FramePortal)
	for _, path := range []string{"/hold", "/endless"} {
		before := h.flowState(t).Gone
		got := open(t, "GET", site.URL+path, nil)
		if _, err := io.CopyN(io.Discard, got.Body, 6); err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close()
		eventually(t, "the plugin hears of it", 30*time.Second, func() bool { return h.flowState(t).Gone == before+1 })
	}
	eventually(t, "no call is left", 30*time.Second, func() bool { return h.Status()[0].Calls == 0 })
}

func TestABrokenAnswerNeverLooksWhole(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow", "rogue").run(t).ready(t)
	for id, paths := range map[string][]string{
		"flow":  {"/fail", "/panic", "/hold", "/endless", "/die"},
		"rogue": {"/giant", "/large", "/heads", "/short", "/long"},
	} {
		site := h.door(t, ada, id, plugin.FramePortal)
		for _, path := range paths {
			t.Run(id+path, func(t *testing.T) {
				h.ready(t)
				got := open(t, "GET", site.URL+path, nil)
				n, err := io.Copy(io.Discard, got.Body)
				if err == nil {
					t.Errorf("%d bytes arrived as a whole answer of status %d", n, got.StatusCode)
				}
				if n > 256<<20 {
					t.Errorf("%d bytes arrived of an endless answer", n)
				}
			})
		}
	}
}

func TestARefusalBeforeTheFirstByteIsAnAnswer(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow", "rogue").run(t).ready(t)
	for id, cases := range map[string]map[string]string{
		"flow": {"/refuse": "flow.refused", "/silent": "plugin.timeout", "/down?n=x": "flow.n"},
		"rogue": {"/headless": "", "/line": "plugin.answer", "/twotypes": "plugin.answer", "/twice": "plugin.answer", "/away": "plugin.answer",
			"/odd": "plugin.answer", "/length": ""},
	} {
		site := h.door(t, ada, id, plugin.FramePortal)
		for path, code := range cases {
			got := open(t, "GET", site.URL+path, nil)
			said, err := io.ReadAll(got.Body)
			if err != nil || got.StatusCode < 400 || !strings.HasPrefix(string(said), code) {
				t.Errorf("%s%s: %d %q, %v", id, path, got.StatusCode, said, err)
			}
			if len(got.Cookies()) > 0 || got.Header.Get("Location") != "" {
				t.Errorf("%s%s: headers %v", id, path, got.Header)
			}
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	site := h.door(t, ada, "flow", plugin.FramePortal)
	for name, body := range map[string]io.Reader{
		"announced":   strings.NewReader(strings.Repeat("x", 1<<10+1)),
		"unannounced": io.LimitReader(&pattern{n: large}, 1<<20),
	} {
		got := open(t, "POST", site.URL+"/small", body)
		said, err := io.ReadAll(got.Body)
		if err != nil || got.StatusCode != 400 || !strings.Contains(string(said), "1 KiB") {
			t.Errorf("%s: %d %q, %v", name, got.StatusCode, said, err)
		}
	}
	got := open(t, "POST", site.URL+"/small", strings.NewReader(strings.Repeat("x", 1<<10)))
	if said, err := io.ReadAll(got.Body); err != nil || got.StatusCode != 200 || !strings.HasPrefix(string(said), "1024 1024 ") {
		t.Errorf("at the bound: %d %q, %v", got.StatusCode, said, err)
	}
	whole := open(t, "GET", site.URL+fmt.Sprintf("/whole?n=%d", 8<<20), nil)
	if _, n := digest(t, whole.Body); n != 8<<20 {
		t.Errorf("%d bytes of an answer that is not streamed", n)
	}
	if got := open(t, "GET", site.URL+fmt.Sprintf("/whole?n=%d", 8<<20+1), nil); got.StatusCode != 500 {
		t.Errorf("over 8 MiB without a stream: %d", got.StatusCode)
	}
	_, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "flow", Frame: plugin.FramePortal, Method: "GET", Path: "/down", Query: fmt.Sprintf("n=%d", 8<<20+1)})
	wantKind(t, err, fault.Internal)
}

func TestACallTokenLivesExactlyAsLongAsItsStream(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	site := h.door(t, ada, "flow", plugin.FramePortal)
	got := open(t, "GET", site.URL+"/calls", nil)
	if said, err := io.ReadAll(got.Body); err != nil || string(said) != "begun 1 apps" {
		t.Fatalf("in the stream: %q, %v", said, err)
	}
	_, err := h.Serve(t.Context(), bob, plugin.Request{Plugin: "flow", Frame: plugin.FrameAPI, Method: "GET", Path: "/usekept"})
	if failure := wantKind(t, err, fault.Unauthenticated); failure.Code != "plugin.token" {
		t.Errorf("a kept token gave %s", failure.Code)
	}
}

func TestNobodyHoldsAllStreams(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	begin := func(actor account.Actor) error {
		answer, err := h.Pass(ctx, actor, plugin.Request{Plugin: "flow", Frame: plugin.FramePortal, Method: "GET", Path: "/down", Query: "n=1000000000"}, nil)
		if err == nil {
			t.Cleanup(func() { _ = answer.Stream.Close() })
		}
		return err
	}
	for range 8 {
		if err := begin(ada); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, begin(ada), fault.TooMany)
	if err := begin(bob); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	stop()
	eventually(t, "all have ended", 30*time.Second, func() bool { return h.Status()[0].Calls == 0 })
	if err := begin(ada); err == nil {
		t.Error("a stream began for somebody who is gone")
	}
}

func BenchmarkDownload(b *testing.B) {
	h := newHouse(b, storetest.Open(b), "flow").run(b).ready(b)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = io.Copy(w, &pattern{n: large})
	}))
	defer bare.Close()
	through := h.door(b, ada, "flow", plugin.FramePortal)
	var took [2]time.Duration
	fetch := func(i int, url string) {
		began := time.Now()
		got, err := http.Get(url) //nolint:noctx // the benchmark's own server
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, got.Body); err != nil || n != large {
			b.Fatalf("%d bytes, %v", n, err)
		}
		_ = got.Body.Close()
		took[i] += time.Since(began)
	}
	for b.Loop() {
		fetch(0, bare.URL)
		fetch(1, through.URL+fmt.Sprintf("/down?n=%d", large))
	}
	mb := float64(large) / 1e6 * float64(b.N)
	b.ReportMetric(mb/took[0].Seconds(), "bare-MB/s")
	b.ReportMetric(mb/took[1].Seconds(), "stream-MB/s")
	b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "times")
}
