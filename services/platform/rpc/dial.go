package rpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/trama-suite/trama/services/platform/auth"
)

// Attempts at a call that may safely be made again.
const (
	attempts     = 4
	firstBackoff = 100 * time.Millisecond
)

// Client is a connection to a server over TCP.
type Client struct {
	conn
	tcp *grpc.ClientConn
}

// Dial returns a connection to a server over TCP, with TLS where a configuration
// is given. It returns at once: calls wait until the server is there, as long
// as their context allows, so services may start in any order. With a source
// every call carries its token; with nil the caller's outgoing metadata must.
//
// A call that ends UNAVAILABLE is made again, four times in all, where that
// cannot have an effect twice: it reads (HTTP GET), or has a request_id.
func Dial(target string, tlsConfig *tls.Config, source auth.TokenSource) (*Client, error) {
	creds := insecure.NewCredentials()
	if tlsConfig != nil {
		creds = credentials.NewTLS(tlsConfig)
	}
	tcp, err := grpc.NewClient(target,
		grpc.WithTransportCredentials(creds),
		grpc.WithStatsHandler(otelgrpc.NewClientHandler()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}],"methodConfig":[{"name":[{}],"waitForReady":true}]}`),
		grpc.WithUnaryInterceptor(again),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(4*MaxMessage)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: firstBackoff, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second}, MinConnectTimeout: 5 * time.Second}),
	)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", target, err)
	}
	return &Client{conn: conn{next: tcp, source: source}, tcp: tcp}, nil
}

// Close ends the connection and the calls on it.
func (c *Client) Close() error { return c.tcp.Close() }

// again makes a call again that found its server away, where that is safe.
func again(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	pause := firstBackoff
	for attempt := 1; ; attempt++ {
		err := invoke(ctx, method, req, reply, cc, opts...)
		if err == nil || attempt == attempts || status.Code(err) != codes.Unavailable || !repeatable(method, req) {
			return err
		}
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return err
		case <-wait.C:
		}
		pause *= 2
	}
}

// repeatable reports whether making the call twice is the same as making it once.
func repeatable(method string, req any) bool {
	if m, ok := req.(interface{ GetRequestId() string }); ok && m.GetRequestId() != "" {
		return true
	}
	return reads(method)
}

var readers sync.Map // full method name → bool

// reads reports whether the method is bound to HTTP GET.
func reads(method string) bool {
	if known, ok := readers.Load(method); ok {
		return known.(bool)
	}
	get := false
	name := strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", ".")
	if d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name)); err == nil {
		if rule, ok := proto.GetExtension(d.Options(), annotations.E_Http).(*annotations.HttpRule); ok {
			get = rule.GetGet() != ""
		}
	}
	readers.Store(method, get)
	return get
}
