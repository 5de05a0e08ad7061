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

// Parse reads an AIP-160 filter; the empty one matches all.
func Parse(text string) (Match, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return func(*Project, civil.Date) bool { return true }, nil
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
	r := reader{}
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

type reader struct{ restrictions int }

func (r *reader) condition(e *expr.Expr) (Match, error) {
	call := e.GetCallExpr()
	if call == nil {
		return nil, wrong("has a value where a comparison should be: write a field, an operator and a value")
	}
	var parts []Match
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
		return func(p *Project, d civil.Date) bool { return parts[0](p, d) && parts[1](p, d) }, nil
	case filtering.FunctionOr:
		return func(p *Project, d civil.Date) bool { return parts[0](p, d) || parts[1](p, d) }, nil
	case filtering.FunctionNot:
		return func(p *Project, d civil.Date) bool { return !parts[0](p, d) }, nil
	case "=", "!=", "<", "<=", ">", ">=":
		return r.restriction(call)
	}
	return nil, wrong("uses %q: use =, !=, <, <=, > and >=", call.GetFunction())
}

func (r *reader) restriction(call *expr.Expr_Call) (Match, error) {
	if r.restrictions++; r.restrictions > maxRestrictions {
		return nil, wrong("must not have more than %d comparisons", maxRestrictions)
	}
	op, field := call.GetFunction(), call.GetArgs()[0].GetIdentExpr().GetName()
	value, isText := valueOf(call.GetArgs()[1])
	if texts := textsOf(field); texts != nil {
		if !isText {
			return nil, wrong("%s is text: put the value in quotation marks", field)
		}
		return text(field, op, value, texts)
	}
	number := call.GetArgs()[1].GetConstExpr().GetInt64Value()
	switch field {
	case "territory":
		if !isText || op != "=" && op != "!=" {
			return nil, wrong("territory takes = and != and a text")
		}
		return negated(op, func(p *Project, _ civil.Date) bool { return Within(p.Territory, value) }), nil
	case "start_date", "end_date":
		if !isText {
			return nil, wrong("%s is a date: write it as \"2026-01-31\"", field)
		}
		if _, err := civil.Parse(value); err != nil {
			return nil, wrong("%s: %s", field, err)
		}
		start := field == "start_date"
		return func(p *Project, _ civil.Date) bool {
			if start {
				return holds(op, cmp.Compare(string(p.Start), value))
			}
			return holds(op, cmp.Compare(string(p.End), value))
		}, nil
	case "year":
		if isText || number < 1900 || number > 2999 {
			return nil, wrong("year is a number from 1900 to 2999, without quotation marks")
		}
		return func(p *Project, _ civil.Date) bool { return holds(op, cmp.Compare(yearOf(p.Start), number)) }, nil
	case "late", "at_risk":
		if value != "true" && value != "false" || op != "=" && op != "!=" {
			return nil, wrong("%s is a boolean: write %s = true or %s = false", field, field, field)
		}
		want := value == "true"
		late := field == "late"
		return negated(op, func(p *Project, today civil.Date) bool {
			if late {
				return p.Late(today) == want
			}
			return p.AtRisk() == want
		}), nil
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

// textsOf returns how a field's texts are compared, nil for fields that are none.
func textsOf(field string) func(p *Project, value string) bool {
	switch field {
	case "funder":
		return func(p *Project, v string) bool { return slices.Contains(p.Funders, v) }
	case "programme":
		return func(p *Project, v string) bool { return slices.Contains(p.Programmes, v) }
	case "sector":
		return func(p *Project, v string) bool { return slices.Contains(p.Sectors, v) }
	case "organisation":
		return func(p *Project, v string) bool {
			return slices.ContainsFunc(p.Partners, func(x Part) bool { return x.Organisation == v })
		}
	case "phase":
		return func(p *Project, v string) bool { return len(v) > len(phasePrefix) && p.Phase == v[len(phasePrefix):] }
	case "lead":
		return func(p *Project, v string) bool { return p.Lead == v }
	case "currency":
		return func(p *Project, v string) bool { return p.Currency == v }
	}
	return nil
}

func text(field, op, value string, equal func(*Project, string) bool) (Match, error) {
	if op != "=" && op != "!=" {
		return nil, wrong("%s takes = and !=", field)
	}
	if field == "phase" && !strings.HasPrefix(value, phasePrefix) {
		return nil, wrong("phase is written as in JSON, for example PHASE_EXECUTION")
	}
	return negated(op, func(p *Project, _ civil.Date) bool { return equal(p, value) }), nil
}

func negated(op string, m Match) Match {
	if op == "!=" {
		return func(p *Project, d civil.Date) bool { return !m(p, d) }
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

func yearOf(d civil.Date) int64 {
	var n int64
	for _, c := range d[:4] {
		n = n*10 + int64(c-'0')
	}
	return n
}
