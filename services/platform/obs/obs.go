// Package obs is how a process lets itself be observed: a JSON log, traces and
// metrics. Nothing here is global: what Start returns is handed on, and only
// Install, for the binary, sets what OpenTelemetry keeps as the process's own.
package obs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config says who the process is and where it reports to. The zero value logs
// to standard error and keeps metrics for Handler.
type Config struct {
	// Service is the target that runs, for example "catalogue"; "trama" where empty.
	Service string
	// Version of the program.
	Version string
	// Region is the home region, ISO 3166-2 in lower case.
	Region string
	// Endpoint is the URL of an OTLP collector (gRPC), for example
	// "http://collector:4317"; https means TLS. Where empty the standard
	// variable OTEL_EXPORTER_OTLP_ENDPOINT says it, and where that is empty
	// too nothing is exported.
	Endpoint string
	// SampleRatio is the share of traces begun here that are recorded, 0 to 1;
	// 0 means 0.01, negative none. A trace begun elsewhere keeps the decision
	// made there.
	SampleRatio float64
	// Level below which nothing is logged; the zero value is Info.
	Level slog.Level
	// Output of the log; standard error where nil.
	Output io.Writer
}

// Obs is the process's log, traces and metrics.
type Obs struct {
	// Logger writes JSON lines, with the trace of the context where there is one.
	Logger *slog.Logger
	// TracerProvider makes spans.
	TracerProvider trace.TracerProvider
	// MeterProvider makes instruments.
	MeterProvider metric.MeterProvider
	// Propagator carries the trace over a call: W3C Trace Context and Baggage.
	Propagator propagation.TextMapPropagator

	handler http.Handler
	closers []func(context.Context) error // closed in reverse order
}

// Start sets up log, traces and metrics.
func Start(ctx context.Context, cfg Config) (*Obs, error) {
	if cfg.Service == "" {
		cfg.Service = "trama"
	}
	if cfg.Output == nil {
		cfg.Output = os.Stderr
	}
	if cfg.Endpoint == "" {
		cfg.Endpoint = os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	switch {
	case cfg.SampleRatio > 1:
		return nil, fmt.Errorf("obs: sample ratio %v: want at most 1", cfg.SampleRatio)
	case cfg.SampleRatio == 0:
		cfg.SampleRatio = 0.01
	}
	o := &Obs{
		Logger:     slog.New(newLogHandler(cfg.Output, cfg.Level)).With("service", cfg.Service),
		Propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
	}
	about, err := describe(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(o.startTraces(ctx, cfg, about), o.startMetrics(ctx, cfg, about)); err != nil {
		return nil, errors.Join(fmt.Errorf("obs: %w", err), o.Close(ctx))
	}
	return o, nil
}

func describe(ctx context.Context, cfg Config) (*resource.Resource, error) {
	attributes := []attribute.KeyValue{attribute.String("service.name", cfg.Service)}
	if cfg.Version != "" {
		attributes = append(attributes, attribute.String("service.version", cfg.Version))
	}
	if cfg.Region != "" {
		attributes = append(attributes, attribute.String("trama.region", cfg.Region))
	}
	r, err := resource.New(ctx, resource.WithAttributes(attributes...), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("obs: OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	return r, nil
}

func (o *Obs) startTraces(ctx context.Context, cfg Config, about *resource.Resource) error {
	root := sdktrace.NeverSample()
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	if cfg.Endpoint != "" {
		exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(cfg.Endpoint))
		if err != nil {
			return fmt.Errorf("traces to %s: %w", cfg.Endpoint, err)
		}
		if cfg.SampleRatio > 0 {
			root = sdktrace.TraceIDRatioBased(cfg.SampleRatio)
		}
		options = append(options, sdktrace.WithBatcher(exporter))
	}
	// Also where nothing is exported a request has a trace id: it ties together
	// the log lines, the error that a caller sees and the events.
	options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(root)))
	provider := sdktrace.NewTracerProvider(options...)
	o.TracerProvider = provider
	o.closers = append(o.closers, provider.Shutdown)
	return nil
}

func (o *Obs) startMetrics(ctx context.Context, cfg Config, about *resource.Resource) error {
	registry := prometheus.NewRegistry()
	if err := registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})); err != nil {
		return err
	}
	scraped, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		return err
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(about), sdkmetric.WithReader(scraped)}
	if cfg.Endpoint != "" {
		exporter, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithEndpointURL(cfg.Endpoint))
		if err != nil {
			return fmt.Errorf("metrics to %s: %w", cfg.Endpoint, err)
		}
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	o.MeterProvider = provider
	o.closers = append(o.closers, provider.Shutdown)
	o.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog: promLog{o.Logger}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4,
	})
	// Read when asked, not by a timer: an idle process stays idle.
	return runtime.Start(runtime.WithMeterProvider(provider), runtime.WithMinimumReadMemStatsInterval(10*time.Second))
}

// Handler serves the metrics in the Prometheus text format.
func (o *Obs) Handler() http.Handler { return o.handler }

// Install makes these the process's own: slog's default logger, and what
// OpenTelemetry keeps for libraries that ask for nothing else.
func (o *Obs) Install() {
	slog.SetDefault(o.Logger)
	otel.SetTracerProvider(o.TracerProvider)
	otel.SetMeterProvider(o.MeterProvider)
	otel.SetTextMapPropagator(o.Propagator)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		o.Logger.Warn("telemetry", "error", err)
	}))
}

// Close sends what has not been sent and stops. It gives up when ctx ends.
func (o *Obs) Close(ctx context.Context) error {
	var failed []error
	for len(o.closers) > 0 {
		last := len(o.closers) - 1
		failed = append(failed, o.closers[last](ctx))
		o.closers = o.closers[:last]
	}
	return errors.Join(failed...)
}
