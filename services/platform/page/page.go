// Package page reads lists from a database: pages by keyset, filters by AIP-160
// and orders by AIP-132, over columns that the caller declares.
//
// A filter joins restrictions by AND, OR and NOT, with OR binding tighter than
// AND as AIP-160 has it, and parentheses:
//
//	state = PUBLISHED AND (create_time >= "2026-01-31" OR NOT sample = true)
//
// The operators are =, !=, <, <=, > and >= (booleans take the first two), and
// the colon: text:"care" asks whether a text contains another, in the same
// letter case, and field:* whether a field is set. Text is compared by its
// bytes. A field without a value meets no comparison, not even !=.
package page

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Page sizes: what is given where the request asks for none, and at most.
const (
	DefaultSize = 50
	MaxSize     = 1000
)

// Kind is what a column holds.
type Kind int

// The kinds of columns.
const (
	String Kind = iota // TEXT
	Int                // BIGINT
	Time               // BIGINT of microseconds; filters write RFC 3339 or a date
	Bool               // BOOLEAN
)

func (k Kind) String() string { return [...]string{"text", "whole number", "time", "boolean"}[k] }

// Column is a field that a list can be filtered by, and perhaps ordered by.
type Column struct {
	// Field is the name in filter and order_by, for example "create_time".
	Field string
	// SQL is the column or expression behind it, for example "n.created".
	SQL string
	// Kind is what it holds.
	Kind Kind
	// Orderable says that order_by takes it. It must never be NULL, as the
	// databases disagree where NULL sorts, and should have an index.
	Orderable bool
}

// Schema is the columns of one list.
type Schema struct {
	columns []Column
	byField map[string]*Column
}

var fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)

// New declares the columns of a list. The first one must be unique to each row
// and never NULL: it is the order where a request asks for none, and decides
// between rows that are equal otherwise. A wrong declaration panics.
func New(columns ...Column) *Schema {
	if len(columns) == 0 {
		panic("page: a schema needs a column")
	}
	s := &Schema{columns: append([]Column{}, columns...), byField: map[string]*Column{}}
	s.columns[0].Orderable = true
	for i := range s.columns {
		c := &s.columns[i]
		if !fieldName.MatchString(c.Field) || c.SQL == "" || c.Kind < String || c.Kind > Bool {
			panic(fmt.Sprintf("page: wrong column %+v", *c))
		}
		if s.byField[c.Field] != nil {
			panic("page: column declared twice: " + c.Field)
		}
		s.byField[c.Field] = c
	}
	return s
}

// Request is a List request. GetFilter() string and GetOrderBy() string are used
// where it has them.
type Request interface {
	GetPageSize() int32
	GetPageToken() string
}

// Plan is a checked request, ready for List.
type Plan struct {
	size      int
	condition predicate // nil: no filter
	order     []sortKey
	after     []any // the last row's keys; nil: from the start
	binding   [bindingSize]byte
}

// Plan checks a request. bind holds what else the list depends on, such as the
// parent and the caller's scope: a page token of a list with another filter,
// order or binding is refused. Errors are errs.Invalid and name the field.
func (s *Schema) Plan(req Request, bind ...string) (*Plan, error) {
	p := &Plan{size: int(req.GetPageSize())}
	switch {
	case p.size < 0:
		return nil, errs.InvalidField(errs.InvalidRequest, "page_size", "must not be negative: 0 gives %d, the most is %d", DefaultSize, MaxSize)
	case p.size == 0:
		p.size = DefaultSize
	case p.size > MaxSize:
		p.size = MaxSize
	}
	var filter, orderBy string
	if r, ok := req.(interface{ GetFilter() string }); ok {
		filter = strings.TrimSpace(r.GetFilter())
	}
	if r, ok := req.(interface{ GetOrderBy() string }); ok {
		orderBy = strings.TrimSpace(r.GetOrderBy())
	}
	var err error
	if p.condition, err = s.parseFilter(filter); err != nil {
		return nil, err
	}
	if p.order, err = s.parseOrder(orderBy); err != nil {
		return nil, err
	}
	p.binding = bindingOf(p.order, filter, bind)
	if token := req.GetPageToken(); token != "" {
		if p.after, err = decodeToken(token, p.binding, p.order); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// fields lists the names that a caller may use.
func (s *Schema) fields(orderable bool) string {
	var names []string
	for _, c := range s.columns {
		if c.Orderable || !orderable {
			names = append(names, c.Field)
		}
	}
	return strings.Join(names, ", ")
}
