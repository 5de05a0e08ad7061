package rpc

import (
	"cmp"
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func deliverableProto(d *domain.Deliverable, today civil.Date) *projectsv1.Deliverable {
	out := &projectsv1.Deliverable{
		Name: d.Name(), Title: textProto(d.Title), Organisation: d.Organisation, DueDate: string(d.Due),
		State: value[projectsv1.DeliverableState](projectsv1.DeliverableState_value, "DELIVERABLE_STATE_", d.State),
		Uri:   d.URI, Sha256: d.SHA256, ReturnReason: d.ReturnReason, Overdue: d.Overdue(today),
		AcceptanceCriteria: each(d.Criteria, textProto), CheckRequired: d.CheckRequired,
		CreateTime: timeProto(d.Created), UpdateTime: timeProto(d.Updated), Etag: platform.Etag(d.Version),
	}
	if d.Task != "" {
		out.Task = domain.TaskName(d.Project, d.Task)
	}
	return out
}

// promiseOf reads what people write about a deliverable, and checks its task.
func promiseOf(ctx context.Context, tx *sqldb.Tx, p *domain.Project, m *projectsv1.Deliverable) (domain.Promise, error) {
	x := domain.Promise{Title: textOf(m.GetTitle()), Task: childID(m.GetTask()), Organisation: m.GetOrganisation(), Due: civil.Date(m.GetDueDate()),
		Criteria: each(m.GetAcceptanceCriteria(), textOf), CheckRequired: m.GetCheckRequired()}
	if m.GetTask() == "" {
		return x, nil
	}
	_, err := store.Task(ctx, tx, p.ID, x.Task)
	if !sameProject(p.ID, m.GetTask()) || errs.KindOf(err) == errs.NotFound {
		return x, errs.InvalidField(domain.TaskUnknown, "deliverable.task", "%s is not a task of the project", m.GetTask())
	}
	return x, err
}

// CreateDeliverable plans a deliverable.
func (s *Server) CreateDeliverable(ctx context.Context, req *projectsv1.CreateDeliverableRequest) (*projectsv1.Deliverable, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Deliverable, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		promise, err := promiseOf(ctx, tx, p, req.GetDeliverable())
		if err != nil {
			return nil, err
		}
		d, err := domain.NewDeliverable(s.newID(), p, promise, s.now())
		if err != nil {
			return nil, err
		}
		store.InsertDeliverable(tx, d)
		return deliverableProto(d, s.today()), s.refresh(ctx, tx, p)
	})
}

// GetDeliverable reads a deliverable.
func (s *Server) GetDeliverable(ctx context.Context, req *projectsv1.GetDeliverableRequest) (*projectsv1.Deliverable, error) {
	project, id, err := childOf("deliverables", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Deliverable, error) {
		if err := seeIn(ctx, tx, project, req.GetName()); err != nil {
			return nil, err
		}
		d, err := store.Deliverable(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		return deliverableProto(d, s.today()), nil
	})
}

// ListDeliverables lists the deliverables.
func (s *Server) ListDeliverables(ctx context.Context, req *projectsv1.ListDeliverablesRequest) (*projectsv1.ListDeliverablesResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Deliverables.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	today := s.today()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListDeliverablesResponse, error) {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return nil, err
		}
		items, next, err := store.ListDeliverables(ctx, tx, plan, project)
		return &projectsv1.ListDeliverablesResponse{NextPageToken: next,
			Deliverables: each(items, func(d *domain.Deliverable) *projectsv1.Deliverable { return deliverableProto(d, today) })}, err
	})
}

// alterDeliverable reads a deliverable, lets change alter it, and stores it, for
// the lead alone.
func (s *Server) alterDeliverable(ctx context.Context, tx *sqldb.Tx, name, etag string, change func(p *domain.Project, d *domain.Deliverable) error) (*projectsv1.Deliverable, error) {
	project, id, err := childOf("deliverables", name)
	if err != nil {
		return nil, err
	}
	p, d, err := lockChild(ctx, tx, project, id, name, etag, store.Deliverable)
	if err != nil {
		return nil, err
	}
	return s.changeDeliverable(ctx, tx, p, d, change)
}

func (s *Server) changeDeliverable(ctx context.Context, tx *sqldb.Tx, p *domain.Project, d *domain.Deliverable, change func(p *domain.Project, d *domain.Deliverable) error) (*projectsv1.Deliverable, error) {
	was := d.Version
	if err := change(p, d); err != nil {
		return nil, err
	}
	if err := store.SaveDeliverable(ctx, tx, d, was); err != nil {
		return nil, err
	}
	return deliverableProto(d, s.today()), s.refresh(ctx, tx, p)
}

// UpdateDeliverable changes what is written about a deliverable.
func (s *Server) UpdateDeliverable(ctx context.Context, req *projectsv1.UpdateDeliverableRequest) (*projectsv1.Deliverable, error) {
	patch := req.GetDeliverable()
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Deliverable, error) {
		return s.alterDeliverable(ctx, tx, patch.GetName(), patch.GetEtag(), func(p *domain.Project, d *domain.Deliverable) error {
			m, err := platform.UpdateMask("deliverable", deliverableProto(d, s.today()), patch, req.GetUpdateMask())
			if err != nil {
				return err
			}
			promise, err := promiseOf(ctx, tx, p, m)
			if err != nil {
				return err
			}
			return d.Revise(p, promise, s.now())
		})
	})
}

// SubmitDeliverable hands a deliverable in, for the lead or for the partner in
// charge of it.
func (s *Server) SubmitDeliverable(ctx context.Context, req *projectsv1.SubmitDeliverableRequest) (*projectsv1.Deliverable, error) {
	project, id, err := childOf("deliverables", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Deliverable, error) {
		p, err := lockShared(ctx, tx, project, req.GetName())
		if err != nil {
			return nil, err
		}
		d, err := store.Deliverable(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if err := requireCharge(ctx, p, d.Organisation); err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(d.Name(), req.GetEtag(), d.Version); err != nil {
			return nil, err
		}
		return s.changeDeliverable(ctx, tx, p, d, func(p *domain.Project, d *domain.Deliverable) error {
			return d.Submit(p, domain.Evidence{URI: req.GetUri(), SHA256: req.GetSha256()}, s.now())
		})
	})
}

// AcceptDeliverable accepts a deliverable.
func (s *Server) AcceptDeliverable(ctx context.Context, req *projectsv1.AcceptDeliverableRequest) (*projectsv1.Deliverable, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Deliverable, error) {
		return s.alterDeliverable(ctx, tx, req.GetName(), req.GetEtag(), func(p *domain.Project, d *domain.Deliverable) error {
			checks, err := store.AllEntries[domain.QualityCheck](ctx, tx, p.ID, d.ID)
			if err != nil {
				return err
			}
			return d.Accept(p, checks, s.now())
		})
	})
}

// ReturnDeliverable sends a deliverable back.
func (s *Server) ReturnDeliverable(ctx context.Context, req *projectsv1.ReturnDeliverableRequest) (*projectsv1.Deliverable, error) {
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Deliverable, error) {
		return s.alterDeliverable(ctx, tx, req.GetName(), req.GetEtag(), func(p *domain.Project, d *domain.Deliverable) error {
			if err := d.Return(p, req.GetReason(), s.now()); err != nil {
				return err
			}
			return s.recheck(ctx, tx, p, d)
		})
	})
}

// DeleteDeliverable deletes a deliverable.
func (s *Server) DeleteDeliverable(ctx context.Context, req *projectsv1.DeleteDeliverableRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("deliverables", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, d, err := lockChild(ctx, tx, project, id, req.GetName(), req.GetEtag(), store.Deliverable)
		if err != nil {
			return nil, err
		}
		if err := d.Open(p); err != nil {
			return nil, err
		}
		if lines, err := store.LinesFor(ctx, tx, d); err != nil || len(lines) > 0 {
			return nil, cmp.Or(err, domain.InUse(domain.DeliverableInUse, d.Name(), lines))
		}
		if err := store.DeleteDeliverable(ctx, tx, d, d.Version); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, s.refresh(ctx, tx, p)
	})
}

// recheck plans the passed quality checks of a returned deliverable again: what
// comes next is another thing.
func (s *Server) recheck(ctx context.Context, tx *sqldb.Tx, p *domain.Project, d *domain.Deliverable) error {
	checks, err := store.AllEntries[domain.QualityCheck](ctx, tx, p.ID, d.ID)
	if err != nil {
		return err
	}
	for _, x := range checks {
		if x.State != domain.CheckPassed {
			continue
		}
		was := x.Version
		entry, err := x.Replan(p, "", s.act(ctx, d.ReturnReason))
		if err != nil {
			return err
		}
		if err := store.SaveEntry(ctx, tx, x, was); err != nil {
			return err
		}
		s.note(tx, entry)
	}
	return nil
}
