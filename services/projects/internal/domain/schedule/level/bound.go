package level

import (
	"context"
	"math/bits"
	"slices"
)

func ones(words []uint64) int {
	n := 0
	for _, w := range words {
		n += bits.OnesCount64(w)
	}
	return n
}

// simpleBound is the greater of the critical path and, of each resource, the work
// asked of it over its capacity.
func (w *network) simpleBound() int {
	bound := 0
	for i := range w.n {
		bound = max(bound, w.head[i]+w.tail[i])
	}
	for r, c := range w.capacity {
		energy := 0
		for i, d := range w.durations {
			energy += d * w.demands[i][r]
		}
		if c > 0 {
			bound = max(bound, (energy+c-1)/c)
		}
	}
	return bound
}

// refuter tries to prove that no schedule ends by a time: the destructive bound
// of Klein and Scholl ("Computing lower bounds by destructive improvement",
// European Journal of Operational Research 112, 1999). It narrows the windows of
// the starts by precedences, by pairs that cannot run together, by compulsory
// parts, and checks the energy of intervals (Baptiste, Le Pape and Nuijten,
// "Satisfiability tests and time-bound adjustments for cumulative scheduling
// problems", Annals of Operations Research 92, 1999), and by trying the ends of
// the windows.
type refuter struct {
	*network
	ctx         context.Context // ends the proof: nothing is refuted then
	first, last []int           // windows of the starts
	pairs       [][2]int
	used        []int
}

// most activities for which pairs and intervals are looked at: beyond, the time
// would go to the bound alone.
const (
	maxRefuted = 300
	maxShaved  = 150
)

func newRefuter(ctx context.Context, w *network) *refuter {
	f := &refuter{network: w, ctx: ctx, first: make([]int, w.n), last: make([]int, w.n), used: make([]int, w.horizon+1)}
	if w.n > maxRefuted {
		return f
	}
	for i := range w.n {
		for j := range i {
			if w.durations[i] == 0 || w.durations[j] == 0 {
				continue
			}
			for r, c := range w.capacity {
				if w.demands[i][r]+w.demands[j][r] > c {
					f.pairs = append(f.pairs, [2]int{i, j})
					break
				}
			}
		}
	}
	return f
}

// refutes reports whether it is proved that no schedule ends by end.
func (f *refuter) refutes(end int) bool {
	for i := range f.n {
		f.first[i], f.last[i] = f.head[i], end-f.tail[i]
	}
	if !f.settle() {
		return true
	}
	if f.n > maxRefuted {
		return false
	}
	for range sweeps {
		if f.overfull() {
			return true
		}
		cut, possible := f.shave()
		if !possible {
			return true
		}
		if !cut {
			return false
		}
	}
	return f.overfull()
}

// settle narrows until nothing changes; not possible where a window is empty.
func (f *refuter) settle() (possible bool) {
	for {
		changed, possible := f.narrow()
		if !changed || !possible {
			return possible
		}
	}
}

// sweeps of shaving over all activities.
const sweeps = 4

// shave tries for each activity its first and its last start: one that is refuted
// leaves the window (Martin and Shmoys, "A new approach to computing optimal
// schedules for the job-shop scheduling problem", 1996).
func (f *refuter) shave() (cut, possible bool) {
	first, last := slices.Clone(f.first), slices.Clone(f.last)
	// try supposes that activity i starts from a to b.
	try := func(i, a, b int) bool {
		f.first[i], f.last[i] = a, b
		possible := f.settle()
		if possible {
			copy(f.first, first)
			copy(f.last, last)
		}
		return possible
	}
	for i, d := range f.durations {
		if f.n > maxShaved || f.ctx.Err() != nil {
			return false, true
		}
		if d == 0 {
			continue
		}
		for first[i] < last[i] && !try(i, first[i], first[i]) {
			cut = true
			copy(f.first, first)
			copy(f.last, last)
			f.first[i]++
			if !f.settle() {
				return true, false
			}
			copy(first, f.first)
			copy(last, f.last)
		}
		for first[i] < last[i] && !try(i, last[i], last[i]) {
			cut = true
			copy(f.first, first)
			copy(f.last, last)
			f.last[i]--
			if !f.settle() {
				return true, false
			}
			copy(first, f.first)
			copy(last, f.last)
		}
		if first[i] == last[i] && !try(i, first[i], last[i]) {
			return true, false
		}
	}
	return cut, true
}

// narrow runs each of the rules once.
func (f *refuter) narrow() (changed, possible bool) {
	up := func(i, t int) {
		if t > f.first[i] {
			f.first[i], changed = t, true
		}
	}
	down := func(i, t int) {
		if t < f.last[i] {
			f.last[i], changed = t, true
		}
	}
	for _, i := range f.order {
		for _, a := range f.before[i] {
			up(i, f.first[a.to]+a.lag)
		}
	}
	for _, i := range slices.Backward(f.order) {
		for _, a := range f.after[i] {
			down(i, f.last[a.to]-a.lag)
		}
		if f.first[i] > f.last[i] {
			return changed, false
		}
	}
	for _, p := range f.pairs {
		i, j := p[0], p[1]
		forth, back := f.first[i]+f.durations[i] <= f.last[j], f.first[j]+f.durations[j] <= f.last[i]
		switch {
		case !forth && !back:
			return changed, false
		case !back: // i goes before j
			up(j, f.first[i]+f.durations[i])
			down(i, f.last[j]-f.durations[i])
		case !forth:
			up(i, f.first[j]+f.durations[j])
			down(j, f.last[i]-f.durations[j])
		}
	}
	for r := range f.capacity {
		if !f.compulsory(r, up, down) {
			return changed, false
		}
	}
	return changed, true
}

// compulsory adds up the parts of the activities that run whatever their start,
// and moves the windows of the others off the peaks.
func (f *refuter) compulsory(r int, up, down func(i, t int)) bool {
	clear(f.used)
	c := f.capacity[r]
	for i, d := range f.durations {
		if f.first[i] > f.last[i] {
			return false
		}
		for t := f.last[i]; t < f.first[i]+d; t++ {
			if f.used[t] += f.demands[i][r]; f.used[t] > c {
				return false
			}
		}
	}
	for i, d := range f.durations {
		k := f.demands[i][r]
		if k == 0 || d == 0 {
			continue
		}
		blocked := func(t int) bool {
			used := f.used[t]
			if t >= f.last[i] && t < f.first[i]+d {
				used -= k
			}
			return used+k > c
		}
		first, last := f.first[i], f.last[i]
		for t := first; t < first+d && first <= last; t++ {
			if blocked(t) {
				first = t + 1
			}
		}
		for t := last + d - 1; t >= last && last >= first; t-- {
			if blocked(t) {
				last = t - d
				t = last + d
			}
		}
		if first > last {
			return false
		}
		up(i, first)
		down(i, last)
	}
	return true
}

// overfull reports whether some interval asks for more of a resource than it has.
func (f *refuter) overfull() bool {
	starts, ends := make([]int, 0, f.n), make([]int, 0, f.n)
	for i, d := range f.durations {
		if d > 0 {
			starts, ends = append(starts, f.first[i]), append(ends, f.last[i]+d)
		}
	}
	slices.Sort(starts)
	slices.Sort(ends)
	starts, ends = slices.Compact(starts), slices.Compact(ends)
	for r, c := range f.capacity {
		for _, a := range starts {
			for _, b := range ends {
				if b <= a {
					continue
				}
				energy := 0
				for i, d := range f.durations {
					inside := min(b-a, d, f.first[i]+d-a, b-f.last[i])
					energy += max(0, inside) * f.demands[i][r]
				}
				if energy > c*(b-a) {
					return true
				}
			}
		}
	}
	return false
}
