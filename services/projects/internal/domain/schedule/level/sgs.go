package level

import (
	"cmp"
	"slices"
)

// Rule is a priority rule: which of the activities that may start goes first
// (Kolisch, "Serial and parallel resource-constrained project scheduling methods
// revisited", European Journal of Operational Research 90, 1996). Ties go to the
// lower index.
type Rule uint8

// The priority rules.
const (
	LFT  Rule = iota // earliest latest finish time
	LST              // earliest latest start time
	MSLK             // least slack
	MTS              // most total successors
	GRPW             // greatest rank positional weight: its duration and its direct successors'
	SPT              // shortest processing time
	rules
)

func (r Rule) String() string {
	if r >= rules {
		return "?"
	}
	return [...]string{"LFT", "LST", "MSLK", "MTS", "GRPW", "SPT"}[r]
}

// priorities returns a number for each activity; the least goes first.
func (w *network) priorities(rule Rule) []int {
	out := make([]int, w.n)
	reached := []uint64(nil)
	words := (w.n + 63) / 64
	if rule == MTS {
		reached = make([]uint64, w.n*words)
	}
	for k := w.n - 1; k >= 0; k-- {
		i := w.order[k]
		switch rule {
		case LFT:
			out[i] = w.durations[i] - w.tail[i]
		case LST:
			out[i] = -w.tail[i]
		case MSLK:
			out[i] = -w.tail[i] - w.head[i]
		case GRPW:
			out[i] = -w.durations[i]
			for _, a := range w.after[i] {
				out[i] -= w.durations[a.to]
			}
		case SPT:
			out[i] = w.durations[i]
		case MTS:
			mine := reached[i*words : (i+1)*words]
			for _, a := range w.after[i] {
				mine[a.to/64] |= 1 << (a.to % 64)
				for x, bits := range reached[a.to*words : (a.to+1)*words] {
					mine[x] |= bits
				}
			}
			out[i] = -ones(mine)
		}
	}
	return out
}

// list returns the activities in an order that keeps the precedences and takes
// the least priority first.
func (w *network) list(priority []int) []int {
	waits := make([]int, w.n)
	var ready, out []int
	for i := range w.n {
		if waits[i] = len(w.before[i]); waits[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		best := 0
		for k, i := range ready {
			if c := cmp.Compare(priority[i], priority[ready[best]]); c < 0 || c == 0 && i < ready[best] {
				best = k
			}
		}
		i := ready[best]
		ready = slices.Delete(ready, best, best+1)
		out = append(out, i)
		for _, a := range w.after[i] {
			if waits[a.to]--; waits[a.to] == 0 {
				ready = append(ready, a.to)
			}
		}
	}
	return out
}

// scheduler makes schedules; it keeps its memory between them.
type scheduler struct {
	*network
	profile profile
	dirty   int   // the profile is used up to here
	made    int   // schedules
	saved   []int // starts before a justification
}

func newScheduler(w *network) *scheduler {
	s := &scheduler{network: w, profile: newProfile(w.resources, w.horizon)}
	s.dirty = w.horizon + 1
	return s
}

func (s *scheduler) reset() {
	s.profile.clear(s.dirty)
	s.dirty = 0
	s.made++
}

// serial places the activities of a list one after another at their earliest
// start: the serial schedule generation scheme (Kelley, "The critical-path
// method: resources planning and scheduling", 1963).
func (s *scheduler) serial(list, starts []int) (makespan int) {
	s.reset()
	for _, i := range list {
		t := 0
		for _, a := range s.before[i] {
			t = max(t, starts[a.to]+a.lag)
		}
		d := s.durations[i]
		t = s.profile.earliest(i, t, d)
		s.profile.take(i, t, t+d)
		starts[i] = t
		makespan = max(makespan, t+d)
	}
	s.dirty = makespan
	return makespan
}

// parallel goes through time and starts at each instant what may start, the least
// priority first: the parallel schedule generation scheme (Brooks and White,
// 1965; Kolisch 1996).
func (s *scheduler) parallel(priority, starts []int) (makespan int) {
	s.reset()
	waits, earliest := make([]int, s.n), make([]int, s.n)
	var open []int
	for i := range s.n {
		if waits[i] = len(s.before[i]); waits[i] == 0 {
			open = append(open, i)
		}
	}
	byPriority := func(a, b int) int { return cmp.Or(cmp.Compare(priority[a], priority[b]), cmp.Compare(a, b)) }
	for t := 0; len(open) > 0; {
		slices.SortFunc(open, byPriority)
		next := -1
		for k := 0; k < len(open); {
			i := open[k]
			d := s.durations[i]
			if earliest[i] > t || s.profile.earliest(i, t, d) > t {
				at := max(earliest[i], t+1)
				if next < 0 || at < next {
					next = at
				}
				k++
				continue
			}
			s.profile.take(i, t, t+d)
			starts[i] = t
			makespan = max(makespan, t+d)
			open = slices.Delete(open, k, k+1)
			for _, a := range s.after[i] {
				earliest[a.to] = max(earliest[a.to], t+a.lag)
				if waits[a.to]--; waits[a.to] == 0 {
					open = append(open, a.to)
					next = t
				}
			}
		}
		t = max(t, next)
	}
	s.dirty = makespan
	return makespan
}

// justify shifts all activities to the right, the last to finish first, and then
// to the left, the first to start first: double justification (Valls, Ballestín
// and Quintanilla, "Justification and RCPSP: a technique that pays", European
// Journal of Operational Research 165, 2005). The makespan never grows: where leads
// let successors finish before their predecessors and the shifts fail, the
// schedule stays as it was. The list must keep the precedences; it is sorted anew.
func (s *scheduler) justify(list, starts []int, makespan int) int {
	s.reset()
	s.saved = append(s.saved[:0], starts...)
	// An activity stands after those that hold it also where they start together:
	// the sort is stable and the list in that order.
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(starts[a]+s.durations[a], starts[b]+s.durations[b]) })
	s.keepOrder(list)
	for _, i := range slices.Backward(list) {
		d := s.durations[i]
		t := makespan - d
		for _, a := range s.after[i] {
			t = min(t, starts[a.to]-a.lag)
		}
		if t = s.profile.latest(i, t, d); t < 0 {
			s.dirty = makespan
			copy(starts, s.saved)
			return makespan
		}
		s.profile.take(i, t, t+d)
		starts[i] = t
	}
	s.dirty = makespan
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(starts[a], starts[b]) })
	s.keepOrder(list)
	shorter := s.serial(list, starts)
	if shorter > makespan {
		copy(starts, s.saved)
		return makespan
	}
	return shorter
}

// keepOrder repairs a list after a sort by time where a link let a successor come
// before its predecessor.
func (s *scheduler) keepOrder(list []int) {
	if !s.loose {
		return
	}
	at := make([]int, s.n)
	for k, i := range list {
		at[i] = k
	}
	for i := range s.n {
		for _, a := range s.after[i] {
			if at[a.to] < at[i] {
				copy(list, s.list(at))
				return
			}
		}
	}
}
