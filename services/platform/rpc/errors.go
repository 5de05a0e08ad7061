package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/errs"
)

// platformDomain is the ErrorInfo domain of reasons that any service may give.
// A service's own reasons are in the domain "<service>.trama".
const platformDomain = "trama"

// internalText is all that a caller learns of a failure of the server's own.
const internalText = "the server failed; the trace id finds the cause in its log"

var codeOf = map[errs.Kind]codes.Code{
	errs.Invalid:            codes.InvalidArgument,
	errs.NotFound:           codes.NotFound,
	errs.AlreadyExists:      codes.AlreadyExists,
	errs.FailedPrecondition: codes.FailedPrecondition,
	errs.Conflict:           codes.Aborted,
	errs.PermissionDenied:   codes.PermissionDenied,
	errs.Unauthenticated:    codes.Unauthenticated,
	errs.Exhausted:          codes.ResourceExhausted,
	errs.Unavailable:        codes.Unavailable,
}

var kindOf = func() map[codes.Code]errs.Kind {
	out := map[codes.Code]errs.Kind{}
	for k, c := range codeOf {
		out[c] = k
	}
	return out
}()

// platformReasons are the reasons of the PlatformError enum.
var platformReasons = func() map[errs.Reason]bool {
	out := map[errs.Reason]bool{}
	for name := range typev1.PlatformError_value {
		out[errs.Reason(strings.TrimPrefix(name, "PLATFORM_ERROR_"))] = true
	}
	return out
}()

// fail turns what a call ended with into the status that its caller gets, and
// logs what the caller does not get to see.
func (c *chain) fail(ctx context.Context, method string, err error) error {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind != errs.Internal {
		if e.Kind == errs.Unavailable && e.Unwrap() != nil {
			c.log.LogAttrs(ctx, slog.LevelWarn, "call failed for want of another service", c.about(ctx, method, err)...)
		}
		return toStatus(method, e)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, "the caller gave up")
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, "the call did not end within its deadline")
	}
	// A status can only be another service's answer to a call of this one's.
	if s, ok := status.FromError(err); ok {
		switch s.Code() {
		case codes.Canceled:
			return status.Error(codes.Canceled, "the caller gave up")
		case codes.DeadlineExceeded:
			return status.Error(codes.DeadlineExceeded, "another service did not answer within the call's deadline")
		case codes.Unavailable:
			c.log.LogAttrs(ctx, slog.LevelWarn, "call failed for want of another service", c.about(ctx, method, err)...)
			return toStatus(method, errs.New(errs.Unavailable, errs.ServiceDown, "a service that this call needs does not answer: try again"))
		}
	}
	c.log.LogAttrs(ctx, slog.LevelError, "call failed", c.about(ctx, method, err)...)
	return internal(ctx)
}

// panicked turns a panic into the status of a failure of the server's own.
func (c *chain) panicked(ctx context.Context, method string, p any) error {
	attrs := append(c.about(ctx, method, fmt.Errorf("panic: %v", p)), slog.String("stack", string(debug.Stack())))
	c.log.LogAttrs(ctx, slog.LevelError, "call panicked", attrs...)
	return internal(ctx)
}

func (c *chain) about(ctx context.Context, method string, err error) []slog.Attr {
	attrs := []slog.Attr{slog.String("method", method), slog.Any("error", err)}
	if id := traceID(ctx); id != "" {
		attrs = append(attrs, slog.String("trace_id", id))
	}
	return attrs
}

func traceID(ctx context.Context) string {
	if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
		return sc.TraceID().String()
	}
	return ""
}

func internal(ctx context.Context) error {
	info := &errdetails.ErrorInfo{Domain: platformDomain, Reason: string(errs.InternalFailure)}
	if id := traceID(ctx); id != "" {
		info.Metadata = map[string]string{"trace_id": id}
	}
	return withDetails(codes.Internal, internalText, info)
}

// toStatus is the wire form of an error: its code, one ErrorInfo, and the field
// violations where there are any.
func toStatus(method string, e *errs.Error) error {
	info := &errdetails.ErrorInfo{Domain: platformDomain, Reason: string(e.Reason), Metadata: e.Metadata}
	if !platformReasons[e.Reason] {
		info.Domain = serviceOf(method) + "." + platformDomain
	}
	details := []protoadapt.MessageV1{info}
	if len(e.Fields) > 0 {
		bad := &errdetails.BadRequest{FieldViolations: make([]*errdetails.BadRequest_FieldViolation, 0, len(e.Fields))}
		for _, f := range e.Fields {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
				Field: f.Path, Reason: string(f.Reason), Description: f.Description,
			})
		}
		details = append(details, bad)
	}
	return withDetails(codeOf[e.Kind], e.Message, details...)
}

func withDetails(code codes.Code, message string, details ...protoadapt.MessageV1) error {
	s := status.New(code, strings.ToValidUTF8(message, "\uFFFD"))
	if detailed, err := s.WithDetails(details...); err == nil {
		s = detailed
	}
	return s.Err()
}

// serviceOf returns the service of a full method name: "catalogue" of
// "/trama.catalogue.v1.NeedService/GetNeed".
func serviceOf(method string) string {
	pkg, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	parts := strings.Split(pkg, ".")
	if len(parts) < 2 {
		return pkg
	}
	return parts[1]
}

// FromStatus turns the error of a call to another service back into the
// *errs.Error that the other side gave, so that errs.KindOf and errs.ReasonOf
// work on it. A status without a reason of the suite's (the connection failed,
// the server failed) and any other error come back unchanged.
//
// Hand on to your own caller only what makes sense to them: a reference of
// theirs that does not exist is your REFERENCE_NOT_FOUND.
func FromStatus(err error) error {
	s, ok := status.FromError(err)
	if !ok || err == nil {
		return err
	}
	kind, ok := kindOf[s.Code()]
	if !ok {
		return err
	}
	var e *errs.Error
	for _, d := range s.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			e = errs.New(kind, errs.Reason(d.GetReason()), "%s", s.Message())
			e.Metadata = d.GetMetadata()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				if e != nil {
					e.Fields = append(e.Fields, errs.Field{Path: v.GetField(), Reason: errs.Reason(v.GetReason()), Description: v.GetDescription()})
				}
			}
		}
	}
	if e == nil {
		return err
	}
	return e
}
