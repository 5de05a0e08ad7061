// Package rollup merges what was measured of an indicator. It keeps states that
// can be merged and makes a figure of them only at the end: a ratio keeps its
// numerators and denominators apart, a mean its sum and its count. Merging is
// associative and commutative and exact, so that the roll-up of roll-ups, the
// roll-up of all leaves in any order and a roll-up kept up to date leaf by leaf
// are the same to the last digit. The package does no input or output.
package rollup

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
)

// Method is how measurements become one figure. The names are those of the
// proto enum Aggregation.
type Method uint8

// The methods.
const (
	Sum Method = iota + 1
	Ratio
	Mean
	WeightedMean
	Minimum
	Maximum
	StockLast
	OrdinalHistogram
	UniqueCount
)

var methodNames = [...]string{"", "SUM", "RATIO", "MEAN", "WEIGHTED_MEAN", "MINIMUM", "MAXIMUM", "STOCK_LAST", "ORDINAL_HISTOGRAM", "UNIQUE_COUNT"}

// String returns the method's name as in the proto enum, without its prefix.
func (m Method) String() string {
	if m < 1 || int(m) >= len(methodNames) {
		return fmt.Sprintf("METHOD_%d", uint8(m))
	}
	return methodNames[m]
}

// ParseMethod is String's inverse.
func ParseMethod(name string) (Method, bool) {
	i := slices.Index(methodNames[:], name)
	return Method(max(i, 0)), i > 0
}

// Intensive reports whether a part can be held against the whole's target: a
// region's rate can, a region's sum cannot.
func (m Method) Intensive() bool {
	switch m {
	case Ratio, Mean, WeightedMean, Minimum, Maximum:
		return true
	}
	return false
}

// Additive reports whether the same days measured twice would count twice.
func (m Method) Additive() bool {
	switch m {
	case Sum, Ratio, Mean, WeightedMean, OrdinalHistogram:
		return true
	}
	return false
}

// Measure is what two states must have in common to be merged.
type Measure struct {
	Method     Method
	Unit       string // UCUM code, currency or noun
	Categories int    // of an ordinal histogram
}

// ErrNotMergeable is the error of merging states of different measures: hours
// with persons, or a sum with a stock.
var ErrNotMergeable = errors.New("quantities of different measures cannot be merged")

// Qualifier says how a value bounds the true one.
type Qualifier uint8

// The qualifiers.
const (
	Exact    Qualifier = iota + 1 // =
	AtLeast                       // ≥
	AtMost                        // ≤
	Estimate                      // about
)

var qualifierNames = [...]string{"", "EXACT", "AT_LEAST", "AT_MOST", "ESTIMATE"}

// String returns the qualifier's name as in the proto enum, without its prefix.
func (q Qualifier) String() string {
	if int(q) >= len(qualifierNames) {
		return fmt.Sprintf("QUALIFIER_%d", uint8(q))
	}
	return qualifierNames[q]
}

// ParseQualifier is String's inverse.
func ParseQualifier(name string) (Qualifier, bool) {
	i := slices.Index(qualifierNames[:], name)
	return Qualifier(max(i, 0)), i > 0
}

// Observation is one measured value, or one partner's share of it.
type Observation struct {
	// Value of a sum, minimum, maximum or stock; the mean of Count observations;
	// the value that Weight weighs; the count of unique things without keys.
	Value exact.Number
	// Numerator and Denominator of a ratio.
	Numerator, Denominator exact.Number
	// Weight of a weighted mean.
	Weight exact.Number
	// Count of observations behind a mean.
	Count int64
	// Counts of each category of an ordinal histogram.
	Counts []int64
	// Key of one unique thing; empty where Value counts things without keys.
	Key string
	// Source tells measurements apart: the partners' shares of one measurement
	// have the same. Needed for unique counts without keys.
	Source string
	// Holder is what holds the stock (a project in a place), Start and End the
	// period of the reading in days. Needed for stocks.
	Holder     string
	Start, End int32
	// Share of the value that counts here, above 0 and at most 1. Minimum,
	// maximum and unique counts have no parts: each share is the whole.
	Share exact.Number
	// Qualifier of the value; the zero value is Exact.
	Qualifier Qualifier
}

// bounds are the open ends of a quantity.
type bounds struct {
	above, below bool // the true value may be more, or less
	estimated    bool
}

func boundsOf(q Qualifier) bounds {
	return bounds{above: q == AtLeast, below: q == AtMost, estimated: q == Estimate}
}

func (b bounds) or(c bounds) bounds {
	return bounds{above: b.above || c.above, below: b.below || c.below, estimated: b.estimated || c.estimated}
}

// Of returns the state of one observation. The observation's shape was checked
// before; what cannot be stored is an error.
func Of(m Measure, o Observation) (State, error) {
	s := State{measure: m, values: 1}
	flags := boundsOf(o.Qualifier)
	switch m.Method {
	case Sum:
		s.a, s.bounds = o.Value.Mul(o.Share), flags
	case Ratio:
		s.a, s.b, s.bounds = o.Numerator.Mul(o.Share), o.Denominator.Mul(o.Share), flags
	case Mean, WeightedMean:
		weight := o.Weight
		if m.Method == Mean {
			weight = exact.Int(o.Count)
		}
		weight = weight.Mul(o.Share)
		s.a, s.b = o.Value.Mul(weight), weight
		if weight.Sign() != 0 { // what weighs nothing makes nothing uncertain
			s.bounds = flags
		}
	case Minimum:
		s.a, s.b, s.firm, s.bounds = o.Value, o.Value, !flags.above, flags
	case Maximum:
		s.a, s.b, s.firm, s.bounds = o.Value, o.Value, !flags.below, flags
	case StockLast:
		if err := plain(o.Holder); err != nil {
			return State{}, err
		}
		s.readings = []reading{{holder: o.Holder, start: o.Start, end: o.End, value: o.Value.Mul(o.Share), bounds: flags}}
	case OrdinalHistogram:
		if len(o.Counts) != m.Categories {
			return State{}, fmt.Errorf("%d counts for %d categories", len(o.Counts), m.Categories)
		}
		s.counts, s.bounds = make([]exact.Number, m.Categories), flags
		for i, n := range o.Counts {
			s.counts[i] = exact.Int(n).Mul(o.Share)
		}
	case UniqueCount:
		if o.Key != "" {
			if err := plain(o.Key); err != nil {
				return State{}, err
			}
			s.keys = []string{o.Key}
			break
		}
		if err := plain(o.Source); err != nil {
			return State{}, err
		}
		s.readings = []reading{{holder: o.Source, value: o.Value, bounds: flags}}
	default:
		return State{}, fmt.Errorf("no such aggregation method: %v", m.Method)
	}
	return s, nil
}

// plain refuses names that the encoding has other uses for.
func plain(name string) error {
	if name == "" || strings.ContainsAny(name, " ,;|") {
		return fmt.Errorf("%q cannot name what is counted", name)
	}
	return nil
}
