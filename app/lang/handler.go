package lang

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
)

// Cookie holds the language a person chose: "en", or Chinese for every other value.
const Cookie = "mf_lang"

// English reports whether the request asks for English pages.
func English(r *http.Request) bool {
	c, err := r.Cookie(Cookie)
	return err == nil && c.Value == "en"
}

// Handler answers in English what next answers in Chinese, to those who chose it. Only whole HTML answers are touched, and
// JSON that calls itself Chinese by Content-Language; downloads, other JSON and streams pass through as they come.
func (d *Dictionary) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !English(r) {
			next.ServeHTTP(w, r)
			return
		}
		t := &translating{ResponseWriter: w}
		next.ServeHTTP(t, r)
		t.finish(d)
	})
}

// translating holds an HTML answer back until it is whole.
type translating struct {
	http.ResponseWriter
	status  int
	decided bool
	held    bool
	prose   bool // JSON made of sentences
	page    bytes.Buffer
}

// Unwrap lets http.ResponseController reach the connection.
func (t *translating) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *translating) WriteHeader(status int) {
	if t.decided {
		return
	}
	if status >= 100 && status < 200 {
		t.ResponseWriter.WriteHeader(status)
		return
	}
	h := t.Header()
	t.decided, t.status = true, status
	kind := h.Get("Content-Type")
	t.prose = strings.HasPrefix(kind, "application/json") && h.Get("Content-Language") == "zh-CN"
	t.held = (t.prose || strings.HasPrefix(kind, "text/html")) && h.Get("Content-Encoding") == "" && h.Get("Content-Disposition") == ""
	if !t.held {
		t.ResponseWriter.WriteHeader(status)
	}
}

func (t *translating) Write(b []byte) (int, error) {
	if !t.decided {
		if t.Header().Get("Content-Type") == "" {
			t.Header().Set("Content-Type", http.DetectContentType(b))
		}
		t.WriteHeader(http.StatusOK)
	}
	if t.held {
		return t.page.Write(b)
	}
	return t.ResponseWriter.Write(b)
}

// Flush passes on what is not held back.
func (t *translating) Flush() {
	if t.held {
		return
	}
	if f, ok := t.ResponseWriter.(http.Flusher); ok {
		t.decided = true
		f.Flush()
	}
}

func (t *translating) finish(d *Dictionary) {
	if !t.held {
		return
	}
	body := t.page.Bytes()
	if t.prose {
		body = d.json(body)
	} else {
		body = d.HTML(body, nil)
	}
	h := t.Header()
	h.Set("Content-Language", "en")
	h.Add("Vary", "Cookie")
	if h.Get("Content-Length") != "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	t.ResponseWriter.WriteHeader(t.status)
	_, _ = t.ResponseWriter.Write(body) // the reader may be gone
}
