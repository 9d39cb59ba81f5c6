package plugin

import (
	"context"
	"path"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/grpc"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// seen counts, times and traces what crosses the wire, in both directions. A trace goes on across it: the host's span of a
// call travels to the plugin as W3C's traceparent, the SDK sends it back with every callback, whose span is its child.
type seen struct {
	calls  *prometheus.HistogramVec // host → plugin
	backs  *prometheus.HistogramVec // plugin → host
	absent *prometheus.CounterVec   // calls for a plugin that did not serve
	deep   *prometheus.CounterVec   // events that were refused for what led to them
	tracer trace.Tracer
}

// metadataTrace is W3C's name of the header.
const metadataTrace = "traceparent"

func newSeen(reg prometheus.Registerer, tracer trace.Tracer) *seen {
	if tracer == nil {
		tracer = noop.NewTracerProvider().Tracer("")
	}
	buckets := []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30}
	labels := []string{"plugin", "method", "outcome"}
	s := &seen{
		tracer: tracer,
		calls:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "minifleet_plugin_call_seconds", Help: "Calls of the host to a plugin, by method and outcome.", Buckets: buckets}, labels),
		backs:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "minifleet_plugin_host_call_seconds", Help: "Calls of a plugin to the host, by method and outcome.", Buckets: buckets}, labels),
		absent: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "minifleet_plugin_absent_total", Help: "Calls that met no process, because the plugin was starting, down or stopping."}, []string{"plugin"}),
		deep:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "minifleet_plugin_event_depth_total", Help: "Commits that were refused because events of plugins cause each other too deep."}, []string{"plugin"}),
	}
	if reg != nil {
		reg.MustRegister(s.calls, s.backs, s.absent, s.deep)
	}
	return s
}

// outcome is one of few words: ok, refused (the callee said no), timeout, cancelled, gone, failed.
func outcome(err error) string {
	switch status.Code(err) {
	case grpccodes.OK:
		return "ok"
	case grpccodes.DeadlineExceeded:
		return "timeout"
	case grpccodes.Canceled:
		return "cancelled"
	case grpccodes.Unavailable:
		return "gone"
	case grpccodes.Internal, grpccodes.Unknown, grpccodes.Unimplemented, grpccodes.DataLoss:
		return "failed"
	default:
		return "refused"
	}
}

// begin opens a span and gives the function that ends it and counts.
func (s *seen) begin(ctx context.Context, into *prometheus.HistogramVec, kind trace.SpanKind, plugin, fullMethod string) (context.Context, func(error)) {
	method := path.Base(fullMethod)
	name := "plugin " + plugin + " " + method
	if kind == trace.SpanKindServer {
		name = "host " + method
	}
	began := time.Now()
	ctx, span := s.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attribute.String("minifleet.plugin", plugin)))
	return ctx, func(err error) {
		word := outcome(err)
		into.WithLabelValues(plugin, method, word).Observe(time.Since(began).Seconds())
		if word == "failed" || word == "gone" || word == "timeout" {
			span.SetStatus(codes.Error, word)
		}
		span.SetAttributes(attribute.String("minifleet.outcome", word))
		span.End()
	}
}

// carrier lets propagation write gRPC's metadata.
type carrier metadata.MD

func (c carrier) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}
func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }
func (c carrier) Keys() []string        { return []string{metadataTrace} }

// sent puts the span into what travels with a call.
func sent(ctx context.Context) context.Context {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx
	}
	md := metadata.MD{}
	propagation.TraceContext{}.Inject(ctx, carrier(md))
	return metadata.AppendToOutgoingContext(ctx, metadataTrace, carrier(md).Get(metadataTrace))
}

// connection is a plugin's connection with every call seen.
type connection struct {
	grpc.ClientConnInterface
	plugin string
	seen   *seen
}

func (c connection) Invoke(ctx context.Context, method string, request, answer any, options ...grpc.CallOption) error {
	ctx, end := c.seen.begin(ctx, c.seen.calls, trace.SpanKindClient, c.plugin, method)
	err := c.ClientConnInterface.Invoke(sent(ctx), method, request, answer, options...)
	end(err)
	return err
}

func (c connection) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, options ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, end := c.seen.begin(ctx, c.seen.calls, trace.SpanKindClient, c.plugin, method)
	stream, err := c.ClientConnInterface.NewStream(sent(ctx), desc, method, append(options, grpc.OnFinish(end))...)
	if err != nil {
		end(err)
	}
	return stream, err
}

// answer is the interceptor of the Host service of one plugin.
func (s *seen) answer(plugin string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		received, _ := metadata.FromIncomingContext(ctx)
		ctx = propagation.TraceContext{}.Extract(ctx, carrier(received))
		ctx, end := s.begin(ctx, s.backs, trace.SpanKindServer, plugin, info.FullMethod)
		answer, err := handle(ctx, request)
		end(err)
		return answer, err
	}
}

// states gives a registry what each plugin is doing: restarts, memory, open calls, and whether it serves.
type states struct{ host *Host }

var (
	stateServing  = prometheus.NewDesc("minifleet_plugin_serving", "1 while the plugin serves.", []string{"plugin"}, nil)
	stateRestarts = prometheus.NewDesc("minifleet_plugin_restarts_total", "Times the plugin fell and was started again.", []string{"plugin"}, nil)
	stateMemory   = prometheus.NewDesc("minifleet_plugin_resident_bytes", "Memory of the plugin's process.", []string{"plugin"}, nil)
	stateRefused  = prometheus.NewDesc("minifleet_plugin_refused_total", "Host calls beyond an extension's approved capabilities, by kind, since its process began.", []string{"plugin", "kind"}, nil)
	stateOpen     = prometheus.NewDesc("minifleet_plugin_open_calls", "Calls that run in the plugin now.", []string{"plugin"}, nil)
)

func (states) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{stateServing, stateRestarts, stateMemory, stateOpen, stateRefused} {
		out <- d
	}
}

func (s states) Collect(out chan<- prometheus.Metric) {
	for _, p := range s.host.Status() {
		serving := 0.0
		if p.State.called() {
			serving = 1
		}
		out <- prometheus.MustNewConstMetric(stateServing, prometheus.GaugeValue, serving, p.ID)
		out <- prometheus.MustNewConstMetric(stateRestarts, prometheus.CounterValue, float64(p.Restarts), p.ID)
		out <- prometheus.MustNewConstMetric(stateMemory, prometheus.GaugeValue, float64(p.MemoryBytes), p.ID)
		for kind, n := range p.Refused {
			out <- prometheus.MustNewConstMetric(stateRefused, prometheus.CounterValue, float64(n), p.ID, kind)
		}
		out <- prometheus.MustNewConstMetric(stateOpen, prometheus.GaugeValue, float64(p.Calls), p.ID)
	}
}
