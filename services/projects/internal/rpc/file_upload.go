package rpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/blob"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// Times of files.
const (
	// uploadTimeout bounds one upload. It is well under draftAge, so that no
	// draft is swept while it is written.
	uploadTimeout = 15 * time.Minute
	// draftAge is when a draft is one that a dead process left behind.
	draftAge = time.Hour
	// blobGrace is how long a content stays that no file has: far longer than
	// an upload takes from keeping the content to writing the file down.
	blobGrace = 24 * time.Hour
)

// UploadFile takes a file in: the content goes to a draft on the disk as it
// arrives, is looked at, kept in the file store, and only then written down.
func (s *Server) UploadFile(stream grpc.ClientStreamingServer[projectsv1.UploadFileRequest, projectsv1.File]) error {
	ctx, cancel := context.WithTimeout(stream.Context(), uploadTimeout)
	defer cancel()
	first, err := stream.Recv()
	if errors.Is(err, io.EOF) {
		return errs.InvalidField(domain.FieldMissing, "header", "the first message must have it")
	}
	if err != nil {
		return err
	}
	header := first.GetHeader()
	if header == nil {
		return errs.InvalidField(domain.FieldMissing, "header", "the first message must have it")
	}
	f, err := s.admitFile(ctx, header) // before any content is taken
	if err != nil {
		return err
	}
	draft, err := s.files.Store.Draft()
	if err != nil {
		return unavailableStore(err)
	}
	defer func() { _ = draft.Close() }() // whatever happened, the draft goes
	if err := s.receive(ctx, stream, draft); err != nil {
		return err
	}
	f.Size, f.SHA256 = draft.Size(), string(draft.Sum())
	if want := header.GetSha256(); want != "" && want != f.SHA256 {
		return errs.InvalidField(domain.FileDamaged, "header.sha256", "is not that of what arrived, which is %s over %d bytes", f.SHA256, f.Size)
	}
	if err := f.Describe(draft, header.GetDisplayName()); err != nil {
		return err
	}
	saved, err := s.saveFile(ctx, f, draft)
	if err != nil {
		return err
	}
	return stream.SendAndClose(fileProto(saved))
}

// admitFile says whose file an upload will be, and refuses those who may not.
func (s *Server) admitFile(ctx context.Context, header *projectsv1.UploadFileHeader) (*domain.File, error) {
	project, err := projectOf(header.GetParent())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*domain.File, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		return newFile(ctx, p, header)
	})
}

func newFile(ctx context.Context, p *domain.Project, header *projectsv1.UploadFileHeader) (*domain.File, error) {
	if err := p.Writable(); err != nil {
		return nil, err
	}
	owner, err := domain.FileOwner(p, header.GetOrganisation(), ownPartners(ctx, p), leads(ctx, p))
	if err != nil {
		return nil, err
	}
	f := &domain.File{Project: p.ID, Organisation: owner, UploadedBy: actor(ctx)}
	switch header.GetVisibility() {
	case projectsv1.FileVisibility_FILE_VISIBILITY_PROJECT:
		f.Shared = true
	case projectsv1.FileVisibility_FILE_VISIBILITY_UNSPECIFIED:
		f.Shared = owner == p.Lead
	}
	return f, nil
}

// receive writes the chunks of an upload to its draft, one at a time: a slow disk
// slows the sender down.
func (s *Server) receive(ctx context.Context, stream grpc.ClientStreamingServer[projectsv1.UploadFileRequest, projectsv1.File], draft *blob.Draft) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if message.GetHeader() != nil {
			return errs.InvalidField(errs.InvalidRequest, "header", "only the first message has it")
		}
		if draft.Size()+int64(len(message.GetChunk())) > s.files.MaxSize {
			return errs.InvalidField(errs.BodyTooLarge, "chunk", "the file is larger than %d bytes, the limit of this deployment", s.files.MaxSize)
		}
		if _, err := draft.Write(message.GetChunk()); err != nil {
			return unavailableStore(err)
		}
	}
}

// saveFile keeps a content and writes the file down. Two that do so at once for
// the same content get the same file.
func (s *Server) saveFile(ctx context.Context, f *domain.File, draft *blob.Draft) (*domain.File, error) {
	var there *domain.File
	want := func(ctx context.Context, tx *sqldb.Tx) error {
		p, err := store.LockProject(ctx, tx, f.Project)
		if err != nil {
			return err
		}
		if err := takesPart(ctx, p); err != nil { // it may have changed meanwhile
			return err
		}
		if err := p.Writable(); err != nil {
			return err
		}
		if there, err = store.FileOfContent(ctx, tx, f.Project, f.Organisation, f.SHA256); err != nil {
			return err
		}
		return store.WantBlob(ctx, tx, f.SHA256, f.Size, s.now())
	}
	if err := s.db.Write(ctx, want); err != nil {
		return nil, err
	}
	if err := s.files.Store.Keep(ctx, draft); err != nil {
		return nil, unavailableStore(err)
	}
	if there != nil {
		return there, nil // its content is kept anew, in case it was damaged
	}
	out := *f
	err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		if err := want(ctx, tx); err != nil || there != nil {
			return err
		}
		out = *f
		out.Stored(s.newID(), s.now())
		store.InsertFile(tx, &out)
		return nil
	})
	if there != nil {
		return there, err
	}
	return &out, err
}

// unavailableStore is the error for a file store that does not work now.
func unavailableStore(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return errs.New(errs.Unavailable, errs.ServiceDown, "the file store does not answer: try again").Because(err)
}

// CollectFiles removes, again and again until its context ends, the contents that
// no file has had for a day, and the drafts of processes that died.
func (s *Server) CollectFiles(ctx context.Context, every time.Duration) error {
	for {
		if err := s.collectFiles(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
		}
	}
}

func (s *Server) collectFiles(ctx context.Context) error {
	if err := s.files.Store.Sweep(time.Now().Add(-draftAge)); err != nil { // the disk's clock, not ours
		return err
	}
	for {
		var doomed []string
		err := s.db.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			var err error
			doomed, err = store.DoomBlobs(ctx, tx, s.now().Add(-blobGrace))
			return err
		})
		if err != nil || len(doomed) == 0 {
			return err
		}
		for _, sum := range doomed {
			if err := s.files.Store.Remove(ctx, blob.Sum(sum)); err != nil {
				return fmt.Errorf("removing a content without a file: %w", err)
			}
		}
		err = s.db.Write(ctx, func(_ context.Context, tx *sqldb.Tx) error {
			for _, sum := range doomed {
				store.ForgetBlob(tx, sum)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}
