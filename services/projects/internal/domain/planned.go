package domain

import (
	"errors"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Budget is all lines of a project with its totals. A change to a line changes
// the flat rates that it is a base of.
type Budget struct {
	Project *Project
	Lines   []*Line
	Totals  *Totals
}

// Add plans a line. It returns the other lines that have changed.
func (b *Budget) Add(l *Line, now time.Time) ([]*Line, error) {
	if err := b.Project.Writable(); err != nil {
		return nil, err
	}
	if l.Organisation == "" {
		return nil, errs.InvalidField(FieldMissing, "budget_line.organisation", "must name the partner whose cost it is")
	}
	if err := first(b.Project.RequirePartner("budget_line.organisation", l.Organisation), l.check(b.Project)); err != nil {
		return nil, err
	}
	if len(b.Lines) >= MaxLines {
		return nil, errs.New(errs.FailedPrecondition, BudgetLimit, "%s has %d budget lines already", b.Project.Name(), len(b.Lines))
	}
	l.Spent = money.Amount{Currency: b.Project.Currency}
	l.Stamp = NewStamp(now)
	b.Lines = append(b.Lines, l)
	return b.settle(l, now)
}

// Revise plans a line anew. It returns the other lines that have changed.
func (b *Budget) Revise(id string, plan LinePlan, now time.Time) (*Line, []*Line, error) {
	if err := b.Project.Writable(); err != nil {
		return nil, nil, err
	}
	if err := plan.check(b.Project); err != nil {
		return nil, nil, err
	}
	for i, l := range b.Lines {
		if l.ID == id {
			next := *l
			next.LinePlan = plan
			next.Touch(now)
			b.Lines[i] = &next
			others, err := b.settle(&next, now)
			return &next, others, err
		}
	}
	return nil, nil, errs.AbsentResource(LineName(b.Project.ID, id))
}

// Remove takes a line away on which nothing was ever recorded. It returns the
// other lines that have changed.
func (b *Budget) Remove(l *Line, users []string, now time.Time) ([]*Line, error) {
	if err := b.Project.Writable(); err != nil {
		return nil, err
	}
	if len(users) > 0 {
		return nil, InUse(LineInUse, l.Name(), users)
	}
	var rest []*Line
	for _, x := range b.Lines {
		if x.ID != l.ID {
			rest = append(rest, x)
		}
	}
	b.Lines = rest
	return b.settle(nil, now)
}

// settle computes flat rates and totals after a change to one line, and returns
// the others that have changed with it.
func (b *Budget) settle(changed *Line, now time.Time) ([]*Line, error) {
	lines := make([]funding.Line, len(b.Lines))
	for i, l := range b.Lines {
		lines[i] = l.Funding(b.Project)
	}
	if err := funding.Settle(lines); err != nil {
		return nil, flatRateError(err, b.Lines, changed)
	}
	var others []*Line
	planned := money.Amount{Currency: b.Project.Currency}
	for i, l := range b.Lines {
		if l.Flat != nil && (l.Amount.Minor != lines[i].Amount || !samePeriods(l.Periods, lines[i].Periods)) {
			next := *l
			next.Amount.Minor, next.Periods = lines[i].Amount, lines[i].Periods
			if err := checkAmount("budget_line.flat_rate", next.Amount, b.Project.Currency, 0); err != nil {
				return nil, err
			}
			if l == changed {
				*changed = next
			} else {
				next.Touch(now)
				b.Lines[i] = &next
				others = append(others, &next)
			}
		}
		var err error
		if planned, err = add("budget_line.amount", planned, b.Lines[i].Amount); err != nil {
			return nil, err
		}
	}
	b.Totals.Planned = planned
	return others, nil
}

// flatRateError tells a contradiction of flat rates of the line that was changed.
func flatRateError(err error, lines []*Line, changed *Line) error {
	rate, ok := errors.AsType[*funding.RateError](err)
	if !ok {
		return errs.InvalidField(AmountWrong, "budget_line.amount", "the flat rates would not fit: %s", err)
	}
	field := "budget_line.category"
	if changed != nil && changed.Flat != nil {
		field = "budget_line.flat_rate"
	}
	return errs.InvalidField(FlatRateWrong, field, "%s", rate.Text).With("resource", lines[rate.Line].Name())
}
