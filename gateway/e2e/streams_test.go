package e2e

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// endless reports a stream that goes on until the caller leaves: its first answer
// is all that a test waits for.
func (m method) endless() bool {
	return m.IsStreamingServer() && m.Output().FullName() != "google.api.HttpBody"
}

// streamTime is how long a stream may take to its first answer, and a file to its
// end.
const streamTime = 20 * time.Second

// document is a small file that the suite takes, its own for each n.
func document(n int) []byte {
	return fmt.Appendf(nil, "%%PDF-1.4\n%% documento %d\ntrailer\n%%%%EOF\n", n)
}

// streamOverGRPC makes a call that streams: an upload sends the request, then a
// document; of a download all is read, of an endless stream the first answer.
func (s *shape) streamOverGRPC(t testing.TB, ctx context.Context, m method, req proto.Message) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, streamTime)
	defer cancel()
	stream, err := s.dial(t, m.service).NewStream(ctx, &grpc.StreamDesc{ServerStreams: m.IsStreamingServer(), ClientStreams: m.IsStreamingClient()}, m.path())
	if err != nil {
		return outcomeOf(err, nil)
	}
	// A service that has answered already is no error here: RecvMsg says why.
	if err := stream.SendMsg(req); err != nil && !errors.Is(err, io.EOF) {
		return outcomeOf(err, nil)
	}
	if m.IsStreamingClient() {
		counter++
		chunk := &projectsv1.UploadFileRequest{Part: &projectsv1.UploadFileRequest_Chunk{Chunk: document(int(counter))}}
		if err := stream.SendMsg(chunk); err != nil && !errors.Is(err, io.EOF) {
			return outcomeOf(err, nil)
		}
	}
	if err := stream.CloseSend(); err != nil {
		return outcomeOf(err, nil)
	}
	var file bytes.Buffer
	for {
		resp := m.newResponse()
		switch err := stream.RecvMsg(resp); {
		case errors.Is(err, io.EOF):
			return outcome{text: readable(file.Bytes())}
		case err != nil:
			return outcomeOf(err, nil)
		}
		body, ok := resp.(*httpbody.HttpBody)
		if !ok {
			return outcomeOf(nil, resp)
		}
		file.Write(body.GetData())
	}
}

// readable is the text of a file: of a spreadsheet, that of all its parts.
func readable(content []byte) string {
	if !bytes.HasPrefix(content, []byte("PK")) {
		return string(content)
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, f := range z.File {
		part, err := f.Open()
		if err != nil {
			return err.Error()
		}
		if _, err := io.Copy(&b, part); err != nil {
			return err.Error()
		}
		_ = part.Close()
	}
	return b.String()
}

// upload writes the HTTP request that stands for an upload's first message: the
// header in path and query, a document as the body.
func (m method) upload(req protoreflect.Message) (request, error) {
	counter++
	r := request{method: m.verb, body: bytes.NewReader(document(int(counter))), header: map[string]string{"Content-Type": "application/pdf"}}
	header := req.Get(req.Descriptor().Fields().ByName("header")).Message()
	segments := strings.Split(getPath(req, "header.parent"), "/")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	r.path = strings.Replace(m.template, "{header.parent=projects/*}", strings.Join(segments, "/"), 1)
	query := url.Values{}
	for i := range header.Descriptor().Fields().Len() {
		if fd := header.Descriptor().Fields().Get(i); fd.Name() != "parent" && header.Has(fd) {
			if err := parameters(query, fd, header.Get(fd)); err != nil {
				return r, err
			}
		}
	}
	if len(query) > 0 {
		r.path += "?" + query.Encode()
	}
	return r, nil
}

// firstEvent makes a request whose answer is Server-Sent Events, and leaves after
// the first. Any other answer is read whole.
func (s *shape) firstEvent(t testing.TB, r request) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), streamTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, s.base+r.path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	res, err := httpClient.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	defer func() { _ = res.Body.Close() }()
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("%s %s: %v", r.method, r.path, err)
		}
		return answer{res.StatusCode, res.Header, body}
	}
	var event bytes.Buffer
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if fmt.Fprintln(&event, lines.Text()); lines.Text() == "" && bytes.Contains(event.Bytes(), []byte("id: ")) {
			return answer{res.StatusCode, res.Header, event.Bytes()}
		}
	}
	t.Fatalf("%s %s: the stream ended before its first event: %q", r.method, r.path, event.String())
	return answer{}
}

// uploadFile uploads a content that must be accepted.
func (s *shape) uploadFile(t *testing.T, token, project, name string, content []byte) string {
	t.Helper()
	a := s.do(t, request{
		method: http.MethodPost, path: "/v1/" + project + "/files?displayName=" + escape(name), token: token,
		body: bytes.NewReader(content), header: map[string]string{"Content-Type": "application/octet-stream"},
	})
	f := &projectsv1.File{}
	if err := protojson.Unmarshal(a.body, f); a.status != http.StatusOK || err != nil {
		t.Fatalf("upload of %s: %d %s %v", name, a.status, a.body, err)
	}
	return f.GetName()
}
