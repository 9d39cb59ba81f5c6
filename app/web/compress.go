package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
)

// compressible are the kinds of answers that gzip is worth for. Files, pictures and what is compressed already pass.
var compressible = []string{"text/html", "application/json", "text/plain; charset=utf-8"}

// zippers are kept, since each holds a few hundred kilobytes.
var zippers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level above is a valid one
	}
	return z
}}

// compressed answers pages compressed to whoever takes gzip. The pages hold no secret that a guesser could make longer or
// shorter: session tokens never stand in one, and unsafe requests are told by their origin, not by a token in the page.
func compressed(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Method == http.MethodHead || !takesGzip(r.Header.Get("Accept-Encoding")) {
		next.ServeHTTP(w, r)
		return
	}
	out := &zipped{ResponseWriter: w}
	defer out.end()
	next.ServeHTTP(out, r)
}

func takesGzip(accept string) bool {
	for _, part := range strings.Split(accept, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.ReplaceAll(weight, " ", "") != "q=0"
		}
	}
	return false
}

// zipped decides at the header whether the body is compressed.
type zipped struct {
	http.ResponseWriter
	z       *gzip.Writer
	decided bool
}

func (z *zipped) WriteHeader(status int) {
	if !z.decided && status >= 200 {
		z.decided = true
		h := z.Header()
		if fit(h, status) {
			h.Set("Content-Encoding", "gzip")
			h.Add("Vary", "Accept-Encoding")
			h.Del("Content-Length")
			z.z = zippers.Get().(*gzip.Writer)
			z.z.Reset(z.ResponseWriter)
		}
	}
	z.ResponseWriter.WriteHeader(status)
}

func fit(h http.Header, status int) bool {
	if status == http.StatusNoContent || status == http.StatusNotModified || h.Get("Content-Encoding") != "" || h.Get("Content-Range") != "" || h.Get("Content-Disposition") != "" {
		return false
	}
	kind := strings.ToLower(h.Get("Content-Type"))
	for _, known := range compressible {
		if strings.HasPrefix(kind, known) {
			return true
		}
	}
	return false
}

func (z *zipped) Write(b []byte) (int, error) {
	if !z.decided {
		if z.Header().Get("Content-Type") == "" {
			z.Header().Set("Content-Type", http.DetectContentType(b))
		}
		z.WriteHeader(http.StatusOK)
	}
	if z.z == nil {
		return z.ResponseWriter.Write(b)
	}
	return z.z.Write(b)
}

// Flush sends what is written so far: a page in pieces stays one.
func (z *zipped) Flush() {
	if z.z != nil {
		_ = z.z.Flush() // the reader may be gone
	}
	_ = http.NewResponseController(z.ResponseWriter).Flush() // nothing to flush is no error of the page's
}

// Unwrap lets http.ResponseController reach deadlines and what else belongs to the connection.
func (z *zipped) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z *zipped) end() {
	if z.z == nil {
		return
	}
	_ = z.z.Close() // the reader may be gone
	z.z.Reset(io.Discard)
	zippers.Put(z.z)
	z.z = nil
}
