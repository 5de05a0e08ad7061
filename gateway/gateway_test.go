package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// answering is a service of one answer that keeps the last request.
type answering struct {
	answer proto.Message
	err    error
	method string
	got    proto.Message
	md     metadata.MD
}

func (a *answering) Invoke(ctx context.Context, method string, args, reply any, _ ...grpc.CallOption) error {
	a.method, a.got = method, proto.Clone(args.(proto.Message))
	a.md, _ = metadata.FromOutgoingContext(ctx)
	if a.err != nil {
		return a.err
	}
	out := reply.(proto.Message)
	if out.ProtoReflect().Descriptor() == a.answer.ProtoReflect().Descriptor() {
		proto.Merge(out, a.answer)
	}
	return nil
}

func (*answering) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "no streams")
}

func serve(t *testing.T, conn grpc.ClientConnInterface, change func(*Config)) *httptest.Server {
	t.Helper()
	cfg := Config{
		Operations: Operations{
			Ready: func(context.Context) error { return nil }, Checks: func(context.Context) []CheckResult { return nil },
			Metrics: http.NotFoundHandler(),
		},
		Tracer: tracenoop.NewTracerProvider(), Meter: noop.NewMeterProvider(), Propagator: propagation.TraceContext{}, Now: time.Now,
	}
	if change != nil {
		change(&cfg)
	}
	handler, err := New(t.Context(), cfg, map[string]grpc.ClientConnInterface{"catalogue": conn, "matching": conn})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// send makes a request and returns the response with its body read.
func send(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(answer)
}

func requireProblem(t *testing.T, res *http.Response, body string, want problem) {
	t.Helper()
	var got problem
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%s: no problem document: %s", res.Status, body)
	}
	if res.StatusCode != want.Status || got.Status != want.Status || got.Reason != want.Reason || got.Domain != want.Domain ||
		res.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s %s: %s", res.Status, res.Header.Get("Content-Type"), body)
	}
	if len(want.Fields) > 0 && (len(got.Fields) != 1 || got.Fields[0].Field != want.Fields[0].Field) {
		t.Fatalf("fields %+v, want %+v", got.Fields, want.Fields)
	}
}

func withDetails(t *testing.T, code codes.Code, reason, domain string, fields ...*errdetails.BadRequest_FieldViolation) error {
	t.Helper()
	s, err := status.New(code, "words for people").WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: domain}, &errdetails.BadRequest{FieldViolations: fields})
	if err != nil {
		t.Fatal(err)
	}
	return s.Err()
}

func TestEveryErrorIsAProblem(t *testing.T) {
	for _, c := range []struct {
		err  error
		want problem
	}{
		{withDetails(t, codes.InvalidArgument, "CHECK_DIGIT_WRONG", "catalogue.trama",
			&errdetails.BadRequest_FieldViolation{Field: "need.desired_outcome.text", Description: "wrong"}),
			problem{Status: 400, Reason: "CHECK_DIGIT_WRONG", Domain: "catalogue.trama", Fields: []problemField{{Field: "need.desiredOutcome.text"}}}},
		{withDetails(t, codes.InvalidArgument, "INVALID_ORDER_BY", "trama", &errdetails.BadRequest_FieldViolation{Field: "order_by", Description: "wrong"}),
			problem{Status: 400, Reason: "INVALID_ORDER_BY", Domain: "trama", Fields: []problemField{{Field: "orderBy"}}}},
		{withDetails(t, codes.Aborted, "STALE_ETAG", "trama"), problem{Status: 412, Reason: "STALE_ETAG", Domain: "trama"}},
		{withDetails(t, codes.Aborted, "CONCURRENT_UPDATE", "trama"), problem{Status: 409, Reason: "CONCURRENT_UPDATE", Domain: "trama"}},
		{withDetails(t, codes.FailedPrecondition, "ENTRY_NOT_DRAFT", "catalogue.trama"), problem{Status: 409, Reason: "ENTRY_NOT_DRAFT", Domain: "catalogue.trama"}},
		{withDetails(t, codes.NotFound, "NOT_FOUND", "trama"), problem{Status: 404, Reason: "NOT_FOUND", Domain: "trama"}},
		{withDetails(t, codes.PermissionDenied, "ROLE_MISSING", "trama"), problem{Status: 403, Reason: "ROLE_MISSING", Domain: "trama"}},
		{withDetails(t, codes.Unauthenticated, "TOKEN_EXPIRED", "trama"), problem{Status: 401, Reason: "TOKEN_EXPIRED", Domain: "trama"}},
		{status.Error(codes.Unavailable, "connection refused by 10.0.0.7"), problem{Status: 503, Reason: "UNAVAILABLE", Domain: "trama"}},
		{status.Error(codes.Internal, "pgx: secret table"), problem{Status: 500, Reason: "INTERNAL", Domain: "trama"}},
		{status.Error(codes.Unimplemented, "unknown service"), problem{Status: 501, Reason: "NOT_FOUND", Domain: "trama"}},
	} {
		server := serve(t, &answering{err: c.err}, nil)
		res, body := send(t, "GET", server.URL+"/v1/needs/x", "")
		requireProblem(t, res, body, c.want)
		if strings.Contains(body, "secret") || strings.Contains(body, "10.0.0.7") {
			t.Errorf("tells of the inside: %s", body)
		}
		if res.StatusCode == http.StatusUnauthorized && res.Header.Get("WWW-Authenticate") != `Bearer realm="trama", error="invalid_token"` {
			t.Errorf("challenge %q", res.Header.Get("WWW-Authenticate"))
		}
		if res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	}
}

func TestRequestsThatReachNoService(t *testing.T) {
	conn := &answering{answer: &cataloguev1.Need{}}
	server := serve(t, conn, nil)
	for name, c := range map[string]struct {
		method, path, body string
		want               problem
	}{
		"no such path":        {"GET", "/v1/nothing", "", problem{Status: 404, Reason: "NOT_FOUND", Domain: "trama"}},
		"outside the API":     {"GET", "/admin", "", problem{Status: 404, Reason: "NOT_FOUND", Domain: "trama"}},
		"wrong method":        {"PUT", "/v1/needs", "{}", problem{Status: 405, Reason: "INVALID_REQUEST", Domain: "trama"}},
		"malformed JSON":      {"POST", "/v1/needs", `{"title":`, problem{Status: 400, Reason: "INVALID_REQUEST", Domain: "trama", Fields: []problemField{{Field: "body"}}}},
		"wrong type":          {"POST", "/v1/needs", `{"title": {"text": 3}}`, problem{Status: 400, Reason: "INVALID_REQUEST", Domain: "trama", Fields: []problemField{{Field: "title.text"}}}},
		"unknown field":       {"POST", "/v1/needs", `{"tittle": "x"}`, problem{Status: 400, Reason: "INVALID_REQUEST", Domain: "trama", Fields: []problemField{{Field: "tittle"}}}},
		"unknown query":       {"GET", "/v1/needs?pageSice=3", "", problem{Status: 400, Reason: "INVALID_REQUEST", Domain: "trama", Fields: []problemField{{Field: "pageSice"}}}},
		"wrong type in query": {"GET", "/v1/needs?page_size=many", "", problem{Status: 400, Reason: "INVALID_REQUEST", Domain: "trama", Fields: []problemField{{Field: "pageSize"}}}},
	} {
		conn.got = nil
		res, body := send(t, c.method, server.URL+c.path, c.body)
		t.Log(name, body)
		requireProblem(t, res, body, c.want)
		if conn.got != nil {
			t.Errorf("%s reached the service", name)
		}
	}
}

func TestLargeBodies(t *testing.T) {
	conn := &answering{answer: &cataloguev1.Need{}}
	server := serve(t, conn, nil)
	large := `{"licence": "` + strings.Repeat("x", maxBody) + `"}`
	want := problem{Status: 413, Reason: "BODY_TOO_LARGE", Domain: "trama"}
	res, body := send(t, "POST", server.URL+"/v1/needs", large)
	requireProblem(t, res, body, want)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/needs", io.MultiReader(strings.NewReader(large))) // no length: chunked
	if err != nil {
		t.Fatal(err)
	}
	chunked, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer chunked.Body.Close()
	answer, _ := io.ReadAll(chunked.Body)
	requireProblem(t, chunked, string(answer), want)
	if conn.got != nil {
		t.Error("a large body reached the service")
	}
	if res, body := send(t, "POST", server.URL+"/v1/needs", `{"licence": "`+strings.Repeat("x", maxBody-100)+`"}`); res.StatusCode != http.StatusOK {
		t.Errorf("a body within the limit: %s", body)
	}
}

func TestHeadersBecomeFields(t *testing.T) {
	conn := &answering{answer: &cataloguev1.Need{Etag: "v4"}}
	server := serve(t, conn, nil)
	res, _ := send(t, "POST", server.URL+"/v1/needs/n:publish", `{}`, "Idempotency-Key", "k1", "If-Match", `W/"v3"`)
	got := conn.got.(*cataloguev1.PublishNeedRequest)
	if got.GetRequestId() != "k1" || got.GetEtag() != "v3" {
		t.Fatalf("got %v", got)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", res.Header.Get("Cache-Control"))
	}
	if res.Header.Get("ETag") != `"v4"` {
		t.Errorf("ETag %q", res.Header.Get("ETag"))
	}
	send(t, "POST", server.URL+"/v1/needs/n:publish", `{"requestId": "own", "etag": "own"}`, "Idempotency-Key", "k1", "If-Match", `"v3"`)
	if got := conn.got.(*cataloguev1.PublishNeedRequest); got.GetRequestId() != "own" || got.GetEtag() != "own" {
		t.Errorf("a header won over a field: %v", got)
	}
	send(t, "PATCH", server.URL+"/v1/needs/n", `{"category": "x"}`, "If-Match", `"v3"`, "Content-Type", "application/merge-patch+json")
	if got := conn.got.(*cataloguev1.UpdateNeedRequest); got.GetNeed().GetEtag() != "v3" || got.GetUpdateMask().GetPaths()[0] != "category" {
		t.Errorf("update: %v", got)
	}
}

// If-Match: * asks for no particular version.
func TestAnyVersionMatchesTheStar(t *testing.T) {
	conn := &answering{answer: &cataloguev1.Need{}}
	server := serve(t, conn, nil)
	send(t, "POST", server.URL+"/v1/needs/n:publish", `{}`, "If-Match", "*")
	if got := conn.got.(*cataloguev1.PublishNeedRequest).GetEtag(); got != "" {
		t.Errorf("the service is asked for the version %q", got)
	}
}

// Only the token crosses over. What a client calls gRPC metadata must not
// become metadata.
func TestOnlyTheTokenIsForwarded(t *testing.T) {
	conn := &answering{answer: &cataloguev1.Need{}}
	server := serve(t, conn, nil)
	send(t, "GET", server.URL+"/v1/needs/n", "", "Authorization", "Bearer abc",
		"Grpc-Metadata-Authorization", "Bearer stolen", "Grpc-Metadata-X-Role", "operator", "X-Forwarded-For", "1.2.3.4", "Cookie", "a=b")
	if got := conn.md.Get("authorization"); len(got) != 1 || got[0] != "Bearer abc" {
		t.Errorf("authorization %v", got)
	}
	for key := range conn.md {
		if strings.Contains(key, "role") || strings.Contains(key, "cookie") {
			t.Errorf("%s was forwarded", key)
		}
	}
}

func TestRateLimit(t *testing.T) {
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	server := serve(t, &answering{answer: &cataloguev1.Need{}}, func(c *Config) {
		c.RateLimit, c.Now = RateLimit{PerSecond: 2, Burst: 3}, func() time.Time { return now }
	})
	call := func(token string) *http.Response {
		res, body := send(t, "GET", server.URL+"/v1/needs/n", "", "Authorization", "Bearer "+token)
		if res.StatusCode == http.StatusTooManyRequests {
			requireProblem(t, res, body, problem{Status: 429, Reason: "RATE_LIMITED", Domain: "trama"})
		}
		return res
	}
	for i := range 3 {
		if res := call("a"); res.StatusCode != http.StatusOK || res.Header.Get("RateLimit-Remaining") != string(rune('2'-i)) {
			t.Fatalf("call %d: %s, remaining %s", i, res.Status, res.Header.Get("RateLimit-Remaining"))
		}
	}
	res := call("a")
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "1" || res.Header.Get("RateLimit-Limit") != "3" ||
		res.Header.Get("RateLimit-Policy") != `"default";q=3;w=2` || res.Header.Get("RateLimit") != `"default";r=0;t=2` {
		t.Fatalf("%s %v", res.Status, res.Header)
	}
	if res := call("b"); res.StatusCode != http.StatusOK {
		t.Errorf("another caller: %s", res.Status)
	}
	now = now.Add(500 * time.Millisecond)
	if res := call("a"); res.StatusCode != http.StatusOK {
		t.Errorf("after the wait: %s", res.Status)
	}
	if res, _ := send(t, "GET", server.URL+"/healthz", ""); res.Header.Get("RateLimit-Limit") != "" {
		t.Error("health is limited")
	}
}

// Tokens that nobody issued are not callers of their own: they share what their
// address has, and leave nothing behind.
func TestInventedTokensDoNotEscapeTheRateLimit(t *testing.T) {
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	lim := RateLimit{PerSecond: 1, Burst: 3}
	good := "Bearer good"
	handler := lim.middleware(func() time.Time { return now }, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != good {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = w.Write([]byte("{}"))
	}))
	call := func(address, token string) int {
		r := httptest.NewRequest(http.MethodGet, "/v1/needs/n", nil)
		r.RemoteAddr = address
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	if got := call("192.0.2.1:1000", good); got != 200 {
		t.Fatalf("a good token: %d", got)
	}
	for i := range 10 {
		want := 401
		if i >= 2 { // the good one's first call was the address's too
			want = 429
		}
		if got := call("192.0.2.1:"+strconv.Itoa(2000+i), "Bearer invented"+strconv.Itoa(i)); got != want {
			t.Errorf("invented token %d: %d, want %d", i, got, want)
		}
	}
	if got := call("192.0.2.1:3000", ""); got != 429 {
		t.Errorf("without a token from the same address: %d", got)
	}
	if got := call("192.0.2.1:3000", good); got != 200 {
		t.Errorf("the good token from the same address: %d", got)
	}
	for i, want := range []int{401, 401, 401, 429} { // one /64 is one caller
		if got := call(fmt.Sprintf("[2001:db8::%d]:1000", i+1), "Bearer invented"); got != want {
			t.Errorf("IPv6 call %d: %d, want %d", i, got, want)
		}
	}
	if got := call("[2001:db8:0:1::1]:1000", "Bearer invented"); got != 401 {
		t.Errorf("another network: %d", got)
	}
}

func TestRateLimitBoundsItsMemory(t *testing.T) {
	now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	lim := &limiter{
		RateLimit: RateLimit{PerSecond: 1, Burst: 3}, now: func() time.Time { return now }, keep: idle,
		buckets: map[caller]*bucket{}, swept: now,
	}
	for i := range maxBuckets + 10 {
		lim.take("", fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if n := len(lim.buckets); n > maxBuckets {
		t.Errorf("%d buckets", n)
	}
	now = now.Add(2 * idle)
	lim.take("", "192.0.2.1:1")
	if n := len(lim.buckets); n != 1 {
		t.Errorf("%d buckets after a quiet time, want 1", n)
	}
}

func TestCORS(t *testing.T) {
	server := serve(t, &answering{answer: &cataloguev1.Need{}}, func(c *Config) { c.Origins = []string{"https://portale.example.org"} })
	res, _ := send(t, "OPTIONS", server.URL+"/v1/needs/n", "", "Origin", "https://portale.example.org", "Access-Control-Request-Method", "PATCH")
	if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != "https://portale.example.org" || !strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "Idempotency-Key") {
		t.Errorf("preflight %s %v", res.Status, res.Header)
	}
	for _, origin := range []string{"https://evil.example.org", "https://portale.example.org.evil.example", "null"} {
		res, _ := send(t, "GET", server.URL+"/v1/needs/n", "", "Origin", origin)
		if res.Header.Get("Access-Control-Allow-Origin") != "" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s is let in", origin)
		}
	}
}

func TestAnswersHaveTheirDefaults(t *testing.T) {
	server := serve(t, &answering{answer: &matchingv1.Programme{Title: &typev1.LocalizedText{Text: "è"}}}, nil)
	res, body := send(t, "GET", server.URL+"/v1/programmes/p", "")
	if res.Header.Get("Content-Type") != "application/json" || !strings.Contains(body, `"minimumScore":"0"`) || !strings.Contains(body, `"text":"è"`) {
		t.Errorf("%s", body)
	}
	if res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("browsers may guess the type")
	}
}

func TestJSONPath(t *testing.T) {
	for in, want := range map[string]string{
		"organisation.legal_form":             "organisation.legalForm",
		"organisation.identifiers[1].value":   "organisation.identifiers[1].value",
		`need.attributes["my_key"].some_text`: `need.attributes["my_key"].someText`,
		"":                                    "",
	} {
		if got := jsonPath(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
