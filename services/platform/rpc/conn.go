package rpc

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/trama-suite/trama/services/platform/auth"
)

// Calls without a deadline of their own wait for servers that are not there yet,
// but not for ever.
const (
	// callTimeout bounds a call from service to service.
	callTimeout = 30 * time.Second
	// relayTimeout bounds a call over TCP that is made for somebody who brought
	// their own token: longer, so that a call that takes all of callTimeout within
	// still gets its answer.
	relayTimeout = time.Minute
)

// conn adds to every call what the transport beneath does not: the caller's
// token and, for streams in process, the trace context.
type conn struct {
	next      grpc.ClientConnInterface
	source    auth.TokenSource
	inProcess bool
	bearer    atomic.Pointer[[2]string] // a token and its header, joined once
}

// Invoke implements grpc.ClientConnInterface.
func (c *conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if _, bounded := ctx.Deadline(); !bounded {
		timeout := relayTimeout
		if c.source != nil {
			timeout = callTimeout
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	ctx, err := c.outgoing(ctx)
	if err != nil {
		return err
	}
	return c.next.Invoke(ctx, method, args, reply, opts...)
}

// NewStream implements grpc.ClientConnInterface.
func (c *conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := c.outgoing(ctx)
	if err != nil {
		return nil, err
	}
	return c.next.NewStream(ctx, desc, method, opts...)
}

func (c *conn) outgoing(ctx context.Context) (context.Context, error) {
	if c.source != nil {
		header, err := c.header(ctx)
		if err != nil {
			return nil, err
		}
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", header)
	}
	if c.inProcess && trace.SpanContextFromContext(ctx).IsValid() {
		carrier := pairs{}
		otel.GetTextMapPropagator().Inject(ctx, &carrier)
		if len(carrier) > 0 {
			ctx = metadata.AppendToOutgoingContext(ctx, carrier...)
		}
	}
	return ctx, nil
}

// header returns the authorization header for a call.
func (c *conn) header(ctx context.Context) (string, error) {
	token, err := c.source.Token(ctx)
	if err != nil {
		return "", status.Error(codes.Unavailable, fmt.Sprintf("no token for the call: %v", err))
	}
	held := c.bearer.Load()
	if held == nil || held[0] != token {
		held = &[2]string{token, "Bearer " + token}
		c.bearer.Store(held)
	}
	return held[1], nil
}

// pairs collects what a propagator injects as metadata pairs.
type pairs []string

// Get implements propagation.TextMapCarrier.
func (p *pairs) Get(string) string { return "" }

// Set implements propagation.TextMapCarrier.
func (p *pairs) Set(key, value string) { *p = append(*p, key, value) }

// Keys implements propagation.TextMapCarrier.
func (p *pairs) Keys() []string { return nil }

// Late is a connection that can be handed out before it exists: services that
// call each other in one process get theirs before any of them is served. Calls
// wait until Bind, as long as their context allows.
type Late struct {
	bound chan struct{}
	conn  grpc.ClientConnInterface
}

// NewLate returns a connection to be bound later.
func NewLate() *Late { return &Late{bound: make(chan struct{})} }

// Bind says where calls go. It may be called once.
func (l *Late) Bind(conn grpc.ClientConnInterface) {
	l.conn = conn
	close(l.bound)
}

// Invoke implements grpc.ClientConnInterface.
func (l *Late) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if err := l.wait(ctx); err != nil {
		return err
	}
	return l.conn.Invoke(ctx, method, args, reply, opts...)
}

// NewStream implements grpc.ClientConnInterface.
func (l *Late) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if err := l.wait(ctx); err != nil {
		return nil, err
	}
	return l.conn.NewStream(ctx, desc, method, opts...)
}

func (l *Late) wait(ctx context.Context) error {
	select {
	case <-l.bound:
		return nil
	default:
	}
	select {
	case <-l.bound:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}
