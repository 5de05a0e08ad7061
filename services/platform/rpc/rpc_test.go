package rpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// access answers as its functions say.
type access struct {
	cataloguev1.UnimplementedAccessServiceServer
	whoAmI func(ctx context.Context) (*cataloguev1.WhoAmIResponse, error)
	create func(ctx context.Context, req *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error)
	list   func(ctx context.Context) (*cataloguev1.ListMembershipsResponse, error)
}

func (a *access) WhoAmI(ctx context.Context, _ *cataloguev1.WhoAmIRequest) (*cataloguev1.WhoAmIResponse, error) {
	return a.whoAmI(ctx)
}

func (a *access) CreateMembership(ctx context.Context, req *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
	return a.create(ctx, req)
}

func (a *access) ListMemberships(ctx context.Context, _ *cataloguev1.ListMembershipsRequest) (*cataloguev1.ListMembershipsResponse, error) {
	return a.list(ctx)
}

// logs collects a log.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.b.String()
	l.b.Reset()
	return s
}

type fixture struct {
	*access
	server *rpc.Server
	issuer *auth.LocalIssuer
	logs   *logs
	tls    *tls.Config // for clients; nil for plain text
	addr   string
}

func newFixture(t testing.TB, serverTLS *tls.Config, also ...func(grpc.ServiceRegistrar)) *fixture {
	t.Helper()
	f := &fixture{access: &access{}, issuer: testkit.Issuer(time.Now), logs: &logs{}}
	verifier, err := auth.NewVerifier(auth.VerifierConfig{Issuers: []auth.Issuer{f.issuer.Trusted()}})
	if err != nil {
		t.Fatal(err)
	}
	f.server, err = rpc.NewServer(rpc.Config{
		Log:      slog.New(slog.NewTextHandler(f.logs, nil)),
		Verifier: verifier, Memberships: &testkit.Memberships{},
		Register: append(also, func(r grpc.ServiceRegistrar) { cataloguev1.RegisterAccessServiceServer(r, f.access) }),
		TLS:      serverTLS,
		Tracer:   sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.TraceIDRatioBased(0.01))),
		Meter:    sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- f.server.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := f.server.Stop(ctx); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return f
}

// conns returns a connection of each kind.
func (f *fixture) conns(t testing.TB, source auth.TokenSource) map[string]grpc.ClientConnInterface {
	t.Helper()
	client, err := rpc.Dial(f.addr, f.tls, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return map[string]grpc.ClientConnInterface{"in process": f.server.InProcess(source), "TCP": client}
}

func (f *fixture) operator(t testing.TB) context.Context {
	t.Helper()
	token, err := f.issuer.Mint("olga", []auth.Role{authzv1.Role_ROLE_NETWORK_OPERATOR}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+token)
}

func details(t *testing.T, err error) (*errdetails.ErrorInfo, *errdetails.BadRequest) {
	t.Helper()
	var info *errdetails.ErrorInfo
	var bad *errdetails.BadRequest
	for _, d := range status.Convert(err).Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			if info != nil {
				t.Error("two ErrorInfos")
			}
			info = d
		case *errdetails.BadRequest:
			bad = d
		}
	}
	if info == nil {
		t.Fatalf("no ErrorInfo in %v", err)
	}
	return info, bad
}

func TestErrorsLookTheSameOnEveryTransport(t *testing.T) {
	f := newFixture(t, nil)
	for transport, conn := range f.conns(t, nil) {
		client := cataloguev1.NewAccessServiceClient(conn)
		for name, c := range map[string]struct {
			err    error
			code   codes.Code
			domain string
			reason string
			logged bool
		}{
			"the platform's reason":  {errs.AbsentResource("needs/1"), codes.NotFound, "trama", "NOT_FOUND", false},
			"the service's reason":   {errs.New(errs.FailedPrecondition, "LAST_ADMIN", "no"), codes.FailedPrecondition, "catalogue.trama", "LAST_ADMIN", false},
			"wrapped":                {fmt.Errorf("saving: %w", errs.Stale("needs/1")), codes.Aborted, "trama", "STALE_ETAG", false},
			"an error of its own":    {errors.New("secret: password=hunter2"), codes.Internal, "trama", "INTERNAL", true},
			"kind internal":          {errs.New(errs.Internal, "X", "secret"), codes.Internal, "trama", "INTERNAL", true},
			"a peer's refusal":       {status.Error(codes.PermissionDenied, "secret"), codes.Internal, "trama", "INTERNAL", true},
			"a peer that is away":    {status.Error(codes.Unavailable, "secret"), codes.Unavailable, "trama", "UNAVAILABLE", true},
			"text that is not UTF-8": {errs.New(errs.Invalid, "INVALID_REQUEST", "bad \xff byte"), codes.InvalidArgument, "trama", "INVALID_REQUEST", false},
		} {
			t.Run(transport+"/"+name, func(t *testing.T) {
				f.logs.take()
				f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) { return nil, c.err }
				_, err := client.WhoAmI(f.operator(t), &cataloguev1.WhoAmIRequest{})
				info, _ := details(t, err)
				if status.Code(err) != c.code || info.GetDomain() != c.domain || info.GetReason() != c.reason {
					t.Errorf("got %s %s %s", status.Code(err), info.GetDomain(), info.GetReason())
				}
				if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the caller learns %v", err)
				}
				// A read that finds a service away is made again over TCP.
				n := strings.Count(f.logs.take(), "WhoAmI")
				if (n > 0) != c.logged || (n > 1 && c.code != codes.Unavailable) {
					t.Errorf("logged %d times", n)
				}
			})
		}
		t.Run(transport+"/contexts", func(t *testing.T) {
			f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) {
				return nil, fmt.Errorf("query: %w", context.DeadlineExceeded)
			}
			if _, err := client.WhoAmI(f.operator(t), &cataloguev1.WhoAmIRequest{}); status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("got %v", err)
			}
			f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) { return nil, context.Canceled }
			if _, err := client.WhoAmI(f.operator(t), &cataloguev1.WhoAmIRequest{}); status.Code(err) != codes.Canceled {
				t.Errorf("got %v", err)
			}
		})
		t.Run(transport+"/panic", func(t *testing.T) {
			f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) { panic("secret") }
			_, err := client.WhoAmI(f.operator(t), &cataloguev1.WhoAmIRequest{})
			if info, _ := details(t, err); status.Code(err) != codes.Internal || info.GetReason() != "INTERNAL" || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v", err)
			}
			if log := f.logs.take(); !strings.Contains(log, "secret") || !strings.Contains(log, "rpc_test.go") {
				t.Errorf("the log has no panic with its stack: %s", log)
			}
		})
		t.Run(transport+"/shape", func(t *testing.T) {
			_, err := client.CreateMembership(f.operator(t), &cataloguev1.CreateMembershipRequest{
				Parent: strings.Repeat("x", 300), Membership: &cataloguev1.Membership{Role: 99},
			})
			info, bad := details(t, err)
			if status.Code(err) != codes.InvalidArgument || info.GetReason() != "INVALID_REQUEST" {
				t.Fatalf("got %v", err)
			}
			got := map[string]string{}
			for _, v := range bad.GetFieldViolations() {
				got[v.GetField()] = v.GetReason()
				if v.GetDescription() == "" {
					t.Errorf("%s is not described", v.GetField())
				}
			}
			want := map[string]string{"parent": "STRING_MAX_LEN", "membership.subject": "STRING_MIN_LEN", "membership.role": "ENUM_DEFINED_ONLY"}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("violations %v, want %v", got, want)
			}
		})
		t.Run(transport+"/no token", func(t *testing.T) {
			_, err := client.WhoAmI(t.Context(), &cataloguev1.WhoAmIRequest{})
			if info, _ := details(t, err); status.Code(err) != codes.Unauthenticated || info.GetReason() != "TOKEN_ABSENT" {
				t.Errorf("got %v", err)
			}
		})
		t.Run(transport+"/authorised before validated", func(t *testing.T) {
			_, err := client.CreateMembership(t.Context(), &cataloguev1.CreateMembershipRequest{})
			if status.Code(err) != codes.Unauthenticated {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAnErrorSurvivesTheWayBack(t *testing.T) {
	f := newFixture(t, nil)
	sent := errs.InvalidField("CHECK_DIGIT_WRONG", "membership.subject", "the last digit should be %d", 7).With("resource", "needs/1")
	f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) { return nil, sent }
	for transport, conn := range f.conns(t, nil) {
		_, err := cataloguev1.NewAccessServiceClient(conn).WhoAmI(f.operator(t), &cataloguev1.WhoAmIRequest{})
		got, ok := errors.AsType[*errs.Error](rpc.FromStatus(err))
		if !ok || fmt.Sprintf("%+v", *got) != fmt.Sprintf("%+v", *sent) {
			t.Errorf("%s: got %+v, want %+v", transport, got, sent)
		}
	}
	plain := status.Error(codes.Internal, "x")
	if got := rpc.FromStatus(plain); !errors.Is(got, plain) || errs.ReasonOf(got) != "" || rpc.FromStatus(nil) != nil {
		t.Error("what has no reason must come back as it was")
	}
}

func TestServicesCallAsThemselves(t *testing.T) {
	f := newFixture(t, nil)
	var seen auth.Caller
	f.whoAmI = func(ctx context.Context) (*cataloguev1.WhoAmIResponse, error) {
		seen = auth.CallerFrom(ctx)
		if _, bounded := ctx.Deadline(); !bounded {
			return nil, errors.New("a call from service to service without a deadline")
		}
		return &cataloguev1.WhoAmIResponse{}, nil
	}
	for transport, conn := range f.conns(t, f.issuer.Source("training")) {
		for range 2 {
			if _, err := cataloguev1.NewAccessServiceClient(conn).WhoAmI(t.Context(), &cataloguev1.WhoAmIRequest{}); err != nil {
				t.Errorf("%s: %v", transport, err)
			}
			if seen.Subject != "service:training" || !seen.Has(authzv1.Role_ROLE_SERVICE) {
				t.Errorf("%s: seen as %+v", transport, seen)
			}
		}
	}
}

func TestHealthAndReflectionNeedNoToken(t *testing.T) {
	f := newFixture(t, nil)
	for transport, conn := range f.conns(t, nil) {
		for _, service := range []string{"", "trama.catalogue.v1.AccessService"} {
			got, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
			if err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
				t.Errorf("%s: health of %q: %v, %v", transport, service, got, err)
			}
		}
		// Even with a token that is no good.
		ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer nonsense")
		if _, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{}); err != nil {
			t.Errorf("%s: %v", transport, err)
		}
	}
	stream, err := reflectionv1.NewServerReflectionClient(f.conns(t, nil)["TCP"]).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil || !strings.Contains(answer.String(), "trama.catalogue.v1.AccessService") {
		t.Errorf("reflection: %v, %v", answer, err)
	}
}

type nameless struct{}

func TestAServerWithAMethodOutsideTheRoleTableDoesNotStart(t *testing.T) {
	issuer := testkit.Issuer(time.Now)
	verifier, err := auth.NewVerifier(auth.VerifierConfig{Issuers: []auth.Issuer{issuer.Trusted()}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rpc.NewServer(rpc.Config{
		Log: slog.New(slog.DiscardHandler), Verifier: verifier,
		Register: []func(grpc.ServiceRegistrar){func(r grpc.ServiceRegistrar) {
			// Its methods, of gRPC's own, have no access option.
			r.RegisterService(&grpc.ServiceDesc{
				ServiceName: "grpc.channelz.v1.Channelz", HandlerType: (*any)(nil),
				Methods: []grpc.MethodDesc{{MethodName: "GetServers"}},
			}, nameless{})
		}},
	})
	if err == nil || !strings.Contains(err.Error(), "grpc.channelz.v1.Channelz") {
		t.Errorf("got %v", err)
	}
}

func TestCallsWaitForAServerThatIsNotThereYet(t *testing.T) {
	f := newFixture(t, nil)
	f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) { return &cataloguev1.WhoAmIResponse{}, nil }
	late := rpc.NewLate()
	done := make(chan error, 1)
	go func() {
		_, err := cataloguev1.NewAccessServiceClient(late).WhoAmI(f.operator(t), &cataloguev1.WhoAmIRequest{})
		done <- err
	}()
	late.Bind(f.server.InProcess(nil))
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(f.operator(t))
	cancel()
	if _, err := cataloguev1.NewAccessServiceClient(rpc.NewLate()).WhoAmI(ctx, &cataloguev1.WhoAmIRequest{}); status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}

	// Over TCP: reserve an address, call it, and only then serve there.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	client, err := rpc.Dial(addr, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	go func() {
		_, err := healthv1.NewHealthClient(client).Check(t.Context(), &healthv1.HealthCheckRequest{})
		done <- err
	}()
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Fatal(err)
	}
	other := grpc.NewServer()
	healthv1.RegisterHealthServer(other, healthv1.UnimplementedHealthServer{})
	go func() { _ = other.Serve(l) }()
	defer other.Stop()
	if err := <-done; status.Code(err) != codes.Unimplemented {
		t.Errorf("the call should have reached the server: %v", err)
	}
}

func TestOnlySafeCallsAreMadeAgain(t *testing.T) {
	f := newFixture(t, nil)
	away := errs.New(errs.Unavailable, errs.ServiceDown, "away")
	calls := 0
	f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) {
		if calls++; calls < 3 {
			return nil, away
		}
		return &cataloguev1.WhoAmIResponse{}, nil
	}
	f.create = func(context.Context, *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
		if calls++; calls < 3 {
			return nil, away
		}
		return &cataloguev1.Membership{}, nil
	}
	client := cataloguev1.NewAccessServiceClient(f.conns(t, nil)["TCP"])
	req := &cataloguev1.CreateMembershipRequest{Parent: "organisations/1", Membership: &cataloguev1.Membership{Subject: "a", Role: authzv1.Role_ROLE_TRAINER}}
	if _, err := client.WhoAmI(f.operator(t), &cataloguev1.WhoAmIRequest{}); err != nil || calls != 3 {
		t.Errorf("a read: %v after %d calls", err, calls)
	}
	calls = 0
	if _, err := client.CreateMembership(f.operator(t), req); status.Code(err) != codes.Unavailable || calls != 1 {
		t.Errorf("a create without a request_id: %v after %d calls", err, calls)
	}
	calls = 0
	req.RequestId = "x"
	if _, err := client.CreateMembership(f.operator(t), req); err != nil || calls != 3 {
		t.Errorf("a create with a request_id: %v after %d calls", err, calls)
	}
}

func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	f.tls = &tls.Config{RootCAs: x509.NewCertPool()}
	f.tls.RootCAs.AddCert(certificate)
	if _, err := healthv1.NewHealthClient(f.conns(t, nil)["TCP"]).Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
}

func TestEtags(t *testing.T) {
	for _, same := range []string{"", rpc.Etag(41), `"` + rpc.Etag(41) + `"`, `W/"` + rpc.Etag(41) + `"`} {
		if err := rpc.CheckEtag("needs/1", same, 41); err != nil {
			t.Errorf("%q: %v", same, err)
		}
	}
	for _, other := range []string{rpc.Etag(40), "41", `"`, "*", "W/"} {
		if err := rpc.CheckEtag("needs/1", other, 41); errs.ReasonOf(err) != errs.StaleEtag {
			t.Errorf("%q: %v", other, err)
		}
	}
}
