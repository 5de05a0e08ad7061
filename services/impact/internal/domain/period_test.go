package domain

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
)

func days() *rapid.Generator[Day] {
	return rapid.Custom(func(t *rapid.T) Day {
		base := time.Date(2023, 11, 1, 0, 0, 0, 0, time.UTC)
		if rapid.Bool().Draw(t, "first of month") {
			return DayOf(base.AddDate(0, rapid.IntRange(0, 40).Draw(t, "months"), 0))
		}
		return DayOf(base.AddDate(0, 0, rapid.IntRange(0, 1200).Draw(t, "days")))
	})
}

func periods() *rapid.Generator[Period] {
	return rapid.Custom(func(t *rapid.T) Period {
		a, b := days().Draw(t, "a"), days().Draw(t, "b")
		if a == b {
			return On(a)
		}
		return Period{min(a, b), max(a, b)}
	})
}

// Whatever was measured over a period within the one asked for is found in
// exactly one of the cells that are read, and anything else in none.
func TestCoverFindsEachPeriodOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asked := periods().Draw(t, "asked")
		cover := asked.Cover()
		for _, measured := range rapid.SliceOfN(periods(), 1, 20).Draw(t, "measured") {
			found := 0
			for _, c := range measured.Cells() {
				if slices.Contains(cover, c.Bucket) && asked.Contains(c.Period) {
					found++
				}
				if !c.Period.Contains(measured) {
					t.Fatalf("%v counts in the cell of %v", measured, c.Period)
				}
			}
			want := 0
			if asked.Contains(measured) {
				want = 1
			}
			if found != want {
				t.Fatalf("%v is found %d times in %v, want %d", measured, found, asked, want)
			}
		}
		seen := map[Bucket]bool{}
		for _, b := range cover {
			if seen[b] {
				t.Fatalf("%v reads %s twice", asked, b)
			}
			seen[b] = true
		}
	})
}

func TestCoverIsSmall(t *testing.T) {
	year := Period{20260101, 20270101}
	if got, want := year.Cover(), []Bucket{"=*", "2026"}; !slices.Equal(got, want) {
		t.Errorf("a year reads %v, want %v", got, want)
	}
	half := Period{20260101, 20260815}
	if got, want := half.Cover(), []Bucket{"=*", "=2026", "2026Q1", "2026Q2", "=2026Q3", "2026-07", "=2026-08"}; !slices.Equal(got, want) {
		t.Errorf("%v reads %v, want %v", half, got, want)
	}
	if got := len((Period{20200102, 20311230}).Cover()); got > 40 {
		t.Errorf("twelve years read %d buckets", got)
	}
}

func TestParsePeriod(t *testing.T) {
	if p, err := ParsePeriod("s", "2024-02-29", "e", "2024-03-01"); err != nil || p != (Period{20240229, 20240301}) || p.String() != "[2024-02-29, 2024-03-01)" {
		t.Errorf("leap day = %v, %v", p, err)
	}
	for _, c := range [][2]string{{"2023-02-29", "2024-01-01"}, {"2024-01-01", "2024-01-01"}, {"2024-01-02", "2024-01-01"},
		{"", "2024-01-01"}, {"2024-01-01", "tomorrow"}, {"0001-01-01", "2024-01-01"}, {"1900-01-01", "2024-01-01"}} {
		if p, err := ParsePeriod("s", c[0], "e", c[1]); errs.ReasonOf(err) != PeriodInvalid {
			t.Errorf("%v = %v, %v, want %s", c, p, err, PeriodInvalid)
		}
	}
}
