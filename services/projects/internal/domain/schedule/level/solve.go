package level

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
)

// Options bounds the search for a short schedule.
type Options struct {
	Seed      uint64
	Schedules int // how many schedules to make at most; 0 for DefaultSchedules
}

// DefaultSchedules is the usual budget of the search.
const DefaultSchedules = 20_000

// Result is a schedule and what is known of its length.
type Result struct {
	Starts    []int // by activity
	Makespan  int
	Bound     int     // no schedule is shorter
	Gap       float64 // (Makespan − Bound) / Bound; 0 is proved optimal
	Optimal   bool    // Makespan = Bound
	Feasible  bool    // the schedule was verified
	Schedules int     // made
}

// Solve searches for a short schedule: all priority rules with both generation
// schemes, then a genetic algorithm on activity lists (Hartmann, "A competitive
// genetic algorithm for resource-constrained project scheduling", Naval Research
// Logistics 45, 1998) whose schedules are all doubly justified. It stops at the
// budget, at a proved optimum, or when the context ends; then it returns the best
// so far. The error is an InstanceError.
func Solve(ctx context.Context, in *Instance, o Options) (*Result, error) {
	w, err := in.compile()
	if err != nil {
		return nil, err
	}
	if o.Schedules <= 0 {
		o.Schedules = DefaultSchedules
	}
	g := &genetic{
		ctx: ctx, scheduler: newScheduler(w), random: rand.New(rand.NewPCG(o.Seed, 0x7261_6d61)), refuter: newRefuter(ctx, w),
		bound: w.simpleBound(), budget: o.Schedules,
	}
	g.search()
	out := &Result{Starts: g.best.starts, Makespan: g.best.makespan, Bound: g.bound, Schedules: g.made}
	out.Optimal = out.Makespan == out.Bound
	if out.Bound > 0 {
		out.Gap = float64(out.Makespan-out.Bound) / float64(out.Bound)
	}
	if err := in.Verify(out.Starts); err != nil {
		return nil, err // a bug rather than a wrong instance, and never silent
	}
	out.Feasible = true
	return out, nil
}

// Serial returns the schedule of a priority rule by the serial scheme.
func Serial(in *Instance, rule Rule) ([]int, error) {
	w, err := in.compile()
	if err != nil {
		return nil, err
	}
	starts := make([]int, w.n)
	newScheduler(w).serial(w.list(w.priorities(rule)), starts)
	return starts, nil
}

// Parallel returns the schedule of a priority rule by the parallel scheme.
func Parallel(in *Instance, rule Rule) ([]int, error) {
	w, err := in.compile()
	if err != nil {
		return nil, err
	}
	starts := make([]int, w.n)
	newScheduler(w).parallel(w.priorities(rule), starts)
	return starts, nil
}

// individual is a schedule and a list that makes it.
type individual struct {
	list, starts []int
	makespan     int
}

type genetic struct {
	*scheduler
	ctx     context.Context
	random  *rand.Rand
	refuter *refuter
	bound   int
	budget  int
	best    individual
	crowd   []individual
}

// size of the population, and generations without progress after which all but
// the best are drawn anew.
const (
	population = 40
	patience   = 20
)

func (g *genetic) search() {
	for rule := range rules {
		p := g.priorities(rule)
		x := g.newborn(g.list(p))
		g.judge(&x)
		y := g.newborn(x.list)
		y.makespan = g.parallel(p, y.starts)
		slices.SortStableFunc(y.list, func(a, b int) int { return cmp.Compare(y.starts[a], y.starts[b]) })
		g.keepOrder(y.list)
		y.makespan = g.justify(y.list, y.starts, y.makespan)
		g.crowd = append(g.crowd, x, y)
	}
	g.best = g.shortest().clone()
	g.improveBound()
	still := 0
	for !g.over() {
		was := g.best.makespan
		for len(g.crowd) < population && !g.over() {
			g.crowd = append(g.crowd, g.sample())
		}
		g.generation()
		if x := g.shortest(); x.makespan < g.best.makespan {
			g.best = x.clone()
		}
		if still++; g.best.makespan < was {
			still = 0
		}
		if still == patience {
			still = 0
			g.crowd = append(g.crowd[:0], g.best.clone())
		}
	}
}

// improveBound raises the bound as far as the refuter can.
func (g *genetic) improveBound() {
	for g.bound < g.best.makespan && g.ctx.Err() == nil && g.refuter.refutes(g.bound) {
		g.bound++
	}
}

func (g *genetic) over() bool {
	return g.best.makespan <= g.bound || g.made >= g.budget || g.ctx.Err() != nil
}

func (g *genetic) shortest() *individual {
	best := &g.crowd[0]
	for i := range g.crowd {
		if g.crowd[i].makespan < best.makespan {
			best = &g.crowd[i]
		}
	}
	return best
}

func (x individual) clone() individual {
	return individual{slices.Clone(x.list), slices.Clone(x.starts), x.makespan}
}

func (g *genetic) newborn(list []int) individual {
	return individual{list: slices.Clone(list), starts: make([]int, g.n)}
}

// judge makes the schedule of a list and justifies it.
func (g *genetic) judge(x *individual) {
	x.makespan = g.serial(x.list, x.starts)
	x.makespan = g.justify(x.list, x.starts, x.makespan)
}

// sample draws a list by a priority rule with noise.
func (g *genetic) sample() individual {
	p := g.priorities(Rule(g.random.IntN(2)))
	noise := max(1, (slices.Max(p)-slices.Min(p))/2)
	for i := range p {
		p[i] = p[i]*4 + g.random.IntN(4*noise)
	}
	x := g.newborn(g.list(p))
	g.judge(&x)
	return x
}

// generation pairs everybody at random and keeps the best.
func (g *genetic) generation() {
	g.random.Shuffle(len(g.crowd), func(i, j int) { g.crowd[i], g.crowd[j] = g.crowd[j], g.crowd[i] })
	parents := len(g.crowd)
	for k := 0; k+1 < parents && !g.over(); k += 2 {
		a, b := g.crowd[k], g.crowd[k+1]
		for _, p := range [][2]individual{{a, b}, {b, a}} {
			x := g.newborn(g.cross(p[0].list, p[1].list))
			g.mutate(x.list)
			g.judge(&x)
			g.crowd = append(g.crowd, x)
		}
	}
	slices.SortStableFunc(g.crowd, func(a, b individual) int { return cmp.Compare(a.makespan, b.makespan) })
	g.crowd = g.crowd[:min(population, len(g.crowd))]
}

// cross is Hartmann's two-point crossover: the outer parts come in the first
// parent's order, what is between in the second's.
func (g *genetic) cross(a, b []int) []int {
	if g.n == 0 {
		return nil
	}
	p, q := g.random.IntN(g.n), g.random.IntN(g.n)
	if p > q {
		p, q = q, p
	}
	in := make([]bool, g.n)
	out := make([]int, 0, g.n)
	add := func(list []int, until int) {
		for _, i := range list {
			if len(out) >= until {
				return
			}
			if !in[i] {
				in[i] = true
				out = append(out, i)
			}
		}
	}
	add(a, p)
	add(b, q)
	add(a, g.n)
	return out
}

// mutate swaps neighbours that no precedence holds, one in twenty.
func (g *genetic) mutate(list []int) {
	for k := 0; k+1 < len(list); k++ {
		if g.random.IntN(20) != 0 {
			continue
		}
		i, j := list[k], list[k+1]
		if !slices.ContainsFunc(g.after[i], func(a arc) bool { return a.to == j }) {
			list[k], list[k+1] = j, i
		}
	}
}
