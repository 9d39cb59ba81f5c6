package plugin_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
)

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (h *house) asset(sum, path string) (*httptest.ResponseRecorder, error) {
	rec := httptest.NewRecorder()
	err := h.ServeAsset(rec, httptest.NewRequest("GET", "/", nil), ada, "rogue", sum, path)
	return rec, err
}

func (h *house) asked(t *testing.T) string {
	t.Helper()
	answer, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "rogue", Frame: plugin.FramePortal, Method: "GET", Path: "/whole/asked"})
	if err != nil {
		t.Fatal(err)
	}
	return string(answer.Body)
}

func TestAStaticFileIsFetchedOnceAndServedForGood(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "rogue").run(t).ready(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			got, err := h.asset(sumOf("b{}"), "true.css")
			if err != nil || got.Body.String() != "b{}" || !strings.HasPrefix(got.Header().Get("Content-Type"), "text/css") {
				t.Errorf("%q %v, %v", got.Body, got.Header(), err)
			}
			for name, want := range map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"} {
				if got.Header().Get(name) != want {
					t.Errorf("%s: %q", name, got.Header().Get(name))
				}
			}
			if policy := got.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox; default-src 'none'") {
				t.Errorf("policy %q", policy)
			}
		})
	}
	all.Wait()
	if asked := h.asked(t); asked != "1" {
		t.Errorf("the plugin was asked %s times", asked)
	}
	// After the process has changed, the file is the same: nobody is asked.
	if err := h.Restart(t.Context(), "rogue"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.asset(sumOf("b{}"), "true.css"); err != nil || h.asked(t) != "0" {
		t.Errorf("after a restart: %v, asked %s times", err, h.asked(t))
	}
	if got, err := h.asset(sumOf("<svg/>"), "img/a.svg"); err != nil || got.Header().Get("Content-Type") != "image/svg+xml" {
		t.Errorf("a picture: %v, %v", got.Header(), err)
	}
}

func TestALieAboutAStaticFileIsNotServed(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "rogue").run(t).ready(t)
	for name, sum := range map[string]string{"liar.css": sumOf("a{}"), "longer.css": sumOf("a{}"), "true.css": sumOf("x{}"), "nowhere.css": sumOf("b{}")} {
		for range 2 {
			got, err := h.asset(sum, name)
			wantKind(t, err, fault.NotFound)
			if got.Body.Len() > 0 {
				t.Errorf("%s: %d bytes were served", name, got.Body.Len())
			}
		}
	}
	if asked := h.asked(t); asked != "2" {
		t.Errorf("the plugin was asked %s times for two lies", asked)
	}
	notes := 0
	for _, change := range h.Status()[0].History {
		if strings.Contains(change.Note, "与声明不符") {
			notes++
		}
	}
	if notes != 2 {
		t.Errorf("%d lines of history for two lies", notes)
	}
	if _, err := h.asset(sumOf("b{}"), "true.css"); err != nil {
		t.Errorf("an honest file of the same plugin: %v", err)
	}
	rec := httptest.NewRecorder()
	err := h.ServeAsset(rec, httptest.NewRequest(http.MethodGet, "/", nil), ada, "nobody", sumOf("b{}"), "true.css")
	wantKind(t, err, fault.NotFound)
}
