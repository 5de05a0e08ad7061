package rpc

import (
	"context"
	"fmt"
	"maps"
	"slices"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func lineProto(p *domain.Project, l *domain.Line) *projectsv1.BudgetLine {
	in := func(minor int64) *typev1.Money {
		return moneyProto(money.Amount{Minor: minor, Currency: l.Amount.Currency})
	}
	out := &projectsv1.BudgetLine{
		Name: l.Name(), Category: value[projectsv1.CostCategory](projectsv1.CostCategory_value, "COST_CATEGORY_", l.Category),
		Organisation: l.Organisation, Description: l.Description, Amount: moneyProto(l.Amount), Spent: moneyProto(l.Spent), Overspent: l.Overspent(),
		CostMethod: value[projectsv1.CostMethod](projectsv1.CostMethod_value, "COST_METHOD_", l.Method),
		CreateTime: timeProto(l.Created), UpdateTime: timeProto(l.Updated), Etag: platform.Etag(l.Version),
	}
	if l.WorkPackage != "" {
		out.WorkPackage = ids.Name("projects", l.Project, "tasks", l.WorkPackage)
	}
	out.FunderCategories = l.Categories
	if l.Flat != nil {
		out.FlatRate = &projectsv1.FlatRate{RateBasisPoints: l.Flat.Rate,
			Base: value[projectsv1.FlatRateBase](projectsv1.FlatRateBase_value, "FLAT_RATE_BASE_", l.Flat.Base)}
	}
	if l.Unit != nil {
		out.UnitCost = &projectsv1.UnitCost{Unit: l.Unit.Unit, UnitsE4: l.Unit.Units, UnitPrice: moneyProto(l.Unit.Price)}
	}
	if l.Lump != nil {
		out.LumpSum = &projectsv1.LumpSum{Amount: moneyProto(*l.Lump)}
		if l.Deliverable != "" {
			out.LumpSum.Deliverable = ids.Name("projects", l.Project, "deliverables", l.Deliverable)
		}
	}
	for _, x := range l.Periods {
		out.PeriodAmounts = append(out.PeriodAmounts, &projectsv1.PeriodAmount{Period: x.Key, Amount: in(x.Amount)})
	}
	for _, x := range l.Shares {
		out.FunderShares = append(out.FunderShares, &projectsv1.FunderShare{Funder: x.Fund, ShareBasisPoints: x.BasisPoints})
	}
	for _, x := range l.Funds(p) {
		out.FunderAmounts = append(out.FunderAmounts, &projectsv1.FunderAmount{Funder: x.Key, Amount: in(x.Amount)})
	}
	return out
}

// linePlan reads what is planned for a line. The task and the deliverable that it
// names must be the project's own.
func (s *Server) linePlan(ctx context.Context, tx *sqldb.Tx, p *domain.Project, m *projectsv1.BudgetLine) (domain.LinePlan, error) {
	l := domain.LinePlan{
		Category:    word(projectsv1.CostCategory_name, "COST_CATEGORY_", m.GetCategory()),
		Method:      domain.Method(word(projectsv1.CostMethod_name, "COST_METHOD_", m.GetCostMethod())),
		WorkPackage: childID(m.GetWorkPackage()), Deliverable: childID(m.GetLumpSum().GetDeliverable()),
		Description: m.GetDescription(), Amount: moneyOf(m.GetAmount()), Categories: m.GetFunderCategories(),
	}
	if err := s.checkCategories(ctx, tx, p, l.Categories); err != nil {
		return l, err
	}
	if x := m.GetFlatRate(); x != nil {
		l.Flat = &domain.FlatPlan{Rate: x.GetRateBasisPoints(), Base: funding.Base(word(projectsv1.FlatRateBase_name, "FLAT_RATE_BASE_", x.GetBase()))}
	}
	if x := m.GetUnitCost(); x != nil {
		l.Unit = &domain.UnitPlan{Unit: x.GetUnit(), Units: x.GetUnitsE4(), Price: moneyOf(x.GetUnitPrice())}
	}
	if x := m.GetLumpSum(); x != nil {
		amount := moneyOf(x.GetAmount())
		l.Lump = &amount
	}
	for i, x := range m.GetPeriodAmounts() {
		if got := x.GetAmount().GetCurrencyCode(); got != p.Currency && l.Flat == nil {
			return l, errs.InvalidField(domain.CurrencyMismatch, fmt.Sprintf("budget_line.period_amounts[%d].amount", i), "is in %q, but the project's currency is %s", got, p.Currency)
		}
		l.Periods = append(l.Periods, funding.Part{Key: x.GetPeriod(), Amount: x.GetAmount().GetMinorUnits()})
	}
	for _, x := range m.GetFunderShares() {
		l.Shares = append(l.Shares, funding.Share{Fund: x.GetFunder(), BasisPoints: x.GetShareBasisPoints()})
	}
	return l, lineReferences(ctx, tx, p, m, l)
}

// checkCategories checks a line's categories in the rules of the project's
// funders.
func (s *Server) checkCategories(ctx context.Context, tx *sqldb.Tx, p *domain.Project, categories map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(categories)) {
		path := fmt.Sprintf("budget_line.funder_categories[%q]", key)
		i := slices.IndexFunc(p.Funders, func(f domain.Funder) bool { return f.Key == key })
		if i < 0 {
			return errs.InvalidField(domain.FunderKeyWrong, path, "the project has no funder %q", key)
		}
		set, err := s.rulesAt(ctx, tx, p.Funders[i].RuleSet, int64(p.Funders[i].RuleSetVersion))
		if err != nil {
			return err
		}
		if set == nil || !set.HasCategory(categories[key]) {
			return errs.InvalidField(domain.FunderCategoryWrong, path, "the rules of %s have no category %q", key, categories[key])
		}
	}
	return nil
}

func lineReferences(ctx context.Context, tx *sqldb.Tx, p *domain.Project, m *projectsv1.BudgetLine, l domain.LinePlan) error {
	if name := m.GetWorkPackage(); name != "" {
		if err := errs.InvalidField(domain.TaskUnknown, "budget_line.work_package", "%s is not a task of the project", name); !sameProject(p.ID, name) {
			return err
		} else if _, absent := store.Task(ctx, tx, p.ID, l.WorkPackage); absent != nil {
			return unless(absent, err)
		}
	}
	if name := m.GetLumpSum().GetDeliverable(); name != "" {
		if err := errs.InvalidField(errs.ReferenceNotFound, "budget_line.lump_sum.deliverable", "%s is not a deliverable of the project", name).
			With("resource", name); !sameProject(p.ID, name) {
			return err
		} else if _, absent := store.Deliverable(ctx, tx, p.ID, l.Deliverable); absent != nil {
			return unless(absent, err)
		}
	}
	return nil
}

// unless is the error for a reference that is not there; a failure of the
// database stays what it is.
func unless(failure, absent error) error {
	if errs.KindOf(failure) == errs.NotFound {
		return absent
	}
	return failure
}
