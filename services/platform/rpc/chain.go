package rpc

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/trama-suite/trama/services/platform/auth"
)

// chain is what every call goes through, in process or over TCP, in this order:
// recovery from panics, authentication and authorisation, validation, the
// handler, the mapping of errors. Tracing and metrics are around it, in the
// stats handlers. It is one function and not a list of interceptors because a
// list costs closures on every call.
type chain struct {
	log      *slog.Logger
	guard    *auth.Guard
	validate *validation
}

func (c *chain) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (resp any, err error) {
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, c.panicked(ctx, info.FullMethod, p)
		}
	}()
	if c.log.Enabled(ctx, slog.LevelDebug) {
		defer c.trace(ctx, info.FullMethod, time.Now(), &err)
	}
	inner, err := c.guard.Admit(ctx, info.FullMethod)
	if err != nil {
		return nil, c.fail(ctx, info.FullMethod, err)
	}
	if m, ok := req.(proto.Message); ok {
		if err := c.validate.request(info.FullMethod, m); err != nil {
			return nil, c.fail(ctx, info.FullMethod, err)
		}
	}
	resp, err = handler(inner, req)
	if err != nil {
		return nil, c.fail(ctx, info.FullMethod, err)
	}
	return resp, nil
}

func (c *chain) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	ctx := ss.Context()
	defer func() {
		if p := recover(); p != nil {
			err = c.panicked(ctx, info.FullMethod, p)
		}
	}()
	if c.log.Enabled(ctx, slog.LevelDebug) {
		defer c.trace(ctx, info.FullMethod, time.Now(), &err)
	}
	inner, err := c.guard.AdmitStream(ctx, info.FullMethod)
	if err != nil {
		return c.fail(ctx, info.FullMethod, err)
	}
	if err := handler(srv, &admitted{ServerStream: ss, ctx: inner, chain: c, method: info.FullMethod}); err != nil {
		return c.fail(ctx, info.FullMethod, err)
	}
	return nil
}

// trace logs a call's end, at debug level only.
func (c *chain) trace(ctx context.Context, method string, started time.Time, err *error) {
	c.log.LogAttrs(ctx, slog.LevelDebug, "call", slog.String("method", method),
		slog.Duration("took", time.Since(started)), slog.Any("error", *err))
}

// admitted is a stream whose caller has been admitted and whose messages are
// validated as they arrive.
type admitted struct {
	grpc.ServerStream
	ctx    context.Context
	chain  *chain
	method string
}

// Context returns the context that holds the caller and the scope.
func (s *admitted) Context() context.Context { return s.ctx }

// RecvMsg receives and validates a message.
func (s *admitted) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if p, ok := m.(proto.Message); ok {
		return s.chain.validate.request(s.method, p)
	}
	return nil
}
