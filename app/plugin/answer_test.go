package plugin_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
)

// The rest of a body that nobody reads must never be taken for the next request: behind a proxy, which keeps connections for
// everybody, it would be answered to somebody else.
func TestTheRestOfABodyIsNoRequest(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	var asked atomic.Int64
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer, err := h.Pass(r.Context(), ada, plugin.Request{Plugin: "flow", Frame: plugin.FramePortal, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header, Length: r.ContentLength}, plugin.Upload(w, r))
		if err != nil {
			http.Error(w, fault.From(err).Code, fault.From(err).Kind.Status())
			return
		}
		answer.Send(w, r)
	}))
	defer site.Close()
	const unit = 64 // divides every buffer on the way
	one := "GET /smuggled HTTP/1.1\r\nHost: x\r\nX-Fill: "
	one += strings.Repeat("x", unit-len(one)-4) + "\r\n\r\n"
	for _, c := range []struct {
		request       string
		status, units int
	}{
		{"POST /small", 400, 32}, {"POST /small", 400, 100}, {"POST /small", 400, 1000}, {"POST /small", 400, 3000}, {"POST /small", 400, 10_000},
		{"GET /down?n=3", 200, 10}, {"GET /down?n=3", 200, 1000}, {"GET /down?n=3", 200, 100_000}, // answered before it is read
	} {
		t.Run(fmt.Sprint(c.request, " ", c.units), func(t *testing.T) {
			units := c.units
			asked.Store(0)
			conn, err := net.Dial("tcp", site.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			head := c.request + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-Fill: "
			size := fmt.Sprintf("\r\n\r\n%x\r\n", units*unit)
			head += strings.Repeat("x", (unit-(len(head)+len(size))%unit)%unit) + size
			go func() { _, _ = io.WriteString(conn, head+strings.Repeat(one, units)+"\r\n0\r\n\r\n") }()
			if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			coming := bufio.NewReader(conn)
			answer, err := http.ReadResponse(coming, nil)
			if err != nil {
				t.Fatal(err)
			}
			if said, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != c.status {
				t.Errorf("%d %q, %v", answer.StatusCode, said, err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			var late net.Error
			if rest, err := io.ReadAll(coming); len(rest) > 0 || err != nil && !(errors.As(err, &late) && late.Timeout()) {
				t.Errorf("after the answer come %q, %v", rest, err)
			}
			if n := asked.Load(); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A body that had just been read to its end when its reader was stopped: the server, reading on, must not take our deadline for
// the client's leaving, and then have every later request on the connection begin as one that was given up.
func TestARequestAfterOneThatWasStoppedIsServed(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "flow").run(t).ready(t)
	site := h.door(t, ada, "flow", plugin.FramePortal)
	var group sync.WaitGroup
	for i := range 8 { // as many as one person may have open; one of them meets a wire that is just full
		group.Go(func() {
			size := 1<<20 + (2*i+3)*16<<10
			conn, err := net.Dial("tcp", site.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Error(err)
			}
			if _, err := fmt.Fprintf(conn, "GET /silent HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)); err != nil {
				t.Error(err)
			}
			coming := bufio.NewReader(conn)
			answer, err := http.ReadResponse(coming, nil)
			if err != nil || answer.StatusCode != 503 {
				t.Errorf("%d bytes: %+v, %v", size, answer, err)
				return
			}
			if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.Close {
				return
			}
			if _, err := io.WriteString(conn, "GET /down?n=3 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
				t.Error(err)
			}
			if answer, err = http.ReadResponse(coming, nil); err != nil || answer.StatusCode != 200 {
				t.Errorf("%d bytes, the next request: %+v, %v", size, answer, err)
			}
		})
	}
	group.Wait()
}
