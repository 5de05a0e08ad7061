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
		budget, err := budgetOf(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		plan, err := s.linePlan(ctx, tx, p, m)
		if err != nil {
			return nil, err
		}
		l := &domain.Line{ID: s.newID(), Project: p.ID, Organisation: m.GetOrganisation(), LinePlan: plan}
		others, err := budget.Add(l, s.now())
		if err != nil {
			return nil, err
		}
		store.InsertLine(tx, l)
		return lineProto(p, l), s.planned(ctx, tx, budget, others)
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
		return lineProto(p, l), requireCosts(ctx, p, l.Organisation, req.GetName())
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
		return &projectsv1.ListBudgetLinesResponse{BudgetLines: each(items, func(l *domain.Line) *projectsv1.BudgetLine { return lineProto(p, l) }), NextPageToken: next}, err
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
		m, err := platform.UpdateMask("budget_line", lineProto(p, l), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		budget, err := budgetOf(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		plan, err := s.linePlan(ctx, tx, p, m)
		if err != nil {
			return nil, err
		}
		was := l.Version
		l, others, err := budget.Revise(l.ID, plan, s.now())
		if err != nil {
			return nil, err
		}
		if err := store.SaveLine(ctx, tx, l, was); err != nil {
			return nil, err
		}
		return lineProto(p, l), s.planned(ctx, tx, budget, others)
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
		users, err := store.UsersOfLine(ctx, tx, l)
		if err != nil {
			return nil, err
		}
		budget, err := budgetOf(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		others, err := budget.Remove(l, users, s.now())
		if err != nil {
			return nil, err
		}
		if err := store.DeleteLine(ctx, tx, l, l.Version); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, s.planned(ctx, tx, budget, others)
	})
}

// budgetOf reads all lines and totals of a project, under its lock.
func budgetOf(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Budget, error) {
	totals, err := store.Totals(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	lines, err := store.AllLines(ctx, tx, p.ID, store.Everything)
	return &domain.Budget{Project: p, Lines: lines, Totals: totals}, err
}

// planned stores what a change to one line has changed of others, and of the
// totals.
func (s *Server) planned(ctx context.Context, tx *sqldb.Tx, b *domain.Budget, others []*domain.Line) error {
	for _, l := range others {
		if err := store.SaveLine(ctx, tx, l, l.Version-1); err != nil {
			return err
		}
	}
	store.SaveTotals(tx, b.Project, b.Totals)
	return s.refresh(ctx, tx, b.Project)
}
