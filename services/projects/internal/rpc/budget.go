package rpc

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func lineProto(l *domain.Line) *projectsv1.BudgetLine {
	return &projectsv1.BudgetLine{
		Name: l.Name(), Category: value[projectsv1.CostCategory](projectsv1.CostCategory_value, "COST_CATEGORY_", l.Category),
		Organisation: l.Organisation, Description: l.Description, Amount: moneyProto(l.Amount), Spent: moneyProto(l.Spent), Overspent: l.Overspent(),
		CreateTime: timeProto(l.Created), UpdateTime: timeProto(l.Updated), Etag: platform.Etag(l.Version),
	}
}

func categoryOf(m *projectsv1.BudgetLine) string {
	return word(projectsv1.CostCategory_name, "COST_CATEGORY_", m.GetCategory())
}

// CreateBudgetLine plans a line.
func (s *Server) CreateBudgetLine(ctx context.Context, req *projectsv1.CreateBudgetLineRequest) (*projectsv1.BudgetLine, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	m := req.GetBudgetLine()
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BudgetLine, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		totals, err := store.Totals(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		l := &domain.Line{ID: s.newID(), Project: p.ID, Organisation: m.GetOrganisation(), Category: categoryOf(m),
			Description: m.GetDescription(), Amount: moneyOf(m.GetAmount())}
		if err := totals.AddLine(p, l, s.now()); err != nil {
			return nil, err
		}
		store.InsertLine(tx, l)
		store.SaveTotals(tx, p, totals)
		return lineProto(l), nil
	})
}

// GetBudgetLine reads a line.
func (s *Server) GetBudgetLine(ctx context.Context, req *projectsv1.GetBudgetLineRequest) (*projectsv1.BudgetLine, error) {
	project, id, err := childOf("budgetLines", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BudgetLine, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		l, err := store.Line(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		return lineProto(l), requireCosts(ctx, p, l.Organisation, req.GetName())
	})
}

// ListBudgetLines lists the lines that the caller may see.
func (s *Server) ListBudgetLines(ctx context.Context, req *projectsv1.ListBudgetLinesRequest) (*projectsv1.ListBudgetLinesResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Lines.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListBudgetLinesResponse, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListLines(ctx, tx, plan, project, costScope(ctx, p))
		return &projectsv1.ListBudgetLinesResponse{BudgetLines: each(items, lineProto), NextPageToken: next}, err
	})
}

// UpdateBudgetLine changes a line.
func (s *Server) UpdateBudgetLine(ctx context.Context, req *projectsv1.UpdateBudgetLineRequest) (*projectsv1.BudgetLine, error) {
	patch := req.GetBudgetLine()
	project, id, err := childOf("budgetLines", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BudgetLine, error) {
		p, l, err := lockChild(ctx, tx, project, id, patch.GetName(), patch.GetEtag(), store.Line)
		if err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("budget_line", lineProto(l), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		totals, err := store.Totals(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		was := l.Version
		if err := totals.ReviseLine(p, l, categoryOf(m), m.GetDescription(), moneyOf(m.GetAmount()), s.now()); err != nil {
			return nil, err
		}
		if err := store.SaveLine(ctx, tx, l, was); err != nil {
			return nil, err
		}
		store.SaveTotals(tx, p, totals)
		return lineProto(l), s.refresh(ctx, tx, p)
	})
}

// DeleteBudgetLine deletes a line on which nothing was ever recorded.
func (s *Server) DeleteBudgetLine(ctx context.Context, req *projectsv1.DeleteBudgetLineRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("budgetLines", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, l, err := lockChild(ctx, tx, project, id, req.GetName(), req.GetEtag(), store.Line)
		if err != nil {
			return nil, err
		}
		users, err := store.ExpendituresOn(ctx, tx, l)
		if err != nil {
			return nil, err
		}
		totals, err := store.Totals(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		if err := totals.RemoveLine(p, l, users); err != nil {
			return nil, err
		}
		store.SaveTotals(tx, p, totals)
		return &emptypb.Empty{}, store.DeleteLine(ctx, tx, l, l.Version)
	})
}
