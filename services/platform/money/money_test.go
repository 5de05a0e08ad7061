package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// Every operation must give what arbitrary precision gives, or say that it
// does not fit.
func TestArithmeticAgainstBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edge := rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1})
		any64 := rapid.OneOf(edge, rapid.Int64())
		a, b := any64.Draw(t, "a"), any64.Draw(t, "b")
		x, y := Amount{a, "EUR"}, Amount{b, "EUR"}
		check(t, "add", new(big.Int).Add(big.NewInt(a), big.NewInt(b)))(Add(x, y))
		if b != math.MinInt64 { // its negation does not fit, so Sub refuses it
			check(t, "sub", new(big.Int).Sub(big.NewInt(a), big.NewInt(b)))(Sub(x, y))
		}
		check(t, "sum", new(big.Int).Add(big.NewInt(a), big.NewInt(b)))(Sum("EUR", x, y))

		num := rapid.Int64Range(0, math.MaxInt64).Draw(t, "num")
		den := rapid.Int64Range(1, math.MaxInt64).Draw(t, "den")
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(num))
		floor, _ := new(big.Int).DivMod(product, big.NewInt(den), new(big.Int)) // Euclidean: floor for den > 0
		check(t, "fraction", floor)(Fraction(x, num, den))
	})
}

func check(t *rapid.T, what string, want *big.Int) func(Amount, error) {
	return func(got Amount, err error) {
		t.Helper()
		switch {
		case err == nil && big.NewInt(got.Minor).Cmp(want) == 0 && got.Currency == "EUR":
		case errors.Is(err, ErrOverflow) && (!want.IsInt64() || want.Int64() == math.MinInt64):
		default:
			t.Fatalf("%s: %v, %v; want %v", what, got, err, want)
		}
	}
}

// Shares rounded down never give out more than there is, and what is left over
// is less than one minor unit for each share.
func TestSharesNeverExceedTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := Amount{rapid.Int64Range(0, 1e15).Draw(t, "whole"), "EUR"}
		weights := rapid.SliceOfN(rapid.Int64Range(0, 10_000), 1, 8).Draw(t, "weights")
		var total int64
		for _, w := range weights {
			total += w
		}
		if total == 0 {
			return
		}
		given := Amount{Currency: "EUR"}
		for _, w := range weights {
			share, err := Fraction(whole, w, total)
			if err != nil {
				t.Fatal(err)
			}
			if given, err = Add(given, share); err != nil {
				t.Fatal(err)
			}
		}
		if left := whole.Minor - given.Minor; left < 0 || left >= int64(len(weights)) {
			t.Fatalf("%d of %d given out", given.Minor, whole.Minor)
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	eur, sek := Amount{1, "EUR"}, Amount{1, "SEK"}
	if _, err := Add(eur, sek); !errors.Is(err, ErrCurrency) {
		t.Errorf("two currencies: %v", err)
	}
	if _, err := Sum("SEK", eur); !errors.Is(err, ErrCurrency) {
		t.Errorf("a sum in another currency: %v", err)
	}
	if _, err := Sub(eur, Amount{math.MinInt64, "EUR"}); !errors.Is(err, ErrOverflow) {
		t.Errorf("the smallest amount: %v", err)
	}
	for _, f := range [][2]int64{{-1, 1}, {1, 0}, {1, -1}} {
		if _, err := Fraction(eur, f[0], f[1]); err == nil {
			t.Errorf("the fraction %d/%d", f[0], f[1])
		}
	}
}
