package funding_test

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// floor is a rational number rounded down, the plain reference of every rule.
func floor(x *big.Rat) int64 {
	return new(big.Int).Div(x.Num(), x.Denom()).Int64()
}

func rat(a, b int64) *big.Rat { return big.NewRat(a, b) }

func times(amount int64, num, den int64) int64 {
	return floor(new(big.Rat).Mul(rat(amount, 1), rat(num, den)))
}

var categories = []funding.Category{
	funding.Staff, funding.Travel, funding.Office, funding.External, funding.Equipment, funding.Infrastructure, funding.Other,
}

// randomLines draws a budget of up to three partners whose flat rates do not
// contradict each other.
func randomLines(t *rapid.T) []funding.Line {
	var lines []funding.Line
	add := func(l funding.Line) {
		l.Key = string(rune('a'+len(lines)/26)) + string(rune('a'+len(lines)%26))
		l.WorkPackage = rapid.SampledFrom([]string{"", "w1", "w2"}).Draw(t, "package")
		l.Shares = shares(t)
		lines = append(lines, l)
	}
	for _, partner := range []string{"p1", "p2", "p3"}[:rapid.IntRange(1, 3).Draw(t, "partners")] {
		flat := map[funding.Category]funding.Base{}
		switch rapid.IntRange(0, 2).Draw(t, "rates") {
		case 1:
			flat[funding.Other] = funding.OfStaff
		case 2:
			if rapid.Bool().Draw(t, "staff") {
				flat[funding.Staff] = rapid.SampledFrom([]funding.Base{"", funding.OfDirect}).Draw(t, "base")
			}
			if rapid.Bool().Draw(t, "travel") {
				flat[funding.Travel] = ""
			}
			if rapid.Bool().Draw(t, "office") {
				flat[funding.Office] = rapid.SampledFrom([]funding.Base{funding.OfStaff, funding.OfDirect}).Draw(t, "base")
			}
		}
		for _, category := range categories {
			if base, rate := flat[category]; rate {
				add(funding.Line{Partner: partner, Category: category, Flat: true, Base: base, Rate: rapid.Int32Range(1, 10_000).Draw(t, "rate")})
				continue
			}
			for range rapid.IntRange(0, 2).Draw(t, "lines") {
				l := funding.Line{Partner: partner, Category: category}
				if rapid.Bool().Draw(t, "by period") {
					for _, key := range []string{"m1", "m2", "m3"}[:rapid.IntRange(1, 3).Draw(t, "periods")] {
						part := amount().Draw(t, "part")
						l.Periods = append(l.Periods, funding.Part{Key: key, Amount: part})
						l.Amount += part
					}
				} else {
					l.Amount = amount().Draw(t, "amount")
				}
				add(l)
			}
		}
	}
	return lines
}

func amount() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(0, 1_000_000), rapid.Int64Range(0, 1_000_000_000_000_000))
}

func shares(t *rapid.T) []funding.Share {
	var out []funding.Share
	left := int32(funding.Whole)
	for _, fund := range []string{"f1", "f2", "f3"}[:rapid.IntRange(0, 3).Draw(t, "funds")] {
		share := rapid.Int32Range(0, left).Draw(t, "share")
		left -= share
		out = append(out, funding.Share{Fund: fund, BasisPoints: share})
	}
	if rapid.Bool().Draw(t, "own") {
		out = append(out, funding.Share{Fund: funding.Own, BasisPoints: left})
	}
	return out
}

// reference computes the flat rates of one partner with rational numbers, as the
// regulations say them.
func reference(lines []funding.Line, partner string) map[funding.Category]int64 {
	sum := map[funding.Category]int64{}
	flat := map[funding.Category]funding.Line{}
	for _, l := range lines {
		switch {
		case l.Partner != partner:
		case l.Flat:
			flat[l.Category] = l
		default:
			sum[l.Category] += l.Amount
		}
	}
	direct := func() int64 {
		return sum[funding.Travel] + sum[funding.External] + sum[funding.Equipment] + sum[funding.Infrastructure]
	}
	if l, ok := flat[funding.Staff]; ok { // travel as a flat rate is still zero here
		sum[funding.Staff] = times(direct(), int64(l.Rate), 10_000)
	}
	if l, ok := flat[funding.Travel]; ok {
		sum[funding.Travel] = times(sum[funding.Staff], int64(l.Rate), 10_000)
	}
	if l, ok := flat[funding.Office]; ok {
		base := sum[funding.Staff]
		if l.Base == funding.OfDirect {
			base += direct()
		}
		sum[funding.Office] = times(base, int64(l.Rate), 10_000)
	}
	if l, ok := flat[funding.Other]; ok {
		sum[funding.Other] = times(sum[funding.Staff], int64(l.Rate), 10_000)
	}
	return sum
}

func TestFlatRatesAreThoseOfTheRegulations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := randomLines(t)
		if err := funding.Settle(lines); err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.Flat && l.Amount != reference(lines, l.Partner)[l.Category] {
				t.Fatalf("%+v: want %d", l, reference(lines, l.Partner)[l.Category])
			}
			if len(l.Periods) > 0 && sumOf(l.Periods) != l.Amount {
				t.Fatalf("%+v: the periods sum to %d", l, sumOf(l.Periods))
			}
		}
	})
}

func sumOf(parts []funding.Part) int64 {
	var sum int64
	for _, p := range parts {
		sum += p.Amount
	}
	return sum
}

func TestTheOrderOfLinesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := randomLines(t)
		shuffled := rapid.Permutation(lines).Draw(t, "order")
		if err := errors.Join(funding.Settle(lines), funding.Settle(shuffled)); err != nil {
			t.Fatal(err)
		}
		byKey := func(a, b funding.Line) int {
			if a.Key < b.Key {
				return -1
			}
			return 1
		}
		slices.SortFunc(lines, byKey)
		slices.SortFunc(shuffled, byKey)
		for i := range lines {
			if lines[i].Amount != shuffled[i].Amount || !slices.Equal(lines[i].Periods, shuffled[i].Periods) {
				t.Fatalf("%+v and %+v", lines[i], shuffled[i])
			}
		}
		again := slices.Clone(lines)
		if err := funding.Settle(again); err != nil {
			t.Fatal(err)
		}
		for i := range lines {
			if lines[i].Amount != again[i].Amount {
				t.Fatalf("settling twice: %+v and %+v", lines[i], again[i])
			}
		}
	})
}

// The sum of the cells is the total at every level.
func TestTheMatrixConservesCents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := randomLines(t)
		if err := funding.Settle(lines); err != nil {
			t.Fatal(err)
		}
		cells, err := funding.Matrix(lines)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]map[string]int64{}
		note := func(level, key string, amount int64) {
			if want[level] == nil {
				want[level] = map[string]int64{}
			}
			want[level][key] += amount
		}
		var total int64
		for _, l := range lines {
			total += l.Amount
			note("line", l.Key, l.Amount)
			note("partner", l.Partner, l.Amount)
			note("category", string(l.Category), l.Amount)
			note("package", l.WorkPackage, l.Amount)
			if len(l.Periods) == 0 {
				note("period", "", l.Amount)
			}
			for _, p := range l.Periods {
				note("period", p.Key, p.Amount)
			}
			own := l.Amount
			for _, s := range l.Shares {
				if s.Fund != funding.Own {
					part := times(l.Amount, int64(s.BasisPoints), 10_000)
					note("fund", s.Fund, part)
					own -= part
				}
			}
			note("fund", funding.Own, own)
		}
		for level, by := range map[string]funding.Dimension{"line": funding.ByLine, "partner": funding.ByPartner, "category": funding.ByCategory,
			"package": funding.ByWorkPackage, "period": funding.ByPeriod, "fund": funding.ByFund} {
			got, err := funding.Totals(cells, by)
			if err != nil {
				t.Fatal(err)
			}
			if sumOf(got) != total {
				t.Fatalf("by %s: %d, want %d", level, sumOf(got), total)
			}
			for _, p := range got {
				if want[level][p.Key] != p.Amount {
					t.Fatalf("by %s: %s is %d, want %d", level, p.Key, p.Amount, want[level][p.Key])
				}
			}
		}
		for _, c := range cells {
			if c.Amount < 0 {
				t.Fatalf("a negative cell: %+v", c)
			}
		}
	})
}
