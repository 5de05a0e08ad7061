package level

import (
	"context"
	"fmt"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// Resource is what tasks share: a person, a team, a room (risorsa).
type Resource struct {
	ID       string
	Capacity int // per cent: 100 is one person full time
}

// Assignment is how much of a resource a task takes while it runs (assegnazione).
type Assignment struct {
	Task, Resource string
	Units          int // per cent
}

// Move is a task that levelling has delayed.
type Move struct {
	Task          string
	Start, Finish schedule.Time
	Delay         int // working minutes of the task's calendar
}

// Overload is a stretch in which a resource is asked for more than it has:
// between tasks that may not move, because they have started or are pinned.
type Overload struct {
	Resource string
	From, To schedule.Time
	Units    int // per cent
}

// Balanced is a plan after levelling.
type Balanced struct {
	// Starts is the LevelStart to give to each task that was placed, by ID. Every
	// other task needs none.
	Starts map[string]schedule.Time
	Moves  []Move // in the plan's order
	Finish schedule.Time
	// Unlevelled is the finish without levelling, and so a lower bound of Finish.
	Unlevelled schedule.Time
	Missed     []string // tasks whose deadline is missed, in the plan's order
	Overloads  []Overload
	Rule       Rule // the priority rule that served best
}

// Balance delays tasks of a plan until no resource is asked for more than it has,
// by the serial schedule generation scheme (Kelley 1963; Kolisch 1996) on the
// clock: one task after another, each at its earliest start that its links, its
// calendar and the resources allow, and in one piece but for the time its
// calendar does not work; meanwhile it keeps its resources. No link is violated
// for it. Tasks that have started or are pinned stay where they are, and come
// first. The best of several priority rules counts, by the project's finish; the
// context ends the search for better ones. Earlier LevelStarts are forgotten. The
// plan is not changed.
//
// The errors are InstanceError, and those of the plan.
func Balance(ctx context.Context, p *schedule.Plan, resources []Resource, assignments []Assignment) (*Balanced, error) {
	b := &balancer{settings: p.Settings()}
	for t := range p.Tasks() {
		x := *t
		x.LevelStart = 0
		b.tasks = append(b.tasks, x)
	}
	var err error
	if b.original, err = schedule.New(b.settings, b.tasks); err != nil {
		return nil, err
	}
	if err := b.assign(resources, assignments); err != nil {
		return nil, err
	}
	var best *trial
	for rule := range rules {
		if rule == MTS || rule == GRPW {
			continue // they count activities, which summaries and calendars blur
		}
		if best != nil && (ctx.Err() != nil || best.finish == b.original.Finish()) {
			break
		}
		t, err := b.try(rule)
		if err != nil {
			return nil, err
		}
		if best == nil || t.finish < best.finish {
			best = t
		}
	}
	return b.result(best)
}

// use is an assignment as its task sees it.
type use struct {
	resource int
	units    int
}

type balancer struct {
	settings  schedule.Settings
	tasks     []schedule.Task
	original  *schedule.Plan
	resources []Resource
	uses      map[string][]use
}

// assign checks the assignments and sums up those of one task and resource.
func (b *balancer) assign(resources []Resource, assignments []Assignment) error {
	b.resources, b.uses = resources, map[string][]use{}
	wrong := func(field, format string, args ...any) error {
		return &InstanceError{Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	index := map[string]int{}
	for i, r := range resources {
		if _, met := index[r.ID]; met || r.Capacity < 0 || r.Capacity > maxAmount {
			return wrong(fmt.Sprintf("resources[%d]", i), "%s stands twice, or its capacity %d is not between 0 and %d", r.ID, r.Capacity, maxAmount)
		}
		index[r.ID] = i
	}
	for i, a := range assignments {
		field := fmt.Sprintf("assignments[%d]", i)
		r, known := index[a.Resource]
		t, ok := b.original.Task(a.Task)
		x, _ := b.original.Times(a.Task)
		switch {
		case !known:
			return wrong(field, "the resource %s is not given", a.Resource)
		case !ok:
			return wrong(field, "the task %s is not in the plan", a.Task)
		case x.Summary:
			return wrong(field, "%s is a summary: its subtasks are assigned", a.Task)
		case a.Units < 0 || a.Units > maxAmount:
			return wrong(field, "%d units are not between 0 and %d", a.Units, maxAmount)
		}
		uses := b.uses[a.Task]
		k := 0
		for k < len(uses) && uses[k].resource != r {
			k++
		}
		if k == len(uses) {
			uses = append(uses, use{resource: r})
		}
		uses[k].units += a.Units
		b.uses[a.Task] = uses
		if uses[k].units > resources[r].Capacity && !fixed(&t) && t.Duration > 0 {
			return wrong(field, "%s needs %d per cent of %s, which has %d: it can never start", a.Task, uses[k].units, a.Resource, resources[r].Capacity)
		}
	}
	return nil
}

// fixed reports whether levelling may not move a task.
func fixed(t *schedule.Task) bool { return t.ActualStart != 0 || t.Pinned }

// trial is the outcome of one priority rule.
type trial struct {
	rule   Rule
	starts map[string]schedule.Time
	finish schedule.Time
}

// key is a task's priority by a rule; the least goes first.
func (b *balancer) key(rule Rule) func(id string) int64 {
	return func(id string) int64 {
		x, _ := b.original.Times(id)
		switch rule {
		case LFT:
			return int64(x.LateFinish)
		case LST:
			return int64(x.LateStart)
		case MSLK:
			return int64(x.TotalFloat)
		}
		return int64(x.EF - x.ES)
	}
}

// try places all tasks by a rule.
func (b *balancer) try(rule Rule) (*trial, error) {
	p, err := schedule.New(b.settings, b.tasks)
	if err != nil {
		return nil, err
	}
	loads := make([]load, len(b.resources))
	for i, r := range b.resources {
		loads[i].capacity = r.Capacity
	}
	take := func(id string, from, to schedule.Time, sign int) {
		for _, u := range b.uses[id] {
			loads[u.resource].take(from, to, sign*u.units)
		}
	}
	held := map[string]schedule.Times{} // fixed tasks, as they take their resources
	for i := range b.tasks {
		if t := &b.tasks[i]; fixed(t) && len(b.uses[t.ID]) > 0 {
			x, _ := p.Times(t.ID)
			take(t.ID, x.EarlyStart, x.EarlyFinish, 1)
			held[t.ID] = x
		}
	}
	out := &trial{rule: rule, starts: map[string]schedule.Time{}}
	for _, id := range p.Order(b.key(rule)) {
		if len(b.uses[id]) == 0 {
			continue
		}
		x, _ := p.Times(id)
		if was, is := held[id]; is { // links may have moved it after all
			take(id, was.EarlyStart, was.EarlyFinish, -1)
			take(id, x.EarlyStart, x.EarlyFinish, 1)
			continue
		}
		t, _ := p.Task(id)
		if t.Duration == 0 {
			continue
		}
		axis, err := p.Axis(t.Calendar)
		if err != nil {
			return nil, err
		}
		from, to := b.place(loads, id, axis, x.EarlyStart, t.Duration)
		if from > x.EarlyStart || t.Constraint.Type == schedule.ALAP {
			if err := p.Delay(id, from); err != nil {
				return nil, err
			}
			out.starts[id] = from
		}
		take(id, from, to, 1)
	}
	for _, x := range p.Tasks() {
		out.finish = max(out.finish, x.EarlyFinish)
	}
	return out, nil
}

// place finds the first start at which the resources of a task are free until it
// ends.
func (b *balancer) place(loads []load, id string, axis *schedule.Axis, from schedule.Time, duration int) (start, finish schedule.Time) {
	for {
		finish = axis.Finish(from, duration)
		later := from
		for _, u := range b.uses[id] {
			later = max(later, loads[u.resource].free(from, finish, u.units))
		}
		if later == from {
			return from, finish
		}
		from = axis.Start(later)
	}
}

// result compares the best trial with the plan before.
func (b *balancer) result(t *trial) (*Balanced, error) {
	tasks := append([]schedule.Task(nil), b.tasks...)
	for i := range tasks {
		tasks[i].LevelStart = t.starts[tasks[i].ID]
	}
	p, err := schedule.New(b.settings, tasks)
	if err != nil {
		return nil, err
	}
	out := &Balanced{Starts: t.starts, Finish: p.Finish(), Unlevelled: b.original.Finish(), Rule: t.rule}
	loads := make([]load, len(b.resources))
	for task, x := range p.Tasks() {
		if x.DeadlineMissed {
			out.Missed = append(out.Missed, task.ID)
		}
		for _, u := range b.uses[task.ID] {
			loads[u.resource].take(x.Start, x.Finish, u.units)
		}
		was, _ := b.original.Times(task.ID)
		if x.Summary || x.Start <= was.EarlyStart {
			continue
		}
		axis, err := p.Axis(task.Calendar)
		if err != nil {
			return nil, err
		}
		if delay := axis.Between(was.Start, x.Start); delay > 0 {
			out.Moves = append(out.Moves, Move{Task: task.ID, Start: x.Start, Finish: x.Finish, Delay: delay})
		}
	}
	for i, r := range b.resources {
		for k, s := range loads[i].steps {
			if s.taken > r.Capacity {
				out.Overloads = append(out.Overloads, Overload{Resource: r.ID, From: s.at, To: loads[i].steps[k+1].at, Units: s.taken})
			}
		}
	}
	return out, nil
}
