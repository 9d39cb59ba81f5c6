package plugin_test

import (
	"io"
	"strings"
	"testing"

	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
)

func TestWhatHasNoFrameIsNeverRunInOurOrigin(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "rogue").run(t).ready(t)
	for _, frame := range []string{plugin.FramePortal, plugin.FrameAPI} {
		site := h.door(t, ada, "rogue", frame)
		for _, how := range []string{"cookie", "html", "svg", "script"} {
			paths := []string{"/whole/" + how}
			if frame == plugin.FramePortal {
				paths = append(paths, "/"+how) // the same as a stream
			}
			for _, path := range paths {
				got := open(t, "GET", site.URL+path, nil)
				if _, err := io.ReadAll(got.Body); err != nil || got.StatusCode != 200 {
					t.Errorf("%s %s: %d, %v", frame, path, got.StatusCode, err)
				}
				header := got.Header
				if policy := header.Get("Content-Security-Policy"); len(header.Values("Content-Security-Policy")) != 1 || !strings.HasPrefix(policy, "sandbox; default-src 'none'") {
					t.Errorf("%s %s: policy %q", frame, path, policy)
				}
				if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Cache-Control") != "no-store" || header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
					t.Errorf("%s %s: headers %v", frame, path, header)
				}
				for _, name := range []string{"Set-Cookie", "Refresh", "Location", "Access-Control-Allow-Origin", "Service-Worker-Allowed"} {
					if header.Get(name) != "" {
						t.Errorf("%s %s: %s got through: %q", frame, path, name, header.Get(name))
					}
				}
				if how != "cookie" && (header.Get("Content-Type") != "application/octet-stream" || header.Get("Content-Disposition") != "attachment") {
					t.Errorf("%s %s: it would be shown as %q", frame, path, header.Get("Content-Type"))
				}
			}
		}
		for _, how := range []string{"line", "twotypes", "twice", "away", "odd"} {
			if got := open(t, "GET", site.URL+"/whole/"+how, nil); got.StatusCode != 500 || len(got.Cookies()) > 0 || got.Header.Get("Location") != "" {
				t.Errorf("%s %s: %d %v", frame, how, got.StatusCode, got.Header)
			}
		}
	}
}
