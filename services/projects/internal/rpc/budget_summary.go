package rpc

import (
	"context"
	"slices"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// GetBudgetSummary sums a project's money up.
func (s *Server) GetBudgetSummary(ctx context.Context, req *projectsv1.GetBudgetSummaryRequest) (*projectsv1.BudgetSummary, error) {
	got, ok := ids.Parse("projects/{project}/budgetSummary", req.GetName())
	if !ok {
		return nil, errs.AbsentResource(req.GetName())
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BudgetSummary, error) {
		p, err := seeProject(ctx, tx, got[0])
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		lines, err := store.AllLines(ctx, tx, p.ID, costScope(ctx, p))
		if err != nil {
			return nil, err
		}
		costs, err := store.Costs(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		sums, err := domain.Summarise(p, lines, costs)
		if err != nil {
			return nil, tooLarge(p, err)
		}
		out := &projectsv1.BudgetSummary{Name: req.GetName()}
		approved, err := store.LatestVersion(ctx, tx, p.ID)
		if err != nil {
			return nil, err
		}
		if out.Totals, err = comparedTotals(ctx, p, sums, approved); err != nil {
			return nil, tooLarge(p, err)
		}
		if approved != nil {
			out.BudgetVersion = approved.Name()
		}
		if leads(ctx, p) {
			showGrants(p, out.GetTotals().GetFunders())
		}
		due, err := store.DueLumpSums(ctx, tx, p.ID)
		if err != nil {
			return nil, err
		}
		var lump int64
		for _, l := range lines {
			if slices.Contains(due, l.ID) {
				if lump, err = funding.Add(lump, l.Amount.Minor); err != nil {
					return nil, tooLarge(p, err)
				}
			}
		}
		out.LumpSumsDue = moneyProto(money.Amount{Minor: lump, Currency: p.Currency})
		return out, nil
	})
}

// totalsOf writes each sum of every dimension by a function, under the keys that
// callers read.
func totalsOf(p *domain.Project, d *domain.Dimensions, sum func(string, domain.Figures) *projectsv1.BudgetSum) *projectsv1.BudgetTotals {
	list := func(sums []domain.Sum, key func(string) string) []*projectsv1.BudgetSum {
		return each(sums, func(x domain.Sum) *projectsv1.BudgetSum {
			if key != nil && x.Key != "" {
				return sum(key(x.Key), x.Figures)
			}
			return sum(x.Key, x.Figures)
		})
	}
	return &projectsv1.BudgetTotals{
		Total:        sum("", d.Total),
		Lines:        list(d.Lines, func(id string) string { return domain.LineName(p.ID, id) }),
		Partners:     list(d.Partners, nil),
		Categories:   list(d.Categories, func(c string) string { return "COST_CATEGORY_" + c }),
		WorkPackages: list(d.WorkPackages, func(id string) string { return ids.Name("projects", p.ID, "tasks", id) }),
		Periods:      list(d.PeriodSums, nil),
		Funders:      list(d.Funders, nil),
	}
}

// plannedTotals are the totals of a budget that was approved.
func plannedTotals(p *domain.Project, d *domain.Dimensions) *projectsv1.BudgetTotals {
	return totalsOf(p, d, func(key string, f domain.Figures) *projectsv1.BudgetSum {
		return &projectsv1.BudgetSum{Key: key, Planned: moneyProto(money.Amount{Minor: f.Planned, Currency: p.Currency})}
	})
}

// comparedTotals are a project's totals against the approved budget, which may be
// nil.
func comparedTotals(ctx context.Context, p *domain.Project, d *domain.Dimensions, approved *domain.BudgetVersion) (*projectsv1.BudgetTotals, error) {
	in := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: p.Currency} }
	write := func(key string, f domain.Figures) *projectsv1.BudgetSum {
		return &projectsv1.BudgetSum{Key: key, Planned: moneyProto(in(f.Planned)), Spent: moneyProto(in(f.Spent)), Reported: moneyProto(in(f.Reported)),
			Certified: moneyProto(in(f.Certified)), Paid: moneyProto(in(f.Paid))}
	}
	if approved == nil {
		return totalsOf(p, d, write), nil
	}
	then, lines := approved.Budget(p)
	was, err := domain.Summarise(then, visible(ctx, p, lines), nil)
	if err != nil {
		return nil, err
	}
	// What was approved and is planned no more stands with zeros.
	for _, x := range []struct{ now, was *[]domain.Sum }{{&d.Lines, &was.Lines}, {&d.Partners, &was.Partners}, {&d.Categories, &was.Categories},
		{&d.WorkPackages, &was.WorkPackages}, {&d.PeriodSums, &was.PeriodSums}, {&d.Funders, &was.Funders}} {
		*x.now = domain.WithKeys(*x.now, *x.was)
	}
	out := totalsOf(p, d, write)
	old := totalsOf(then, was, func(key string, f domain.Figures) *projectsv1.BudgetSum {
		return &projectsv1.BudgetSum{Key: key, Planned: moneyProto(in(f.Planned))}
	})
	for _, x := range []struct {
		now, was []*projectsv1.BudgetSum
		stands   bool
	}{
		{[]*projectsv1.BudgetSum{out.Total}, []*projectsv1.BudgetSum{old.Total}, true},
		{out.Lines, old.Lines, true}, {out.Partners, old.Partners, true}, {out.Categories, old.Categories, true},
		{out.WorkPackages, old.WorkPackages, false}, {out.Periods, old.Periods, false}, {out.Funders, old.Funders, false},
	} {
		if err := compare(p, x.now, x.was, x.stands, approved.Flexibility); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// compare notes what was approved for each sum and, where asked, how it stands.
func compare(p *domain.Project, now, was []*projectsv1.BudgetSum, stands bool, flexibility int32) error {
	approved := map[string]int64{}
	for _, x := range was {
		approved[x.GetKey()] = x.GetPlanned().GetMinorUnits()
	}
	var planned, spent []funding.Change
	for _, x := range now {
		a := approved[x.GetKey()]
		x.Approved = moneyProto(money.Amount{Minor: a, Currency: p.Currency})
		planned = append(planned, funding.Change{Approved: a, Actual: x.GetPlanned().GetMinorUnits()})
		spent = append(spent, funding.Change{Approved: a, Actual: x.GetSpent().GetMinorUnits()})
	}
	if !stands {
		return nil
	}
	p1, err := funding.Flexibility(planned, flexibility)
	if err != nil {
		return err
	}
	p2, err := funding.Flexibility(spent, flexibility)
	if err != nil {
		return err
	}
	for i, x := range now {
		x.PlannedStand, x.SpentStand = standProto(p1[i]), standProto(p2[i])
	}
	return nil
}

func standProto(s funding.Stand) projectsv1.BudgetStand {
	return value[projectsv1.BudgetStand](projectsv1.BudgetStand_value, "BUDGET_STAND_", s)
}

// showGrants notes each funder's grant, and by how much its planned share is more.
func showGrants(p *domain.Project, funders []*projectsv1.BudgetSum) {
	for _, f := range p.Funders {
		for _, x := range funders {
			if x.GetKey() != f.Key {
				continue
			}
			x.Grant = moneyProto(f.Grant)
			if over := x.GetPlanned().GetMinorUnits() - f.Grant.Minor; over > 0 {
				x.OverGrant = moneyProto(money.Amount{Minor: over, Currency: p.Currency})
			}
		}
	}
}
