package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// large makes a plan of n tasks: work packages of twenty, about one and a half
// links a task of all types with lags, a tenth of the tasks part-time, constraints
// and deadlines here and there.
func large(n int) (schedule.Settings, []schedule.Task) {
	random := rand.New(rand.NewPCG(1, 2))
	s := schedule.Settings{Start: schedule.At("2026-01-05", 480), Calendar: "office",
		Calendars: []schedule.Calendar{schedule.Standard("office"), partTime()}}
	tasks := make([]schedule.Task, n)
	for i := range tasks {
		t := &tasks[i]
		t.ID = fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i)
		if i%21 == 0 {
			continue // a work package
		}
		t.Parent = tasks[i-i%21].ID
		t.Duration = random.IntN(20) * 120
		if random.IntN(10) == 0 {
			t.Calendar = "part-time"
		}
		for range random.IntN(4) {
			from := max(0, i-200) + random.IntN(min(i, 200))
			l := schedule.Link{Predecessor: tasks[from].ID, Lag: random.IntN(3) * 240}
			if random.IntN(4) == 0 {
				l.Type = schedule.LinkType(random.IntN(4))
			}
			double := from%21 == 0
			for _, x := range t.Links {
				double = double || x.Predecessor == l.Predecessor && x.Type == l.Type
			}
			if !double {
				t.Links = append(t.Links, l)
			}
		}
		switch random.IntN(40) {
		case 0:
			t.Constraint = schedule.Constraint{Type: schedule.StartNoEarlierThan, At: s.Start + schedule.Time(random.IntN(1_000_000))}
		case 1:
			t.Deadline = s.Start + schedule.Time(random.IntN(2_000_000))
		case 2:
			t.Constraint.Type = schedule.ALAP
		}
	}
	return s, tasks
}

func BenchmarkCompute10000(b *testing.B) {
	s, tasks := large(10_000)
	links := 0
	for i := range tasks {
		links += len(tasks[i].Links)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := schedule.Compute(s, tasks); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(links), "links")
}

// BenchmarkChange10000 changes the duration of one task, another each time, and
// reads its dates.
func BenchmarkChange10000(b *testing.B) {
	s, tasks := large(10_000)
	p, err := schedule.New(s, tasks)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	b.ReportAllocs()
	for b.Loop() {
		t := tasks[1+21*random.IntN(470)+random.IntN(20)]
		t.Duration += random.IntN(4) * 60
		if err := p.Update(t); err != nil {
			b.Fatal(err)
		}
		p.Times(t.ID)
	}
}

// BenchmarkLink10000 adds a link that goes against the order and removes it.
func BenchmarkLink10000(b *testing.B) {
	s, tasks := large(10_000)
	p, err := schedule.New(s, tasks)
	if err != nil {
		b.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 4))
	b.ReportAllocs()
	for b.Loop() {
		i := 1 + 21*random.IntN(470) + random.IntN(20)
		j := 1 + 21*random.IntN(470) + random.IntN(20)
		if i != j && p.AddLink(tasks[i].ID, schedule.Link{Predecessor: tasks[j].ID}) == nil {
			if err := p.RemoveLink(tasks[i].ID, tasks[j].ID, schedule.FS); err != nil {
				b.Fatal(err)
			}
		}
	}
}
