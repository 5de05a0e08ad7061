package portfolio

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Bounds of a filter.
const (
	maxBytes        = 2048
	maxRestrictions = 64
	maxDepth        = 16
)

// phasePrefix is how phases are called in JSON.
const phasePrefix = "PHASE_"

func wrong(format string, args ...any) error {
	return errs.InvalidField(errs.InvalidFilter, "filter", format, args...)
}

// match chooses projects; nil chooses all.
type match func(p *part, r *row, today int32) bool

// parse reads an AIP-160 filter, for the words that the book has now; the empty
// one matches all.
func (b *Book) parse(text string) (match, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, nil //nolint:nilnil // all are chosen
	case len(text) > maxBytes:
		return nil, wrong("must not be longer than %d bytes", maxBytes)
	case strings.Count(text, "(") > maxDepth:
		return nil, wrong("must not have more than %d parentheses", maxDepth)
	}
	var parser filtering.Parser
	parser.Init(text)
	parsed, err := parser.Parse()
	if err != nil {
		return nil, unreadable(err)
	}
	r := reader{book: b}
	return r.condition(parsed.GetExpr())
}

// unreadable reports the innermost complaint of the parser, with its place.
func unreadable(err error) error {
	place, message := int32(0), "not a filter"
	for ; err != nil; err = errors.Unwrap(err) {
		if at, ok := err.(interface {
			Position() filtering.Position
			Message() string
		}); ok {
			place, message = at.Position().Column, at.Message()
		}
	}
	return wrong("cannot be read at character %d: %s", place, message)
}

type reader struct {
	book         *Book
	restrictions int
}

func (r *reader) condition(e *expr.Expr) (match, error) {
	call := e.GetCallExpr()
	if call == nil {
		return nil, wrong("has a value where a comparison should be: write a field, an operator and a value")
	}
	var parts []match
	switch call.GetFunction() {
	case filtering.FunctionAnd, filtering.FunctionOr, filtering.FunctionNot:
		for _, x := range call.GetArgs() {
			m, err := r.condition(x)
			if err != nil {
				return nil, err
			}
			parts = append(parts, m)
		}
	case filtering.FunctionFuzzyAnd:
		return nil, wrong("has two comparisons side by side: join them with AND or OR")
	}
	switch call.GetFunction() {
	case filtering.FunctionAnd:
		return func(p *part, x *row, d int32) bool { return parts[0](p, x, d) && parts[1](p, x, d) }, nil
	case filtering.FunctionOr:
		return func(p *part, x *row, d int32) bool { return parts[0](p, x, d) || parts[1](p, x, d) }, nil
	case filtering.FunctionNot:
		return func(p *part, x *row, d int32) bool { return !parts[0](p, x, d) }, nil
	case "=", "!=", "<", "<=", ">", ">=":
		return r.restriction(call)
	}
	return nil, wrong("uses %q: use =, !=, <, <=, > and >=", call.GetFunction())
}

func (r *reader) restriction(call *expr.Expr_Call) (match, error) {
	if r.restrictions++; r.restrictions > maxRestrictions {
		return nil, wrong("must not have more than %d comparisons", maxRestrictions)
	}
	op, field := call.GetFunction(), call.GetArgs()[0].GetIdentExpr().GetName()
	value, isText := valueOf(call.GetArgs()[1])
	if c, known := texts[field]; known {
		if !isText {
			return nil, wrong("%s is text: put the value in quotation marks", field)
		}
		return r.text(field, c, op, value)
	}
	switch field {
	case "territory":
		if !isText || op != "=" && op != "!=" {
			return nil, wrong("territory takes = and != and a text")
		}
		return negated(op, r.having(territories, func(word string) bool { return Within(word, value) })), nil
	case "start_date", "end_date":
		if !isText {
			return nil, wrong("%s is a date: write it as \"2026-01-31\"", field)
		}
		day, err := civil.Parse(value)
		if err != nil {
			return nil, wrong("%s: %s", field, err)
		}
		than := dayOf(day)
		if field == "start_date" {
			return func(_ *part, x *row, _ int32) bool { return holds(op, cmp.Compare(x.start, than)) }, nil
		}
		return func(_ *part, x *row, _ int32) bool { return holds(op, cmp.Compare(x.end, than)) }, nil
	case "year":
		number := call.GetArgs()[1].GetConstExpr().GetInt64Value()
		if isText || number < 1900 || number > 2999 {
			return nil, wrong("year is a number from 1900 to 2999, without quotation marks")
		}
		return func(_ *part, x *row, _ int32) bool { return holds(op, cmp.Compare(int64(x.start/10_000), number)) }, nil
	case "late", "at_risk":
		if value != "true" && value != "false" || op != "=" && op != "!=" {
			return nil, wrong("%s is a boolean: write %s = true or %s = false", field, field, field)
		}
		want := value == "true"
		if field == "late" {
			return negated(op, func(_ *part, x *row, today int32) bool { return x.late(today) == want }), nil
		}
		return negated(op, func(_ *part, x *row, _ int32) bool { return x.atRisk() == want }), nil
	}
	return nil, wrong("there is no field %q; the fields are: territory, funder, programme, sector, phase, lead, organisation, currency, start_date, end_date, year, late, at_risk", field)
}

// valueOf reads the right side: a text in quotation marks or a bare word.
func valueOf(e *expr.Expr) (string, bool) {
	if s, ok := e.GetConstExpr().GetConstantKind().(*expr.Constant_StringValue); ok {
		return s.StringValue, true
	}
	if name := e.GetIdentExpr().GetName(); name != "" {
		return name, true
	}
	return "", false
}

// texts are the fields that are compared as a whole.
var texts = map[string]column{
	"funder": funders, "programme": programmes, "sector": sectors, "organisation": organisations,
	"phase": phases, "lead": leads, "currency": currencies,
}

func (r *reader) text(field string, c column, op, value string) (match, error) {
	if op != "=" && op != "!=" {
		return nil, wrong("%s takes = and !=", field)
	}
	if c == phases {
		if !strings.HasPrefix(value, phasePrefix) {
			return nil, wrong("phase is written as in JSON, for example PHASE_EXECUTION")
		}
		value = value[len(phasePrefix):]
	}
	return negated(op, r.having(c, func(word string) bool { return word == value })), nil
}

// having chooses the projects with a word in a column of which holds is true. It
// asks once for each word, and not for each project.
func (r *reader) having(c column, holds func(word string) bool) match {
	words := r.book.columns[c].words
	chosen := make([]bool, len(words))
	for n, word := range words {
		chosen[n] = holds(word)
	}
	switch {
	case c < funders:
		return func(_ *part, x *row, _ int32) bool { return chosen[x.words[c]] }
	case c == organisations:
		return func(p *part, x *row, _ int32) bool {
			return slices.ContainsFunc(p.partiesOf(x), func(y party) bool { return chosen[y.organisation] })
		}
	}
	return func(p *part, x *row, _ int32) bool {
		return slices.ContainsFunc(p.list(x, c), func(n uint32) bool { return chosen[n] })
	}
}

func negated(op string, m match) match {
	if op == "!=" {
		return func(p *part, x *row, d int32) bool { return !m(p, x, d) }
	}
	return m
}

func holds(op string, order int) bool {
	switch op {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// Within reports whether a territory is another or a part of it: codes are
// refined by a hyphen, as in it-21 and it-21-to.
func Within(territory, whole string) bool {
	return territory == whole || strings.HasPrefix(territory, whole) && len(whole) > 0 && territory[len(whole)] == '-'
}
