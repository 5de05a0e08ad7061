package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// patience is how long a client may take over one piece of a body, in either
// direction, where the body as a whole has no time limit.
const patience = time.Minute

// download is an RPC that streams a file: google.api.HttpBody chunks, the first
// with the media type, under a GET path. The mux's own handler is not fit for
// files: it writes a line end behind every chunk, answers an error before the
// first one in its own form, and writes one that comes later into the file.
type download struct {
	method  string // full gRPC name
	path    string // as in the google.api.http option
	request protoreflect.MessageType
	conn    grpc.ClientConnInterface
}

// mountDownloads binds the download RPCs of a service. It comes after the
// generated handlers, in whose place it is.
func mountDownloads(mux *runtime.ServeMux, service string, conn grpc.ClientConnInterface) (err error) {
	protoregistry.GlobalFiles.RangeFilesByPackage(protoreflect.FullName("trama."+service+".v1"), func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for n := range methods.Len() {
				if err = mountDownload(mux, methods.Get(n), conn); err != nil {
					return false
				}
			}
		}
		return true
	})
	return err
}

func mountDownload(mux *runtime.ServeMux, m protoreflect.MethodDescriptor, conn grpc.ClientConnInterface) error {
	if !m.IsStreamingServer() || m.IsStreamingClient() || m.Output().FullName() != "google.api.HttpBody" {
		return nil
	}
	rule, _ := proto.GetExtension(m.Options(), annotations.E_Http).(*annotations.HttpRule)
	request, err := protoregistry.GlobalTypes.FindMessageByName(m.Input().FullName())
	if err != nil {
		return err
	}
	for _, r := range append([]*annotations.HttpRule{rule}, rule.GetAdditionalBindings()...) {
		if r.GetGet() == "" {
			return fmt.Errorf("%s streams a file and has no GET path", m.FullName())
		}
		d := &download{
			method: "/" + string(m.Parent().FullName()) + "/" + string(m.Name()), path: r.GetGet(), request: request, conn: conn,
		}
		if err := mux.HandlePath(http.MethodGet, d.path, func(w http.ResponseWriter, r *http.Request, params map[string]string) {
			d.serve(mux, w, r, params)
		}); err != nil {
			return err
		}
	}
	return nil
}

// serve makes the call and writes the file.
func (d *download) serve(mux *runtime.ServeMux, w http.ResponseWriter, r *http.Request, params map[string]string) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel() // ends the call where the client went away
	stream, err := d.call(ctx, mux, r, params)
	if err != nil {
		handleError(r.Context(), mux, nil, w, r, err)
		return
	}
	body := &httpbody.HttpBody{}
	if err := stream.RecvMsg(body); err != nil {
		if errors.Is(err, io.EOF) {
			err = status.Error(codes.Internal, "the file has no beginning")
		}
		handleError(r.Context(), mux, nil, w, r, err)
		return
	}
	sent, err := stream.Header()
	if err != nil {
		handleError(r.Context(), mux, nil, w, r, err)
		return
	}
	h := w.Header()
	for _, name := range []string{"content-disposition", "content-length", "etag"} {
		if v := sent.Get(name); len(v) == 1 {
			h.Set(name, v[0])
		}
	}
	h.Set("Content-Type", body.GetContentType())
	h["Cache-Control"] = noStore
	// Should a browser show a file all the same, it runs nothing of it.
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	connection := http.NewResponseController(w)
	for {
		// A slow client is waited for, one that has stopped is not.
		_ = connection.SetWriteDeadline(time.Now().Add(patience))
		if _, err := w.Write(body.GetData()); err != nil {
			return // the client went away
		}
		body = &httpbody.HttpBody{}
		switch err := stream.RecvMsg(body); {
		case errors.Is(err, io.EOF):
			return
		case err != nil:
			// Half a file must not look like a whole one.
			panic(http.ErrAbortHandler)
		}
	}
}

// call begins the RPC with the request's path and query.
func (d *download) call(ctx context.Context, mux *runtime.ServeMux, r *http.Request, params map[string]string) (grpc.ClientStream, error) {
	ctx, err := runtime.AnnotateContext(ctx, mux, r, d.method, runtime.WithHTTPPathPattern(d.path))
	if err != nil {
		return nil, err
	}
	request := d.request.New().Interface()
	var bound [][]string
	for name, value := range params {
		if err := runtime.PopulateFieldFromPath(request, name, value); err != nil {
			return nil, status.Errorf(codes.InvalidArgument, "type mismatch, parameter: %s, error: %v", name, err)
		}
		bound = append(bound, strings.Split(name, "."))
	}
	if err := (&strictQuery{}).Parse(request, r.URL.Query(), utilities.NewDoubleArray(bound)); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	stream, err := d.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, d.method)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) { // io.EOF: RecvMsg says why
		return nil, err
	}
	return stream, stream.CloseSend()
}
