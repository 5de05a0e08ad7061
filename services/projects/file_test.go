package projects_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

const (
	funder = authzv1.Role_ROLE_FUNDER
	// bank is an organisation that funds projects.
	bank = "organisations/0190a000-0000-7000-8000-0000000000b1"
)

// pdf is a small document whose content n makes its own.
func pdf(n int) []byte {
	return fmt.Appendf(nil, "%%PDF-1.4\n%% fattura %d\ntrailer\n%%%%EOF\n", n)
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// upload uploads a content in pieces.
func (s *suite) upload(as context.Context, h *projectsv1.UploadFileHeader, content []byte) (*projectsv1.File, error) {
	stream, err := s.UploadFile(as)
	if err != nil {
		return nil, err
	}
	err = stream.Send(&projectsv1.UploadFileRequest{Part: &projectsv1.UploadFileRequest_Header{Header: h}})
	for piece := range slices.Chunk(content, 1000) {
		if err != nil {
			break
		}
		err = stream.Send(&projectsv1.UploadFileRequest{Part: &projectsv1.UploadFileRequest_Chunk{Chunk: piece}})
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream.CloseAndRecv()
}

func (s *suite) uploaded(as context.Context, p *projectsv1.Project, name string, content []byte) *projectsv1.File {
	s.t.Helper()
	return must[*projectsv1.File](s.t)(s.upload(as, &projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: name}, content))
}

func (s *suite) download(as context.Context, name string) ([]byte, error) {
	stream, err := s.DownloadFile(as, &projectsv1.DownloadFileRequest{Name: name})
	if err != nil {
		return nil, err
	}
	var out []byte
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, chunk.GetData()...)
	}
}

// contents lists the files of the store, drafts too, by their names.
func (s *suite) contents() []string {
	s.t.Helper()
	var out []string
	err := filepath.WalkDir(s.FilesDir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *suite) fileCount() (n int64) {
	s.t.Helper()
	if err := s.DB.Read(s.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT COUNT(*) FROM files").Scan(&n)
	}); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestAFileIsUploadedAndDownloaded(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.project(), s.As(manager, leader)
		content := append(pdf(1), bytes.Repeat([]byte("%\n"), 500)...)
		content = append(append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 200_000)...), content...)
		f := must[*projectsv1.File](t)(s.upload(me, &projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: "../a\u202efdp.città à.pdf", Sha256: hexSum(content)}, content))
		if f.GetMediaType() != "application/pdf" || f.GetDisplayName() != "afdp.città à.pdf" || f.GetSizeBytes() != int64(len(content)) ||
			f.GetSha256() != hexSum(content) || f.GetOrganisation() != leader || f.GetUploadedBy() == "" ||
			f.GetVisibility() != projectsv1.FileVisibility_FILE_VISIBILITY_PROJECT {
			t.Errorf("uploaded %v", f)
		}
		stream, err := s.DownloadFile(me, &projectsv1.DownloadFileRequest{Name: f.GetName()})
		if err != nil {
			t.Fatal(err)
		}
		first, err := stream.Recv()
		if err != nil || first.GetContentType() != "application/pdf" || len(first.GetData()) != 64<<10 {
			t.Fatalf("first chunk of %d bytes, %q, %v", len(first.GetData()), first.GetContentType(), err)
		}
		h, err := stream.Header()
		if err != nil || h.Get("etag")[0] != `"`+f.GetSha256()+`"` || h.Get("content-disposition")[0] != "attachment; filename*=utf-8''afdp.citt%C3%A0%20%C3%A0.pdf" ||
			h.Get("content-length")[0] != fmt.Sprint(len(content)) {
			t.Errorf("headers %v, %v", h, err)
		}
		if got, err := s.download(me, f.GetName()); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		again := s.uploaded(me, p, "altro nome.pdf", content)
		if again.GetName() != f.GetName() || again.GetDisplayName() != f.GetDisplayName() || len(s.contents()) != 1 {
			t.Errorf("the same content again is %v; the store has %v", again, s.contents())
		}
		list := must[*projectsv1.ListFilesResponse](t)(s.ListFiles(me, &projectsv1.ListFilesRequest{Parent: p.GetName(), Filter: `media_type = "application/pdf"`}))
		if len(list.GetFiles()) != 1 || list.GetFiles()[0].GetName() != f.GetName() {
			t.Errorf("listed %v", list)
		}
	})
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.project(), s.As(manager, leader)
		h := func(name string) *projectsv1.UploadFileHeader {
			return &projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: name}
		}
		for _, c := range []struct {
			header  *projectsv1.UploadFileHeader
			content []byte
			reason  errs.Reason
		}{
			{h("vuoto.pdf"), nil, domain.FileEmpty},
			{h("a.pdf"), []byte("MZ\x90\x00"), domain.FileTypeRefused},
			{h("a.txt"), []byte("  <!DOCTYPE html><html>"), domain.FileTypeRefused},
			{h("a.xml"), []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), domain.FileTypeRefused},
			{h("foto.png"), pdf(1), domain.FileNameMismatch},
			{h("fattura.pdf.exe"), pdf(1), domain.FileNameMismatch},
			{h("a.pdf"), []byte("%PDF-1.4 half"), domain.FileDamaged},
			{&projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: "a.pdf", Sha256: hexSum(pdf(2))}, pdf(1), domain.FileDamaged},
			{&projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: "a.pdf", Organisation: stranger}, pdf(1), domain.NotAPartner},
			{&projectsv1.UploadFileHeader{Parent: "projects/1"}, pdf(1), errs.InvalidRequest},
			{h("grande.txt"), bytes.Repeat([]byte("a"), 20<<20+1), errs.BodyTooLarge},
			{nil, pdf(1), errs.InvalidRequest},
		} {
			_, err := s.upload(me, c.header, c.content)
			refused(t, err, codes.InvalidArgument, c.reason)
		}
		stream, err := s.UploadFile(me)
		if err != nil {
			t.Fatal(err)
		}
		_, err = stream.CloseAndRecv()
		refused(t, err, codes.InvalidArgument, domain.FieldMissing)
		if n := s.fileCount(); n != 0 || len(s.contents()) != 0 {
			t.Errorf("%d files, the store has %v", n, s.contents())
		}
	})
}

// An upload that breaks off, wherever, leaves neither a row nor a byte.
func TestABrokenUploadLeavesNothing(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.project()
		for after := range 4 {
			ctx, cancel := context.WithCancel(s.As(manager, leader))
			stream, err := s.UploadFile(ctx)
			if err != nil {
				t.Fatal(err)
			}
			parts := []*projectsv1.UploadFileRequest{
				{Part: &projectsv1.UploadFileRequest_Header{Header: &projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: "a.pdf"}}},
				{Part: &projectsv1.UploadFileRequest_Chunk{Chunk: pdf(1)[:10]}},
				{Part: &projectsv1.UploadFileRequest_Chunk{Chunk: pdf(1)[10:]}},
			}
			for _, m := range parts[:after] {
				if err := stream.Send(m); err != nil {
					t.Fatal(err)
				}
			}
			cancel()
			if err := stream.RecvMsg(&projectsv1.File{}); status.Code(err) != codes.Canceled {
				t.Errorf("after %d messages: %v", after, err)
			}
		}
		s.eventually(func() bool { return len(s.contents()) == 0 }, "the drafts are gone")
		if n := s.fileCount(); n != 0 {
			t.Errorf("%d files", n)
		}
	})
}

// eventually waits for something that another goroutine does.
func (s *suite) eventually(fn func() bool, what string) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); !fn(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not in time: %s", what)
		}
	}
}

func TestTheSameContentAtOnceIsOneFile(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.project(), s.As(manager, leader)
		names := make([]string, 8)
		var wg sync.WaitGroup
		for i := range names {
			wg.Go(func() {
				f, err := s.upload(me, &projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: fmt.Sprintf("%d.pdf", i)}, pdf(1))
				if err != nil {
					t.Error(err)
				}
				names[i] = f.GetName()
			})
		}
		wg.Wait()
		if slices.Sort(names); names[0] == "" || names[0] != names[7] || len(s.contents()) != 1 {
			t.Errorf("files %v, the store has %v", names, s.contents())
		}
	})
}

// use notes a use of a file, as another part of the service does.
func (s *suite) use(f *projectsv1.File, user string, cost bool, reader string) {
	s.t.Helper()
	if err := s.DB.Write(s.t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		ids := strings.Split(f.GetName(), "/")
		file, err := store.File(ctx, tx, ids[1], ids[3])
		if err != nil {
			return err
		}
		store.UseFile(tx, store.FileUse{File: file, User: user, Cost: cost, Reader: reader})
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *suite) release(user string) {
	s.t.Helper()
	if err := s.DB.Write(s.t.Context(), func(_ context.Context, tx *sqldb.Tx) error { store.ReleaseFiles(tx, user); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

func TestFilesAreReadByThoseWhoseTheyAre(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.project()
		shared := s.uploaded(s.As(manager, leader), p, "piano.pdf", pdf(1))
		costs := s.uploaded(s.As(partner, member), p, "fattura.pdf", pdf(2))
		open := must[*projectsv1.File](t)(s.upload(s.As(manager, other), &projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: "foto.pdf",
			Visibility: projectsv1.FileVisibility_FILE_VISIBILITY_PROJECT}, pdf(3)))
		leads := s.uploaded(s.As(manager, leader), p, "fattura-capofila.pdf", pdf(4))
		s.use(leads, p.GetName()+"/expenditures/x", true, "")
		s.use(costs, p.GetName()+"/claims/x", true, bank)
		for who, c := range map[string]struct {
			as   context.Context
			sees []*projectsv1.File
		}{
			"the lead's manager":             {s.As(manager, leader), []*projectsv1.File{shared, costs, open, leads}},
			"the partner that uploaded":      {s.As(partner, member), []*projectsv1.File{shared, costs, open}},
			"another partner":                {s.As(manager, other), []*projectsv1.File{shared, open}},
			"the funder it was submitted to": {s.As(funder, bank), []*projectsv1.File{costs}},
			"another funder":                 {s.As(funder, stranger), nil},
			"a manager of the funder":        {s.As(manager, bank), nil},
			"a stranger":                     {s.As(manager, stranger), nil},
			"an operator":                    {s.As(operator, ""), []*projectsv1.File{shared, costs, open, leads}},
			"an auditor":                     {s.As(auditor, ""), []*projectsv1.File{shared, costs, open, leads}},
		} {
			if who == "a manager of the funder" { // another person than the funder's
				c.as = s.AsSubject("just-a-manager")
				s.Members.Add("just-a-manager", bank, manager)
			}
			var want, got []string
			for _, f := range []*projectsv1.File{shared, costs, open, leads} {
				_, errGet := s.GetFile(c.as, &projectsv1.GetFileRequest{Name: f.GetName()})
				_, errDownload := s.download(c.as, f.GetName())
				if slices.Contains(c.sees, f) {
					want = append(want, f.GetName())
					if err := errors.Join(errGet, errDownload); err != nil {
						t.Errorf("%s, %s: %v", who, f.GetDisplayName(), err)
					}
					continue
				}
				refused(t, errGet, codes.NotFound, errs.Absent)
				refused(t, errDownload, codes.NotFound, errs.Absent)
			}
			list, err := s.ListFiles(c.as, &projectsv1.ListFilesRequest{Parent: p.GetName()})
			if len(c.sees) == 0 {
				refused(t, err, codes.NotFound, errs.Absent)
				continue
			}
			for _, f := range list.GetFiles() {
				got = append(got, f.GetName())
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s lists %v, %v; want %v", who, got, err, want)
			}
		}
		asFunder := must[*projectsv1.File](t)(s.GetFile(s.As(funder, bank), &projectsv1.GetFileRequest{Name: costs.GetName()}))
		if len(asFunder.GetUsedBy()) != 0 {
			t.Errorf("the funder learns of %v", asFunder.GetUsedBy())
		}
		s.release(p.GetName() + "/claims/x")
		_, err := s.download(s.As(funder, bank), costs.GetName())
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.download(s.As(manager, leader), p.GetName()+"/files/"+strings.Split(p.GetName(), "/")[1])
		refused(t, err, codes.NotFound, errs.Absent)

		upload := func(as context.Context, h *projectsv1.UploadFileHeader) error {
			h.Parent, h.DisplayName = p.GetName(), "x.pdf"
			_, err := s.upload(as, h, pdf(9))
			return err
		}
		refused(t, upload(s.As(manager, stranger), &projectsv1.UploadFileHeader{}), codes.NotFound, errs.Absent)
		refused(t, upload(s.As(auditor, ""), &projectsv1.UploadFileHeader{}), codes.PermissionDenied, errs.RoleMissing)
		refused(t, upload(s.As(funder, leader), &projectsv1.UploadFileHeader{}), codes.PermissionDenied, errs.RoleMissing)
		refused(t, upload(s.Anonymous(), &projectsv1.UploadFileHeader{}), codes.Unauthenticated, errs.TokenAbsent)
		refused(t, upload(s.As(manager, member), &projectsv1.UploadFileHeader{Organisation: other}), codes.PermissionDenied, domain.LeadOnly)
	})
}

func TestFilesInUseStay(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.project(), s.As(manager, leader)
		f := s.uploaded(s.As(manager, member), p, "fattura.pdf", pdf(1))
		remove := func(as context.Context) error {
			_, err := s.DeleteFile(as, &projectsv1.DeleteFileRequest{Name: f.GetName(), Etag: f.GetEtag()})
			return err
		}
		user := p.GetName() + "/expenditures/x"
		s.use(f, user, false, "")
		e := refused(t, remove(me), codes.FailedPrecondition, domain.FileInUse)
		if e.Metadata["users"] != user {
			t.Errorf("metadata %v", e.Metadata)
		}
		s.release(user)
		refused(t, remove(s.As(manager, other)), codes.NotFound, errs.Absent)
		refused(t, remove(s.As(manager, stranger)), codes.NotFound, errs.Absent)
		open := s.uploaded(me, p, "piano.pdf", pdf(2))
		_, err := s.DeleteFile(s.As(manager, other), &projectsv1.DeleteFileRequest{Name: open.GetName()})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		if err := remove(s.As(partner, member)); err != nil {
			t.Fatal(err)
		}
		refused(t, remove(me), codes.NotFound, errs.Absent)
	})
}

// Contents go a day after their last file, and never one that a file has.
func TestContentsWithoutAFileGo(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, q, me := s.project(), s.project(), s.As(manager, leader)
		gone, kept := s.uploaded(me, p, "a.pdf", pdf(1)), s.uploaded(me, p, "b.pdf", pdf(2))
		s.uploaded(me, q, "b.pdf", pdf(2)) // the same content in another project
		for _, f := range []*projectsv1.File{gone, kept} {
			if _, err := s.DeleteFile(me, &projectsv1.DeleteFileRequest{Name: f.GetName()}); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(s.contents()); n != 2 {
			t.Errorf("%d contents at once after the deletion", n)
		}
		s.Clock.Advance(25 * time.Hour)
		s.eventually(func() bool { return slices.Equal(s.contents(), []string{kept.GetSha256()}) }, "only the content with a file stays")
		back := s.uploaded(me, p, "a.pdf", pdf(1))
		if got, err := s.download(me, back.GetName()); err != nil || !bytes.Equal(got, pdf(1)) {
			t.Errorf("uploaded again: %q, %v", got, err)
		}
	})
}

// A content that rotted in the store is not handed out as if nothing were.
func TestADamagedContentBreaksOff(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.project(), s.As(manager, leader)
		f := s.uploaded(me, p, "a.pdf", pdf(1))
		sum := f.GetSha256()
		path := filepath.Join(s.FilesDir, "service", sum[:2], sum[2:4], sum)
		if err := os.WriteFile(path, bytes.ToUpper(pdf(1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.download(me, f.GetName()); status.Code(err) != codes.Internal || len(got) >= len(pdf(1)) {
			t.Errorf("%q, %v", got, err)
		}
		s.uploaded(me, p, "a.pdf", pdf(1)) // mends it
		if got, err := s.download(me, f.GetName()); err != nil || !bytes.Equal(got, pdf(1)) {
			t.Errorf("mended: %q, %v", got, err)
		}
	})
}

// An expenditure's files are used by it, and are that partner's own from then on.
func TestExpendituresUseTheirFiles(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.project(), s.As(manager, leader)
		l := s.line(p, member, 1_000)
		f := must[*projectsv1.File](t)(s.upload(s.As(manager, member), &projectsv1.UploadFileHeader{Parent: p.GetName(), DisplayName: "a.pdf",
			Visibility: projectsv1.FileVisibility_FILE_VISIBILITY_PROJECT}, pdf(1)))
		hidden := s.uploaded(s.As(manager, other), p, "b.pdf", pdf(2))
		x := expenditure(l, 500)
		x.Files = []string{hidden.GetName()}
		_, err := s.CreateExpenditure(s.As(manager, member), &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: x})
		refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		x.Files = []string{f.GetName()}
		e := must[*projectsv1.Expenditure](t)(s.CreateExpenditure(s.As(manager, member), &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: x}))
		got := must[*projectsv1.File](t)(s.GetFile(me, &projectsv1.GetFileRequest{Name: f.GetName()}))
		if !slices.Equal(got.GetUsedBy(), []string{e.GetName()}) || got.GetVisibility() != projectsv1.FileVisibility_FILE_VISIBILITY_PARTNER {
			t.Errorf("the file is %v", got)
		}
		_, err = s.GetFile(s.As(manager, other), &projectsv1.GetFileRequest{Name: f.GetName()})
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.DeleteFile(me, &projectsv1.DeleteFileRequest{Name: f.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.FileInUse)
	})
}
