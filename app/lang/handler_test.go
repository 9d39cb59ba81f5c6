package lang

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestOnlyHTMLIsTranslatedAndOnlyOnRequest(t *testing.T) {
	h := dictionary(t).Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if kind := r.URL.Query().Get("kind"); kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		if r.URL.Query().Get("status") != "" {
			w.WriteHeader(http.StatusNotFound)
		}
		if language := r.URL.Query().Get("language"); language != "" {
			w.Header().Set("Content-Language", language)
			_, _ = io.WriteString(w, `"查询"`)
			return
		}
		_, _ = io.WriteString(w, "<p>小程序</p>")
		_, _ = io.WriteString(w, "<p>版本</p>")
	}))
	const zh, en = "<p>小程序</p><p>版本</p>", "<p>Mini programs</p><p>Version</p>"
	cases := map[string]struct {
		cookie, query, want string
		status              int
	}{
		"no choice":     {"", "?kind=text/html", zh, 200},
		"chinese":       {"zh", "?kind=text/html", zh, 200},
		"english":       {"en", "?kind=text/html%3B+charset=utf-8", en, 200},
		"unnamed type":  {"en", "", en, 200},
		"error page":    {"en", "?kind=text/html&status=404", en, 404},
		"json":          {"en", "?kind=application/json", zh, 200},
		"prose":         {"en", "?kind=application/json&language=zh-CN", `"Search"`, 200},
		"event streams": {"en", "?kind=text/event-stream", zh, 200},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/"+c.query, nil)
			if c.cookie != "" {
				r.AddCookie(&http.Cookie{Name: Cookie, Value: c.cookie})
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Body.String() != c.want || w.Code != c.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
