package funding

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// CoFinance divides an amount, not negative, among funds: each one's share is
// rounded down, and the own contribution takes the remainder. The shares sum to
// Whole at most; one of Own may be among them and changes nothing. The parts are
// in the order of the shares, Own is the last; their sum is the amount.
func CoFinance(amount int64, shares []Share) ([]Part, error) {
	parts := make([]Part, 0, len(shares)+1)
	own := amount
	var sum int32
	for _, s := range shares {
		if sum += s.BasisPoints; s.BasisPoints < 0 || s.BasisPoints > Whole || sum > Whole {
			return nil, fmt.Errorf("funding: the share of %s makes %d basis points", s.Fund, sum)
		}
		if s.Fund == Own {
			continue
		}
		part, err := FlatRate(amount, s.BasisPoints)
		if err != nil {
			return nil, err
		}
		own -= part
		parts = append(parts, Part{Key: s.Fund, Amount: part})
	}
	return append(parts, Part{Key: Own, Amount: own}), nil
}

// Prorate divides a total, not negative, in proportion to weights, none of them
// negative, by the method of the largest remainder (Hamilton): each part is
// rounded down, and the units left over go to the largest fractions, to the
// earlier of equal ones. The sum of the parts is the total; a weight of zero
// gets nothing. Without any weight the total must be zero.
func Prorate(total int64, weights []int64) ([]int64, error) {
	whole, err := Sum(weights...)
	if err != nil {
		return nil, err
	}
	parts := make([]int64, len(weights))
	if total < 0 || slices.ContainsFunc(weights, func(w int64) bool { return w < 0 }) || whole == 0 && total > 0 {
		return nil, fmt.Errorf("funding: %d cannot be divided by the weights %v", total, weights)
	}
	if total == 0 {
		return parts, nil
	}
	type fraction struct {
		at   int
		rest uint64
	}
	var rests []fraction
	left := total
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		q, r := bits.Div64(hi, lo, uint64(whole)) // w ≤ whole: the quotient is at most total
		parts[i] = int64(q)
		left -= parts[i]
		if r > 0 {
			rests = append(rests, fraction{i, r})
		}
	}
	slices.SortStableFunc(rests, func(a, b fraction) int { return cmp.Compare(b.rest, a.rest) })
	for _, f := range rests[:left] {
		parts[f.at]++
	}
	return parts, nil
}

// Cut reduces amounts to what is available, pro rata (taglio proporzionale):
// where they sum to no more they stay as they are.
func Cut(available int64, amounts []int64) ([]int64, error) {
	total, err := Sum(amounts...)
	if err != nil {
		return nil, err
	}
	if total <= available {
		return slices.Clone(amounts), nil
	}
	return Prorate(available, amounts)
}

// Allot fills a table of which the sums of rows and columns are known, and equal
// together: row by row, each in proportion to what the columns still lack. No
// cell is negative, and all sums are exact.
func Allot(rows, columns []int64) ([][]int64, error) {
	have, err := Sum(rows...)
	if err != nil {
		return nil, err
	}
	lack := slices.Clone(columns)
	if want, err := Sum(columns...); err != nil || want != have {
		return nil, fmt.Errorf("funding: rows of %d do not fill columns of %d: %w", have, want, cmp.Or(err, ErrSums))
	}
	table := make([][]int64, len(rows))
	for i, row := range rows {
		if table[i], err = Prorate(row, lack); err != nil {
			return nil, err
		}
		for j, x := range table[i] {
			lack[j] -= x
		}
	}
	return table, nil
}
