package rpc_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/testkit"
)

type secretKey struct{}

func TestBothTransportsKeepTheSidesApart(t *testing.T) {
	f := newFixture(t, nil)
	for transport, conn := range f.conns(t, nil) {
		t.Run(transport, func(t *testing.T) {
			client := cataloguev1.NewAccessServiceClient(conn)
			var inside context.Context
			f.create = func(ctx context.Context, req *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
				inside = ctx
				if ctx.Value(secretKey{}) != nil {
					t.Error("a value of the caller's context reached the handler")
				}
				if _, outgoing := metadata.FromOutgoingContext(ctx); outgoing {
					t.Error("the caller's outgoing metadata would go on to the next service")
				}
				md, _ := metadata.FromIncomingContext(ctx)
				if !slices.Equal(md.Get("x-trama-test"), []string{"a", "b"}) {
					t.Errorf("metadata %v", md)
				}
				if method, _ := grpc.Method(ctx); method != "/trama.catalogue.v1.AccessService/CreateMembership" {
					t.Errorf("method %q", method)
				}
				if _, ok := peer.FromContext(ctx); !ok {
					t.Error("no peer")
				}
				if err := grpc.SetHeader(ctx, metadata.Pairs("x-header", "1")); err != nil {
					t.Error(err)
				}
				if err := grpc.SetTrailer(ctx, metadata.Pairs("x-trailer", "2")); err != nil {
					t.Error(err)
				}
				req.Membership.Subject = "changed by the handler"
				return req.GetMembership(), nil
			}
			ctx := context.WithValue(metadata.AppendToOutgoingContext(f.operator(t), "X-Trama-Test", "a", "x-trama-test", "b"), secretKey{}, "secret")
			req := request("", "anna")
			sent := proto.CloneOf(req)
			var header, trailer metadata.MD
			got, err := client.CreateMembership(ctx, req, grpc.Header(&header), grpc.Trailer(&trailer))
			if err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(req, sent) {
				t.Error("the handler changed the caller's request")
			}
			if got.GetSubject() != "changed by the handler" || got.GetRole() != authzv1.Role_ROLE_TRAINER {
				t.Errorf("got %v", got)
			}
			if header.Get("x-header") == nil || trailer.Get("x-trailer") == nil {
				t.Errorf("header %v, trailer %v", header, trailer)
			}
			<-inside.Done() // the handler's context ends with the call

			ctx, cancel := context.WithTimeout(f.operator(t), time.Hour)
			f.create = func(ctx context.Context, _ *cataloguev1.CreateMembershipRequest) (*cataloguev1.Membership, error) {
				if _, bounded := ctx.Deadline(); !bounded {
					t.Error("the caller's deadline was lost")
				}
				cancel()
				<-ctx.Done()
				return nil, ctx.Err()
			}
			if _, err := client.CreateMembership(ctx, req); status.Code(err) != codes.Canceled {
				t.Errorf("got %v", err)
			}
			if _, err := client.CreateMembership(ctx, req); status.Code(err) != codes.Canceled {
				t.Errorf("called with a context that has ended: %v", err)
			}
			if err := conn.Invoke(t.Context(), "/trama.catalogue.v1.AccessService/Unheard", req, got); status.Code(err) != codes.Unimplemented {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCallsAreCountedAndTraced(t *testing.T) {
	f := &access{}
	issuer := testkit.Issuer(time.Now)
	verifier, err := auth.NewVerifier(auth.VerifierConfig{Issuers: []auth.Issuer{issuer.Trusted()}})
	if err != nil {
		t.Fatal(err)
	}
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	reader := sdkmetric.NewManualReader()
	var log logs
	server, err := rpc.NewServer(rpc.Config{
		Log: slog.New(slog.NewTextHandler(&log, nil)), Verifier: verifier,
		Register: []func(grpc.ServiceRegistrar){func(r grpc.ServiceRegistrar) { cataloguev1.RegisterAccessServiceServer(r, f) }},
		Tracer:   tracer, Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
	})
	if err != nil {
		t.Fatal(err)
	}
	client := cataloguev1.NewAccessServiceClient(server.InProcess(issuer.Source("x")))
	var answer error
	f.whoAmI = func(context.Context) (*cataloguev1.WhoAmIResponse, error) {
		return &cataloguev1.WhoAmIResponse{}, answer
	}

	ctx, above := tracer.Tracer("test").Start(t.Context(), "above")
	for _, answer = range []error{nil, nil, errs.AbsentResource("x"), context.DeadlineExceeded, &time.ParseError{}} {
		_, _ = client.WhoAmI(ctx, &cataloguev1.WhoAmIRequest{})
	}
	if !strings.Contains(log.take(), "trace_id="+above.SpanContext().TraceID().String()) {
		t.Error("the failure's log line does not name the trace")
	}
	ended := spans.Ended()
	if len(ended) != 5 {
		t.Fatalf("%d spans", len(ended))
	}
	for _, s := range ended {
		if s.Parent().SpanID() != above.SpanContext().SpanID() || s.Name() != "trama.catalogue.v1.AccessService/WhoAmI" || s.SpanKind() != trace.SpanKindServer {
			t.Errorf("span %s below %s", s.Name(), s.Parent().SpanID())
		}
	}
	unsampled := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})
	if _, err := client.WhoAmI(trace.ContextWithSpanContext(t.Context(), unsampled), &cataloguev1.WhoAmIRequest{}); err == nil {
		t.Error("no error")
	}
	if len(spans.Ended()) != 5 || !strings.Contains(log.take(), "trace_id=01") {
		t.Error("below a span that is not sampled there is a span, or the trace is lost")
	}

	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	counts := map[string]uint64{}
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			if m.Name != "rpc.server.call.duration" {
				continue
			}
			for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
				code, _ := p.Attributes.Value(attribute.Key("rpc.response.status_code"))
				method, _ := p.Attributes.Value(attribute.Key("rpc.method"))
				if method.AsString() != "trama.catalogue.v1.AccessService/WhoAmI" {
					t.Errorf("method %q", method.AsString())
				}
				counts[code.AsString()] += p.Count
			}
		}
	}
	if counts["OK"] != 2 || counts["NOT_FOUND"] != 1 || counts["DEADLINE_EXCEEDED"] != 1 || counts["INTERNAL"] != 2 {
		t.Errorf("counted %v", counts)
	}
}

func TestStreamsGoThroughTheSameChain(t *testing.T) {
	// No service of the suite streams, so the chain is put before a handler of
	// the test's own: see export_test.go.
	f := newFixture(t, nil)
	const method = "/trama.catalogue.v1.AccessService/CreateMembership"
	operator, _ := metadata.FromOutgoingContext(f.operator(t))
	for name, c := range map[string]struct {
		md      metadata.MD
		message *cataloguev1.CreateMembershipRequest
		want    codes.Code
	}{
		"no token":      {nil, request("", "anna"), codes.Unauthenticated},
		"bad message":   {operator, &cataloguev1.CreateMembershipRequest{}, codes.InvalidArgument},
		"good":          {operator, request("", "anna"), codes.OK},
		"panic":         {operator, request("", "panic"), codes.Internal},
		"plain failure": {operator, request("", "fail"), codes.Internal},
	} {
		stream := &fakeStream{ctx: metadata.NewIncomingContext(t.Context(), c.md), message: c.message}
		err := rpc.Stream(f.server, nil, stream, &grpc.StreamServerInfo{FullMethod: method}, func(_ any, s grpc.ServerStream) error {
			var req cataloguev1.CreateMembershipRequest
			if err := s.RecvMsg(&req); err != nil {
				return err
			}
			if auth.CallerFrom(s.Context()).Subject != "olga" {
				t.Errorf("%s: caller %+v", name, auth.CallerFrom(s.Context()))
			}
			switch req.GetMembership().GetSubject() {
			case "panic":
				panic("secret")
			case "fail":
				return &time.ParseError{Message: "secret"}
			}
			return nil
		})
		if status.Code(err) != c.want || (err != nil && strings.Contains(err.Error(), "secret")) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

type fakeStream struct {
	grpc.ServerStream
	ctx     context.Context
	message proto.Message
}

func (s *fakeStream) Context() context.Context { return s.ctx }

func (s *fakeStream) RecvMsg(m any) error {
	proto.Merge(m.(proto.Message), s.message)
	return nil
}
