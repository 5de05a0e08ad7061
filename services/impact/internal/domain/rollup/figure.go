package rollup

import "github.com/trama-suite/trama/services/impact/internal/domain/exact"

// Figure is what people see of a state.
type Figure struct {
	// Value; nil where there is none: nothing was measured, or only things of no
	// weight. Zero measured is a value.
	Value *exact.Number
	// Lower and Upper bound the true value; nil where unbounded.
	Lower, Upper *exact.Number
	// Qualifier says how Value bounds the true one.
	Qualifier Qualifier
	// Estimated is true where an estimate went in.
	Estimated bool
	// Counts of an ordinal histogram, whose Value is the median category, from 1.
	Counts []exact.Number
	// Values merged.
	Values int64
}

// Figure returns the figure of a state.
func (s State) Figure() Figure {
	f := Figure{Values: s.values, Estimated: s.estimated}
	if s.values == 0 {
		return f
	}
	switch s.measure.Method {
	case Sum:
		f.open(s.a, s.bounds)
	case Ratio, Mean, WeightedMean:
		if v, ok := s.a.Quo(s.b); ok {
			f.open(v, s.bounds)
		}
	case Minimum:
		f.Value = &s.a
		if !s.below {
			f.Lower = &s.a
		}
		if s.firm {
			f.Upper = &s.b
		}
	case Maximum:
		f.Value = &s.a
		if !s.above {
			f.Upper = &s.a
		}
		if s.firm {
			f.Lower = &s.b
		}
	case StockLast:
		var total exact.Number
		var b bounds
		for _, r := range s.readings {
			total, b = total.Add(r.value), b.or(r.bounds)
		}
		f.Estimated = b.estimated
		f.open(total, b)
	case OrdinalHistogram:
		f.Counts = s.counts
		if v, ok := median(s.counts); ok {
			f.open(v, s.bounds)
			if s.above || s.below { // nobody knows in which category the rest is
				f.Lower, f.Upper = nil, nil
			}
		}
	case UniqueCount:
		s.unique(&f)
	}
	if f.Value != nil {
		f.qualify()
	}
	return f
}

// open sets a value that is open where b says so.
func (f *Figure) open(v exact.Number, b bounds) {
	f.Value = &v
	if !b.below {
		f.Lower = &v
	}
	if !b.above {
		f.Upper = &v
	}
}

// unique bounds the number of different things: those with keys are told apart;
// any two counts without may overlap wholly or not at all.
func (s State) unique(f *Figure) {
	known := exact.Int(int64(len(s.keys)))
	lower, upper := known, known
	var b bounds
	for _, r := range s.readings {
		b = b.or(r.bounds)
		upper = upper.Add(r.value)
		if !r.below { // "at most n" says nothing of the least
			lower = least(lower, r.value, 1)
		}
	}
	f.Estimated = b.estimated
	f.Value, f.Lower = &lower, &lower
	if !b.above {
		f.Upper = &upper
	}
	if len(s.keys) == 0 && len(s.readings) == 1 && b.below { // one "at most n" stays n
		f.Value, f.Lower = &upper, nil
	}
}

// qualify derives the qualifier from the bounds.
func (f *Figure) qualify() {
	atLower := f.Lower != nil && f.Lower.Equal(*f.Value)
	atUpper := f.Upper != nil && f.Upper.Equal(*f.Value)
	switch {
	case atLower && atUpper && !f.Estimated:
		f.Qualifier = Exact
	case atLower && !atUpper:
		f.Qualifier = AtLeast
	case atUpper && !atLower:
		f.Qualifier = AtMost
	default:
		f.Qualifier = Estimate
	}
}

// median returns the number, from 1, of the category in the middle; of two that
// share the middle the lower one.
func median(counts []exact.Number) (exact.Number, bool) {
	var total exact.Number
	for _, n := range counts {
		total = total.Add(n)
	}
	if total.Sign() <= 0 {
		return exact.Number{}, false
	}
	half := total.Mul(exact.Fraction(1, 2))
	var below exact.Number
	for i, n := range counts {
		if below = below.Add(n); below.Cmp(half) >= 0 {
			return exact.Int(int64(i + 1)), true
		}
	}
	return exact.Number{}, false
}

// Progress returns (actual − baseline) / (target − baseline): 0 at the
// baseline, 1 at the target, whether the indicator is to rise or to fall. It is
// undefined where baseline and target are equal.
func Progress(actual, baseline, target exact.Number) (exact.Number, bool) {
	return actual.Sub(baseline).Quo(target.Sub(baseline))
}
