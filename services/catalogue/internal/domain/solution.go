package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/money"
)

// SolutionMaturity is how far a solution has come: CONCEPT to SCALED.
type SolutionMaturity string

// PriceModel is how a solution is paid for.
type PriceModel string

// Solution is what only a solution's card has.
type Solution struct {
	Maturity            SolutionMaturity `json:"maturity,omitempty"`
	Technologies        []string         `json:"technologies,omitempty"`
	TargetBeneficiaries []string         `json:"target_beneficiaries,omitempty"`
	PriceModel          PriceModel       `json:"price_model,omitempty"`
	PriceFrom           *money.Amount    `json:"price_from,omitempty"` // nil: not said
	Languages           []string         `json:"languages,omitempty"`
	Website             string           `json:"website,omitempty"`
	NeedCategories      []string         `json:"need_categories,omitempty"`
}

// Kind returns KindSolution.
func (*Solution) Kind() Kind { return KindSolution }

// Detail returns the maturity.
func (s *Solution) Detail() string { return string(s.Maturity) }

func (s *Solution) check(f *faults, _ time.Time) {
	if s.PriceFrom == nil {
		return
	}
	if s.PriceFrom.Minor < 0 {
		f.add(EntryInvalid, "price_from", "is below 0")
	}
	if s.PriceModel == "PRICE_MODEL_FREE" && s.PriceFrom.Minor != 0 {
		f.add(EntryInvalid, "price_from", "contradicts the price model FREE")
	}
}

func (s *Solution) missing(*faults) {}

func (s *Solution) terms(add func(string, ...string)) {
	add("target_beneficiaries", s.TargetBeneficiaries...)
	add("need_categories", s.NeedCategories...)
}

func (s *Solution) references(func(string, string)) {}
