package earned

import (
	"fmt"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Step is how far apart the points of a curve are.
type Step int

// The steps of a curve.
const (
	Daily   Step = iota // every day
	Weekly              // every Sunday
	Monthly             // the last day of every month
)

// MaxPoints is how many points a curve has at most.
const MaxPoints = 1500

// ErrTooLong says that the curve would have more than MaxPoints points.
var ErrTooLong = fmt.Errorf("earned: more than %d points", MaxPoints)

// Days are the days of an S-curve: the ends of the periods from the first day
// that occurs to the last one of the plan, and that last one.
func (v *Value) Days(step Step) ([]civil.Date, error) {
	var out []civil.Date
	last := v.first + len(v.worked) - 2
	for n := v.first; n <= last; n++ {
		d := civil.FromDays(n)
		ends := n == last
		switch step {
		case Weekly:
			ends = ends || (n+4)%7 == 0 // 1970-01-01 was a Thursday
		case Monthly:
			ends = ends || civil.FromDays(n + 1)[8:] == "01"
		default:
			ends = true
		}
		if !ends {
			continue
		}
		if len(out) == MaxPoints {
			return nil, ErrTooLong
		}
		out = append(out, d)
	}
	return out, nil
}
