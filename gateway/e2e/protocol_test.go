package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/trama-suite/trama/gateway/rest"
	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
)

// answer is an HTTP answer, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem reads the answer as a problem document; zero where it is none.
func (a answer) problem() rest.Problem {
	var p rest.Problem
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
		_ = json.Unmarshal(a.body, &p) // what does not decode stays zero, and no test wants that
	}
	return p
}

// request is one HTTP request of a test.
type request struct {
	method, path string
	token        string // empty: none
	header       map[string]string
	body         io.Reader
}

// do makes the request and reads the answer.
func (s *shape) do(t testing.TB, r request) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, s.base+r.path, r.body)
	if err != nil {
		t.Fatal(err)
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	res, err := httpClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	return answer{res.StatusCode, res.Header, body}
}

// httpClient follows no redirect, so that tests see what is answered.
var httpClient = &http.Client{
	Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// TestIdempotencyAndConditions: the headers that stand for request_id and etag.
func TestIdempotencyAndConditions(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		owner := s.organisation(t, "Intestazioni")
		admin := s.member(t, owner, authzv1.Role_ROLE_ORGANISATION_ADMIN)
		need := &cataloguev1.Need{Organisation: owner, Title: text("Una volta sola")}
		key := rest.IdempotencyKey("chiave-" + owner)
		first := post[*cataloguev1.Need](t, admin, "needs", need, key)
		again := post[*cataloguev1.Need](t, admin, "needs", need, key)
		if !proto.Equal(first, again) {
			t.Errorf("the same request gave\n%v\nand then\n%v", first, again)
		}
		err := admin.Post(t.Context(), "/v1/needs", &cataloguev1.Need{Organisation: owner, Title: text("Altro")}, nil, key)
		if rest.ReasonOf(err) != "REQUEST_ID_REUSED" || statusOf(err) != http.StatusConflict {
			t.Errorf("another request under the same key: %v", err)
		}
		list := get[*cataloguev1.ListNeedsResponse](t, admin, "needs?filter="+escape(`organisation = "`+owner+`"`))
		if len(list.GetNeeds()) != 1 {
			t.Errorf("%d needs were made: %v", len(list.GetNeeds()), list)
		}
		// Another caller may use the same key.
		post[*cataloguev1.Need](t, s.operator(t), "needs", need, key)

		// The ETag header is the resource's etag; a stale If-Match is refused and changes nothing.
		read := s.do(t, request{method: http.MethodGet, path: "/v1/" + first.GetName(), token: admin.Token})
		if got := read.header.Get("Etag"); got != `"`+first.GetEtag()+`"` || first.GetEtag() == "" {
			t.Errorf("ETag %q, etag %q", got, first.GetEtag())
		}
		patch := func(title string) answer {
			return s.do(t, request{method: http.MethodPatch, path: "/v1/" + first.GetName(), token: admin.Token,
				header: map[string]string{"If-Match": read.header.Get("Etag"), "Content-Type": "application/merge-patch+json"},
				body:   strings.NewReader(`{"title": {"text": "` + title + `", "languageCode": "it"}}`)})
		}
		if a := patch("Nuovo"); a.status != http.StatusOK || a.header.Get("Etag") == read.header.Get("Etag") {
			t.Fatalf("fresh If-Match: %d %s", a.status, a.body)
		}
		if a := patch("Vecchio"); a.status != http.StatusPreconditionFailed || a.problem().Reason != "STALE_ETAG" {
			t.Errorf("stale If-Match: %d %s", a.status, a.body)
		}
		err = admin.Post(t.Context(), "/v1/"+first.GetName()+":archive", nil, nil, rest.IfMatch(first.GetEtag()))
		if statusOf(err) != http.StatusPreconditionFailed {
			t.Errorf("stale If-Match of a verb: %v", err)
		}
		if now := get[*cataloguev1.Need](t, admin, first.GetName()); now.GetTitle().GetText() != "Nuovo" || now.GetState() != cataloguev1.EntryState_ENTRY_STATE_DRAFT {
			t.Errorf("after the refusals: %v", now)
		}
	})
}

// statusOf is the HTTP status of a problem, 0 where err is none.
func statusOf(err error) int {
	if p, ok := errors.AsType[*rest.Problem](err); ok {
		return p.Status
	}
	return 0
}

// TestOperations: what is there beside the API itself.
func TestOperations(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		for path, want := range map[string]string{
			"/healthz": `"ok"`, "/readyz": `"ok"`, "/status": `"ok"`, "/checks": `"checks"`, "/metrics": "# TYPE ",
			"/openapi.json": `"openapi"`, "/docs/": "<html",
		} {
			a := s.do(t, request{method: http.MethodGet, path: path})
			if a.status != http.StatusOK || !strings.Contains(string(a.body), want) {
				t.Errorf("%s: %d, %.200s", path, a.status, a.body)
			}
		}
		if a := s.do(t, request{method: http.MethodGet, path: "/docs"}); a.status/100 != 3 || a.header.Get("Location") != "/docs/" {
			t.Errorf("/docs: %d to %q", a.status, a.header.Get("Location"))
		}
		until(t, "all checks to be well", func() bool { return len(s.failing(t)) == 0 })
		// Problems carry a type, and a trace where the request was traced.
		a := s.do(t, request{
			method: http.MethodGet, path: "/v1/needs/nessuno", token: s.token(t, "e2e-operator", authzv1.Role_ROLE_NETWORK_OPERATOR),
			header: map[string]string{"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		})
		if p := a.problem(); a.status != http.StatusBadRequest || p.TraceID != "0af7651916cd43dd8448eb211c80319c" || p.Fields[0].Field != "name" {
			t.Errorf("problem: %d %s", a.status, a.body)
		}
	})
}

// failing lists the checks that fail, of every process.
func (s *shape) failing(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, base := range s.operations {
		var checks struct {
			Checks []struct {
				Name, Detail string
				OK           bool
			}
		}
		res, err := http.Get(base + "/checks")
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		err = json.NewDecoder(res.Body).Decode(&checks)
		_ = res.Body.Close()
		if err != nil || len(checks.Checks) == 0 {
			out = append(out, base+" tells no checks")
		}
		for _, c := range checks.Checks {
			if !c.OK {
				out = append(out, base+" "+c.Name+": "+c.Detail)
			}
		}
	}
	return out
}

// TestReflectionAndHealth: every gRPC server says what it has and how it is,
// to anybody.
func TestReflectionAndHealth(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		for _, service := range services {
			conn := s.dial(t, service)
			health, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{})
			if err != nil || health.GetStatus() != healthv1.HealthCheckResponse_SERVING {
				t.Errorf("%s: health %v, %v", service, health, err)
			}
			names, err := reflected(t.Context(), conn)
			if err != nil || !strings.Contains(names, "trama."+service+".v1.") {
				t.Errorf("%s: reflection lists %s, %v", service, names, err)
			}
		}
	})
}

func reflected(ctx context.Context, conn grpc.ClientConnInterface) (string, error) {
	stream, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		return "", err
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		return "", err
	}
	reply, err := stream.Recv()
	return reply.GetListServicesResponse().String(), err
}

// TestOnlyTheTokenIsForwarded: no header of a client becomes gRPC metadata but
// the authorisation.
func TestOnlyTheTokenIsForwarded(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		operator := "Bearer " + s.token(t, "e2e-operator", authzv1.Role_ROLE_NETWORK_OPERATOR)
		for _, header := range []string{"Grpc-Metadata-Authorization", "Grpcgateway-Authorization", "Proxy-Authorization", "X-Authorization"} {
			a := s.do(t, request{method: http.MethodGet, path: "/v1/portfolio", header: map[string]string{header: operator}})
			if a.status != http.StatusUnauthorized || a.problem().Reason != "TOKEN_ABSENT" || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %d %s", header, a.status, a.body)
			}
			// Nor does it lift a caller who has another token.
			a = s.do(t, request{
				method: http.MethodGet, path: "/v1/portfolio", token: s.token(t, "nobody"), header: map[string]string{header: operator},
			})
			if a.status != http.StatusForbidden || a.problem().Reason != "ROLE_MISSING" {
				t.Errorf("%s beside a token: %d %s", header, a.status, a.body)
			}
		}
	})
}

// TestServicesBehindTheGatewayAnswerOverGRPC: the same token, the same answer.
func TestServicesBehindTheGatewayAnswerOverGRPC(t *testing.T) {
	eachShape(t, func(t *testing.T, s *shape) {
		programme := newProgramme(t, s.operator(t))
		client := matchingv1.NewProgrammeServiceClient(s.dial(t, "matching"))
		got, err := client.GetProgramme(s.outgoing(t, s.operator(t).Token), &matchingv1.GetProgrammeRequest{Name: programme})
		if err != nil || !proto.Equal(got, get[*matchingv1.Programme](t, s.operator(t), programme)) {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := client.GetProgramme(t.Context(), &matchingv1.GetProgrammeRequest{Name: programme}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("without a token: %v", err)
		}
	})
}
