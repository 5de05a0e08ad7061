package rpc

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/impact/internal/domain/territory"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

// The network of the sources: 628 organisations with two projects each.
const (
	benchOrganisations = 628
	benchProjects      = 2 * benchOrganisations
)

// benchMeasurements is how many measurements are stored before the clock starts:
// TRAMA_BENCH_MEASUREMENTS, 20,000 where it is not set.
func benchMeasurements(b *testing.B) int {
	text := os.Getenv("TRAMA_BENCH_MEASUREMENTS")
	if text == "" {
		return 20_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("TRAMA_BENCH_MEASUREMENTS is %q, want a number", text)
	}
	return n
}

var benchIndicators = []domain.Indicator{
	{Name: "indicators/sum", Method: rollup.Sum, Unit: "h"}, {Name: "indicators/money", Method: rollup.Sum, Unit: "EUR"},
	{Name: "indicators/ratio", Method: rollup.Ratio, Unit: "1"}, {Name: "indicators/mean", Method: rollup.Mean, Unit: "1"},
	{Name: "indicators/weighted", Method: rollup.WeightedMean, Unit: "1"}, {Name: "indicators/max", Method: rollup.Maximum, Unit: "d"},
	{Name: "indicators/stock", Method: rollup.StockLast, Unit: "beds"}, {Name: "indicators/people", Method: rollup.UniqueCount, Unit: "persons"},
}

// fill stores n measurements: month after month, project by project, indicator
// by indicator.
func fill(b *testing.B, db *sqldb.DB, n int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	municipalities := []string{"001272", "015146", "058091", "063049", "082053", "072006", "037006", "048017", "004078", "027042"}
	name := func(o int) string { return fmt.Sprintf("organisations/0197f000-0000-7000-8000-%012d", o) }
	err := db.Write(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		for o := range benchOrganisations {
			p, _ := territory.Locate(municipalities[o%len(municipalities)])
			if err := store.PutOrganisation(ctx, tx, domain.Organisation{Name: name(o), Title: fmt.Sprint("Organisation ", o), Published: true, Place: p}, 1); err != nil {
				return err
			}
		}
		return nil
	})
	done := 0
	for done < n && err == nil {
		err = db.Write(b.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			for at := done; at < min(n, done+500); at++ {
				i := benchIndicators[at%len(benchIndicators)]
				p := at / len(benchIndicators) % benchProjects
				month := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, -(at / len(benchIndicators) / benchProjects), 0)
				period := domain.Period{Start: domain.DayOf(month), End: domain.DayOf(month.AddDate(0, 1, 0))}
				fact := fmt.Sprintf("measurements/0197f000-0000-7000-8000-%012d", at)
				state, err := rollup.Of(i.Measure(), rollup.Observation{
					Value: exact.Fraction(int64(r.IntN(100_000)), 100), Numerator: exact.Int(int64(r.IntN(50))), Denominator: exact.Int(50),
					Weight: exact.Int(int64(1 + r.IntN(9))), Count: int64(1 + r.IntN(40)), Key: fmt.Sprint("person", r.IntN(100_000)),
					Holder: fmt.Sprint("projects/", p), Start: int32(period.Start), End: int32(period.End), Share: exact.Int(1),
				})
				if err != nil {
					return err
				}
				if err := store.Replace(ctx, tx, i.Measure(), fact, i.Name, 1, []domain.Leaf{{
					Fact: fact, Indicator: i.Name, Organisation: name(p / 2), Project: fmt.Sprintf("projects/0197f000-0000-7000-8000-%012d", p), Period: period, State: state,
				}}, month); err != nil {
					return err
				}
			}
			return nil
		})
		done += 500
	}
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDashboard answers the network's dashboard of eight indicators over a
// year, a year and a half cut in the middle of a month, and everything, whole and
// broken down, encoded as it goes out. It reports percentiles in milliseconds.
func BenchmarkDashboard(b *testing.B) {
	n := benchMeasurements(b)
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(fmt.Sprintf("%s/measurements=%d", database, n), func(b *testing.B) {
			url := "sqlite:" + b.TempDir()
			if database == "postgres" {
				url = testkit.Postgres(b)
			}
			db, err := sqldb.Open(b.Context(), sqldb.Config{URL: url, Schema: fmt.Sprintf("impact_bench_%d", os.Getpid())}, os.DirFS("../../migrations"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			started := time.Now()
			fill(b, db, n)
			b.Logf("stored in %v", time.Since(started).Round(time.Millisecond))
			for _, period := range []domain.Period{{Start: 20250101, End: 20260101}, {Start: 20240810, End: 20260210}, {Start: 20100101, End: 20300101}} {
				for _, axis := range []domain.Axis{domain.Whole, domain.ByRegion, domain.ByMunicipality, domain.ByOrganisation, domain.ByProject} {
					b.Run(fmt.Sprintf("%v/by=%s", period, axis), func(b *testing.B) { dashboards(b, db, period, axis) })
				}
			}
		})
	}
}

// cpu returns the processor time that the process has used: what a dashboard
// costs on a machine that is busy with other things too.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func dashboards(b *testing.B, db *sqldb.DB, period domain.Period, axis domain.Axis) {
	var took []time.Duration
	size, before := 0, cpu(b)
	for b.Loop() {
		started := time.Now()
		var answers []domain.Report
		err := db.Read(b.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
			answers, err = reports(ctx, tx, domain.Viewer{All: true}, benchIndicators, period, domain.Question{Axis: axis}, time.Time{})
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		out := &impactv1.Dashboard{}
		for _, r := range answers {
			out.RollUps = append(out.RollUps, rollUpTo(r))
		}
		bytes, err := proto.Marshal(out)
		if err != nil {
			b.Fatal(err)
		}
		size = len(bytes)
		took = append(took, time.Since(started))
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/1000/float64(len(took)), "cpu-ms/op")
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.95), "p95-ms")
	b.ReportMetric(float64(size)/1024, "KiB")
}
