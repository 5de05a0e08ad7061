package rules

import (
	"fmt"
	"math"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	syntax "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

// Limits of what expressions may cost, in CEL's units: about one for each step.
const (
	// maxCost is for what is worked out once for an evaluation: a walk over the
	// largest claim fits, a walk within a walk does not.
	maxCost = 3_000_000
	// maxLineCost is for what is worked out for every line.
	maxLineCost = 3_000
	// straight is what an expression costs at most that walks over no list of any
	// length.
	straight = 250
	// maxRounds is how many items of lists an expression may walk over when it is
	// worked out. What is estimated to need more does not compile; this stops what
	// the estimate would have missed.
	maxRounds = 200_000
	// maxSetCost is for all of a set on the largest input.
	maxSetCost = 400_000_000
)

// compiler compiles the expressions of a document, and notes what is wrong.
type compiler struct {
	*reader
	source []string        // lines of the document
	cost   uint64          // of the set on the largest input
	reads  map[string]bool // fields of records that expressions ask for

	parameters, categories map[string]bool // their names
}

// compiled is an expression that can be evaluated.
type compiled struct {
	program cel.Program
	kind    *cel.Type
	walks   bool // may walk over a list
}

// expression compiles one expression. It returns nil where it notes a problem,
// or where the expression is empty. Kinds are the types it may have; none means
// any type that can be shown.
func (c *compiler) expression(env *cel.Env, e Expression, path string, times uint64, kinds ...*cel.Type) *compiled {
	if strings.TrimSpace(e.Source) == "" {
		return nil
	}
	at := func(line, column int) Place { return c.within(e, line, column) }
	ast, issues := env.Compile(e.Source)
	if issues.Err() != nil {
		for _, i := range issues.Errors() {
			c.report(at(i.Location.Line(), i.Location.Column()), path, "%s", c.words(e.Source, i.Message))
		}
		return nil
	}
	start := at(1, 0)
	native := ast.NativeRep()
	syntax.PreOrderVisit(native.Expr(), syntax.NewExprVisitor(func(e syntax.Expr) { c.note(native, e) }))
	for id, t := range native.TypeMap() {
		if word, bad := foreign(t); bad {
			loc := native.SourceInfo().GetStartLocation(id)
			c.report(at(loc.Line(), loc.Column()), path, "%s are not known to rules: amounts, rates and counts are whole numbers, days are days", word)
			return nil
		}
	}
	if len(kinds) == 0 {
		kinds = []*cel.Type{cel.IntType, cel.StringType, cel.BoolType, dayType}
	}
	out := ast.OutputType()
	if !anyKind(kinds, out) {
		c.report(start, path, "gives a %s; it must give a %s", word(out), words(kinds))
		return nil
	}
	most := uint64(maxCost)
	if times > 1 {
		most = maxLineCost
	}
	estimate, err := env.EstimateCost(ast, sizes{})
	if err != nil {
		c.report(start, path, "its cost cannot be estimated: %s", err)
		return nil
	}
	if estimate.Max > most {
		hint := "a walk over a list within a walk over a list is too much"
		if times > 1 {
			hint = "it is worked out for every line; make a fact of what is the same for all lines"
		}
		c.report(start, path, "could take %s steps; at most %d are allowed: %s", steps(estimate.Max), most, hint)
		return nil
	}
	c.cost += min(estimate.Max, most) * times
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(maxRounds))
	if err != nil {
		c.report(start, path, "%s", err)
		return nil
	}
	return &compiled{program: program, kind: out, walks: estimate.Max > straight}
}

// note keeps the field of a record that an expression asks for.
func (c *compiler) note(native *syntax.AST, e syntax.Expr) {
	switch e.Kind() {
	case syntax.SelectKind:
		c.noteField(native.GetType(e.AsSelect().Operand().ID()), e.AsSelect().FieldName())
	case syntax.CallKind:
		if call := e.AsCall(); call.IsMemberFunction() {
			c.noteField(native.GetType(call.Target().ID()), call.FunctionName())
		}
	}
}

func (c *compiler) noteField(of *cel.Type, field string) {
	for kind := range records {
		if kind.IsExactType(of) {
			c.reads[word(kind)+"."+field] = true
		}
	}
}

var namespaced = regexp.MustCompile(`\b([pc])\.([A-Za-z_][A-Za-z0-9_]*)`)

// words puts an error of the compiler in the words of rules: of an unknown figure
// or category it knows only the letter before the point.
func (c *compiler) words(source, message string) string {
	message = strings.ReplaceAll(message, " (in container '')", "")
	if !strings.HasPrefix(message, "undeclared reference to 'p'") && !strings.HasPrefix(message, "undeclared reference to 'c'") {
		return message
	}
	for _, m := range namespaced.FindAllStringSubmatch(source, -1) {
		switch {
		case m[1] == "p" && !c.parameters[m[2]]:
			return "there is no parameter " + m[2]
		case m[1] == "c" && !c.categories[m[2]]:
			return "there is no category " + m[2]
		}
	}
	return message
}

// within is the place in the document of a place in an expression, whose lines
// count from 1 and columns from 0.
func (c *compiler) within(e Expression, line, column int) Place {
	switch {
	case e.style&yaml.LiteralStyle != 0:
		row := e.At.Line + line
		indent := 0
		if row <= len(c.source) {
			text := c.source[row-1]
			indent = len(text) - len(strings.TrimLeft(text, " "))
		}
		return Place{row, indent + column + 1}
	case e.style&yaml.FoldedStyle != 0 || line > 1:
		return e.At // the lines of the text are not those of the document
	case e.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0:
		return Place{e.At.Line, e.At.Column + 1 + column}
	}
	return Place{e.At.Line, e.At.Column + column}
}

// foreign tells whether a type has no place in rules, and names it.
func foreign(t *cel.Type) (string, bool) {
	switch t.Kind() {
	case types.DoubleKind:
		return "decimal numbers", true
	case types.UintKind:
		return "unsigned numbers", true
	case types.BytesKind:
		return "bytes", true
	case types.TimestampKind, types.DurationKind:
		return "times", true
	case types.DynKind, types.AnyKind:
		return "values without a type", true
	case types.MapKind:
		return "maps", true
	case types.ListKind:
		for _, p := range t.Parameters() {
			if word, bad := foreign(p); bad && p.Kind() != types.DynKind {
				return word, true
			}
		}
	}
	return "", false
}

func anyKind(kinds []*cel.Type, t *cel.Type) bool {
	for _, k := range kinds {
		if k.IsExactType(t) {
			return true
		}
	}
	return false
}

// word names a type for people.
func word(t *cel.Type) string {
	switch {
	case t.Kind() == types.IntKind:
		return "number"
	case t.Kind() == types.StringKind:
		return "text"
	case t.Kind() == types.BoolKind:
		return "truth value"
	case t.IsExactType(dayType):
		return "day"
	}
	return strings.TrimPrefix(t.String(), "trama.")
}

func words(kinds []*cel.Type) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = word(k)
	}
	return strings.Join(out, " or a ")
}

func steps(n uint64) string {
	if n == math.MaxUint64 {
		return "endless"
	}
	return fmt.Sprint(n)
}

// sizes tells the estimate how large things can be.
type sizes struct{}

// EstimateSize implements checker.CostEstimator.
func (sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	t := n.Type()
	most := uint64(300)
	if t != nil && t.Kind() == types.ListKind && len(t.Parameters()) == 1 {
		switch of := t.Parameters()[0]; {
		case of.IsExactType(claimLineType):
			most = MaxClaimLines
		case of.IsExactType(budgetLineType):
			most = MaxBudgetLines
		case of.IsExactType(choiceType):
			most = MaxChoices
		case of.IsExactType(partnerType):
			most = MaxPartners
		}
	}
	return &checker.SizeEstimate{Min: 0, Max: most}
}

// EstimateCallCost implements checker.CostEstimator: what walks a list costs a
// step for each item, and there are no more methods than exist.
func (sizes) EstimateCallCost(function, _ string, _ *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	if function == "methods" {
		return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: 1, Max: 5}, ResultSize: &checker.SizeEstimate{Min: 0, Max: uint64(len(Methods))}}
	}
	if (function != "sum" && function != "distinct") || len(args) != 1 {
		return nil
	}
	size := args[0].ComputedSize()
	if size == nil {
		size = sizes{}.EstimateSize(args[0])
	}
	return &checker.CallEstimate{CostEstimate: checker.CostEstimate{Min: size.Min, Max: size.Max}}
}
