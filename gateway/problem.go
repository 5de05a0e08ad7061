package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/trama-suite/trama/services/platform/errs"
)

// problem is an RFC 9457 problem document (application/problem+json). The
// members after instance are our extensions.
type problem struct {
	// Type identifies the reason: urn:trama:problem:<domain>:<reason>.
	Type string `json:"type"`
	// Title is the HTTP status in words.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail says what is wrong, for people.
	Detail string `json:"detail,omitempty"`
	// Instance is the path that was asked for.
	Instance string `json:"instance,omitempty"`
	// Reason is the ErrorInfo reason: PlatformError or the service's own enum.
	Reason string `json:"reason,omitempty"`
	// Domain is who gives the reason: trama, or <service>.trama.
	Domain string `json:"domain,omitempty"`
	// Metadata are facts for programs, such as the resource's name.
	Metadata map[string]string `json:"metadata,omitempty"`
	// Fields are the violations, one per field of the request.
	Fields []problemField `json:"fields,omitempty"`
	// TraceID finds the request in the logs and traces.
	TraceID string `json:"traceId,omitempty"`
}

// problemField is one field that is wrong; its path is in JSON names.
type problemField struct {
	Field       string `json:"field"`
	Reason      string `json:"reason,omitempty"`
	Description string `json:"description"`
}

// platformDomain is the ErrorInfo domain of the reasons that any service gives.
const platformDomain = "trama"

// httpStatus maps a canonical code and a reason to the HTTP status (see
// errs.Kind for the table).
func httpStatus(code codes.Code, reason string) int {
	switch errs.Reason(reason) {
	case errs.StaleEtag:
		return http.StatusPreconditionFailed
	case errs.BodyTooLarge:
		return http.StatusRequestEntityTooLarge
	}
	switch code {
	case codes.FailedPrecondition:
		return http.StatusConflict
	case codes.Canceled:
		return 499 // the client went away; nobody reads the answer
	default:
		return runtime.HTTPStatusFromCode(code)
	}
}

// handleError is the mux's error handler: every gRPC status becomes a problem.
func handleError(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	// The mux wraps a status in HTTPStatusError where it knows better.
	forced := 0
	if wrapped, ok := errors.AsType[*runtime.HTTPStatusError](err); ok {
		forced, err = wrapped.HTTPStatus, wrapped.Err
	}
	p := problemOf(status.Convert(err))
	if tooLarge(r) {
		p = newProblem(codes.InvalidArgument, errs.BodyTooLarge, "the request body is larger than "+bodyLimit(r))
		w.Header().Set("Connection", "close")
	}
	if forced != 0 {
		p.Status, p.Title = forced, http.StatusText(forced)
	}
	writeProblem(w, r.WithContext(ctx), p)
}

// handleRoutingError answers for a path or method that no RPC is bound to.
func handleRoutingError(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, code int) {
	p := problem{Status: code, Title: http.StatusText(code), Domain: platformDomain, Reason: string(errs.Absent)}
	switch code {
	case http.StatusNotFound:
		p.Detail = "no such path; /openapi.json lists them all"
	case http.StatusMethodNotAllowed:
		p.Reason = string(errs.InvalidRequest)
		p.Detail = "the path does not take " + r.Method
	default:
		p.Reason = string(errs.InvalidRequest)
		p.Detail = "the path is malformed"
	}
	writeProblem(w, r.WithContext(ctx), p)
}

func newProblem(code codes.Code, reason errs.Reason, detail string) problem {
	s := httpStatus(code, string(reason))
	return problem{Status: s, Title: http.StatusText(s), Detail: detail, Domain: platformDomain, Reason: string(reason)}
}

// problemOf renders a gRPC status with its details.
func problemOf(s *status.Status) problem {
	p := problem{Detail: s.Message()}
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			p.Reason, p.Domain, p.Metadata = d.GetReason(), d.GetDomain(), d.GetMetadata()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				if rest, ok := strings.CutPrefix(p.Detail, v.GetField()+": "); ok { // the same name in both places
					p.Detail = jsonPath(v.GetField()) + ": " + rest
				}
				p.Fields = append(p.Fields, problemField{
					Field: jsonPath(v.GetField()), Reason: v.GetReason(), Description: v.GetDescription(),
				})
			}
		}
	}
	if p.Reason == "" {
		describeBare(s, &p)
	}
	p.Status = httpStatus(s.Code(), p.Reason)
	p.Title = http.StatusText(p.Status)
	return p
}

// Errors that never reached a service: the mux's own, of bodies and parameters.
var (
	fieldError = regexp.MustCompile(`^field "([^"]*)": (.*)$`)
	paramError = regexp.MustCompile(`^type mismatch, parameter: ([^,]+), error: (.*)$`)
	queryError = regexp.MustCompile(`^(?:parsing|assigning) (?:field|value) "([^"]+)":? ?(.*)$`)
)

// describeBare gives a reason and fields to a status that came without details.
func describeBare(s *status.Status, p *problem) {
	p.Domain = platformDomain
	switch s.Code() {
	case codes.InvalidArgument:
		p.Reason = string(errs.InvalidRequest)
		for _, pattern := range []*regexp.Regexp{fieldError, paramError, queryError} {
			if m := pattern.FindStringSubmatch(p.Detail); m != nil {
				p.Fields = []problemField{{Field: jsonPath(m[1]), Reason: p.Reason, Description: m[2]}}
				if m[1] == "" {
					p.Fields[0].Field = "body"
				}
				p.Detail = p.Fields[0].Field + ": " + m[2]
				return
			}
		}
	case codes.Unavailable:
		p.Reason = string(errs.ServiceDown)
		p.Detail = "a service behind the gateway does not answer: try again"
	case codes.NotFound:
		p.Reason = string(errs.Absent)
	case codes.Unimplemented:
		p.Reason = string(errs.Absent)
		p.Detail = "this deployment does not run the service that answers here"
	case codes.ResourceExhausted:
		p.Reason = string(errs.BodyTooLarge)
		p.Detail = "a message is larger than 4 MiB"
	case codes.Canceled, codes.DeadlineExceeded:
		p.Reason = string(errs.ServiceDown)
	default:
		p.Reason = string(errs.InternalFailure)
		p.Detail = "the server failed; quote the trace id when you report it"
	}
}

func writeProblem(w http.ResponseWriter, r *http.Request, p problem) {
	p.Type = "urn:trama:problem:" + p.Domain + ":" + strings.ToLower(p.Reason)
	p.Instance = r.URL.Path
	if span := trace.SpanContextFromContext(r.Context()); span.HasTraceID() {
		p.TraceID = span.TraceID().String()
	}
	h := w.Header()
	h.Del("Trailer")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", challenge(p.Reason))
	}
	if p.Status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	body, err := json.Marshal(p)
	if err != nil { // strings and numbers only: cannot fail
		body = []byte(`{"status":500}`)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client went away: nothing to do about it
}

// challenge is the WWW-Authenticate value of RFC 6750, section 3.
func challenge(reason string) string {
	if errs.Reason(reason) == errs.TokenAbsent {
		return `Bearer realm="trama"`
	}
	return `Bearer realm="trama", error="invalid_token"`
}

// jsonPath turns a proto path (organisation.legal_form) into the JSON names
// that a REST client wrote (organisation.legalForm).
func jsonPath(path string) string {
	var b strings.Builder
	upper, quoted := false, false
	for _, r := range path {
		switch {
		case r == '"':
			quoted = !quoted // a map key stays as it is
			b.WriteRune(r)
		case r == '_' && !quoted:
			upper = true
		case upper:
			b.WriteString(strings.ToUpper(string(r)))
			upper = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
