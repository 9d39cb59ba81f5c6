package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPagesAreCompressedForWhoTakesGzip(t *testing.T) {
	long := strings.Repeat("<p>小程序</p>", 500)
	for _, c := range []struct {
		name, accept string
		header       http.Header
		status       int
		method       string
		want         bool
	}{
		{"a page", "gzip, br", http.Header{"Content-Type": {"text/html; charset=utf-8"}}, 200, "GET", true},
		{"a refused form", "br, gzip;q=0.8", http.Header{"Content-Type": {"text/html; charset=utf-8"}}, 400, "POST", true},
		{"JSON", "gzip", http.Header{"Content-Type": {"application/json; charset=utf-8"}}, 200, "GET", true},
		{"who does not take it", "", http.Header{"Content-Type": {"text/html"}}, 200, "GET", false},
		{"who refuses it", "gzip;q=0", http.Header{"Content-Type": {"text/html"}}, 200, "GET", false},
		{"a picture", "gzip", http.Header{"Content-Type": {"image/png"}}, 200, "GET", false},
		{"a download", "gzip", http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Content-Disposition": {"attachment"}}, 200, "GET", false},
		{"what is compressed already", "gzip", http.Header{"Content-Type": {"text/html"}, "Content-Encoding": {"gzip"}}, 200, "GET", false},
		{"nothing changed", "gzip", http.Header{"Content-Type": {"text/html"}}, 304, "GET", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			r := httptest.NewRequest(c.method, "/", nil)
			r.Header.Set("Accept-Encoding", c.accept)
			compressed(rec, r, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.header {
					w.Header()[k] = v
				}
				w.Header().Set("Content-Length", "9000")
				w.WriteHeader(c.status)
				if c.status != http.StatusNotModified {
					_, _ = io.WriteString(w, long)
				}
			}))
			res := rec.Result()
			already := c.header.Get("Content-Encoding") != ""
			if got := res.Header.Get("Content-Encoding") == "gzip" && !already; got != c.want || res.StatusCode != c.status {
				t.Fatalf("compressed %v, status %d, want %v, %d", got, res.StatusCode, c.want, c.status)
			}
			if !c.want {
				return
			}
			if res.Header.Get("Content-Length") != "" || res.Header.Get("Vary") != "Accept-Encoding" || rec.Body.Len() > len(long)/10 {
				t.Errorf("%d bytes, headers %v", rec.Body.Len(), res.Header)
			}
			z, err := gzip.NewReader(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := io.ReadAll(z); err != nil || string(back) != long {
				t.Errorf("%d bytes came back (%v)", len(back), err)
			}
		})
	}
}
