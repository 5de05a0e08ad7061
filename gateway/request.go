package gateway

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/trama-suite/trama/services/platform/errs"
)

// maxBody is the largest request body, as for gRPC messages. Files have a limit
// of their own.
const maxBody = 4 << 20

// limitedBody is a request body that stops after its limit and remembers it, so
// that the error handler can tell a large body from a malformed one.
type limitedBody struct {
	io.ReadCloser
	limit    int64
	left     int64
	exceeded bool
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.exceeded = true
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

type bodyKey struct{}

// limitBody is the middleware that bounds bodies.
func limitBody(maxUpload int64, next http.Handler) http.Handler {
	if maxUpload <= 0 {
		maxUpload = defaultMaxUpload
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body == nil || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		limit := int64(maxBody)
		if isUpload(r) {
			limit = maxUpload + formOverhead
		}
		body := &limitedBody{ReadCloser: r.Body, limit: limit, left: limit}
		if r.ContentLength > limit {
			body.left, body.exceeded = -1, true
		}
		r = r.WithContext(context.WithValue(r.Context(), bodyKey{}, body))
		r.Body = body
		next.ServeHTTP(w, r)
	})
}

func tooLarge(r *http.Request) bool {
	body, ok := r.Context().Value(bodyKey{}).(*limitedBody)
	return ok && body.exceeded
}

// bodyLimit is the largest body that the request might have had, in words.
func bodyLimit(r *http.Request) string {
	if body, ok := r.Context().Value(bodyKey{}).(*limitedBody); ok && body.limit != maxBody {
		return strconv.FormatInt(body.limit-formOverhead, 10) + " bytes, the limit for files"
	}
	return "4 MiB"
}

// forwardHeader says which request headers become gRPC metadata: none. The mux
// forwards the token by itself; in particular a client's Grpc-Metadata-*
// headers never arrive.
func forwardHeader(string) (string, bool) { return "", false }

// conditions are the HTTP headers that stand for fields of a request.
type conditions struct {
	requestID string // Idempotency-Key
	etag      string // If-Match
}

type conditionsKey struct{}

// readable is the middleware that refuses an authorization which gRPC metadata
// cannot carry. The mux would drop it, and the caller pass for nobody.
func readable(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, value := range r.Header.Values("Authorization") {
			if strings.IndexFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) >= 0 {
				writeProblem(w, r, newProblem(codes.Unauthenticated, errs.TokenInvalid, "the authorization has characters that no token has"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// readConditions is the middleware that takes Idempotency-Key and If-Match.
func readConditions(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := conditions{
			requestID: r.Header.Get("Idempotency-Key"),
			etag:      strings.Trim(strings.TrimPrefix(r.Header.Get("If-Match"), "W/"), `"`),
		}
		if c.etag == "*" {
			c.etag = "" // whatever it is now (RFC 9110, 13.1.1), as without the header
		}
		if c != (conditions{}) {
			r = r.WithContext(context.WithValue(r.Context(), conditionsKey{}, c))
		}
		next.ServeHTTP(w, r)
	})
}

// conditionalConn puts the conditions of the HTTP request into the fields of
// the same meaning where the request leaves them empty: request_id; and etag,
// of the request or, for an update, of the resource in it. It also reads an
// update mask in JSON names.
type conditionalConn struct{ grpc.ClientConnInterface }

func (c conditionalConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if m, ok := args.(proto.Message); ok {
		if found, ok := ctx.Value(conditionsKey{}).(conditions); ok {
			apply(m.ProtoReflect(), found)
		}
		if update, ok := args.(interface {
			GetUpdateMask() *fieldmaskpb.FieldMask
		}); ok {
			protoNames(m.ProtoReflect().Descriptor(), update.GetUpdateMask())
		}
	}
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}

// protoNames turns a mask in JSON names (displayName) into one in the proto's
// (display_name). In a body the JSON decoder does that, in a query nobody. What
// is no field stays, for the service to refuse.
func protoNames(request protoreflect.MessageDescriptor, mask *fieldmaskpb.FieldMask) {
	var resource protoreflect.MessageDescriptor
	for i := range request.Fields().Len() {
		if fd := request.Fields().Get(i); fd.Message() != nil && !fd.IsList() && !fd.IsMap() && fd.Name() != "update_mask" {
			resource = fd.Message()
			break
		}
	}
	for i, path := range mask.GetPaths() {
		segments := strings.Split(path, ".")
		within := resource
		for n, segment := range segments {
			if within == nil {
				break
			}
			fd := within.Fields().ByJSONName(segment)
			if named := within.Fields().ByName(protoreflect.Name(segment)); named != nil {
				fd = named
			}
			if fd == nil {
				break
			}
			segments[n], within = string(fd.Name()), fd.Message()
		}
		mask.Paths[i] = strings.Join(segments, ".")
	}
}

func apply(m protoreflect.Message, c conditions) {
	setIfEmpty(m, "request_id", c.requestID)
	if setIfEmpty(m, "etag", c.etag) {
		return
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		if fd := fields.Get(i); fd.Message() != nil && !fd.IsList() && !fd.IsMap() && m.Has(fd) {
			if setIfEmpty(m.Mutable(fd).Message(), "etag", c.etag) {
				return
			}
		}
	}
}

// setIfEmpty reports whether m has a text field of that name.
func setIfEmpty(m protoreflect.Message, name protoreflect.Name, value string) bool {
	fd := m.Descriptor().Fields().ByName(name)
	if fd == nil || fd.Kind() != protoreflect.StringKind || fd.IsList() {
		return false
	}
	if value != "" && m.Get(fd).String() == "" {
		m.Set(fd, protoreflect.ValueOfString(value))
	}
	return true
}

var noStore = []string{"no-store"}

// setHeaders keeps an answer out of caches, which cannot know for whom it is,
// and repeats a resource's etag in the ETag header.
func setHeaders(_ context.Context, w http.ResponseWriter, m proto.Message) error {
	w.Header()["Cache-Control"] = noStore
	if tagged, ok := m.(interface{ GetEtag() string }); ok && tagged.GetEtag() != "" {
		w.Header()["Etag"] = []string{`"` + tagged.GetEtag() + `"`}
	}
	return nil
}
