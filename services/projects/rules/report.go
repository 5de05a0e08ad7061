package rules

import "slices"

// Severity is what a broken rule does.
type Severity string

// The severities.
const (
	// Block: the claim cannot be submitted, the line cannot be claimed.
	Block Severity = "block"
	// Warn: people are told, and decide.
	Warn Severity = "warn"
)

// Scope is what a rule looks at, once for each.
type Scope string

// The scopes.
const (
	// ScopeProject looks once at the project, its partners and funder.
	ScopeProject Scope = "project"
	// ScopeOrganisation looks once at the organisation and its other projects.
	ScopeOrganisation Scope = "organisation"
	// ScopeBudget looks once at the budget whole.
	ScopeBudget Scope = "budget"
	// ScopeLine looks at each budget line.
	ScopeLine Scope = "line"
	// ScopeClaim looks once at the claim whole.
	ScopeClaim Scope = "claim"
	// ScopeClaimLine looks at each line of the claim.
	ScopeClaimLine Scope = "claim_line"
)

// Text is a text in Italian and English.
type Text struct {
	IT string `yaml:"it" json:"it"`
	EN string `yaml:"en" json:"en"`
}

// Report is the answer of an evaluation.
type Report struct {
	// Set and Version name the rule set.
	Set     string `json:"set"`
	Version int64  `json:"version"`
	// Findings are the broken rules, in the order of the set, then of the lines.
	Findings []Finding `json:"findings"`
	// Outcomes tell of each rule, in the order of the set, whether it applied.
	Outcomes []Outcome `json:"outcomes"`
}

// Finding is a rule that is broken at one place.
type Finding struct {
	// Rule is the rule's id; Set and Version those of its set.
	Rule    string `json:"rule"`
	Set     string `json:"set"`
	Version int64  `json:"version"`
	// Severity as the rule says.
	Severity Severity `json:"severity"`
	// Scope as the rule says.
	Scope Scope `json:"scope"`
	// Index of the line in Input.Claim.Lines (scope claim_line) or Input.Budget
	// (scope line); -1 for the other scopes.
	Index int `json:"index"`
	// Key is that of the line; empty for the other scopes.
	Key string `json:"key,omitempty"`
	// Amount concerned, minor units, and Limit that it should keep; each only where
	// the rule gives one.
	Amount *int64 `json:"amount,omitempty"`
	Limit  *int64 `json:"limit,omitempty"`
	// Message says what is wrong, with the figures.
	Message Text `json:"message"`
	// Source of the rule, and whether somebody checked the rule against it.
	Source   string `json:"source"`
	Verified bool   `json:"verified"`
	// Trace holds the rule's named values at this place, by name, as text.
	Trace []TraceValue `json:"trace,omitempty"`
}

// TraceValue is a value that a rule worked out.
type TraceValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Outcome tells what became of a rule.
type Outcome struct {
	Rule string `json:"rule"`
	// Looked counts the places looked at, Applied those where the rule's condition
	// held, Broken those with a finding.
	Looked  int `json:"looked"`
	Applied int `json:"applied"`
	Broken  int `json:"broken"`
	// Unknown are the facts for want of which it was not evaluated, at some place
	// or at all of them: in the order of their names, each once.
	Unknown []string `json:"unknown,omitempty"`
	// Trace holds the rule's named values; only for rules that look once.
	Trace []TraceValue `json:"trace,omitempty"`
}

// Blocked reports whether a finding of one of the scopes blocks; without scopes,
// of any.
func (r *Report) Blocked(scopes ...Scope) bool {
	for i := range r.Findings {
		if r.Findings[i].Severity == Block && (len(scopes) == 0 || slices.Contains(scopes, r.Findings[i].Scope)) {
			return true
		}
	}
	return false
}

// Line returns the findings about the claim line or budget line of a key.
func (r *Report) Line(key string) []Finding {
	var out []Finding
	for _, f := range r.Findings {
		if f.Key == key {
			out = append(out, f)
		}
	}
	return out
}
