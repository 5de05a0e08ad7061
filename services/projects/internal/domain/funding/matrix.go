package funding

import (
	"cmp"
	"fmt"
	"slices"
)

// Cell is one amount of the matrix. An empty period or work package is what is
// planned for none.
type Cell struct {
	Line        string
	Partner     string
	Category    Category
	WorkPackage string
	Period      string
	Fund        string
	Amount      int64
}

// Dimension is what the matrix can be summed up by.
type Dimension func(Cell) string

// The dimensions.
var (
	ByLine        Dimension = func(c Cell) string { return c.Line }
	ByPartner     Dimension = func(c Cell) string { return c.Partner }
	ByCategory    Dimension = func(c Cell) string { return string(c.Category) }
	ByWorkPackage Dimension = func(c Cell) string { return c.WorkPackage }
	ByPeriod      Dimension = func(c Cell) string { return c.Period }
	ByFund        Dimension = func(c Cell) string { return c.Fund }
)

// Matrix divides settled lines by period and fund. What a fund pays of a line is
// its share rounded down; over the periods it is spread so that each period's
// funds sum to the period's amount. Cells of zero are left out.
func Matrix(lines []Line) ([]Cell, error) {
	var out []Cell
	for _, l := range lines {
		funds, err := CoFinance(l.Amount, l.Shares)
		if err != nil {
			return nil, err
		}
		periods := l.Periods
		if len(periods) == 0 {
			periods = []Part{{Amount: l.Amount}}
		}
		table, err := Allot(amounts(periods), amounts(funds))
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", l.Key, err)
		}
		for i, row := range table {
			for j, amount := range row {
				if amount != 0 {
					out = append(out, Cell{l.Key, l.Partner, l.Category, l.WorkPackage, periods[i].Key, funds[j].Key, amount})
				}
			}
		}
	}
	return out, nil
}

func amounts(parts []Part) []int64 {
	out := make([]int64, len(parts))
	for i, p := range parts {
		out[i] = p.Amount
	}
	return out
}

// Totals sums cells up by a dimension, in the order of its keys.
func Totals(cells []Cell, by Dimension) ([]Part, error) {
	sums := map[string]int64{}
	for _, c := range cells {
		var err error
		key := by(c)
		if sums[key], err = Add(sums[key], c.Amount); err != nil {
			return nil, err
		}
	}
	out := make([]Part, 0, len(sums))
	for key, sum := range sums {
		out = append(out, Part{key, sum})
	}
	slices.SortFunc(out, func(a, b Part) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}
