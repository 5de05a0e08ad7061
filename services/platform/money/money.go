// Package money is exact arithmetic on amounts in minor units. There is no
// floating point in it: a sum that does not fit is an error, and a division
// says how it rounds.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// Amount is a sum of money in the minor unit of its currency (cents for EUR).
type Amount struct {
	Minor    int64
	Currency string // ISO 4217, for example "EUR"
}

// Errors of arithmetic.
var (
	ErrOverflow = errors.New("amount does not fit in 64 bits")
	ErrCurrency = errors.New("amounts are in different currencies")
)

// Add returns a+b.
func Add(a, b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrCurrency, a.Currency, b.Currency)
	}
	sum := a.Minor + b.Minor
	if (a.Minor > 0 && b.Minor > 0 && sum < 0) || (a.Minor < 0 && b.Minor < 0 && sum >= 0) {
		return Amount{}, ErrOverflow
	}
	return Amount{Minor: sum, Currency: a.Currency}, nil
}

// Sub returns a-b.
func Sub(a, b Amount) (Amount, error) {
	if b.Minor == math.MinInt64 {
		return Amount{}, ErrOverflow
	}
	return Add(a, Amount{Minor: -b.Minor, Currency: b.Currency})
}

// Sum adds amounts of one currency; an empty list is zero in that currency.
func Sum(currency string, amounts ...Amount) (Amount, error) {
	total := Amount{Currency: currency}
	for _, a := range amounts {
		var err error
		if total, err = Add(total, a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// Fraction returns a × num / den rounded down to the minor unit (towards minus
// infinity), with an exact 128-bit product. num must not be negative and den
// must be positive.
func Fraction(a Amount, num, den int64) (Amount, error) {
	if num < 0 || den <= 0 {
		return Amount{}, fmt.Errorf("fraction %d/%d: want num ≥ 0 and den > 0", num, den)
	}
	negative := a.Minor < 0
	magnitude := uint64(a.Minor)
	if negative {
		magnitude = -magnitude
	}
	hi, lo := bits.Mul64(magnitude, uint64(num))
	if hi >= uint64(den) {
		return Amount{}, ErrOverflow
	}
	q, r := bits.Div64(hi, lo, uint64(den))
	if negative && r > 0 {
		q++
	}
	if q > math.MaxInt64 {
		return Amount{}, ErrOverflow
	}
	minor := int64(q)
	if negative {
		minor = -minor
	}
	return Amount{Minor: minor, Currency: a.Currency}, nil
}
