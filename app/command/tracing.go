package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracing sends spans of requests, plugin calls and calls to WeChat to a collector of OpenTelemetry. Without one nothing is
// made and nothing is sent.
type tracing struct {
	tracer trace.Tracer
	stop   func(context.Context) error
}

// newTracing connects to nothing yet: spans go out in batches, and those that a collector does not take are lost.
func newTracing(endpoint string, percent int) (tracing, error) {
	if endpoint == "" {
		return tracing{noop.NewTracerProvider().Tracer(""), func(context.Context) error { return nil }}, nil
	}
	exporter, err := otlptracehttp.New(context.Background(), otlptracehttp.WithEndpointURL(strings.TrimSuffix(endpoint, "/")+"/v1/traces"), otlptracehttp.WithTimeout(5*time.Second))
	if err != nil {
		return tracing{}, fmt.Errorf("tracing: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(percent)/100))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "minifleet"))),
	)
	return tracing{provider.Tracer("minifleet"), provider.Shutdown}, nil
}

// close sends what is left, for a moment; a collector that is away must not hold up the end.
func (t tracing) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := t.stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("tracing: %w", err)
	}
	return nil
}

// outgoing sees calls to WeChat. Neither query nor body is told: both carry tokens. No trace header leaves the house.
func (t tracing) outgoing(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		ctx, span := t.tracer.Start(r.Context(), "wechat "+r.URL.Path, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("server.address", r.URL.Host)))
		defer span.End()
		answer, err := next.RoundTrip(r.WithContext(ctx))
		if err != nil {
			span.SetStatus(codes.Error, "no answer")
			return nil, err
		}
		span.SetAttributes(attribute.Int("http.response.status_code", answer.StatusCode))
		return answer, nil
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
