package web

import (
	"net/http/httptest"
	"testing"
)

func TestMetricsAreForThisMachineOrForTheToken(t *testing.T) {
	const token = "scrape-token-0123456789"
	h := newHouse(t)
	for _, tt := range []struct {
		name, setting, peer, header, value string
		want                               int
	}{
		{"this machine", "", "127.0.0.1:5", "", "", 200},
		{"this machine by IPv6", "", "[::1]:5", "", "", 200},
		{"another machine", "", "192.0.2.1:5", "", "", 404},
		{"another machine with a made-up token", "", "192.0.2.1:5", "Authorization", "Bearer ", 404},
		{"through a proxy on this machine", "", "127.0.0.1:5", "X-Forwarded-For", "127.0.0.1", 404},
		{"the token from afar", token, "192.0.2.1:5", "Authorization", "Bearer " + token, 200},
		{"a wrong token", token, "192.0.2.1:5", "Authorization", "Bearer x", 404},
		{"this machine without the token", token, "127.0.0.1:5", "", "", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h.server.o.MetricsToken = tt.setting
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.RemoteAddr = tt.peer
			if tt.header != "" {
				r.Header.Set(tt.header, tt.value)
			}
			w := httptest.NewRecorder()
			h.server.outermost(w, r)
			if w.Code != tt.want {
				t.Errorf("%d, want %d", w.Code, tt.want)
			}
		})
	}
}
