package domain

import (
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Line is one line of a project's budget.
type Line struct {
	ID           string       `json:"-"`
	Project      string       `json:"-"`
	Organisation string       `json:"-"`
	Category     string       `json:"-"` // a CostCategory of the proto, without its prefix
	Description  string       `json:"description,omitempty"`
	Amount       money.Amount `json:"-"`
	Spent        money.Amount `json:"-"`
	Stamp
}

// Name returns the resource name.
func (l *Line) Name() string { return LineName(l.Project, l.ID) }

// LineName returns the resource name of a budget line.
func LineName(project, id string) string { return ids.Name("projects", project, "budgetLines", id) }

// Overspent reports whether more is spent than planned.
func (l *Line) Overspent() bool { return l.Spent.Minor > l.Amount.Minor }

// Totals are the sums over a project's lines. They are kept with the project and
// change with every line and expenditure.
type Totals struct{ Planned, Spent money.Amount }

// Expenditure is one cost that was borne: an aggregate of its own.
type Expenditure struct {
	ID           string       `json:"-"`
	Project      string       `json:"-"`
	Organisation string       `json:"-"`
	Line         string       `json:"-"` // id
	Document     Document     `json:"document"`
	Amount       money.Amount `json:"-"`
	Description  string       `json:"description,omitempty"`
	Void         bool         `json:"-"`
	VoidReason   string       `json:"voidReason,omitempty"`
	RecordedBy   string       `json:"recordedBy"`
	Stamp
}

// Document is what proves an expenditure.
type Document struct {
	Issuer string     `json:"issuer"`
	Number string     `json:"number"`
	Date   civil.Date `json:"-"`
}

// Name returns the resource name.
func (e *Expenditure) Name() string { return ids.Name("projects", e.Project, "expenditures", e.ID) }

// AddLine plans a line.
func (t *Totals) AddLine(p *Project, l *Line, now time.Time) error {
	if err := l.check(p); err != nil {
		return err
	}
	planned, err := add("budget_line.amount", t.Planned, l.Amount)
	if err != nil {
		return err
	}
	t.Planned = planned
	l.Spent = money.Amount{Currency: p.Currency}
	l.Stamp = NewStamp(now)
	return nil
}

// ReviseLine changes a line's category, description and amount.
func (t *Totals) ReviseLine(p *Project, l *Line, category, description string, amount money.Amount, now time.Time) error {
	next := *l
	next.Category, next.Description, next.Amount = category, description, amount
	if err := next.check(p); err != nil {
		return err
	}
	planned, err := exchange("budget_line.amount", t.Planned, l.Amount, amount)
	if err != nil {
		return err
	}
	t.Planned = planned
	next.Touch(now)
	*l = next
	return nil
}

// RemoveLine takes a line away on which nothing was ever recorded.
func (t *Totals) RemoveLine(p *Project, l *Line, users []string) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if len(users) > 0 {
		return InUse(LineInUse, l.Name(), users)
	}
	planned, err := exchange("", t.Planned, l.Amount, money.Amount{Currency: p.Currency})
	if err != nil {
		return err
	}
	t.Planned = planned
	return nil
}

func (l *Line) check(p *Project) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if l.Organisation == "" {
		return errs.InvalidField(FieldMissing, "budget_line.organisation", "must name the partner whose cost it is")
	}
	if l.Category == "" {
		return errs.InvalidField(FieldMissing, "budget_line.category", "must be given")
	}
	return first(p.RequirePartner("budget_line.organisation", l.Organisation),
		checkAmount("budget_line.amount", l.Amount, p.Currency, 0))
}

// Record puts an expenditure on its line. Spending more than the line holds is
// allowed: it happens, and must be seen.
func (t *Totals) Record(p *Project, l *Line, e *Expenditure, now time.Time) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if e.Organisation == "" {
		return errs.InvalidField(FieldMissing, "expenditure.organisation", "must name the partner that bore it")
	}
	if err := first(p.RequirePartner("expenditure.organisation", e.Organisation),
		readDate("expenditure.document.date", e.Document.Date),
		checkAmount("expenditure.amount", e.Amount, p.Currency, 1)); err != nil {
		return err
	}
	if l.Organisation != e.Organisation {
		return errs.InvalidField(LineOfOtherPartner, "expenditure.budget_line", "%s is not a line of %s", l.Name(), e.Organisation)
	}
	if e.Document.Date < p.Start || e.Document.Date > p.End {
		return errs.InvalidField(ExpenditureOutsideDates, "expenditure.document.date",
			"%s is outside the project's dates %s to %s", e.Document.Date, p.Start, p.End)
	}
	spent, err := add("expenditure.amount", l.Spent, e.Amount)
	if err != nil {
		return err
	}
	total, err := add("expenditure.amount", t.Spent, e.Amount)
	if err != nil {
		return err
	}
	l.Spent, t.Spent = spent, total
	e.Stamp = NewStamp(now)
	return nil
}

// VoidExpenditure takes an expenditure off its line.
func (t *Totals) VoidExpenditure(p *Project, l *Line, e *Expenditure, reason string, now time.Time) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if e.Void {
		return errs.New(errs.FailedPrecondition, ExpenditureVoided, "%s is voided already", e.Name()).With("resource", e.Name())
	}
	if strings.TrimSpace(reason) == "" {
		return errs.InvalidField(FieldMissing, "reason", "must say why")
	}
	zero := money.Amount{Currency: p.Currency}
	spent, err := exchange("", l.Spent, e.Amount, zero)
	if err != nil {
		return err
	}
	total, err := exchange("", t.Spent, e.Amount, zero)
	if err != nil {
		return err
	}
	l.Spent, t.Spent = spent, total
	e.Void, e.VoidReason = true, reason
	e.Touch(now)
	return nil
}

// add is a sum whose overflow is told of the field that caused it.
func add(path string, total, amount money.Amount) (money.Amount, error) {
	sum, err := money.Add(total, amount)
	if err != nil {
		return money.Amount{}, errs.InvalidField(AmountWrong, path, "the total would not fit: %s", err)
	}
	return sum, nil
}

// exchange puts one amount of a total in the place of another.
func exchange(path string, total, from, to money.Amount) (money.Amount, error) {
	rest, err := money.Sub(total, from)
	if err != nil {
		return money.Amount{}, err
	}
	return add(path, rest, to)
}
