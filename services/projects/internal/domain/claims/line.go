package claims

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// LineState is where a line stands; the proto documents the states.
type LineState string

// The states of lines.
const (
	Included   LineState = "INCLUDED"
	Corrected  LineState = "CORRECTED"
	Parked     LineState = "PARKED"
	Reincluded LineState = "REINCLUDED"
)

// Line is one cost in a claim. Amounts are minor units.
type Line struct {
	ID          string    `json:"-"`
	Claim       string    `json:"-"` // id
	Expenditure string    `json:"-"` // id; empty where the line is computed
	BudgetLine  string    `json:"-"` // id
	Category    string    `json:"-"`
	State       LineState `json:"-"`
	Claimed     int64     `json:"-"`
	Cut         int64     `json:"-"`
	ParkedSum   int64     `json:"-"`
	Funding     int64     `json:"-"`
	Paid        int64     `json:"-"`
	Version     int64     `json:"-"`

	Share        int32     `json:"share,omitempty"` // of the funder, basis points, as of submission
	Decided      bool      `json:"decided,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	DecidedBy    string    `json:"decidedBy,omitempty"`
	DecidedAt    time.Time `json:"decidedAt,omitzero"`
	ParkedIn     string    `json:"parkedIn,omitempty"`     // resource name of the earlier line
	ReincludedIn string    `json:"reincludedIn,omitempty"` // resource name of the later line
}

// LineName returns the resource name of a line.
func LineName(project, claim, id string) string {
	return ids.Name("projects", project, "claims", claim, "lines", id)
}

// Accepted is what is left of what is claimed.
func (l *Line) Accepted() int64 { return l.Claimed - l.Cut - l.ParkedSum }

// Owed is the funder's share of what is accepted, rounded down.
func (l *Line) Owed() (int64, error) { return funding.FlatRate(l.Accepted(), l.Share) }

// Computed reports whether the line is a flat rate of the others.
func (l *Line) Computed() bool { return l.Expenditure == "" }

// reset undoes what was decided.
func (l *Line) reset() {
	l.State, l.Cut, l.ParkedSum, l.Decided, l.Reason, l.DecidedBy, l.DecidedAt = Included, 0, 0, false, "", "", time.Time{}
	l.Version++
}

// TakeUp notes that a later claim takes up what was parked.
func (l *Line) TakeUp(by string) {
	l.State, l.ReincludedIn = Reincluded, by
	l.Version++
}

// LetGo notes that no later claim takes up what was parked any more.
func (l *Line) LetGo() {
	l.State, l.ReincludedIn = Parked, ""
	l.Version++
}

// Available is what a funder can still be shown of an expenditure.
type Available struct {
	Expenditure *domain.Expenditure
	Category    string
	Flat        bool   // on a line of which the cost is a flat rate
	Claimed     int64  // by other claims to this funder: of certified ones without what was parked
	Inside      bool   // the claim has it already
	ParkedIn    string // resource name of the line that had parked it; empty: none
}

// Left is what can still be claimed.
func (a *Available) Left() int64 {
	if a.Expenditure.Void || a.Flat || a.Inside {
		return 0
	}
	return max(a.Expenditure.Claimable()-a.Claimed, 0)
}

// Add puts an expenditure into the claim. amount 0 claims what is left. path is
// where in the request it stands.
func (c *Claim) Add(a *Available, id string, amount int64, path string) (*Line, error) {
	e := a.Expenditure
	unavailable := func(format string, args ...any) error {
		return errs.InvalidField(domain.ExpenditureUnavailable, path, format, args...).With("resource", e.Name())
	}
	switch left := a.Left(); {
	case c.Lines >= MaxLines:
		return nil, errs.New(errs.FailedPrecondition, domain.ClaimTooLarge, "%s would have more than %d lines", c.Name(), MaxLines).With("resource", c.Name())
	case e.Organisation != c.Organisation:
		return nil, unavailable("%s is not a cost of %s", e.Name(), c.Organisation)
	case e.Void:
		return nil, unavailable("%s is voided", e.Name())
	case a.Flat:
		return nil, unavailable("%s is on a line whose cost is a flat rate: that is computed", e.Name())
	case a.Inside:
		return nil, unavailable("%s is in the claim already", e.Name())
	case left == 0:
		return nil, unavailable("all of %s is claimed from %s already", e.Name(), c.Funder)
	case amount == 0:
		amount = left
	case amount < 0 || amount > left:
		return nil, unavailable("of %s %d minor units can still be claimed from %s, not %d", e.Name(), left, c.Funder, amount)
	}
	l := &Line{ID: id, Claim: c.ID, Expenditure: e.ID, BudgetLine: e.Line, Category: a.Category, State: Included, Claimed: amount, ParkedIn: a.ParkedIn, Version: 1}
	return l, c.include(l)
}

// include counts a new line.
func (c *Claim) include(l *Line) error {
	sum, err := funding.Add(c.Claimed, l.Claimed)
	if err != nil {
		return errs.New(errs.FailedPrecondition, domain.AmountWrong, "the sum of %s would not fit", c.Name()).With("resource", c.Name())
	}
	c.Claimed = sum
	c.Lines++
	return nil
}

// Remove takes a line out.
func (c *Claim) Remove(l *Line) error {
	if l.Computed() {
		return computed(c, l)
	}
	c.exclude(l)
	return nil
}

func (c *Claim) exclude(l *Line) {
	c.Claimed -= l.Claimed
	c.Lines--
}

func computed(c *Claim, l *Line) error {
	name := LineName(c.Project, c.ID, l.ID)
	return errs.New(errs.FailedPrecondition, domain.LineComputed, "%s is computed from other lines: decide of those", name).With("resource", name)
}

// decide is what a controller decides of a line.
func (c *Claim) decide(l *Line, state LineState, cut, parked int64, reason, by string, now time.Time) Event {
	c.Cut += cut - l.Cut
	c.Parked += parked - l.ParkedSum
	l.State, l.Cut, l.ParkedSum = state, cut, parked
	l.Decided, l.Reason, l.DecidedBy, l.DecidedAt = true, reason, by, now
	l.Version++
	e := c.step("LINE_"+map[LineState]string{Included: "ACCEPTED", Corrected: "CORRECTED", Parked: "PARKED"}[state], by, now)
	amount := cut + parked
	e.Line, e.Reason, e.Amount = l.ID, reason, &amount
	return e
}

func (c *Claim) deciding(l *Line, by string) error {
	if err := c.in(InControl); err != nil {
		return err
	}
	if err := c.otherEyes(by); err != nil {
		return err
	}
	if l.Computed() {
		return computed(c, l)
	}
	return nil
}

// Correct cuts an amount off a line.
func (c *Claim) Correct(l *Line, cut int64, reason, by string, now time.Time) (Event, error) {
	if err := c.deciding(l, by); err != nil {
		return Event{}, err
	}
	if cut < 1 || cut > l.Claimed {
		return Event{}, errs.InvalidField(domain.AmountWrong, "cut", "must be 1 to %d minor units, which is what is claimed, is %d", l.Claimed, cut)
	}
	if err := needReason(reason); err != nil {
		return Event{}, err
	}
	return c.decide(l, Corrected, cut, 0, reason, by, now), nil
}

// Park sets a line aside.
func (c *Claim) Park(l *Line, reason, by string, now time.Time) (Event, error) {
	if err := c.deciding(l, by); err != nil {
		return Event{}, err
	}
	if err := needReason(reason); err != nil {
		return Event{}, err
	}
	return c.decide(l, Parked, 0, l.Claimed, reason, by, now), nil
}

// Accept accepts a line as it was claimed.
func (c *Claim) Accept(l *Line, by string, now time.Time) (Event, error) {
	if err := c.deciding(l, by); err != nil {
		return Event{}, err
	}
	return c.decide(l, Included, 0, 0, "", by, now), nil
}
