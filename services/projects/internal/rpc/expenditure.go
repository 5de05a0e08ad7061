package rpc

import (
	"context"

	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func expenditureProto(e *domain.Expenditure) *projectsv1.Expenditure {
	state := projectsv1.ExpenditureState_EXPENDITURE_STATE_RECORDED
	if e.Void {
		state = projectsv1.ExpenditureState_EXPENDITURE_STATE_VOIDED
	}
	return &projectsv1.Expenditure{
		Name: e.Name(), Organisation: e.Organisation, BudgetLine: domain.LineName(e.Project, e.Line),
		Document: &projectsv1.Document{Issuer: e.Document.Issuer, Number: e.Document.Number, Date: string(e.Document.Date)},
		Amount:   moneyProto(e.Amount), Description: e.Description, State: state, VoidReason: e.VoidReason, RecordedBy: e.RecordedBy,
		CreateTime: timeProto(e.Created), UpdateTime: timeProto(e.Updated), Etag: platform.Etag(e.Version),
	}
}

// eventExpenditure is an expenditure as events carry it: without what may name a
// person, that is the document's issuer and number and all free text.
func eventExpenditure(e *domain.Expenditure) *projectsv1.Expenditure {
	out := expenditureProto(e)
	out.Document = &projectsv1.Document{Date: string(e.Document.Date)}
	out.Description, out.VoidReason = "", ""
	return out
}

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
		e := &domain.Expenditure{
			ID: s.newID(), Project: p.ID, Organisation: m.GetOrganisation(), Line: l.ID, Amount: moneyOf(m.GetAmount()),
			Document:    domain.Document{Issuer: m.GetDocument().GetIssuer(), Number: m.GetDocument().GetNumber(), Date: civil.Date(m.GetDocument().GetDate())},
			Description: m.GetDescription(), RecordedBy: actor(ctx),
		}
		if err := totals.Record(p, l, e, s.now()); err != nil {
			return nil, err
		}
		store.InsertExpenditure(tx, e)
		if err := s.spent(ctx, tx, p, l, totals, e, &projectsv1.ExpenditureRecorded{
			Expenditure: eventExpenditure(e), Project: p.Name(), ProjectOrganisation: p.Lead}); err != nil {
			return nil, err
		}
		return expenditureProto(e), nil
	})
}

// lineFor reads the line of an expenditure that is to be recorded. A line that
// the caller may not see is told as one that does not exist.
func lineFor(ctx context.Context, tx *sqldb.Tx, p *domain.Project, m *projectsv1.Expenditure) (*domain.Line, error) {
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

// spent stores what an expenditure has changed of its line and of the totals, and
// tells of it.
func (s *Server) spent(ctx context.Context, tx *sqldb.Tx, p *domain.Project, l *domain.Line, totals *domain.Totals, e *domain.Expenditure, event proto.Message) error {
	store.SaveSpent(tx, l)
	store.SaveTotals(tx, p, totals)
	if err := s.emit(ctx, tx, e.Name(), e.Version, e.Organisation, "", e.Updated, event); err != nil {
		return err
	}
	return s.refresh(ctx, tx, p)
}

// GetExpenditure reads an expenditure.
func (s *Server) GetExpenditure(ctx context.Context, req *projectsv1.GetExpenditureRequest) (*projectsv1.Expenditure, error) {
	project, id, err := childOf("expenditures", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Expenditure, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		e, err := store.Expenditure(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		return expenditureProto(e), requireCosts(ctx, p, e.Organisation, req.GetName())
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
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListExpenditures(ctx, tx, plan, project, costScope(ctx, p))
		return &projectsv1.ListExpendituresResponse{Expenditures: each(items, expenditureProto), NextPageToken: next}, err
	})
}

// VoidExpenditure voids an expenditure.
func (s *Server) VoidExpenditure(ctx context.Context, req *projectsv1.VoidExpenditureRequest) (*projectsv1.Expenditure, error) {
	project, id, err := childOf("expenditures", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Expenditure, error) {
		p, err := lockAny(ctx, tx, project, req.GetName())
		if err != nil {
			return nil, err
		}
		e, err := store.Expenditure(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		if err := requireCosts(ctx, p, e.Organisation, req.GetName()); err != nil {
			return nil, err
		}
		if err := platform.CheckEtag(e.Name(), req.GetEtag(), e.Version); err != nil {
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
		if err := totals.VoidExpenditure(p, l, e, req.GetReason(), s.now()); err != nil {
			return nil, err
		}
		if err := store.SaveExpenditure(ctx, tx, e, was); err != nil {
			return nil, err
		}
		if err := s.spent(ctx, tx, p, l, totals, e, &projectsv1.ExpenditureVoided{
			Expenditure: eventExpenditure(e), Project: p.Name(), ProjectOrganisation: p.Lead}); err != nil {
			return nil, err
		}
		return expenditureProto(e), nil
	})
}
