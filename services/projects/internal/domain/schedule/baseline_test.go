package schedule_test

import (
	"reflect"
	"testing"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

func TestAPlanAgainstItsBaseline(t *testing.T) {
	day := 8 * hour
	p, err := schedule.New(settings(t, "2026-01-12T08:00"), []schedule.Task{
		{ID: "s"}, {ID: "a", Parent: "s", Duration: 2 * day}, {ID: "b", Parent: "s", Duration: day, Links: []schedule.Link{fs("a", 0)}}, {ID: "gone", Duration: day},
	})
	if err != nil {
		t.Fatal(err)
	}
	baseline := p.Snapshot(map[string]int64{"a": 100_00, "b": 50_00, "s": 150_00})
	if same := p.Compare(baseline, map[string]int64{"a": 100_00, "b": 50_00, "s": 150_00}); len(same.Tasks) != 4 || same.Finish != 0 || same.Tasks["s"] != (schedule.Variance{}) || same.Tasks["b"] != (schedule.Variance{}) {
		t.Errorf("a plan departs from itself: %+v", same)
	}
	if err := p.Update(schedule.Task{ID: "a", Parent: "s", Duration: 3 * day}); err != nil {
		t.Fatal(err)
	}
	if err := p.Remove("gone"); err != nil {
		t.Fatal(err)
	}
	if err := p.Add(schedule.Task{ID: "new", Duration: hour}); err != nil {
		t.Fatal(err)
	}
	got := p.Compare(baseline, map[string]int64{"a": 130_00, "b": 40_00, "s": 170_00})
	want := schedule.Comparison{
		Tasks: map[string]schedule.Variance{
			"s": {Finish: day, Duration: day, Cost: 20_00}, "a": {Finish: day, Duration: day, Cost: 30_00}, "b": {Start: day, Finish: day, Cost: -10_00},
		},
		Added: []string{"new"}, Removed: []string{"gone"}, Finish: day,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
