package command

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collected is a collector of OpenTelemetry that keeps what it is sent.
func collected(t *testing.T) (address string, all func() []*spans.Span) {
	t.Helper()
	var mu sync.Mutex
	var kept []*spans.Span
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(raw, &request)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, resource := range request.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				kept = append(kept, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []*spans.Span { mu.Lock(); defer mu.Unlock(); return kept }
}

func TestSpansReachTheCollectorWithoutTokens(t *testing.T) {
	address, all := collected(t)
	tracing, err := newTracing(address, 100)
	if err != nil {
		t.Fatal(err)
	}
	var header http.Header
	wechat := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { header = r.Header }))
	defer wechat.Close()
	client := &http.Client{Transport: tracing.outgoing(http.DefaultTransport)}
	ctx, root := tracing.tracer.Start(t.Context(), "a click")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, wechat.URL+"/wxa/release?access_token=very-secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	root.End()
	if err := tracing.close(); err != nil {
		t.Fatal(err)
	}
	var child *spans.Span
	for _, span := range all() {
		if strings.Contains(span.String(), "very-secret") {
			t.Errorf("a span tells a token: %v", span)
		}
		if span.GetName() == "wechat /wxa/release" {
			child = span
		}
	}
	spanID := root.SpanContext().SpanID()
	if child == nil || string(child.GetParentSpanId()) != string(spanID[:]) {
		t.Errorf("the call is not the click's child: %v", child)
	}
	if header.Get("Traceparent") != "" {
		t.Error("WeChat is told of our trace")
	}
}

func TestWithoutACollectorNothingIsTraced(t *testing.T) {
	tracing, err := newTracing("", 100)
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracing.tracer.Start(context.Background(), "x")
	if span.IsRecording() || tracing.close() != nil {
		t.Error("a span is kept for nobody")
	}
}

func TestACollectorThatIsAwayHoldsUpNothing(t *testing.T) {
	away := httptest.NewServer(nil)
	away.Close()
	tracing, err := newTracing(away.URL, 100)
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracing.tracer.Start(t.Context(), "lost")
	span.End()
	_ = tracing.close() // says that it was lost, or that time ran out
}
