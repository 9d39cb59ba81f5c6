package plugin_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// series reads one sample of a registry: the value, or of a histogram how many were observed.
func series(t *testing.T, reg *prometheus.Registry, name string, labels map[string]string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			if fits(m.GetLabel(), labels) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

func fits(got []*dto.LabelPair, wanted map[string]string) bool {
	found := 0
	for _, pair := range got {
		if value, asked := wanted[pair.GetName()]; asked && value == pair.GetValue() {
			found++
		}
	}
	return found == len(wanted)
}

func TestCallsInBothDirectionsAreCountedAndTraced(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		reg, spans := prometheus.NewRegistry(), tracetest.NewSpanRecorder()
		provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
		h := newHouse(t, db)
		options := h.hostOptions()
		options.Plugins = []plugin.First{{ID: "notes", Argv: argv("notes")}, {ID: "peer", Argv: argv("peer")}}
		options.Registry, options.Tracer = reg, provider.Tracer("test")
		var err error
		if h.Host, err = plugin.New(options); err != nil {
			t.Fatal(err)
		}
		h.run(t).ready(t)
		h.core.right("wxa", ada.SpaceID, "*")

		ctx, root := provider.Tracer("test").Start(t.Context(), "a click")
		if _, err := h.Serve(ctx, ada, plugin.Request{Plugin: "notes", Frame: plugin.FramePortal, Method: "GET", Path: "/refused"}); err == nil {
			t.Fatal("the page refuses")
		}
		if _, err := h.Serve(ctx, ada, plugin.Request{Plugin: "notes", Frame: plugin.FrameAPI, Method: "POST", Path: "/do", Body: []byte(`{"do":"apps"}`)}); err != nil {
			t.Fatal(err)
		}
		root.End()

		for _, c := range []struct {
			name   string
			labels map[string]string
			least  float64
		}{
			{"minifleet_plugin_call_seconds", map[string]string{"plugin": "notes", "method": "ServeHTTP", "outcome": "refused"}, 1},
			{"minifleet_plugin_call_seconds", map[string]string{"plugin": "notes", "method": "Describe", "outcome": "ok"}, 1},
			{"minifleet_plugin_host_call_seconds", map[string]string{"plugin": "notes", "method": "Find", "outcome": "ok"}, 1},
			{"minifleet_plugin_serving", map[string]string{"plugin": "notes"}, 1},
			{"minifleet_plugin_resident_bytes", map[string]string{"plugin": "notes"}, 1 << 20},
		} {
			if got := series(t, reg, c.name, c.labels); got < c.least {
				t.Errorf("%s%v is %v, want at least %v", c.name, c.labels, got, c.least)
			}
		}
		if got := series(t, reg, "minifleet_plugin_open_calls", nil); got != 0 {
			t.Errorf("%v calls are open", got)
		}
		followTrace(t, spans.Ended(), root.SpanContext().TraceID())
	})
}

// followTrace wants the trace of the click to lead through a call into the plugin to a call back into the host.
func followTrace(t *testing.T, ended []sdktrace.ReadOnlySpan, id trace.TraceID) {
	t.Helper()
	names := map[trace.SpanID]string{}
	for _, span := range ended {
		names[span.SpanContext().SpanID()] = span.Name()
	}
	for _, span := range ended {
		if span.SpanContext().TraceID() == id && strings.HasPrefix(span.Name(), "host ") && strings.HasPrefix(names[span.Parent().SpanID()], "plugin notes ") {
			return
		}
	}
	t.Errorf("no call back into the host has a call into the plugin as its parent: %v", names)
}

func TestACallThatMeetsNoProcessIsCounted(t *testing.T) {
	reg := prometheus.NewRegistry()
	h := newHouse(t, storetest.Open(t))
	options := h.hostOptions()
	options.Plugins, options.Registry = []plugin.First{{ID: "notes", Argv: argv("notes")}, {ID: "flow", Argv: argv("flow")}}, reg
	var err error
	if h.Host, err = plugin.New(options); err != nil {
		t.Fatal(err)
	}
	h.run(t).ready(t)
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Rows(t.Context(), ada, "notes", "numbers", plugin.TableQuery{}); err == nil {
		t.Fatal("a stopped plugin answered")
	}
	if got := series(t, reg, "minifleet_plugin_absent_total", map[string]string{"plugin": "notes"}); got != 1 {
		t.Errorf("counted %v calls that met no process", got)
	}
	if _, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "flow", Frame: plugin.FrameAPI, Method: "GET", Path: "/down"}); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("a stopped plugin streams: %v", err)
	}
	if got := series(t, reg, "minifleet_plugin_absent_total", map[string]string{"plugin": "flow"}); got != 1 {
		t.Errorf("counted %v streams that met no process", got)
	}
	if got := series(t, reg, "minifleet_plugin_serving", map[string]string{"plugin": "notes"}); got != 0 {
		t.Errorf("it is said to serve: %v", got)
	}
}
