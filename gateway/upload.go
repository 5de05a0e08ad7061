package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"

	"github.com/trama-suite/trama/gateway/wirejson"
)

// The upload of a project's file: the generated code has no form for a call that
// streams a body to a path with a parameter.
const (
	uploadPath = "/v1/{parent=projects/*}/files"
	// uploadChunk is the size of the pieces that a body is passed on in, in bytes.
	uploadChunk = 64 << 10
	// formOverhead is how much longer than its file a form may be, in bytes.
	formOverhead = 64 << 10
	// defaultMaxUpload is the limit where the configuration has none, in bytes.
	defaultMaxUpload = 20 << 20
)

var uploadURL = regexp.MustCompile(`^/v1/projects/[^/]+/files$`)

// isUpload reports whether a request's body is a file, which has its own limit.
func isUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && uploadURL.MatchString(r.URL.Path)
}

// mountUpload binds the upload of files.
func mountUpload(_ context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
	client := projectsv1.NewFileServiceClient(conn)
	return mux.HandlePath(http.MethodPost, uploadPath, func(w http.ResponseWriter, r *http.Request, params map[string]string) {
		connection := http.NewResponseController(w)
		file, err := upload(client, mux, connection, r, params)
		_ = connection.SetWriteDeadline(time.Now().Add(patience))
		if err != nil {
			// What is left of the body is not read: the connection cannot go on.
			w.Header().Set("Connection", "close")
			handleError(r.Context(), mux, nil, w, r, err)
			return
		}
		body, err := wirejson.Marshal(file)
		if err != nil {
			handleError(r.Context(), mux, nil, w, r, err)
			return
		}
		_ = setHeaders(r.Context(), w, file)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // the client went away: nothing to do about it
	})
}

// upload passes the request's body on as a stream. Where the body breaks off the
// call is cancelled, so that the service drops what has arrived.
func upload(client projectsv1.FileServiceClient, mux *runtime.ServeMux, connection *http.ResponseController, r *http.Request, params map[string]string) (*projectsv1.File, error) {
	if tooLarge(r) {
		return nil, errTooLarge
	}
	header := &projectsv1.UploadFileHeader{}
	if err := (&strictQuery{}).Parse(header, r.URL.Query(), utilities.NewDoubleArray([][]string{{"parent"}})); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	header.Parent = params["parent"]
	content, err := contentOf(r, header)
	if err != nil {
		return nil, err
	}
	ctx, err := runtime.AnnotateContext(r.Context(), mux, r, projectsv1.FileService_UploadFile_FullMethodName, runtime.WithHTTPPathPattern(uploadPath))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := client.UploadFile(ctx)
	if err != nil {
		return nil, err
	}
	err = stream.Send(&projectsv1.UploadFileRequest{Part: &projectsv1.UploadFileRequest_Header{Header: header}})
	for err == nil {
		// A slow client is waited for, one that has stopped is not.
		_ = connection.SetReadDeadline(time.Now().Add(patience))
		chunk := make([]byte, uploadChunk) // the message keeps it
		n, failure := fill(content, chunk)
		if n > 0 {
			err = stream.Send(&projectsv1.UploadFileRequest{Part: &projectsv1.UploadFileRequest_Chunk{Chunk: chunk[:n]}})
		}
		switch {
		case err != nil:
		case failure == io.EOF: //nolint:errorlint // a body that broke off may wrap it
			return stream.CloseAndRecv()
		case tooLarge(r):
			return nil, errTooLarge
		case failure != nil:
			return nil, status.Error(codes.InvalidArgument, "the body broke off: "+failure.Error())
		}
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream.CloseAndRecv() // the service has answered before the end: it says why
}

// errTooLarge is for handleError, which knows the limit.
var errTooLarge = status.Error(codes.InvalidArgument, string(errs.BodyTooLarge))

// fill reads until p is full or the content ends. Unlike io.ReadFull it keeps the
// end of a body (io.EOF) apart from a body that broke off.
func fill(content io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var got int
		got, err = content.Read(p[n:])
		n += got
	}
	return n, err
}

// contentOf returns the file in a request: the body, or the one file of a form.
// It fills in what the headers say of it.
func contentOf(r *http.Request, header *projectsv1.UploadFileHeader) (io.Reader, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.Header.Get("Content-Type") != "" {
		return nil, status.Error(codes.InvalidArgument, "the Content-Type is malformed")
	}
	if media == "multipart/form-data" {
		return formFile(r, header)
	}
	if header.GetMediaType() == "" {
		header.MediaType = media
	}
	if header.GetDisplayName() == "" {
		header.DisplayName = attachmentName(r.Header.Get("Content-Disposition"))
	}
	return r.Body, nil
}

// attachmentName is the file name in a Content-Disposition; empty where there is
// none. A name that is no UTF-8 is none: gRPC carries no other text.
func attachmentName(disposition string) string {
	_, params, _ := mime.ParseMediaType(disposition)
	return params["filename"]
}

func formFile(r *http.Request, header *projectsv1.UploadFileHeader) (io.Reader, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the form is malformed: %v", err)
	}
	part, err := form.NextPart()
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the form has no file: %v", err)
	}
	if part.FileName() == "" {
		return nil, status.Errorf(codes.InvalidArgument, "field %q: the form may have one part, the file, with a file name; its other fields go in the query", part.FormName())
	}
	if header.GetDisplayName() == "" {
		header.DisplayName = part.FileName()
	}
	if header.GetMediaType() == "" {
		header.MediaType, _, _ = mime.ParseMediaType(part.Header.Get("Content-Type"))
	}
	return &onlyPart{form: form, part: part}, nil
}

// onlyPart reads a part of a form and then makes sure that it was the last.
type onlyPart struct {
	form *multipart.Reader
	part *multipart.Part
	end  error
}

// Read implements io.Reader.
func (o *onlyPart) Read(p []byte) (int, error) {
	if o.end != nil {
		return 0, o.end
	}
	n, err := o.part.Read(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	o.end = io.EOF
	if _, err := o.form.NextPart(); err == nil {
		o.end = errors.New("the form has more than one part")
	} else if !errors.Is(err, io.EOF) {
		o.end = fmt.Errorf("the form is malformed: %w", err)
	}
	return n, o.end
}
