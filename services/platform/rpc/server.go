// Package rpc serves and calls: one builder for every server, in process and
// over TCP behind one client interface and with the same chain of checks, and
// what every method needs: idempotent writes (Mutate), etags, update masks.
package rpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/trama-suite/trama/services/platform/auth"
)

// Limits of a server.
const (
	// MaxMessage is the longest request that is read from the network, in bytes.
	MaxMessage = 4 << 20
	// maxHeaders is the most metadata that is read from the network, in bytes.
	maxHeaders = 64 << 10
)

// Config says what a server serves and whom it trusts.
type Config struct {
	// Log gets failures, and each call at debug level.
	Log *slog.Logger
	// Verifier checks bearer tokens.
	Verifier *auth.Verifier
	// Memberships gives callers' roles in organisations. Wrap it in an
	// auth.MembershipCache.
	Memberships auth.Memberships
	// Register registers the services, each with its own function.
	Register []func(grpc.ServiceRegistrar)
	// TLS for the TCP side; nil for plain text.
	TLS *tls.Config
	// Tracer and Meter; nil for the global ones.
	Tracer trace.TracerProvider
	Meter  metric.MeterProvider
}

// Server serves the same services in process and over TCP.
type Server struct {
	tcp    *grpc.Server
	local  *local
	health *health.Server
	table  auth.Table
}

// collector takes down what is registered, so that the role table can be read
// before anything is served.
type collector struct {
	services []*grpc.ServiceDesc
	servers  []any
}

// RegisterService implements grpc.ServiceRegistrar.
func (c *collector) RegisterService(desc *grpc.ServiceDesc, server any) {
	c.services = append(c.services, desc)
	c.servers = append(c.servers, server)
}

// NewServer builds a server. It fails where a registered method does not say
// who may call it, or where a validation rule does not compile.
func NewServer(cfg Config) (*Server, error) {
	var all collector
	for _, register := range cfg.Register {
		register(&all)
	}
	s := &Server{health: health.NewServer()}
	healthv1.RegisterHealthServer(&all, s.health)

	table, err := auth.NewTable(all.services...)
	if err != nil {
		return nil, err
	}
	s.table = table
	validate, err := newValidation(methodsOf(all.services))
	if err != nil {
		return nil, err
	}
	c := &chain{log: cfg.Log, guard: auth.NewGuard(cfg.Verifier, cfg.Memberships, table), validate: validate}
	if cfg.Tracer == nil {
		cfg.Tracer = otel.GetTracerProvider()
	}
	if cfg.Meter == nil {
		cfg.Meter = otel.GetMeterProvider()
	}
	handler := otelgrpc.NewServerHandler(otelgrpc.WithTracerProvider(cfg.Tracer), otelgrpc.WithMeterProvider(cfg.Meter))
	lean, err := newTelemetry(cfg.Tracer, cfg.Meter)
	if err != nil {
		return nil, err
	}

	options := []grpc.ServerOption{
		grpc.UnaryInterceptor(c.unary),
		grpc.StreamInterceptor(c.stream),
		grpc.StatsHandler(handler),
		grpc.MaxRecvMsgSize(MaxMessage),
		grpc.MaxHeaderListSize(maxHeaders),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
	if cfg.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(cfg.TLS)))
	}
	s.tcp = grpc.NewServer(options...)
	streams := (&inprocgrpc.Channel{}).WithServerStreamInterceptor(c.stream).WithServerStatsHandler(handler)
	s.local = newLocal(all.services, all.servers, c, streams, lean)
	for i, desc := range all.services {
		s.tcp.RegisterService(desc, all.servers[i])
		streams.RegisterService(desc, all.servers[i])
		s.health.SetServingStatus(desc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	}
	// Reflection is registered last: it shows what is registered before it. It
	// is for people with a gRPC client, so not in process.
	reflection.RegisterV1(s.tcp)
	for name, rule := range reflectionTable() {
		s.table[name] = rule
	}
	return s, nil
}

func reflectionTable() auth.Table {
	var c collector
	reflection.RegisterV1(reflected{&c})
	table, err := auth.NewTable(c.services...)
	if err != nil {
		panic(fmt.Sprintf("rpc: reflection is exempt from the role table: %v", err))
	}
	return table
}

// reflected lets reflection register on a collector.
type reflected struct{ *collector }

// GetServiceInfo implements reflection.GRPCServer.
func (reflected) GetServiceInfo() map[string]grpc.ServiceInfo { return nil }

func methodsOf(services []*grpc.ServiceDesc) map[string]protoreflect.MethodDescriptor {
	out := map[string]protoreflect.MethodDescriptor{}
	for _, s := range services {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(s.ServiceName))
		if err != nil {
			continue // NewTable has refused those that matter
		}
		methods := d.(protoreflect.ServiceDescriptor).Methods()
		for i := range methods.Len() {
			out["/"+s.ServiceName+"/"+string(methods.Get(i).Name())] = methods.Get(i)
		}
	}
	return out
}

// Table returns the role table of what is served.
func (s *Server) Table() auth.Table { return s.table }

// Serve serves over TCP until Stop, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	if err := s.tcp.Serve(l); !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	return nil // stopped before it began
}

// Stop reports NOT_SERVING, lets the calls over TCP that are under way end, and
// cuts them off when the context ends.
func (s *Server) Stop(ctx context.Context) error {
	s.health.Shutdown()
	done := make(chan struct{})
	go func() {
		s.tcp.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.tcp.Stop()
		<-done
		return fmt.Errorf("gRPC calls were cut off: %w", ctx.Err())
	}
}

// InProcess returns a connection that calls in this process, without a network,
// through the same chain. With a source every call carries its token; with nil
// the caller's outgoing metadata must.
func (s *Server) InProcess(source auth.TokenSource) grpc.ClientConnInterface {
	return &localConn{local: s.local, source: source, streams: conn{next: s.local.streams, source: source, inProcess: true}}
}
