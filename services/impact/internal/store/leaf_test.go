package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func open(t *testing.T, o testkit.OpenDB) *sqldb.DB {
	t.Helper()
	return o(t, "impact", os.DirFS("../../migrations"))
}

func write(t *testing.T, db *sqldb.DB, fn func(ctx context.Context, tx *sqldb.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// measured is one fact as the test remembers it, with all its past.
type measured struct {
	leaves []domain.Leaf
	from   time.Time
}

// Roll-ups read from the cells equal the merger of the leaves that count, for
// every method, after any sequence of additions, revisions and withdrawals; and
// what was known at each instant of the past can still be asked.
func TestCellsEqualLeaves(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, o testkit.OpenDB) {
		db := open(t, o)
		const seed = 7
		for method := rollup.Sum; method <= rollup.UniqueCount; method++ {
			r := rand.New(rand.NewPCG(seed, uint64(method)))
			i := domain.Indicator{Name: "indicators/" + method.String(), Method: method, Unit: "u"}
			if method == rollup.OrdinalHistogram {
				i.Categories = make([]domain.Text, 3)
			}
			now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
			past := map[string][]measured{}
			var instants []time.Time
			for step := range 40 {
				now = now.Add(time.Minute)
				fact := fmt.Sprintf("measurements/%d", r.IntN(8))
				var leaves []domain.Leaf
				if r.IntN(5) > 0 {
					for part := range 1 + r.IntN(2) {
						leaves = append(leaves, leaf(t, r, i, fact, step, part))
					}
				}
				write(t, db, func(ctx context.Context, tx *sqldb.Tx) error {
					return store.Replace(ctx, tx, i.Measure(), fact, i.Name, int64(step+1), leaves, now)
				})
				past[fact] = append(past[fact], measured{leaves, now})
				instants = append(instants, now)
			}
			for range 15 {
				asked := randomPeriod(r)
				compare(t, db, i, asked, time.Time{}, now, past)
				at := instants[r.IntN(len(instants))].Add(time.Duration(r.IntN(2)) * time.Second)
				compare(t, db, i, asked, at, at, past)
			}
		}
	})
}

func leaf(t *testing.T, r *rand.Rand, i domain.Indicator, fact string, step, part int) domain.Leaf {
	t.Helper()
	p := randomPeriod(r)
	observation := rollup.Observation{
		Value: exact.Int(int64(r.IntN(20))), Numerator: exact.Int(int64(r.IntN(5))), Denominator: exact.Int(int64(r.IntN(5))),
		Weight: exact.Int(int64(r.IntN(3))), Count: int64(r.IntN(4)), Counts: make([]int64, len(i.Categories)),
		Source: fact, Holder: fmt.Sprintf("%s/%d/%d", fact, step, part), Start: int32(p.Start), End: int32(p.End),
		Share: exact.Fraction(1, int64(1+r.IntN(3))), Qualifier: rollup.Qualifier(1 + r.IntN(4)),
	}
	for n := range observation.Counts {
		observation.Counts[n] = int64(r.IntN(4))
	}
	if r.IntN(2) == 0 {
		observation.Key = fmt.Sprint("k", r.IntN(5))
	}
	state, err := rollup.Of(i.Measure(), observation)
	if err != nil {
		t.Fatal(err)
	}
	return domain.Leaf{
		Fact: fact, Indicator: i.Name, Organisation: fmt.Sprint("o", r.IntN(3)), Project: []string{"", "p"}[r.IntN(2)],
		Place: []string{"", "001272"}[r.IntN(2)], Period: p, State: state,
	}
}

func randomPeriod(r *rand.Rand) domain.Period {
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	switch r.IntN(4) {
	case 0: // whole months
		from := start.AddDate(0, r.IntN(20), 0)
		return domain.Period{Start: domain.DayOf(from), End: domain.DayOf(from.AddDate(0, 1+r.IntN(14), 0))}
	case 1:
		return domain.On(domain.DayOf(start.AddDate(0, 0, r.IntN(600))))
	}
	from := start.AddDate(0, 0, r.IntN(600))
	return domain.Period{Start: domain.DayOf(from), End: domain.DayOf(from.AddDate(0, 0, 1+r.IntN(90)))}
}

// compare holds what the database answers against what the test remembers.
func compare(t *testing.T, db *sqldb.DB, i domain.Indicator, asked domain.Period, asOf, at time.Time, past map[string][]measured) {
	t.Helper()
	want := map[string][]rollup.State{}
	for _, all := range past {
		var last *measured
		for n := range all {
			if !all[n].from.After(at) {
				last = &all[n]
			}
		}
		if last == nil {
			continue
		}
		for _, l := range last.leaves {
			if asked.Contains(l.Period) {
				k := strings.Join([]string{l.Organisation, l.Project, l.Place}, "|")
				want[k] = append(want[k], l.State)
			}
		}
	}
	got := map[string][]rollup.State{}
	err := db.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		rows, err := store.Rows(ctx, tx, []domain.Indicator{i}, asked, store.Narrow{}, asOf)
		for _, row := range rows[i.Name] {
			k := strings.Join([]string{row.Organisation, row.Project, row.Place}, "|")
			got[k] = append(got[k], row.State)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%v over %v as of %v: %d series, want %d", i.Method, asked, asOf, len(got), len(want))
	}
	for k := range want {
		x, err := rollup.Fold(i.Measure(), want[k])
		if err != nil {
			t.Fatal(err)
		}
		y, err := rollup.Fold(i.Measure(), got[k])
		if err != nil {
			t.Fatal(err)
		}
		if !rollup.Equal(x, y) {
			t.Fatalf("%v of %s over %v as of %v: %q, want %q", i.Method, k, asked, asOf, y.Encode(), x.Encode())
		}
	}
}

// Writers of one cell at the same time lose nothing of one another's.
func TestConcurrentWritersOfACell(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, o testkit.OpenDB) {
		dbs := []*sqldb.DB{open(t, o), open(t, o)} // on PostgreSQL two replicas
		i := domain.Indicator{Name: "indicators/x", Method: rollup.Sum, Unit: "u"}
		const writers, each = 8, 6
		var all sync.WaitGroup
		errs := make(chan error, writers*each)
		for w := range writers {
			all.Go(func() {
				for n := range each {
					state, _ := rollup.Of(i.Measure(), rollup.Observation{Value: exact.Int(1), Share: exact.Int(1)})
					fact := fmt.Sprintf("measurements/%d-%d", w, n)
					errs <- dbs[w%2].Write(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
						return store.Replace(ctx, tx, i.Measure(), fact, i.Name, 1, []domain.Leaf{{
							Fact: fact, Indicator: i.Name, Organisation: "o", Period: domain.Period{Start: 20260101, End: 20260201}, State: state,
						}}, time.Unix(1, 0))
					})
				}
			})
		}
		all.Wait()
		close(errs)
		for err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		err := dbs[0].Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			rows, err := store.Rows(ctx, tx, []domain.Indicator{i}, domain.Period{Start: 20260101, End: 20270101}, store.Narrow{}, time.Time{})
			if len(rows[i.Name]) != 1 || rows[i.Name][0].State.Values() != writers*each {
				t.Errorf("cells hold %+v, want one of %d values", rows[i.Name], writers*each)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
