package domain

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
)

// The network's indicators that the suite's own events feed. Their rows are
// seeded by the service's first migration.
const (
	PeopleEnrolled = "indicators/0197f000-0000-7000-8000-000000000001" // different people with a seat in an edition
	PeopleTrained  = "indicators/0197f000-0000-7000-8000-000000000002" // different people who completed an edition
	TrainingHours  = "indicators/0197f000-0000-7000-8000-000000000003" // hours attended
	ProjectsClosed = "indicators/0197f000-0000-7000-8000-000000000004"
	AmountSpent    = "indicators/0197f000-0000-7000-8000-000000000005" // euros
	MatchesMade    = "indicators/0197f000-0000-7000-8000-000000000006" // accepted by both sides
)

// Automatic tells what the automatic indicators measure.
var Automatic = map[string]rollup.Measure{
	PeopleEnrolled: {Method: rollup.UniqueCount, Unit: "persons"},
	PeopleTrained:  {Method: rollup.UniqueCount, Unit: "persons"},
	TrainingHours:  {Method: rollup.Sum, Unit: "h"},
	ProjectsClosed: {Method: rollup.Sum, Unit: "projects"},
	AmountSpent:    {Method: rollup.Sum, Unit: "EUR"},
	MatchesMade:    {Method: rollup.Sum, Unit: "matches"},
}

// Happening is what an event says of one source: that it counts, or that it does
// not (any more). The newest version of a source decides, so that events may
// come in any order and any number of times.
type Happening struct {
	// Source is the service and resource name: "training/enrolments/0190…".
	Source string
	// Indicator that it counts in. A source has one word in each.
	Indicator string
	// Version of the source's aggregate that the event tells of.
	Version int64
	// Gone is true where it does not count.
	Gone         bool
	Organisation string
	Project      string // may be empty
	Day          Day
	// Value that it adds, in the indicator's unit; for a count of unique people
	// the Person counts instead.
	Value  exact.Number
	Person string
}

// Leaves returns what the happening contributes to roll-ups: one leaf or none.
func (h Happening) Leaves() ([]Leaf, error) {
	if h.Gone {
		return nil, nil
	}
	measure := Automatic[h.Indicator]
	o := rollup.Observation{Value: h.Value, Share: exact.Int(1)}
	if measure.Method == rollup.UniqueCount {
		o.Key = personKey(h.Person)
	}
	state, err := rollup.Of(measure, o)
	if err != nil {
		return nil, err
	}
	return []Leaf{{
		Fact: h.Source, Indicator: h.Indicator, Organisation: h.Organisation, Project: h.Project, Period: On(h.Day), State: state,
	}}, nil
}

// personKey shortens a pseudonymous ledger id to what a set of people is kept
// by: 132 bits of its hash, so that the set of keys in a roll-up does not give
// the ledger's own ids away.
func personKey(person string) string {
	hash := sha256.Sum256([]byte(person))
	return base64.RawURLEncoding.EncodeToString(hash[:])[:22]
}

// Mark is what one event says of an enrolment's attendance: its total so far.
type Mark struct {
	Version      int64 // of the enrolment
	Minutes      int32 // attended in total
	Day          Day   // of the session that was recorded
	Organisation string
	Project      string
}

// Hours returns what an enrolment's attendance contributes. Each mark replaces
// the total before it, so what it adds is the difference, on its own day: hours
// of November stay in November when December's are recorded. Marks may be given
// in any order.
func Hours(source string, marks []Mark) ([]Leaf, error) {
	marks = slices.Clone(marks)
	slices.SortFunc(marks, func(a, b Mark) int { return cmp.Compare(a.Version, b.Version) })
	type place struct {
		day                   Day
		organisation, project string
	}
	added := map[place]int64{}
	var order []place
	var before int64
	for _, m := range marks {
		p := place{m.Day, m.Organisation, m.Project}
		if _, known := added[p]; !known {
			order = append(order, p)
		}
		added[p] += int64(m.Minutes) - before
		before = int64(m.Minutes)
	}
	slices.SortFunc(order, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.organisation, b.organisation), cmp.Compare(a.project, b.project))
	})
	var out []Leaf
	for _, p := range order {
		if added[p] == 0 {
			continue
		}
		state, err := rollup.Of(Automatic[TrainingHours], rollup.Observation{Value: exact.Fraction(added[p], 60), Share: exact.Int(1)})
		if err != nil {
			return nil, err
		}
		out = append(out, Leaf{Fact: source, Indicator: TrainingHours, Organisation: p.organisation, Project: p.project, Period: On(p.day), State: state})
	}
	return out, nil
}
