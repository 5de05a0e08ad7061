// Package claims is the life of a claim: a partner's report of its costs to one
// funder for one period (rendicontazione), from draft to payment, and of its
// lines.
//
//	DRAFT ──submit──▶ SUBMITTED ──start control──▶ IN_CONTROL ──certify──▶ CERTIFIED ──pay──▶ PAID
//	  ▲ │                │  │                          │
//	  │ └─withdraw─▶ WITHDRAWN                         │
//	RETURNED ◀────return────┴──────────────────────────┘
//
// RETURNED is a draft again: it can be changed, submitted and withdrawn.
//
// Of every line, and so of every claim: claimed = accepted + cut + parked, to the
// minor unit. Lines are handed to the claim's methods, which keep its sums in
// step with them, so that a claim of thousands of lines is changed by one.
package claims

import (
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// State is where a claim stands; the proto documents the states.
type State string

// The states.
const (
	Draft     State = "DRAFT"
	Submitted State = "SUBMITTED"
	InControl State = "IN_CONTROL"
	Certified State = "CERTIFIED"
	Paid      State = "PAID"
	Returned  State = "RETURNED"
	Withdrawn State = "WITHDRAWN"
)

// Standing reports whether a claim in the state was submitted and stands: what
// it claims is reported, and its funder sees it.
func (s State) Standing() bool {
	return s == Submitted || s == InControl || s == Certified || s == Paid
}

// Final reports whether the control of a claim is over.
func (s State) Final() bool { return s == Certified || s == Paid }

// MaxLines is how many lines a claim has at most.
const MaxLines = 10_000

// Claim is the aggregate. Sums are in minor units of Currency.
type Claim struct {
	ID                 string     `json:"-"`
	Project            string     `json:"-"` // id
	Currency           string     `json:"-"`
	Organisation       string     `json:"-"`
	Funder             string     `json:"-"` // key
	FunderOrganisation string     `json:"-"` // resource name; empty where the funder is not in the catalogue
	Period             string     `json:"-"` // key; may be empty
	Start              civil.Date `json:"-"`
	End                civil.Date `json:"-"`
	State              State      `json:"-"`
	SubmittedAt        time.Time  `json:"-"` // zero before
	Lines              int        `json:"-"`
	Sums               `json:"-"`

	Final          bool      `json:"final,omitempty"`
	Number         int64     `json:"number"`
	OverGrant      int64     `json:"overGrant,omitempty"`
	Payments       []Payment `json:"payments,omitempty"`
	RuleSet        string    `json:"ruleSet,omitempty"` // resource name, as of submission
	RuleSetVersion int32     `json:"ruleSetVersion,omitempty"`
	Warnings       int       `json:"warnings,omitempty"`
	SubmittedBy    string    `json:"submittedBy,omitempty"`
	CertifiedBy    string    `json:"certifiedBy,omitempty"`
	Reason         string    `json:"reason,omitempty"` // of the last return or withdrawal
	domain.Stamp   `json:"-"`
}

// Sums are a claim's amounts over its lines.
type Sums struct{ Claimed, Cut, Parked, Certified, Funding, Paid int64 }

// Accepted is what is left of what is claimed.
func (s Sums) Accepted() int64 { return s.Claimed - s.Cut - s.Parked }

// Event is one step of a claim's history.
type Event struct {
	Sequence int64     `json:"-"`
	At       time.Time `json:"-"`
	By       string    `json:"by"`
	What     string    `json:"what"`
	State    State     `json:"state"`
	Line     string    `json:"line,omitempty"` // id
	Amount   *int64    `json:"amount,omitempty"`
	Reason   string    `json:"reason,omitempty"`
}

// Name returns the resource name.
func (c *Claim) Name() string { return Name(c.Project, c.ID) }

// Name returns the resource name of a claim.
func Name(project, id string) string { return ids.Name("projects", project, "claims", id) }

// Open opens a claim of a project's partner. Claim holds what was asked for;
// number counts the partner's claims to the funder.
func Open(p *domain.Project, c *Claim, number int64, by string, now time.Time) (Event, error) {
	if err := p.Writable(); err != nil {
		return Event{}, err
	}
	if err := p.RequirePartner("claim.organisation", c.Organisation); err != nil {
		return Event{}, err
	}
	if !p.HasFunder(c.Funder) {
		return Event{}, errs.InvalidField(domain.FunderKeyWrong, "claim.funder", "the project has no funder %q", c.Funder)
	}
	if err := c.settlePeriod(p); err != nil {
		return Event{}, err
	}
	c.Project, c.Currency, c.State, c.Number = p.ID, p.Currency, Draft, number
	c.FunderOrganisation = funder(p, c.Funder).Organisation
	c.Stamp = domain.NewStamp(now)
	return Event{At: now, By: by, What: "CREATED", State: Draft, Sequence: c.Version}, nil
}

func funder(p *domain.Project, key string) domain.Funder {
	for _, f := range p.Funders {
		if f.Key == key {
			return f
		}
	}
	return domain.Funder{}
}

// settlePeriod finds the claim's days: the period's, those given, or the
// project's.
func (c *Claim) settlePeriod(p *domain.Project) error {
	if c.Period != "" {
		if c.Start != "" || c.End != "" {
			return errs.InvalidField(domain.PeriodWrong, "claim.period", "give the period or its days, not both")
		}
		for _, x := range p.Periods {
			if x.Key == c.Period {
				c.Start, c.End = x.Start, x.End
				return nil
			}
		}
		return errs.InvalidField(domain.PeriodWrong, "claim.period", "the project has no reporting period %q", c.Period)
	}
	for _, x := range []struct {
		path    string
		day     *civil.Date
		project civil.Date
	}{{"claim.start_date", &c.Start, p.Start}, {"claim.end_date", &c.End, p.End}} {
		if *x.day == "" {
			*x.day = x.project
		}
		if _, err := civil.Parse(string(*x.day)); err != nil {
			return errs.InvalidField(domain.DatesWrong, x.path, "%s", err)
		}
	}
	if c.End < c.Start {
		return errs.InvalidField(domain.DatesWrong, "claim.end_date", "must not be before start_date %s", c.Start)
	}
	return nil
}

// Preparing returns the error for a change of what is claimed.
func (c *Claim) Preparing(p *domain.Project) error {
	if err := p.Writable(); err != nil {
		return err
	}
	return c.in(Draft, Returned)
}

func (c *Claim) in(states ...State) error {
	names := make([]string, len(states))
	for i, s := range states {
		if c.State == s {
			return nil
		}
		names[i] = string(s)
	}
	return errs.New(errs.FailedPrecondition, domain.ClaimState, "%s is %s, but must be %s", c.Name(), c.State, strings.Join(names, " or ")).
		With("resource", c.Name()).With("state", string(c.State))
}

// step makes the next version and the event of it.
func (c *Claim) step(what, by string, now time.Time) Event {
	c.Touch(now)
	return Event{At: now, By: by, What: what, State: c.State, Sequence: c.Version}
}

// Changed notes that lines were put in or taken out.
func (c *Claim) Changed(what, by string, now time.Time) Event {
	e := c.step(what, by, now)
	amount := c.Claimed
	e.Amount = &amount
	return e
}

// Rules are those that a claim was checked by.
type Rules struct {
	Set     string // resource name; empty: none
	Version int32
}

// Submit hands the claim in. Findings are those of the check made now.
func (c *Claim) Submit(p *domain.Project, rules Rules, findings []Finding, by string, now time.Time) (Event, error) {
	if err := c.Preparing(p); err != nil {
		return Event{}, err
	}
	if err := c.blocked(findings); err != nil {
		return Event{}, err
	}
	c.State, c.SubmittedAt, c.SubmittedBy, c.Reason = Submitted, now, by, ""
	c.RuleSet, c.RuleSetVersion, c.Warnings = rules.Set, rules.Version, len(findings)
	c.FunderOrganisation = funder(p, c.Funder).Organisation
	e := c.step("SUBMITTED", by, now)
	amount := c.Claimed
	e.Amount = &amount
	return e, nil
}

// StartControl takes the claim in hand.
func (c *Claim) StartControl(by string, now time.Time) (Event, error) {
	if err := c.in(Submitted); err != nil {
		return Event{}, err
	}
	if err := c.otherEyes(by); err != nil {
		return Event{}, err
	}
	c.State = InControl
	return c.step("CONTROL_STARTED", by, now), nil
}

// otherEyes keeps those who submitted a claim from controlling it.
func (c *Claim) otherEyes(by string) error {
	if by == c.SubmittedBy {
		return errs.New(errs.PermissionDenied, domain.FourEyes, "whoever submitted %s does not control or certify it", c.Name()).With("resource", c.Name())
	}
	return nil
}

// Return sends the claim back. What was decided of its lines, all of which are
// given, is undone.
func (c *Claim) Return(lines []*Line, reason, by string, now time.Time) (Event, error) {
	if err := c.in(Submitted, InControl); err != nil {
		return Event{}, err
	}
	if err := needReason(reason); err != nil {
		return Event{}, err
	}
	for _, l := range lines {
		l.reset()
	}
	c.Cut, c.Parked = 0, 0
	c.State, c.Reason = Returned, reason
	e := c.step("RETURNED", by, now)
	e.Reason = reason
	return e, nil
}

// Withdraw takes the claim back for good.
func (c *Claim) Withdraw(reason, by string, now time.Time) (Event, error) {
	if err := c.in(Draft, Returned, Submitted); err != nil {
		return Event{}, err
	}
	if err := needReason(reason); err != nil {
		return Event{}, err
	}
	c.State, c.Reason = Withdrawn, reason
	e := c.step("WITHDRAWN", by, now)
	e.Reason = reason
	return e, nil
}

func needReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return errs.InvalidField(domain.FieldMissing, "reason", "must say why")
	}
	return nil
}

// Certify certifies what is accepted, and works out what the funder owes: its
// share of each of the lines, all of which are given, and together no more than
// left of its grant; left is negative where there is no ceiling.
func (c *Claim) Certify(lines []*Line, left int64, by string, now time.Time) (Event, error) {
	if err := c.in(InControl); err != nil {
		return Event{}, err
	}
	if err := c.otherEyes(by); err != nil {
		return Event{}, err
	}
	shares := make([]int64, len(lines))
	for i, l := range lines {
		var err error
		if shares[i], err = l.Owed(); err != nil {
			return Event{}, err
		}
	}
	owed, err := funding.Sum(shares...)
	if err != nil {
		return Event{}, err
	}
	c.Funding, c.OverGrant = owed, 0
	if left >= 0 && owed > left {
		c.Funding, c.OverGrant = left, owed-left
		if shares, err = funding.Cut(left, shares); err != nil {
			return Event{}, err
		}
	}
	for i, l := range lines {
		l.Funding = shares[i]
	}
	c.Certified, c.State, c.CertifiedBy = c.Accepted(), Certified, by
	e := c.step("CERTIFIED", by, now)
	amount := c.Certified
	e.Amount = &amount
	return e, nil
}
