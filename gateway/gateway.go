// Package gateway is the REST side of the suite: JSON over HTTP in, gRPC out.
// It holds no business rule. Every call goes through a client connection, so
// that the same interceptors run whether the service is in this process or in
// another one.
package gateway

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	protos "github.com/trama-suite/trama/proto"

	"github.com/trama-suite/trama/gateway/wirejson"
)

// Config is what the gateway needs besides the services' connections.
type Config struct {
	// Origins may call the API from a browser; "*" for any, empty for none.
	Origins []string
	// RateLimit bounds the requests of one caller.
	RateLimit RateLimit
	// MaxUpload is how large a file may be that is uploaded, in bytes; 0 means 20
	// MiB. The services have a limit of their own.
	MaxUpload int64
	// Operations are the process's health, checks and metrics.
	Operations Operations
	// Tracer, Meter and Propagator carry the gateway's telemetry.
	Tracer     trace.TracerProvider
	Meter      metric.MeterProvider
	Propagator propagation.TextMapPropagator
	// Stopping is closed when the process is about to stop: streams end then.
	Stopping <-chan struct{}
	// Now is the clock of the rate limit.
	Now func() time.Time
}

// New returns the handler of the whole REST side. conns has a connection for
// each service the gateway speaks for, by service name; a service without one
// answers 404.
func New(ctx context.Context, cfg Config, conns map[string]grpc.ClientConnInterface) (http.Handler, error) {
	api := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, wirejson.HTTPBody{}),
		runtime.WithMarshalerOption("application/merge-patch+json", wirejson.HTTPBody{}),
		runtime.SetQueryParameterParser(&strictQuery{}),
		runtime.WithIncomingHeaderMatcher(forwardHeader),
		runtime.WithOutgoingHeaderMatcher(func(string) (string, bool) { return "", false }),
		runtime.WithErrorHandler(handleError),
		runtime.WithRoutingErrorHandler(handleRoutingError),
		runtime.WithForwardResponseOption(setHeaders),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	for _, service := range slices.Sorted(maps.Keys(conns)) { // which route wins must not change from start to start
		for _, mount := range mounts[service] {
			if err := mount(ctx, api, conditionalConn{conns[service]}); err != nil {
				return nil, fmt.Errorf("mount %s: %w", service, err)
			}
		}
		if err := mountDownloads(api, service, conditionalConn{conns[service]}); err != nil {
			return nil, fmt.Errorf("mount %s: %w", service, err)
		}
	}

	root := http.NewServeMux()
	telemetry, err := newTelemetry(cfg)
	if err != nil {
		return nil, err
	}
	traced := telemetry.middleware(untilStopping(cfg.Stopping, readable(readConditions(limitBody(cfg.MaxUpload, api)))))
	root.Handle("/v1/", cfg.RateLimit.middleware(cfg.Now, traced))
	root.HandleFunc("GET /openapi.json", openAPI)
	root.Handle("GET /docs/", v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "Trama", SwaggerJSON: "/openapi.json", BasePath: "/docs/",
		// Swagger UI would otherwise ask a foreign host to validate the document.
		SettingsUI: map[string]string{"validatorUrl": "null", "tryItOutEnabled": "true"},
	}))
	root.Handle("GET /docs", http.RedirectHandler("/docs/", http.StatusMovedPermanently))
	cfg.Operations.mount(root)
	root.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		handleRoutingError(r.Context(), nil, nil, w, r, http.StatusNotFound)
	})
	return secure(cors(cfg.Origins, root)), nil
}

// secure sets the headers that keep browsers from guessing and framing.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["X-Content-Type-Options"] = nosniff
		h["X-Frame-Options"] = deny
		h["Referrer-Policy"] = noReferrer
		next.ServeHTTP(w, r)
	})
}

var (
	nosniff    = []string{"nosniff"}
	deny       = []string{"DENY"}
	noReferrer = []string{"no-referrer"}
)

func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(protos.OpenAPI) // the client went away: nothing to do about it
}
