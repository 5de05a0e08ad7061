package schedule

import (
	"iter"
	"slices"
)

// Plan is a compiled plan with its dates. A change computes again only what
// depends on it. It is not safe for concurrent use.
type Plan struct {
	settings Settings
	axes     *axes
	base     *Axis // the project's calendar
	index    map[string]int32
	tasks    []Task
	cells    []cell
	living   int
	sequence
	forwards, backwards bitset // nodes to compute, by position in the sequence
	first, last         Time   // the range of the plan
	end                 Time   // the project's early finish
	far                 int32  // a task outside the range, -1 for none
}

// Compute returns the times of each task, in the order given.
func Compute(s Settings, tasks []Task) ([]Times, error) {
	p, err := New(s, tasks)
	if err != nil {
		return nil, err
	}
	out := make([]Times, len(tasks))
	for i := range tasks {
		out[i] = p.timesOf(int32(i))
	}
	return out, nil
}

// New compiles a plan and computes its dates. The errors are CycleError,
// UnknownError, DuplicateError, TaskError, SummaryError, LinkError,
// CalendarError and RangeError.
func New(s Settings, tasks []Task) (*Plan, error) {
	p := &Plan{settings: s, index: make(map[string]int32, len(tasks)), far: -1}
	if err := p.open(); err != nil {
		return nil, err
	}
	if err := p.addTasks(tasks); err != nil {
		return nil, err
	}
	if err := p.addLinks(); err != nil {
		return nil, err
	}
	if err := p.sort(); err != nil {
		return nil, err
	}
	p.forwards, p.backwards = newBitset(2*len(tasks)), newBitset(2*len(tasks))
	if err := p.passes(); err != nil {
		return nil, err
	}
	return p, nil
}

// passes computes everything: the forward pass along the sequence and the
// backward pass against it.
func (p *Plan) passes() error {
	for _, node := range p.order {
		p.forward(node)
	}
	p.end = p.latest()
	for _, node := range slices.Backward(p.order) {
		p.backward(node)
	}
	clear(p.backwards) // where a summary's first child was found
	return p.outside()
}

// open checks the settings and makes the project's axis.
func (p *Plan) open() error {
	s := &p.settings
	if s.Start < minTime || s.Start > maxTime {
		return &TaskError{Field: "start", Reason: "the project's start must be between the years 1900 and 2999"}
	}
	var err error
	if p.axes, err = newAxes(s.Start, s.Calendars); err != nil {
		return err
	}
	if p.base, err = p.axes.axis(s.Calendar); err != nil {
		return err
	}
	p.first = p.base.first
	p.last = s.Start + Time(MaxYears*365+MaxYears/4)*day
	if s.Status != 0 && !p.within(s.Status) {
		return &TaskError{Field: "status", Reason: "the status date is outside the time that a plan may cover"}
	}
	return nil
}

const (
	minTime = 693_595 * day   // 1900-01-01
	maxTime = 1_095_362 * day // 2999-12-31
)

func (p *Plan) within(t Time) bool { return t >= p.first && t <= p.last }

// propagate runs the forward pass over the nodes that wait for it, then the
// backward pass.
func (p *Plan) propagate() error {
	p.propagateForward()
	if end := p.latest(); end != p.end {
		p.end = end
		for i := range p.cells {
			if c := &p.cells[i]; c.live && c.group == nil {
				p.backwards.set(p.place[main(int32(i))])
			}
		}
	}
	at, word := p.backwards.previous(len(p.backwards) - 1)
	for ; at >= 0; at, word = p.backwards.previous(word) {
		node := p.order[at]
		if node >= 0 && p.backward(node) {
			p.spreadBackward(node)
		}
	}
	return p.outside()
}

func (p *Plan) propagateForward() {
	at, word := p.forwards.next(0)
	for ; at >= 0; at, word = p.forwards.next(word) {
		node := p.order[at]
		if node >= 0 && p.forward(node) {
			p.spreadForward(node)
		}
	}
}

// latest returns the project's early finish.
func (p *Plan) latest() Time {
	end := p.settings.Start
	for i := range p.cells {
		if c := &p.cells[i]; c.live && c.parent < 0 {
			end = max(end, c.early.finish)
		}
	}
	return end
}

// outside returns the error where the last pass has led a task out of the range.
func (p *Plan) outside() error {
	if p.far < 0 {
		return nil
	}
	far := p.tasks[p.far].ID
	p.far = -1
	return &RangeError{Task: far}
}

// spreadForward marks what depends on a node's early dates.
func (p *Plan) spreadForward(node int32) {
	c := &p.cells[node>>1]
	if node&1 == 1 {
		for _, child := range c.group.children {
			p.forwards.set(p.place[p.entry(child)])
		}
		return
	}
	for k := range c.out {
		p.forwards.set(p.place[p.entry(c.out[k].task)])
	}
	if c.parent >= 0 {
		p.forwards.set(p.place[main(c.parent)])
		p.backwards.set(p.place[gate(c.parent)])
	}
	p.backwards.set(p.place[node])
}

// spreadBackward marks what depends on a node's late dates.
func (p *Plan) spreadBackward(node int32) {
	c := &p.cells[node>>1]
	if c.group != nil && node&1 == 0 {
		for _, child := range c.group.children {
			p.backwards.set(p.place[main(child)])
		}
		return
	}
	p.markPredecessors(c)
	if c.parent >= 0 {
		p.backwards.set(p.place[gate(c.parent)])
	}
}

func (p *Plan) markPredecessors(c *cell) {
	for k := range c.in {
		p.backwards.set(p.place[main(c.in[k].task)])
	}
}

// Len returns the number of tasks.
func (p *Plan) Len() int { return p.living }

// Start returns the project's start.
func (p *Plan) Start() Time { return p.settings.Start }

// Finish returns the latest finish of a task, or the project's start without one.
func (p *Plan) Finish() Time { return p.end }

// Settings returns what the plan was made with.
func (p *Plan) Settings() Settings { return p.settings }

// Axis returns the working time of a calendar; the project's for no ID.
func (p *Plan) Axis(calendar string) (*Axis, error) {
	if calendar == "" {
		return p.base, nil
	}
	return p.axes.axis(calendar)
}

// Task returns a task as it was given. Its links must not be written to.
func (p *Plan) Task(id string) (Task, bool) {
	i, known := p.index[id]
	if !known {
		return Task{}, false
	}
	return p.tasks[i], true
}

// Tasks iterates over the tasks with their times, in the order in which they
// were added.
func (p *Plan) Tasks() iter.Seq2[*Task, Times] {
	return func(yield func(*Task, Times) bool) {
		for i := range p.cells {
			if p.cells[i].live && !yield(&p.tasks[i], p.timesOf(int32(i))) {
				return
			}
		}
	}
}

// Times returns what is computed for a task.
func (p *Plan) Times(id string) (Times, bool) {
	i, known := p.index[id]
	if !known {
		return Times{}, false
	}
	return p.timesOf(i), true
}

// Links returns what is computed for the links of a task, in their order; none
// for an unknown task.
func (p *Plan) Links(id string) []LinkTimes {
	i, known := p.index[id]
	if !known {
		return nil
	}
	c := &p.cells[i]
	out := make([]LinkTimes, len(p.tasks[i].Links))
	for k, l := range p.tasks[i].Links {
		from := p.index[l.Predecessor]
		at := slices.IndexFunc(c.in, func(e edge) bool { return e.task == from && e.typ == l.Type })
		held := c.early.start
		if l.Type.toFinish() {
			held = c.early.finish
		}
		slack := c.axis.Between(p.point(&c.in[at]), held)
		out[k] = LinkTimes{Link: l, Slack: slack, Driving: slack == 0}
	}
	return out
}

func (p *Plan) timesOf(i int32) Times {
	c, t := &p.cells[i], &p.tasks[i]
	o := c.axis.origin
	e, l := &c.early, &c.late
	x := Times{
		ES: e.es - o, EF: e.ef - o, EarlyStart: e.start, EarlyFinish: e.finish, Work: t.Work,
		LS: l.ls - o, LF: l.lf - o, LateStart: l.start, LateFinish: l.finish, Start: l.from, Finish: l.to,
		TotalFloat: l.lf - e.ef, FreeFloat: l.free - l.shift, Critical: c.state != finished && l.lf <= e.ef,
	}
	cause := l.cause
	if g := c.group; g != nil {
		r := &g.roll
		x.Summary, x.Work, cause = true, r.work, r.cause
		x.LS, x.LF = c.axis.count(r.lateStart)-o, c.axis.count(r.lateFinish)-o
		x.LateStart, x.LateFinish, x.Start, x.Finish = r.lateStart, r.lateFinish, r.start, r.finish
		x.TotalFloat, x.Critical = r.float, r.open && r.float <= 0
		x.FreeFloat = r.free
	}
	if t.Deadline != 0 {
		x.DeadlineMissed = c.axis.Between(t.Deadline, x.Finish) > 0
	}
	if x.TotalFloat < 0 && cause != noCause {
		x.Cause = Cause{Task: p.tasks[cause>>1].ID, Deadline: cause&1 == 1}
	}
	return x
}
