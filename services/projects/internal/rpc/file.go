package rpc

import (
	"context"
	"slices"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/blob"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// Files is where the contents of files are kept.
type Files struct {
	Store blob.Store
	// MaxSize of one file, in bytes.
	MaxSize int64
}

func fileProto(f *domain.File) *projectsv1.File {
	visibility := projectsv1.FileVisibility_FILE_VISIBILITY_PARTNER
	if f.Shared {
		visibility = projectsv1.FileVisibility_FILE_VISIBILITY_PROJECT
	}
	return &projectsv1.File{
		Name: f.Name(), DisplayName: f.DisplayName, MediaType: f.MediaType, SizeBytes: f.Size, Sha256: f.SHA256,
		Organisation: f.Organisation, Visibility: visibility, UploadedBy: f.UploadedBy,
		CreateTime: timeProto(f.Created), Etag: platform.Etag(f.Version),
	}
}

// ownPartners are the partners of a project that the caller works for.
func ownPartners(ctx context.Context, p *domain.Project) []string {
	scope := heldAs(ctx, partRoles...)
	var out []string
	for _, x := range p.Partners {
		if scope.Covers(x.Organisation) {
			out = append(out, x.Organisation)
		}
	}
	return out
}

// seesFile reports whether the caller may read a file from within the project.
func seesFile(ctx context.Context, p *domain.Project, f *domain.File) bool {
	own := ownPartners(ctx, p)
	return leads(ctx, p) || f.Shared && len(own) > 0 || slices.Contains(own, f.Organisation)
}

// readableFile reads a file that the caller may read, from within the project or
// as the funder to whom it was submitted.
func readableFile(ctx context.Context, tx *sqldb.Tx, name string) (f *domain.File, inside bool, err error) {
	project, id, err := childOf("files", name)
	if err != nil {
		return nil, false, err
	}
	p, err := store.Project(ctx, tx, project)
	if err != nil {
		return nil, false, under(name, err)
	}
	if f, err = store.File(ctx, tx, project, id); err != nil {
		return nil, false, err
	}
	if seesFile(ctx, p, f) {
		return f, true, nil
	}
	readers, err := store.FileReaders(ctx, tx, f)
	if err != nil {
		return nil, false, err
	}
	if slices.ContainsFunc(readers, funds(ctx).Covers) {
		return f, false, nil
	}
	return nil, false, errs.AbsentResource(name)
}

// GetFile reads what is known of a file.
func (s *Server) GetFile(ctx context.Context, req *projectsv1.GetFileRequest) (*projectsv1.File, error) {
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.File, error) {
		f, inside, err := readableFile(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		out := fileProto(f)
		if inside {
			out.UsedBy, err = store.FileUsers(ctx, tx, f)
		}
		return out, err
	})
}

// ListFiles lists the files of a project that the caller may read.
func (s *Server) ListFiles(ctx context.Context, req *projectsv1.ListFilesRequest) (*projectsv1.ListFilesResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Files.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListFilesResponse, error) {
		p, err := store.Project(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		inside := leads(ctx, p) || partOf(ctx, p)
		if !inside {
			reads, err := store.ReadsFilesOf(ctx, tx, project, funds(ctx).Where)
			if err != nil {
				return nil, err
			}
			if !reads {
				return nil, errs.AbsentResource(req.GetParent())
			}
		}
		own := store.Scope(auth.Scope{Organisations: ownPartners(ctx, p)}.Where)
		if leads(ctx, p) {
			own = store.Everything
		}
		items, next, err := store.ListFiles(ctx, tx, plan, project, own, inside, funds(ctx).Where)
		return &projectsv1.ListFilesResponse{Files: each(items, fileProto), NextPageToken: next}, err
	})
}

// DeleteFile deletes a file that nothing refers to.
func (s *Server) DeleteFile(ctx context.Context, req *projectsv1.DeleteFileRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("files", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, err := lockShared(ctx, tx, project, req.GetName())
		if err != nil {
			return nil, err
		}
		f, err := store.File(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if !seesFile(ctx, p, f) {
			return nil, errs.AbsentResource(req.GetName())
		}
		if !leads(ctx, p) && !auth.ScopeFrom(ctx).Covers(f.Organisation) {
			return nil, errs.New(errs.PermissionDenied, domain.LeadOnly, "only the lead partner and %s may delete this file", f.Organisation).With("resource", f.Name())
		}
		if err := platform.CheckEtag(f.Name(), req.GetEtag(), f.Version); err != nil {
			return nil, err
		}
		users, err := store.FileUsers(ctx, tx, f)
		if err != nil {
			return nil, err
		}
		if err := f.Deletable(p, users); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, store.DeleteFile(ctx, tx, f, f.Version, sqldb.Micros(s.now()))
	})
}
