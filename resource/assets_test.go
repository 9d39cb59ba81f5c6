package resource

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func zip(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func built(t *testing.T) *Assets {
	t.Helper()
	b, err := bundle(fstest.MapFS{
		"manifest.json":   {Data: []byte(`{"app.css":"app-AB12.css","app.js":"app-CD34.js","swagger.js":"swagger-1.js","swagger.css":"swagger-2.css"}`)},
		"app-AB12.css.gz": {Data: zip(t, ".mf-btn{}")}, "app-CD34.js.gz": {Data: zip(t, "1")}, "swagger-1.js.gz": {Data: zip(t, "2")}, "swagger-2.css.gz": {Data: zip(t, "3")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func get(b *Assets, method, path, encoding string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, r)
	return w
}

func TestHandlerServesHashedNamesForEver(t *testing.T) {
	b := built(t)
	w := get(b, http.MethodGet, b.URL("app.css"), "br, gzip")
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if w.Header().Get("Content-Type") != "text/css; charset=utf-8" || w.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("%v", w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(z); err != nil || string(body) != ".mf-btn{}" {
		t.Errorf("%q %v", body, err)
	}
}

func TestHandlerUnpacksForWhoDoesNotTakeGzip(t *testing.T) {
	for _, encoding := range []string{"", "br", "gzip;q=0"} {
		w := get(built(t), http.MethodGet, "/assets/app-AB12.css", encoding)
		if w.Code != 200 || w.Body.String() != ".mf-btn{}" || w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%q: %d %q", encoding, w.Code, w.Body)
		}
	}
}

func TestHandlerRefuses(t *testing.T) {
	b := built(t)
	cases := []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/assets/app.css", 404},
		{http.MethodGet, "/assets/manifest.json", 404},
		{http.MethodGet, "/assets/../assets.go", 404},
		{http.MethodGet, "/assets/.placeholder", 404},
		{http.MethodPost, "/assets/app-AB12.css", 405},
	}
	for _, c := range cases {
		r := httptest.NewRequest(c.method, "/", nil)
		r.URL.Path = c.path
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, w.Code, c.status)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/assets/app-AB12.css", nil)
	r.Header.Set("If-None-Match", `"app-AB12.css"`)
	w := httptest.NewRecorder()
	if b.Handler().ServeHTTP(w, r); w.Code != http.StatusNotModified {
		t.Errorf("known file: %d", w.Code)
	}
}

func TestPagesWithoutABuild(t *testing.T) {
	b, err := bundle(fstest.MapFS{".placeholder": {}})
	if err != nil {
		t.Fatal(err)
	}
	if !b.Missing() || b.Head() != "" || b.Foot() != "" || b.URL("app.js") != "" || !strings.Contains(string(b.Swagger("/api.json")), "make pages") {
		t.Error("an unbuilt bundle must be empty and say how to build it")
	}
}

func TestBrokenBuildIsRefused(t *testing.T) {
	for name, files := range map[string]fs.FS{
		"manifest": fstest.MapFS{"manifest.json": {Data: []byte("{")}},
		"file":     fstest.MapFS{"manifest.json": {Data: []byte(`{"app.css":"app-1.css"}`)}},
	} {
		if _, err := bundle(files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTagsNameTheBuiltFiles(t *testing.T) {
	b := built(t)
	if !strings.Contains(string(b.Head()), `href="/assets/app-AB12.css"`) || !strings.Contains(string(b.Foot()), `src="/assets/app-CD34.js"`) {
		t.Errorf("%s %s", b.Head(), b.Foot())
	}
	page := string(b.Swagger(`/api.json?"<`))
	if !strings.Contains(page, "/assets/swagger-1.js") || strings.Contains(page, `"<`) {
		t.Errorf("%s", page)
	}
	if regexp.MustCompile(`https?://`).MatchString(page) {
		t.Error("the page names another site")
	}
}

// The embedded pages, when they were built, must be whole.
func TestEmbeddedBundleLoads(t *testing.T) {
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if b.Missing() {
		t.Log("built without pages (make pages)")
		return
	}
	for _, name := range []string{"app.css", "app.js", "swagger.css", "swagger.js"} {
		if w := get(b, http.MethodGet, b.URL(name), ""); w.Code != 200 || w.Body.Len() < 1000 {
			t.Errorf("%s: %d, %d bytes", name, w.Code, w.Body.Len())
		}
	}
}
