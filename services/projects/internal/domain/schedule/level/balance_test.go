package level_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level"
)

func settings() schedule.Settings {
	nights := schedule.Week{}
	for d := time.Monday; d <= time.Friday; d++ {
		nights[d] = []schedule.Interval{{From: 0, To: 6 * 60}, {From: 22 * 60, To: 24 * 60}}
	}
	return schedule.Settings{Start: schedule.At("2026-01-05", 480), Calendar: "office",
		Calendars: []schedule.Calendar{schedule.Standard("office"), schedule.RoundTheClock("clock"), {ID: "night", Week: nights}}}
}

func TestBalanceTakesOneAfterAnother(t *testing.T) {
	tasks := []schedule.Task{
		{ID: "a", Duration: 480}, {ID: "b", Duration: 960, Deadline: schedule.At("2026-01-07", 1020)},
		{ID: "c", Duration: 480, Links: []schedule.Link{{Predecessor: "a"}}, Deadline: schedule.At("2026-01-08", 1020)},
	}
	p, err := schedule.New(settings(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	r, err := level.Balance(t.Context(), p, []level.Resource{{ID: "anna", Capacity: 100}}, []level.Assignment{
		{Task: "a", Resource: "anna", Units: 60}, {Task: "b", Resource: "anna", Units: 50}, {Task: "c", Resource: "anna", Units: 40},
	})
	if err != nil {
		t.Fatal(err)
	}
	// a and b do not go together; b is first for its deadline, the day after is a holiday
	want := "[{b 2026-01-07T08:00 2026-01-08T17:00 480}] finish 2026-01-08T17:00 missed [b]"
	if got := fmt.Sprintf("%v finish %s missed %v", r.Moves, r.Finish, r.Missed); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// drawBalance draws a plan with resources and assignments.
func drawBalance(t *rapid.T) ([]schedule.Task, []level.Resource, []level.Assignment) {
	n := rapid.IntRange(1, 14).Draw(t, "tasks")
	tasks := make([]schedule.Task, n)
	parents := map[string]bool{}
	for i := range tasks {
		x := &tasks[i]
		x.ID = fmt.Sprint("t", i)
		if i > 0 && rapid.IntRange(0, 3).Draw(t, "below") == 0 {
			x.Parent = tasks[rapid.IntRange(0, i-1).Draw(t, "parent")].ID
			parents[x.Parent] = true
		}
		x.Duration = rapid.SampledFrom([]int{0, 60, 240, 480, 700}).Draw(t, "duration")
		x.Calendar = rapid.SampledFrom([]string{"", "", "clock", "night"}).Draw(t, "calendar")
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			x.Constraint.Type = schedule.ALAP
		case 1:
			x.ActualStart = schedule.At("2026-01-05", 480+rapid.IntRange(-600, 3000).Draw(t, "started"))
		case 2:
			x.Constraint = schedule.Constraint{Type: schedule.MustStartOn, At: schedule.At("2026-01-05", rapid.IntRange(0, 9000).Draw(t, "on"))}
			x.Pinned = true
		case 3:
			x.Deadline = schedule.At("2026-01-05", rapid.IntRange(0, 9000).Draw(t, "deadline"))
		}
	}
	for i := range tasks {
		x := &tasks[i]
		if parents[x.ID] {
			x.Constraint, x.Pinned = schedule.Constraint{}, false
		}
		for j := range i {
			if related(tasks, i, j) || rapid.IntRange(0, 4).Draw(t, "link") > 0 {
				continue
			}
			l := schedule.Link{Predecessor: tasks[j].ID, Type: schedule.LinkType(rapid.IntRange(0, 3).Draw(t, "type")), Lag: rapid.SampledFrom([]int{0, 0, 120, -120}).Draw(t, "lag")}
			if !parents[x.ID] || l.Type < schedule.FF {
				x.Links = append(x.Links, l)
			}
		}
	}
	var resources []level.Resource
	var assignments []level.Assignment
	for r := range rapid.IntRange(1, 3).Draw(t, "resources") {
		resources = append(resources, level.Resource{ID: fmt.Sprint("r", r), Capacity: rapid.SampledFrom([]int{100, 150, 200}).Draw(t, "capacity")})
		for i := range tasks {
			if !parents[tasks[i].ID] && rapid.Bool().Draw(t, "assigned") {
				assignments = append(assignments, level.Assignment{Task: tasks[i].ID, Resource: resources[r].ID, Units: rapid.SampledFrom([]int{20, 50, 60, 100}).Draw(t, "units")})
			}
		}
	}
	return tasks, resources, assignments
}

func related(tasks []schedule.Task, i, j int) bool {
	above := func(up, down string) bool {
		for at := down; at != ""; {
			if at == up {
				return true
			}
			at = tasks[slices.IndexFunc(tasks, func(t schedule.Task) bool { return t.ID == at })].Parent
		}
		return false
	}
	return above(tasks[i].ID, tasks[j].ID) || above(tasks[j].ID, tasks[i].ID)
}

func TestBalanceKeepsLinksAndCapacities(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks, resources, assignments := drawBalance(t)
		p, err := schedule.New(settings(), tasks)
		if err != nil {
			return // a cycle through a summary
		}
		r, err := level.Balance(t.Context(), p, resources, assignments)
		if err != nil {
			t.Fatal(err)
		}
		for i := range tasks {
			tasks[i].LevelStart = r.Starts[tasks[i].ID]
		}
		q, err := schedule.New(settings(), tasks)
		if err != nil {
			t.Fatal(err)
		}
		if q.Finish() != r.Finish || r.Finish < r.Unlevelled || r.Unlevelled != p.Finish() {
			t.Fatalf("finish %s, levelled %s, unlevelled %s", q.Finish(), r.Finish, r.Unlevelled)
		}
		may := func(x *schedule.Task) bool { return x.ActualStart == 0 && !x.Pinned }
		var missed []string
		for x, times := range q.Tasks() {
			if times.DeadlineMissed {
				missed = append(missed, x.ID)
			}
			for _, l := range q.Links(x.ID) {
				if may(x) && !times.Summary && l.Slack < 0 {
					t.Fatalf("%s breaks %+v", x.ID, l)
				}
			}
			for _, m := range r.Moves {
				if m.Task == x.ID && (m.Start != times.Start || m.Finish != times.Finish || m.Delay <= 0 || !may(x) && len(x.Links) == 0) {
					t.Fatalf("%+v, but %+v", m, times)
				}
			}
		}
		if !slices.Equal(missed, r.Missed) {
			t.Fatalf("missed %v, want %v", r.Missed, missed)
		}
		for _, resource := range resources { // where a peak begins, all that runs is counted
			over := false
			for _, a := range assignments {
				if a.Resource != resource.ID {
					continue
				}
				x, _ := q.Times(a.Task)
				sum, movable := 0, false
				for _, b := range assignments {
					y, _ := q.Times(b.Task)
					task, _ := q.Task(b.Task)
					if b.Resource == a.Resource && y.Start <= x.Start && x.Start < y.Finish {
						sum += b.Units
						movable = movable || may(&task)
					}
				}
				if sum > resource.Capacity {
					over = true
					if !slices.ContainsFunc(r.Overloads, func(o level.Overload) bool {
						return o.Resource == resource.ID && o.From <= x.Start && x.Start < o.To && o.Units == sum
					}) {
						t.Fatalf("%s takes %d at %s, not reported in %+v", resource.ID, sum, x.Start, r.Overloads)
					}
					if movable && !anyFixed(tasks) {
						t.Fatalf("%s takes %d at %s, by a task that may move", resource.ID, sum, x.Start)
					}
				}
			}
			if !over && slices.ContainsFunc(r.Overloads, func(o level.Overload) bool { return o.Resource == resource.ID }) {
				t.Fatalf("%+v, but %s has enough", r.Overloads, resource.ID)
			}
		}
	})
}

// anyFixed reports whether a task may not be moved: such ones can overload a
// resource by themselves, and where links move them over tasks placed before.
func anyFixed(tasks []schedule.Task) bool {
	return slices.ContainsFunc(tasks, func(t schedule.Task) bool { return t.ActualStart != 0 || t.Pinned })
}

func BenchmarkBalance1000(b *testing.B) {
	var tasks []schedule.Task
	var assignments []level.Assignment
	var resources []level.Resource
	for r := range 20 {
		resources = append(resources, level.Resource{ID: fmt.Sprint("r", r), Capacity: 100})
	}
	for i := range 1000 {
		t := schedule.Task{ID: fmt.Sprint("t", i), Duration: 60 * (1 + i*7%30)}
		if i >= 20 {
			t.Links = []schedule.Link{{Predecessor: fmt.Sprint("t", i-20+i*3%20)}}
		}
		tasks = append(tasks, t)
		assignments = append(assignments, level.Assignment{Task: t.ID, Resource: resources[i*13%20].ID, Units: 50 + i%2*50})
	}
	p, err := schedule.New(settings(), tasks)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := level.Balance(b.Context(), p, resources, assignments); err != nil {
			b.Fatal(err)
		}
	}
}
