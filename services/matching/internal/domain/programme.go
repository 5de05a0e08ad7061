package domain

import (
	"slices"
	"time"

	"github.com/trama-suite/trama/services/matching/internal/domain/scoring"
	"github.com/trama-suite/trama/services/platform/errs"
)

const (
	// maxPoints is the most that all weights of a programme may sum to.
	maxPoints = 1_000_000
	// defaultAnswerDays is how long both sides have where a programme does not say.
	defaultAnswerDays = 30
)

// Text is a text in the language it was written in, with translations.
type Text struct {
	Text         string            `json:"text"`
	Language     string            `json:"language"`
	Translations map[string]string `json:"translations,omitempty"`
}

// Programme says what is matched with what, and how.
type Programme struct {
	ID         string
	Version    int64
	Title      Text
	Demand     scoring.Kind
	Supplies   []scoring.Kind
	Policy     scoring.Policy
	AnswerDays int
	CreateTime time.Time
	UpdateTime time.Time
}

// NewProgramme returns a programme after checking it.
func NewProgramme(id string, p Programme, now time.Time) (*Programme, error) {
	p.ID, p.Version, p.CreateTime, p.UpdateTime = id, 1, now, now
	return &p, p.check()
}

// Change replaces what may be changed. It reports whether the candidates must
// be computed again.
func (p *Programme) Change(to Programme, now time.Time) (recompute bool, err error) {
	if to.Demand != p.Demand || !slices.Equal(to.Supplies, p.Supplies) {
		return false, errs.InvalidField(errs.InvalidUpdateMask, "programme.supply_kinds", "the kinds of a programme never change")
	}
	recompute = !samePolicy(p.Policy, to.Policy)
	p.Title, p.Policy, p.AnswerDays = to.Title, to.Policy, to.AnswerDays
	p.Version++
	p.UpdateTime = now
	return recompute, p.check()
}

func (p *Programme) check() error {
	if p.AnswerDays == 0 {
		p.AnswerDays = defaultAnswerDays
	}
	seen := map[scoring.Feature]bool{}
	var sum int64
	for _, w := range p.Policy.Weights {
		if seen[w.Feature] {
			return errs.InvalidField(ReasonProgrammeInvalid, "programme.features", "the feature %s is named twice", w.Feature)
		}
		seen[w.Feature] = true
		if w.Points <= 0 || w.Points > maxPoints {
			return errs.InvalidField(ReasonProgrammeInvalid, "programme.features", "the weight of %s must be from 1 to %d", w.Feature, maxPoints)
		}
		sum += w.Points
	}
	if sum > maxPoints {
		return errs.InvalidField(ReasonProgrammeInvalid, "programme.features", "the weights sum to %d; they may sum to %d", sum, maxPoints)
	}
	if p.Policy.Minimum > sum {
		return errs.InvalidField(ReasonProgrammeInvalid, "programme.minimum_score", "no pair can reach %d points: the weights sum to %d", p.Policy.Minimum, sum)
	}
	return nil
}

func samePolicy(a, b scoring.Policy) bool {
	return a.Minimum == b.Minimum && slices.Equal(a.Rules, b.Rules) && slices.Equal(a.Weights, b.Weights)
}

// Sides puts two entries on the programme's sides. It reports false where they
// do not stand on different ones.
func (p *Programme) Sides(a, b scoring.Entry) (demand, supply scoring.Entry, ok bool) {
	switch {
	case a.Kind == p.Demand && slices.Contains(p.Supplies, b.Kind):
		return a, b, true
	case b.Kind == p.Demand && slices.Contains(p.Supplies, a.Kind):
		return b, a, true
	}
	return scoring.Entry{}, scoring.Entry{}, false
}
