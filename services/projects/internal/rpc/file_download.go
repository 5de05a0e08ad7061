package rpc

import (
	"context"
	"errors"
	"io"
	"mime"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/httpbody"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/blob"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// chunkSize is the size of the pieces that files are sent in, in bytes.
const chunkSize = 64 << 10

// DownloadFile sends a file's content.
func (s *Server) DownloadFile(req *projectsv1.DownloadFileRequest, stream grpc.ServerStreamingServer[httpbody.HttpBody]) error {
	ctx := stream.Context()
	f, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*domain.File, error) {
		f, _, err := readableFile(ctx, tx, req.GetName())
		return f, err
	})
	if err != nil {
		return err
	}
	content, err := s.openFile(ctx, f)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	if err := stream.SetHeader(metadata.Pairs("content-length", strconv.FormatInt(f.Size, 10), "etag", `"`+f.SHA256+`"`)); err != nil {
		return err
	}
	return send(stream, f.MediaType, f.DisplayName, func(w io.Writer) error {
		_, err := io.CopyBuffer(w, onlyReader{content}, make([]byte, chunkSize))
		return err // ErrDamaged too: the server's failure, with the cause in its log
	})
}

// onlyReader hides what else a reader can do, so that a copy goes through the
// buffer that it was given.
type onlyReader struct{ io.Reader }

// openFile opens the content of a file. What is read is checked against its
// SHA-256.
func (s *Server) openFile(ctx context.Context, f *domain.File) (io.ReadCloser, error) {
	content, _, err := s.files.Store.Open(ctx, blob.Sum(f.SHA256))
	if err != nil && !errors.Is(err, blob.ErrAbsent) {
		err = unavailableStore(err)
	}
	return content, err
}

// send streams what write writes as a file of that type and name, in chunks. Only
// the first has the type. Nothing is sent where write fails before its first
// byte, so that the caller gets the error alone.
func send(stream grpc.ServerStreamingServer[httpbody.HttpBody], mediaType, name string, write func(w io.Writer) error) error {
	if err := stream.SetHeader(metadata.Pairs("content-disposition", disposition(name))); err != nil {
		return err
	}
	if strings.HasPrefix(mediaType, "text/") {
		mediaType += "; charset=utf-8"
	}
	out := &chunks{stream: stream, mediaType: mediaType}
	if err := write(out); err != nil {
		return err
	}
	return out.flush()
}

// disposition is the Content-Disposition of an attachment (RFC 6266), in ASCII.
func disposition(name string) string {
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": name}); v != "" {
		return v
	}
	return "attachment"
}

// chunks is a writer that sends what is written in messages of chunkSize.
type chunks struct {
	stream    grpc.ServerStreamingServer[httpbody.HttpBody]
	mediaType string
	held      []byte
	sent      bool
}

// Write implements io.Writer.
func (c *chunks) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if c.held == nil {
			c.held = make([]byte, 0, chunkSize)
		}
		take := min(len(p), chunkSize-len(c.held))
		c.held = append(c.held, p[:take]...)
		p = p[take:]
		if len(c.held) == chunkSize {
			if err := c.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// flush sends what is held; the first message even where that is nothing.
func (c *chunks) flush() error {
	if len(c.held) == 0 && c.sent {
		return nil
	}
	err := c.stream.Send(&httpbody.HttpBody{ContentType: c.mediaType, Data: c.held})
	c.held, c.sent, c.mediaType = nil, true, "" // a message that was sent is not ours any more
	return err
}
