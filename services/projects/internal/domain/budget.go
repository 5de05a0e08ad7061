package domain

import (
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/money"
)

// Totals are the sums over a project's lines. They are kept with the project and
// change with every line and expenditure.
type Totals struct{ Planned, Spent money.Amount }

// add is a sum whose overflow is told of the field that caused it.
func add(path string, total, amount money.Amount) (money.Amount, error) {
	sum, err := money.Add(total, amount)
	if err != nil {
		return money.Amount{}, errs.InvalidField(AmountWrong, path, "the total would not fit: %s", err)
	}
	return sum, nil
}

// exchange puts one amount of a total in the place of another.
func exchange(path string, total, from, to money.Amount) (money.Amount, error) {
	rest, err := money.Sub(total, from)
	if err != nil {
		return money.Amount{}, err
	}
	return add(path, rest, to)
}
