package schedule_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// computed is all that can be read of a plan.
type computed struct {
	finish schedule.Time
	tasks  map[string]schedule.Task
	times  map[string]schedule.Times
	links  map[string][]schedule.LinkTimes
}

func read(p *schedule.Plan) computed {
	c := computed{p.Finish(), map[string]schedule.Task{}, map[string]schedule.Times{}, map[string][]schedule.LinkTimes{}}
	for t, x := range p.Tasks() {
		c.tasks[t.ID], c.times[t.ID], c.links[t.ID] = *t, x, p.Links(t.ID)
		if len(t.Links) == 0 {
			task := *t
			task.Links = nil
			c.tasks[t.ID] = task
		}
	}
	return c
}

// change draws a change of one task, link or parent: it alters the list of tasks
// and returns what does the same to the plan.
func (d *drawn) change() func(p *schedule.Plan) error {
	i := rapid.IntRange(0, len(d.tasks)-1).Draw(d.t, "task")
	t := &d.tasks[i]
	links := slices.Clone(t.Links)
	switch rapid.IntRange(0, 8).Draw(d.t, "change") {
	case 0, 1, 2:
		*t = d.task(t.ID, t.Parent)
		t.Links = links
		if d.summary(t.ID) && !d.chance("wrong", 10) {
			d.calm(t)
		}
	case 3, 4:
		l, ok := d.link(i, false)
		if !ok && !d.chance("wrong", 4) {
			return func(*schedule.Plan) error { return nil }
		}
		t.Links = append(links, l)
		id := t.ID
		return func(p *schedule.Plan) error { return p.AddLink(id, l) }
	case 5:
		if len(links) == 0 {
			return func(*schedule.Plan) error { return nil }
		}
		k := rapid.IntRange(0, len(links)-1).Draw(d.t, "link")
		l, id := links[k], t.ID
		t.Links = slices.Delete(links, k, k+1)
		return func(p *schedule.Plan) error { return p.RemoveLink(id, l.Predecessor, l.Type) }
	case 6:
		parent := ""
		if d.chance("below", 2) {
			parent = t.ID
		}
		x := d.task(d.id(), parent)
		d.tasks = append(d.tasks, x)
		if l, ok := d.link(len(d.tasks)-1, true); ok {
			x.Links = []schedule.Link{l}
			d.tasks[len(d.tasks)-1] = x
		}
		return func(p *schedule.Plan) error { return p.Add(x) }
	case 8: // levelling: the late dates come with the next change
		if d.summary(t.ID) {
			return func(*schedule.Plan) error { return nil }
		}
		t.LevelStart = d.instant("delay")
		x := *t
		return func(p *schedule.Plan) error {
			if err := p.Delay(x.ID, x.LevelStart); err != nil {
				return err
			}
			return p.Update(x)
		}
	case 7:
		if len(d.tasks) == 1 {
			return func(*schedule.Plan) error { return nil }
		}
		if d.chance("move", 2) {
			t.Parent = d.tasks[rapid.IntRange(0, len(d.tasks)-1).Draw(d.t, "parent")].ID
			break
		}
		id := t.ID
		d.tasks = slices.Delete(d.tasks, i, i+1)
		return func(p *schedule.Plan) error { return p.Remove(id) }
	}
	x := *t
	return func(p *schedule.Plan) error { return p.Update(x) }
}

func TestChangesEqualComputingAgain(t *testing.T) {
	good, bad := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d := drawPlan(t, 12)
		p, err := schedule.New(d.settings, d.tasks)
		if err != nil {
			return
		}
		for range rapid.IntRange(1, 20).Draw(t, "changes") {
			before := slices.Clone(d.tasks)
			err := d.change()(p)
			again, wrong := schedule.New(d.settings, d.tasks)
			if (err == nil) != (wrong == nil) {
				t.Fatalf("the change: %v; computing again: %v", err, wrong)
			}
			if err != nil {
				bad++
				if reflect.TypeOf(err) != reflect.TypeOf(wrong) {
					t.Fatalf("the change: %v; computing again: %v", err, wrong)
				}
				d.tasks = before
				if again, wrong = schedule.New(d.settings, d.tasks); wrong != nil {
					t.Fatal(wrong)
				}
			} else {
				good++
			}
			got, want := read(p), read(again)
			if !reflect.DeepEqual(got, want) {
				for _, id := range slices.Sorted(maps.Keys(want.times)) {
					if !reflect.DeepEqual(got.times[id], want.times[id]) || !reflect.DeepEqual(got.links[id], want.links[id]) || !reflect.DeepEqual(got.tasks[id], want.tasks[id]) {
						t.Errorf("%s after %v:\n got %+v %+v %+v\nwant %+v %+v %+v", id, err, got.tasks[id], got.times[id], got.links[id], want.tasks[id], want.times[id], want.links[id])
					}
				}
				t.Fatalf("%d and %d tasks, ends %s and %s", len(got.times), len(want.times), got.finish, want.finish)
			}
		}
	})
	t.Logf("%d changes, %d refused", good, bad)
}
