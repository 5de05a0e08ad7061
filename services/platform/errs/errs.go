// Package errs is the suite's one error type. Domain code says what is wrong
// with a Kind, a Reason and words for people; the rpc package turns that into
// a google.rpc.Status and the gateway into a problem document. An error that is
// not an *Error reaches a caller only as a fixed INTERNAL text.
package errs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the class of an error. It decides the gRPC code and the HTTP status.
type Kind uint8

// The kinds, with the gRPC code and HTTP status that each becomes.
const (
	Internal           Kind = iota // INTERNAL, 500: never made by hand, the zero value is a bug
	Invalid                        // INVALID_ARGUMENT, 400: wrong whatever the state
	NotFound                       // NOT_FOUND, 404: absent, or not the caller's to see
	AlreadyExists                  // ALREADY_EXISTS, 409
	FailedPrecondition             // FAILED_PRECONDITION, 409: wrong in the present state
	Conflict                       // ABORTED, 409, or 412 for a stale etag: read again, try again
	PermissionDenied               // PERMISSION_DENIED, 403
	Unauthenticated                // UNAUTHENTICATED, 401
	Exhausted                      // RESOURCE_EXHAUSTED, 429
	Unavailable                    // UNAVAILABLE, 503: try again
)

// Reason names what is wrong for programs: a value of the PlatformError enum or
// of the service's own error enum, without the enum's prefix, for example
// "CHECK_DIGIT_WRONG".
type Reason string

// The reasons that any service may give; PlatformError in trama/type/v1
// documents them.
const (
	InvalidRequest    Reason = "INVALID_REQUEST"
	Absent            Reason = "NOT_FOUND"
	StaleEtag         Reason = "STALE_ETAG"
	ConcurrentUpdate  Reason = "CONCURRENT_UPDATE"
	RequestIDReused   Reason = "REQUEST_ID_REUSED"
	InvalidPageToken  Reason = "INVALID_PAGE_TOKEN"
	InvalidFilter     Reason = "INVALID_FILTER"
	InvalidOrderBy    Reason = "INVALID_ORDER_BY"
	InvalidUpdateMask Reason = "INVALID_UPDATE_MASK"
	TokenAbsent       Reason = "TOKEN_ABSENT"
	TokenInvalid      Reason = "TOKEN_INVALID"
	TokenExpired      Reason = "TOKEN_EXPIRED"
	TokenAudience     Reason = "TOKEN_AUDIENCE"
	RoleMissing       Reason = "ROLE_MISSING"
	Exists            Reason = "ALREADY_EXISTS"
	ReferenceNotFound Reason = "REFERENCE_NOT_FOUND"
	ServiceDown       Reason = "UNAVAILABLE"
	RateLimited       Reason = "RATE_LIMITED"
	BodyTooLarge      Reason = "BODY_TOO_LARGE"
	InternalFailure   Reason = "INTERNAL"
)

// Field is one thing wrong with one field of a request.
type Field struct {
	// Path as in the proto, for example "organisation.identifiers[1].value".
	Path string
	// Reason for programs; may be empty.
	Reason Reason
	// Description for people: what is wrong and what would be right.
	Description string
}

// Error is an error that a caller may see.
type Error struct {
	Kind     Kind
	Reason   Reason
	Message  string            // for people, in English, without personal data
	Fields   []Field           // for Invalid
	Metadata map[string]string // facts for programs, for example the resource's name
	cause    error             // for the log only
}

// New returns an error of a kind and a reason, with words for people.
func New(kind Kind, reason Reason, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// InvalidField returns an Invalid error about one field of the request.
func InvalidField(reason Reason, path, format string, args ...any) *Error {
	description := fmt.Sprintf(format, args...)
	return New(Invalid, reason, "%s: %s", path, description).WithField(path, reason, description)
}

// maxShown is how many bytes of a stranger's name an error repeats: the longest
// resource names have some 140.
const maxShown = 200

// AbsentResource returns the error for a resource that does not exist or is not
// the caller's to see. The two must look the same, so both come from here. Of a
// name that is far too long to be one only the beginning is repeated.
func AbsentResource(name string) *Error {
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "…"
	}
	return New(NotFound, Absent, "%s does not exist, or is not yours to see", name).With("resource", name)
}

// Stale returns the error for an etag that is not the current one.
func Stale(name string) *Error {
	return New(Conflict, StaleEtag, "%s has changed since it was read: read it again", name).With("resource", name)
}

// WithField adds a field violation and returns the error.
func (e *Error) WithField(path string, reason Reason, description string) *Error {
	e.Fields = append(e.Fields, Field{Path: path, Reason: reason, Description: description})
	return e
}

// With adds a fact for programs and returns the error.
func (e *Error) With(key, value string) *Error {
	if e.Metadata == nil {
		e.Metadata = map[string]string{}
	}
	e.Metadata[key] = value
	return e
}

// Because records the cause, for the log only, and returns the error.
func (e *Error) Because(cause error) *Error {
	e.cause = cause
	return e
}

// Under prefixes the path of every field violation, for a rule that checked a
// part without knowing where in the request the part stands.
func (e *Error) Under(prefix string) *Error {
	out := *e
	out.Fields = slices.Clone(e.Fields)
	out.Metadata = maps.Clone(e.Metadata)
	for i, f := range out.Fields {
		switch {
		case f.Path == "":
			out.Fields[i].Path = prefix
		case strings.HasPrefix(f.Path, "["):
			out.Fields[i].Path = prefix + f.Path
		default:
			out.Fields[i].Path = prefix + "." + f.Path
		}
	}
	if len(out.Fields) == 1 {
		out.Message = out.Fields[0].Path + ": " + out.Fields[0].Description
	}
	return &out
}

// Error returns the reason and the words for people.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Reason, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Reason, e.Message)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of err, Internal where it is not an *Error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// ReasonOf returns the reason of err, empty where it is not an *Error.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}
