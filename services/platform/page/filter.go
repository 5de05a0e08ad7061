package page

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"errors"

	"go.einride.tech/aip/filtering"
	expr "google.golang.org/genproto/googleapis/api/expr/v1alpha1"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Bounds of a filter: what people and programs write stays far below, and what
// is above costs the database more than a list may.
const (
	maxFilterBytes        = 2048
	maxFilterDepth        = 16
	maxFilterRestrictions = 64
)

// predicate writes a condition in SQL and appends its arguments.
type predicate func(args *[]any) string

// parseFilter turns a filter into a predicate, nil for none. The library parses;
// checking against the columns is done here, as its checker knows neither bare
// enum values nor which fields there are to suggest.
func (s *Schema) parseFilter(text string) (predicate, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxFilterBytes {
		return nil, invalidFilter("must not be longer than %d bytes", maxFilterBytes)
	}
	if depth(text) > maxFilterDepth {
		return nil, invalidFilter("must not nest parentheses deeper than %d", maxFilterDepth)
	}
	var parser filtering.Parser
	parser.Init(text)
	parsed, err := parser.Parse()
	if err != nil {
		return nil, unreadable(err)
	}
	t := translator{schema: s}
	return t.condition(parsed.GetExpr())
}

func invalidFilter(format string, args ...any) error {
	return errs.InvalidField(errs.InvalidFilter, "filter", format, args...)
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
	return invalidFilter("cannot be read at character %d: %s", place, message)
}

// depth counts how deep parentheses nest outside of strings.
func depth(text string) int {
	deepest, now := 0, 0
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '(':
			now++
			deepest = max(deepest, now)
		case c == ')':
			now--
		}
	}
	return deepest
}

type translator struct {
	schema       *Schema
	restrictions int
}

// condition translates an expression that is true or false.
func (t *translator) condition(e *expr.Expr) (predicate, error) {
	call := e.GetCallExpr()
	if call == nil {
		name, ok := path(e)
		if !ok {
			return nil, invalidFilter("has a value where a comparison should be: write a field, an operator and a value")
		}
		return nil, invalidFilter("has %q where a comparison should be: write a field, an operator and a value, for example %s = …", name, t.schema.columns[0].Field)
	}
	switch call.GetFunction() {
	case filtering.FunctionAnd:
		return t.join(call, " AND ")
	case filtering.FunctionOr:
		return t.join(call, " OR ")
	case filtering.FunctionNot:
		inner, err := t.condition(call.GetArgs()[0])
		if err != nil {
			return nil, err
		}
		return func(args *[]any) string { return "NOT (" + inner(args) + ")" }, nil
	case filtering.FunctionFuzzyAnd:
		return nil, invalidFilter("has two comparisons side by side: join them with AND or OR")
	case "=", "!=", "<", "<=", ">", ">=", ":":
		return t.restriction(call)
	}
	return nil, invalidFilter("calls the function %q: there are no functions; use =, !=, <, <=, >, >= and the colon", call.GetFunction())
}

func (t *translator) join(call *expr.Expr_Call, word string) (predicate, error) {
	left, err := t.condition(call.GetArgs()[0])
	if err != nil {
		return nil, err
	}
	right, err := t.condition(call.GetArgs()[1])
	if err != nil {
		return nil, err
	}
	return func(args *[]any) string { return "(" + left(args) + word + right(args) + ")" }, nil
}

// restriction translates one comparison.
func (t *translator) restriction(call *expr.Expr_Call) (predicate, error) {
	if t.restrictions++; t.restrictions > maxFilterRestrictions {
		return nil, invalidFilter("must not have more than %d comparisons", maxFilterRestrictions)
	}
	field, ok := path(call.GetArgs()[0])
	if !ok {
		return nil, invalidFilter("has a value on the left of %s: the field comes first", call.GetFunction())
	}
	column := t.schema.byField[field]
	if column == nil {
		return nil, invalidFilter("there is no field %q; the fields are: %s", field, t.schema.fields(false))
	}
	if call.GetFunction() == filtering.FunctionHas {
		return has(column, call.GetArgs()[1])
	}
	value, err := operand(column, call.GetArgs()[1])
	if err != nil {
		return nil, err
	}
	op := call.GetFunction()
	switch {
	case op == "!=":
		op = "<>"
	case column.Kind == Bool && op != "=":
		return nil, invalidFilter("%s is a boolean: compare it by = or !=", field)
	}
	return func(args *[]any) string { return column.SQL + " " + op + " " + param(args, value) }, nil
}

// has translates the colon. A text contains another where taking that out of it
// changes it: instr and strpos are each known to one database only, and LIKE
// ignores case on one.
func has(column *Column, e *expr.Expr) (predicate, error) {
	if text, ok := path(e); (ok && text == "*") || e.GetConstExpr().GetStringValue() == "*" {
		set := column.SQL + " IS NOT NULL"
		if column.Kind == String {
			set = "(" + set + " AND " + column.SQL + " <> '')"
		}
		return func(*[]any) string { return set }, nil
	}
	if column.Kind != String {
		return nil, invalidFilter("%s is a %s, which contains nothing: the colon takes a text field, or * to ask whether the field is set", column.Field, column.Kind)
	}
	value, err := operand(column, e)
	if err != nil {
		return nil, err
	}
	if value == "" {
		return nil, invalidFilter("every text contains the empty one: write %s:* to ask whether it is set", column.Field)
	}
	return func(args *[]any) string {
		return "replace(" + column.SQL + ", " + param(args, value) + ", '') <> " + column.SQL
	}, nil
}

// operand reads the value on the right, as the column's kind wants it.
func operand(column *Column, e *expr.Expr) (any, error) {
	text, isText := path(e)
	constant := e.GetConstExpr()
	if s, ok := constant.GetConstantKind().(*expr.Constant_StringValue); ok {
		text, isText = s.StringValue, true
	}
	if !isText && constant == nil {
		return nil, invalidFilter("%s is compared with an expression: write a value", column.Field)
	}
	if isText && (!utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0) {
		return nil, invalidFilter("the value for %s has characters that no text may have", column.Field)
	}
	switch column.Kind {
	case String:
		if isText {
			return text, nil
		}
		return nil, invalidFilter("%s is text: put the value in quotation marks", column.Field)
	case Bool:
		if isText && (text == "true" || text == "false") {
			return text == "true", nil
		}
		return nil, invalidFilter("%s is a boolean: write true or false", column.Field)
	case Int:
		if n, ok := constant.GetConstantKind().(*expr.Constant_Int64Value); ok {
			return n.Int64Value, nil
		}
		return nil, invalidFilter("%s is a whole number: write one without quotation marks or decimals", column.Field)
	default:
		for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
			if at, err := time.Parse(layout, text); isText && err == nil {
				return sqldb.Micros(at), nil
			}
		}
		return nil, invalidFilter(`%s is a time: write "2026-01-31T08:00:00Z" or "2026-01-31", in quotation marks`, column.Field)
	}
}

// path returns the dotted name that an expression is.
func path(e *expr.Expr) (string, bool) {
	if ident := e.GetIdentExpr(); ident != nil {
		return ident.GetName(), true
	}
	if sel := e.GetSelectExpr(); sel != nil {
		if parent, ok := path(sel.GetOperand()); ok {
			return fmt.Sprintf("%s.%s", parent, sel.GetField()), true
		}
	}
	return "", false
}
