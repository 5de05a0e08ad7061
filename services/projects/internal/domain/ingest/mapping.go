package ingest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Kind is what each row of a table is: a ProjectImportRows of the proto, without
// its prefix.
type Kind string

// The kinds.
const (
	Projects Kind = "PROJECTS"
	Details  Kind = "DETAILS"
	Payments Kind = "PAYMENTS"
)

// Field is what a value is: a ProjectImportField of the proto, without its prefix.
type Field string

// The fields.
const (
	Title              Field = "TITLE"
	Acronym            Field = "ACRONYM"
	CUP                Field = "CUP"
	StartDate          Field = "START_DATE"
	EndDate            Field = "END_DATE"
	Territory          Field = "TERRITORY"
	Sector             Field = "SECTOR"
	Phase              Field = "PHASE"
	Money              Field = "AMOUNT"
	Category           Field = "CATEGORY"
	ImplementerTaxCode Field = "IMPLEMENTER_TAX_CODE"
	ImplementerName    Field = "IMPLEMENTER_NAME"
	Funder             Field = "FUNDER"
	Programme          Field = "PROGRAMME"
	PaymentDate        Field = "DATE"
	DocumentIssuer     Field = "DOCUMENT_ISSUER"
	DocumentNumber     Field = "DOCUMENT_NUMBER"
	Description        Field = "DESCRIPTION"
	Attribute          Field = "ATTRIBUTE"
)

// fields are those that a kind of rows needs, and those that it may have.
var fields = map[Kind]struct{ needed, allowed []Field }{
	Projects: {[]Field{Title, StartDate, EndDate, Money},
		[]Field{Acronym, CUP, Territory, Sector, Phase, Category, ImplementerTaxCode, ImplementerName, Funder, Programme, Description, Attribute}},
	Details:  {[]Field{CUP, Attribute}, nil},
	Payments: {[]Field{CUP, Money, PaymentDate, DocumentIssuer}, []Field{DocumentNumber, Description}},
}

// longest are the most characters that a field has; more are cut.
var longest = map[Field]int{
	Title: 20_000, Acronym: 40, Territory: 80, Sector: 80, Funder: 300, Programme: 300, DocumentIssuer: 300, DocumentNumber: 100,
	Description: 2_000, Attribute: 400, ImplementerName: 400, ImplementerTaxCode: 64, CUP: 400,
}

// Mapping says what a table holds.
type Mapping struct {
	Rows             Kind
	Source           string
	KeyColumns       []string
	Values           []Value
	DecimalSeparator string // empty: a point
	DateLayout       string // of yyyy, mm and dd; empty: yyyy-mm-dd
	Sheet            string
}

// Value says where a value comes from.
type Value struct {
	Field     Field
	Attribute string // key, of an attribute
	Column    string
	Constant  string
	Values    map[string]string // what the column's values are taken as; empty: as they are
}

// bound is a mapping on the columns of a table.
type bound struct {
	Mapping
	table  *Table
	key    []int
	values []boundValue
	layout layout
}

type boundValue struct {
	Value
	at    int // column; -1: a constant
	taken map[string]string
}

func badMapping(path, format string, args ...any) error {
	return errs.InvalidField(domain.MappingWrong, "mapping."+path, format, args...)
}

// bind finds the columns of a mapping. An error names what of it is wrong.
func bind(t *Table, m Mapping) (*bound, error) {
	b := &bound{Mapping: m, table: t}
	columns := map[string]int{}
	for i, h := range t.Headings {
		if _, twice := columns[fold(h)]; !twice {
			columns[fold(h)] = i
		}
	}
	find := func(path, column string) (int, error) {
		at, there := columns[fold(column)]
		if !there {
			return 0, badMapping(path, "the table has no column %q; it has: %s", column, brief(strings.Join(t.Headings, ", "), 400))
		}
		return at, nil
	}
	for i, column := range m.KeyColumns {
		at, err := find(fmt.Sprintf("key_columns[%d]", i), column)
		if err != nil {
			return nil, err
		}
		b.key = append(b.key, at)
	}
	var err error
	if b.layout, err = newLayout(m.DateLayout); err != nil {
		return nil, badMapping("date_layout", "%s", err)
	}
	seen := map[string]bool{}
	for i, v := range m.Values {
		path := fmt.Sprintf("values[%d]", i)
		if err := v.check(path, m.Rows, seen); err != nil {
			return nil, err
		}
		x := boundValue{Value: v, at: -1, taken: map[string]string{}}
		if v.Column != "" {
			if x.at, err = find(path+".column", v.Column); err != nil {
				return nil, err
			}
		}
		for from, to := range v.Values {
			x.taken[fold(from)] = to
		}
		b.values = append(b.values, x)
	}
	for _, f := range fields[m.Rows].needed {
		if !slices.ContainsFunc(m.Values, func(v Value) bool { return v.Field == f }) {
			return nil, badMapping("values", "rows of %s need a value for %s", m.Rows, f)
		}
	}
	return b, nil
}

func (v Value) check(path string, rows Kind, seen map[string]bool) error {
	known, ok := fields[rows]
	switch {
	case !ok:
		return badMapping("rows", "must be given")
	case !slices.Contains(known.needed, v.Field) && !slices.Contains(known.allowed, v.Field):
		return badMapping(path+".field", "%s does not belong to rows of %s", v.Field, rows)
	case (v.Column == "") == (v.Constant == ""):
		return badMapping(path, "must have either a column or a constant")
	case len(v.Values) > 0 && v.Column == "":
		return badMapping(path+".values", "belong to a column")
	case (v.Field == Attribute) != (v.Attribute != ""):
		return badMapping(path+".attribute", "must be given for ATTRIBUTE, and only there")
	}
	if key := string(v.Field) + v.Attribute; v.Field != Sector {
		if seen[key] {
			return badMapping(path+".field", "%s stands twice", key)
		}
		seen[key] = true
	}
	for _, taken := range append(mapped(v.Values), v.Constant) {
		if taken == "" {
			continue
		}
		if v.Field == Phase && !slices.Contains(domain.Phases, domain.Phase(taken)) {
			return badMapping(path, "%q is none of the phases %v", taken, domain.Phases)
		}
		if v.Field == Category && !slices.Contains(categories, taken) {
			return badMapping(path, "%q is none of the categories %v", taken, categories)
		}
	}
	return nil
}

var categories = []string{"STAFF", "OFFICE", "TRAVEL", "EXTERNAL", "EQUIPMENT", "INFRASTRUCTURE", "OTHER"}

func mapped(values map[string]string) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// fold is a heading or value as it is compared.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// brief is at most so many characters of a text.
func brief(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
