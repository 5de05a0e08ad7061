package rpc

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/fullstorydev/grpchan/inprocgrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/trama-suite/trama/services/platform/auth"
)

// local calls the server in its own process. Unary calls, which are nearly all,
// run on the caller's goroutine, with nothing between the two sides but what
// keeps them apart: the handler sees the caller's metadata, deadline and
// cancellation, and none of its context's values; and it gets a copy of the
// request. A goroutine and a channel for each call, which grpchan has, cost more
// than all checks together. Streams go through grpchan.
//
// The answer is handed over, not copied: a handler that keeps a message must
// return a copy of it, as the caller may change what it gets.
type local struct {
	methods   map[string]*localMethod
	streams   *inprocgrpc.Channel
	chain     *chain
	telemetry *telemetry
}

type localMethod struct {
	handler grpc.MethodHandler
	server  any
	meter   *callMeter
}

func newLocal(services []*grpc.ServiceDesc, servers []any, c *chain, streams *inprocgrpc.Channel, t *telemetry) *local {
	l := &local{methods: map[string]*localMethod{}, streams: streams, chain: c, telemetry: t}
	for i, s := range services {
		for _, m := range s.Methods {
			name := "/" + s.ServiceName + "/" + m.MethodName
			l.methods[name] = &localMethod{handler: m.Handler, server: servers[i], meter: t.meter(name)}
		}
	}
	return l
}

// localConn is a connection to local, with the token of its source.
type localConn struct {
	*local
	source  auth.TokenSource
	streams conn
}

// Invoke implements grpc.ClientConnInterface.
func (c *localConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	m := c.methods[method]
	if m == nil {
		return status.Error(codes.Unimplemented, fmt.Sprintf("there is no method %s", clipMethod(method)))
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	var cancel context.CancelFunc
	if _, bounded := ctx.Deadline(); c.source != nil && !bounded {
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
	} else {
		// As over a network, the handler's context ends with the call.
		ctx, cancel = context.WithCancel(ctx)
	}
	defer cancel()
	md, _ := metadata.FromOutgoingContext(ctx)
	if c.source != nil {
		header, err := c.streams.header(ctx)
		if err != nil {
			return err
		}
		if md == nil {
			md = make(metadata.MD, 1)
		}
		md["authorization"] = append(md["authorization"], header)
	}
	transport := &transport{method: method}
	server := context.Context(stranger{ctx})
	server = metadata.NewIncomingContext(server, md)
	server = peer.NewContext(server, &inProcess)
	server = grpc.NewContextWithServerTransportStream(server, transport)

	server, ended := c.telemetry.begin(server, ctx, m.meter)
	answer, err := m.handler(m.server, server, decoder(args), c.chain.unary)
	ended.end(server, err)

	for _, o := range opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = transport.header
		case grpc.TrailerCallOption:
			*o.TrailerAddr = transport.trailer
		case grpc.PeerCallOption:
			*o.PeerAddr = inProcess
		}
	}
	if err != nil {
		return err
	}
	return handOver(reply, answer)
}

// NewStream implements grpc.ClientConnInterface.
func (c *localConn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return c.streams.NewStream(ctx, desc, method, opts...)
}

// decoder gives the handler its own copy of the request.
func decoder(request any) func(any) error {
	return func(into any) error {
		from, ok := request.(proto.Message)
		to, also := into.(proto.Message)
		if !ok || !also || from.ProtoReflect().Descriptor() != to.ProtoReflect().Descriptor() {
			return status.Error(codes.Internal, fmt.Sprintf("a %T is not a %T", request, into))
		}
		proto.Merge(to, from)
		return nil
	}
}

// handOver moves the answer into the caller's message: its parts are not copied.
func handOver(reply, answer any) error {
	to, ok := reply.(proto.Message)
	from, also := answer.(proto.Message)
	if !ok || !also || from.ProtoReflect().Descriptor() != to.ProtoReflect().Descriptor() {
		return status.Error(codes.Internal, fmt.Sprintf("a %T is not a %T", answer, reply))
	}
	if !from.ProtoReflect().IsValid() {
		return status.Error(codes.Internal, "the handler returned neither an answer nor an error")
	}
	proto.Reset(to)
	into := to.ProtoReflect()
	from.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		into.Set(f, v)
		return true
	})
	if unknown := from.ProtoReflect().GetUnknown(); len(unknown) > 0 {
		into.SetUnknown(unknown)
	}
	return nil
}

// stranger is a context that ends when the caller's does and knows nothing else
// of it, so that nothing leaks from one service to another that would not pass
// a network.
type stranger struct{ context.Context }

// Value returns nothing.
func (stranger) Value(any) any { return nil }

// inProcess is where in-process calls come from.
var inProcess = peer.Peer{Addr: nowhere{}, AuthInfo: nowhere{}}

type nowhere struct{}

// Network implements net.Addr.
func (nowhere) Network() string { return "inprocess" }

// String implements net.Addr.
func (nowhere) String() string { return "inprocess" }

// AuthType implements credentials.AuthInfo.
func (nowhere) AuthType() string { return "inprocess" }

var _ net.Addr = nowhere{}

// transport takes what a handler sends beside its answer.
type transport struct {
	method string

	mu              sync.Mutex
	header, trailer metadata.MD
}

// Method implements grpc.ServerTransportStream.
func (t *transport) Method() string { return t.method }

// SetHeader implements grpc.ServerTransportStream.
func (t *transport) SetHeader(md metadata.MD) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.header = metadata.Join(t.header, md)
	return nil
}

// SendHeader implements grpc.ServerTransportStream.
func (t *transport) SendHeader(md metadata.MD) error { return t.SetHeader(md) }

// SetTrailer implements grpc.ServerTransportStream.
func (t *transport) SetTrailer(md metadata.MD) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trailer = metadata.Join(t.trailer, md)
	return nil
}

func clipMethod(method string) string {
	if len(method) > 200 {
		return method[:200]
	}
	return method
}
