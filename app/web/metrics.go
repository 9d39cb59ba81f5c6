package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts requests by the part of the house, not by address, so that their number stays bounded.
type metrics struct{ seconds *prometheus.HistogramVec }

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "minifleet_http_request_seconds", Help: "Time to answer a request, by part of the house and status.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"part", "status"})}
	reg.MustRegister(m.seconds)
	return m
}

func (m *metrics) observe(r *http.Request, status int, took time.Duration) {
	m.seconds.WithLabelValues(partOf(r.URL.Path), strconv.Itoa(status)).Observe(took.Seconds())
}

// partOf is the part of the house that an address belongs to.
func partOf(path string) string {
	switch first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); first {
	case "api", "admin", "assets", "p", "market", "auth", "metrics", "healthz", "readyz":
		return first
	}
	return "portal"
}
