package projects_test

import (
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

const (
	staff    = projectsv1.CostCategory_COST_CATEGORY_STAFF
	travel   = projectsv1.CostCategory_COST_CATEGORY_TRAVEL
	office   = projectsv1.CostCategory_COST_CATEGORY_OFFICE
	external = projectsv1.CostCategory_COST_CATEGORY_EXTERNAL
	rest     = projectsv1.CostCategory_COST_CATEGORY_OTHER

	flatRate = projectsv1.CostMethod_COST_METHOD_FLAT_RATE
	unitCost = projectsv1.CostMethod_COST_METHOD_UNIT_COST
	lumpSum  = projectsv1.CostMethod_COST_METHOD_LUMP_SUM
)

// funded is a project with two funders, two periods and a closing one.
func (s *suite) funded() *projectsv1.Project {
	return s.project(func(p *projectsv1.Project) {
		p.Funders = []*projectsv1.Funder{
			{Key: "erdf", DisplayName: "FESR", Grant: eur(100_000), ShareBasisPoints: 3_333},
			{DisplayName: "Fondazione", Grant: eur(10), ShareBasisPoints: 1_001},
		}
		p.ReportingPeriods = []*projectsv1.ReportingPeriod{
			{StartDate: "2026-01-05", EndDate: "2026-06-30", ReportDueDate: "2026-07-31"},
			{StartDate: "2026-07-01", EndDate: "2026-12-31"},
			{Key: "fine", StartDate: "2027-01-01", EndDate: "2027-03-31", Closing: true},
		}
	})
}

func (s *suite) plan(p *projectsv1.Project, l *projectsv1.BudgetLine) (*projectsv1.BudgetLine, error) {
	return s.CreateBudgetLine(s.As(manager, leader), &projectsv1.CreateBudgetLineRequest{Parent: p.GetName(), BudgetLine: l})
}

func parts(amounts ...int64) []*projectsv1.PeriodAmount {
	var out []*projectsv1.PeriodAmount
	for i, a := range amounts {
		out = append(out, &projectsv1.PeriodAmount{Period: []string{"p1", "p2", "fine"}[i], Amount: eur(a)})
	}
	return out
}

func TestFlatRatesFollowTheirBase(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.funded(), s.As(manager, leader)
		if p.GetFunders()[1].GetKey() != "f1" || p.GetReportingPeriods()[1].GetKey() != "p2" {
			t.Fatalf("keys: %v %v", p.GetFunders(), p.GetReportingPeriods())
		}
		base := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(10_003), PeriodAmounts: parts(3, 10_000)}))
		rate := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: office, CostMethod: flatRate, Amount: eur(7),
			FlatRate: &projectsv1.FlatRate{RateBasisPoints: 1_500, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}}))
		if rate.GetAmount().GetMinorUnits() != 1_500 { // 1,500.45 rounded down; what was sent is not looked at
			t.Fatalf("the rate is %v", rate.GetAmount())
		}
		other := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: leader, Category: staff, Amount: eur(1_000_000)}))
		must[*projectsv1.BudgetLine](t)(s.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{
			BudgetLine: &projectsv1.BudgetLine{Name: base.GetName(), Amount: eur(20_000)}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"amount", "period_amounts"}}}))
		got := must[*projectsv1.BudgetLine](t)(s.GetBudgetLine(me, &projectsv1.GetBudgetLineRequest{Name: rate.GetName()}))
		if got.GetAmount().GetMinorUnits() != 3_000 || got.GetEtag() == rate.GetEtag() {
			t.Fatalf("the rate stays %v", got.GetAmount())
		}
		must[any](t)(nil, func() error {
			_, err := s.DeleteBudgetLine(me, &projectsv1.DeleteBudgetLineRequest{Name: base.GetName()})
			return err
		}())
		got = must[*projectsv1.BudgetLine](t)(s.GetBudgetLine(me, &projectsv1.GetBudgetLineRequest{Name: rate.GetName()}))
		if got.GetAmount().GetMinorUnits() != 0 {
			t.Fatalf("the rate of nothing is %v", got.GetAmount())
		}
		sums := must[*projectsv1.BudgetSummary](t)(s.GetBudgetSummary(me, &projectsv1.GetBudgetSummaryRequest{Name: p.GetName() + "/budgetSummary"}))
		if sums.GetTotals().GetTotal().GetPlanned().GetMinorUnits() != other.GetAmount().GetMinorUnits() {
			t.Fatalf("planned %v", sums.GetTotals().GetTotal())
		}
	})
}

func TestUnitCostsAndLumpSums(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.funded(), s.As(manager, leader)
		task := s.task(p, "Formazione", 5)
		thing := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(me, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Manuale"), DueDate: "2026-06-30"}}))
		unit := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: staff, CostMethod: unitCost, WorkPackage: task.GetName(),
			UnitCost: &projectsv1.UnitCost{Unit: "ora", UnitsE4: 17_333, UnitPrice: eur(3_001)}}))
		if unit.GetAmount().GetMinorUnits() != 5_201 { // 1.7333 × 30.01 = 52.016333
			t.Fatalf("the unit cost is %v", unit.GetAmount())
		}
		lump := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: external, CostMethod: lumpSum,
			LumpSum: &projectsv1.LumpSum{Amount: eur(500), Deliverable: thing.GetName()}}))
		_, err := s.DeleteDeliverable(me, &projectsv1.DeleteDeliverableRequest{Name: thing.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.DeliverableInUse)
		_, err = s.DeleteTask(me, &projectsv1.DeleteTaskRequest{Name: task.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.TaskInUse)
		due := func() int64 {
			return must[*projectsv1.BudgetSummary](t)(s.GetBudgetSummary(me, &projectsv1.GetBudgetSummaryRequest{Name: p.GetName() + "/budgetSummary"})).
				GetLumpSumsDue().GetMinorUnits()
		}
		if due() != 0 {
			t.Fatal("a lump sum is due before its deliverable is accepted")
		}
		found := must[*projectsv1.ListBudgetLinesResponse](t)(s.ListBudgetLines(me, &projectsv1.ListBudgetLinesRequest{Parent: p.GetName(),
			Filter: `cost_method = COST_METHOD_UNIT_COST AND work_package = "` + task.GetName() + `"`})).GetBudgetLines()
		if len(found) != 1 || found[0].GetName() != unit.GetName() || lump.GetName() == unit.GetName() {
			t.Fatalf("found %v", found)
		}
	})
}

func TestLinesThatCannotBe(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p := s.funded()
		stray := s.task(s.project(), "Altrove", 1)
		must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: other, Category: office, CostMethod: flatRate,
			FlatRate: &projectsv1.FlatRate{RateBasisPoints: 1_500, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_STAFF}}))
		must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: leader, Category: travel, CostMethod: flatRate, FlatRate: &projectsv1.FlatRate{RateBasisPoints: 1}}))
		for name, c := range map[string]struct {
			line   *projectsv1.BudgetLine
			reason errs.Reason
			field  string
		}{
			"no partner": {&projectsv1.BudgetLine{Organisation: stranger, Category: staff, Amount: eur(1)}, domain.NotAPartner, "budget_line.organisation"},
			"crowns": {&projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(1), PeriodAmounts: []*projectsv1.PeriodAmount{{Period: "p1", Amount: &typev1.Money{MinorUnits: 1, CurrencyCode: "SEK"}}}},
				domain.CurrencyMismatch, "budget_line.period_amounts[0].amount"},
			"negative": {&projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(-1)}, domain.AmountWrong, "budget_line.amount"},
			"shares of 99.99 per cent": {&projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(1),
				FunderShares: []*projectsv1.FunderShare{{Funder: "erdf", ShareBasisPoints: 5_000}, {Funder: "own", ShareBasisPoints: 4_999}}}, domain.SharesWrong, "budget_line.funder_shares"},
			"an unknown funder": {&projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(1),
				FunderShares: []*projectsv1.FunderShare{{Funder: "esf", ShareBasisPoints: 10_000}}}, domain.FunderKeyWrong, "budget_line.funder_shares[0].funder"},
			"an unknown period": {&projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(1),
				PeriodAmounts: []*projectsv1.PeriodAmount{{Period: "p9", Amount: eur(1)}}}, domain.PeriodWrong, "budget_line.period_amounts[0].period"},
			"periods that do not sum":      {&projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(10), PeriodAmounts: parts(5, 4)}, domain.PeriodAmountsWrong, "budget_line.period_amounts"},
			"a task of another project":    {&projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(1), WorkPackage: stray.GetName()}, domain.TaskUnknown, "budget_line.work_package"},
			"a rate with a real cost":      {&projectsv1.BudgetLine{Organisation: member, Category: travel, Amount: eur(1), FlatRate: &projectsv1.FlatRate{RateBasisPoints: 1}}, domain.CostMethodWrong, "budget_line.flat_rate"},
			"a flat rate without its rate": {&projectsv1.BudgetLine{Organisation: member, Category: travel, CostMethod: flatRate}, domain.CostMethodWrong, "budget_line.flat_rate"},
			"a lump sum for nothing": {&projectsv1.BudgetLine{Organisation: member, Category: staff, CostMethod: lumpSum, LumpSum: &projectsv1.LumpSum{Amount: eur(1)}},
				domain.CostMethodWrong, "budget_line.lump_sum.deliverable"},
			"units that overflow": {&projectsv1.BudgetLine{Organisation: member, Category: staff, CostMethod: unitCost,
				UnitCost: &projectsv1.UnitCost{UnitsE4: 10_000_000_000_000, UnitPrice: eur(1_000_000_000_000_000)}}, domain.AmountWrong, "budget_line.unit_cost"},
			"two office bases": {&projectsv1.BudgetLine{Organisation: other, Category: office, CostMethod: flatRate,
				FlatRate: &projectsv1.FlatRate{RateBasisPoints: 700, Base: projectsv1.FlatRateBase_FLAT_RATE_BASE_DIRECT}}, domain.FlatRateWrong, "budget_line.flat_rate"},
			"other with travel":      {&projectsv1.BudgetLine{Organisation: leader, Category: rest, CostMethod: flatRate, FlatRate: &projectsv1.FlatRate{RateBasisPoints: 4_000}}, domain.FlatRateWrong, "budget_line.flat_rate"},
			"a cost beside its rate": {&projectsv1.BudgetLine{Organisation: leader, Category: travel, Amount: eur(1)}, domain.FlatRateWrong, "budget_line.category"},
		} {
			_, err := s.plan(p, c.line)
			if e := refused(t, err, codes.InvalidArgument, c.reason); len(e.Fields) != 1 || e.Fields[0].Path != c.field {
				t.Errorf("%s: %v", name, e.Fields)
			}
		}
		if n := len(must[*projectsv1.ListBudgetLinesResponse](t)(s.ListBudgetLines(s.As(manager, leader), &projectsv1.ListBudgetLinesRequest{Parent: p.GetName()})).GetBudgetLines()); n != 2 {
			t.Fatalf("%d lines: something was half-written", n)
		}
	})
}

func TestFundersAndPeriodsInUseStay(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me := s.funded(), s.As(manager, leader)
		must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(10), PeriodAmounts: parts(4, 6),
			FunderShares: []*projectsv1.FunderShare{{Funder: "f1", ShareBasisPoints: 10_000}}}))
		update := func(change *projectsv1.Project, path string) error {
			change.Name = p.GetName()
			_, err := s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: change, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path}}})
			return err
		}
		refused(t, update(&projectsv1.Project{Funders: p.GetFunders()[:1]}, "funders"), codes.FailedPrecondition, domain.FunderInUse)
		refused(t, update(&projectsv1.Project{ReportingPeriods: p.GetReportingPeriods()[1:]}, "reporting_periods"), codes.FailedPrecondition, domain.PeriodInUse)
		late := slices.Clone(p.GetReportingPeriods())
		late[1] = &projectsv1.ReportingPeriod{Key: "p2", StartDate: "2026-06-30", EndDate: "2026-12-31"}
		refused(t, update(&projectsv1.Project{ReportingPeriods: late}, "reporting_periods"), codes.InvalidArgument, domain.PeriodWrong)
		late[1] = &projectsv1.ReportingPeriod{Key: "p2", StartDate: "2026-07-01", EndDate: "2027-01-01"}
		refused(t, update(&projectsv1.Project{ReportingPeriods: late[:2]}, "reporting_periods"), codes.InvalidArgument, domain.PeriodWrong)
		refused(t, update(&projectsv1.Project{Funders: append(p.GetFunders(), &projectsv1.Funder{Key: "own", DisplayName: "Noi", Grant: eur(1)})}, "funders"),
			codes.InvalidArgument, domain.FunderKeyWrong)
		if err := update(&projectsv1.Project{Funders: p.GetFunders()[1:]}, "funders"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheSummaryAgainstTheApprovedBudget(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		p, me, they := s.funded(), s.As(manager, leader), s.As(partner, member)
		a := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: staff, Amount: eur(1_000), PeriodAmounts: parts(333, 667)}))
		b := must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: member, Category: travel, Amount: eur(1_000)}))
		must[*projectsv1.BudgetLine](t)(s.plan(p, &projectsv1.BudgetLine{Organisation: other, Category: external, Amount: eur(777)}))
		_, err := s.CreateBudgetVersion(they, &projectsv1.CreateBudgetVersionRequest{Parent: p.GetName(), BudgetVersion: &projectsv1.BudgetVersion{Reason: "x"}})
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)
		v := must[*projectsv1.BudgetVersion](t)(s.CreateBudgetVersion(me, &projectsv1.CreateBudgetVersionRequest{Parent: p.GetName(),
			BudgetVersion: &projectsv1.BudgetVersion{Reason: "Convenzione", FlexibilityBasisPoints: 2_000}}))
		if v.GetNumber() != 1 || len(v.GetBudgetLines()) != 3 || v.GetTotals().GetTotal().GetPlanned().GetMinorUnits() != 2_777 {
			t.Fatalf("version %v", v)
		}
		for l, amount := range map[*projectsv1.BudgetLine]int64{a: 1_200, b: 800} {
			must[*projectsv1.BudgetLine](t)(s.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: l.GetName(), Amount: eur(amount)},
				UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"amount", "period_amounts"}}}))
		}
		must[*projectsv1.Expenditure](t)(s.spend(me, a, 1_201))
		get := &projectsv1.GetBudgetSummaryRequest{Name: p.GetName() + "/budgetSummary"}
		all := must[*projectsv1.BudgetSummary](t)(s.GetBudgetSummary(me, get))
		if all.GetBudgetVersion() != v.GetName() {
			t.Fatalf("compared with %s", all.GetBudgetVersion())
		}
		checkTotals(t, all.GetTotals(), 2_777, 1_201)
		for _, x := range all.GetTotals().GetLines() {
			want := projectsv1.BudgetStand_BUDGET_STAND_WITHIN
			spent := want
			if x.GetKey() == a.GetName() {
				want, spent = projectsv1.BudgetStand_BUDGET_STAND_FLEXIBLE, projectsv1.BudgetStand_BUDGET_STAND_BEYOND
			}
			if x.GetPlannedStand() != want || x.GetSpentStand() != spent {
				t.Errorf("%s stands %s and %s", x.GetKey(), x.GetPlannedStand(), x.GetSpentStand())
			}
		}
		for _, f := range all.GetTotals().GetFunders() {
			if over := f.GetOverGrant().GetMinorUnits(); f.GetKey() == "f1" && over != f.GetPlanned().GetMinorUnits()-10 || f.GetKey() == "erdf" && f.GetOverGrant() != nil {
				t.Errorf("over the grant: %v", f)
			}
		}
		mine := must[*projectsv1.BudgetSummary](t)(s.GetBudgetSummary(they, get))
		checkTotals(t, mine.GetTotals(), 2_000, 1_201)
		if len(mine.GetTotals().GetPartners()) != 1 || mine.GetTotals().GetFunders()[0].GetGrant() != nil {
			t.Errorf("a partner sees %v", mine.GetTotals())
		}
		was := must[*projectsv1.BudgetVersion](t)(s.GetBudgetVersion(they, &projectsv1.GetBudgetVersionRequest{Name: v.GetName()}))
		if len(was.GetBudgetLines()) != 2 || was.GetTotals().GetTotal().GetPlanned().GetMinorUnits() != 2_000 {
			t.Errorf("a partner sees the version %v", was)
		}
		_, err = s.GetBudgetSummary(s.As(manager, stranger), get)
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.GetBudgetVersion(s.As(manager, stranger), &projectsv1.GetBudgetVersionRequest{Name: v.GetName()})
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.ListBudgetVersions(s.As(manager, stranger), &projectsv1.ListBudgetVersionsRequest{Parent: p.GetName()})
		refused(t, err, codes.NotFound, errs.Absent)
	})
}

// checkTotals checks that every dimension sums to the total.
func checkTotals(t *testing.T, x *projectsv1.BudgetTotals, planned, spent int64) {
	t.Helper()
	if x.GetTotal().GetPlanned().GetMinorUnits() != planned || x.GetTotal().GetSpent().GetMinorUnits() != spent {
		t.Fatalf("total %v, want %d and %d", x.GetTotal(), planned, spent)
	}
	for name, sums := range map[string][]*projectsv1.BudgetSum{"lines": x.GetLines(), "partners": x.GetPartners(), "categories": x.GetCategories(),
		"work packages": x.GetWorkPackages(), "periods": x.GetPeriods(), "funders": x.GetFunders()} {
		var p, s int64
		for _, one := range sums {
			p += one.GetPlanned().GetMinorUnits()
			s += one.GetSpent().GetMinorUnits()
		}
		if p != planned || s != spent {
			t.Errorf("%s sum to %d and %d, want %d and %d", name, p, s, planned, spent)
		}
	}
}

// The version of a funder's rules is pinned when they are set, and stays.
func TestRulesOfAFunderArePinned(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		const own = "ruleSets/own-funds"
		p := s.project(func(p *projectsv1.Project) { p.Funders[0].RuleSet = own })
		if v := p.GetFunders()[0].GetRuleSetVersion(); v < 1 {
			t.Fatalf("version %d is pinned", v)
		}
		for field, f := range map[string]*projectsv1.Funder{
			"no such set":     {DisplayName: "F", Grant: eur(1), RuleSet: "ruleSets/nobodys"},
			"no such version": {DisplayName: "F", Grant: eur(1), RuleSet: own, RuleSetVersion: 999},
		} {
			_, err := s.UpdateProject(s.As(manager, leader), &projectsv1.UpdateProjectRequest{Project: &projectsv1.Project{Name: p.GetName(), Funders: []*projectsv1.Funder{f}}})
			if e := refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound); e.Fields[0].Path != "project.funders[0].rule_set" {
				t.Errorf("%s: %v", field, e.Fields)
			}
		}
	})
}
