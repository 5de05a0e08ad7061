package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// versionProto is an approved budget as far as the caller may see its costs.
func versionProto(ctx context.Context, p *domain.Project, v *domain.BudgetVersion, withLines bool) (*projectsv1.BudgetVersion, error) {
	then, lines := v.Budget(p)
	lines = visible(ctx, p, lines)
	sums, err := domain.Summarise(then, lines, nil)
	if err != nil {
		return nil, err
	}
	out := &projectsv1.BudgetVersion{
		Name: v.Name(), Number: int32(v.Number), Reason: v.Reason, FlexibilityBasisPoints: v.Flexibility, Phase: phaseProto(v.Phase),
		CreatedBy: v.CreatedBy, CreateTime: timeProto(v.Created), Totals: plannedTotals(then, sums),
	}
	if withLines {
		for _, l := range lines {
			out.BudgetLines = append(out.BudgetLines, lineProto(then, l))
		}
	}
	return out, nil
}

// visible keeps the lines whose costs the caller may see.
func visible(ctx context.Context, p *domain.Project, lines []*domain.Line) []*domain.Line {
	var out []*domain.Line
	for _, l := range lines {
		if requireCosts(ctx, p, l.Organisation, "") == nil {
			out = append(out, l)
		}
	}
	return out
}

// CreateBudgetVersion keeps the budget as it is.
func (s *Server) CreateBudgetVersion(ctx context.Context, req *projectsv1.CreateBudgetVersionRequest) (*projectsv1.BudgetVersion, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	known, err := s.bodiesOf(ctx, project, "")
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BudgetVersion, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		if err := s.allowBudget(ctx, tx, p, known); err != nil {
			return nil, err
		}
		v, err := s.freeze(ctx, tx, p, req.GetBudgetVersion().GetReason(), req.GetBudgetVersion().GetFlexibilityBasisPoints())
		if err != nil {
			return nil, err
		}
		return versionProto(ctx, p, v, true)
	})
}

// freeze keeps the budget of a project as the approved one, under its lock.
func (s *Server) freeze(ctx context.Context, tx *sqldb.Tx, p *domain.Project, reason string, flexibility int32) (*domain.BudgetVersion, error) {
	budget, err := budgetOf(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	before, err := store.CountVersions(ctx, tx, p.ID)
	if err != nil {
		return nil, err
	}
	v, err := budget.Freeze(s.newID(), reason, flexibility, before, actor(ctx), s.now())
	if err != nil {
		return nil, err
	}
	store.InsertVersion(tx, v)
	return v, nil
}

// freezeAtExecution keeps the budget with which a project goes into execution,
// with the flexibility of the version before.
func (s *Server) freezeAtExecution(ctx context.Context, tx *sqldb.Tx, p *domain.Project, move domain.PhaseMove) error {
	if move.From != domain.Planning || move.To != domain.Execution {
		return nil
	}
	var flexibility int32
	last, err := store.LatestVersion(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if last != nil {
		flexibility = last.Flexibility
	}
	_, err = s.freeze(ctx, tx, p, "gate rfe", flexibility)
	return err
}

// GetBudgetVersion reads an approved budget.
func (s *Server) GetBudgetVersion(ctx context.Context, req *projectsv1.GetBudgetVersionRequest) (*projectsv1.BudgetVersion, error) {
	project, id, err := childOf("budgetVersions", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BudgetVersion, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		v, err := store.BudgetVersion(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		return versionProto(ctx, p, v, true)
	})
}

// ListBudgetVersions lists the approved budgets.
func (s *Server) ListBudgetVersions(ctx context.Context, req *projectsv1.ListBudgetVersionsRequest) (*projectsv1.ListBudgetVersionsResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.BudgetVersions.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListBudgetVersionsResponse, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListVersions(ctx, tx, plan, project)
		if err != nil {
			return nil, err
		}
		out := &projectsv1.ListBudgetVersionsResponse{NextPageToken: next}
		for _, v := range items {
			m, err := versionProto(ctx, p, v, false)
			if err != nil {
				return nil, err
			}
			out.BudgetVersions = append(out.BudgetVersions, m)
		}
		return out, nil
	})
}

// tooLarge tells of sums that do not fit.
func tooLarge(p *domain.Project, err error) error {
	return errs.New(errs.FailedPrecondition, domain.AmountWrong, "the sums of %s do not fit: %s", p.Name(), err)
}
