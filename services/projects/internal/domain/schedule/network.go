package schedule

import "math"

// A task has one node of the network, main, at which its dates are computed. A
// summary has two: gate, before its children, which holds them back, and main,
// after them, which is their span. Node of task i: main 2i, gate 2i+1.
//
//	gate(summary) → gate or main of each child → main(summary)
//	main(predecessor) → gate or main of the successor, for each link

func main(task int32) int32 { return task << 1 }
func gate(task int32) int32 { return task<<1 | 1 }

// never and always are later and earlier than all dates.
const (
	never  = Time(math.MaxInt64 / 8)
	always = -never
)

// edge is a link as seen from one of its ends.
type edge struct {
	task    int32 // the other end
	typ     LinkType
	elapsed bool
	lag     int
}

// progress of a task.
const (
	unstarted = iota
	started
	finished
)

// noCause is the cause of a late date that the project's end bounds. Others are
// twice the task that has the constraint, plus one for a deadline. Of two that
// bound alike the lesser counts, so any constraint before the project's end.
const noCause = int32(math.MaxInt32)

// cell is a task of the network with what is computed of it.
type cell struct {
	axis     *Axis
	in, out  []edge // predecessors, successors
	parent   int32  // -1 at the top
	state    uint8
	point    bool // a milestone: an instant on the clock, not on the axis alone
	live     bool
	duration int
	done     int // minutes of the duration reported as done
	early    early
	late     late
	group    *group // of a summary
}

// early is the outcome of the forward pass for a task. For a summary only the
// instants count.
type early struct {
	es, ef        int // on the axis
	start, finish Time
}

// late is the outcome of the backward pass for a leaf.
type late struct {
	ls, lf        int
	start, finish Time // latest instants, at the beginning and at the end of work
	cause         int32
	free          int  // how far the early dates may slip
	shift         int  // of that, taken by a task as late as possible
	from, to      Time // scheduled
}

// group is what a summary has besides.
type group struct {
	children []int32
	gate     Time  // forward: no leaf starts earlier
	lead     int32 // forward: the child that starts first
	limits   limits
	roll     roll
}

// limits is what links and dates of a summary demand of its span, and so of the
// leaves in it: the latest instants, and those that move no other task.
type limits struct {
	finish, start           Time
	finishCause, startCause int32
	freeFinish, freeStart   Time
}

// roll is what a summary sums up of its leaves.
type roll struct {
	gateLate, gateFree Time // the latest instant for its gate, and that which moves no leaf
	gateCause          int32
	lateStart          Time
	lateFinish         Time
	start, finish      Time // scheduled
	open               bool // a leaf is not finished
	float, free        int
	cause              int32
	work               int64
}

// entry is the node at which links enter a task.
func (p *Plan) entry(task int32) int32 {
	if p.cells[task].group != nil {
		return gate(task)
	}
	return main(task)
}

// successors appends the nodes directly after a node.
func (p *Plan) successors(node int32, to []int32) []int32 {
	c := &p.cells[node>>1]
	if node&1 == 1 {
		for _, child := range c.group.children {
			to = append(to, p.entry(child))
		}
		return to
	}
	for _, e := range c.out {
		to = append(to, p.entry(e.task))
	}
	if c.parent >= 0 {
		to = append(to, main(c.parent))
	}
	return to
}

// predecessors appends the nodes directly before a node.
func (p *Plan) predecessors(node int32, to []int32) []int32 {
	c := &p.cells[node>>1]
	if c.group != nil && node&1 == 0 {
		for _, child := range c.group.children {
			to = append(to, main(child))
		}
		return to
	}
	for _, e := range c.in {
		to = append(to, main(e.task))
	}
	if c.parent >= 0 {
		to = append(to, gate(c.parent))
	}
	return to
}
