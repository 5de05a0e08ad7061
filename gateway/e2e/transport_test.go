package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// outcome is what a call came to, whatever it went over.
type outcome struct {
	code   codes.Code
	reason string
	text   string // for people, or the answer in JSON where code is OK
	fields []string
}

func (o outcome) String() string {
	return fmt.Sprintf("%s %s %.300s %v", o.code, o.reason, o.text, o.fields)
}

// broken reports an outcome that no request may have.
func (o outcome) broken() bool {
	switch o.code {
	case codes.Internal, codes.Unknown, codes.Unimplemented, codes.Unavailable, codes.DataLoss, codes.DeadlineExceeded:
		return true
	}
	return false
}

// transport makes a call with a token, none where it is empty.
type transport func(t testing.TB, m method, token string, req proto.Message) outcome

func (s *shape) overGRPC(t testing.TB, m method, token string, req proto.Message) outcome {
	t.Helper()
	ctx := t.Context()
	if token != "" {
		ctx = s.outgoing(t, token)
	}
	if m.IsStreamingClient() || m.IsStreamingServer() {
		return s.streamOverGRPC(t, ctx, m, req)
	}
	resp := m.newResponse()
	return outcomeOf(s.dial(t, m.service).Invoke(ctx, m.path(), req, resp), resp)
}

func outcomeOf(err error, resp proto.Message) outcome {
	if err == nil {
		body, err := protojson.Marshal(resp)
		if err != nil {
			return outcome{code: codes.DataLoss, text: err.Error()}
		}
		return outcome{text: string(body)}
	}
	st := status.Convert(err)
	out := outcome{code: st.Code(), text: st.Message()}
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.ErrorInfo:
			out.reason = d.GetReason()
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				out.fields = append(out.fields, v.GetField()+": "+v.GetDescription())
			}
		}
	}
	return out
}

func (s *shape) overREST(t testing.TB, m method, token string, req proto.Message) outcome {
	t.Helper()
	r, err := m.request(req.ProtoReflect())
	if err != nil {
		t.Fatalf("%s: %v", m.short(), err)
	}
	r.token = token
	if m.endless() {
		return outcomeOfREST(s.firstEvent(t, r))
	}
	return outcomeOfREST(s.do(t, r))
}

// codeOf is the code that an HTTP status stands for; 409 stands for three, of
// which one is given.
var codeOf = map[int]codes.Code{
	200: codes.OK, 400: codes.InvalidArgument, 401: codes.Unauthenticated, 403: codes.PermissionDenied, 404: codes.NotFound,
	409: codes.FailedPrecondition, 412: codes.Aborted, 413: codes.InvalidArgument, 429: codes.ResourceExhausted,
	500: codes.Internal, 501: codes.Unimplemented, 503: codes.Unavailable, 504: codes.DeadlineExceeded,
}

func outcomeOfREST(a answer) outcome {
	code, known := codeOf[a.status]
	if !known {
		return outcome{code: codes.Unknown, text: fmt.Sprintf("HTTP %d: %s", a.status, a.body)}
	}
	if code == codes.OK {
		return outcome{text: readable(a.body)}
	}
	p := a.problem()
	if p.Status != a.status || p.Reason == "" {
		return outcome{code: codes.Unknown, text: fmt.Sprintf("HTTP %d without a problem document: %s", a.status, a.body)}
	}
	out := outcome{code: code, reason: p.Reason, text: p.Detail}
	for _, f := range p.Fields {
		out.fields = append(out.fields, f.Field+": "+f.Description)
	}
	return out
}

// request writes the HTTP request that stands for a message.
func (m method) request(req protoreflect.Message) (request, error) {
	r := request{method: m.verb, path: m.template}
	if m.IsStreamingClient() {
		return m.upload(req)
	}
	used := map[string]bool{}
	for _, b := range m.bound {
		used[b.field] = true
		segments := strings.Split(getPath(req, b.field), "/")
		for i := range segments {
			segments[i] = url.PathEscape(segments[i])
		}
		r.path = strings.Replace(r.path, "{"+b.field+"="+b.pattern+"}", strings.Join(segments, "/"), 1)
	}
	query := url.Values{}
	if m.body != "*" {
		for i := range req.Descriptor().Fields().Len() {
			fd := req.Descriptor().Fields().Get(i)
			if string(fd.Name()) != m.body && !used[string(fd.Name())] && req.Has(fd) {
				if err := parameters(query, fd, req.Get(fd)); err != nil {
					return r, err
				}
			}
		}
	}
	if len(query) > 0 {
		r.path += "?" + query.Encode()
	}
	if m.body == "" {
		return r, nil
	}
	part := req
	if m.body != "*" {
		part = req.Get(req.Descriptor().Fields().ByName(protoreflect.Name(m.body))).Message()
	}
	body, err := protojson.Marshal(part.Interface())
	r.body = bytes.NewReader(body)
	if m.verb == http.MethodPatch {
		r.header = map[string]string{"Content-Type": "application/merge-patch+json"}
	}
	return r, err
}

// parameters writes a field that is a query parameter, as protojson would.
func parameters(query url.Values, fd protoreflect.FieldDescriptor, v protoreflect.Value) error {
	add := func(v protoreflect.Value) error {
		switch {
		case fd.Enum() != nil:
			if d := fd.Enum().Values().ByNumber(v.Enum()); d != nil {
				query.Add(fd.JSONName(), string(d.Name()))
			} else {
				query.Add(fd.JSONName(), fmt.Sprint(v.Enum()))
			}
		case fd.Message() != nil:
			b, err := protojson.Marshal(v.Message().Interface())
			if err != nil {
				return err
			}
			query.Add(fd.JSONName(), strings.Trim(string(b), `"`))
		default:
			query.Add(fd.JSONName(), fmt.Sprint(v.Interface()))
		}
		return nil
	}
	if !fd.IsList() {
		return add(v)
	}
	for i := range v.List().Len() {
		if err := add(v.List().Get(i)); err != nil {
			return err
		}
	}
	return nil
}
