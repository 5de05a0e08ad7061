package rules

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// EvaluationError tells that a rule could not be worked out, and where: a date
// that is not given, a division by nothing, a sum that does not fit, more steps
// than allowed. It is the rule set's fault, not the claim's.
type EvaluationError struct {
	Set     string
	Version int64
	Rule    string // or fact or column
	Key     string // of the line, empty where there is none
	Cause   error
}

// Error names the set, the rule and the line.
func (e *EvaluationError) Error() string {
	where := fmt.Sprintf("rule set %s version %d, %s", e.Set, e.Version, e.Rule)
	if e.Key != "" {
		where += ", line " + e.Key
	}
	return where + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *EvaluationError) Unwrap() error { return e.Cause }

// scopeVars are the variables of an evaluation. One is used for all lines.
type scopeVars struct {
	project, funder, organisation, budget, own, claim, line ref.Val

	facts  map[string]ref.Val
	names  map[string]int // of the rule's values
	values []ref.Val
}

// ResolveName implements cel.Activation.
func (v *scopeVars) ResolveName(name string) (any, bool) {
	switch name {
	case "line":
		return v.line, v.line != nil
	case "claim":
		return v.claim, v.claim != nil
	case "organisation":
		return v.organisation, true
	case "funder":
		return v.funder, true
	case "project":
		return v.project, true
	case "budget":
		return v.budget, true
	case "own":
		return v.own, true
	}
	if i, ok := v.names[name]; ok && i < len(v.values) {
		return v.values[i], true
	}
	f, ok := v.facts[name]
	return f, ok
}

// Parent implements cel.Activation.
func (*scopeVars) Parent() interpreter.Activation { return nil }

// stopped is a context that is over. Expressions look at it only when they have
// walked over maxRounds items: so it stops them there, and on every machine at
// the same place.
var stopped = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (c *compiled) eval(vars *scopeVars) (ref.Val, error) {
	if !c.walks {
		v, _, err := c.program.Eval(vars)
		return v, err
	}
	v, _, err := c.program.ContextEval(stopped, vars)
	if errors.Is(err, interpreter.InterruptError{}) {
		return nil, fmt.Errorf("stopped after walking over %d items: a walk within a walk is too much", maxRounds)
	}
	return v, err
}

func (c *compiled) truth(vars *scopeVars) (bool, error) {
	v, err := c.eval(vars)
	if err != nil {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, fmt.Errorf("no truth value: %v", v)
	}
	return bool(b), nil
}

// figure is the value of an expression that may be absent.
func (c *compiled) figure(vars *scopeVars) (*int64, error) {
	if c == nil {
		return nil, nil
	}
	v, err := c.eval(vars)
	if err != nil {
		return nil, err
	}
	n, ok := v.(types.Int)
	if !ok {
		return nil, fmt.Errorf("no number: %v", v)
	}
	return (*int64)(&n), nil
}

// Evaluate looks at the facts. Broken rules are findings, never an error: that
// is an *EvaluationError, or an *InputError for facts that cannot be.
func (s *Set) Evaluate(in Input) (Report, error) {
	w, err := s.prepare(&in)
	if err != nil {
		return Report{}, err
	}
	if err := s.workOutFacts(w); err != nil {
		return Report{}, err
	}
	report := Report{Set: s.doc.ID, Version: s.doc.Version, Outcomes: make([]Outcome, 0, len(s.rules))}
	for i := range s.rules {
		if err := s.apply(&s.rules[i], w, &report); err != nil {
			return Report{}, err
		}
	}
	return report, nil
}

func (s *Set) workOutFacts(w *world) error {
	for _, f := range s.facts {
		if f.scope == ScopeClaim && w.claim == nil {
			continue
		}
		v, err := f.value.eval(&w.scopeVars)
		if unknown := unknownFact(err); unknown != nil {
			w.facts[f.name] = types.WrapErr(unknown) // for whoever asks for it
			continue
		}
		if err != nil {
			return s.failed("fact "+f.name, "", err)
		}
		w.facts[f.name] = v
	}
	return nil
}

func (s *Set) failed(what, key string, err error) error {
	return &EvaluationError{s.doc.ID, s.doc.Version, what, key, err}
}

// unknownFact is what an expression lacked, nil where it lacked nothing.
func unknownFact(err error) *UnknownFactError {
	var unknown *UnknownFactError
	if errors.As(err, &unknown) {
		return unknown
	}
	return nil
}

// apply looks with one rule at every place of its scope.
func (s *Set) apply(r *compiledRule, w *world, report *Report) error {
	outcome := Outcome{Rule: r.ID}
	look := func(index int, key string) error {
		outcome.Looked++
		finding, applied, err := s.look(r, w, &outcome)
		if unknown := unknownFact(err); unknown != nil {
			if !slices.Contains(outcome.Unknown, unknown.Fact) {
				outcome.Unknown = append(outcome.Unknown, unknown.Fact)
			}
			return nil
		}
		if err != nil {
			return s.failed("rule "+r.ID, key, err)
		}
		if applied {
			outcome.Applied++
		}
		if finding != nil {
			outcome.Broken++
			finding.Index, finding.Key = index, key
			report.Findings = append(report.Findings, *finding)
		}
		return nil
	}
	w.names, w.values, w.line = r.names, w.values[:0], nil
	var err error
	switch {
	case r.Scope == ScopeLine:
		for i := 0; i < len(w.budgetLines) && err == nil; i++ {
			w.line = &w.budgetLines[i]
			err = look(i, w.budgetLines[i].data.Key)
		}
	case r.Scope == ScopeClaimLine:
		for i := 0; i < len(w.claimLines) && err == nil; i++ {
			w.line = &w.claimLines[i]
			err = look(i, w.claimLines[i].data.Key)
		}
	case r.Scope == ScopeClaim && w.claim == nil:
	default:
		err = look(-1, "")
	}
	slices.Sort(outcome.Unknown)
	report.Outcomes = append(report.Outcomes, outcome)
	return err
}

// look applies a rule at one place.
func (s *Set) look(r *compiledRule, w *world, outcome *Outcome) (*Finding, bool, error) {
	vars := &w.scopeVars
	w.values = w.values[:0]
	if r.when != nil {
		if applies, err := r.when.truth(vars); err != nil || !applies {
			return nil, false, err
		}
	}
	for _, value := range r.values {
		v, err := value.eval(vars)
		if err != nil {
			return nil, true, err
		}
		w.values = append(w.values, v)
	}
	kept, err := r.check.truth(vars)
	if err != nil {
		return nil, true, err
	}
	once := r.Scope != ScopeLine && r.Scope != ScopeClaimLine
	var trace []TraceValue
	if once || !kept {
		for i, v := range r.Values {
			trace = append(trace, TraceValue{v.Name, show(w.values[i], "", w.currency, english)})
		}
	}
	if once {
		outcome.Trace = trace
	}
	if kept {
		return nil, true, nil
	}
	finding := &Finding{
		Rule: r.ID, Set: s.doc.ID, Version: s.doc.Version, Severity: r.Severity, Scope: r.Scope,
		Source: r.documentForm, Verified: *r.Verified, Trace: trace,
	}
	if finding.Amount, err = r.amount.figure(vars); err != nil {
		return nil, true, err
	}
	if finding.Limit, err = r.limit.figure(vars); err != nil {
		return nil, true, err
	}
	if finding.Message.IT, err = r.it.text(vars, w.currency); err != nil {
		return nil, true, err
	}
	if finding.Message.EN, err = r.en.text(vars, w.currency); err != nil {
		return nil, true, err
	}
	if !finding.Verified {
		// The set's note is for who maintains it, in one language; the message is for
		// who claims, in theirs.
		finding.Message.IT += " (Regola non verificata sulla fonte.)"
		finding.Message.EN += " (Rule not verified against its source.)"
	}
	return finding, true, nil
}
