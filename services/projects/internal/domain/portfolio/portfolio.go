// Package portfolio sums up many projects at once: in all, where each counts
// once, and by groups, where a project may stand in several.
package portfolio

import (
	"errors"
	"math"
	"slices"
	"strings"

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

// Late reports whether the project's end or a task's finish is past and it is not
// closed.
func (p *Project) Late(today civil.Date) bool {
	return p.Phase != Closed && (p.End < today || p.Unfinished != "" && p.Unfinished < today)
}

// AtRisk reports whether a critical alert is open.
func (p *Project) AtRisk() bool { return p.Phase != Closed && p.Critical > 0 }

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

func (s *Sum) add(p *Project, amounts *Amounts, late bool) error {
	s.Projects++
	s.Open += p.Open
	if late {
		s.Late++
	}
	if p.AtRisk() {
		s.AtRisk++
	}
	i := 0
	for i < len(s.Money) && s.Money[i].Currency < p.Currency {
		i++
	}
	if i == len(s.Money) || s.Money[i].Currency != p.Currency {
		s.Money = slices.Insert(s.Money, i, Money{Currency: p.Currency})
	}
	into := &s.Money[i].Amounts
	for a, x := range amounts {
		if x > math.MaxInt64-into[a] {
			return ErrOverflow
		}
		into[a] += x
	}
	return nil
}

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

// Match chooses projects.
type Match func(p *Project, today civil.Date) bool

// Query sums up the projects that match, as they stand on a day.
func Query(all func(yield func(*Project) bool), match Match, by Grouping, today civil.Date) (Result, error) {
	var out Result
	groups := map[string]*Sum{}
	group := func(key string) *Sum {
		s := groups[key]
		if s == nil {
			s = &Sum{}
			groups[key] = s
		}
		return s
	}
	for p := range all {
		if !match(p, today) {
			continue
		}
		late := p.Late(today)
		if err := out.Total.add(p, &p.Amounts, late); err != nil {
			return out, err
		}
		if by == ByOrganisation {
			for i := range p.Partners {
				if err := group(p.Partners[i].Organisation).add(p, &p.Partners[i].Amounts, late); err != nil {
					return out, err
				}
			}
			continue
		}
		var one [1]string
		for _, key := range p.keys(by, one[:]) {
			if err := group(key).add(p, &p.Amounts, late); err != nil {
				return out, err
			}
		}
	}
	for key, s := range groups {
		out.Groups = append(out.Groups, Group{key, *s})
	}
	slices.SortFunc(out.Groups, func(a, b Group) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

var nothing = []string{""}

// keys are the groups in which a project stands; one is room for a single one.
func (p *Project) keys(by Grouping, one []string) []string {
	several := func(keys []string) []string {
		if len(keys) == 0 {
			return nothing
		}
		return keys
	}
	switch by {
	case ByFunder:
		return several(p.Funders)
	case BySector:
		return several(p.Sectors)
	case ByProgramme:
		return several(p.Programmes)
	case ByTerritory:
		one[0] = p.Territory
	case ByPhase:
		one[0] = p.Phase
	case ByYear:
		one[0] = string(p.Start[:4])
	default:
		return nil
	}
	return one
}
