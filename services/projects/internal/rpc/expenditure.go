package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// CreateExpenditure records an expenditure.
func (s *Server) CreateExpenditure(ctx context.Context, req *projectsv1.CreateExpenditureRequest) (*projectsv1.Expenditure, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	m := req.GetExpenditure()
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Expenditure, error) {
		p, err := lockShared(ctx, tx, project, req.GetParent())
		if err != nil {
			return nil, err
		}
		// What the lead does not record for others, a partner records for itself:
		// a line of another looks absent to it.
		l, err := lineFor(ctx, tx, p, m)
		if err != nil {
			return nil, err
		}
		totals, err := store.Totals(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		e := &domain.Expenditure{ID: s.newID(), Project: p.ID, Organisation: m.GetOrganisation(), RecordedBy: actor(ctx), Cost: costOf(m)}
		if err := totals.Record(p, l, e, s.today(), s.now()); err != nil {
			return nil, err
		}
		store.InsertExpenditure(tx, e)
		if err := s.spent(ctx, tx, p, totals, e, &projectsv1.ExpenditureRecorded{
			Expenditure: eventExpenditure(e), Project: p.Name(), ProjectOrganisation: p.Lead}, l); err != nil {
			return nil, err
		}
		return s.warned(ctx, tx, e)
	})
}

// lineFor reads the line of an expenditure that is to be recorded. A line that
// the caller may not see is told as one that does not exist.
func lineFor(ctx context.Context, tx *sqldb.Tx, p *domain.Project, m *projectsv1.Expenditure) (*domain.Line, error) {
	if m.GetBudgetLine() == "" {
		return nil, errs.InvalidField(domain.FieldMissing, "expenditure.budget_line", "must name the line that it goes on")
	}
	absent := errs.InvalidField(errs.ReferenceNotFound, "expenditure.budget_line", "%s is not a budget line of the project, or is not yours to see", m.GetBudgetLine()).
		With("resource", m.GetBudgetLine())
	if !sameProject(p.ID, m.GetBudgetLine()) {
		return nil, absent
	}
	l, err := store.Line(ctx, tx, p.ID, childID(m.GetBudgetLine()))
	if errs.KindOf(err) == errs.NotFound {
		return nil, absent
	}
	if err != nil {
		return nil, err
	}
	if requireCosts(ctx, p, l.Organisation, m.GetBudgetLine()) != nil {
		return nil, absent
	}
	if m.GetOrganisation() != "" && p.HasPartner(m.GetOrganisation()) && requireCosts(ctx, p, m.GetOrganisation(), "") != nil {
		return nil, errs.New(errs.PermissionDenied, domain.LeadOnly, "only the lead partner records expenditures for others").With("resource", p.Name())
	}
	return l, nil
}

// spent stores what an expenditure has changed of its lines and of the totals, and
// tells of it.
func (s *Server) spent(ctx context.Context, tx *sqldb.Tx, p *domain.Project, totals *domain.Totals, e *domain.Expenditure, event proto.Message, lines ...*domain.Line) error {
	for _, l := range lines {
		store.SaveSpent(tx, l)
	}
	store.SaveTotals(tx, p, totals)
	if err := useCostFiles(ctx, tx, p, e); err != nil {
		return err
	}
	if err := s.emit(ctx, tx, e.Name(), e.Version, e.Organisation, "", e.Updated, event); err != nil {
		return err
	}
	return s.refresh(ctx, tx, p)
}

// warned is an expenditure with what is odd about its document. Where the others
// are is told only of those that the caller may see.
func (s *Server) warned(ctx context.Context, tx *sqldb.Tx, e *domain.Expenditure) (*projectsv1.Expenditure, error) {
	out := expenditureProto(e)
	others, err := store.SameDocuments(ctx, tx, e)
	if err != nil {
		return nil, err
	}
	for _, w := range e.Warnings(others) {
		out.Warnings = append(out.Warnings, warningProto(ctx, w))
	}
	return out, nil
}

// GetExpenditure reads an expenditure.
func (s *Server) GetExpenditure(ctx context.Context, req *projectsv1.GetExpenditureRequest) (*projectsv1.Expenditure, error) {
	project, id, err := childOf("expenditures", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Expenditure, error) {
		p, err := store.Project(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		e, err := store.Expenditure(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if costsOf(ctx, p, e.Organisation) {
			return expenditureProto(e), nil
		}
		shown, err := store.ShownTo(ctx, tx, e.ID, funds(ctx).Where)
		if err != nil {
			return nil, err
		}
		if !shown {
			return nil, errs.AbsentResource(req.GetName())
		}
		return expenditureProto(e), nil
	})
}

// ListExpenditures lists the expenditures that the caller may see.
func (s *Server) ListExpenditures(ctx context.Context, req *projectsv1.ListExpendituresRequest) (*projectsv1.ListExpendituresResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Expenditures.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListExpendituresResponse, error) {
		p, err := store.Project(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		scope, err := costsIn(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListExpenditures(ctx, tx, plan, project, scope)
		return &projectsv1.ListExpendituresResponse{Expenditures: each(items, expenditureProto), NextPageToken: next}, err
	})
}

// costsIn is what the caller sees of the costs of a project: all as the lead,
// their own as a partner, what was submitted to it as a funder.
func costsIn(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (store.CostScope, error) {
	scope := store.CostScope{Partner: nothing, Funder: funds(ctx).Where}
	if partOf(ctx, p) {
		scope.Partner = heldAs(ctx, partRoles...).Where
		if leads(ctx, p) {
			scope.Partner = store.Everything
		}
		return scope, nil
	}
	shown, err := store.AnyShownTo(ctx, tx, p.ID, scope.Funder)
	if err == nil && !shown {
		err = errs.AbsentResource(p.Name())
	}
	return scope, err
}

// UpdateExpenditure changes an expenditure that no standing claim holds.
func (s *Server) UpdateExpenditure(ctx context.Context, req *projectsv1.UpdateExpenditureRequest) (*projectsv1.Expenditure, error) {
	patch := req.GetExpenditure()
	project, id, err := childOf("expenditures", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Expenditure, error) {
		p, e, claims, err := lockExpenditure(ctx, tx, project, id, patch.GetName(), patch.GetEtag())
		if err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("expenditure", expenditureProto(e), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		from, err := store.Line(ctx, tx, project, e.Line)
		if err != nil {
			return nil, err
		}
		to, err := lineFor(ctx, tx, p, m)
		if err != nil {
			return nil, err
		}
		if to.ID == from.ID {
			to = from
		}
		totals, err := store.Totals(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		was := e.Version
		if err := totals.ReviseExpenditure(p, from, to, e, costOf(m), claims, s.today(), s.now()); err != nil {
			return nil, err
		}
		if err := store.SaveExpenditure(ctx, tx, e, was); err != nil {
			return nil, err
		}
		if err := s.spent(ctx, tx, p, totals, e, &projectsv1.ExpenditureRecorded{
			Expenditure: eventExpenditure(e), Project: p.Name(), ProjectOrganisation: p.Lead}, from, to); err != nil {
			return nil, err
		}
		return s.warned(ctx, tx, e)
	})
}

// lockExpenditure locks the project of an expenditure whose partner the caller
// works for, or which they lead, and reads it with the claims that hold it.
func lockExpenditure(ctx context.Context, tx *sqldb.Tx, project, id, name, etag string) (*domain.Project, *domain.Expenditure, []string, error) {
	p, err := lockAny(ctx, tx, project, name)
	if err != nil {
		return nil, nil, nil, err
	}
	e, err := store.Expenditure(ctx, tx, project, id)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := requireCosts(ctx, p, e.Organisation, name); err != nil {
		return nil, nil, nil, err
	}
	if err := platform.CheckEtag(e.Name(), etag, e.Version); err != nil {
		return nil, nil, nil, err
	}
	claims, err := store.StandingClaims(ctx, tx, e.ID)
	return p, e, claims, err
}

// VoidExpenditure voids an expenditure that no standing claim holds.
func (s *Server) VoidExpenditure(ctx context.Context, req *projectsv1.VoidExpenditureRequest) (*projectsv1.Expenditure, error) {
	project, id, err := childOf("expenditures", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Expenditure, error) {
		p, e, claims, err := lockExpenditure(ctx, tx, project, id, req.GetName(), req.GetEtag())
		if err != nil {
			return nil, err
		}
		l, err := store.Line(ctx, tx, project, e.Line)
		if err != nil {
			return nil, err
		}
		totals, err := store.Totals(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		was := e.Version
		if err := totals.VoidExpenditure(p, l, e, req.GetReason(), claims, s.now()); err != nil {
			return nil, err
		}
		if err := store.SaveExpenditure(ctx, tx, e, was); err != nil {
			return nil, err
		}
		if err := s.spent(ctx, tx, p, totals, e, &projectsv1.ExpenditureVoided{
			Expenditure: eventExpenditure(e), Project: p.Name(), ProjectOrganisation: p.Lead}, l); err != nil {
			return nil, err
		}
		return expenditureProto(e), nil
	})
}
