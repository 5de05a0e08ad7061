package domain

import (
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
)

// Leaf is the smallest thing that a roll-up merges: one partner's share of an
// accepted measurement, or what one thing that happened contributes.
type Leaf struct {
	// Fact is where it comes from: a measurement's name, or the source of an
	// automatic contribution. All leaves of a fact come and go together.
	Fact         string
	Indicator    string
	Organisation string
	Project      string // empty: outside projects
	Place        string // a territory key; empty: where the organisation is
	Period       Period
	State        rollup.State
}

// Leaves returns what an accepted measurement contributes to roll-ups.
func (m Measurement) Leaves(i Indicator) ([]Leaf, error) {
	shares := m.Content.Shares
	if len(shares) == 0 {
		shares = []Share{{m.Organisation, exact.Int(1)}}
	}
	place := placeKey(m.Content.Place)
	// A stock is held by the project in a place, whoever shares in it.
	holder := m.Content.Project
	if holder == "" {
		holder = m.Organisation
	}
	v := m.Content.Value
	o := rollup.Observation{
		Value: number(v.Value), Numerator: number(v.Numerator), Denominator: number(v.Denominator), Weight: number(v.Weight),
		Counts: v.Counts, Source: m.Name, Holder: holder + "#" + place,
		Start: int32(m.Content.Period.Start), End: int32(m.Content.Period.End), Qualifier: m.Content.Qualifier,
	}
	if v.Count != nil {
		o.Count = *v.Count
	}
	out := make([]Leaf, len(shares))
	for n, s := range shares {
		o.Share = s.Share
		state, err := rollup.Of(i.Measure(), o)
		if err != nil {
			return nil, err
		}
		out[n] = Leaf{
			Fact: m.Name, Indicator: m.Indicator, Organisation: s.Organisation, Project: m.Content.Project,
			Place: place, Period: m.Content.Period, State: state,
		}
	}
	return out, nil
}

func number(n *exact.Number) exact.Number {
	if n == nil {
		return exact.Number{}
	}
	return *n
}
