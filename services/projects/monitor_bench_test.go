package projects_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// benchDB runs a benchmark of the service as it runs in production.
func benchDB(b *testing.B, fn func(b *testing.B, s *suite)) {
	testkit.BenchDB(b, func(b *testing.B, open testkit.OpenDB) {
		fn(b, suiteOf(b, testkit.Start(b, open, func(ctx context.Context, d app.Deps) (*app.Service, error) {
			return projects.New(ctx, d, projects.Config{})
		})))
	})
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// heap is what lives on the heap, in megabytes.
func heap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// BenchmarkPortfolio is a query over many projects, each after a change, by every
// grouping and with filters; heap-MB is what the projects take in memory.
func BenchmarkPortfolio(b *testing.B) {
	for _, size := range []int{1256, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			benchDB(b, func(b *testing.B, s *suite) {
				before := heap()
				if err := fill(b.Context(), s.DB, size); err != nil {
					b.Fatal(err)
				}
				p := s.project()
				me, as := s.As(manager, leader), s.As(operator, "")
				l := s.line(p, leader, 1)
				query := func(i int) *projectsv1.Portfolio {
					return must[*projectsv1.Portfolio](b)(s.QueryPortfolio(as, &projectsv1.QueryPortfolioRequest{
						GroupBy: projectsv1.PortfolioGrouping(i % 8), Filter: []string{"", `territory = "it-21"`, "late = true", `sector = "s3" OR phase = PHASE_PLANNING`}[i%4]}))
				}
				query(0) // the first reading; a service that has run for a while has done it
				used := heap() - before
				b.Run("query", func(b *testing.B) {
					var took []time.Duration
					for i := range b.N {
						b.StopTimer()
						amount := int64(i + 2)
						must[*projectsv1.BudgetLine](b)(s.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: l.GetName(), Amount: eur(amount)}}))
						b.StartTimer()
						began := time.Now()
						got := query(i)
						took = append(took, time.Since(began))
						if i%4 == 0 && got.GetTotal().GetTotals()[0].GetPlanned().GetMinorUnits() != int64(size)*int64(size-1)/2*10+amount {
							b.Fatalf("query %d: %v", i, got.GetTotal())
						}
					}
					report(b, took)
					b.ReportMetric(used, "heap-MB")
				})
			})
		})
	}
}

// BenchmarkAlertLatency is the time from the answer to a change until the alert
// that it opens or closes is on a stream.
func BenchmarkAlertLatency(b *testing.B) {
	benchDB(b, func(b *testing.B, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		l := s.line(p, leader, 100)
		must[*projectsv1.Expenditure](b)(s.spend(me, l, 100))
		h := s.listen(s.As(operator, ""), &projectsv1.StreamAlertsRequest{Parent: "projects/-"})
		b.Run("stream", func(b *testing.B) {
			var took []time.Duration
			for i := range b.N {
				must[*projectsv1.BudgetLine](b)(s.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{
					Name: l.GetName(), Amount: eur([]int64{99, 100}[i%2])}}))
				committed := time.Now()
				h.next(b)
				took = append(took, time.Since(committed))
			}
			// An odd number leaves it open: the next run begins as this one did.
			if b.N%2 == 1 {
				must[*projectsv1.BudgetLine](b)(s.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: l.GetName(), Amount: eur(100)}}))
				h.next(b)
			}
			report(b, took)
		})
	})
}

// BenchmarkLessonSearch is a search for three words, one of them frequent, among
// 20,000 lessons of sixty words.
func BenchmarkLessonSearch(b *testing.B) {
	const lessons, vocabulary = 20_000, 4000
	benchDB(b, func(b *testing.B, s *suite) {
		random := rand.New(rand.NewPCG(11, 4))
		frequency := rand.NewZipf(random, 1.2, 8, vocabulary-1)
		word := func(n uint64) string { return fmt.Sprintf("p%c%c%c%c", 'a'+n%20, 'a'+n/20%20, 'a'+n/400%20, 'k') }
		sentence := func(n int) domain.Text {
			out := make([]string, n)
			for i := range out {
				out[i] = word(frequency.Uint64())
			}
			return domain.Text{Text: strings.Join(out, " "), Language: "it"}
		}
		project := strings.TrimPrefix(s.project().GetName(), "projects/")
		newID := testkit.IDs(7, s.Clock.Now)
		for from := 0; from < lessons; from += 1000 {
			if err := s.DB.Write(b.Context(), func(_ context.Context, tx *sqldb.Tx) error {
				for range 1000 {
					l := &domain.Lesson{ID: newID(), Project: project, Organisation: leader, Sharing: []domain.Sharing{domain.ShareOwn, domain.ShareNetwork, domain.SharePublic}[random.IntN(3)],
						Stamp: domain.NewStamp(s.Clock.Now()), Learned: domain.Learned{Title: sentence(6), Context: sentence(18), WhatHappened: sentence(18), Recommendation: sentence(18)}}
					store.InsertLesson(tx, l)
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
		as := s.As(learner, stranger)
		b.Run("search", func(b *testing.B) {
			var took []time.Duration
			for range b.N {
				query := word(random.Uint64N(5)) + " " + word(100+random.Uint64N(400)) + " " + word(500+random.Uint64N(2000))
				began := time.Now()
				got := must[*projectsv1.SearchLessonsResponse](b)(s.SearchLessons(as, &projectsv1.SearchLessonsRequest{Query: query}))
				took = append(took, time.Since(began))
				if len(got.GetHits()) == 0 {
					b.Fatalf("nothing found for %q", query)
				}
			}
			report(b, took)
		})
	})
}
