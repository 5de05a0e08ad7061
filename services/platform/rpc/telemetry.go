package rpc

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/rpcconv"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// telemetry traces and counts in-process calls under the names that otelgrpc
// gives to calls over TCP (OpenTelemetry's conventions for RPC). It does not go
// through headers to find the caller's span, makes no span below one that is not
// sampled, and prepares the attributes of measurements once.
type telemetry struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

// seconds are the bounds of the histogram's buckets, otelgrpc's.
var seconds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

func newTelemetry(tracer trace.TracerProvider, meter metric.MeterProvider) (*telemetry, error) {
	duration, err := rpcconv.NewServerCallDuration(
		meter.Meter(otelgrpc.ScopeName, metric.WithInstrumentationVersion(otelgrpc.Version), metric.WithSchemaURL(semconv.SchemaURL)),
		metric.WithExplicitBucketBoundaries(seconds...))
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return &telemetry{
		tracer:   tracer.Tracer(otelgrpc.ScopeName, trace.WithInstrumentationVersion(otelgrpc.Version)),
		duration: duration.Inst(),
	}, nil
}

// callMeter holds what is the same for every call of a method.
type callMeter struct {
	name    string
	span    []trace.SpanStartOption
	options [17]atomic.Pointer[[]metric.RecordOption] // by status code
}

func (t *telemetry) meter(method string) *callMeter {
	name := method[1:]
	return &callMeter{name: name, span: []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(semconv.RPCSystemNameGRPC, semconv.RPCMethod(name)),
	}}
}

// ended is a call that has begun.
type ended struct {
	telemetry *telemetry
	meter     *callMeter
	span      trace.Span // nil where there is none of this call's own
	began     time.Time
}

// begin puts the call's span into the server's context; caller is the context
// that the call was made with.
func (t *telemetry) begin(server, caller context.Context, m *callMeter) (context.Context, ended) {
	e := ended{telemetry: t, meter: m, began: time.Now()}
	above := trace.SpanContextFromContext(caller)
	switch {
	case above.IsValid() && !above.IsSampled():
		server = trace.ContextWithSpanContext(server, above) // for the log's trace ids
	case above.IsValid():
		server, e.span = t.tracer.Start(trace.ContextWithSpanContext(server, above), m.name, m.span...)
	default:
		server, e.span = t.tracer.Start(server, m.name, m.span...)
	}
	return server, e
}

func (e ended) end(ctx context.Context, err error) {
	s := status.Convert(err) // OK where err is nil
	if e.span != nil && e.span.IsRecording() {
		e.span.SetAttributes(semconv.RPCResponseStatusCode(code.Code(s.Code()).String()))
		if serverFault(s.Code()) {
			e.span.SetStatus(otelcodes.Error, s.Message())
		}
		e.span.End()
	}
	if e.telemetry.duration.Enabled(ctx) {
		e.telemetry.duration.Record(ctx, time.Since(e.began).Seconds(), e.meter.attributes(s.Code())...)
	}
}

// attributes returns the attributes of a measurement, made at a code's first use.
func (m *callMeter) attributes(c codes.Code) []metric.RecordOption {
	if int(c) >= len(m.options) {
		c = codes.Unknown
	}
	if o := m.options[c].Load(); o != nil {
		return *o
	}
	name := code.Code(c).String()
	attributes := []attribute.KeyValue{semconv.RPCSystemNameGRPC, semconv.RPCMethod(m.name), semconv.RPCResponseStatusCode(name)}
	if serverFault(c) {
		attributes = append(attributes, semconv.ErrorTypeKey.String(name))
	}
	options := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(attributes...))}
	m.options[c].Store(&options)
	return options
}

// serverFault reports whether a code is a failure of the server's, by
// OpenTelemetry's conventions for gRPC.
func serverFault(c codes.Code) bool {
	switch c {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	}
	return false
}
