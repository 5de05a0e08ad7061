package gateway

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Operations are the endpoints that every process has, gateway or not:
//
//	/healthz  the process runs
//	/readyz   it can serve; otherwise 503 and what is missing
//	/status   the same, under the name that AgID's guidelines ask for
//	/checks   every check of `trama doctor` with its outcome
//	/metrics  Prometheus
type Operations struct {
	// Ready reports why the process cannot serve yet, nil when it can.
	Ready func(ctx context.Context) error
	// Checks runs all checks.
	Checks func(ctx context.Context) []CheckResult
	// Metrics answers /metrics.
	Metrics http.Handler
}

// CheckResult is one line of /checks.
type CheckResult struct {
	// Name of the check, with its service.
	Name string `json:"name"`
	// OK says whether all is well.
	OK bool `json:"ok"`
	// Detail is what is wrong.
	Detail string `json:"detail,omitempty"`
}

// NewCheckResult returns the outcome of a check that returned err.
func NewCheckResult(name string, err error) CheckResult {
	if err != nil {
		return CheckResult{Name: name, Detail: err.Error()}
	}
	return CheckResult{Name: name, OK: true}
}

// Handler returns the handler of the operations alone.
func (o Operations) Handler() http.Handler {
	mux := http.NewServeMux()
	o.mount(mux)
	return secure(mux)
}

func (o Operations) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, okay) })
	mux.HandleFunc("GET /readyz", o.ready)
	mux.HandleFunc("GET /status", o.ready)
	mux.HandleFunc("GET /checks", checks(o.Checks))
	mux.Handle("GET /metrics", o.Metrics)
	for _, path := range []string{"/healthz", "/readyz", "/status", "/checks", "/metrics"} {
		mux.HandleFunc(path, onlyRead)
	}
}

// onlyRead answers for a path that knows no other method.
func onlyRead(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	handleRoutingError(r.Context(), nil, nil, w, r, http.StatusMethodNotAllowed)
}

var okay = map[string]string{"status": "ok"}

func (o Operations) ready(w http.ResponseWriter, r *http.Request) {
	if err := o.Ready(r.Context()); err != nil {
		writeProblem(w, r, newProblem(codes.Unavailable, errs.ServiceDown, err.Error()))
		return
	}
	writeJSON(w, okay)
}

// checksFresh is how long the outcome of the checks is given out.
const checksFresh = time.Second

// checks answers with the outcome of a run that is under way or just over: the
// checks go to databases and streams, and nobody needs a token to ask.
func checks(run func(ctx context.Context) []CheckResult) http.HandlerFunc {
	var (
		mu   sync.Mutex
		at   time.Time
		last []CheckResult
	)
	shared := func(ctx context.Context) []CheckResult {
		mu.Lock()
		defer mu.Unlock()
		if at.IsZero() || time.Since(at) >= checksFresh {
			// A caller who leaves must not fail the checks for the others.
			last = run(context.WithoutCancel(ctx))
			at = time.Now()
		}
		return last
	}
	return func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, map[string][]CheckResult{"checks": shared(r.Context())})
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil { // strings and booleans only: cannot fail
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // the client went away: nothing to do about it
}
