package gateway

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// Each request is one span, below the caller's, and one measurement; a panic
// counts as a failure; answers can still be streamed.
func TestRequestsAreTracedAndCounted(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	reader := sdkmetric.NewManualReader()
	telemetry, err := newTelemetry(Config{
		Tracer:     sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
		Meter:      sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		Propagator: propagation.TraceContext{},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler := telemetry.middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/panic":
			panic("on purpose")
		case "/absent":
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNotFound)
		default:
			w.(http.Flusher).Flush()
		}
	}))
	const caller = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, c := range []struct{ method, path string }{{"GET", "/x"}, {"GET", "/x"}, {"BREW", "/absent"}, {"POST", "/panic"}} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Header.Set("Traceparent", "00-"+caller+"-00f067aa0ba902b7-01")
		func() {
			defer func() { _ = recover() }()
			handler.ServeHTTP(httptest.NewRecorder(), r)
		}()
	}
	if len(spans.Ended()) != 4 {
		t.Errorf("%d spans, want 4", len(spans.Ended()))
	}
	for _, s := range spans.Ended() {
		if s.SpanContext().TraceID().String() != caller {
			t.Errorf("span %s is not below the caller's", s.Name())
		}
	}
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	counts := map[string]uint64{}
	for _, p := range got.ScopeMetrics[0].Metrics[0].Data.(metricdata.Histogram[float64]).DataPoints {
		method, _ := p.Attributes.Value("http.request.method")
		status, _ := p.Attributes.Value(attribute.Key("http.response.status_code"))
		counts[method.AsString()+" "+status.String()] += p.Count
	}
	for outcome, want := range map[string]uint64{"GET 200": 2, "_OTHER 404": 1, "POST 500": 1} {
		if counts[outcome] != want {
			t.Errorf("%s counted %d times, want %d (all: %v)", outcome, counts[outcome], want, counts)
		}
	}
}
