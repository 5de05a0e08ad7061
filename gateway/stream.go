package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// alertsPath is bound once more than the generated route of StreamAlerts, which
// would answer in lines of JSON.
const alertsPath = "/v1/{parent=projects/*}/alerts:stream"

// slowest is how long a client may take to read one event before it is left.
const slowest = 30 * time.Second

// stoppingKey is the context key of the channel that ends streams.
type stoppingKey struct{}

// untilStopping is the middleware that lets streams know when the process stops:
// an HTTP server that shuts down waits for its answers to end.
func untilStopping(stopping <-chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), stoppingKey{}, stopping)))
	})
}

// streamAlerts binds StreamAlerts to Server-Sent Events (HTML Living Standard,
// 9.2). It goes through the connection as every call does, so that the same
// checks are made.
func streamAlerts(_ context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
	client := projectsv1.NewAlertServiceClient(conn)
	return mux.HandlePath(http.MethodGet, alertsPath, func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		_, marshaler := runtime.MarshalerForRequest(mux, r)
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if stopping, ok := ctx.Value(stoppingKey{}).(<-chan struct{}); ok && stopping != nil {
			stop := make(chan struct{})
			defer close(stop)
			go func() {
				select {
				case <-stopping:
					cancel()
				case <-stop:
				}
			}()
		}
		ctx, err := runtime.AnnotateContext(ctx, mux, r, "/trama.projects.v1.AlertService/StreamAlerts", runtime.WithHTTPPathPattern(alertsPath))
		if err != nil {
			handleError(ctx, mux, marshaler, w, r, err)
			return
		}
		req, err := streamRequest(r, params["parent"])
		if err != nil {
			handleError(ctx, mux, marshaler, w, r, err)
			return
		}
		stream, err := client.StreamAlerts(ctx, req)
		var first *projectsv1.StreamAlertsResponse
		if err == nil {
			first, err = stream.Recv()
		}
		if err != nil {
			handleError(ctx, mux, marshaler, w, r, err)
			return
		}
		serveEvents(w, marshaler, first, stream)
	})
}

// streamRequest reads the request out of path, query and Last-Event-ID.
func streamRequest(r *http.Request, parent string) (*projectsv1.StreamAlertsRequest, error) {
	req := &projectsv1.StreamAlertsRequest{}
	values := r.URL.Query()
	if err := (&strictQuery{}).Parse(req, values, utilities.NewDoubleArray(nil)); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	req.Parent = parent
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		req.ResumeToken = last
	}
	return req, nil
}

// serveEvents writes the stream as events, until either side ends it.
func serveEvents(w http.ResponseWriter, marshaler runtime.Marshaler, first *projectsv1.StreamAlertsResponse, stream grpc.ServerStreamingClient[projectsv1.StreamAlertsResponse]) {
	control := http.NewResponseController(w)
	// The server's own bounds are for answers that end. Not all writers have
	// deadlines (those of tests): then the connection's own must do.
	_ = control.SetReadDeadline(time.Time{})
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies that know it pass each event on at once
	w.WriteHeader(http.StatusOK)
	if _, err := io.WriteString(w, "retry: 2000\n\n"); err != nil {
		return
	}
	for next := first; ; {
		_ = control.SetWriteDeadline(time.Now().Add(slowest))
		if err := writeEvent(w, marshaler, next); err != nil {
			return // the client went away, or does not read
		}
		if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
		var err error
		if next, err = stream.Recv(); err != nil {
			return // the client comes back with its last id, and learns the reason
		}
	}
}

// writeEvent writes one event. A heartbeat is a comment, and an id without data:
// it is no event for the client, but what it resumes from.
func writeEvent(w io.Writer, marshaler runtime.Marshaler, m *projectsv1.StreamAlertsResponse) error {
	var b strings.Builder
	if m.GetAlert() == nil {
		b.WriteString(": heartbeat\n")
	}
	b.WriteString("id: " + m.GetResumeToken() + "\n")
	if m.GetAlert() != nil {
		data, err := marshaler.Marshal(m.GetAlert())
		if err != nil {
			return err
		}
		b.WriteString("event: alert\n")
		for line := range strings.Lines(string(data)) {
			b.WriteString("data: " + strings.TrimRight(line, "\r\n") + "\n")
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}
