package level_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level"
)

// drawInstance draws a small instance; a plain one has finish-to-start links
// without leads only.
func drawInstance(t *rapid.T, most int, plain bool) *level.Instance {
	n := rapid.IntRange(0, most).Draw(t, "activities")
	in := &level.Instance{}
	for range rapid.IntRange(0, 6).Draw(t, "resources") {
		in.Capacities = append(in.Capacities, rapid.SampledFrom([]int{0, 1, 2, 3, 7, 40_000}).Draw(t, "capacity"))
	}
	for i := range n {
		in.Durations = append(in.Durations, rapid.IntRange(0, 4).Draw(t, "duration"))
		demands := make([]int, len(in.Capacities))
		for r, c := range in.Capacities {
			demands[r] = rapid.IntRange(0, c).Draw(t, "demand")
		}
		in.Demands = append(in.Demands, demands)
		for j := range i {
			if rapid.IntRange(0, 2).Draw(t, "link") == 0 {
				p := level.Precedence{From: j, To: i, Lag: rapid.IntRange(0, 2).Draw(t, "lag")}
				if !plain {
					p.Type = schedule.LinkType(rapid.IntRange(0, 3).Draw(t, "type"))
					p.Lag -= rapid.IntRange(0, 3).Draw(t, "lead")
				}
				in.Precedences = append(in.Precedences, p)
			}
		}
	}
	return in
}

func makespan(in *level.Instance, starts []int) int {
	most := 0
	for i, s := range starts {
		most = max(most, s+in.Durations[i])
	}
	return most
}

// optimum tries all starts.
func optimum(in *level.Instance, most int) int {
	starts := make([]int, len(in.Durations))
	best := most
	var place func(i int)
	place = func(i int) {
		if i == len(starts) {
			if m := makespan(in, starts); m < best && feasible(in, starts, m) == nil {
				best = m
			}
			return
		}
		for starts[i] = 0; starts[i]+in.Durations[i] < best; starts[i]++ {
			place(i + 1)
		}
		starts[i] = 0
	}
	place(0)
	return best
}

func TestSolveAgainstAllSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.Bool().Draw(t, "plain")
		in := drawInstance(t, 4, plain)
		r, err := level.Solve(t.Context(), in, level.Options{Seed: 7, Schedules: 300})
		if err != nil {
			t.Fatal(err)
		}
		if err := feasible(in, r.Starts, r.Makespan); err != nil {
			t.Fatal(err)
		}
		best := optimum(in, r.Makespan)
		if r.Bound > best || r.Optimal != (r.Bound == r.Makespan) || !r.Feasible {
			t.Fatalf("bound %d, makespan %d, optimum %d: %+v", r.Bound, r.Makespan, best, r)
		}
		if plain && r.Makespan != best {
			t.Fatalf("makespan %d, optimum %d", r.Makespan, best)
		}
	})
}

func TestAllSchemesAreFeasible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInstance(t, 14, false)
		r, err := level.Solve(t.Context(), in, level.Options{Seed: 7, Schedules: 200})
		if err != nil {
			t.Fatal(err)
		}
		if err := feasible(in, r.Starts, r.Makespan); err != nil {
			t.Fatal(err)
		}
		for rule := level.LFT; rule <= level.SPT; rule++ {
			for _, scheme := range []func(*level.Instance, level.Rule) ([]int, error){level.Serial, level.Parallel} {
				starts, err := scheme(in, rule)
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(feasible(in, starts, makespan(in, starts)), in.Verify(starts)); err != nil {
					t.Fatalf("%s: %v", rule, err)
				}
				if m := makespan(in, starts); m < r.Bound || m < r.Makespan {
					t.Fatalf("%s: %d, but the bound is %d and the best %d", rule, m, r.Bound, r.Makespan)
				}
			}
		}
	})
}

// random makes an instance as large as the largest of PSPLIB.
func random(seed uint64, n int) *level.Instance {
	r := rand.New(rand.NewPCG(seed, 1))
	in := &level.Instance{Capacities: []int{12, 13, 15, 11}}
	for i := range n {
		in.Durations = append(in.Durations, 1+r.IntN(10))
		in.Demands = append(in.Demands, []int{r.IntN(8), r.IntN(8), r.IntN(8), r.IntN(8)})
		for range min(i, r.IntN(3)) {
			in.Precedences = append(in.Precedences, level.Precedence{From: max(0, i-20) + r.IntN(min(i, 20)), To: i})
		}
	}
	return in
}

func TestTheSameSeedGivesTheSameSchedule(t *testing.T) {
	in := random(1, 60)
	a, err := level.Solve(t.Context(), in, level.Options{Seed: 3, Schedules: 1000})
	if err != nil {
		t.Fatal(err)
	}
	b, err := level.Solve(t.Context(), in, level.Options{Seed: 3, Schedules: 1000})
	if err != nil || !slices.Equal(a.Starts, b.Starts) || a.Schedules != b.Schedules {
		t.Errorf("%v: %+v and %+v", err, a, b)
	}
	if a.Schedules > 1000+20 {
		t.Errorf("%d schedules, the budget was 1000", a.Schedules)
	}
}

func TestAnEndedContextStillGivesASchedule(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	in := random(2, 120)
	r, err := level.Solve(ctx, in, level.Options{})
	if err != nil || !r.Feasible || feasible(in, r.Starts, r.Makespan) != nil {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestWrongInstancesAreRefused(t *testing.T) {
	for name, in := range map[string]*level.Instance{
		"more than there is":      {Durations: []int{1}, Demands: [][]int{{2}}, Capacities: []int{1}},
		"a cycle":                 {Durations: []int{1, 1}, Demands: [][]int{{}, {}}, Precedences: []level.Precedence{{From: 0, To: 1}, {From: 1, To: 0}}},
		"itself":                  {Durations: []int{1}, Demands: [][]int{{}}, Precedences: []level.Precedence{{}}},
		"an absent activity":      {Durations: []int{1}, Demands: [][]int{{}}, Precedences: []level.Precedence{{From: 0, To: 1}}},
		"a negative duration":     {Durations: []int{-1}, Demands: [][]int{{}}},
		"a negative demand":       {Durations: []int{1}, Demands: [][]int{{-1}}, Capacities: []int{1}},
		"a negative capacity":     {Capacities: []int{-1}},
		"too few demands":         {Durations: []int{1}, Demands: [][]int{{}}, Capacities: []int{1}},
		"ages":                    {Durations: []int{1 << 40}, Demands: [][]int{{}}},
		"a lag of ages":           {Durations: []int{1, 1}, Demands: [][]int{{}, {}}, Precedences: []level.Precedence{{To: 1, Lag: 1 << 60}}},
		"more activities than we": {Durations: make([]int, level.MaxActivities+1)},
	} {
		if _, err := level.Solve(t.Context(), in, level.Options{}); !isType[*level.InstanceError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func isType[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

func BenchmarkSolve120(b *testing.B) {
	in := random(1, 120)
	b.ReportAllocs()
	for b.Loop() {
		r, err := level.Solve(b.Context(), in, level.Options{Seed: 1, Schedules: 5000})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(100*r.Gap, "%gap-to-bound")
	}
}
