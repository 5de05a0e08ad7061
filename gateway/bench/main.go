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
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trama-suite/trama/gateway/suite"
)

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the built program, to measure start and idle memory")
	flag.DurationVar(&o.each, "each", 2*time.Second, "how long each figure is measured")
	flag.StringVar(&o.only, "only", "", "measure only the rows whose name contains this")
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
	only    string
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
	suite.TuneGarbage() // as `trama serve` does
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
	return b.measure(ctx, o.each, o.only)
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
	// rate is the least number a second that is hoped for at 16 callers, if any.
	rate float64
}

// turns is in how many parts each figure is measured. A row and those that are
// compared with it take turns, so that whatever else the machine does meanwhile
// meets them all.
const turns = 10

// measure prints all rows at all numbers of callers.
func (b *bed) measure(ctx context.Context, each time.Duration, only string) error {
	table := tabwriter.NewWriter(os.Stdout, 2, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "what\tcallers\tper second\tp50\tp99\tprocessor\tcompared")
	rows := slices.DeleteFunc(b.rows(), func(r row) bool { return !strings.Contains(r.name, only) })
	for len(rows) > 0 {
		together := 1
		for together < len(rows) && rows[together].of == rows[0].name {
			together++
		}
		if err := measureTogether(ctx, table, rows[:together], each); err != nil {
			return err
		}
		rows = rows[together:]
	}
	return table.Flush()
}

// measureTogether prints rows of which the first is what the others are compared
// with.
func measureTogether(ctx context.Context, table io.Writer, rows []row, each time.Duration) error {
	results := make([]map[int]*result, len(rows))
	for i := range rows {
		results[i] = map[int]*result{}
		for _, n := range callers {
			results[i][n] = &result{}
		}
	}
	for _, n := range callers {
		for turn := range turns + 2 { // two to warm up
			for i, r := range rows {
				into := results[i][n]
				if turn < 2 {
					into = &result{}
				}
				if err := load(ctx, n, each/turns, r.call, into); err != nil {
					return fmt.Errorf("%s: %w", r.name, err)
				}
			}
		}
	}
	for i, r := range rows {
		for _, n := range callers {
			got := results[i][n]
			_, _ = fmt.Fprintf(table, "%s\t%d\t%.0f\t%s\t%s\t%s\t%s\n", r.name, n,
				got.rate(), round(got.percentile(50)), round(got.percentile(99)), round(got.processor()), r.compared(n, got, rows[0].name, results[0][n]))
		}
	}
	return nil
}

// compared says how a row's result stands to that of its base, and to what is
// hoped for.
func (r row) compared(n int, got *result, of string, base *result) string {
	var words []string
	if r.of != "" && r.of == of {
		ratio := got.rate() / base.rate()
		words = append(words, fmt.Sprintf("%.2f of %s", ratio, r.of))
		if r.aim > 0 {
			words = append(words, verdict(ratio >= r.aim, fmt.Sprintf("%.2f", r.aim)))
		}
	}
	if r.rate > 0 && n == 16 {
		words = append(words, verdict(got.rate() >= r.rate, fmt.Sprintf("%.0f/s", r.rate)))
	}
	return strings.Join(words, "; ")
}

func verdict(met bool, aim string) string {
	if met {
		return "aim " + aim + " met"
	}
	return "aim " + aim + " MISSED"
}

func round(d time.Duration) time.Duration {
	if d > time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
