package schedule_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

func link(task string, lag int) schedule.Link { return schedule.Link{Predecessor: task, Lag: lag} }

func TestDatesOfASmallPlan(t *testing.T) {
	// Thursday 8 January 2026; A and B fork and meet in C, after which a milestone.
	tasks := []schedule.Task{
		{ID: "wp"},
		{ID: "a", Parent: "wp", Duration: 3},
		{ID: "b", Parent: "wp", Duration: 1},
		{ID: "c", Duration: 2, Links: []schedule.Link{link("a", 1), link("b", 0)}},
		{ID: "m", Links: []schedule.Link{link("c", 0)}},
	}
	got, err := schedule.Compute("2026-01-08", tasks)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2026-01-08 2026-01-12 2026-01-08 2026-01-13 0 critical summary",
		"2026-01-08 2026-01-12 2026-01-08 2026-01-12 0 critical",
		"2026-01-08 2026-01-08 2026-01-13 2026-01-13 3",
		"2026-01-14 2026-01-15 2026-01-14 2026-01-15 0 critical",
		"2026-01-15 2026-01-15 2026-01-15 2026-01-15 0 critical",
	}
	for i, x := range got {
		s := fmt.Sprintf("%s %s %s %s %d", x.Start, x.Finish, x.LateStart, x.LateFinish, x.Float)
		if x.Critical {
			s += " critical"
		}
		if x.Summary {
			s += " summary"
		}
		if s != want[i] {
			t.Errorf("%s: got %s, want %s", tasks[i].ID, s, want[i])
		}
	}
}

func TestWeekendsConstraintsAndLeads(t *testing.T) {
	for _, c := range []struct {
		name          string
		start         civil.Date
		tasks         []schedule.Task
		from, through civil.Date // of the last task
	}{
		{"a start on Saturday is Monday", "2026-01-10", []schedule.Task{{ID: "a", Duration: 1}}, "2026-01-12", "2026-01-12"},
		{"five days from Friday", "2026-01-09", []schedule.Task{{ID: "a", Duration: 5}}, "2026-01-09", "2026-01-15"},
		{"not before a Sunday", "2026-01-05", []schedule.Task{{ID: "a", Duration: 1, NotBefore: "2026-01-18"}}, "2026-01-19", "2026-01-19"},
		{"not before a day before the project", "2026-01-05", []schedule.Task{{ID: "a", Duration: 1, NotBefore: "2025-01-18"}}, "2026-01-05", "2026-01-05"},
		{"a milestone at the end of its day", "2026-01-05", []schedule.Task{{ID: "a", NotBefore: "2026-01-07"}}, "2026-01-07", "2026-01-07"},
		{"a lead", "2026-01-05", []schedule.Task{{ID: "a", Duration: 4}, {ID: "b", Duration: 2, Links: []schedule.Link{link("a", -2)}}}, "2026-01-07", "2026-01-08"},
		{"a lead is clipped at the start", "2026-01-05", []schedule.Task{{ID: "a", Duration: 1}, {ID: "b", Duration: 2, Links: []schedule.Link{link("a", -9)}}}, "2026-01-05", "2026-01-06"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := schedule.Compute(c.start, c.tasks)
			if err != nil {
				t.Fatal(err)
			}
			if x := got[len(got)-1]; x.Start != c.from || x.Finish != c.through {
				t.Errorf("got %s to %s, want %s to %s", x.Start, x.Finish, c.from, c.through)
			}
		})
	}
}

func TestWrongPlansAreRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		tasks []schedule.Task
		wrong func(err error) bool
	}{
		{"a task after itself", []schedule.Task{{ID: "a", Links: []schedule.Link{link("a", 0)}}}, isCycle("a")},
		{"a circle behind a chain", []schedule.Task{
			{ID: "x"}, {ID: "a", Links: []schedule.Link{link("x", 0), link("c", 0)}}, {ID: "b", Links: []schedule.Link{link("a", 0)}},
			{ID: "c", Links: []schedule.Link{link("b", 0)}}, {ID: "y", Links: []schedule.Link{link("c", 0)}}}, isCycle("a", "b", "c")},
		{"parents in a circle", []schedule.Task{{ID: "p", Parent: "q"}, {ID: "q", Parent: "p"}, {ID: "r", Parent: "p"}}, isCycle("p", "q")},
		{"its own parent", []schedule.Task{{ID: "p", Parent: "p"}}, isCycle("p")},
		{"an unknown predecessor", []schedule.Task{{ID: "a", Links: []schedule.Link{link("b", 0)}}}, isType[*schedule.UnknownError]},
		{"an unknown parent", []schedule.Task{{ID: "a", Parent: "b"}}, isType[*schedule.UnknownError]},
		{"a link to a summary", []schedule.Task{{ID: "s"}, {ID: "a", Parent: "s"}, {ID: "b", Links: []schedule.Link{link("s", 0)}}}, isType[*schedule.SummaryError]},
		{"a link from a summary", []schedule.Task{{ID: "b"}, {ID: "s", Links: []schedule.Link{link("b", 0)}}, {ID: "a", Parent: "s"}}, isType[*schedule.SummaryError]},
		{"a century and more", []schedule.Task{{ID: "a", Duration: schedule.MaxWorkdays + 1}}, func(err error) bool { return errors.Is(err, schedule.ErrRange) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := schedule.Compute("2026-01-05", c.tasks); !c.wrong(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func isType[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

func isCycle(tasks ...string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*schedule.CycleError](err)
		return ok && slices.Equal(slices.Sorted(slices.Values(e.Tasks)), tasks)
	}
}

// plan draws tasks with links in any direction, so that some have cycles.
func plan(t *rapid.T) []schedule.Task {
	n := rapid.IntRange(1, 9).Draw(t, "tasks")
	tasks := make([]schedule.Task, n)
	for i := range tasks {
		tasks[i] = schedule.Task{ID: fmt.Sprint("t", i), Duration: rapid.IntRange(0, 6).Draw(t, "duration")}
		if rapid.Bool().Draw(t, "constrained") {
			tasks[i].NotBefore = civil.Date("2026-01-05").AddDays(rapid.IntRange(-5, 30).Draw(t, "not before"))
		}
		for j := range n {
			if i != j && rapid.IntRange(0, n+1).Draw(t, "link") == 0 {
				tasks[i].Links = append(tasks[i].Links, link(fmt.Sprint("t", j), rapid.IntRange(-4, 4).Draw(t, "lag")))
			}
		}
	}
	return tasks
}

// reference is the critical path method by its definition: walking all paths.
type reference struct {
	tasks map[string]schedule.Task
	end   int
}

func (r reference) earlyStart(id string) int {
	t := r.tasks[id]
	es := 0
	if t.NotBefore != "" {
		for d := civil.Date("2026-01-05"); d < t.NotBefore; d = d.AddDays(1) { // a Monday
			if weekday := (d.Days() - 4) % 7; weekday < 5 {
				es++
			}
		}
		if t.Duration == 0 && t.NotBefore >= "2026-01-05" {
			es++
		}
	}
	for _, l := range t.Links {
		es = max(es, r.earlyStart(l.Predecessor)+r.tasks[l.Predecessor].Duration+l.Lag)
	}
	return es
}

func (r reference) lateFinish(id string) int {
	lf := r.end
	for _, s := range r.tasks {
		for _, l := range s.Links {
			if l.Predecessor == id {
				lf = min(lf, r.lateFinish(s.ID)-s.Duration-l.Lag)
			}
		}
	}
	return lf
}

// onCycle reports whether a task can be reached from itself.
func (r reference) onCycle(id string) bool {
	seen := map[string]bool{}
	var walk func(at string) bool
	walk = func(at string) bool {
		for _, l := range r.tasks[at].Links {
			if l.Predecessor == id {
				return true
			}
			if !seen[l.Predecessor] {
				seen[l.Predecessor] = true
				if walk(l.Predecessor) {
					return true
				}
			}
		}
		return false
	}
	return walk(id)
}

func TestComputeEqualsLongestPaths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := plan(t)
		r := reference{tasks: map[string]schedule.Task{}}
		for _, x := range tasks {
			r.tasks[x.ID] = x
		}
		cyclic := slices.ContainsFunc(tasks, func(x schedule.Task) bool { return r.onCycle(x.ID) })
		got, err := schedule.Compute("2026-01-05", tasks)
		if cyclic {
			e, ok := errors.AsType[*schedule.CycleError](err)
			if !ok {
				t.Fatalf("a cycle was not refused: %v", err)
			}
			for i, id := range e.Tasks { // each is a predecessor of the next
				next := r.tasks[e.Tasks[(i+1)%len(e.Tasks)]]
				if !slices.ContainsFunc(next.Links, func(l schedule.Link) bool { return l.Predecessor == id }) {
					t.Fatalf("%v is not a cycle: %s is not before %s", e.Tasks, id, next.ID)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range tasks {
			r.end = max(r.end, r.earlyStart(x.ID)+x.Duration)
		}
		critical := false
		for i, x := range tasks {
			es, lf := r.earlyStart(x.ID), r.lateFinish(x.ID)
			g := got[i]
			if g.ES != es || g.EF != es+x.Duration || g.LF != lf || g.LS != lf-x.Duration || g.Float != lf-x.Duration-es || g.Critical != (g.Float <= 0) {
				t.Fatalf("%s: got %+v, want ES %d LF %d", x.ID, g, es, lf)
			}
			critical = critical || g.Critical
			if weekday := (g.Start.Days() - 4) % 7; weekday > 4 {
				t.Fatalf("%s starts on a weekend: %s", x.ID, g.Start)
			}
		}
		if !critical {
			t.Fatal("a plan without a critical task")
		}
	})
}

func TestSummariesSpanTheirLeaves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 10).Draw(t, "tasks")
		tasks := make([]schedule.Task, n)
		children := map[string][]int{}
		for i := range tasks {
			tasks[i] = schedule.Task{ID: fmt.Sprint("t", i), Duration: rapid.IntRange(0, 9).Draw(t, "duration"),
				NotBefore: civil.Date("2026-01-05").AddDays(rapid.IntRange(0, 60).Draw(t, "not before"))}
			if p := rapid.IntRange(-1, i-1).Draw(t, "parent"); p >= 0 {
				tasks[i].Parent = tasks[p].ID
				children[tasks[p].ID] = append(children[tasks[p].ID], i)
			}
		}
		got, err := schedule.Compute("2026-01-05", tasks)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range tasks {
			kids := children[x.ID]
			if got[i].Summary != (len(kids) > 0) {
				t.Fatalf("%s: summary %v with %d children", x.ID, got[i].Summary, len(kids))
			}
			if len(kids) == 0 {
				continue
			}
			es, ef, float := got[kids[0]].ES, got[kids[0]].EF, got[kids[0]].Float
			for _, k := range kids {
				es, ef, float = min(es, got[k].ES), max(ef, got[k].EF), min(float, got[k].Float)
			}
			if got[i].ES != es || got[i].EF != ef || got[i].Float != float || got[i].Critical != (float <= 0) {
				t.Fatalf("%s: got %+v, want %d to %d, float %d", x.ID, got[i], es, ef, float)
			}
		}
	})
}

func BenchmarkCompute10000(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	tasks := make([]schedule.Task, 10_000)
	for i := range tasks {
		tasks[i] = schedule.Task{ID: fmt.Sprint("t", i), Duration: random.IntN(3)}
		for range min(i, 3) {
			from := max(0, i-50) + random.IntN(min(i, 50))
			l := link(fmt.Sprint("t", from), 0)
			if !slices.Contains(tasks[i].Links, l) {
				tasks[i].Links = append(tasks[i].Links, l)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schedule.Compute("2026-01-05", tasks); err != nil {
			b.Fatal(err)
		}
	}
}
