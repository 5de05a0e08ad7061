package domain

import (
	"context"
	"errors"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level"
)

// Levelled is what levelling does to a plan.
type Levelled struct {
	*level.Balanced
	// Was are the scheduled starts without levelling, by task.
	Was map[string]schedule.Time
	// Makespan and Bound are minutes of the default calendar's working time from
	// the plan's start. No schedule within the capacities is shorter than Bound.
	Makespan, Bound int64
}

// Gap is by how much the makespan is above the bound, in basis points of it,
// rounded up.
func (l *Levelled) Gap() int64 {
	if l.Bound <= 0 {
		return 0
	}
	return ((l.Makespan-l.Bound)*10_000 + l.Bound - 1) / l.Bound
}

// Level finds the delays that keep every resource within its capacity. The plan
// is left as it is; its tasks' earlier delays do not count.
func (p *Plan) Level(ctx context.Context) (*Levelled, error) {
	in := make([]schedule.Task, len(p.Tasks))
	var resources []level.Resource
	var assignments []level.Assignment
	for i, t := range p.Tasks {
		in[i] = t.engine()
		in[i].LevelStart = 0
		for _, a := range t.Assignments {
			assignments = append(assignments, level.Assignment{Task: t.ID, Resource: a.Resource, Units: int(a.Units)})
		}
	}
	for _, r := range p.Resources {
		resources = append(resources, level.Resource{ID: r.ID, Capacity: int(r.Capacity)})
	}
	engine, err := schedule.New(p.settings(), in)
	if err != nil {
		return nil, p.engineError(err)
	}
	balanced, err := level.Balance(ctx, engine, resources, assignments)
	if e, ok := errors.AsType[*level.InstanceError](err); ok {
		return nil, p.instanceError(e, assignments)
	}
	if err != nil {
		return nil, p.engineError(err)
	}
	out := &Levelled{Balanced: balanced, Was: map[string]schedule.Time{}}
	for t, x := range engine.Tasks() {
		out.Was[t.ID] = x.Start
	}
	return out, p.bound(engine, out)
}

// instanceError names the task that alone needs more of a resource than there
// is.
func (p *Plan) instanceError(e *level.InstanceError, assignments []level.Assignment) error {
	capacity := map[string]int32{}
	for _, r := range p.Resources {
		capacity[r.ID] = r.Capacity
	}
	for _, a := range assignments {
		if int32(a.Units) > capacity[a.Resource] {
			task, resource := TaskName(p.Project.ID, a.Task), ResourceName(p.Project.ID, a.Resource)
			return errs.New(errs.FailedPrecondition, LevelImpossible, "%s needs %d per cent of %s, which has %d",
				task, a.Units, resource, capacity[a.Resource]).With("resource", task)
		}
	}
	return errs.New(errs.FailedPrecondition, LevelImpossible, "%s", e)
}

// bound fills in the makespan and what it cannot fall below: the plan without
// capacities, and for each resource that works by the default calendar alone the
// time before its first task and all its work at full capacity.
func (p *Plan) bound(engine *schedule.Plan, out *Levelled) error {
	axis, err := p.axis(&Task{})
	if err != nil {
		return err
	}
	start := axis.Start(p.settings().Start)
	out.Makespan = int64(axis.Between(start, out.Finish))
	out.Bound = int64(axis.Between(start, out.Unlevelled))
	type load struct {
		work, head int64
		skip, any  bool
	}
	loads := map[string]*load{}
	for _, t := range p.Tasks {
		x, _ := engine.Times(t.ID)
		for _, a := range t.Assignments {
			l := loads[a.Resource]
			if l == nil {
				l = &load{}
				loads[a.Resource] = l
			}
			own, err := p.axis(t)
			if err != nil {
				return err
			}
			l.skip = l.skip || own != axis || t.ActualStart != ""
			head := int64(axis.Between(start, x.EarlyStart))
			if !l.any || head < l.head {
				l.head = head
			}
			l.any = true
			l.work += t.Minutes * int64(a.Units)
		}
	}
	for _, r := range p.Resources {
		if l := loads[r.ID]; l != nil && !l.skip && r.Capacity > 0 {
			out.Bound = max(out.Bound, l.head+(l.work+int64(r.Capacity)-1)/int64(r.Capacity))
		}
	}
	return nil
}
