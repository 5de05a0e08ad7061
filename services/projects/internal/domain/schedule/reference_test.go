package schedule_test

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// hours is a calendar as a plain list of its minutes from 2025 to mid 2027: how
// many have been worked before each.
type hours []int32

var (
	hoursFrom = schedule.At("2025-01-01", 0)
	hoursLong = int(schedule.At("2027-07-01", 0) - hoursFrom)
	holidays  = []string{"01-01", "01-06", "04-25", "05-01", "06-02", "08-15", "11-01", "12-08", "12-25", "12-26"}
	moving    = []civil.Date{"2025-04-21", "2026-04-06", "2027-03-29", "2026-10-04"}
)

func holiday(d civil.Date) bool {
	return slices.Contains(holidays, string(d[5:])) || slices.Contains(moving, d)
}

// allHours writes down the calendars of the drawn plans by hand.
var allHours = sync.OnceValue(func() map[string]hours {
	make1 := func(works func(d civil.Date, weekday time.Weekday, hour int) bool) hours {
		out := make(hours, hoursLong+1)
		for m := range hoursLong {
			at := hoursFrom + schedule.Time(m)
			out[m+1] = out[m]
			if m%60 == 0 || out[m] > out[m-1] { // all calendars change on the hour
				d := at.Date()
				if m%60 != 0 || works(d, time.Weekday((d.Days()+4)%7), at.Minute()/60) {
					out[m+1]++
				}
			}
		}
		return out
	}
	day := func(h int) bool { return h >= 8 && h < 12 || h >= 13 && h < 17 }
	return map[string]hours{
		"office": make1(func(d civil.Date, w time.Weekday, h int) bool {
			return w >= time.Monday && w <= time.Friday && day(h) && !holiday(d)
		}),
		"clock": make1(func(civil.Date, time.Weekday, int) bool { return true }),
		"night": make1(func(_ civil.Date, w time.Weekday, h int) bool {
			return w >= time.Monday && w <= time.Friday && h == 23 || w >= time.Tuesday && w <= time.Saturday && h < 8 && h != 3
		}),
		"part-time": make1(func(d civil.Date, w time.Weekday, h int) bool {
			return w >= time.Monday && w <= time.Thursday && h >= 8 && h < 12 && !holiday(d) && d[5:] != "01-20"
		}),
	}
})

func (h hours) count(t schedule.Time) int { return int(h[t-hoursFrom]) }

// end is the first instant with x minutes worked before it, begin the last one.
func (h hours) end(x int) schedule.Time {
	return hoursFrom + schedule.Time(sort.Search(len(h), func(i int) bool { return int(h[i]) >= x }))
}

func (h hours) begin(x int) schedule.Time {
	return hoursFrom + schedule.Time(sort.Search(len(h), func(i int) bool { return int(h[i]) > x })) - 1
}

// within moves an instant outside working time to the next beginning of work.
func (h hours) within(t schedule.Time) schedule.Time {
	if x := h.count(t); t != h.end(x) {
		return h.begin(x)
	}
	return t
}

// span is where a task is: minutes on its calendar and instants on the clock.
type span struct {
	from, to    int
	start, stop schedule.Time
}

// reference is the critical path method by its definition. Every pass goes over
// all tasks until nothing moves (Bellman and Ford); the late dates are the latest
// positions that keep every bound, found by trying.
type reference struct {
	s     schedule.Settings
	tasks []schedule.Task
	kids  map[string][]*schedule.Task
	byID  map[string]*schedule.Task
	early map[string]span
	late  map[string]span
	sched map[string]span
	free  map[string]int
	end   schedule.Time
}

func newReference(s schedule.Settings, tasks []schedule.Task) *reference {
	r := &reference{s: s, tasks: tasks, kids: map[string][]*schedule.Task{}, byID: map[string]*schedule.Task{},
		early: map[string]span{}, late: map[string]span{}, sched: map[string]span{}, free: map[string]int{}}
	for i := range tasks {
		t := &tasks[i]
		r.byID[t.ID] = t
		r.kids[t.Parent] = append(r.kids[t.Parent], t)
	}
	return r
}

func (r *reference) hours(t *schedule.Task) hours {
	if t.Calendar == "" {
		return allHours()[r.s.Calendar]
	}
	return allHours()[t.Calendar]
}

func (r *reference) leaf(t *schedule.Task) bool { return len(r.kids[t.ID]) == 0 }

func finished(t *schedule.Task) bool {
	return t.ActualFinish != 0 || t.Duration == 0 && t.ActualStart != 0
}

func underWay(t *schedule.Task) bool { return t.ActualStart != 0 && !finished(t) }

// place returns a task with a duration at a position.
func (r *reference) place(t *schedule.Task, from, length int) span {
	h := r.hours(t)
	return span{from, from + length, h.begin(from), h.end(from + length)}
}

// point is where a link puts its successor when the predecessor is at x.
func (r *reference) point(l schedule.Link, x span) schedule.Time {
	p := r.byID[l.Predecessor]
	h := r.hours(p)
	fromStart := l.Type == schedule.SS || l.Type == schedule.SF
	w := x.stop
	if fromStart {
		w = x.start
	}
	switch {
	case l.Lag == 0:
		return w
	case l.Elapsed:
		return w + schedule.Time(l.Lag)
	}
	n := h.count(w) + l.Lag
	if p.Duration == 0 && r.leaf(p) {
		fromStart = w != h.end(h.count(w))
	}
	if fromStart {
		return h.begin(n)
	}
	return h.end(n)
}

func toFinish(l schedule.Link) bool { return l.Type == schedule.FF || l.Type == schedule.SF }

// spanOf is a summary's span of its children, or a leaf's own.
func (r *reference) spanOf(t *schedule.Task, of map[string]span) span {
	if r.leaf(t) {
		return of[t.ID]
	}
	var out span
	for i, k := range r.kids[t.ID] {
		x := r.spanOf(k, of)
		if i == 0 {
			out = x
		}
		out.start, out.stop = min(out.start, x.start), max(out.stop, x.stop)
	}
	return out
}

func (r *reference) leads(t *schedule.Task) bool { // is t the child of its parent that starts first?
	first := slices.MinFunc(r.kids[t.Parent], func(a, b *schedule.Task) int {
		return cmp.Compare(r.spanOf(a, r.early).start, r.spanOf(b, r.early).start)
	})
	return first == t
}

// forward is one look at a leaf.
func (r *reference) forward(t *schedule.Task) span {
	h := r.hours(t)
	if finished(t) {
		stop := max(t.ActualStart, t.ActualFinish)
		return span{h.count(t.ActualStart), h.count(stop), t.ActualStart, stop}
	}
	starts, finishes := []schedule.Time{r.s.Start, max(t.LevelStart, r.s.Start)}, []schedule.Time{}
	for at := t; at != nil; at = r.byID[at.Parent] {
		for _, l := range at.Links {
			w := r.point(l, r.spanOf(r.byID[l.Predecessor], r.early))
			if toFinish(l) {
				finishes = append(finishes, w)
			} else {
				starts = append(starts, w)
			}
		}
		if at != t && at.Constraint.Type == schedule.StartNoEarlierThan {
			starts = append(starts, at.Constraint.At)
		}
	}
	at, latest := t.Constraint.At, 1<<60
	switch t.Constraint.Type {
	case schedule.StartNoEarlierThan:
		starts = append(starts, at)
	case schedule.FinishNoEarlierThan:
		finishes = append(finishes, at)
	case schedule.MustStartOn:
		starts = append(starts, at)
		latest = h.count(at)
	case schedule.MustFinishOn:
		finishes = append(finishes, at)
		latest = h.count(at) - t.Duration
	case schedule.StartNoLaterThan:
		latest = h.count(at)
	case schedule.FinishNoLaterThan:
		latest = h.count(at) - t.Duration
	}
	if t.Duration == 0 {
		w := max(slices.Max(starts), slices.Max(append(finishes, 0)))
		if t.Progress < 100 {
			w = max(w, r.s.Status)
		}
		if t.Pinned && latest < 1<<60 {
			w = min(w, at)
		}
		w = h.within(w)
		return span{h.count(w), h.count(w), w, w}
	}
	done := t.Duration * t.Progress / 100
	if underWay(t) {
		from := h.count(t.ActualStart)
		to := from + t.Duration
		for _, w := range finishes {
			to = max(to, h.count(w))
		}
		if rest := t.Duration - done; rest > 0 && r.s.Status != 0 {
			to = max(to, h.count(r.s.Status)+rest)
		}
		if t.Pinned && (t.Constraint.Type == schedule.MustFinishOn || t.Constraint.Type == schedule.FinishNoLaterThan) {
			to = max(from, min(to, h.count(at)))
		}
		return span{from, to, t.ActualStart, h.end(to)}
	}
	from := 0
	for _, w := range starts {
		from = max(from, h.count(w))
	}
	for _, w := range finishes {
		from = max(from, h.count(w)-t.Duration)
	}
	if t.Progress < 100 && r.s.Status != 0 {
		from = max(from, h.count(r.s.Status)-done)
	}
	if t.Pinned {
		from = min(from, latest)
	}
	return r.place(t, from, t.Duration)
}

// admits reports whether a successor's leaf, placed as in of, lets a link's point
// be at w.
func (r *reference) admits(s *schedule.Task, l schedule.Link, w schedule.Time, of map[string]span) bool {
	if !r.leaf(s) {
		return !slices.ContainsFunc(r.kids[s.ID], func(k *schedule.Task) bool { return !r.admits(k, l, w, of) })
	}
	h := r.hours(s)
	switch {
	case finished(s), underWay(s) && !toFinish(l):
		return true
	case s.Duration == 0:
		return h.within(w) <= of[s.ID].start
	case toFinish(l):
		return h.count(w) <= of[s.ID].to
	}
	return h.count(w) <= of[s.ID].from
}

// keeps reports whether nothing of what comes after, placed as in of, minds leaf
// t at x.
func (r *reference) keeps(t *schedule.Task, x span, of map[string]span) bool {
	if x.stop > r.end {
		return false
	}
	leads := true
	for at := t; at != nil; at = r.byID[at.Parent] {
		if at != t {
			below := t
			for below.Parent != at.ID {
				below = r.byID[below.Parent]
			}
			leads = leads && r.leads(below)
		}
		for i := range r.tasks {
			s := &r.tasks[i]
			for _, l := range s.Links {
				if l.Predecessor != at.ID {
					continue
				}
				if l.Type == schedule.SS || l.Type == schedule.SF {
					if !leads || underWay(t) {
						continue
					}
				}
				if !r.admits(s, l, r.point(l, x), of) {
					return false
				}
			}
		}
	}
	return true
}

// allowed reports whether the dates demanded of a leaf and of its summaries let
// it be at x.
func (r *reference) allowed(t *schedule.Task, x span) bool {
	h := r.hours(t)
	milestone := t.Duration == 0
	for at := r.byID[t.Parent]; at != nil; at = r.byID[at.Parent] {
		if at.Deadline != 0 && x.stop > at.Deadline || at.Constraint.Type == schedule.FinishNoLaterThan && x.stop > at.Constraint.At {
			return false
		}
	}
	if t.Deadline != 0 && x.stop > t.Deadline {
		return false
	}
	switch c := t.Constraint; c.Type {
	case schedule.StartNoLaterThan, schedule.MustStartOn:
		return milestone && x.start <= c.At || !milestone && (underWay(t) || x.from <= h.count(c.At))
	case schedule.FinishNoLaterThan, schedule.MustFinishOn:
		return x.stop <= c.At
	}
	return true
}

// latest finds the latest place of a leaf with ok true.
func (r *reference) latest(t *schedule.Task, ok func(span) bool) span {
	h := r.hours(t)
	e := r.early[t.ID]
	if t.Duration == 0 {
		at := func(i int) span {
			w := hoursFrom + schedule.Time(i)
			return span{h.count(w), h.count(w), w, w}
		}
		i := sort.Search(hoursLong, func(i int) bool { return !ok(at(i)) }) - 1
		for at(i).start != h.within(at(i).start) {
			i--
		}
		return at(i)
	}
	length := e.to - e.from
	x := sort.Search(h.count(hoursFrom+schedule.Time(hoursLong))-length, func(x int) bool { return !ok(r.place(t, x, length)) }) - 1
	return r.place(t, x, length)
}

// settle repeats a pass over the leaves until nothing moves. It is false where
// that does not end.
func (r *reference) settle(of map[string]span, look func(t *schedule.Task) span) bool {
	for range 2*len(r.tasks) + 2 {
		moved := false
		for i := range r.tasks {
			if t := &r.tasks[i]; r.leaf(t) {
				if x := look(t); x != of[t.ID] {
					of[t.ID], moved = x, true
				}
			}
		}
		if !moved {
			return true
		}
	}
	return false
}

func (r *reference) compute() bool {
	for i := range r.tasks {
		if t := &r.tasks[i]; r.leaf(t) {
			r.early[t.ID] = r.place(t, r.hours(t).count(r.s.Start), 0)
		}
	}
	if !r.settle(r.early, r.forward) {
		return false
	}
	r.end = r.s.Start
	for id, x := range r.early {
		r.end = max(r.end, x.stop)
		r.late[id], r.sched[id] = span{1 << 40, 1 << 40, 1 << 40, 1 << 40}, x
	}
	fixed := func(t *schedule.Task, look func() span) span {
		if finished(t) {
			return r.early[t.ID]
		}
		return look()
	}
	r.settle(r.late, func(t *schedule.Task) span {
		return fixed(t, func() span {
			return r.latest(t, func(x span) bool { return r.keeps(t, x, r.late) && r.allowed(t, x) })
		})
	})
	r.settle(r.sched, func(t *schedule.Task) span {
		return fixed(t, func() span {
			e := r.early[t.ID]
			x := r.latest(t, func(x span) bool { return r.keeps(t, x, r.sched) })
			r.free[t.ID] = x.to - e.to
			if t.Constraint.Type != schedule.ALAP || t.LevelStart != 0 || underWay(t) {
				return e
			}
			x = r.latest(t, func(x span) bool {
				return r.keeps(t, x, r.sched) && (t.Deadline == 0 || x.stop <= t.Deadline)
			})
			if x.start <= e.start {
				x = e
			}
			r.free[t.ID] -= x.to - e.to
			return x
		})
	})
	return true
}

func TestComputeEqualsItsDefinition(t *testing.T) {
	cycles, plans := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d := drawPlan(t, 10)
		r := newReference(d.settings, d.tasks)
		p, err := schedule.New(d.settings, d.tasks)
		plans++
		if e, ok := errors.AsType[*schedule.CycleError](err); ok {
			cycles++
			if len(e.Tasks) == 0 {
				t.Fatal("a cycle without tasks")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !r.compute() {
			t.Fatal("the reference does not come to rest")
		}
		if p.Finish() != r.end {
			t.Fatalf("the project ends on %s, want %s", p.Finish(), r.end)
		}
		dump := func() string {
			out := fmt.Sprintf("%+v\n", d.settings.Start)
			for task, x := range p.Tasks() {
				out += fmt.Sprintf("%+v\n   %+v\n", *task, x)
			}
			return out
		}
		for task, x := range p.Tasks() {
			if x.Summary {
				e, s := r.spanOf(task, r.early), r.spanOf(task, r.sched)
				if x.EarlyStart != e.start || x.EarlyFinish != e.stop || x.Start != s.start || x.Finish != s.stop {
					t.Fatalf("summary %s: got %+v, want %+v, scheduled %+v", task.ID, x, e, s)
				}
				continue
			}
			e, l, s := r.early[task.ID], r.late[task.ID], r.sched[task.ID]
			if x.EarlyStart != e.start || x.EarlyFinish != e.stop || x.EF-x.ES != e.to-e.from {
				t.Fatalf("%s%+v\nearly: got %s to %s, want %s to %s", dump(), *task, x.EarlyStart, x.EarlyFinish, e.start, e.stop)
			}
			if x.LateStart != l.start || x.LateFinish != l.stop || x.TotalFloat != l.to-e.to || x.LS-x.ES != l.from-e.from {
				t.Fatalf("%s%+v\nlate: got %s to %s float %d, want %s to %s float %d", dump(), *task, x.LateStart, x.LateFinish, x.TotalFloat, l.start, l.stop, l.to-e.to)
			}
			if x.Start != s.start || x.Finish != s.stop || x.FreeFloat != r.free[task.ID] {
				t.Fatalf("%s%+v\nscheduled: got %s to %s free %d, want %s to %s free %d", dump(), *task, x.Start, x.Finish, x.FreeFloat, s.start, s.stop, r.free[task.ID])
			}
			if x.Critical != (x.TotalFloat <= 0 && !finished(task)) || (x.TotalFloat < 0) != (x.Cause.Task != "") {
				t.Fatalf("%s%s: %+v", dump(), task.ID, x)
			}
		}
	})
	t.Logf("%d of %d plans had a cycle through a summary", cycles, plans)
}
