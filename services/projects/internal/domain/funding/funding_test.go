package funding_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// The example of an Interreg partner: staff as 20 % of the other direct costs,
// travel as 15 % and office as 15 % of staff.
func TestAWorkedBudget(t *testing.T) {
	lines := []funding.Line{
		{Key: "office", Category: funding.Office, Flat: true, Rate: 1_500, Base: funding.OfStaff},
		{Key: "travel", Category: funding.Travel, Flat: true, Rate: 1_500},
		{Key: "staff", Category: funding.Staff, Flat: true, Rate: 2_000},
		{Key: "experts", Category: funding.External, Amount: 10_000_03, Periods: []funding.Part{{Key: "a", Amount: 3_000_01}, {Key: "b", Amount: 7_000_02}}},
		{Key: "works", Category: funding.Infrastructure, Amount: 5_000_00, Periods: []funding.Part{{Key: "b", Amount: 5_000_00}}},
	}
	if err := funding.Settle(lines); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{450_00, 450_00, 3_000_00} { // 3,000.006 and 450.00 rounded down
		if lines[i].Amount != want {
			t.Errorf("%s: %d, want %d", lines[i].Key, lines[i].Amount, want)
		}
	}
	if got := lines[2].Periods; len(got) != 2 || got[0].Amount != 600_00 || got[1].Amount != 2_400_00 {
		t.Errorf("staff by period: %v", got)
	}
}

func TestFlatRatesThatContradict(t *testing.T) {
	rate := func(c funding.Category, base funding.Base) funding.Line {
		return funding.Line{Category: c, Flat: true, Rate: 1_000, Base: base}
	}
	cost := func(c funding.Category) funding.Line { return funding.Line{Category: c, Amount: 100} }
	for name, c := range map[string]struct {
		lines []funding.Line
		at    int // -1: fine
	}{
		"two office bases":             {[]funding.Line{rate(funding.Office, funding.OfStaff), rate(funding.Office, funding.OfDirect)}, 1},
		"the same rate twice":          {[]funding.Line{rate(funding.Travel, ""), cost(funding.Staff), rate(funding.Travel, funding.OfStaff)}, 2},
		"other with travel":            {[]funding.Line{rate(funding.Other, ""), rate(funding.Travel, "")}, 0},
		"a real cost beside a rate":    {[]funding.Line{rate(funding.Travel, ""), cost(funding.Travel)}, 1},
		"a rate of works":              {[]funding.Line{rate(funding.Infrastructure, "")}, 0},
		"travel of direct costs":       {[]funding.Line{rate(funding.Travel, funding.OfDirect)}, 0},
		"staff of staff":               {[]funding.Line{rate(funding.Staff, funding.OfStaff)}, 0},
		"office of nothing":            {[]funding.Line{rate(funding.Office, "")}, 0},
		"two partners, two bases":      {[]funding.Line{rate(funding.Office, funding.OfStaff), {Partner: "b", Category: funding.Office, Flat: true, Rate: 1, Base: funding.OfDirect}}, -1},
		"other alone with real travel": {[]funding.Line{rate(funding.Other, ""), cost(funding.Travel), cost(funding.Staff)}, -1},
	} {
		err := funding.Settle(c.lines)
		e, wrong := errors.AsType[*funding.RateError](err)
		if wrong != (c.at >= 0) || wrong && e.Line != c.at {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnitCostAgainstRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.OneOf(rapid.Int64Range(0, 100_000), rapid.Int64Range(0, 10_000_000_000_000)).Draw(t, "units")
		price := amount().Draw(t, "price")
		want := new(big.Int).Mul(big.NewInt(units), big.NewInt(price))
		want.Div(want, big.NewInt(10_000))
		got, err := funding.UnitCost(units, price)
		if want.IsInt64() != (err == nil) || err == nil && got != want.Int64() {
			t.Fatalf("%d, %v; want %s", got, err, want)
		}
		if err != nil && !errors.Is(err, funding.ErrOverflow) {
			t.Fatal(err)
		}
	})
}

func TestSumsThatDoNotFit(t *testing.T) {
	over := []funding.Line{{Category: funding.External, Amount: math.MaxInt64}, {Category: funding.Equipment, Amount: 1}, {Category: funding.Staff, Flat: true, Rate: 1}}
	if err := funding.Settle(over); !errors.Is(err, funding.ErrOverflow) {
		t.Errorf("a base too large: %v", err)
	}
	if _, err := funding.Totals([]funding.Cell{{Amount: math.MaxInt64}, {Amount: 1}}, funding.ByFund); !errors.Is(err, funding.ErrOverflow) {
		t.Errorf("a total too large: %v", err)
	}
	if _, err := funding.Cut(5, []int64{math.MaxInt64, 1}); !errors.Is(err, funding.ErrOverflow) {
		t.Errorf("a cut of too much: %v", err)
	}
	if _, err := funding.CoFinance(100, []funding.Share{{Fund: "a", BasisPoints: 9_000}, {Fund: "b", BasisPoints: 1_001}}); err == nil {
		t.Error("shares of more than the whole")
	}
	if _, err := funding.Allot([]int64{1}, []int64{2}); !errors.Is(err, funding.ErrSums) {
		t.Errorf("sums that differ: %v", err)
	}
}

func TestProrateConservesAndIsFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(amount(), 1, 12).Draw(t, "weights")
		total := amount().Draw(t, "total")
		whole := new(big.Int)
		for _, w := range weights {
			whole.Add(whole, big.NewInt(w))
		}
		parts, err := funding.Prorate(total, weights)
		if whole.Sign() == 0 {
			if (err == nil) != (total == 0) {
				t.Fatalf("no weights: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for i, p := range parts {
			sum += p
			quota := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(total), big.NewInt(weights[i])), whole)
			if low := floor(quota); p != low && (p != low+1 || quota.IsInt()) {
				t.Fatalf("part %d is %d, quota %s", i, p, quota.FloatString(3))
			}
		}
		if sum != total {
			t.Fatalf("%v sum to %d, want %d", parts, sum, total)
		}
	})
}

func TestCutsNeverRaise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.SliceOfN(amount(), 0, 8).Draw(t, "wanted")
		available := amount().Draw(t, "available")
		got, err := funding.Cut(available, wanted)
		if err != nil {
			t.Fatal(err)
		}
		var sum, want int64
		for i := range got {
			sum, want = sum+got[i], want+wanted[i]
			if got[i] > wanted[i] {
				t.Fatalf("%v cut to %v", wanted, got)
			}
		}
		if sum != min(want, available) {
			t.Fatalf("%d given of %d available and %d wanted", sum, available, want)
		}
	})
}

func TestFlexibilityNeedsAnOffset(t *testing.T) {
	within, flexible, beyond := funding.Within, funding.Flexible, funding.Beyond
	for name, c := range map[string]struct {
		changes []funding.Change
		want    []funding.Stand
	}{
		"as approved":      {[]funding.Change{{100, 100}, {100, 0}}, []funding.Stand{within, within}},
		"offset":           {[]funding.Change{{100, 120}, {100, 80}}, []funding.Stand{flexible, within}},
		"a cent too much":  {[]funding.Change{{100, 121}, {100, 79}}, []funding.Stand{beyond, within}},
		"not offset":       {[]funding.Change{{100, 110}, {100, 91}}, []funding.Stand{beyond, within}},
		"never approved":   {[]funding.Change{{0, 1}, {100, 80}}, []funding.Stand{beyond, within}},
		"room rounds down": {[]funding.Change{{4, 5}, {4, 3}}, []funding.Stand{beyond, within}},
	} {
		got, err := funding.Flexibility(c.changes, 2_000)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	}
}
