package gateway

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"
)

// telemetry traces and counts requests under the names of OpenTelemetry's
// conventions for HTTP. It prepares the attributes of measurements once and
// makes those of a span only where it is recorded; which RPC a request became,
// the RPC's own telemetry says.
type telemetry struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
	duration   metric.Float64Histogram
	attributes sync.Map // outcome → []metric.RecordOption
}

// outcome is what measurements are told apart by.
type outcome struct {
	method string
	status int
}

const scope = "github.com/trama-suite/trama/gateway"

// seconds are the bounds of the histogram's buckets, those of the conventions.
var seconds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}

func newTelemetry(cfg Config) (*telemetry, error) {
	duration, err := httpconv.NewServerRequestDuration(cfg.Meter.Meter(scope), metric.WithExplicitBucketBoundaries(seconds...))
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return &telemetry{tracer: cfg.Tracer.Tracer(scope), propagator: cfg.Propagator, duration: duration.Inst()}, nil
}

// server are the options of every span.
var server = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

func (t *telemetry) middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		method := knownMethod(r.Method)
		ctx, span := t.tracer.Start(t.propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header)), method, server...)
		watched := &watchedWriter{ResponseWriter: w, status: http.StatusOK}
		panicked := true
		defer func() {
			if panicked {
				watched.status = http.StatusInternalServerError
			}
			if span.IsRecording() {
				span.SetAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.URLPath(r.URL.Path),
					semconv.HTTPResponseStatusCode(watched.status))
				if watched.status >= http.StatusInternalServerError {
					span.SetStatus(otelcodes.Error, "")
				}
			}
			span.End()
			t.duration.Record(ctx, time.Since(began).Seconds(), t.options(outcome{method, watched.status})...)
		}()
		next.ServeHTTP(watched, r.WithContext(ctx))
		panicked = false
	})
}

// options returns the attributes of a measurement, made at an outcome's first.
func (t *telemetry) options(o outcome) []metric.RecordOption {
	if known, ok := t.attributes.Load(o); ok {
		return known.([]metric.RecordOption)
	}
	options := []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
		semconv.HTTPRequestMethodKey.String(o.method), semconv.HTTPResponseStatusCode(o.status), semconv.URLScheme("http")))}
	t.attributes.Store(o, options)
	return options
}

// knownMethod bounds what a client can make us count by.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "_OTHER"
}

// watchedWriter remembers the status of the answer.
type watchedWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *watchedWriter) WriteHeader(status int) {
	if status >= http.StatusOK { // not one of those that precede the answer
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Flush implements http.Flusher, which streamed answers need. The writer within
// may hide its own behind another.
func (w *watchedWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController reach the connection.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
