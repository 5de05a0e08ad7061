// Package portfolio keeps many projects in memory and sums them up: in all,
// where each counts once, and by groups, where a project may stand in several.
package portfolio

import (
	"errors"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/earned"
)

// Amount is one of the amounts that are summed.
type Amount int

// The amounts, in minor units.
const (
	Granted   Amount = iota // of all funders
	Planned                 // by the budget
	Spent                   // by the documents
	Reported                // in submitted claims
	Certified               // by control
	Paid                    // by the funders
	amounts
)

// Amounts are all of them.
type Amounts [amounts]int64

// Project is what a portfolio knows of a project.
type Project struct {
	ID, Lead, Currency, Phase, Territory string
	Start, End                           civil.Date
	// Unfinished is the earliest planned finish of a task that is not complete;
	// empty without one.
	Unfinished civil.Date
	// Open alerts, and how many of them are critical.
	Open, Critical               int64
	Funders, Programmes, Sectors []string
	Partners                     []Part
	Amounts                      Amounts
}

// Part is what of a project is a partner's.
type Part struct {
	Organisation string
	Amounts      Amounts
}

// Closed is the phase in which a project is neither late nor at risk.
const Closed = "CLOSED"

// Share gives each partner its part of the amounts that only the project has:
// by their budgets, largest remainder first, so that the parts sum to them.
func (p *Project) Share() {
	weights := make([]int64, len(p.Partners))
	for i, x := range p.Partners {
		weights[i] = x.Amounts[Planned]
	}
	for _, a := range []Amount{Granted, Reported, Certified, Paid} {
		for i, part := range earned.Apportion(p.Amounts[a], weights) {
			p.Partners[i].Amounts[a] = part
		}
	}
}

// Grouping is what projects are grouped by.
type Grouping string

// The groupings.
const (
	None           Grouping = ""
	ByTerritory    Grouping = "TERRITORY"
	ByFunder       Grouping = "FUNDER"
	BySector       Grouping = "SECTOR"
	ByPhase        Grouping = "PHASE"
	ByOrganisation Grouping = "ORGANISATION"
	ByProgramme    Grouping = "PROGRAMME"
	ByYear         Grouping = "YEAR"
)

// Overlap reports whether a project may stand in several groups.
func (g Grouping) Overlap() bool {
	return g == ByFunder || g == BySector || g == ByOrganisation || g == ByProgramme
}

// Money is a sum in one currency.
type Money struct {
	Currency string
	Amounts  Amounts
}

// Sum is a sum over projects.
type Sum struct {
	Projects, Late, AtRisk, Open int64
	Money                        []Money // in the order of currencies
}

// ErrOverflow says that a sum does not fit in 63 bits.
var ErrOverflow = errors.New("portfolio: a sum does not fit")

// Group is the part of a portfolio with one key.
type Group struct {
	Key string
	Sum
}

// Result is a portfolio.
type Result struct {
	Total  Sum
	Groups []Group // in the order of keys
}
