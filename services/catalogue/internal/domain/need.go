package domain

import (
	"fmt"
	"time"

	"github.com/trama-suite/trama/services/platform/money"
)

// NeedUrgency is how pressing a need is: LOW to CRITICAL.
type NeedUrgency string

// EvidenceKind is where evidence comes from.
type EvidenceKind string

// Need is what only a need has.
type Need struct {
	Evidence       []Evidence      `json:"evidence,omitempty"`
	Urgency        NeedUrgency     `json:"urgency,omitempty"`
	Constraints    NeedConstraints `json:"constraints,omitzero"`
	DesiredOutcome LocalizedText   `json:"desired_outcome,omitzero"`
}

// Evidence is one piece of evidence of a need. It names no person.
type Evidence struct {
	Kind   EvidenceKind `json:"kind"`
	Date   string       `json:"date"`
	Note   string       `json:"note,omitempty"`
	Source string       `json:"source,omitempty"`
}

// NeedConstraints is what an answer has to respect. What is zero does not bind.
type NeedConstraints struct {
	BudgetCeiling     *money.Amount `json:"budget_ceiling,omitempty"`
	Deadline          string        `json:"deadline,omitempty"`
	Territories       []string      `json:"territories,omitempty"`
	RequiredLanguages []string      `json:"required_languages,omitempty"`
}

// Kind returns KindNeed.
func (*Need) Kind() Kind { return KindNeed }

// Detail returns the urgency.
func (n *Need) Detail() string { return string(n.Urgency) }

func (n *Need) check(f *faults, now time.Time) {
	for i, e := range n.Evidence {
		path := fmt.Sprintf("evidence[%d]", i)
		if e.Kind == "" {
			f.add(EntryInvalid, path+".kind", "is required")
		}
		if e.Date == "" {
			f.add(EntryInvalid, path+".date", "is required")
		}
		f.pastDate(path+".date", e.Date, now)
	}
	if b := n.Constraints.BudgetCeiling; b != nil && b.Minor <= 0 {
		f.add(EntryInvalid, "constraints.budget_ceiling", "must be above 0; leave it out where there is none")
	}
	f.date("constraints.deadline", n.Constraints.Deadline)
	f.optionalText("desired_outcome", n.DesiredOutcome, maxText)
}

func (n *Need) missing(f *faults) {
	if n.Urgency == "" {
		f.add(EntryIncomplete, "urgency", "is required to publish")
	}
}

func (n *Need) terms(func(string, ...string)) {}

func (n *Need) references(func(string, string)) {}
