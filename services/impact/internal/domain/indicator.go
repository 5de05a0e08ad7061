package domain

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/platform/errs"
)

// Direction says which way is better, named as in the proto enum.
type Direction string

// The directions.
const (
	Increase Direction = "INCREASE"
	Decrease Direction = "DECREASE"
)

// CodeScheme is a framework of indicators of others, named as in the proto enum.
type CodeScheme string

// The frameworks.
const (
	SDG    CodeScheme = "SDG"
	IRIS   CodeScheme = "IRIS"
	BES    CodeScheme = "BES"
	Funder CodeScheme = "FUNDER"
)

// ExternalCode is what an indicator is called in a framework of others.
type ExternalCode struct {
	Scheme CodeScheme `json:"scheme"`
	Code   string     `json:"code"`
}

// codeShapes are the forms that codes have: goal, target or indicator of the
// 2030 Agenda (targets and indicators may end in a letter); IRIS+ identifiers;
// domain and number of the BES. A funder's codes have any form.
var codeShapes = map[CodeScheme]*regexp.Regexp{
	SDG:  regexp.MustCompile(`^([1-9]|1[0-7])(\.([0-9]{1,2}|[a-d])(\.[0-9]{1,2})?)?$`),
	IRIS: regexp.MustCompile(`^[OP][A-Z][0-9]{4}$`),
	BES:  regexp.MustCompile(`^(0?[1-9]|1[0-2])(-[0-9]{1,2})?$`),
}

// Target is a figure to reach, and by when.
type Target struct {
	Value exact.Number `json:"value"`
	Date  Day          `json:"date"`
}

// Indicator is what is measured, as one of its versions has it.
type Indicator struct {
	Name         string         `json:"-"`
	Organisation string         `json:"-"` // empty: the network's
	Title        Text           `json:"title"`
	Description  Text           `json:"description,omitzero"`
	Unit         string         `json:"-"`
	Direction    Direction      `json:"direction"`
	Method       rollup.Method  `json:"-"`
	Categories   []Text         `json:"categories,omitempty"`
	Baseline     *exact.Number  `json:"baseline,omitempty"`
	Target       *Target        `json:"target,omitempty"`
	Codes        []ExternalCode `json:"codes,omitempty"`
	Theory       string         `json:"-"`
	Node         string         `json:"-"`
	Headline     bool           `json:"-"`
	Automatic    bool           `json:"-"`
	Retired      bool           `json:"-"`
	Number       int32          `json:"-"` // of the version, from 1
	Version      int64          `json:"-"` // of the row
	CreateTime   time.Time      `json:"-"`
	UpdateTime   time.Time      `json:"-"`
}

// Measure returns what its measurements must have in common to be merged.
func (i Indicator) Measure() rollup.Measure {
	return rollup.Measure{Method: i.Method, Unit: i.Unit, Categories: len(i.Categories)}
}

// Network reports whether it is the network's own.
func (i Indicator) Network() bool { return i.Organisation == "" }

// Progress returns how far a value is from baseline to target, nil where that is
// not defined.
func (i Indicator) Progress(value *exact.Number) *exact.Number {
	if value == nil || i.Baseline == nil || i.Target == nil {
		return nil
	}
	p, ok := rollup.Progress(*value, *i.Baseline, i.Target.Value)
	if !ok {
		return nil
	}
	return &p
}

func (i Indicator) check() error {
	if err := title("title", i.Title, maxTitle); err != nil {
		return err
	}
	if i.Headline && !i.Network() {
		return errs.InvalidField(HeadlineNotNetwork, "headline", "only indicators of the network stand on its dashboard")
	}
	if (i.Method == rollup.OrdinalHistogram) != (len(i.Categories) > 0) {
		return errs.InvalidField(ValueShape, "categories", "an ordinal histogram has them, and no other aggregation does")
	}
	if len(i.Categories) == 1 {
		return errs.InvalidField(ValueShape, "categories", "there must be at least 2")
	}
	for n, c := range i.Categories {
		if err := title(at("categories", n), c, maxTitle); err != nil {
			return err
		}
	}
	if (i.Theory == "") != (i.Node == "") {
		return errs.InvalidField(errs.InvalidRequest, "node", "theory and node are set together, or neither")
	}
	if t := i.Target; t != nil && i.Baseline != nil {
		rises, want := t.Value.Cmp(*i.Baseline), 1
		if i.Direction == Decrease {
			want = -1
		}
		if rises == -want {
			return errs.InvalidField(NumberInvalid, "target.value", "%s lies on the wrong side of the baseline %s: the direction is %s",
				t.Value.Decimal(9), i.Baseline.Decimal(9), strings.ToLower(string(i.Direction)))
		}
	}
	for n, c := range i.Codes {
		if shape := codeShapes[c.Scheme]; shape != nil && !shape.MatchString(c.Code) {
			return errs.InvalidField(errs.InvalidRequest, at("codes", n)+".code", "%q has not the form of a code of %s", c.Code, c.Scheme)
		}
		if slices.Index(i.Codes, c) != n {
			return errs.InvalidField(errs.InvalidRequest, at("codes", n), "%s %s is named twice", c.Scheme, c.Code)
		}
	}
	return nil
}

// NewIndicator returns a new indicator, checked, at its version 1.
func NewIndicator(i Indicator, now time.Time) (Indicator, error) {
	if err := i.check(); err != nil {
		return Indicator{}, err
	}
	i.Number, i.Version, i.Automatic, i.Retired = 1, 1, false, false
	i.CreateTime, i.UpdateTime = now, now
	return i, nil
}

// Update returns the indicator's next version. What would make its measurements
// mean something else (unit, direction, method, categories) stays as it is.
func (i Indicator) Update(change Indicator, now time.Time) (Indicator, error) {
	if i.Retired {
		return Indicator{}, i.retired()
	}
	out := i
	out.Title, out.Description, out.Baseline, out.Target, out.Codes = change.Title, change.Description, change.Baseline, change.Target, change.Codes
	out.Theory, out.Node, out.Headline = change.Theory, change.Node, change.Headline
	if err := out.check(); err != nil {
		return Indicator{}, err
	}
	out.Number, out.Version, out.UpdateTime = i.Number+1, i.Version+1, now
	return out, nil
}

// Retire returns the indicator out of use.
func (i Indicator) Retire(now time.Time) (Indicator, error) {
	if i.Retired {
		return Indicator{}, i.retired()
	}
	if i.Automatic {
		return Indicator{}, errs.New(errs.FailedPrecondition, IndicatorAutomatic, "%s is fed by the suite itself and stays in use", i.Name)
	}
	i.Retired, i.Version, i.UpdateTime = true, i.Version+1, now
	return i, nil
}

func (i Indicator) retired() error {
	return errs.New(errs.FailedPrecondition, IndicatorRetired, "%s is retired", i.Name).With("indicator", i.Name)
}
