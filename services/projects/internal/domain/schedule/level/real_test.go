package level_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule/level/psplib"
)

// instances reads Patterson's instances with their proved optima.
func instances(t testing.TB) (names []string, all []*level.Instance, optima []int) {
	dir := os.Getenv("TRAMA_DATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "..", "..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, "psplib", "patterson")
	f, err := os.Open(filepath.Join(dir, "optimum.csv"))
	if err != nil {
		t.Skipf("no real instances: set TRAMA_DATA_DIR to the folder that holds psplib/patterson: %v", err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		optimum, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(filepath.Join(dir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		in, err := psplib.ReadPatterson(file)
		_ = file.Close()
		if err != nil {
			t.Fatalf("%s: %v", row[0], err)
		}
		names, all, optima = append(names, row[0]), append(all, in), append(optima, optimum)
	}
	return names, all, optima
}

func TestPattersonsInstances(t *testing.T) {
	names, all, optima := instances(t)
	begin := time.Now()
	gap, boundGap, proved, schedules, slowest := 0.0, 0.0, 0, 0, time.Duration(0)
	for i, in := range all {
		start := time.Now()
		r, err := level.Solve(t.Context(), in, level.Options{Seed: 1})
		if err != nil {
			t.Fatalf("%s: %v", names[i], err)
		}
		took := time.Since(start)
		slowest = max(slowest, took)
		if err := feasible(in, r.Starts, r.Makespan); err != nil {
			t.Fatalf("%s: %v", names[i], err)
		}
		if r.Makespan < optima[i] || r.Bound > optima[i] {
			t.Fatalf("%s: bound %d, makespan %d, and the optimum is %d", names[i], r.Bound, r.Makespan, optima[i])
		}
		g := float64(r.Makespan-optima[i]) / float64(optima[i])
		gap += g
		boundGap += r.Gap
		if r.Optimal {
			proved++
		}
		if g > 0 {
			t.Logf("%s: %d, optimum %d", names[i], r.Makespan, optima[i])
		}
		schedules += r.Schedules
	}
	n := float64(len(all))
	t.Logf("%d instances in %s (slowest %s), %d schedules: mean gap to the optimum %.3f %%, to the bound %.3f %%, %d proved optimal",
		len(all), time.Since(begin).Round(time.Millisecond), slowest.Round(time.Millisecond), schedules, 100*gap/n, 100*boundGap/n, proved)
	if gap/n > 0.005 {
		t.Errorf("mean gap %.3f %%, want at most 0.5 %%", 100*gap/n)
	}
}

// feasible checks a schedule minute by minute.
func feasible(in *level.Instance, starts []int, makespan int) error {
	used := make([][]int, makespan+1)
	for t := range used {
		used[t] = make([]int, len(in.Capacities))
	}
	for i, s := range starts {
		if s < 0 || s+in.Durations[i] > makespan {
			return fmt.Errorf("activity %d from %d for %d is outside 0 to %d", i, s, in.Durations[i], makespan)
		}
		for t := s; t < s+in.Durations[i]; t++ {
			for r, k := range in.Demands[i] {
				if used[t][r] += k; used[t][r] > in.Capacities[r] {
					return fmt.Errorf("resource %d is overused at %d", r, t)
				}
			}
		}
	}
	for _, p := range in.Precedences {
		from, to := starts[p.From], starts[p.To]
		switch p.Type.String() {
		case "FS":
			from += in.Durations[p.From]
		case "FF":
			from, to = from+in.Durations[p.From], to+in.Durations[p.To]
		case "SF":
			to += in.Durations[p.To]
		}
		if to < from+p.Lag {
			return fmt.Errorf("%d after %d: %d < %d + %d", p.To, p.From, to, from, p.Lag)
		}
	}
	return nil
}

func BenchmarkPatterson(b *testing.B) {
	_, all, optima := instances(b)
	b.ReportAllocs()
	for b.Loop() {
		gap := 0.0
		for i, in := range all {
			r, err := level.Solve(b.Context(), in, level.Options{Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			gap += float64(r.Makespan-optima[i]) / float64(optima[i])
		}
		b.ReportMetric(100*gap/float64(len(all)), "%gap")
	}
}
