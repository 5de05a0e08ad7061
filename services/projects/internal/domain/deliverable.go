package domain

import (
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// DeliveryState is where a deliverable stands.
type DeliveryState string

// The states of a deliverable.
const (
	Planned   DeliveryState = "PLANNED"
	Submitted DeliveryState = "SUBMITTED"
	Accepted  DeliveryState = "ACCEPTED"
	Returned  DeliveryState = "RETURNED"
)

// Deliverable is something that a project owes.
type Deliverable struct {
	ID      string        `json:"-"`
	Project string        `json:"-"`
	State   DeliveryState `json:"-"`
	Stamp
	Promise
	Evidence
	ReturnReason string `json:"returnReason,omitempty"`
}

// Promise is what people write about a deliverable.
type Promise struct {
	Title        Text       `json:"title"`
	Task         string     `json:"-"` // id; may be empty
	Organisation string     `json:"-"`
	Due          civil.Date `json:"-"`
	// Criteria are what it must meet to be accepted.
	Criteria []Text `json:"criteria,omitempty"`
	// CheckRequired asks for at least one mandatory quality check.
	CheckRequired bool `json:"checkRequired,omitempty"`
}

// Name returns the resource name.
func (d *Deliverable) Name() string { return ids.Name("projects", d.Project, "deliverables", d.ID) }

// Overdue reports whether the due date is past and nothing is submitted.
func (d *Deliverable) Overdue(today civil.Date) bool {
	return d.Due < today && (d.State == Planned || d.State == Returned)
}

// NewDeliverable plans a deliverable.
func NewDeliverable(id string, p *Project, x Promise, now time.Time) (*Deliverable, error) {
	if err := x.check(p); err != nil {
		return nil, err
	}
	return &Deliverable{ID: id, Project: p.ID, State: Planned, Stamp: NewStamp(now), Promise: x}, nil
}

// Revise replaces what people write.
func (d *Deliverable) Revise(p *Project, x Promise, now time.Time) error {
	if err := first(d.Open(p), x.check(p)); err != nil {
		return err
	}
	d.Promise = x
	d.Touch(now)
	return nil
}

func (x *Promise) check(p *Project) error {
	return first(p.Writable(), x.Title.require("deliverable.title"), readDate("deliverable.due_date", x.Due),
		p.RequirePartner("deliverable.organisation", x.Organisation))
}

// Submit hands the deliverable in.
func (d *Deliverable) Submit(p *Project, e Evidence, now time.Time) error {
	if err := first(p.Writable(), d.in(Planned, Returned), e.Require()); err != nil {
		return err
	}
	d.State, d.Evidence = Submitted, e
	d.Touch(now)
	return nil
}

// Open returns an error where the deliverable is accepted, and so does not change
// any more until it is returned.
func (d *Deliverable) Open(p *Project) error {
	return first(p.Writable(), d.in(Planned, Submitted, Returned))
}

// Accept accepts what was submitted, where its quality checks let it.
func (d *Deliverable) Accept(p *Project, checks []*QualityCheck, now time.Time) error {
	if err := first(p.Writable(), d.in(Submitted), d.RequireChecks(checks)); err != nil {
		return err
	}
	d.State = Accepted
	d.Touch(now)
	return nil
}

// Return sends back what was submitted, or even accepted.
func (d *Deliverable) Return(p *Project, reason string, now time.Time) error {
	if err := first(p.Writable(), d.in(Submitted, Accepted)); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return errs.InvalidField(FieldMissing, "reason", "must say what is to be corrected")
	}
	d.State, d.ReturnReason = Returned, reason
	d.Touch(now)
	return nil
}

func (d *Deliverable) in(states ...DeliveryState) error {
	words := make([]string, len(states))
	for i, s := range states {
		if d.State == s {
			return nil
		}
		words[i] = string(s)
	}
	return errs.New(errs.FailedPrecondition, DeliverableState, "%s is %s, but must be %s",
		d.Name(), d.State, strings.Join(words, " or ")).With("state", string(d.State))
}
