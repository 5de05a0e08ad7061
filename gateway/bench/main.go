// Command bench measures the one-process shape over REST and gRPC, with
// authentication, authorisation, validation and telemetry (1 % of traces) on
// and the load generator on the same cores, next to a bare net/http +
// encoding/json handler in the same run: on a shared machine only the ratios
// mean much. `make bench` runs it, and then the benchmarks of the packages.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"text/tabwriter"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the built program, to measure start and idle memory")
	flag.DurationVar(&o.each, "each", 2*time.Second, "how long each figure is measured")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the REST runs to this file")
	flag.Parse()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	binary  string
	each    time.Duration
	profile string
}

// callers are the numbers of callers at the same time.
var callers = []int{1, 16, 64}

func run(ctx context.Context, o options) error {
	fmt.Printf("%s %s/%s, %d cores, %s for each figure\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), o.each)
	if o.binary != "" {
		if err := measureStart(ctx, o.binary); err != nil {
			return fmt.Errorf("start: %w", err)
		}
	}
	b, err := newBed(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	stopProfile, err := startProfile(o.profile)
	if err != nil {
		return err
	}
	defer stopProfile()
	return b.measure(ctx, o.each)
}

func startProfile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = file.Close() // the profile is for looking at; the figures are printed
	}, nil
}

// row is one line of the table: the same work done in one way.
type row struct {
	name string
	call func(ctx context.Context, worker, n int) error
	// of is the row that this one is compared with, if any, and aim the least
	// ratio that is hoped for.
	of  string
	aim float64
}

// measure prints all rows at all numbers of callers.
func (b *bed) measure(ctx context.Context, each time.Duration) error {
	table := tabwriter.NewWriter(os.Stdout, 2, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tcallers\tper second\tp50\tp99\tratio")
	rates := map[string]map[int]float64{}
	for _, r := range b.rows() {
		rates[r.name] = map[int]float64{}
		for _, n := range callers {
			if _, err := load(ctx, n, each/4, r.call); err != nil { // warm up
				return fmt.Errorf("%s: %w", r.name, err)
			}
			got, err := load(ctx, n, each, r.call)
			if err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
			rates[r.name][n] = got.rate
			ratio := ""
			if base := rates[r.of][n]; base > 0 {
				ratio = fmt.Sprintf("%.2f of %s", got.rate/base, r.of)
				if r.aim > 0 {
					ratio += fmt.Sprintf(" (aim %.2f)", r.aim)
				}
			}
			fmt.Fprintf(table, "%s\t%d\t%.0f\t%s\t%s\t%s\n", r.name, n, got.rate, round(got.p50), round(got.p99), ratio)
		}
	}
	return table.Flush()
}

func round(d time.Duration) time.Duration {
	if d > time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
