package level

import (
	"sort"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// load is how much of a resource is taken over time: steps at which the level
// changes, in order. Before the first nothing is taken.
type load struct {
	capacity int
	steps    []step
}

type step struct {
	at    schedule.Time
	taken int
}

// split makes sure that there is a step at t, and returns its index.
func (l *load) split(t schedule.Time) int {
	k := sort.Search(len(l.steps), func(i int) bool { return l.steps[i].at >= t })
	if k < len(l.steps) && l.steps[k].at == t {
		return k
	}
	taken := 0
	if k > 0 {
		taken = l.steps[k-1].taken
	}
	l.steps = append(l.steps, step{})
	copy(l.steps[k+1:], l.steps[k:])
	l.steps[k] = step{t, taken}
	return k
}

// take adds units from one instant to another; negative ones give back.
func (l *load) take(from, to schedule.Time, units int) {
	if from >= to {
		return
	}
	a := l.split(from)
	b := l.split(to)
	for k := a; k < b; k++ {
		l.steps[k].taken += units
	}
}

// free returns the first instant at or after which a conflict of units with what
// is taken from from to to may be over; from itself where there is none.
func (l *load) free(from, to schedule.Time, units int) schedule.Time {
	k := sort.Search(len(l.steps), func(i int) bool { return l.steps[i].at >= to }) - 1
	for ; k >= 0; k-- { // the last conflict, to skip most
		if l.steps[k].taken+units > l.capacity {
			if k+1 < len(l.steps) && l.steps[k+1].at > from {
				return l.steps[k+1].at
			}
			return from
		}
		if l.steps[k].at <= from {
			return from
		}
	}
	return from
}
