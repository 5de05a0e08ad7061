package schedule

import "slices"

// Snapshot is a task's part of a baseline (linea di base), or its present state.
type Snapshot struct {
	Start, Finish Time
	Duration      int   // working minutes
	Cost          int64 // minor units of the project's currency
}

// Variance is how a task departs from its baseline (scostamento): positive is
// later, longer or dearer.
type Variance struct {
	Start, Finish int   // working minutes of the task's calendar
	Duration      int   // working minutes
	Cost          int64 // minor units
}

// Of returns the variance of a task's present state against its baseline, over
// the working time of its calendar.
func Of(axis *Axis, now, baseline Snapshot) Variance {
	return Variance{
		Start:    axis.Between(baseline.Start, now.Start),
		Finish:   axis.Between(baseline.Finish, now.Finish),
		Duration: now.Duration - baseline.Duration,
		Cost:     now.Cost - baseline.Cost,
	}
}

// Comparison is a plan against a baseline.
type Comparison struct {
	Tasks   map[string]Variance // of the tasks in both, by ID
	Added   []string            // in the plan only, in its order
	Removed []string            // in the baseline only, sorted
	Finish  int                 // of the project, in working minutes of its calendar
}

// Compare returns the variances of a plan against a baseline, by task ID. The
// costs are those of the plan's tasks now, by ID; a task without one costs
// nothing. The project's finish is that of its latest task.
func (p *Plan) Compare(baseline map[string]Snapshot, costs map[string]int64) Comparison {
	out := Comparison{Tasks: make(map[string]Variance, len(baseline))}
	var finish Time
	for id, was := range baseline {
		finish = max(finish, was.Finish)
		if _, known := p.index[id]; !known {
			out.Removed = append(out.Removed, id)
		}
	}
	slices.Sort(out.Removed)
	for t, x := range p.Tasks() {
		was, known := baseline[t.ID]
		if !known {
			out.Added = append(out.Added, t.ID)
			continue
		}
		out.Tasks[t.ID] = Of(p.cells[p.index[t.ID]].axis, p.snapshot(t, &x, costs[t.ID]), was)
	}
	if finish != 0 {
		out.Finish = p.base.Between(finish, p.end)
	}
	return out
}

// Snapshot returns a baseline of the plan as it is scheduled, with the costs by
// task ID.
func (p *Plan) Snapshot(costs map[string]int64) map[string]Snapshot {
	out := make(map[string]Snapshot, p.living)
	for t, x := range p.Tasks() {
		out[t.ID] = p.snapshot(t, &x, costs[t.ID])
	}
	return out
}

// snapshot takes the duration of a summary, and of a task that has started, from
// its dates: working minutes between them.
func (p *Plan) snapshot(t *Task, x *Times, cost int64) Snapshot {
	duration := t.Duration
	if c := &p.cells[p.index[t.ID]]; x.Summary || c.state != unstarted {
		duration = c.axis.Between(x.Start, x.Finish)
	}
	return Snapshot{Start: x.Start, Finish: x.Finish, Duration: duration, Cost: cost}
}
