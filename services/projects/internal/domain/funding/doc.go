// Package funding is the arithmetic of a funded project's budget: simplified
// cost options, co-financing, and the matrix of line, partner, work package,
// period, category and fund.
//
// All amounts are minor units (cents) of one currency in 64 bits; a result that
// does not fit is ErrOverflow. There is no floating point. Every total is equal
// to the sum of its cells, at every level.
//
// The simplified cost options are those of Regulation (EU) 2021/1060 (common
// provisions), art. 53 to 56, and of Regulation (EU) 2021/1059 (Interreg), art.
// 38 to 44. How high a rate may be is not looked at here: that is for a
// funder's rule set.
package funding

import "github.com/trama-suite/trama/services/platform/money"

// ErrOverflow is the error of a result that does not fit in 64 bits.
var ErrOverflow = money.ErrOverflow

// Whole is all of an amount, in basis points.
const Whole = 10_000

// Own is the key of the partners' own contribution (cofinanziamento proprio),
// beside the keys of the funders.
const Own = "own"

// Part is the part of an amount that one key, a period or a fund, has.
type Part struct {
	Key    string
	Amount int64
}

// Share is the part of an amount that a fund pays, in basis points.
type Share struct {
	Fund        string
	BasisPoints int32
}

// Add returns a+b.
func Add(a, b int64) (int64, error) {
	sum, err := money.Add(money.Amount{Minor: a}, money.Amount{Minor: b})
	return sum.Minor, err
}

// Sum adds amounts.
func Sum(amounts ...int64) (int64, error) {
	var total int64
	for _, a := range amounts {
		var err error
		if total, err = Add(total, a); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// fraction is amount × num / den, rounded down.
func fraction(amount, num, den int64) (int64, error) {
	out, err := money.Fraction(money.Amount{Minor: amount}, num, den)
	return out.Minor, err
}

// UnitScale is how many parts a unit has: units are counted with four decimals.
const UnitScale = 10_000

// UnitCost is units, in ten-thousandths, at a price, rounded down (Regulation
// (EU) 2021/1060, art. 53(1)(b)). Neither may be negative.
func UnitCost(units, price int64) (int64, error) { return fraction(price, units, UnitScale) }

// FlatRate is a rate of a base, rounded down.
func FlatRate(base int64, basisPoints int32) (int64, error) {
	return fraction(base, int64(basisPoints), Whole)
}
