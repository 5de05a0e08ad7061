package schedule_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

const hour = 60

func at(t *testing.T, s string) schedule.Time {
	t.Helper()
	x, err := schedule.ParseTime(s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func fs(task string, lag int) schedule.Link { return schedule.Link{Predecessor: task, Lag: lag} }

func settings(t *testing.T, start string) schedule.Settings {
	t.Helper()
	return schedule.Settings{Start: at(t, start), Calendar: "office", Calendars: []schedule.Calendar{
		schedule.Standard("office"), schedule.RoundTheClock("clock"), night(), partTime(),
	}}
}

// partTime works on mornings, not on Fridays, and has a patron saint.
func partTime() schedule.Calendar {
	morning := []schedule.Interval{{8 * hour, 12 * hour}}
	return schedule.Calendar{
		ID: "part-time", Base: "office", Patron: schedule.MonthDay{Month: time.January, Day: 20},
		Week: schedule.Week{time.Monday: morning, time.Tuesday: morning, time.Wednesday: morning, time.Thursday: morning, time.Friday: {}},
	}
}

// night works 23:00 to 03:00 and 04:00 to 08:00, beginning on weekdays.
func night() schedule.Calendar {
	w := schedule.Week{time.Monday: {{23 * hour, 24 * hour}}, time.Saturday: {{0, 3 * hour}, {4 * hour, 8 * hour}}}
	for d := time.Tuesday; d <= time.Friday; d++ {
		w[d] = []schedule.Interval{{0, 3 * hour}, {4 * hour, 8 * hour}, {23 * hour, 24 * hour}}
	}
	return schedule.Calendar{ID: "night", Week: w}
}

func TestDatesOfASmallPlan(t *testing.T) {
	// Thursday 8 January 2026, 08:00; A and B fork and meet in C, then a milestone.
	tasks := []schedule.Task{
		{ID: "wp"},
		{ID: "a", Parent: "wp", Duration: 24 * hour, Work: 100},
		{ID: "b", Parent: "wp", Duration: 8 * hour, Work: 50},
		{ID: "c", Duration: 16 * hour, Links: []schedule.Link{fs("a", 8*hour), fs("b", 0)}},
		{ID: "m", Links: []schedule.Link{fs("c", 0)}},
	}
	got, err := schedule.Compute(settings(t, "2026-01-08T08:00"), tasks)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2026-01-08T08:00 2026-01-12T17:00 2026-01-08T08:00 2026-01-13T17:00 0 0 critical summary 150",
		"2026-01-08T08:00 2026-01-12T17:00 2026-01-08T08:00 2026-01-12T17:00 0 0 critical 100",
		"2026-01-08T08:00 2026-01-08T17:00 2026-01-13T08:00 2026-01-13T17:00 1440 1440 50",
		"2026-01-14T08:00 2026-01-15T17:00 2026-01-14T08:00 2026-01-15T17:00 0 0 critical 0",
		"2026-01-15T17:00 2026-01-15T17:00 2026-01-15T17:00 2026-01-15T17:00 0 0 critical 0",
	}
	for i, x := range got {
		s := fmt.Sprintf("%s %s %s %s %d %d ", x.Start, x.Finish, x.LateStart, x.LateFinish, x.TotalFloat, x.FreeFloat)
		if x.Critical {
			s += "critical "
		}
		if x.Summary {
			s += "summary "
		}
		if s += fmt.Sprint(x.Work); s != want[i] {
			t.Errorf("%s: got %s, want %s", tasks[i].ID, s, want[i])
		}
	}
}

// constrained makes a constraint.
func constrained(t *testing.T, typ schedule.ConstraintType, s string) schedule.Constraint {
	return schedule.Constraint{Type: typ, At: at(t, s)}
}

func TestDates(t *testing.T) {
	day := 8 * hour
	for _, c := range []struct {
		name          string
		start         string
		status        string
		tasks         []schedule.Task
		from, through string // of the last task
	}{
		{"a start on Saturday is Monday", "2026-01-10T00:00", "", []schedule.Task{{ID: "a", Duration: day}}, "2026-01-12T08:00", "2026-01-12T17:00"},
		{"five days from Friday, over a holiday", "2026-01-02T08:00", "", []schedule.Task{{ID: "a", Duration: 5 * day}}, "2026-01-02T08:00", "2026-01-09T17:00"},
		{"Easter Monday", "2026-04-03T08:00", "", []schedule.Task{{ID: "a", Duration: 2 * day}}, "2026-04-03T08:00", "2026-04-07T17:00"},
		{"Saint Francis since 2026, on the first Monday it falls on", "2027-10-01T08:00", "", []schedule.Task{{ID: "a", Duration: 2 * day}}, "2027-10-01T08:00", "2027-10-05T17:00"},
		{"the end of a day is the next morning", "2026-01-12T17:00", "", []schedule.Task{{ID: "a", Duration: hour}}, "2026-01-13T08:00", "2026-01-13T09:00"},
		{"over lunch", "2026-01-12T11:00", "", []schedule.Task{{ID: "a", Duration: 2 * hour}}, "2026-01-12T11:00", "2026-01-12T14:00"},
		{"part-time and its patron", "2026-01-19T08:00", "", []schedule.Task{{ID: "a", Calendar: "part-time", Duration: 12 * hour}}, "2026-01-19T08:00", "2026-01-22T12:00"},
		{"a night", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Calendar: "night", Duration: day}}, "2026-01-12T23:00", "2026-01-13T08:00"},
		{"lag in the predecessor's calendar", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Calendar: "clock", Duration: day}, {ID: "b", Duration: hour, Links: []schedule.Link{fs("a", day)}}}, "2026-01-13T08:00", "2026-01-13T09:00"},
		{"elapsed lag", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: day}, {ID: "b", Duration: hour, Links: []schedule.Link{{Predecessor: "a", Lag: 24 * hour, Elapsed: true}}}}, "2026-01-14T08:00", "2026-01-14T09:00"},
		{"start to start", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: day}, {ID: "b", Duration: hour, Links: []schedule.Link{{Predecessor: "a", Type: schedule.SS, Lag: 4 * hour}}}}, "2026-01-12T13:00", "2026-01-12T14:00"},
		{"finish to finish", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: day}, {ID: "b", Duration: hour, Links: []schedule.Link{{Predecessor: "a", Type: schedule.FF, Lag: hour}}}}, "2026-01-13T08:00", "2026-01-13T09:00"},
		{"start to finish", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: day}, {ID: "b", Duration: hour, Links: []schedule.Link{{Predecessor: "a", Type: schedule.SF, Lag: 4 * hour}}}}, "2026-01-12T11:00", "2026-01-12T12:00"},
		{"a lead", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: 4 * day}, {ID: "b", Duration: 2 * day, Links: []schedule.Link{fs("a", -2*day)}}}, "2026-01-14T08:00", "2026-01-15T17:00"},
		{"a lead is clipped at the start", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: day}, {ID: "b", Duration: 2 * day, Links: []schedule.Link{fs("a", -9*day)}}}, "2026-01-12T08:00", "2026-01-13T17:00"},
		{"a milestone in the morning", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Constraint: constrained(t, schedule.StartNoEarlierThan, "2026-01-14T08:00")}}, "2026-01-14T08:00", "2026-01-14T08:00"},
		{"a milestone on Sunday is on Monday", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Constraint: constrained(t, schedule.StartNoEarlierThan, "2026-01-18T10:00")}}, "2026-01-19T08:00", "2026-01-19T08:00"},
		{"finish no earlier than", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: day, Constraint: constrained(t, schedule.FinishNoEarlierThan, "2026-01-14T12:00")}}, "2026-01-13T13:00", "2026-01-14T12:00"},
		{"as late as possible", "2026-01-12T08:00", "", []schedule.Task{{ID: "b", Duration: 3 * day}, {ID: "c", Duration: day, Links: []schedule.Link{fs("b", 0), fs("a", 0)}}, {ID: "a", Duration: day, Constraint: schedule.Constraint{Type: schedule.ALAP}}}, "2026-01-14T08:00", "2026-01-14T17:00"},
		{"pinned against its link", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: 4 * day}, {ID: "b", Duration: day, Pinned: true, Constraint: constrained(t, schedule.MustStartOn, "2026-01-13T08:00"), Links: []schedule.Link{fs("a", 0)}}}, "2026-01-13T08:00", "2026-01-13T17:00"},
		{"finished out of order", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: 4 * day}, {ID: "b", Duration: day, ActualStart: at(t, "2026-01-09T09:00"), ActualFinish: at(t, "2026-01-12T10:00"), Links: []schedule.Link{fs("a", 0)}}}, "2026-01-09T09:00", "2026-01-12T10:00"},
		{"started, the rest after the status date", "2026-01-12T08:00", "2026-01-21T08:00", []schedule.Task{{ID: "a", Duration: 4 * day, Progress: 25, ActualStart: at(t, "2026-01-12T08:00")}}, "2026-01-12T08:00", "2026-01-23T17:00"},
		{"not started after the status date", "2026-01-12T08:00", "2026-01-21T08:00", []schedule.Task{{ID: "a", Duration: day}}, "2026-01-21T08:00", "2026-01-21T17:00"},
		{"levelled", "2026-01-12T08:00", "", []schedule.Task{{ID: "a", Duration: day, LevelStart: at(t, "2026-01-14T13:00")}}, "2026-01-14T13:00", "2026-01-15T12:00"},
		{"into a summary", "2026-01-12T08:00", "", []schedule.Task{{ID: "s", Links: []schedule.Link{fs("p", 0)}}, {ID: "p", Duration: day}, {ID: "a", Parent: "s", Duration: day}}, "2026-01-13T08:00", "2026-01-13T17:00"},
		{"out of a summary's start", "2026-01-12T08:00", "", []schedule.Task{{ID: "s"}, {ID: "a", Parent: "s", Duration: day, Constraint: constrained(t, schedule.StartNoEarlierThan, "2026-01-14T08:00")},
			{ID: "b", Duration: day, Links: []schedule.Link{{Predecessor: "s", Type: schedule.SS, Lag: hour}}}}, "2026-01-14T09:00", "2026-01-15T09:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := settings(t, c.start)
			if c.status != "" {
				s.Status = at(t, c.status)
			}
			got, err := schedule.Compute(s, c.tasks)
			if err != nil {
				t.Fatal(err)
			}
			if x := got[len(got)-1]; x.Start.String() != c.from || x.Finish.String() != c.through {
				t.Errorf("got %s to %s, want %s to %s", x.Start, x.Finish, c.from, c.through)
			}
		})
	}
}

func TestNegativeFloatNamesItsCause(t *testing.T) {
	day := 8 * hour
	tasks := []schedule.Task{
		{ID: "a", Duration: 4 * day},
		{ID: "b", Duration: 2 * day, Links: []schedule.Link{fs("a", 0)}, Deadline: at(t, "2026-01-16T17:00")},
		{ID: "c", Duration: day, Links: []schedule.Link{fs("a", 0)}, Constraint: constrained(t, schedule.StartNoLaterThan, "2026-01-14T08:00")},
	}
	p, err := schedule.New(settings(t, "2026-01-12T08:00"), tasks)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		task   string
		float  int
		cause  schedule.Cause
		missed bool
	}{
		{"a", -2 * day, schedule.Cause{Task: "c"}, false},
		{"b", -day, schedule.Cause{Task: "b", Deadline: true}, true},
		{"c", -2 * day, schedule.Cause{Task: "c"}, false},
	} {
		x, _ := p.Times(want.task)
		if x.TotalFloat != want.float || x.Cause != want.cause || x.DeadlineMissed != want.missed || !x.Critical {
			t.Errorf("%s: got %+v, want %+v", want.task, x, want)
		}
	}
	if l := p.Links("b"); len(l) != 1 || !l[0].Driving {
		t.Errorf("the link to b does not drive it: %+v", l)
	}
}

func isType[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

func isCycle(tasks ...string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*schedule.CycleError](err)
		return ok && slices.Equal(slices.Sorted(slices.Values(e.Tasks)), tasks)
	}
}

func TestWrongPlansAreRefused(t *testing.T) {
	link := func(p string) []schedule.Link { return []schedule.Link{fs(p, 0)} }
	for _, c := range []struct {
		name  string
		tasks []schedule.Task
		wrong func(err error) bool
	}{
		{"a task after itself", []schedule.Task{{ID: "a", Links: link("a")}}, isCycle("a")},
		{"a circle behind a chain", []schedule.Task{
			{ID: "x"}, {ID: "a", Links: []schedule.Link{fs("x", 0), fs("c", 0)}}, {ID: "b", Links: link("a")},
			{ID: "c", Links: link("b")}, {ID: "y", Links: link("c")}}, isCycle("a", "b", "c")},
		{"a circle through a summary's end", []schedule.Task{{ID: "s"}, {ID: "a", Parent: "s", Links: link("b")}, {ID: "b", Links: link("s")}}, isCycle("a", "b", "s")},
		{"a circle through a summary's start", []schedule.Task{{ID: "s", Links: link("b")}, {ID: "a", Parent: "s"}, {ID: "b", Links: link("a")}}, isCycle("a", "b", "s")},
		{"two summaries one after the other", []schedule.Task{{ID: "s", Links: link("r")}, {ID: "a", Parent: "s"}, {ID: "r", Links: link("s")}, {ID: "b", Parent: "r"}}, isCycle("r", "s")},
		{"parents in a circle", []schedule.Task{{ID: "p", Parent: "q"}, {ID: "q", Parent: "p"}, {ID: "r", Parent: "p"}}, isCycle("p", "q")},
		{"its own parent", []schedule.Task{{ID: "p", Parent: "p"}}, isCycle("p")},
		{"a summary after its leaf", []schedule.Task{{ID: "s", Links: link("a")}, {ID: "a", Parent: "s"}}, isType[*schedule.LinkError]},
		{"a leaf after its summary", []schedule.Task{{ID: "s"}, {ID: "a", Parent: "s", Links: link("s")}}, isType[*schedule.LinkError]},
		{"the same link twice", []schedule.Task{{ID: "a"}, {ID: "b", Links: []schedule.Link{fs("a", 0), fs("a", 1)}}}, isType[*schedule.LinkError]},
		{"finish to finish into a summary", []schedule.Task{{ID: "b"}, {ID: "s", Links: []schedule.Link{{Predecessor: "b", Type: schedule.FF}}}, {ID: "a", Parent: "s"}}, isType[*schedule.SummaryError]},
		{"a summary as late as possible", []schedule.Task{{ID: "s", Constraint: schedule.Constraint{Type: schedule.ALAP}}, {ID: "a", Parent: "s"}}, isType[*schedule.SummaryError]},
		{"an unknown predecessor", []schedule.Task{{ID: "a", Links: link("b")}}, isType[*schedule.UnknownError]},
		{"an unknown parent", []schedule.Task{{ID: "a", Parent: "b"}}, isType[*schedule.UnknownError]},
		{"an unknown calendar", []schedule.Task{{ID: "a", Calendar: "b"}}, isType[*schedule.UnknownError]},
		{"an ID twice", []schedule.Task{{ID: "a"}, {ID: "a"}}, isType[*schedule.DuplicateError]},
		{"no ID", []schedule.Task{{}}, isType[*schedule.TaskError]},
		{"a negative duration", []schedule.Task{{ID: "a", Duration: -1}}, isType[*schedule.TaskError]},
		{"a lag beyond all bounds", []schedule.Task{{ID: "b"}, {ID: "a", Links: []schedule.Link{fs("b", 1<<60)}}}, isType[*schedule.LinkError]},
		{"a constraint without a date", []schedule.Task{{ID: "a", Constraint: schedule.Constraint{Type: schedule.MustStartOn}}}, isType[*schedule.TaskError]},
		{"a deadline in another age", []schedule.Task{{ID: "a", Deadline: at(t, "2900-01-01T00:00")}}, isType[*schedule.TaskError]},
		{"a finish without a start", []schedule.Task{{ID: "a", ActualFinish: at(t, "2026-01-08T08:00")}}, isType[*schedule.TaskError]},
		{"a century and more", []schedule.Task{{ID: "a", Duration: 110 * 250 * 8 * hour}}, isType[*schedule.RangeError]},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := schedule.Compute(settings(t, "2026-01-05T08:00"), c.tasks); !c.wrong(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}
