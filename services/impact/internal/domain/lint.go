package domain

import "fmt"

// FindingKind is a kind of weak place, named as in the proto enum.
type FindingKind string

// The kinds of weak places.
const (
	OutcomeWithoutIndicator FindingKind = "OUTCOME_WITHOUT_INDICATOR"
	ImpactUnreachable       FindingKind = "IMPACT_UNREACHABLE"
	OutputStraightToImpact  FindingKind = "OUTPUT_STRAIGHT_TO_IMPACT"
	NodeIsolated            FindingKind = "NODE_ISOLATED"
	AssumptionRefuted       FindingKind = "ASSUMPTION_REFUTED"
)

// Finding is one weak place of a theory.
type Finding struct {
	Kind    FindingKind
	Nodes   []string
	Message string
}

// Lint looks for weak places. measured holds the keys of the nodes that an
// indicator in use measures.
func (g Graph) Lint(measured map[string]bool) []Finding {
	kinds := map[string]NodeType{}
	next := map[string][]string{}
	touched := map[string]bool{}
	for _, n := range g.Nodes {
		kinds[n.Key] = n.Type
	}
	for _, l := range g.Links {
		touched[l.From], touched[l.To] = true, true
		if l.Type == LeadsTo {
			next[l.From] = append(next[l.From], l.To)
		}
	}
	reached := map[string]bool{}
	var reach func(key string)
	reach = func(key string) {
		for _, to := range next[key] {
			if !reached[to] {
				reached[to] = true
				reach(to)
			}
		}
	}
	for _, n := range g.Nodes {
		if n.Type == Activity {
			reach(n.Key)
		}
	}
	var out []Finding
	add := func(kind FindingKind, nodes []string, format string, args ...any) {
		out = append(out, Finding{kind, nodes, fmt.Sprintf(format, args...)})
	}
	for _, n := range g.Nodes {
		if n.Type == Outcome && !measured[n.Key] {
			add(OutcomeWithoutIndicator, []string{n.Key}, "no indicator measures the outcome %s", n.Key)
		}
		if n.Type == Impact && !reached[n.Key] {
			add(ImpactUnreachable, []string{n.Key}, "no activity leads to the impact %s", n.Key)
		}
		if !touched[n.Key] {
			add(NodeIsolated, []string{n.Key}, "no link touches %s", n.Key)
		}
	}
	for _, l := range g.Links {
		if l.Type == LeadsTo && kinds[l.From] == Output && kinds[l.To] == Impact {
			add(OutputStraightToImpact, []string{l.From, l.To}, "the output %s leads straight to the impact %s: name the outcome between them", l.From, l.To)
		}
		for _, a := range l.Assumptions {
			if a.State == Refuted {
				add(AssumptionRefuted, []string{l.From, l.To}, "the link from %s to %s rests on %s, which evidence refutes", l.From, l.To, a.Key)
			}
		}
	}
	return out
}
