package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// TermProfile is what people write about a term.
type TermProfile struct {
	Label        LocalizedText `json:"label"`
	Broader      string        `json:"broader,omitempty"` // resource name of a term of the same vocabulary
	ExternalCode string        `json:"external_code,omitempty"`
	ValidFrom    string        `json:"valid_from,omitempty"` // first day in force; empty: since ever
	ValidTo      string        `json:"valid_to,omitempty"`   // last day in force; empty: until further notice
}

// Term is one entry of a vocabulary. It is never deleted, as records refer to
// it; it ends by ValidTo.
type Term struct {
	Name       string // resource name
	Vocabulary string // resource name
	Code       string // once in the vocabulary; never changes
	Profile    TermProfile
	Version    int64 // the etag stands for it
	CreateTime time.Time
	UpdateTime time.Time
}

const maxLabel = 500

// NewTerm returns a term.
func NewTerm(name, vocabulary, code string, profile TermProfile, now time.Time) (*Term, error) {
	if err := profile.check(); err != nil {
		return nil, err
	}
	return &Term{
		Name: name, Vocabulary: vocabulary, Code: code, Profile: profile, Version: 1, CreateTime: now, UpdateTime: now,
	}, nil
}

// Update replaces the profile; the same profile changes nothing, the version
// neither. Whether the broader terms run in a cycle is for FindCycle to say,
// which knows the others.
func (t *Term) Update(profile TermProfile, now time.Time) error {
	if profile.Equal(t.Profile) {
		return nil
	}
	if err := profile.check(); err != nil {
		return err
	}
	t.Profile = profile
	t.Version++
	t.UpdateTime = now
	return nil
}

// Equal reports whether two profiles say the same.
func (p TermProfile) Equal(other TermProfile) bool {
	return p.Label.Equal(other.Label) && p.Broader == other.Broader && p.ExternalCode == other.ExternalCode &&
		p.ValidFrom == other.ValidFrom && p.ValidTo == other.ValidTo
}

func (p TermProfile) check() error {
	var f faults
	f.text("label", p.Label, maxLabel)
	f.interval("valid_from", p.ValidFrom, "valid_to", p.ValidTo)
	return f.err()
}

// Validity is the time during which a term is in force: days of the calendar,
// both included, empty where there is no bound.
type Validity struct{ From, To string }

// On reports whether a day lies within.
func (v Validity) On(day string) bool {
	return (v.From == "" || v.From <= day) && (v.To == "" || day <= v.To)
}

// Within returns the time during which both are in force.
func (v Validity) Within(other Validity) Validity {
	out := Validity{From: max(v.From, other.From), To: v.To}
	if out.To == "" || other.To != "" && other.To < out.To {
		out.To = other.To
	}
	return out
}

// CheckTerms holds the terms that a record names at path, a repeated field,
// against those that exist. A term that the record has had before may have
// ended; a new one must be in force today.
func CheckTerms(path string, named, before []string, known map[string]Validity, now time.Time) error {
	had := make(map[string]bool, len(before))
	for _, name := range before {
		had[name] = true
	}
	today := now.UTC().Format(time.DateOnly)
	var f faults
	for i, name := range named {
		at := path + "[" + itoa(i) + "]"
		validity, exists := known[name]
		switch {
		case !exists:
			f.add(errs.ReferenceNotFound, at, "%s does not exist", name)
		case !had[name] && !validity.On(today):
			f.add(TermNotInForce, at, "%s is not in force on %s", name, today)
		}
	}
	return f.err()
}

// FindCycle returns a node that is above itself, where parents says what is
// above each node; false where there is none.
func FindCycle(parents map[string]string) (string, bool) {
	const walking, clear = 1, 2
	seen := make(map[string]int, len(parents))
	for start := range parents {
		at := start
		for at != "" && seen[at] == 0 {
			seen[at] = walking
			at = parents[at]
		}
		if at != "" && seen[at] == walking {
			return at, true
		}
		for at := start; at != "" && seen[at] == walking; at = parents[at] {
			seen[at] = clear
		}
	}
	return "", false
}
