package domain

import (
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/money"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/document"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Expenditure is one cost that was borne: an aggregate of its own. What of it is
// reported, certified and paid is kept by its claims, and no part of its version.
type Expenditure struct {
	ID           string `json:"-"`
	Project      string `json:"-"`
	Organisation string `json:"-"`
	Void         bool   `json:"-"`
	VoidReason   string `json:"voidReason,omitempty"`
	RecordedBy   string `json:"recordedBy"`

	Reported      money.Amount `json:"-"`
	Certified     money.Amount `json:"-"`
	Paid          money.Amount `json:"-"`
	ReportedDate  civil.Date   `json:"-"`
	CertifiedDate civil.Date   `json:"-"`
	Cost
	Stamp
}

// Cost is what people write about an expenditure.
type Cost struct {
	Line        string       `json:"-"` // id
	Document    Document     `json:"document"`
	Amount      money.Amount `json:"-"`
	AmountNote  string       `json:"amountNote,omitempty"`
	Description string       `json:"description,omitempty"`
	Payment     *Payment     `json:"payment,omitempty"`
	Files       []string     `json:"files,omitempty"` // resource names
	Staff       *StaffCost   `json:"staff,omitempty"`
	Units       int64        `json:"unitsE4,omitempty"` // of a unit cost, in ten-thousandths
}

// Document is what proves an expenditure. Net and VAT are nil where they are not
// told; Gross always is once it was checked.
type Document struct {
	Issuer         string        `json:"issuer,omitempty"`
	IssuerID       string        `json:"issuerId,omitempty"`
	Number         string        `json:"number,omitempty"`
	Date           civil.Date    `json:"-"`
	Net            *money.Amount `json:"net,omitempty"`
	VAT            *money.Amount `json:"vat,omitempty"`
	VATRecoverable bool          `json:"vatRecoverable,omitempty"`
	Gross          money.Amount  `json:"-"`
}

// Payment tells how an expenditure was paid.
type Payment struct {
	Date      civil.Date `json:"date"`
	Reference string     `json:"reference,omitempty"`
	Files     []string   `json:"files,omitempty"` // resource names
}

// StaffCost is work by the hour.
type StaffCost struct {
	Worker     string       `json:"worker,omitempty"`
	HoursE2    int64        `json:"hoursE2"` // hundredths of an hour
	AnnualCost money.Amount `json:"annualCost"`
}

// AnnualHours is the number of hours by which an annual gross employment cost is
// divided: Regulation (EU) 2021/1060, art. 55(2)(a).
const AnnualHours = 1720

// maxAnnualCost is the largest annual cost of one worker, minor units.
const maxAnnualCost = 1_000_000_000_000

// HourlyRate is the cost of one hour, rounded down to the minor unit.
func (s *StaffCost) HourlyRate() money.Amount {
	return money.Amount{Minor: s.AnnualCost.Minor / AnnualHours, Currency: s.AnnualCost.Currency}
}

// Amount is hours × hourly rate, rounded down to the minor unit.
func (s *StaffCost) Amount() (money.Amount, error) {
	return money.Fraction(s.HourlyRate(), s.HoursE2, 100)
}

// Name returns the resource name.
func (e *Expenditure) Name() string { return ExpenditureName(e.Project, e.ID) }

// ExpenditureName returns the resource name of an expenditure.
func ExpenditureName(project, id string) string {
	return ids.Name("projects", project, "expenditures", id)
}

// Claimable is what of the expenditure claims may hold together: its amount, but
// never more than the document's total.
func (e *Expenditure) Claimable() int64 { return min(e.Amount.Minor, e.Document.Gross.Minor) }

// Identity is what tells the expenditure's document from others.
func (e *Expenditure) Identity() document.Document {
	d := e.Document
	return document.Document{Issuer: d.Issuer, IssuerID: d.IssuerID, Number: d.Number, Date: string(d.Date), Total: d.Gross.Minor, Currency: d.Gross.Currency}
}

// Record puts an expenditure on its line. Spending more than the line holds is
// allowed: it happens, and must be seen.
func (t *Totals) Record(p *Project, l *Line, e *Expenditure, today civil.Date, now time.Time) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if e.Organisation == "" {
		return errs.InvalidField(FieldMissing, "expenditure.organisation", "must name the partner that bore it")
	}
	if err := p.RequirePartner("expenditure.organisation", e.Organisation); err != nil {
		return err
	}
	if err := e.check(p, l, today); err != nil {
		return err
	}
	if err := t.spend(l, e.Amount); err != nil {
		return err
	}
	zero := money.Amount{Currency: p.Currency}
	e.Reported, e.Certified, e.Paid = zero, zero, zero
	e.Stamp = NewStamp(now)
	return nil
}

// ReviseExpenditure changes an expenditure, perhaps from one line to another;
// both are then changed. claims names the claims that hold it.
func (t *Totals) ReviseExpenditure(p *Project, from, to *Line, e *Expenditure, cost Cost, claims []string, today civil.Date, now time.Time) error {
	if err := e.free(p, claims); err != nil {
		return err
	}
	next := *e
	next.Cost = cost
	if err := next.check(p, to, today); err != nil {
		return err
	}
	zero := money.Amount{Currency: p.Currency}
	if err := t.unspend(from, e.Amount, zero); err != nil {
		return err
	}
	if err := t.spend(to, next.Amount); err != nil {
		return err
	}
	next.Touch(now)
	*e = next
	return nil
}

// VoidExpenditure takes an expenditure off its line. claims names the claims that
// hold it.
func (t *Totals) VoidExpenditure(p *Project, l *Line, e *Expenditure, reason string, claims []string, now time.Time) error {
	if err := e.free(p, claims); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return errs.InvalidField(FieldMissing, "reason", "must say why")
	}
	if err := t.unspend(l, e.Amount, money.Amount{Currency: p.Currency}); err != nil {
		return err
	}
	e.Void, e.VoidReason = true, reason
	e.Touch(now)
	return nil
}

// free returns the error for a change to an expenditure that cannot be changed.
func (e *Expenditure) free(p *Project, claims []string) error {
	if err := p.Writable(); err != nil {
		return err
	}
	if e.Void {
		return errs.New(errs.FailedPrecondition, ExpenditureVoided, "%s is voided already", e.Name()).With("resource", e.Name())
	}
	if len(claims) > 0 {
		return errs.New(errs.FailedPrecondition, ExpenditureClaimed, "%s is in %s, which was submitted and stands",
			e.Name(), strings.Join(claims, ", ")).With("resource", e.Name()).With("claims", strings.Join(claims, ","))
	}
	return nil
}

func (t *Totals) spend(l *Line, amount money.Amount) error {
	if l.Method == LumpSum && l.Spent.Minor > 0 { // it is due once, and has no document by which a second would be found
		return errs.InvalidField(CostMethodWrong, "expenditure.budget_line", "the lump sum of %s is recorded already", l.Name())
	}
	spent, err := add("expenditure.amount", l.Spent, amount)
	if err != nil {
		return err
	}
	total, err := add("expenditure.amount", t.Spent, amount)
	if err != nil {
		return err
	}
	l.Spent, t.Spent = spent, total
	return nil
}

func (t *Totals) unspend(l *Line, amount, zero money.Amount) error {
	spent, err := exchange("", l.Spent, amount, zero)
	if err != nil {
		return err
	}
	total, err := exchange("", t.Spent, amount, zero)
	if err != nil {
		return err
	}
	l.Spent, t.Spent = spent, total
	return nil
}

// check checks what was written, and fills in what follows from it.
func (e *Expenditure) check(p *Project, l *Line, today civil.Date) error {
	if l.Organisation != e.Organisation {
		return errs.InvalidField(LineOfOtherPartner, "expenditure.budget_line", "%s is not a line of %s", l.Name(), e.Organisation)
	}
	if err := first(e.checkMethod(l), e.checkStaff(p, l), checkAmount("expenditure.amount", e.Amount, p.Currency, 1)); err != nil {
		return err
	}
	simplified := l.Method == UnitCost || l.Method == LumpSum
	if err := e.Document.check(p, e.Amount, simplified); err != nil {
		return err
	}
	if e.Amount.Minor > e.Document.Gross.Minor && strings.TrimSpace(e.AmountNote) == "" {
		return errs.InvalidField(AmountWrong, "expenditure.amount", "is %d, more than the document's total of %d: say why in amount_note",
			e.Amount.Minor, e.Document.Gross.Minor)
	}
	return first(e.checkPayment(today), e.checkFiles(p))
}

// checkMethod checks an expenditure against its line's cost method, and finds the
// amount that follows from it.
func (e *Expenditure) checkMethod(l *Line) error {
	if e.Units != 0 && l.Method != UnitCost {
		return errs.InvalidField(CostMethodWrong, "expenditure.units_e4", "does not belong to the cost method %s of %s", l.Method, l.Name())
	}
	if e.Staff != nil && l.Method != RealCost {
		return errs.InvalidField(CostMethodWrong, "expenditure.staff", "does not belong to the cost method %s of %s", l.Method, l.Name())
	}
	var due money.Amount
	switch l.Method {
	case FlatRate:
		return errs.InvalidField(CostMethodWrong, "expenditure.budget_line", "the cost of %s is a flat rate: it is computed, not recorded", l.Name())
	case UnitCost:
		if e.Units < 1 {
			return errs.InvalidField(CostMethodWrong, "expenditure.units_e4", "must be given for the cost method UNIT_COST of %s", l.Name())
		}
		amount, err := funding.UnitCost(e.Units, l.Unit.Price.Minor)
		if err != nil {
			return errs.InvalidField(AmountWrong, "expenditure.units_e4", "units × price: %s", err)
		}
		due = money.Amount{Minor: amount, Currency: l.Amount.Currency}
	case LumpSum:
		due = l.Amount
	default:
		return nil
	}
	if e.Amount == (money.Amount{}) {
		e.Amount = due
	}
	if e.Amount != due {
		return errs.InvalidField(CostMethodWrong, "expenditure.amount", "must be %d minor units by the cost method %s of %s, is %d", due.Minor, l.Method, l.Name(), e.Amount.Minor)
	}
	return nil
}

func (e *Expenditure) checkStaff(p *Project, l *Line) error {
	if e.Staff == nil {
		return nil
	}
	if l.Category != "STAFF" {
		return errs.InvalidField(StaffCostWrong, "expenditure.staff", "%s is a line for %s costs, not for staff", l.Name(), l.Category)
	}
	if err := checkAmount("expenditure.staff.annual_cost", e.Staff.AnnualCost, p.Currency, AnnualHours); err != nil {
		return err
	}
	if e.Staff.AnnualCost.Minor > maxAnnualCost {
		return errs.InvalidField(AmountWrong, "expenditure.staff.annual_cost", "must be at most %d minor units, is %d", int64(maxAnnualCost), e.Staff.AnnualCost.Minor)
	}
	amount, err := e.Staff.Amount()
	if err != nil {
		return errs.InvalidField(AmountWrong, "expenditure.staff.hours_e2", "the amount would not fit: %s", err)
	}
	if e.Amount == (money.Amount{}) {
		e.Amount = amount
	}
	if e.Amount != amount {
		return errs.InvalidField(StaffCostWrong, "expenditure.amount", "must be %d minor units, which is %d hundredths of an hour at %d an hour, is %d",
			amount.Minor, e.Staff.HoursE2, e.Staff.HourlyRate().Minor, e.Amount.Minor)
	}
	return nil
}

// check checks the document; of a simplified cost only its date has to be given.
func (d *Document) check(p *Project, amount money.Amount, simplified bool) error {
	const path = "expenditure.document"
	if !simplified && strings.TrimSpace(d.Issuer) == "" && strings.TrimSpace(d.IssuerID) == "" {
		return errs.InvalidField(DocumentWrong, path+".issuer", "must be given, by name, by VAT number or tax code, or both")
	}
	if !simplified && strings.TrimSpace(d.Number) == "" {
		return errs.InvalidField(DocumentWrong, path+".number", "must be given")
	}
	if d.IssuerID != "" {
		if err := document.CheckIssuerID(d.IssuerID); err != nil {
			return errs.InvalidField(IssuerIDWrong, path+".issuer_id", "%s", err)
		}
	}
	if err := readDate(path+".date", d.Date); err != nil {
		return err
	}
	if d.Date < p.Start || d.Date > p.End {
		return errs.InvalidField(ExpenditureOutsideDates, path+".date", "%s is outside the project's dates %s to %s", d.Date, p.Start, p.End)
	}
	return d.checkTotal(p, amount)
}

// checkTotal checks the document's amounts and fills in its total.
func (d *Document) checkTotal(p *Project, amount money.Amount) error {
	const path = "expenditure.document"
	if d.Net != nil {
		if err := checkAmount(path+".net", *d.Net, p.Currency, 0); err != nil {
			return err
		}
	}
	if d.VAT != nil {
		if err := checkAmount(path+".vat", *d.VAT, p.Currency, 0); err != nil {
			return err
		}
	}
	given := d.Gross != (money.Amount{})
	switch {
	case d.Net != nil && d.VAT != nil:
		sum := money.Amount{Minor: d.Net.Minor + d.VAT.Minor, Currency: p.Currency}
		if given && d.Gross != sum {
			return errs.InvalidField(DocumentWrong, path+".gross", "is %d, but net and VAT make %d", d.Gross.Minor, sum.Minor)
		}
		d.Gross = sum
	case !given:
		d.Gross = amount
	}
	if err := checkAmount(path+".gross", d.Gross, p.Currency, 1); err != nil {
		return err
	}
	for _, part := range []struct {
		field  string
		amount *money.Amount
	}{{".net", d.Net}, {".vat", d.VAT}} {
		if part.amount != nil && part.amount.Minor > d.Gross.Minor {
			return errs.InvalidField(DocumentWrong, path+part.field, "is %d, more than the document's total of %d", part.amount.Minor, d.Gross.Minor)
		}
	}
	return nil
}

func (e *Expenditure) checkPayment(today civil.Date) error {
	if e.Payment == nil {
		return nil
	}
	const path = "expenditure.payment.date"
	if err := readDate(path, e.Payment.Date); err != nil {
		return err
	}
	if e.Payment.Date > today {
		return errs.InvalidField(DatesWrong, path, "%s is in the future", e.Payment.Date)
	}
	return nil
}

// checkFiles checks that the files are of the project, by their names.
func (e *Expenditure) checkFiles(p *Project) error {
	check := func(path string, files []string) error {
		for _, f := range files {
			if !strings.HasPrefix(f, p.Name()+"/files/") {
				return errs.InvalidField(FileUnknown, path, "%s is not a file of the project", f)
			}
		}
		return nil
	}
	if e.Payment != nil {
		if err := check("expenditure.payment.files", e.Payment.Files); err != nil {
			return err
		}
	}
	return check("expenditure.files", e.Files)
}

// DocumentWarning tells what is odd about an expenditure's document.
type DocumentWarning struct {
	// OtherTotal is a document of the same base with another total, OtherIssuer one
	// with the same number, date and total, one of both with the issuer's name only;
	// otherwise it is over its total.
	OtherTotal, OtherIssuer bool
	Same                    []SameDocument
}

// SameDocument is an expenditure with a document of the same issuer, number and
// date, or of the same number, date and total where the issuer of one is known by
// name only.
type SameDocument struct {
	Expenditure, Project, Organisation, Lead string
	Key                                      string
	Amount                                   int64
}

// Warnings looks for what is odd about a document among the other recorded
// expenditures that may have the same, in the whole network.
func (e *Expenditure) Warnings(others []SameDocument) []DocumentWarning {
	key := e.Identity().Key()
	left := e.Document.Gross.Minor - min(e.Claimable(), e.Document.Gross.Minor)
	over := DocumentWarning{}
	other, issuer := DocumentWarning{OtherTotal: true}, DocumentWarning{OtherIssuer: true}
	exceeds := false
	for _, o := range others {
		switch {
		case !strings.HasPrefix(o.Key, e.Identity().Base()+"|"):
			issuer.Same = append(issuer.Same, o)
			continue
		case o.Key != key:
			other.Same = append(other.Same, o)
			continue
		}
		over.Same = append(over.Same, o)
		if left -= o.Amount; left < 0 {
			exceeds, left = true, 0
		}
	}
	var out []DocumentWarning
	if exceeds {
		out = append(out, over)
	}
	for _, w := range []DocumentWarning{other, issuer} {
		if len(w.Same) > 0 {
			out = append(out, w)
		}
	}
	return out
}
