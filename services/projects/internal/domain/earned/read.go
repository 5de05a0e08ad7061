package earned

import (
	"slices"
	"sort"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Point is the value at the end of a day.
type Point struct {
	Day civil.Date
	// Planned (PV) is what the work that was planned to be done by then costs
	// by the budget.
	Planned int64
	// Earned (EV) is what the work that is done costs by the budget.
	Earned int64
	// Booked, Reported and Certified are the three actual costs (AC): what was
	// spent by the documents' dates, what of it was claimed, and what certified.
	Booked, Reported, Certified int64
}

// progress is the progress of the plan as a whole, weighted by working time.
type progress struct {
	minutes int64 // of all tasks without subtasks
	leaves  []int
}

// chosen tells which pieces and which costs a scope chooses.
func (v *Value) chosen(s Scope) (func(organisation string) bool, func(task int) bool, error) {
	partner := func(organisation string) bool {
		return s.Organisations == nil || slices.Contains(s.Organisations, organisation)
	}
	if s.WorkPackage == "" {
		return partner, func(int) bool { return true }, nil
	}
	top, known := v.tasks[s.WorkPackage]
	if !known {
		return nil, nil, ErrUnknownPackage
	}
	under := make([]bool, len(v.project.Tasks))
	for i := range v.project.Tasks {
		for j, steps := i, 0; steps <= len(v.project.Tasks); steps++ {
			if j == top {
				under[i] = true
				break
			}
			up := v.project.Tasks[j].Parent
			if up == "" {
				break
			}
			j = v.tasks[up]
		}
	}
	return partner, func(task int) bool { return task >= 0 && under[task] }, nil
}

// Budget is the budget at completion (BAC) of a part.
func (v *Value) Budget(s Scope) (int64, error) {
	partner, task, err := v.chosen(s)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, p := range v.pieces {
		if partner(p.organisation) && task(p.task) {
			sum += p.amount
		}
	}
	return sum, nil
}

// At reads the value of a part at the end of each of the days, which are in
// order.
func (v *Value) At(s Scope, days ...civil.Date) ([]Point, error) {
	partner, chosen, err := v.chosen(s)
	if err != nil {
		return nil, err
	}
	out, numbers := make([]Point, len(days)), make([]int, len(days))
	for i, d := range days {
		out[i].Day, numbers[i] = d, d.Days()
	}
	overall := v.overall(days)
	for _, p := range v.pieces {
		if !partner(p.organisation) || !chosen(p.task) {
			continue
		}
		for i, d := range days {
			planned := v.planned(p, numbers[i])
			out[i].Planned += planned
			switch {
			case p.task >= 0:
				out[i].Earned += share(p.amount, int64(v.project.Tasks[p.task].at(d)), 100)
			case overall != nil:
				// Apportioned effort: it earns as the plan does.
				out[i].Earned += share(p.amount, overall[i], v.whole())
			default:
				// Level of effort: without tasks time alone earns.
				out[i].Earned += planned
			}
		}
	}
	for _, c := range v.project.Costs {
		task := -1
		if c.WorkPackage != "" {
			var known bool
			if task, known = v.tasks[c.WorkPackage]; !known {
				return nil, ErrUnknownPackage
			}
		}
		if !partner(c.Organisation) || !chosen(task) {
			continue
		}
		from := func(day civil.Date, amount int64, field func(*Point) *int64) {
			if day == "" {
				return
			}
			for i := sort.Search(len(days), func(i int) bool { return days[i] >= day }); i < len(days); i++ {
				*field(&out[i]) += amount
			}
		}
		from(c.BookedDay, c.Booked, func(p *Point) *int64 { return &p.Booked })
		from(c.ReportedDay, c.Reported, func(p *Point) *int64 { return &p.Reported })
		from(c.CertifiedDay, c.Certified, func(p *Point) *int64 { return &p.Certified })
	}
	return out, nil
}

// planned is the part of a piece that is planned by the end of a day: it is spread
// evenly over the working time from start to finish. Where nobody works between
// the two, all of it is planned at the finish.
func (v *Value) planned(p piece, day int) int64 {
	switch {
	case day >= p.finish:
		return p.amount
	case day < p.start:
		return 0
	}
	before := v.workedBefore(p.start)
	whole := v.workedBefore(p.finish+1) - before
	if whole <= 0 {
		return 0
	}
	return share(p.amount, v.workedBefore(day+1)-before, whole)
}

// workedBefore is the working time before a day, of all days that occur.
func (v *Value) workedBefore(day int) int64 {
	return v.worked[min(max(day-v.first, 0), len(v.worked)-1)]
}

// at is the progress of a task at the end of a day.
func (t *Task) at(day civil.Date) int32 {
	i := sort.Search(len(t.Progress), func(i int) bool { return t.Progress[i].Day > day })
	if i == 0 {
		return 0
	}
	return t.Progress[i-1].Percent
}

// weigh gathers the tasks by which the whole plan's progress is weighed.
func (v *Value) weigh() {
	for i, t := range v.project.Tasks {
		if !v.summary[i] {
			v.progress.leaves = append(v.progress.leaves, i)
			v.progress.minutes += t.Minutes
		}
	}
}

// whole is what overall counts to: percents times working minutes, or percents of
// tasks where there are only milestones.
func (v *Value) whole() int64 {
	if v.progress.minutes == 0 {
		return 100 * int64(len(v.progress.leaves))
	}
	return 100 * v.progress.minutes
}

// overall is the progress of the whole plan at the end of each of the days, of
// whole; nil without tasks.
func (v *Value) overall(days []civil.Date) []int64 {
	if len(v.progress.leaves) == 0 {
		return nil
	}
	out := make([]int64, len(days))
	for _, leaf := range v.progress.leaves {
		t := &v.project.Tasks[leaf]
		weight := t.Minutes
		if v.progress.minutes == 0 {
			weight = 1
		}
		for i, d := range days {
			out[i] += weight * int64(t.at(d))
		}
	}
	return out
}
