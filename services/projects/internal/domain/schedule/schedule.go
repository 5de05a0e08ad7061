// Package schedule computes a plan's dates by the critical path method (Kelley
// and Walker, "Critical-path planning and scheduling", 1959): finish-to-start
// links with lags over working days, Monday to Friday. It does no I/O.
package schedule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// MaxWorkdays is how far a plan may reach: about 100 years.
const MaxWorkdays = 26_100

// Task is one element of the work breakdown. One that is the parent of another
// is a summary: its Duration and NotBefore do not matter, and it must not have
// links, nor be linked to.
type Task struct {
	ID        string
	Parent    string     // ID of the summary above; empty at the top
	Duration  int        // working days; 0 is a milestone
	NotBefore civil.Date // starts no earlier; a milestone: not before its end
	Links     []Link
}

// Link is a finish-to-start link from a predecessor.
type Link struct {
	Predecessor string
	Lag         int // working days; negative is a lead, clipped at the project's start
}

// Times is what is computed for a task. The offsets count working days from the
// project's first one; a finish is exclusive, so that early finish = early
// start + duration.
type Times struct {
	ES, EF, LS, LF        int
	Float                 int // LS − ES; of a summary the least of its leaves'
	Critical, Summary     bool
	Start, Finish         civil.Date // early, inclusive
	LateStart, LateFinish civil.Date
}

// CycleError says that links or parents go round in a circle.
type CycleError struct{ Tasks []string }

func (e *CycleError) Error() string { return "cycle: " + strings.Join(e.Tasks, " → ") }

// UnknownError says that a task refers to one that is not in the plan.
type UnknownError struct{ Task, Reference string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("task %s refers to %s, which is not in the plan", e.Task, e.Reference)
}

// SummaryError says that a summary task has a link.
type SummaryError struct{ Task string }

func (e *SummaryError) Error() string { return fmt.Sprintf("summary task %s has a link", e.Task) }

// ErrRange says that the plan would reach further than MaxWorkdays.
var ErrRange = errors.New("the plan reaches further than 100 years")

// edge is a link as indices.
type edge struct{ task, lag int }

type network struct {
	tasks  []Task
	parent []int // index, -1 at the top
	leaf   []bool
	in     [][]edge // predecessors
	out    [][]edge // successors
}

// Compute returns the times of each task, in the order given. The project
// starts on the first working day not before start.
func Compute(start civil.Date, tasks []Task) ([]Times, error) {
	n, err := build(tasks)
	if err != nil {
		return nil, err
	}
	order, err := n.topological()
	if err != nil {
		return nil, err
	}
	base := workday(start)
	times := make([]Times, len(tasks))
	end := 0
	for _, i := range order {
		t, x := &tasks[i], &times[i]
		if t.NotBefore != "" {
			x.ES = max(0, workday(t.NotBefore)-base)
			if t.Duration == 0 && t.NotBefore >= start {
				x.ES++ // reached at the end of that day
			}
		}
		for _, e := range n.in[i] {
			x.ES = max(x.ES, times[e.task].EF+e.lag)
		}
		x.EF = x.ES + t.Duration
		end = max(end, x.EF)
	}
	if end > MaxWorkdays {
		return nil, ErrRange
	}
	for k := len(order) - 1; k >= 0; k-- {
		i := order[k]
		x := &times[i]
		x.LF = end
		for _, e := range n.out[i] {
			x.LF = min(x.LF, times[e.task].LS-e.lag)
		}
		x.LS = x.LF - tasks[i].Duration
		x.Float = x.LS - x.ES
		x.Critical = x.Float <= 0
	}
	if err := n.rollUp(times); err != nil {
		return nil, err
	}
	for i := range times {
		times[i].date(base)
	}
	return times, nil
}

// date turns offsets into days. A milestone, and a summary of milestones only,
// falls on the day at whose end it is reached.
func (x *Times) date(base int) {
	x.Finish, x.LateFinish = last(base, x.EF), last(base, x.LF)
	if x.ES == x.EF {
		x.Start = x.Finish
	} else {
		x.Start = workdayDate(base + x.ES)
	}
	if x.LS == x.LF {
		x.LateStart = x.LateFinish
	} else {
		x.LateStart = workdayDate(base + x.LS)
	}
}

func last(base, offset int) civil.Date { return workdayDate(base + max(offset-1, 0)) }

func build(tasks []Task) (*network, error) {
	n := &network{
		tasks: tasks, parent: make([]int, len(tasks)), leaf: make([]bool, len(tasks)),
		in: make([][]edge, len(tasks)), out: make([][]edge, len(tasks)),
	}
	index := make(map[string]int, len(tasks))
	for i := range tasks {
		index[tasks[i].ID] = i
		n.leaf[i] = true
	}
	for i := range tasks {
		n.parent[i] = -1
		if p := tasks[i].Parent; p != "" {
			j, known := index[p]
			if !known {
				return nil, &UnknownError{Task: tasks[i].ID, Reference: p}
			}
			n.parent[i] = j
			n.leaf[j] = false
		}
	}
	for i := range tasks {
		for _, l := range tasks[i].Links {
			j, known := index[l.Predecessor]
			switch {
			case !known:
				return nil, &UnknownError{Task: tasks[i].ID, Reference: l.Predecessor}
			case !n.leaf[i]:
				return nil, &SummaryError{Task: tasks[i].ID}
			case !n.leaf[j]:
				return nil, &SummaryError{Task: tasks[j].ID}
			}
			n.in[i] = append(n.in[i], edge{j, l.Lag})
			n.out[j] = append(n.out[j], edge{i, l.Lag})
		}
	}
	return n, nil
}

// topological returns the leaves so that predecessors come first.
func (n *network) topological() ([]int, error) {
	missing := make([]int, len(n.tasks))
	order := make([]int, 0, len(n.tasks))
	leaves := 0
	for i := range n.tasks {
		if !n.leaf[i] {
			continue
		}
		leaves++
		if missing[i] = len(n.in[i]); missing[i] == 0 {
			order = append(order, i)
		}
	}
	for k := 0; k < len(order); k++ {
		for _, e := range n.out[order[k]] {
			if missing[e.task]--; missing[e.task] == 0 {
				order = append(order, e.task)
			}
		}
	}
	if len(order) < leaves {
		return nil, n.cycle(missing)
	}
	return order, nil
}

// cycle names one cycle, in the direction of its links: every task that is left
// has a predecessor that is left too, so walking back must meet itself.
func (n *network) cycle(missing []int) *CycleError {
	at := 0
	for !n.leaf[at] || missing[at] == 0 {
		at++
	}
	seen := map[int]int{}
	var walk []int
	for {
		if from, met := seen[at]; met {
			walk = walk[from:]
			break
		}
		seen[at] = len(walk)
		walk = append(walk, at)
		for _, e := range n.in[at] {
			if missing[e.task] > 0 {
				at = e.task
				break
			}
		}
	}
	out := &CycleError{}
	for k := len(walk) - 1; k >= 0; k-- {
		out.Tasks = append(out.Tasks, n.tasks[walk[k]].ID)
	}
	return out
}

// rollUp gives the summaries their leaves' span.
func (n *network) rollUp(times []Times) error {
	for i := range n.tasks {
		if !n.leaf[i] {
			continue
		}
		for p, steps := n.parent[i], 0; p >= 0; p, steps = n.parent[p], steps+1 {
			if steps > len(n.tasks) {
				return n.parentCycle(p)
			}
			x, l := &times[p], &times[i]
			if !x.Summary {
				*x = Times{ES: l.ES, EF: l.EF, LS: l.LS, LF: l.LF, Float: l.Float, Summary: true}
			}
			x.ES, x.EF = min(x.ES, l.ES), max(x.EF, l.EF)
			x.LS, x.LF = min(x.LS, l.LS), max(x.LF, l.LF)
			x.Float = min(x.Float, l.Float)
			x.Critical = x.Critical || l.Critical
		}
	}
	for i := range n.tasks { // a ring of parents has no leaf below it
		if !n.leaf[i] && !times[i].Summary {
			return n.parentCycle(i)
		}
	}
	return nil
}

func (n *network) parentCycle(at int) *CycleError {
	seen := map[int]bool{}
	for !seen[at] { // onto the ring
		seen[at] = true
		at = n.parent[at]
	}
	out := &CycleError{}
	for first := at; ; {
		out.Tasks = append(out.Tasks, n.tasks[at].ID)
		if at = n.parent[at]; at == first {
			return out
		}
	}
}
