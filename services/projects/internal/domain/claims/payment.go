package claims

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// MaxPayments is how many payments a claim has at most.
const MaxPayments = 100

// PaymentKind is a kind of payment; the proto documents the kinds.
type PaymentKind string

// The kinds that something hangs on: an advance, and a balance, after which there
// is no more.
const (
	Advance PaymentKind = "ADVANCE"
	Balance PaymentKind = "BALANCE"
)

// Payment is money that a funder paid for a claim. Amounts are minor units.
type Payment struct {
	Kind       PaymentKind `json:"kind"`
	Amount     int64       `json:"amount"` // with what is withheld
	Withheld   int64       `json:"withheld,omitempty"`
	Date       civil.Date  `json:"date"`
	Reference  string      `json:"reference,omitempty"`
	RecordedBy string      `json:"recordedBy"`
	At         time.Time   `json:"at"`
}

// Pay records a payment, and divides all that was paid among the lines, all of
// which are given, by what the funder owes for each.
func (c *Claim) Pay(lines []*Line, x Payment, today civil.Date, now time.Time) (Event, error) {
	if err := c.in(Certified); err != nil {
		return Event{}, err
	}
	if len(c.Payments) >= MaxPayments {
		return Event{}, errs.New(errs.FailedPrecondition, domain.ClaimState, "%s has %d payments, which is the most", c.Name(), MaxPayments).With("resource", c.Name())
	}
	if x.Amount < 1 {
		return Event{}, errs.InvalidField(domain.AmountWrong, "payment.amount", "must be at least 1 minor unit, is %d", x.Amount)
	}
	if left := c.Funding - c.Paid; x.Amount > left {
		return Event{}, errs.InvalidField(domain.PaymentTooLarge, "payment.amount", "is %d minor units, but only %d are owed still", x.Amount, left)
	}
	if x.Withheld < 0 || x.Withheld > x.Amount {
		return Event{}, errs.InvalidField(domain.AmountWrong, "payment.withheld", "must be 0 to the amount of %d minor units, is %d", x.Amount, x.Withheld)
	}
	if _, err := civil.Parse(string(x.Date)); err != nil {
		return Event{}, errs.InvalidField(domain.DatesWrong, "payment.date", "%s", err)
	}
	if x.Date > today {
		return Event{}, errs.InvalidField(domain.DatesWrong, "payment.date", "%s is in the future", x.Date)
	}
	weights := make([]int64, len(lines))
	for i, l := range lines {
		weights[i] = l.Funding
	}
	parts, err := funding.Prorate(c.Paid+x.Amount, weights)
	if err != nil {
		return Event{}, err
	}
	for i, l := range lines {
		l.Paid = parts[i]
	}
	x.At = now
	c.Payments = append(c.Payments, x)
	c.Paid += x.Amount
	if x.Kind == Balance || c.Paid == c.Funding {
		c.State = Paid
	}
	e := c.step("PAID", x.RecordedBy, now)
	e.Amount = &x.Amount
	return e, nil
}
