package exact

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// numbers draws values of every size, the edges of 64 bits among them.
func numbers() *rapid.Generator[Number] {
	edge := rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, 1 << 32, -(1 << 32)})
	part := rapid.OneOf(edge, rapid.Int64(), rapid.Int64Range(-1000, 1000))
	return rapid.Custom(func(t *rapid.T) Number {
		num, den := part.Draw(t, "num"), part.Draw(t, "den")
		if den == 0 {
			den = 1
		}
		n := Fraction(num, den)
		if rapid.Bool().Draw(t, "squared") {
			n = n.Mul(n)
		}
		return n
	})
}

// Every operation agrees with math/big, and its result is in the one form that
// the number has.
func TestAgreesWithBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		same := func(op string, got Number, want *big.Rat) {
			t.Helper()
			if got.rat().Cmp(want) != 0 {
				t.Fatalf("%v %s %v = %v, want %v", a, op, b, got, want)
			}
			if got.large == nil {
				num, den := got.parts()
				if den <= 0 || gcd(magnitude(num), uint64(den)) != 1 {
					t.Fatalf("%s gave %d/%d, not in lowest terms", op, num, den)
				}
			} else if got.large.Num().IsInt64() && got.large.Denom().IsInt64() {
				t.Fatalf("%s kept %v on the heap though it fits in 64 bits", op, got)
			}
			back, err := ParseAny(got.String())
			if err != nil || !back.Equal(got) {
				t.Fatalf("%v reads back as %v, %v", got, back, err)
			}
		}
		x, y := a.rat(), b.rat()
		same("+", a.Add(b), new(big.Rat).Add(x, y))
		same("-", a.Sub(b), new(big.Rat).Sub(x, y))
		same("×", a.Mul(b), new(big.Rat).Mul(x, y))
		if q, ok := a.Quo(b); ok {
			same("÷", q, new(big.Rat).Quo(x, y))
		} else if y.Sign() != 0 {
			t.Fatalf("%v ÷ %v refused", a, b)
		}
		if got := a.Cmp(b); got != x.Cmp(y) {
			t.Fatalf("%v Cmp %v = %d", a, b, got)
		}
		if a.Sign() != x.Sign() || a.IsInt() != x.IsInt() {
			t.Fatalf("%v: sign %d, whole %v", a, a.Sign(), a.IsInt())
		}
	})
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "75": "75", "-12.50": "-25/2", "0.1": "1/10", "1/3": "1/3", "-2/6": "-1/3", "007": "7",
		"123456789012345678901234567890.5": "246913578024691357802469135781/2",
	} {
		got, err := Parse(text)
		if err != nil || got.String() != want {
			t.Errorf("Parse(%q) = %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", ".5", "5.", "1e3", "+1", " 1", "1/0", "1/-2", "1/2/3", "0x10", "1,5", "½", "--1", "0.1234567890123456789", "1.5/2"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, got)
		}
	}
}

func TestDecimalRoundsHalfToEven(t *testing.T) {
	for _, c := range []struct {
		number string
		digits int
		want   string
	}{
		{"1/3", 4, "0.3333"}, {"2/3", 4, "0.6667"}, {"1/8", 2, "0.12"}, {"3/8", 2, "0.38"}, {"-1/8", 2, "-0.12"},
		{"5", 4, "5"}, {"-1/1000", 2, "0"}, {"1/2", 0, "0"}, {"3/2", 0, "2"}, {"1200/10", 3, "120"}, {"999/1000", 2, "1"},
	} {
		if got := MustParse(c.number).Decimal(c.digits); got != c.want {
			t.Errorf("%s to %d digits = %s, want %s", c.number, c.digits, got, c.want)
		}
	}
}

// The short way gives the same text as the long one.
func TestDecimalOfShortNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Fraction(rapid.Int64Range(-1_000_000, 1_000_000).Draw(t, "num"), rapid.SampledFrom([]int64{1, 2, 3, 4, 5, 8, 10, 60, 100, 1000, 1 << 20}).Draw(t, "den"))
		digits := rapid.IntRange(0, 12).Draw(t, "digits")
		long := Number{large: new(big.Rat).Set(n.rat())}
		if got, want := n.Decimal(digits), long.Decimal(digits); got != want {
			t.Fatalf("%v to %d digits = %s, want %s", n, digits, got, want)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("-12.5")
	f.Add("1/3")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s)
		if err != nil {
			return
		}
		if back, err := ParseAny(n.String()); err != nil || !back.Equal(n) {
			t.Fatalf("%q is %v, which reads back as %v, %v", s, n, back, err)
		}
	})
}
