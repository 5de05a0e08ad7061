package rollup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
)

// State is what any number of observations of one measure come to, before a
// figure is made of it. The zero value is no state; Empty returns the state of
// nothing. States are values: merging changes neither operand.
type State struct {
	measure Measure
	// values counts the observations.
	values int64
	// a is Σx (sum), Σnumerator, Σx of means, Σweight·x, or the extreme value.
	a exact.Number
	// b is Σdenominator, Σn, Σweight; of an extreme, the extreme of the values
	// whose other side is closed, where firm.
	b    exact.Number
	firm bool
	bounds
	// readings, by holder: the last of each stock; or counts without keys, by
	// source.
	readings []reading
	counts   []exact.Number // of each category
	keys     []string       // of unique things, sorted
}

// reading is what a holder was last found to hold.
type reading struct {
	holder     string
	start, end int32
	value      exact.Number
	bounds
}

// Empty returns the state of nothing measured: merging it changes nothing.
func Empty(m Measure) State { return State{measure: m} }

// Measure returns what the state is of.
func (s State) Measure() Measure { return s.measure }

// Values returns how many observations went into the state.
func (s State) Values() int64 { return s.values }

// Merge returns what two states come to together.
func Merge(x, y State) (State, error) {
	if x.measure != y.measure {
		return State{}, fmt.Errorf("%w: %v in %q and %v in %q", ErrNotMergeable,
			x.measure.Method, x.measure.Unit, y.measure.Method, y.measure.Unit)
	}
	if x.values == 0 {
		return y, nil
	}
	if y.values == 0 {
		return x, nil
	}
	out := State{measure: x.measure, values: x.values + y.values, bounds: x.or(y.bounds)}
	switch x.measure.Method {
	case Sum, Ratio, Mean, WeightedMean:
		out.a, out.b = x.a.Add(y.a), x.b.Add(y.b)
	case Minimum:
		out.a = least(x.a, y.a, -1)
		out.b, out.firm = firmest(x, y, -1)
	case Maximum:
		out.a = least(x.a, y.a, 1)
		out.b, out.firm = firmest(x, y, 1)
	case StockLast:
		out.readings = mergeReadings(x.readings, y.readings, later)
	case OrdinalHistogram:
		out.counts = make([]exact.Number, len(x.counts))
		for i := range x.counts {
			out.counts[i] = x.counts[i].Add(y.counts[i])
		}
	case UniqueCount:
		out.keys = union(x.keys, y.keys)
		out.readings = mergeReadings(x.readings, y.readings, same)
	}
	return out, nil
}

// Fold merges any number of states, pair by pair and then pairs of pairs, which
// for sets costs n·log n instead of n².
func Fold(m Measure, states []State) (State, error) {
	switch len(states) {
	case 0:
		return Empty(m), nil
	case 1:
		return Merge(Empty(m), states[0])
	}
	left, err := Fold(m, states[:len(states)/2])
	if err != nil {
		return State{}, err
	}
	right, err := Fold(m, states[len(states)/2:])
	if err != nil {
		return State{}, err
	}
	return Merge(left, right)
}

// least returns x or y, whichever compares with the other as wanted.
func least(x, y exact.Number, want int) exact.Number {
	if x.Cmp(y) == want {
		return x
	}
	return y
}

func firmest(x, y State, want int) (exact.Number, bool) {
	switch {
	case !x.firm && !y.firm:
		// Neither counts, but the form must not depend on the order.
		return least(x.b, y.b, want), false
	case !y.firm:
		return x.b, true
	case !x.firm:
		return y.b, true
	}
	return least(x.b, y.b, want), true
}

// mergeReadings merges two lists in order of holder.
func mergeReadings(x, y []reading, both func(x, y reading) reading) []reading {
	if len(x) == 0 {
		return y
	}
	if len(y) == 0 {
		return x
	}
	out := make([]reading, 0, len(x)+len(y))
	for len(x) > 0 && len(y) > 0 {
		switch c := strings.Compare(x[0].holder, y[0].holder); {
		case c < 0:
			out, x = append(out, x[0]), x[1:]
		case c > 0:
			out, y = append(out, y[0]), y[1:]
		default:
			out = append(out, both(x[0], y[0]))
			x, y = x[1:], y[1:]
		}
	}
	return append(append(out, x...), y...)
}

// later returns the reading taken later; of one instant, the one over the
// shorter period. Two of the same period are shares of one measurement.
func later(x, y reading) reading {
	switch cmp.Or(cmp.Compare(x.end, y.end), cmp.Compare(x.start, y.start)) {
	case 1:
		return x
	case -1:
		return y
	}
	x.value = x.value.Add(y.value)
	x.bounds = x.or(y.bounds)
	return x
}

// same returns one of two shares of the same count.
func same(x, y reading) reading {
	if x.value.Cmp(y.value) < 0 {
		x.value = y.value
	}
	x.bounds = x.or(y.bounds)
	return x
}

// union merges two sorted sets.
func union(x, y []string) []string {
	if len(x) == 0 {
		return y
	}
	if len(y) == 0 {
		return x
	}
	out := make([]string, 0, len(x)+len(y))
	for len(x) > 0 && len(y) > 0 {
		switch c := strings.Compare(x[0], y[0]); {
		case c < 0:
			out, x = append(out, x[0]), x[1:]
		case c > 0:
			out, y = append(out, y[0]), y[1:]
		default:
			out = append(out, x[0])
			x, y = x[1:], y[1:]
		}
	}
	return append(append(out, x...), y...)
}

// Equal reports whether two states are the same, exactly.
func Equal(x, y State) bool {
	return x.measure == y.measure && x.values == y.values && x.firm == y.firm && x.bounds == y.bounds &&
		x.a.Equal(y.a) && x.b.Equal(y.b) && slices.Equal(x.keys, y.keys) &&
		slices.EqualFunc(x.counts, y.counts, exact.Number.Equal) &&
		slices.EqualFunc(x.readings, y.readings, func(p, q reading) bool {
			return p.holder == q.holder && p.start == q.start && p.end == q.end && p.bounds == q.bounds && p.value.Equal(q.value)
		})
}
