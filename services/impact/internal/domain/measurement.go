package domain

import (
	"reflect"
	"slices"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/impact/internal/domain/territory"
	"github.com/trama-suite/trama/services/platform/errs"
)

// State is where a measurement's newest revision stands, named as in the proto enum.
type State string

// The states.
const (
	Draft     State = "DRAFT"
	Submitted State = "SUBMITTED"
	Accepted  State = "ACCEPTED"
	Returned  State = "RETURNED"
	Withdrawn State = "WITHDRAWN"
)

// Value is what was measured; which fields are set follows from the indicator's
// method.
type Value struct {
	Value       *exact.Number `json:"value,omitempty"`
	Numerator   *exact.Number `json:"numerator,omitempty"`
	Denominator *exact.Number `json:"denominator,omitempty"`
	Weight      *exact.Number `json:"weight,omitempty"`
	Count       *int64        `json:"count,omitempty"`
	Counts      []int64       `json:"counts,omitempty"`
}

// Share is one partner's part of a measurement.
type Share struct {
	Organisation string       `json:"organisation"`
	Share        exact.Number `json:"share"`
}

// Content is what a revision says.
type Content struct {
	Project   string           `json:"project,omitempty"`
	Period    Period           `json:"period"`
	Place     *territory.Place `json:"place,omitempty"` // nil: where the organisation is
	Value     Value            `json:"value"`
	Qualifier rollup.Qualifier `json:"qualifier"`
	Method    string           `json:"method,omitempty"`
	Source    string           `json:"source,omitempty"`
	Shares    []Share          `json:"shares,omitempty"`
	// IndicatorNumber is the indicator's version when it was written.
	IndicatorNumber int32 `json:"indicatorNumber"`
}

// Measurement is a measured value of an indicator, with its newest revision.
type Measurement struct {
	Name         string  `json:"name"`
	Indicator    string  `json:"indicator"`
	Organisation string  `json:"organisation"`
	Content      Content `json:"content"`
	State        State   `json:"state"`
	Revision     int32   `json:"revision"`
	// AcceptedRevision is the number of the revision that counts, and Accepted
	// what it says; 0 and nil where none does.
	AcceptedRevision int32     `json:"acceptedRevision,omitempty"`
	Accepted         *Content  `json:"accepted,omitempty"`
	Reason           string    `json:"reason,omitempty"`
	Version          int64     `json:"version"` // of the row
	CreateTime       time.Time `json:"createTime"`
	UpdateTime       time.Time `json:"updateTime"`
}

// fields tells which fields of a value a method needs.
var fields = map[rollup.Method][]string{
	rollup.Sum: {"value"}, rollup.Minimum: {"value"}, rollup.Maximum: {"value"}, rollup.StockLast: {"value"}, rollup.UniqueCount: {"value"},
	rollup.Ratio: {"numerator", "denominator"}, rollup.Mean: {"value", "count"}, rollup.WeightedMean: {"value", "weight"},
	rollup.OrdinalHistogram: {"category_counts"},
}

// Check checks a value against the indicator that it is of.
func (v Value) Check(i Indicator) error {
	present := []struct {
		field string
		set   bool
		least *exact.Number // must not be negative, where set
	}{
		{"value", v.Value != nil, nil}, {"numerator", v.Numerator != nil, nil}, {"denominator", v.Denominator != nil, v.Denominator},
		{"weight", v.Weight != nil, v.Weight}, {"count", v.Count != nil, nil}, {"category_counts", v.Counts != nil, nil},
	}
	for _, p := range present {
		needed := slices.Contains(fields[i.Method], p.field)
		switch {
		case needed && !p.set:
			return errs.InvalidField(ValueShape, "value."+p.field, "is needed for the aggregation %s", i.Method)
		case !needed && p.set:
			return errs.InvalidField(ValueShape, "value."+p.field, "has no use for the aggregation %s", i.Method)
		case p.least != nil && p.least.Sign() < 0:
			return errs.InvalidField(ValueNegative, "value."+p.field, "must be at least 0")
		}
	}
	if v.Count != nil && (*v.Count < 0 || *v.Count > maxCount) {
		return errs.InvalidField(ValueNegative, "value.count", "must be from 0 to %d", int64(maxCount))
	}
	if i.Method == rollup.UniqueCount && (v.Value.Sign() < 0 || !v.Value.IsInt()) {
		return errs.InvalidField(ValueNegative, "value.value", "must be a whole number of at least 0")
	}
	if i.Method == rollup.OrdinalHistogram {
		if len(v.Counts) != len(i.Categories) {
			return errs.InvalidField(ValueShape, "value.category_counts", "has %d counts for %d categories", len(v.Counts), len(i.Categories))
		}
		for n, c := range v.Counts {
			if c < 0 || c > maxCount {
				return errs.InvalidField(ValueNegative, "value."+at("category_counts", n), "must be from 0 to %d", int64(maxCount))
			}
		}
	}
	return nil
}

const maxCount = 1_000_000_000_000

// check checks what a revision says, against the indicator.
func (c Content) check(i Indicator) error {
	if err := c.Value.Check(i); err != nil {
		return err
	}
	if len(c.Shares) == 0 {
		return nil
	}
	if c.Project == "" {
		return errs.InvalidField(SharesInvalid, "shares", "partners share what is measured in a project: project is empty")
	}
	var sum exact.Number
	seen := map[string]bool{}
	for n, s := range c.Shares {
		if s.Share.Sign() <= 0 {
			return errs.InvalidField(SharesInvalid, at("shares", n)+".share", "must be above 0")
		}
		if seen[s.Organisation] {
			return errs.InvalidField(SharesInvalid, at("shares", n)+".organisation", "%s is named twice", s.Organisation)
		}
		seen[s.Organisation] = true
		sum = sum.Add(s.Share)
	}
	if !sum.Equal(exact.Int(1)) {
		return errs.InvalidField(SharesInvalid, "shares", "sum to %s, not to 1", sum)
	}
	return nil
}

// usable says why nothing can be measured with the indicator by that organisation.
func (i Indicator) usable(organisation string) error {
	switch {
	case i.Retired:
		return i.retired()
	case i.Automatic:
		return errs.New(errs.FailedPrecondition, IndicatorAutomatic, "%s is fed by the suite's own events: nobody measures it by hand", i.Name).With("indicator", i.Name)
	case !i.Network() && i.Organisation != organisation:
		return errs.New(errs.FailedPrecondition, IndicatorNotOwn, "%s belongs to another organisation than the measurement", i.Name).With("indicator", i.Name)
	}
	return nil
}

// NewMeasurement returns a new measurement, checked, as a draft.
func NewMeasurement(m Measurement, i Indicator, now time.Time) (Measurement, error) {
	if err := i.usable(m.Organisation); err != nil {
		return Measurement{}, err
	}
	if err := m.Content.check(i); err != nil {
		return Measurement{}, err
	}
	m.Content.IndicatorNumber = i.Number
	m.State, m.Revision, m.AcceptedRevision, m.Accepted, m.Reason, m.Version = Draft, 1, 0, nil, "", 1
	m.CreateTime, m.UpdateTime = now, now
	return m, nil
}

// Revise returns the measurement with a new revision, as a draft. What was
// accepted goes on counting.
func (m Measurement) Revise(c Content, i Indicator, now time.Time) (Measurement, error) {
	if m.State == Submitted || m.State == Withdrawn {
		return Measurement{}, m.wrongState("revised")
	}
	if err := i.usable(m.Organisation); err != nil {
		return Measurement{}, err
	}
	if err := c.check(i); err != nil {
		return Measurement{}, err
	}
	c.IndicatorNumber = i.Number
	if m.State == Draft && reflect.DeepEqual(c, m.Content) {
		return m, nil
	}
	m.Content, m.State, m.Reason = c, Draft, ""
	m.Revision++
	return m.touched(now), nil
}

// Submit hands the newest revision in. others are the measurements of the same
// series that are submitted or accepted; one that covers the same days would
// count twice.
func (m Measurement) Submit(i Indicator, others []Measurement, now time.Time) (Measurement, error) {
	if m.State != Draft && m.State != Returned {
		return Measurement{}, m.wrongState("submitted")
	}
	if err := i.usable(m.Organisation); err != nil {
		return Measurement{}, err
	}
	if err := m.overlap(i, others); err != nil {
		return Measurement{}, err
	}
	m.State, m.Reason = Submitted, ""
	return m.touched(now), nil
}

// Accept lets the submitted revision count. others is as for Submit.
func (m Measurement) Accept(i Indicator, others []Measurement, now time.Time) (Measurement, error) {
	if m.State != Submitted {
		return Measurement{}, m.wrongState("accepted")
	}
	if err := m.overlap(i, others); err != nil {
		return Measurement{}, err
	}
	m.State, m.AcceptedRevision = Accepted, m.Revision
	m.Accepted = new(m.Content)
	return m.touched(now), nil
}

// Return gives the submitted revision back with a reason.
func (m Measurement) Return(reason string, now time.Time) (Measurement, error) {
	if m.State != Submitted {
		return Measurement{}, m.wrongState("returned")
	}
	m.State, m.Reason = Returned, reason
	return m.touched(now), nil
}

// Withdraw takes the measurement out for good. It reports whether the
// measurement counted until now.
func (m Measurement) Withdraw(reason string, now time.Time) (out Measurement, counted bool, err error) {
	if m.State == Withdrawn {
		return Measurement{}, false, m.wrongState("withdrawn")
	}
	counted = m.Counts()
	m.State, m.Reason, m.AcceptedRevision, m.Accepted = Withdrawn, reason, 0, nil
	return m.touched(now), counted, nil
}

// Counts reports whether a revision of it is in roll-ups.
func (m Measurement) Counts() bool { return m.Accepted != nil }

func (m Measurement) touched(now time.Time) Measurement {
	m.Version++
	m.UpdateTime = now
	return m
}

func (m Measurement) wrongState(verb string) error {
	return errs.New(errs.FailedPrecondition, StateNotAllowed, "%s cannot be %s: it is %s", m.Name, verb, m.State).With("state", string(m.State))
}

// overlap refuses a measurement that would count some days twice: with what
// others have submitted, and with what counts of them whatever has become of
// their newer revisions. Of a stock, or an extreme, there can be several readings
// over the same days, but not two over exactly the same period.
func (m Measurement) overlap(i Indicator, others []Measurement) error {
	for _, o := range others {
		if o.Name == m.Name {
			continue
		}
		for _, c := range []*Content{submitted(o), o.Accepted} {
			if c == nil || c.Project != m.Content.Project || placeKey(c.Place) != placeKey(m.Content.Place) {
				continue
			}
			if c.Period == m.Content.Period || (i.Method.Additive() && c.Period.Overlaps(m.Content.Period)) {
				return errs.New(errs.FailedPrecondition, PeriodOverlap, "%s covers %v of the same series, so that something would count twice with %v",
					o.Name, c.Period, m.Content.Period).With("measurement", o.Name)
			}
		}
	}
	return nil
}

func submitted(m Measurement) *Content {
	if m.State == Submitted {
		return &m.Content
	}
	return nil
}

func placeKey(p *territory.Place) string {
	if p == nil {
		return ""
	}
	return p.Key()
}
