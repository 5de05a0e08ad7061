package funding

import (
	"errors"
	"fmt"
	"slices"
)

// ErrSums is the error of parts that do not sum to their whole.
var ErrSums = errors.New("the sums differ")

// Category is a kind of cost, in the words of Regulation (EU) 2021/1059, art. 39
// to 44.
type Category string

// The categories.
const (
	Staff          Category = "STAFF"
	Office         Category = "OFFICE"
	Travel         Category = "TRAVEL"
	External       Category = "EXTERNAL"
	Equipment      Category = "EQUIPMENT"
	Infrastructure Category = "INFRASTRUCTURE"
	Other          Category = "OTHER"
)

// Base is what a flat rate is a part of.
type Base string

// The bases.
const (
	OfStaff  Base = "STAFF"
	OfDirect Base = "DIRECT"
)

// Line is a line of a budget as the arithmetic sees it.
type Line struct {
	Key         string // tells it from other lines; a total can be by it
	Partner     string
	Category    Category
	WorkPackage string // empty: none
	Amount      int64  // not negative; of a flat rate it is a result
	Flat        bool   // a flat rate of the partner's other lines
	Rate        int32  // of a flat rate, in basis points
	Base        Base   // of a flat rate; empty: the category's only one
	Periods     []Part // empty: not by period; of a flat rate they are a result
	Shares      []Share
}

// RateError tells of flat rates that contradict each other or other lines.
type RateError struct {
	Line int // index of the line that cannot be
	Text string
}

// Error says what is wrong.
func (e *RateError) Error() string { return e.Text }

// flatOrder is the order in which flat rates are computed: each is a part only of
// what comes before it. Office costs on direct costs include staff and travel.
var flatOrder = []Category{Staff, Travel, Office, Other}

// Settle sets the amounts of the flat rates among lines, and their periods. A
// rate is of the same partner's lines only. The result does not depend on the
// order of the lines. An error of type *RateError names the line.
func Settle(lines []Line) error {
	byPartner := map[string][]int{}
	var partners []string
	for i, l := range lines {
		if byPartner[l.Partner] == nil {
			partners = append(partners, l.Partner)
		}
		byPartner[l.Partner] = append(byPartner[l.Partner], i)
	}
	for _, p := range partners {
		if err := settle(lines, byPartner[p]); err != nil {
			return err
		}
	}
	return nil
}

// settle computes the flat rates of one partner, whose lines are given by index.
func settle(lines []Line, own []int) error {
	flat := map[Category]int{}
	for _, i := range own {
		if !lines[i].Flat {
			continue
		}
		if err := checkBase(lines[i], i); err != nil {
			return err
		}
		if first, twice := flat[lines[i].Category]; twice {
			if lines[i].Category == Office && lines[i].Base != lines[first].Base {
				return &RateError{i, "office costs are a flat rate of staff costs or of direct costs, not of both"}
			}
			return &RateError{i, fmt.Sprintf("the partner has a flat rate for %s already", lines[i].Category)}
		}
		flat[lines[i].Category] = i
	}
	if len(flat) == 0 {
		return nil
	}
	if i, with := flat[Other]; with && len(flat) > 1 {
		return &RateError{i, "a flat rate for all remaining costs excludes every other flat rate"}
	}
	for _, i := range own {
		if at, with := flat[lines[i].Category]; with && at != i {
			return &RateError{i, fmt.Sprintf("the partner's %s costs are a flat rate: there is no other line for them", lines[i].Category)}
		}
	}
	for _, category := range flatOrder {
		if i, with := flat[category]; with {
			if err := lines[i].takeRate(lines, own, baseOf(lines[i], flat)); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkBase(l Line, i int) error {
	var bases []Base
	switch l.Category {
	case Staff:
		bases = []Base{"", OfDirect}
	case Travel, Other:
		bases = []Base{"", OfStaff}
	case Office:
		bases = []Base{OfStaff, OfDirect}
	default:
		return &RateError{i, fmt.Sprintf("there is no flat rate for %s costs", l.Category)}
	}
	if slices.Contains(bases, l.Base) {
		return nil
	}
	if l.Base == "" {
		return &RateError{i, "must say whether office costs are a flat rate of staff costs or of direct costs"}
	}
	return &RateError{i, fmt.Sprintf("%s costs are no flat rate of %s costs", l.Category, l.Base)}
}

// baseOf lists the categories that a flat rate is a part of.
func baseOf(l Line, flat map[Category]int) []Category {
	switch {
	case l.Category == Staff:
		base := []Category{External, Equipment, Infrastructure}
		if _, rate := flat[Travel]; !rate { // that one is a part of staff costs itself
			base = append(base, Travel)
		}
		return base
	case l.Base == OfDirect:
		return []Category{Staff, Travel, External, Equipment, Infrastructure}
	default:
		return []Category{Staff}
	}
}

// takeRate computes one flat rate. Its periods follow those of its base, where
// all of that is planned by period.
func (l *Line) takeRate(lines []Line, own []int, categories []Category) error {
	var base int64
	by := map[string]int64{}
	whole := true
	for _, i := range own {
		x := &lines[i]
		if !slices.Contains(categories, x.Category) {
			continue
		}
		var err error
		if base, err = Add(base, x.Amount); err != nil {
			return err
		}
		whole = whole && (len(x.Periods) > 0 || x.Amount == 0)
		for _, p := range x.Periods {
			if by[p.Key], err = Add(by[p.Key], p.Amount); err != nil {
				return err
			}
		}
	}
	var err error
	if l.Amount, err = FlatRate(base, l.Rate); err != nil {
		return err
	}
	l.Periods = nil
	if !whole || base == 0 {
		return nil
	}
	keys := make([]string, 0, len(by))
	for key := range by {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	weights := make([]int64, len(keys))
	for i, key := range keys {
		weights[i] = by[key]
	}
	parts, err := Prorate(l.Amount, weights)
	for i, part := range parts {
		l.Periods = append(l.Periods, Part{Key: keys[i], Amount: part})
	}
	return err
}
