package interchange_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/interchange"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

func title(s string) domain.Text { return domain.Text{Text: s, Language: "it"} }

// drawing draws a plan that holds everything that a plan can hold.
type drawing struct {
	*rapid.T
	*domain.Plan
	newID               func() string
	calendars, resource []string
}

func (d *drawing) yes(what string) bool { return rapid.Bool().Draw(d.T, what) }

func (d *drawing) number(what string, least, most int) int {
	return rapid.IntRange(least, most).Draw(d.T, what)
}

func (d *drawing) one(what string, of ...string) string { return rapid.SampledFrom(of).Draw(d.T, what) }

func (d *drawing) calendar(what string) string { return d.one(what, append(d.calendars, "")...) }

func (d *drawing) moment(what string) schedule.Time {
	return schedule.At(civil.Date("2026-01-05").AddDays(d.number(what+"Day", 0, 200)), d.number(what+"Minute", 0, 1439))
}

func (d *drawing) week() domain.Week {
	times := rapid.SampledFrom([][]schedule.Interval{nil, {{From: 480, To: 720}, {From: 780, To: 1020}}, {{From: 540, To: 780}}, {{From: 0, To: 1440}}})
	out := domain.Week{{Day: 1, Times: []schedule.Interval{{From: 480, To: 1020}}}}
	for n := 2; n <= 7; n++ {
		if d.yes("hasDay") {
			out = append(out, domain.WeekDay{Day: n, Times: times.Draw(d.T, "times")})
		}
	}
	return out
}

func draw(t *rapid.T) *domain.Plan {
	d := &drawing{T: t, Plan: &domain.Plan{Project: project("2026-01-05"), Settings: &domain.Schedule{Project: "p"}}, newID: ids(0)}
	for i := range d.number("calendars", 0, 2) {
		c := &domain.Calendar{ID: d.newID(), Project: "p", Stamp: domain.NewStamp(now), Hours: domain.Hours{Title: title(fmt.Sprint("C", i)), Week: d.week(),
			Italian: d.yes("italian"), Patron: d.one("patron", "", "--06-24", "--02-29")}}
		if len(d.calendars) > 0 && d.yes("derived") {
			c.Base = d.calendars[0]
		}
		if d.yes("period") {
			c.Periods = []domain.CalendarPeriod{{From: "2026-07-01", To: "2026-08-31", Week: d.week()}}
		}
		if d.yes("exception") {
			c.Exceptions = []domain.Exception{{From: "2026-01-06", DisplayName: "Si lavora", Times: []schedule.Interval{{From: 480, To: 720}}},
				{From: "2026-08-10", To: "2026-08-21", DisplayName: "Chiusura"}}
		}
		d.calendars = append(d.calendars, c.ID)
		d.Calendars = append(d.Calendars, c)
	}
	d.Settings.Calendar = d.calendar("default")
	if d.yes("status") {
		d.Settings.Status = "2026-02-10"
	}
	for i := range d.number("resources", 0, 2) {
		r := &domain.Resource{ID: d.newID(), Project: "p", Stamp: domain.NewStamp(now), Means: domain.Means{Title: title(fmt.Sprint("R", i)),
			Kind: d.one("kind", "PERSON", "EQUIPMENT"), Subject: d.one("subject", "", "s-1"), Organisation: d.one("of", "", member),
			Capacity: int32(d.number("capacity", 1, 500)), Calendar: d.calendar("resourceCalendar")}}
		d.resource = append(d.resource, r.ID)
		d.Resources = append(d.Resources, r)
	}
	d.tasks()
	return d.Plan
}

func (d *drawing) tasks() {
	chain, summary := []string{""}, map[string]bool{}
	for i := range d.number("tasks", 1, 10) {
		level := d.number("level", 1, len(chain))
		x := &domain.Task{ID: d.newID(), Project: "p", Stamp: domain.NewStamp(now), Work: domain.Work{Title: title(fmt.Sprint("T", i)), Parent: chain[level-1],
			Notes: d.one("notes", "", "à è\n<&>"), Calendar: d.calendar("calendar"), Organisation: d.one("organisation", "", lead, member),
			Assignee: d.one("assignee", "", "s-2"), Priority: rapid.SampledFrom([]int32{0, 1, 700}).Draw(d.T, "priority")}}
		if d.yes("translated") {
			x.Title.Translations = map[string]string{"en": "Task", "lv": "Uzdevums"}
		}
		if d.yes("deadline") {
			x.Deadline = d.moment("deadline")
		}
		summary[x.Parent] = true
		chain = append(chain[:level], x.ID)
		d.Tasks = append(d.Tasks, x)
	}
	for i, x := range d.Tasks {
		if !summary[x.ID] {
			d.leaf(x, slices.DeleteFunc(slices.Clone(d.Tasks[:i]), func(o *domain.Task) bool { return summary[o.ID] }))
		} else if d.yes("summaryConstraint") {
			x.Constraint = domain.Constraint{Type: schedule.StartNoEarlierThan, At: d.moment("at")}
		}
	}
}

func (d *drawing) leaf(x *domain.Task, before []*domain.Task) {
	x.Minutes, x.Elapsed, x.Effort = int64(d.number("minutes", 0, 5000)), d.yes("elapsed"), int64(d.number("effort", 0, 999))
	x.Constraint.Type = schedule.ConstraintType(d.number("constraint", 0, 7))
	if c := &x.Constraint; c.Type > schedule.ALAP {
		c.At = d.moment("at")
		c.Pinned = c.Type != schedule.StartNoEarlierThan && c.Type != schedule.FinishNoEarlierThan && d.yes("pinned")
	}
	if d.yes("levelled") {
		x.LevelledStart = d.moment("levelled")
	}
	switch d.number("progress", 0, 4) {
	case 0:
		x.Progress, x.ActualStart = int32(d.number("percent", 0, 99)), "2026-01-07"
	case 1:
		x.Progress, x.ActualStart, x.ActualFinish = 100, "2026-01-07", "2026-01-19"
	}
	for _, r := range d.resource {
		if d.yes("assigned") {
			x.Assignments = append(x.Assignments, domain.Assignment{Resource: r, Units: int32(d.number("units", 1, 200))})
		}
	}
	for _, o := range before {
		if d.number("link", 0, 3) == 0 {
			x.Links = append(x.Links, domain.Link{Task: o.ID, Type: schedule.LinkType(d.number("type", 0, 3)), Lag: int64(d.number("lag", -2000, 2000)), Elapsed: d.yes("elapsedLag")})
		}
	}
}

func TestAPlanThatIsExportedAndImportedIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t)
		if err := p.Compute(); err != nil {
			t.Skip(err)
		}
		baseline, err := domain.NewBaseline("b", p, title("Baseline 0"), 0, now)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := interchange.To(p, []*domain.Baseline{baseline})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := mspdi.Write(&out, doc); err != nil {
			t.Fatal(err)
		}
		back, err := mspdi.Read(&out)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]bool{}
		for _, x := range p.Tasks {
			known[x.ID] = true
		}
		r := take(back, p.Project, known)
		if err := r.Plan.Compute(); err != nil {
			t.Fatal(err)
		}
		if len(r.Dropped) > 0 {
			t.Errorf("dropped %v", r.Dropped)
		}
		same(t, p, r.Plan)
		if len(r.Baselines) != 1 || !reflect.DeepEqual(sorted(r.Baselines[0].Tasks), sorted(baseline.Tasks)) {
			t.Errorf("the baseline became %+v, was %+v", r.Baselines, baseline)
		}
		if _, differing, err := r.Compare(); err != nil || len(differing) > 0 {
			t.Errorf("%v: other dates: %+v", err, differing)
		}
	})
}

func sorted(in []domain.BaselineTask) []domain.BaselineTask {
	slices.SortFunc(in, func(a, b domain.BaselineTask) int { return strings.Compare(a.Task, b.Task) })
	return in
}

// same compares two plans but for the ids of calendars and resources, which an
// import gives anew.
func same(t *rapid.T, a, b *domain.Plan) {
	calendars, resources := map[string]string{"": ""}, map[string]string{}
	offset := len(b.Calendars) - len(a.Calendars) // a document has its default calendar written out
	if a.Settings.Calendar == "" {
		if offset != 1 {
			t.Fatalf("%d calendars became %d", len(a.Calendars), len(b.Calendars))
		}
		calendars[b.Settings.Calendar] = ""
	}
	for i, c := range a.Calendars {
		calendars[b.Calendars[i+offset].ID] = c.ID
	}
	for i, c := range a.Calendars {
		want, got := c.Hours, b.Calendars[i+offset].Hours
		got.Base = calendars[got.Base]
		if c.Base == "" { // days that are not said are off, and written
			want.Week, got.Week = full(want.Week), full(got.Week)
		}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("the calendar %+v became %+v", want, got)
		}
	}
	if got := calendars[b.Settings.Calendar]; got != a.Settings.Calendar || a.Settings.Status != b.Settings.Status {
		t.Errorf("the settings %+v became %+v", a.Settings, b.Settings)
	}
	for i, r := range a.Resources {
		got := b.Resources[i].Means
		got.Calendar = calendars[got.Calendar]
		resources[b.Resources[i].ID] = r.ID
		if !reflect.DeepEqual(r.Means, got) {
			t.Errorf("the resource %+v became %+v", r.Means, got)
		}
	}
	for _, x := range a.Tasks {
		y := b.Task(x.ID)
		if y == nil {
			t.Fatalf("the task %s is gone", x.ID)
		}
		w := y.Work
		w.Calendar = calendars[w.Calendar]
		for i := range w.Assignments {
			w.Assignments[i].Resource = resources[w.Assignments[i].Resource]
		}
		if !reflect.DeepEqual(x.Work, w) {
			t.Errorf("the task\n%+v became\n%+v", x.Work, w)
		}
		if x.Times != y.Times || x.Done != y.Done {
			t.Errorf("of %s the times\n%+v became\n%+v", x.Title.Text, x.Times, y.Times)
		}
	}
}

func full(w domain.Week) domain.Week {
	out := make(domain.Week, 7)
	for i := range out {
		out[i].Day = i + 1
	}
	for _, d := range w {
		out[d.Day-1].Times = d.Times
	}
	return out
}

// TestADocumentIsTakenAtItsWord has what the drawn plans do not.
func TestADocumentIsTakenAtItsWord(t *testing.T) {
	doc, err := mspdi.Read(strings.NewReader(`<Project xmlns="` + mspdi.Namespace + `"><StartDate>2026-01-05T13:00:00</StartDate>
		<Tasks><Task><UID>1</UID><Name>T</Name><OutlineLevel>1</OutlineLevel><Duration>PT4H0M0S</Duration></Task></Tasks>
		<Resources><Resource><UID>1</UID><Name>R</Name><Type>1</Type><MaxUnits>42949673.96</MaxUnits></Resource></Resources>
		<Assignments><Assignment><UID>1</UID><TaskUID>1</TaskUID><ResourceUID>1</ResourceUID><Units>50000000</Units></Assignment></Assignments></Project>`))
	if err != nil {
		t.Fatal(err)
	}
	r := take(doc, project("2026-01-05"), nil)
	if err := r.Plan.Compute(); err != nil {
		t.Fatal(err)
	}
	if x := r.Plan.Tasks[0]; x.Times.StartTime.String() != "2026-01-05T13:00" || x.Assignments[0].Units != 1_000_000 || r.Plan.Resources[0].Capacity != 1_000_000 {
		t.Errorf("it became %+v, of %+v", x, r.Plan.Resources[0])
	}
	if len(r.Dropped) != 2 {
		t.Errorf("dropped %+v", r.Dropped)
	}
	doc.Start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	if s := take(doc, project("2026-01-05"), nil).Plan.Settings.Start; s != 0 {
		t.Errorf("a plan that starts with its project is fixed to %s", s)
	}
}
