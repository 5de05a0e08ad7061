package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func resourceProto(r *domain.Resource) *projectsv1.Resource {
	out := &projectsv1.Resource{Name: r.Name(), Title: textProto(r.Title), Subject: r.Subject, Organisation: r.Organisation, CapacityPercent: r.Capacity,
		Kind:       value[projectsv1.ResourceKind](projectsv1.ResourceKind_value, "RESOURCE_KIND_", r.Kind),
		CreateTime: timeProto(r.Created), UpdateTime: timeProto(r.Updated), Etag: platform.Etag(r.Version)}
	if r.Calendar != "" {
		out.Calendar = domain.CalendarName(r.Project, r.Calendar)
	}
	return out
}

func meansOf(ctx context.Context, tx *sqldb.Tx, project string, m *projectsv1.Resource) (domain.Means, error) {
	return domain.Means{Title: textOf(m.GetTitle()), Kind: word(projectsv1.ResourceKind_name, "RESOURCE_KIND_", m.GetKind()), Subject: m.GetSubject(),
		Organisation: m.GetOrganisation(), Capacity: m.GetCapacityPercent(), Calendar: childID(m.GetCalendar())}, requireCalendar(ctx, tx, project, "resource.calendar", m.GetCalendar())
}

// CreateResource adds a resource to a project.
func (s *Server) CreateResource(ctx context.Context, req *projectsv1.CreateResourceRequest) (*projectsv1.Resource, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Resource, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		means, err := meansOf(ctx, tx, project, req.GetResource())
		if err != nil {
			return nil, err
		}
		there, err := store.AllResources(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		if len(there) >= domain.MaxResources {
			return nil, errs.New(errs.FailedPrecondition, domain.PlanFull, "the project has %d resources already", len(there))
		}
		r, err := domain.NewResource(s.newID(), p, means, s.now())
		if err != nil {
			return nil, err
		}
		store.InsertResource(tx, r)
		return resourceProto(r), nil
	})
}

// GetResource reads a resource.
func (s *Server) GetResource(ctx context.Context, req *projectsv1.GetResourceRequest) (*projectsv1.Resource, error) {
	return readChild(ctx, s, "resources", req.GetName(), store.Resource, resourceProto)
}

// ListResources lists the resources of a project.
func (s *Server) ListResources(ctx context.Context, req *projectsv1.ListResourcesRequest) (*projectsv1.ListResourcesResponse, error) {
	items, next, err := listChildren(ctx, s, store.Resources, req, store.ListResources)
	if err != nil {
		return nil, err
	}
	return &projectsv1.ListResourcesResponse{Resources: each(items, resourceProto), NextPageToken: next}, nil
}

// UpdateResource changes a resource.
func (s *Server) UpdateResource(ctx context.Context, req *projectsv1.UpdateResourceRequest) (*projectsv1.Resource, error) {
	patch := req.GetResource()
	project, id, err := childOf("resources", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Resource, error) {
		p, r, err := lockChild(ctx, tx, project, id, patch.GetName(), patch.GetEtag(), store.Resource)
		if err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("resource", resourceProto(r), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		means, err := meansOf(ctx, tx, project, m)
		if err != nil {
			return nil, err
		}
		was := r.Version
		if err := r.Revise(p, means, s.now()); err != nil {
			return nil, err
		}
		return resourceProto(r), store.SaveResource(ctx, tx, r, was)
	})
}

// DeleteResource deletes a resource that no task needs.
func (s *Server) DeleteResource(ctx context.Context, req *projectsv1.DeleteResourceRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("resources", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, r, err := lockChild(ctx, tx, project, id, req.GetName(), req.GetEtag(), store.Resource)
		if err != nil {
			return nil, err
		}
		if err := p.Writable(); err != nil {
			return nil, err
		}
		tasks, err := store.AllTasks(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		if users := domain.UsersOfResource(r, tasks); len(users) > 0 {
			return nil, domain.InUse(domain.ResourceInUse, r.Name(), users)
		}
		return &emptypb.Empty{}, store.DeleteResource(ctx, tx, r, r.Version)
	})
}
