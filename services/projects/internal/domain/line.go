package domain

import (
	"fmt"
	"slices"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Method is how the amount of a line is found.
type Method string

// The methods.
const (
	RealCost Method = "REAL"
	FlatRate Method = "FLAT_RATE"
	UnitCost Method = "UNIT_COST"
	LumpSum  Method = "LUMP_SUM"
)

// Line is one line of a project's budget.
type Line struct {
	ID           string       `json:"-"`
	Project      string       `json:"-"`
	Organisation string       `json:"-"`
	Spent        money.Amount `json:"-"`
	Stamp
	LinePlan
}

// LinePlan is what the lead plans for a line.
type LinePlan struct {
	Category    string          `json:"-"` // a CostCategory of the proto, without its prefix
	WorkPackage string          `json:"-"` // id of a task; empty: none
	Method      Method          `json:"-"`
	Deliverable string          `json:"-"` // id; of a lump sum, empty where it is for the work package
	Amount      money.Amount    `json:"-"` // given for a real cost, else a result
	Description string          `json:"description,omitempty"`
	Flat        *FlatPlan       `json:"flatRate,omitempty"`
	Unit        *UnitPlan       `json:"unitCost,omitempty"`
	Lump        *money.Amount   `json:"lumpSum,omitempty"`
	Periods     []funding.Part  `json:"periods,omitempty"`
	Shares      []funding.Share `json:"shares,omitempty"` // empty: the project's
	// Categories in the funders' own rules, by the funder's key; without one, as
	// those rules take Category.
	Categories map[string]string `json:"categories,omitempty"`
}

// FlatPlan is what a flat rate is made of.
type FlatPlan struct {
	Rate int32        `json:"rate"` // basis points
	Base funding.Base `json:"base,omitempty"`
}

// UnitPlan is what a unit cost is made of.
type UnitPlan struct {
	Unit  string       `json:"unit,omitempty"`
	Units int64        `json:"units"` // in ten-thousandths
	Price money.Amount `json:"price"`
}

// Name returns the resource name.
func (l *Line) Name() string { return LineName(l.Project, l.ID) }

// LineName returns the resource name of a budget line.
func LineName(project, id string) string { return ids.Name("projects", project, "budgetLines", id) }

// Overspent reports whether more is spent than planned.
func (l *Line) Overspent() bool { return l.Spent.Minor > l.Amount.Minor }

// Funding is the line as the arithmetic sees it.
func (l *Line) Funding(p *Project) funding.Line {
	out := funding.Line{Key: l.ID, Partner: l.Organisation, Category: funding.Category(l.Category), WorkPackage: l.WorkPackage,
		Amount: l.Amount.Minor, Periods: l.Periods, Shares: l.Shares}
	if len(out.Shares) == 0 {
		out.Shares = p.Shares()
	}
	if l.Flat != nil {
		out.Flat, out.Rate, out.Base = true, l.Flat.Rate, l.Flat.Base
	}
	return out
}

// Funds divides the line's amount among its funders, the own contribution last.
func (l *Line) Funds(p *Project) []funding.Part {
	parts, err := funding.CoFinance(l.Amount.Minor, l.Funding(p).Shares)
	if err != nil {
		panic("domain: shares that were not checked: " + err.Error())
	}
	return parts
}

// check checks a plan, and finds the amount where the line alone says it.
func (l *LinePlan) check(p *Project) error {
	if l.Category == "" {
		return errs.InvalidField(FieldMissing, "budget_line.category", "must be given")
	}
	if l.Method == "" {
		l.Method = RealCost
	}
	if err := l.checkMethod(p.Currency); err != nil {
		return err
	}
	return first(l.checkPeriods(p), l.checkShares(p))
}

func (l *LinePlan) checkMethod(currency string) error {
	for _, x := range []struct {
		method Method
		field  string
		given  bool
	}{{FlatRate, "flat_rate", l.Flat != nil}, {UnitCost, "unit_cost", l.Unit != nil}, {LumpSum, "lump_sum", l.Lump != nil}} {
		switch {
		case x.given && l.Method != x.method:
			return errs.InvalidField(CostMethodWrong, "budget_line."+x.field, "does not belong to the cost method %s", l.Method)
		case !x.given && l.Method == x.method:
			return errs.InvalidField(CostMethodWrong, "budget_line."+x.field, "must be given for the cost method %s", l.Method)
		}
	}
	switch l.Method {
	case FlatRate:
		if l.Flat.Rate < 1 || l.Flat.Rate > funding.Whole {
			return errs.InvalidField(FlatRateWrong, "budget_line.flat_rate.rate_basis_points", "must be 1 to 10,000, is %d", l.Flat.Rate)
		}
		l.Amount, l.Periods = money.Amount{Currency: currency}, nil
		return nil
	case UnitCost:
		if err := checkAmount("budget_line.unit_cost.unit_price", l.Unit.Price, currency, 0); err != nil {
			return err
		}
		amount, err := funding.UnitCost(l.Unit.Units, l.Unit.Price.Minor)
		if err != nil {
			return errs.InvalidField(AmountWrong, "budget_line.unit_cost", "units × price: %s", err)
		}
		l.Amount = money.Amount{Minor: amount, Currency: currency}
		return checkAmount("budget_line.unit_cost", l.Amount, currency, 0)
	case LumpSum:
		if l.Deliverable == "" && l.WorkPackage == "" {
			return errs.InvalidField(CostMethodWrong, "budget_line.lump_sum.deliverable", "must name what the lump sum is for, where the line has no work_package")
		}
		l.Amount = *l.Lump
		return checkAmount("budget_line.lump_sum.amount", l.Amount, currency, 0)
	default:
		return checkAmount("budget_line.amount", l.Amount, currency, 0)
	}
}

func (l *LinePlan) checkPeriods(p *Project) error {
	seen := map[string]bool{}
	var sum int64
	for i, part := range l.Periods {
		path := fmt.Sprintf("budget_line.period_amounts[%d]", i)
		if !p.HasPeriod(part.Key) {
			return errs.InvalidField(PeriodWrong, path+".period", "the project has no reporting period %q", part.Key)
		}
		if seen[part.Key] {
			return errs.InvalidField(PeriodAmountsWrong, path+".period", "%q is given twice", part.Key)
		}
		seen[part.Key] = true
		if err := checkAmount(path+".amount", money.Amount{Minor: part.Amount, Currency: p.Currency}, p.Currency, 0); err != nil {
			return err
		}
		sum += part.Amount // at most 60 of at most MaxAmount
	}
	if len(l.Periods) > 0 && sum != l.Amount.Minor {
		return errs.InvalidField(PeriodAmountsWrong, "budget_line.period_amounts", "sum to %d, but the amount is %d minor units", sum, l.Amount.Minor)
	}
	return nil
}

func (l *LinePlan) checkShares(p *Project) error {
	seen := map[string]bool{}
	var sum int32
	for i, s := range l.Shares {
		path := fmt.Sprintf("budget_line.funder_shares[%d]", i)
		if s.Fund != funding.Own && !p.HasFunder(s.Fund) {
			return errs.InvalidField(FunderKeyWrong, path+".funder", "the project has no funder %q; `own` is the partners' contribution", s.Fund)
		}
		if seen[s.Fund] {
			return errs.InvalidField(FunderKeyWrong, path+".funder", "%q is given twice", s.Fund)
		}
		seen[s.Fund] = true
		sum += s.BasisPoints
	}
	if len(l.Shares) > 0 && sum != funding.Whole {
		return errs.InvalidField(SharesWrong, "budget_line.funder_shares", "sum to %d, but must be exactly 10,000 basis points with `own`", sum)
	}
	return nil
}

// samePeriods reports whether two plans by period are equal.
func samePeriods(a, b []funding.Part) bool { return slices.Equal(a, b) }
