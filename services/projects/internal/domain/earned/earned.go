// Package earned is earned value management: what was planned to be done by a
// day, what has been done, and what that cost, in one unit, money. The measures
// are those of the PMI Practice Standard for Earned Value Management and of ISO
// 21508:2018; earned schedule is Lipke's ("Schedule is Different", The
// Measurable News, 2003).
//
// Amounts are minor units of one currency and exact: each piece of the budget is
// rounded down by itself, so that the values of partners and of work packages
// sum to the project's to the cent. A measure whose denominator is zero is
// undefined, never 0.
package earned

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Task is an element of the plan.
type Task struct {
	// ID of the task, unique in the plan.
	ID string
	// Parent is the id of the task that this one is part of; empty at the top.
	Parent string
	// Start and Finish are the planned first and last day: of the baseline where
	// there is one. Those of a task with subtasks do not matter.
	Start, Finish civil.Date
	// Minutes is the planned working time, by which a budget line is spread over
	// the tasks of its work package. 0 for a milestone.
	Minutes int64
	// Progress is what was reported done, in the order of days.
	Progress []Report
}

// Report is the progress of a task as it stood at the end of a day.
type Report struct {
	Day     civil.Date
	Percent int32 // 0 to 100
}

// Line is one line of the budget.
type Line struct {
	// Organisation is the partner whose cost it is.
	Organisation string
	// WorkPackage is the id of a task of the plan; empty for none.
	WorkPackage string
	// Amount planned, not negative.
	Amount int64
}

// Cost is one expenditure.
type Cost struct {
	// Organisation is the partner that bore it.
	Organisation string
	// WorkPackage is that of its budget line.
	WorkPackage string
	// Booked, Reported and Certified are the parts of it that count as such.
	Booked, Reported, Certified int64
	// BookedDay is the document's; ReportedDay and CertifiedDay are empty while
	// the cost was not reported or certified.
	BookedDay, ReportedDay, CertifiedDay civil.Date
}

// Calendar tells how many working minutes a day has.
type Calendar func(day civil.Date) int64

// Project is what a project's value is computed from.
type Project struct {
	// Start and End are the project's dates: a line without a work package is
	// spread over them.
	Start, End civil.Date
	Tasks      []Task
	Lines      []Line
	Costs      []Cost
	Calendar   Calendar
}

// Scope chooses a part of a project; empty fields choose all.
type Scope struct {
	// Organisations are the partners whose part it is; nil for all of them.
	Organisations []string
	// WorkPackage is the id of a task: the part of it and of all under it.
	WorkPackage string
}

// piece is the part of a partner's budget that one task earns: the smallest
// thing that is rounded.
type piece struct {
	organisation  string
	task          int // index; -1 for what is spread over the whole project
	amount        int64
	start, finish int // days since the epoch
}

// Value is a project prepared for reading.
type Value struct {
	project  Project
	tasks    map[string]int
	summary  []bool
	pieces   []piece
	first    int     // the first day, in days since the epoch
	worked   []int64 // working minutes before first+i
	progress progress
}

// Errors of New.
var (
	// ErrUnknownPackage: a line or a cost names a work package that is not in
	// the plan.
	ErrUnknownPackage = errors.New("earned: unknown work package")
	// ErrRange: the budget does not fit in 63 bits, or the days in 300 years.
	ErrRange = errors.New("earned: out of range")
	// ErrTree: the tasks are not a tree.
	ErrTree = errors.New("earned: the tasks are not a tree")
)

const longest = 300 * 366 // days

// New spreads the budget over the plan.
func New(p Project) (*Value, error) {
	v := &Value{project: p, tasks: make(map[string]int, len(p.Tasks)), summary: make([]bool, len(p.Tasks))}
	for i, t := range p.Tasks {
		v.tasks[t.ID] = i
	}
	for _, t := range p.Tasks {
		if t.Parent == "" {
			continue
		}
		up, known := v.tasks[t.Parent]
		if !known {
			return nil, fmt.Errorf("%w: %s has no parent %s", ErrTree, t.ID, t.Parent)
		}
		v.summary[up] = true
	}
	if err := v.measure(); err != nil {
		return nil, err
	}
	v.weigh()
	return v, v.spread()
}

// measure sums up working time over all days that occur.
func (v *Value) measure() error {
	first, last := v.project.Start, v.project.End
	for i, t := range v.project.Tasks {
		if !v.summary[i] {
			first, last = min(first, t.Start), max(last, t.Finish)
		}
	}
	v.first = first.Days()
	n := last.Days() - v.first + 1
	if n < 1 || n > longest {
		return fmt.Errorf("%w: %s to %s", ErrRange, first, last)
	}
	v.worked = make([]int64, n+1)
	for i := range n {
		v.worked[i+1] = v.worked[i] + v.project.Calendar(civil.FromDays(v.first+i))
	}
	return nil
}

// place is whose money is in which task.
type place struct {
	organisation string
	task         int
}

// spread cuts the budget into pieces: what a partner has in a work package, by
// working time over the tasks under it, largest remainder first, so that they
// sum to it exactly.
func (v *Value) spread() error {
	packages, err := v.gather()
	if err != nil {
		return err
	}
	leaves := v.leaves()
	pieces := tally{sums: map[place]int64{}}
	for _, at := range packages.order {
		amount := packages.sums[at]
		if at.task < 0 {
			pieces.add(at, amount)
			continue
		}
		weights := make([]int64, len(leaves[at.task]))
		for i, t := range leaves[at.task] {
			weights[i] = v.project.Tasks[t].Minutes
		}
		for i, part := range Apportion(amount, weights) {
			pieces.add(place{at.organisation, leaves[at.task][i]}, part)
		}
	}
	for _, at := range pieces.order {
		start, finish := v.project.Start, v.project.End
		if at.task >= 0 {
			start, finish = v.project.Tasks[at.task].Start, v.project.Tasks[at.task].Finish
		}
		v.pieces = append(v.pieces, piece{at.organisation, at.task, pieces.sums[at], start.Days(), finish.Days()})
	}
	return nil
}

// gather sums up the lines of a partner in a work package.
func (v *Value) gather() (tally, error) {
	out := tally{sums: map[place]int64{}}
	var total int64
	for _, l := range v.project.Lines {
		if l.Amount < 0 || total > math.MaxInt64-l.Amount {
			return out, fmt.Errorf("%w: the budget", ErrRange)
		}
		total += l.Amount
		at := place{l.Organisation, -1}
		if l.WorkPackage != "" {
			var known bool
			if at.task, known = v.tasks[l.WorkPackage]; !known {
				return out, fmt.Errorf("%w %q", ErrUnknownPackage, l.WorkPackage)
			}
		}
		out.add(at, l.Amount)
	}
	return out, nil
}

// tally sums up by place and remembers the order in which they came.
type tally struct {
	sums  map[place]int64
	order []place
}

func (t *tally) add(at place, amount int64) {
	if amount == 0 {
		return
	}
	if _, known := t.sums[at]; !known {
		t.order = append(t.order, at)
	}
	t.sums[at] += amount
}

// leaves lists for each task the tasks without subtasks under it, in the order
// of the plan; of such a task itself, only itself.
func (v *Value) leaves() [][]int {
	out := make([][]int, len(v.project.Tasks))
	for i, t := range v.project.Tasks {
		if v.summary[i] {
			continue
		}
		out[i] = append(out[i], i)
		for up, steps := t.Parent, 0; up != "" && steps <= len(v.project.Tasks); steps++ {
			j := v.tasks[up]
			out[j] = append(out[j], i)
			up = v.project.Tasks[j].Parent
		}
	}
	return out
}

// Apportion divides an amount by weights so that the parts sum to it: each is
// rounded down, and what is left goes by one to those of the largest remainder,
// the first of equal ones first (the method of Hamilton). Without weight all
// count the same.
func Apportion(amount int64, weights []int64) []int64 {
	var high, total uint64
	for _, w := range weights {
		var carry uint64
		total, carry = bits.Add64(total, uint64(w), 0)
		high += carry
	}
	switch {
	case len(weights) == 0:
		return nil
	case high > 0 || total > 1<<63-1:
		// More minutes than there are in an age: the last bits do not matter.
		smaller := make([]int64, len(weights))
		for i, w := range weights {
			smaller[i] = w / int64(len(weights)+1)
		}
		return Apportion(amount, smaller)
	case total == 0:
		return Apportion(amount, slices.Repeat([]int64{1}, len(weights)))
	}
	parts := make([]int64, len(weights))
	remainders := make([]uint64, len(weights))
	order := make([]int, len(weights))
	left := amount
	for i, w := range weights {
		high, low := bits.Mul64(uint64(amount), uint64(w))
		quotient, remainder := bits.Div64(high, low, total)
		parts[i], remainders[i], order[i] = int64(quotient), remainder, i
		left -= parts[i]
	}
	if left > 0 {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	}
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts
}

// share is amount × part / whole, rounded down; whole is positive and part
// between 0 and whole.
func share(amount, part, whole int64) int64 {
	if part >= whole {
		return amount
	}
	high, low := bits.Mul64(uint64(amount), uint64(part))
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return int64(quotient)
}
