package earned_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/earned"
)

// weekdays works eight hours from Monday to Friday.
func weekdays(d civil.Date) int64 {
	if n := (d.Days() + 3) % 7; n >= 5 { // 0 is a Monday
		return 0
	}
	return 480
}

func build(t interface{ Fatal(...any) }, p earned.Project) *earned.Value {
	if p.Calendar == nil {
		p.Calendar = weekdays
	}
	v, err := earned.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func wantRat(t *testing.T, what string, got *big.Rat, num, den int64) {
	t.Helper()
	if got == nil || got.Cmp(big.NewRat(num, den)) != 0 {
		t.Errorf("%s is %v, want %d/%d", what, got, num, den)
	}
}

// The example that the specification works out: budget 100,000, planned 50,000,
// earned 40,000, spent 45,000.
func TestTheWorkedExample(t *testing.T) {
	m := earned.Measure(100_000_00, earned.Point{Planned: 50_000_00, Earned: 40_000_00, Booked: 45_000_00}, earned.Booked)
	wantRat(t, "CPI", m.CPI, 8, 9)
	wantRat(t, "SPI", m.SPI, 4, 5)
	wantRat(t, "EAC", m.EstimateTypical, 112_500_00, 1)
	wantRat(t, "EAC (rest as planned)", m.EstimateAtypical, 105_000_00, 1)
	wantRat(t, "EAC (cost and schedule)", m.EstimateCombined, 129_375_00, 1)
	wantRat(t, "VAC", m.VarianceAtCompletion, -12_500_00, 1)
	wantRat(t, "TCPI", m.TCPI, 12, 11)
	if m.CostVariance != -5_000_00 || m.ScheduleVariance != -10_000_00 {
		t.Errorf("CV %d, SV %d", m.CostVariance, m.ScheduleVariance)
	}
	if !earned.Below(m.CPI, 8889) || earned.Below(m.CPI, 8888) {
		t.Error("CPI is .8889, rounded")
	}
}

func TestWhatHasNoDenominatorIsUndefined(t *testing.T) {
	m := earned.Measure(100, earned.Point{}, earned.Booked)
	if m.CPI != nil || m.SPI != nil || m.EstimateTypical != nil || m.EstimateCombined != nil || m.VarianceAtCompletion != nil {
		t.Errorf("nothing planned, earned or spent: %+v", m)
	}
	wantRat(t, "TCPI", m.TCPI, 1, 1)
	m = earned.Measure(100, earned.Point{Planned: 100, Earned: 50, Booked: 100}, earned.Booked)
	if m.TCPI != nil {
		t.Errorf("the budget is spent: TCPI %v", m.TCPI)
	}
	// Spent without earning: CPI is 0, and no estimate follows from it.
	m = earned.Measure(100, earned.Point{Planned: 10, Booked: 10}, earned.Booked)
	wantRat(t, "CPI", m.CPI, 0, 1)
	if m.EstimateTypical != nil || m.EstimateCombined != nil {
		t.Errorf("%+v", m)
	}
	if earned.Below(nil, 9000) {
		t.Error("undefined is not below")
	}
}

func TestMinorRoundsHalvesToEven(t *testing.T) {
	for _, x := range []struct{ num, den, want int64 }{{5, 2, 2}, {7, 2, 4}, {-5, 2, -2}, {-7, 2, -4}, {8, 3, 3}, {-8, 3, -3}, {4, 1, 4}} {
		if got, ok := earned.Minor(big.NewRat(x.num, x.den)); !ok || got != x.want {
			t.Errorf("%d/%d is rounded to %d, %v", x.num, x.den, got, ok)
		}
	}
	if _, ok := earned.Minor(new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 64))); ok {
		t.Error("2^64 fits")
	}
	if _, ok := earned.Minor(nil); ok {
		t.Error("undefined fits")
	}
}

// plan has two work packages: a (two tasks of five days, one after the other) and
// b (one milestone).
func plan() earned.Project {
	return earned.Project{
		Start: "2026-01-05", End: "2026-01-30",
		Tasks: []earned.Task{
			{ID: "a"},
			{ID: "a1", Parent: "a", Start: "2026-01-05", Finish: "2026-01-09", Minutes: 2400},
			{ID: "a2", Parent: "a", Start: "2026-01-12", Finish: "2026-01-16", Minutes: 2400},
			{ID: "b", Start: "2026-01-16", Finish: "2026-01-16"},
		},
	}
}

func TestSpreadingAndEarning(t *testing.T) {
	p := plan()
	p.Lines = []earned.Line{
		{Organisation: "x", WorkPackage: "a", Amount: 1001}, {Organisation: "y", WorkPackage: "b", Amount: 50}, {Organisation: "x", Amount: 2000},
	}
	p.Tasks[1].Progress = []earned.Report{{Day: "2026-01-06", Percent: 30}, {Day: "2026-01-09", Percent: 100}}
	p.Costs = []earned.Cost{
		{Organisation: "x", WorkPackage: "a", Booked: 400, BookedDay: "2026-01-07", Reported: 300, ReportedDay: "2026-01-12", Certified: 250, CertifiedDay: "2026-01-13"},
		{Organisation: "y", Booked: 7, BookedDay: "2026-01-08"},
	}
	v := build(t, p)
	got, err := v.At(earned.Scope{}, "2026-01-04", "2026-01-07", "2026-01-11", "2026-01-30")
	if err != nil {
		t.Fatal(err)
	}
	want := []earned.Point{
		{Day: "2026-01-04"},
		// a1 has 501 of a's 1001: 3 of 5 days planned, 30 % earned; of the 2000
		// without a package, 3 of 20 days, and 15 % as the plan is 15 % done.
		{Day: "2026-01-07", Planned: 300 + 300, Earned: 150 + 300, Booked: 400},
		{Day: "2026-01-11", Planned: 501 + 500, Earned: 501 + 1000, Booked: 407},
		{Day: "2026-01-30", Planned: 3051, Earned: 501 + 1000, Booked: 407, Reported: 300, Certified: 250},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// Half way through a's ten days 501 was planned; 501 is earned: 5 days.
	s, err := v.EarnedSchedule(earned.Scope{WorkPackage: "a"}, "2026-01-13")
	if err != nil || s.Actual != 7 {
		t.Fatalf("%+v, %v", s, err)
	}
	wantRat(t, "ES", s.Earned, 5, 1)
	wantRat(t, "SPI(t)", s.SPI, 5, 7)
}

func TestEarnedScheduleInterpolatesAndEnds(t *testing.T) {
	p := plan()
	p.Lines = []earned.Line{{Organisation: "x", WorkPackage: "a1", Amount: 1000}}
	p.Tasks[1].Progress = []earned.Report{{Day: "2026-01-05", Percent: 50}, {Day: "2026-01-08", Percent: 100}}
	v := build(t, p)
	for _, x := range []struct {
		day              civil.Date
		es, den, at, spi int64
	}{{"2026-01-05", 5, 2, 1, 0}, {"2026-01-08", 5, 1, 4, 0}, {"2026-01-20", 5, 1, 12, 0}} {
		s, err := v.EarnedSchedule(earned.Scope{}, x.day)
		if err != nil || s.Actual != x.at {
			t.Fatalf("%s: %+v, %v", x.day, s, err)
		}
		wantRat(t, "ES at "+string(x.day), s.Earned, x.es, x.den)
	}
	s, err := v.EarnedSchedule(earned.Scope{}, "2026-01-01")
	if err != nil || s.SPI != nil {
		t.Errorf("before the start: %+v, %v", s, err)
	}
	s, err = v.EarnedSchedule(earned.Scope{WorkPackage: "b"}, "2026-01-08")
	if err != nil || s.Earned != nil {
		t.Errorf("nothing planned: %+v, %v", s, err)
	}
}

func TestWhatCannotBeSpread(t *testing.T) {
	p := plan()
	p.Calendar = weekdays
	for name, x := range map[string]struct {
		spoil func(p *earned.Project)
		want  error
	}{
		"package": {func(p *earned.Project) { p.Lines = []earned.Line{{WorkPackage: "z", Amount: 1}} }, earned.ErrUnknownPackage},
		"sum":     {func(p *earned.Project) { p.Lines = []earned.Line{{Amount: 1 << 62}, {Amount: 1 << 62}} }, earned.ErrRange},
		"days":    {func(p *earned.Project) { p.Start, p.End = "1900-01-01", "2900-01-01" }, earned.ErrRange},
		"tree":    {func(p *earned.Project) { p.Tasks = slices.Clone(p.Tasks); p.Tasks[0].Parent = "z" }, earned.ErrTree},
	} {
		q := p
		x.spoil(&q)
		if _, err := earned.New(q); !errors.Is(err, x.want) {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
}

var partners = []string{"x", "y", "z"}

// anyProject draws a project with a tree of tasks, progress, lines and costs.
func anyProject(t *rapid.T) earned.Project {
	const first = 20_000 // a day in 2024
	day := func(n int) civil.Date { return civil.FromDays(first + n) }
	p := earned.Project{Start: day(0), End: day(rapid.IntRange(0, 400).Draw(t, "end")), Calendar: weekdays}
	n := rapid.IntRange(0, 12).Draw(t, "tasks")
	for i := range n {
		start := rapid.IntRange(-5, 300).Draw(t, "start")
		x := earned.Task{ID: string(rune('a' + i)), Start: day(start), Finish: day(start + rapid.IntRange(0, 60).Draw(t, "length")),
			Minutes: rapid.Int64Range(0, 5000).Draw(t, "minutes")}
		if i > 0 && rapid.Bool().Draw(t, "child") {
			x.Parent = p.Tasks[rapid.IntRange(0, i-1).Draw(t, "parent")].ID
		}
		var on int
		for range rapid.IntRange(0, 4).Draw(t, "reports") {
			on += rapid.IntRange(1, 50).Draw(t, "on")
			x.Progress = append(x.Progress, earned.Report{Day: day(on), Percent: rapid.Int32Range(0, 100).Draw(t, "percent")})
		}
		p.Tasks = append(p.Tasks, x)
	}
	pack := func() string {
		if n == 0 || rapid.Bool().Draw(t, "none") {
			return ""
		}
		return p.Tasks[rapid.IntRange(0, n-1).Draw(t, "package")].ID
	}
	for range rapid.IntRange(0, 8).Draw(t, "lines") {
		p.Lines = append(p.Lines, earned.Line{Organisation: rapid.SampledFrom(partners).Draw(t, "partner"), WorkPackage: pack(),
			Amount: rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, 1<<59)).Draw(t, "amount")})
	}
	for range rapid.IntRange(0, 8).Draw(t, "costs") {
		p.Costs = append(p.Costs, earned.Cost{Organisation: rapid.SampledFrom(partners).Draw(t, "by"), WorkPackage: pack(),
			Booked: rapid.Int64Range(0, 1<<40).Draw(t, "cost"), BookedDay: day(rapid.IntRange(0, 400).Draw(t, "booked"))})
	}
	return p
}

// The value of a project is conserved: nothing of the budget gets lost or made on
// the way, at any level.
func TestValueIsConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProject(t)
		v := build(t, p)
		var total int64
		for _, l := range p.Lines {
			total += l.Amount
		}
		if bac, err := v.Budget(earned.Scope{}); err != nil || bac != total {
			t.Fatalf("BAC %d, %v; the lines sum to %d", bac, err, total)
		}
		days, err := v.Days(earned.Weekly)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := v.At(earned.Scope{}, days...)
		if err != nil {
			t.Fatal(err)
		}
		if end := whole[len(whole)-1]; end.Planned != total {
			t.Fatalf("planned at the end %d, want %d", end.Planned, total)
		}
		for i, x := range whole {
			if x.Earned > total || x.Earned < 0 || i > 0 && (x.Planned < whole[i-1].Planned || x.Booked < whole[i-1].Booked) {
				t.Fatalf("point %d: %+v after %+v, of %d", i, x, whole[max(i-1, 0)], total)
			}
		}
		sum := func(scopes []earned.Scope) []earned.Point {
			out := make([]earned.Point, len(days))
			for _, s := range scopes {
				part, err := v.At(s, days...)
				if err != nil {
					t.Fatal(err)
				}
				for i, x := range part {
					out[i].Day = x.Day
					out[i].Planned += x.Planned
					out[i].Earned += x.Earned
					out[i].Booked += x.Booked
				}
			}
			return out
		}
		var byPartner, byPackage []earned.Scope
		for _, x := range partners {
			byPartner = append(byPartner, earned.Scope{Organisations: []string{x}})
		}
		if got := sum(byPartner); !slices.Equal(got, whole) {
			t.Fatalf("partners sum to %v, want %v", got, whole)
		}
		// The packages at the top, and what has none, which is the rest.
		packaged := p
		packaged.Lines = slices.DeleteFunc(slices.Clone(p.Lines), func(l earned.Line) bool { return l.WorkPackage == "" })
		packaged.Costs = slices.DeleteFunc(slices.Clone(p.Costs), func(c earned.Cost) bool { return c.WorkPackage == "" })
		for _, x := range p.Tasks {
			if x.Parent == "" {
				byPackage = append(byPackage, earned.Scope{WorkPackage: x.ID})
			}
		}
		want, err := build(t, packaged).At(earned.Scope{}, days...)
		if err != nil {
			t.Fatal(err)
		}
		if got := sum(byPackage); len(byPackage) > 0 && !slices.Equal(got, want) {
			t.Fatalf("work packages sum to %v, want %v", got, want)
		}
	})
}

func TestApportionIsExactAndFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, 1<<62).Draw(t, "amount")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 20).Draw(t, "weights")
		parts := earned.Apportion(amount, weights)
		total := new(big.Int)
		for _, w := range weights {
			total.Add(total, big.NewInt(w))
		}
		var sum int64
		for i, x := range parts {
			sum += x
			if total.Sign() == 0 {
				continue
			}
			// Within one unit of the exact share.
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(amount), big.NewInt(weights[i])), total)
			if d := exact.Sub(exact, new(big.Rat).SetInt64(x)); d.Abs(d).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("part %d is %d, off by %s", i, x, d.FloatString(3))
			}
		}
		if sum != amount {
			t.Fatalf("%v sum to %d, want %d", parts, sum, amount)
		}
	})
}

// Earned schedule by search equals a plain walk over the working days.
func TestEarnedScheduleEqualsAPlainWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyProject(t)
		v := build(t, p)
		day := civil.FromDays(20_000 + rapid.IntRange(0, 400).Draw(t, "day"))
		got, err := v.EarnedSchedule(earned.Scope{}, day)
		if err != nil {
			t.Fatal(err)
		}
		bac, _ := v.Budget(earned.Scope{})
		if bac == 0 {
			if got.Earned != nil {
				t.Fatal("earned schedule of nothing")
			}
			return
		}
		all, err := v.Days(earned.Daily)
		if err != nil {
			t.Fatal(err)
		}
		curve, _ := v.At(earned.Scope{}, all...)
		now, _ := v.At(earned.Scope{}, day)
		var before, index int64
		var want *big.Rat
		for i, x := range curve {
			if weekdays(x.Day) == 0 && i < len(curve)-1 {
				continue
			}
			index++
			if x.Planned > now[0].Earned {
				want = new(big.Rat).Add(big.NewRat(index-1, 1), big.NewRat(now[0].Earned-before, x.Planned-before))
				break
			}
			if x.Planned == bac {
				want = big.NewRat(index, 1)
				break
			}
			before = x.Planned
		}
		if got.Earned.Cmp(want) != 0 {
			t.Fatalf("ES %v, want %v", got.Earned, want)
		}
	})
}

// A large plan is read within a bounded time: 10,000 tasks, 60 months of weeks.
func BenchmarkCurve(b *testing.B) {
	p := earned.Project{Start: "2026-01-05", End: "2030-12-31", Calendar: weekdays}
	p.Tasks = append(p.Tasks, earned.Task{ID: "top"})
	for i := range 10_000 {
		start := civil.Date("2026-01-05").AddDays(i % 1700)
		p.Tasks = append(p.Tasks, earned.Task{ID: string(start) + "/" + string(rune(i+1)), Parent: "top", Start: start, Finish: start.AddDays(30), Minutes: int64(480 * (i%20 + 1)),
			Progress: []earned.Report{{Day: start.AddDays(9), Percent: 50}}})
	}
	for i := range 100 {
		p.Lines = append(p.Lines, earned.Line{Organisation: partners[i%3], WorkPackage: "top", Amount: 1_000_00 + int64(i)})
	}
	for b.Loop() {
		v := build(b, p)
		days, err := v.Days(earned.Weekly)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := v.At(earned.Scope{}, days...); err != nil {
			b.Fatal(err)
		}
	}
}
