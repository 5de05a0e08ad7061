// Package scoring says how well a supply answers a demand, and why. It is pure:
// the same two entries and the same programme give the same points, whatever
// else is in the catalogue, so a change of one entry touches only the pairs it
// stands in. All points are integers; a score is exactly the sum of its terms.
package scoring

import (
	"slices"
	"strings"
)

// Kind is a kind of catalogue entry.
type Kind string

// The kinds that can be matched.
const (
	Need            Kind = "need"
	Solution        Kind = "solution"
	ServiceOffering Kind = "service_offering"
)

// Entry is one side of a pair, reduced to what rules and features look at.
// Words are compared as Fold leaves them.
type Entry struct {
	// Name is the resource name, needs/… solutions/… or serviceOfferings/….
	Name string
	// Kind of the entry.
	Kind Kind
	// Organisation that owns it.
	Organisation string
	// Title as written, for people.
	Title string
	// Category is the main category; Serves lists the categories of need that a
	// supply says it answers.
	Category string
	Serves   []string
	// Sectors and Tags; the technologies of a solution count as tags.
	Sectors []string
	Tags    []string
	// Stems of the words of title and description, from Stems.
	Stems []string
	// Territories are ISO 3166-1 or 3166-2 codes (IT, IT-21); none: everywhere.
	Territories []string
	// Languages that a supply speaks, or that a demand requires: BCP 47 tags.
	Languages []string
	// Money is a demand's ceiling or a supply's lowest price, in minor units;
	// Currency empty: not stated.
	Money    int64
	Currency string
	// Day is a demand's deadline or the last day a supply holds, ISO 8601;
	// empty: not stated.
	Day string
	// Maturity in thousandths, of a supply.
	Maturity int64
}

// Keys are the words by which a pair is found: two entries that share no key
// share nothing that Judge counts as common ground. They are sorted and unique.
func (e Entry) Keys() []string {
	keys := make([]string, 0, 2+len(e.Serves)+len(e.Sectors)+len(e.Tags)+len(e.Stems))
	add := func(prefix string, words ...string) {
		for _, w := range words {
			if w = Fold(w); w != "" {
				keys = append(keys, prefix+w)
			}
		}
	}
	add("c:", e.Category)
	add("c:", e.Serves...)
	add("s:", e.Sectors...)
	add("t:", e.Tags...)
	add("w:", e.Stems...)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Fold brings a term to the form in which it is compared: lower case, single
// spaces.
func Fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// common returns the words of a that are also in b, in the order of a, each once.
func common(a, b []string) []string {
	in := make(map[string]bool, len(b))
	for _, w := range b {
		in[Fold(w)] = true
	}
	var out []string
	for _, w := range a {
		if f := Fold(w); in[f] {
			out = append(out, w)
			delete(in, f)
		}
	}
	return out
}

// distinct counts the different words of a list.
func distinct(words []string) int64 {
	seen := make(map[string]bool, len(words))
	for _, w := range words {
		seen[Fold(w)] = true
	}
	return int64(len(seen))
}
