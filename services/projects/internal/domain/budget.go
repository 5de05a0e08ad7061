package domain

import (
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

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
