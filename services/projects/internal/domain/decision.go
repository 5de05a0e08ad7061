package domain

import (
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// States of a decision.
const (
	DecisionDraft      = "DRAFT"
	DecisionTaken      = "TAKEN"
	DecisionSuperseded = "SUPERSEDED"
)

// Decisions is the decision log.
var Decisions = &Register{
	Collection: "decisions", Field: "decision", Initial: DecisionDraft,
	Steps:   map[string][]string{DecisionDraft: {DecisionTaken}, DecisionTaken: {DecisionSuperseded}},
	Settled: []string{DecisionTaken, DecisionSuperseded}, Frozen: []string{DecisionTaken, DecisionSuperseded},
}

// Decision is something that was decided.
type Decision struct {
	Entry
	Title        Text       `json:"title"`
	Question     string     `json:"question,omitempty"`
	Options      []string   `json:"options,omitempty"`
	Outcome      string     `json:"outcome,omitempty"`
	Reason       string     `json:"reason,omitempty"`
	Deciders     []string   `json:"deciders,omitempty"`
	Day          civil.Date `json:"day,omitempty"`
	About        []string   `json:"about,omitempty"`
	Supersedes   string     `json:"supersedes,omitempty"`   // id
	SupersededBy string     `json:"supersededBy,omitempty"` // id
}

// Register returns the decision log.
func (*Decision) Register() *Register { return Decisions }

// Mentions returns what the decision is about.
func (x *Decision) Mentions() []Mention {
	return append(named("decision.supersedes", x.Project, Decisions.Collection, x.Supersedes), allNamed("decision.about", x.About)...)
}

func (x *Decision) check(*Project) error {
	return first(x.Title.require("decision.title"), optionalDate("decision.decide_date", x.Day))
}

// Take makes the decision final and supersedes the one before, nil where there is
// none.
func (x *Decision) Take(p *Project, before *Decision, by Act, today civil.Date) ([]TrailEntry, error) {
	if x.State == DecisionDraft {
		if err := first(wants(blank(x.Outcome), "decision.outcome", DecisionTaken), wants(len(x.Deciders) == 0, "decision.deciders", DecisionTaken),
			wants(x.Day == "", "decision.decide_date", DecisionTaken), notLater("decision.decide_date", x.Day, today)); err != nil {
			return nil, err
		}
	}
	taken, err := MoveEntry(x, p, DecisionTaken, by)
	if err != nil || before == nil {
		return []TrailEntry{taken}, err
	}
	superseded, err := MoveEntry(before, p, DecisionSuperseded, by)
	before.SupersededBy = x.ID
	return []TrailEntry{taken, superseded}, err
}
