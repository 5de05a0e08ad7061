package obs

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"
	collectmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collecttrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, cfg Config) *Obs {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	if cfg.Output == nil {
		cfg.Output = io.Discard
	}
	o, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return o
}

func TestLogLinesCarryTheTrace(t *testing.T) {
	var out bytes.Buffer
	o := start(t, Config{Service: "catalogue", Output: &out})
	ctx, span := o.TracerProvider.Tracer("test").Start(t.Context(), "request")
	defer span.End()
	o.Logger.InfoContext(ctx, "need published", "took", 1500*time.Millisecond)
	o.Logger.DebugContext(ctx, "not at this level")

	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	want := map[string]any{
		"level": "INFO", "msg": "need published", "service": "catalogue", "took": "1.5s",
		"trace_id": span.SpanContext().TraceID().String(), "span_id": span.SpanContext().SpanID().String(),
	}
	for key, value := range want {
		if line[key] != value {
			t.Errorf("%s = %v, want %v", key, line[key], value)
		}
	}
	if !span.SpanContext().IsValid() || span.SpanContext().IsSampled() {
		t.Errorf("without an exporter a span has an identity and is not sampled: %v", span.SpanContext())
	}
}

func TestMetricsAreServed(t *testing.T) {
	o := start(t, Config{Service: "training", Version: "1.2.3", Region: "it-21"})
	counter, err := o.MeterProvider.Meter("test").Int64Counter("trama.enrolments")
	if err != nil {
		t.Fatal(err)
	}
	counter.Add(t.Context(), 3)
	w := httptest.NewRecorder()
	o.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"trama_enrolments_total", "} 3", "go_goroutine_count", "process_resident_memory_bytes", `service_name="training"`, `trama_region="it-21"`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics lack %s:\n%s", want, w.Body.String())
		}
	}
}

func TestSampleRatioIsChecked(t *testing.T) {
	if _, err := Start(t.Context(), Config{SampleRatio: 1.5, Output: io.Discard}); err == nil || !strings.Contains(err.Error(), "1.5") {
		t.Errorf("error %v, want one about the ratio", err)
	}
}

// collector is an OTLP collector that counts.
type collector struct {
	collecttrace.UnimplementedTraceServiceServer
	mu    sync.Mutex
	spans map[trace.TraceID]int
}

func (c *collector) Export(_ context.Context, r *collecttrace.ExportTraceServiceRequest) (*collecttrace.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range r.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans[trace.TraceID(s.GetTraceId())]++
			}
		}
	}
	return &collecttrace.ExportTraceServiceResponse{}, nil
}

type metricsCollector struct {
	collectmetrics.UnimplementedMetricsServiceServer
}

func (metricsCollector) Export(context.Context, *collectmetrics.ExportMetricsServiceRequest) (*collectmetrics.ExportMetricsServiceResponse, error) {
	return &collectmetrics.ExportMetricsServiceResponse{}, nil
}

func TestExportKeepsTheDecisionOfTheCaller(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{spans: map[trace.TraceID]int{}}
	server := grpc.NewServer()
	collecttrace.RegisterTraceServiceServer(server, c)
	collectmetrics.RegisterMetricsServiceServer(server, metricsCollector{})
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	defer serving.Wait()
	defer server.Stop()

	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	o, err := Start(t.Context(), Config{SampleRatio: -1, Output: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	parent := func(id byte, flags trace.TraceFlags) trace.SpanContext {
		return trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{id}, SpanID: trace.SpanID{1}, TraceFlags: flags, Remote: true})
	}
	sampled, dropped := parent(1, trace.FlagsSampled), parent(2, 0)
	for _, p := range []trace.SpanContext{sampled, dropped} {
		_, span := o.TracerProvider.Tracer("test").Start(trace.ContextWithRemoteSpanContext(t.Context(), p), "request")
		span.End()
	}
	_, root := o.TracerProvider.Tracer("test").Start(t.Context(), "begun here")
	root.End()
	if err := o.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spans) != 1 || c.spans[sampled.TraceID()] != 1 {
		t.Errorf("exported %v, want one span of trace %s", c.spans, sampled.TraceID())
	}
}

func BenchmarkUnsampledSpan(b *testing.B) {
	b.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	o, err := Start(b.Context(), Config{Output: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	defer o.Close(context.Background())
	tracer := o.TracerProvider.Tracer("bench")
	b.ReportAllocs()
	for b.Loop() {
		_, span := tracer.Start(context.Background(), "call")
		span.End()
	}
}
