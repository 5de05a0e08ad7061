package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

const aFile = "projects/0190a000-0000-7000-8000-000000000001/files/0190a000-0000-7000-8000-000000000002"

// filing is a file service that keeps what it is sent and sends what it is told.
type filing struct {
	projectsv1.UnimplementedFileServiceServer
	limit   int      // of an upload, in bytes; 0 for none
	chunks  []string // of a download
	failure error    // after the chunks

	header *projectsv1.UploadFileHeader
	token  []string
	got    []byte
	ended  chan error // how the last upload ended
}

func (f *filing) UploadFile(stream grpc.ClientStreamingServer[projectsv1.UploadFileRequest, projectsv1.File]) (err error) {
	defer func() { f.ended <- err }()
	md, _ := metadata.FromIncomingContext(stream.Context())
	f.token, f.got = md.Get("authorization"), nil
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&projectsv1.File{Name: aFile, DisplayName: f.header.GetDisplayName(), SizeBytes: int64(len(f.got)), Etag: "v1"})
		}
		if err != nil {
			return err
		}
		if m.GetHeader() != nil {
			f.header = m.GetHeader()
			continue
		}
		if f.got = append(f.got, m.GetChunk()...); f.limit > 0 && len(f.got) > f.limit {
			return withReason(codes.InvalidArgument, "BODY_TOO_LARGE")
		}
	}
}

func withReason(code codes.Code, reason string) error {
	s, _ := status.New(code, "words").WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "trama"})
	return s.Err()
}

func (f *filing) DownloadFile(req *projectsv1.DownloadFileRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	if req.GetName() != aFile {
		return withReason(codes.NotFound, "NOT_FOUND")
	}
	total := 0
	for _, c := range f.chunks {
		total += len(c)
	}
	pairs := metadata.Pairs("content-disposition", `attachment; filename="a.pdf"`, "etag", `"abc"`, "set-cookie", "no")
	if f.failure == nil {
		pairs.Set("content-length", fmt.Sprint(total))
	}
	if err := stream.SetHeader(pairs); err != nil {
		return err
	}
	for i, c := range f.chunks {
		body := &httpbody.HttpBody{Data: []byte(c)}
		if i == 0 {
			body.ContentType = "application/pdf"
		}
		if err := stream.Send(body); err != nil {
			return err
		}
	}
	return f.failure
}

// serveFiles starts a gateway before a file service, with a limit of 1 MiB.
func serveFiles(t *testing.T, f *filing) *httptest.Server {
	t.Helper()
	f.ended = make(chan error, 1)
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	projectsv1.RegisterFileServiceServer(server, f)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	conn, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	handler, err := New(t.Context(), Config{
		Operations: Operations{
			Ready: func(context.Context) error { return nil }, Checks: func(context.Context) []CheckResult { return nil }, Metrics: http.NotFoundHandler(),
		},
		Tracer: tracenoop.NewTracerProvider(), Meter: noop.NewMeterProvider(), Propagator: propagation.TraceContext{}, Now: time.Now, MaxUpload: 1 << 20,
	}, map[string]grpc.ClientConnInterface{"projects": conn})
	if err != nil {
		t.Fatal(err)
	}
	gateway := httptest.NewUnstartedServer(handler)
	gateway.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	gateway.Start()
	t.Cleanup(gateway.Close)
	return gateway
}

const filesPath = "/v1/projects/0190a000-0000-7000-8000-000000000001/files"

func TestDownloadsAreTheFileAndNothingElse(t *testing.T) {
	f := &filing{chunks: []string{"one", "\n", "", "three"}}
	server := serveFiles(t, f)
	res, body := send(t, "GET", server.URL+"/v1/"+aFile+":download", "", "Authorization", "Bearer x")
	h := res.Header
	if res.StatusCode != 200 || body != "one\nthree" || h.Get("Content-Type") != "application/pdf" || h.Get("Content-Disposition") != `attachment; filename="a.pdf"` ||
		h.Get("ETag") != `"abc"` || h.Get("Content-Length") != "9" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Set-Cookie") != "" {
		t.Errorf("%s %v %q", res.Status, h, body)
	}
	for path, want := range map[string]problem{
		"/v1/" + strings.Replace(aFile, "1/", "2/", 1) + ":download": {Status: 404, Reason: "NOT_FOUND", Domain: "trama"},
		"/v1/" + aFile + ":download?nane=x":                          {Status: 400, Reason: "INVALID_REQUEST", Domain: "trama"},
	} {
		res, body := send(t, "GET", server.URL+path, "")
		requireProblem(t, res, body, want)
		if res.Header.Get("Content-Disposition") != "" {
			t.Error("a problem is no attachment")
		}
	}
	f.chunks, f.failure = nil, status.Error(codes.Unavailable, "gone")
	res, body = send(t, "GET", server.URL+"/v1/"+aFile+":download", "")
	requireProblem(t, res, body, problem{Status: 503, Reason: "UNAVAILABLE", Domain: "trama"})
}

// A client must be able to tell half a file from a whole one.
func TestADownloadThatFailsIsCutOff(t *testing.T) {
	server := serveFiles(t, &filing{chunks: []string{strings.Repeat("x", 100_000)}, failure: status.Error(codes.Internal, "disk")})
	res, err := http.Get(server.URL + "/v1/" + aFile + ":download")
	if err != nil {
		return // cut off before the answer's head was out
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("%d bytes, and nothing wrong", len(body))
	}
}

func TestUploadsArriveAsTheyAre(t *testing.T) {
	f := &filing{}
	server := serveFiles(t, f)
	content := strings.Repeat("\x00\xff{}\n", 40_000)
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	part, _ := m.CreateFormFile("file", "modulo.pdf")
	_, _ = io.WriteString(part, content)
	_ = m.Close()
	for name, c := range map[string]struct {
		query, body string
		headers     []string
		want        *projectsv1.UploadFileHeader
	}{
		"name in the query": {"?displayName=citt%C3%A0.pdf&organisation=organisations/x&visibility=FILE_VISIBILITY_PARTNER&sha256=aa", content,
			[]string{"Content-Type", "application/pdf", "Content-Disposition", `attachment; filename="other.pdf"`},
			&projectsv1.UploadFileHeader{DisplayName: "città.pdf", MediaType: "application/pdf", Organisation: "organisations/x", Sha256: "aa", Visibility: 2}},
		"name in the header": {"", content, []string{"Content-Type", "text/csv; charset=utf-8", "Content-Disposition", "attachment; filename*=utf-8''citt%C3%A0.csv"},
			&projectsv1.UploadFileHeader{DisplayName: "città.csv", MediaType: "text/csv"}},
		"no name": {"", content, nil, &projectsv1.UploadFileHeader{}},
		"a form":  {"", form.String(), []string{"Content-Type", m.FormDataContentType()}, &projectsv1.UploadFileHeader{DisplayName: "modulo.pdf", MediaType: "application/octet-stream"}},
	} {
		res, body := send(t, "POST", server.URL+filesPath+c.query, c.body, append(c.headers, "Authorization", "Bearer t")...)
		if err := <-f.ended; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" || res.Header.Get("ETag") != `"v1"` || !strings.Contains(body, `"sizeBytes":"200000"`) {
			t.Errorf("%s: %s %v %s", name, res.Status, res.Header, body)
		}
		h := f.header
		if string(f.got) != content || len(f.token) != 1 || f.token[0] != "Bearer t" || h.GetParent() != "projects/0190a000-0000-7000-8000-000000000001" ||
			h.GetDisplayName() != c.want.GetDisplayName() || h.GetMediaType() != c.want.GetMediaType() || h.GetOrganisation() != c.want.GetOrganisation() ||
			h.GetSha256() != c.want.GetSha256() || h.GetVisibility() != c.want.GetVisibility() {
			t.Errorf("%s: %d bytes, %v", name, len(f.got), h)
		}
	}
}

func TestUploadsThatAreRefused(t *testing.T) {
	f := &filing{}
	server := serveFiles(t, f)
	large := strings.Repeat("x", 1<<20+200<<10)
	res, body := send(t, "POST", server.URL+filesPath, large)
	requireProblem(t, res, body, problem{Status: 413, Reason: "BODY_TOO_LARGE", Domain: "trama"})
	if !strings.Contains(body, "1048576 bytes") {
		t.Errorf("the limit is not told: %s", body)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+filesPath, io.MultiReader(strings.NewReader(large))) // of unknown length
	if res, err := http.DefaultClient.Do(req); err == nil {
		answer, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		requireProblem(t, res, string(answer), problem{Status: 413, Reason: "BODY_TOO_LARGE", Domain: "trama"})
	}
	if err := <-f.ended; status.Code(err) != codes.Canceled {
		t.Errorf("the service was told %v", err)
	}
	// Elsewhere the old limit holds.
	res, body = send(t, "POST", server.URL+"/v1/projects", strings.Repeat(" ", 5<<20))
	requireProblem(t, res, body, problem{Status: 413, Reason: "BODY_TOO_LARGE", Domain: "trama"})

	f.limit = 1000 // the service refuses while the body still comes
	res, body = send(t, "POST", server.URL+filesPath, strings.Repeat("x", 900<<10))
	requireProblem(t, res, body, problem{Status: 413, Reason: "BODY_TOO_LARGE", Domain: "trama"})
	<-f.ended
	for query, headers := range map[string][]string{"?parent2=x": nil, "?visibility=ALL": nil, "": {"Content-Type", "multipart/form-data; boundary=x"}} {
		res, body = send(t, "POST", server.URL+filesPath+query, "--x\r\n", headers...)
		requireProblem(t, res, body, problem{Status: 400, Reason: "INVALID_REQUEST", Domain: "trama"})
	}
}

// Where the client's line breaks the service must learn of it, and not take what
// has arrived for the whole.
func TestABrokenUploadIsCancelled(t *testing.T) {
	for name, body := range map[string]string{
		"shorter than its length": "Content-Length: 100000\r\n\r\n" + strings.Repeat("x", 70_000),
		"without a last chunk":    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
		"form without its end":    "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 200\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.pdf\"\r\n\r\nhello",
	} {
		f := &filing{}
		server := serveFiles(t, f)
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s", filesPath, body); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := <-f.ended; status.Code(err) != codes.Canceled {
			t.Errorf("%s: the service was told %v and has %d bytes", name, err, len(f.got))
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && res.StatusCode == 200 {
			t.Errorf("%s: %s", name, res.Status)
		}
		_ = conn.Close()
	}
}
