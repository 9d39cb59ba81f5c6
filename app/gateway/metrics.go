package gateway

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/wechat"
)

// metrics counts calls by outcome and refusals of our own by cause; labels stay few whatever is called.
type metrics struct {
	calls   *prometheus.CounterVec // ok, refused, unknown_code, no_answer
	held    *prometheus.CounterVec // component_budget, app_budget, pause, circuit
	seconds prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, open func() int) *metrics {
	m := &metrics{
		calls:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "minifleet_wechat_calls_total", Help: "Calls to WeChat by outcome."}, []string{"outcome"}),
		held:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "minifleet_wechat_held_total", Help: "Calls that were not sent, by cause."}, []string{"cause"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "minifleet_wechat_seconds", Help: "How long WeChat took.", Buckets: []float64{.05, .1, .2, .5, 1, 2, 5, 10, 30}}),
	}
	if reg != nil {
		reg.MustRegister(m.calls, m.held, m.seconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "minifleet_wechat_circuits_open", Help: "Platform apps that WeChat cannot be reached for."},
			func() float64 { return float64(open()) }))
	}
	return m
}

func (m *metrics) answered(err error, seconds float64) {
	m.seconds.Observe(seconds)
	outcome := "ok"
	var refused *wechat.Error
	switch {
	case errors.As(err, &refused):
		outcome = "refused"
		if _, known := wechat.Explain(refused.Code); !known {
			outcome = "unknown_code"
		}
	case err != nil:
		outcome = "no_answer"
	}
	m.calls.WithLabelValues(outcome).Inc()
}
