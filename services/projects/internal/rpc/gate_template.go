package rpc

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// templateOf reads the template's id out of its name.
func templateOf(name string) (string, error) {
	id, ok := strings.CutPrefix(name, "gateTemplates/")
	if !ok {
		return "", errs.AbsentResource(name)
	}
	return id, nil
}

// templateFor reads the template of that id, or the one that a new project takes
// where none is chosen. A body's own is for its projects alone.
func (s *Server) templateFor(ctx context.Context, tx *sqldb.Tx, p *domain.Project, id string) (*domain.Template, error) {
	if id == "" {
		return store.TemplateFor(ctx, tx, p)
	}
	t, err := store.Template(ctx, tx, id)
	if errs.KindOf(err) == errs.NotFound || err == nil && t.Organisation != "" && t.Organisation != p.Lead {
		return nil, errs.InvalidField(errs.ReferenceNotFound, "gate_template", "%s is not a template for this project", ids.Name("gateTemplates", id))
	}
	return t, err
}

// requireTemplate returns nil where the caller may write a template: an operator
// any, an organisation admin the body's own, for no programme.
func requireTemplate(ctx context.Context, name, organisation, programme string) error {
	scope := auth.ScopeFrom(ctx)
	if scope.All || organisation != "" && programme == "" && scope.Covers(organisation) {
		return nil
	}
	return errs.New(errs.PermissionDenied, errs.RoleMissing, "only operators may write a template of the network or of a programme").With("resource", name)
}

// CreateGateTemplate adds a template.
func (s *Server) CreateGateTemplate(ctx context.Context, req *projectsv1.CreateGateTemplateRequest) (*projectsv1.GateTemplate, error) {
	m := req.GetGateTemplate()
	t := &domain.Template{ID: req.GetGateTemplateId(), Organisation: m.GetOrganisation()}
	if t.Organisation != "" {
		if err := s.owners.Require(ctx, "gate_template.organisation", t.Organisation); err != nil {
			return nil, err
		}
	}
	if err := requireTemplate(ctx, t.Name(), m.GetOrganisation(), m.GetProgramme()); err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.GateTemplate, error) {
		if _, err := store.Template(ctx, tx, t.ID); err == nil {
			return nil, errs.New(errs.AlreadyExists, domain.EntryExists, "there is %s already", t.Name()).With("resource", t.Name())
		} else if errs.KindOf(err) != errs.NotFound {
			return nil, err
		}
		fresh := *t
		if err := fresh.Replace(textOf(m.GetTitle()), m.GetProgramme(), rulesOf(m), s.now()); err != nil {
			return nil, err
		}
		return templateProto(&fresh), store.SaveTemplate(ctx, tx, &fresh, 0)
	})
}

// GetGateTemplate reads a template.
func (s *Server) GetGateTemplate(ctx context.Context, req *projectsv1.GetGateTemplateRequest) (*projectsv1.GateTemplate, error) {
	id, err := templateOf(req.GetName())
	if err != nil {
		return nil, err
	}
	t, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*domain.Template, error) { return store.Template(ctx, tx, id) })
	if err != nil {
		return nil, err
	}
	return templateProto(t), nil
}

// ListGateTemplates lists the templates, the default first.
func (s *Server) ListGateTemplates(ctx context.Context, _ *projectsv1.ListGateTemplatesRequest) (*projectsv1.ListGateTemplatesResponse, error) {
	all, err := read(ctx, s, store.Templates)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, domain.CompareTemplates)
	return &projectsv1.ListGateTemplatesResponse{GateTemplates: each(all, templateProto)}, nil
}

// UpdateGateTemplate changes a template.
func (s *Server) UpdateGateTemplate(ctx context.Context, req *projectsv1.UpdateGateTemplateRequest) (*projectsv1.GateTemplate, error) {
	patch := req.GetGateTemplate()
	id, err := templateOf(patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.GateTemplate, error) {
		t, err := store.Template(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if err := requireTemplate(ctx, t.Name(), t.Organisation, t.Programme); err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(t.Name(), patch.GetEtag(), t.Version); err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("gate_template", templateProto(t), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		if err := requireTemplate(ctx, t.Name(), t.Organisation, m.GetProgramme()); err != nil {
			return nil, err
		}
		was := t.Version
		if err := t.Replace(textOf(m.GetTitle()), m.GetProgramme(), rulesOf(m), s.now()); err != nil {
			return nil, err
		}
		return templateProto(t), store.SaveTemplate(ctx, tx, t, was)
	})
}

// DeleteGateTemplate deletes a template that is not shipped.
func (s *Server) DeleteGateTemplate(ctx context.Context, req *projectsv1.DeleteGateTemplateRequest) (*emptypb.Empty, error) {
	id, err := templateOf(req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		t, err := store.Template(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		if err := requireTemplate(ctx, t.Name(), t.Organisation, t.Programme); err != nil {
			return nil, err
		}
		if slices.Contains(domain.ShippedTemplates, id) {
			return nil, errs.New(errs.FailedPrecondition, domain.TemplateInUse, "%s is shipped and can be changed, not deleted", t.Name()).With("resource", t.Name())
		}
		if err := platform.CheckEtag(t.Name(), req.GetEtag(), t.Version); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, store.DeleteTemplate(ctx, tx, t, t.Version)
	})
}
