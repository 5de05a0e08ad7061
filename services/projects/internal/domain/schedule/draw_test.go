package schedule_test

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// drawn makes random plans: all link types, calendars, constraints, progress and
// summaries.
type drawn struct {
	t        *rapid.T
	settings schedule.Settings
	tasks    []schedule.Task
	next     int
}

const firstDay = "2026-01-05" // a Monday; the next day is a holiday

func drawPlan(t *rapid.T, most int) *drawn {
	d := &drawn{t: t, settings: schedule.Settings{
		Start: schedule.At(firstDay, rapid.SampledFrom([]int{0, 480, 500, 720, 1020}).Draw(t, "start")), Calendar: "office",
		Calendars: []schedule.Calendar{schedule.Standard("office"), schedule.RoundTheClock("clock"), night(), partTime()},
	}}
	if rapid.IntRange(0, 3).Draw(t, "has status") == 0 {
		d.settings.Status = d.instant("status")
	}
	for range rapid.IntRange(1, most).Draw(t, "tasks") {
		parent := ""
		if n := len(d.tasks); n > 0 && rapid.IntRange(0, 2).Draw(t, "below") == 0 {
			parent = d.tasks[rapid.IntRange(0, n-1).Draw(t, "parent")].ID
		}
		d.tasks = append(d.tasks, d.task(d.id(), parent))
	}
	for i := range d.tasks {
		for range rapid.SampledFrom([]int{0, 0, 1, 1, 2}).Draw(t, "links") {
			if l, ok := d.link(i, true); ok {
				d.tasks[i].Links = append(d.tasks[i].Links, l)
			}
		}
		if d.summary(d.tasks[i].ID) {
			d.calm(&d.tasks[i])
		}
	}
	return d
}

func (d *drawn) id() string { d.next++; return fmt.Sprint("t", d.next) }

func (d *drawn) instant(name string) schedule.Time {
	quarter := rapid.SampledFrom([]int{0, 4, 32, 33, 48, 50, 52, 68, 72, 92}).Draw(d.t, name)
	return schedule.At(firstDay, rapid.IntRange(-3, 25).Draw(d.t, name+" day")*1440+quarter*15)
}

func (d *drawn) chance(name string, n int) bool { return rapid.IntRange(1, n).Draw(d.t, name) == 1 }

// task draws a leaf without links.
func (d *drawn) task(id, parent string) schedule.Task {
	t := schedule.Task{
		ID: id, Parent: parent, Duration: rapid.SampledFrom([]int{0, 0, 1, 60, 240, 480, 700, 1440}).Draw(d.t, "duration"),
		Calendar: rapid.SampledFrom([]string{"", "", "office", "clock", "night", "part-time"}).Draw(d.t, "calendar"), Work: int64(d.next),
	}
	if d.chance("constrained", 3) {
		t.Constraint.Type = schedule.ConstraintType(rapid.IntRange(0, 7).Draw(d.t, "constraint"))
		if t.Constraint.Type > schedule.ALAP {
			t.Constraint.At = d.instant("at")
			t.Pinned = d.chance("pinned", 3)
		}
	}
	if d.chance("deadline", 6) {
		t.Deadline = d.instant("deadline")
	}
	if d.chance("levelled", 8) {
		t.LevelStart = d.instant("level")
	}
	if d.chance("reported", 4) {
		t.Progress = rapid.IntRange(0, 100).Draw(d.t, "progress")
		if d.chance("started", 2) {
			t.ActualStart = d.instant("actual start")
			if d.chance("finished", 2) {
				t.ActualFinish = t.ActualStart + schedule.Time(rapid.IntRange(0, 4000).Draw(d.t, "took"))
			}
		}
	}
	return t
}

// calm takes from a task what a summary may not have.
func (d *drawn) calm(t *schedule.Task) {
	t.Pinned = false
	if k := t.Constraint.Type; k != schedule.StartNoEarlierThan && k != schedule.FinishNoLaterThan {
		t.Constraint = schedule.Constraint{}
	}
}

func (d *drawn) find(id string) *schedule.Task {
	for i := range d.tasks {
		if d.tasks[i].ID == id {
			return &d.tasks[i]
		}
	}
	return nil
}

func (d *drawn) summary(id string) bool {
	for i := range d.tasks {
		if d.tasks[i].Parent == id {
			return true
		}
	}
	return false
}

func (d *drawn) above(up, id string) bool {
	for at := d.find(id); at.Parent != ""; at = d.find(at.Parent) {
		if at.Parent == up {
			return true
		}
	}
	return false
}

// link draws a link that fits task i; one from a later task may make a cycle.
func (d *drawn) link(i int, onwards bool) (schedule.Link, bool) {
	to := d.tasks[i]
	last := len(d.tasks) - 1
	if onwards {
		last = i - 1
	}
	if last < 0 {
		return schedule.Link{}, false
	}
	from := d.tasks[rapid.IntRange(0, last).Draw(d.t, "predecessor")].ID
	l := schedule.Link{
		Predecessor: from, Type: schedule.LinkType(rapid.IntRange(0, 3).Draw(d.t, "type")),
		Lag: rapid.SampledFrom([]int{0, 0, 0, 30, 480, 777, -60, -480, -1000}).Draw(d.t, "lag"), Elapsed: d.chance("elapsed", 4),
	}
	for _, x := range to.Links {
		if x.Predecessor == from && x.Type == l.Type {
			return l, false
		}
	}
	fits := from != to.ID && !d.above(from, to.ID) && !d.above(to.ID, from) && (l.Type < schedule.FF || !d.summary(to.ID))
	return l, fits
}
