// Package exact is arithmetic on rational numbers without any rounding. Figures
// that are merged in whatever order must come out the same to the last digit,
// which floating point cannot promise. Numbers whose numerator and denominator
// fit in 64 bits, nearly all there are, never touch the heap.
package exact

import (
	"math"
	"math/big"
	"math/bits"
)

// Number is a rational number. The zero value is 0. Numbers are values: no
// operation changes its operands. Compare them with Cmp or Equal, not ==.
type Number struct {
	// num/den in lowest terms with den > 0, unless large is set. den 0 stands for
	// 1, so that the zero value is 0.
	num, den int64
	// large holds what does not fit in 64 bits, and only that. Never changed.
	large *big.Rat
}

// Int returns the whole number n.
func Int(n int64) Number { return Number{num: n, den: 1} }

// Fraction returns num/den in lowest terms. It panics where den is 0, as
// integer division does.
func Fraction(num, den int64) Number {
	if den == 0 {
		panic("exact: denominator is 0")
	}
	if num == math.MinInt64 || den == math.MinInt64 {
		return reduce(new(big.Rat).SetFrac64(num, den))
	}
	if den < 0 {
		num, den = -num, -den
	}
	if g := gcd(magnitude(num), uint64(den)); g > 1 {
		num, den = num/int64(g), den/int64(g)
	}
	return Number{num: num, den: den}
}

// reduce returns r as a Number: small where it fits.
func reduce(r *big.Rat) Number {
	if r.Num().IsInt64() && r.Denom().IsInt64() {
		return Number{num: r.Num().Int64(), den: r.Denom().Int64()}
	}
	return Number{large: r}
}

// parts returns numerator and denominator of a small number.
func (a Number) parts() (num, den int64) {
	if a.den == 0 {
		return a.num, 1
	}
	return a.num, a.den
}

// rat returns the number as a big.Rat that must not be changed.
func (a Number) rat() *big.Rat {
	if a.large != nil {
		return a.large
	}
	num, den := a.parts()
	return big.NewRat(num, den)
}

// Add returns a+b.
func (a Number) Add(b Number) Number {
	if a.large == nil && b.large == nil {
		an, ad := a.parts()
		bn, bd := b.parts()
		if ad == bd {
			if sum, ok := add64(an, bn); ok {
				if ad == 1 {
					return Number{num: sum, den: 1}
				}
				if sum != math.MinInt64 {
					return Fraction(sum, ad)
				}
			}
		} else if n, d, ok := addFractions(an, ad, bn, bd); ok {
			return Fraction(n, d)
		}
	}
	return reduce(new(big.Rat).Add(a.rat(), b.rat()))
}

// addFractions returns an/ad + bn/bd, not in lowest terms, where it fits.
func addFractions(an, ad, bn, bd int64) (num, den int64, ok bool) {
	g := int64(gcd(uint64(ad), uint64(bd)))
	left, ok1 := mul64(an, bd/g)
	right, ok2 := mul64(bn, ad/g)
	den, ok3 := mul64(ad/g, bd)
	num, ok4 := add64(left, right)
	return num, den, ok1 && ok2 && ok3 && ok4 && num != math.MinInt64
}

// Neg returns -a.
func (a Number) Neg() Number {
	if a.large == nil && a.num != math.MinInt64 {
		return Number{num: -a.num, den: a.den}
	}
	return reduce(new(big.Rat).Neg(a.rat()))
}

// Sub returns a-b.
func (a Number) Sub(b Number) Number { return a.Add(b.Neg()) }

// Mul returns a×b.
func (a Number) Mul(b Number) Number {
	if a.large == nil && b.large == nil {
		an, ad := a.parts()
		bn, bd := b.parts()
		n, ok1 := mul64(an, bn)
		d, ok2 := mul64(ad, bd)
		if ok1 && ok2 && n != math.MinInt64 {
			return Fraction(n, d)
		}
	}
	return reduce(new(big.Rat).Mul(a.rat(), b.rat()))
}

// Quo returns a÷b, and false where b is 0.
func (a Number) Quo(b Number) (Number, bool) {
	if b.Sign() == 0 {
		return Number{}, false
	}
	if b.large == nil {
		bn, bd := b.parts()
		if bn != math.MinInt64 {
			return a.Mul(Fraction(bd, bn)), true
		}
	}
	return reduce(new(big.Rat).Quo(a.rat(), b.rat())), true
}

// Sign returns -1, 0 or 1.
func (a Number) Sign() int {
	switch {
	case a.large != nil:
		return a.large.Sign()
	case a.num < 0:
		return -1
	case a.num > 0:
		return 1
	}
	return 0
}

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Number) Cmp(b Number) int {
	if a.large == nil && b.large == nil {
		an, ad := a.parts()
		bn, bd := b.parts()
		left, ok1 := mul64(an, bd)
		right, ok2 := mul64(bn, ad)
		if ok1 && ok2 {
			switch {
			case left < right:
				return -1
			case left > right:
				return 1
			}
			return 0
		}
	}
	return a.rat().Cmp(b.rat())
}

// Equal reports whether a and b are the same number.
func (a Number) Equal(b Number) bool { return a.Cmp(b) == 0 }

// IsInt reports whether a is a whole number.
func (a Number) IsInt() bool {
	if a.large != nil {
		return a.large.IsInt()
	}
	_, den := a.parts()
	return den == 1
}

func add64(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (a >= 0) != (b >= 0) || (sum >= 0) == (a >= 0)
}

func mul64(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if (a < 0) != (b < 0) {
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
