package rules

import (
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Limits of a set.
const (
	maxRules      = 200
	maxFacts      = 50
	maxValues     = 10 // of a rule
	maxParameters = 200
	maxCategories = 100
	maxOptions    = 100
	maxColumns    = 60
)

var (
	slug  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	ident = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
)

// reserved are the names that a set cannot give to facts and values.
var reserved = []string{"p", "c", "project", "funder", "organisation", "budget", "own", "claim", "line", "true", "false", "null", "in"}

// Set is a rule set that compiled: one version, ready to evaluate. It does not
// change and may be used by many at once.
type Set struct {
	doc      Document
	facts    []compiledFact
	rules    []compiledRule
	columns  []compiledColumn
	category map[string]string // category of the suite → own category
	allowed  map[string]bool   // of own categories
	sources  map[string]Source
	reads    []string
}

type compiledFact struct {
	name  string
	scope Scope
	value *compiled
}

type compiledRule struct {
	*Rule
	title        Text
	when         *compiled
	names        map[string]int
	values       []*compiled
	check        *compiled
	amount       *compiled
	limit        *compiled
	it, en       *template
	documentForm string // the source as people read it
}

// ID is the set's id.
func (s *Set) ID() string { return s.doc.ID }

// Version counts the set's versions from 1.
func (s *Set) Version() int64 { return s.doc.Version }

// Title is the set's name for people.
func (s *Set) Title() Text { return s.doc.Title }

// Programme is the slug of the programme in which an organisation's choices bind
// all its projects; empty where there is none.
func (s *Set) Programme() string { return s.doc.Programme }

// EffectiveFrom is the first day on which the version is in force.
func (s *Set) EffectiveFrom() Date { return s.doc.EffectiveFrom }

// EffectiveTo is the last day on which it is in force; empty for no end.
func (s *Set) EffectiveTo() Date { return s.doc.EffectiveTo }

// Reads are the fields and functions of records that the set's expressions ask
// for, by the record's type in the guide, for example Organisation.kind: what the
// caller has to find out. They must not be changed.
func (s *Set) Reads() []string { return s.reads }

// HasCategory reports whether the key is that of one of the set's own categories.
func (s *Set) HasCategory(key string) bool {
	_, ok := s.allowed[key]
	return ok
}

// Document is the set as it was written. It must not be changed.
func (s *Set) Document() *Document { return &s.doc }

// Load reads and compiles a rule set, in YAML or JSON. The error is Problems.
func Load(source []byte) (*Set, error) {
	r := &reader{}
	s := &Set{category: map[string]string{}, allowed: map[string]bool{}, sources: map[string]Source{}}
	r.read(source, &s.doc)
	if len(r.problems) == 0 {
		s.check(r)
	}
	if len(r.problems) == 0 {
		c := &compiler{reader: r, source: strings.Split(string(source), "\n"), parameters: map[string]bool{}, categories: map[string]bool{}, reads: map[string]bool{}}
		for i := range s.doc.Parameters {
			c.parameters[s.doc.Parameters[i].Name] = true
		}
		for i := range s.doc.Categories {
			c.categories[s.doc.Categories[i].Key] = true
		}
		s.compile(c)
		s.reads = sortedKeys(c.reads)
	}
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b Problem) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		return nil, r.problems
	}
	return s, nil
}

// compile compiles all expressions of a document that was checked.
func (s *Set) compile(c *compiler) {
	constants, err := cel.NewCustomEnv(append(language(), s.constants()...)...)
	if err != nil {
		c.report(Place{1, 1}, "", "%s", err)
		return
	}
	once := extend(constants, cel.Variable("project", projectType), cel.Variable("funder", funderType),
		cel.Variable("organisation", organisationType), cel.Variable("budget", budgetType), cel.Variable("own", budgetType))
	once = s.compileFacts(c, once, ScopeBudget)
	claim := s.compileFacts(c, extend(once, cel.Variable("claim", claimType)), ScopeClaim)
	scopes := map[Scope]*cel.Env{
		ScopeProject: once, ScopeOrganisation: once, ScopeBudget: once, ScopeClaim: claim,
		ScopeLine:      extend(once, cel.Variable("line", budgetLineType)),
		ScopeClaimLine: extend(claim, cel.Variable("line", claimLineType)),
	}
	for i := range s.doc.Rules {
		s.rules = append(s.rules, s.compileRule(c, constants, scopes, &s.doc.Rules[i], index("rules", i)))
	}
	for i := range s.doc.Columns {
		column := &s.doc.Columns[i]
		value := c.expression(scopes[ScopeClaimLine], column.Value, index("columns", i)+".value", MaxClaimLines)
		if value == nil {
			continue
		}
		column.kind = kindOf(value.kind)
		if column.Unit != "" && column.kind != KindNumber {
			c.report(column.At, index("columns", i)+".unit", "only a number has a unit")
		}
		when := c.expression(scopes[ScopeClaimLine], column.When, index("columns", i)+".when", MaxClaimLines, cel.BoolType)
		s.columns = append(s.columns, compiledColumn{when, value})
	}
	if c.cost > maxSetCost {
		c.report(Place{1, 1}, "", "all expressions together could take %d steps; at most %d are allowed", c.cost, maxSetCost)
	}
}

func extend(env *cel.Env, opts ...cel.EnvOption) *cel.Env {
	out, err := env.Extend(opts...)
	if err != nil {
		panic(err) // the names were checked and the types are ours
	}
	return out
}

// compileFacts compiles the facts of a scope, each known to those after it.
func (s *Set) compileFacts(c *compiler, env *cel.Env, scope Scope) *cel.Env {
	for i := range s.doc.Facts {
		f := &s.doc.Facts[i]
		if f.Scope != scope {
			continue
		}
		if value := c.expression(env, f.Value, index("facts", i)+".value", 1); value != nil {
			s.facts = append(s.facts, compiledFact{f.Name, scope, value})
			env = extend(env, cel.Variable(f.Name, value.kind))
		}
	}
	return env
}

func (s *Set) compileRule(c *compiler, constants *cel.Env, scopes map[Scope]*cel.Env, r *Rule, path string) compiledRule {
	out := compiledRule{Rule: r, names: map[string]int{}, documentForm: s.cite(r.Source)}
	env := scopes[r.Scope]
	times := uint64(1)
	switch r.Scope {
	case ScopeLine:
		times = MaxBudgetLines
	case ScopeClaimLine:
		times = MaxClaimLines
	}
	it, en := c.template(constants, r.Title.IT, path+".title.it", italian), c.template(constants, r.Title.EN, path+".title.en", english)
	if it != nil && en != nil {
		var errIT, errEN error
		out.title.IT, errIT = it.text(&scopeVars{}, "EUR")
		out.title.EN, errEN = en.text(&scopeVars{}, "EUR")
		if errIT != nil || errEN != nil {
			c.report(r.At, path+".title", "cannot be worked out: %v %v", errIT, errEN)
		}
	}
	out.when = c.expression(env, r.When, path+".when", times, cel.BoolType)
	for i := range r.Values {
		v := &r.Values[i]
		if value := c.expression(env, v.Value, path+"."+index("values", i)+".value", times); value != nil {
			out.names[v.Name] = len(out.values)
			out.values = append(out.values, value)
			env = extend(env, cel.Variable(v.Name, value.kind))
		}
	}
	out.check = c.expression(env, r.Check, path+".check", times, cel.BoolType)
	out.amount = c.expression(env, r.Amount, path+".amount", times, cel.IntType)
	out.limit = c.expression(env, r.Limit, path+".limit", times, cel.IntType)
	out.it = c.template(env, r.Message.IT, path+".message.it", italian)
	out.en = c.template(env, r.Message.EN, path+".message.en", english)
	return out
}

// constants are the set's figures and own categories.
func (s *Set) constants() []cel.EnvOption {
	var out []cel.EnvOption
	for i := range s.doc.Parameters {
		p := &s.doc.Parameters[i]
		out = append(out, cel.Constant("p."+p.Name, p.Unit.kind(), p.constant))
	}
	for i := range s.doc.Categories {
		key := s.doc.Categories[i].Key
		out = append(out, cel.Constant("c."+key, cel.StringType, types.String(key)))
	}
	return out
}

// cite writes a source for people: the document's title, then the place in it.
func (s *Set) cite(source string) string {
	key, rest, _ := strings.Cut(source, " ")
	return strings.TrimSpace(s.sources[key].Title + " " + rest)
}
