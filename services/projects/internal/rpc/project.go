package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// CreateProject opens a project.
func (s *Server) CreateProject(ctx context.Context, req *projectsv1.CreateProjectRequest) (*projectsv1.Project, error) {
	m := req.GetProject()
	if m.GetOrganisation() != "" {
		if err := s.owners.Require(ctx, "project.organisation", m.GetOrganisation()); err != nil {
			return nil, err
		}
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Project, error) {
		card := cardOf(m)
		if err := s.pinRules(ctx, tx, &card, nil); err != nil {
			return nil, err
		}
		p, event, err := domain.OpenProject(s.newID(), m.GetOrganisation(), m.GetCurrencyCode(), "", card, s.now())
		if err != nil {
			return nil, err
		}
		if _, err := s.open(ctx, tx, p, childID(req.GetGateTemplate()), event); err != nil {
			return nil, err
		}
		return projectProto(p), nil
	})
}

// open stores a new project with its gates, made from the template of that id, or
// from the one for its programme, its lead or all where it is empty; false where
// its match has opened one already.
func (s *Server) open(ctx context.Context, tx *sqldb.Tx, p *domain.Project, chosen string, event domain.Event) (bool, error) {
	template, err := s.templateFor(ctx, tx, p, chosen)
	if err != nil {
		return false, err
	}
	p.Template = template.ID
	if fresh, err := store.InsertProject(ctx, tx, p); err != nil || !fresh {
		return false, err
	}
	for _, g := range template.GatesFor(p.ID, p.Created) {
		store.InsertGate(tx, g)
	}
	store.InsertMove(tx, p.Opening(actor(ctx)))
	return true, s.tell(ctx, tx, p, event)
}

// tell adds the events of a project to the outbox.
func (s *Server) tell(ctx context.Context, tx *sqldb.Tx, p *domain.Project, events ...domain.Event) error {
	m := publicProject(p)
	for _, e := range events {
		var err error
		emit := func(data proto.Message) error {
			return s.emit(ctx, tx, p.Name(), e.Version, p.Lead, "", p.Updated, data)
		}
		switch e.What {
		case domain.Opened:
			err = emit(&projectsv1.ProjectOpened{Project: m})
		case domain.Updated:
			err = emit(&projectsv1.ProjectUpdated{Project: m})
		case domain.PhaseChanged:
			err = emit(&projectsv1.ProjectPhaseChanged{Project: m, From: phaseProto(e.From), To: phaseProto(e.To)})
		case domain.WasClosed:
			err = emit(&projectsv1.ProjectClosed{Project: m})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// GetProject reads a project card.
func (s *Server) GetProject(ctx context.Context, req *projectsv1.GetProjectRequest) (*projectsv1.Project, error) {
	id, err := projectOf(req.GetName())
	if err != nil {
		return nil, err
	}
	p, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*domain.Project, error) { return seeProject(ctx, tx, id) })
	if err != nil {
		return nil, err
	}
	return projectProto(p), nil
}

// ListProjects lists the projects that the caller may see.
func (s *Server) ListProjects(ctx context.Context, req *projectsv1.ListProjectsRequest) (*projectsv1.ListProjectsResponse, error) {
	plan, err := store.Projects.Plan(req, binding(ctx)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListProjectsResponse, error) {
		items, next, err := store.ListProjects(ctx, tx, plan, auth.ScopeFrom(ctx).Where)
		return &projectsv1.ListProjectsResponse{Projects: each(items, projectProto), NextPageToken: next}, err
	})
}

// UpdateProject changes the card.
func (s *Server) UpdateProject(ctx context.Context, req *projectsv1.UpdateProjectRequest) (*projectsv1.Project, error) {
	patch := req.GetProject()
	id, err := projectOf(patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Project, error) {
		p, err := lockProject(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(p.Name(), patch.GetEtag(), p.Version); err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("project", projectProto(p), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		use, err := store.UseOf(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		was, start := p.Version, p.Start
		card := cardOf(m)
		if err := s.pinRules(ctx, tx, &card, p.Funders); err != nil {
			return nil, err
		}
		event, err := p.Revise(card, use, s.now())
		if err != nil {
			return nil, err
		}
		if err := store.SaveProject(ctx, tx, p, was); err != nil {
			return nil, err
		}
		if err := s.tell(ctx, tx, p, event); err != nil {
			return nil, err
		}
		if p.Start != start {
			if err := s.recompute(ctx, tx, p); err != nil {
				return nil, err
			}
		}
		return projectProto(p), s.refresh(ctx, tx, p)
	})
}

// each converts all items.
func each[A, B any](items []A, convert func(A) B) []B {
	out := make([]B, len(items))
	for i, x := range items {
		out[i] = convert(x)
	}
	return out
}
