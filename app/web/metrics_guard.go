package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"minifleet/app/fault"
)

var errMetrics = fault.New(fault.NotFound, "no_such_page", "没有这个页面")

// serveMetrics shows the figures to whoever has the token of the settings; without one in the settings only to this very
// machine, and not through a proxy, which runs on this machine too.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	allowed := false
	if s.o.MetricsToken != "" {
		given, want := sha256.Sum256([]byte(bearer(r))), sha256.Sum256([]byte(s.o.MetricsToken))
		allowed = subtle.ConstantTimeCompare(given[:], want[:]) == 1
	} else if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		forwarded := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("Via") != ""
		allowed = peer.Addr().Unmap().IsLoopback() && !forwarded
	}
	if !allowed {
		fail(w, r, errMetrics)
		return
	}
	promhttp.HandlerFor(s.o.Metrics, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}
