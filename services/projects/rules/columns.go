package rules

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Kind is what a cell of the funder's report holds.
type Kind int

// The kinds.
const (
	KindText Kind = iota
	// KindNumber is a whole number: minor units where the column's unit is money,
	// basis points where it is percent.
	KindNumber
	KindDate
	KindFlag
)

// Cell is a cell of the funder's report.
type Cell struct {
	Kind   Kind
	Empty  bool // not filled for this line, or for want of a fact
	Text   string
	Number int64
	Date   Date
	Flag   bool
}

type compiledColumn struct{ when, value *compiled }

func kindOf(t *cel.Type) Kind {
	switch {
	case t.Kind() == types.IntKind:
		return KindNumber
	case t.Kind() == types.BoolKind:
		return KindFlag
	case t.IsExactType(dayType):
		return KindDate
	}
	return KindText
}

// Kind is what the cells of the column hold.
func (c *Column) Kind() Kind { return c.kind }

// ShowsCategory tells that the cells hold keys of the set's own categories, whose
// titles people read.
func (c *Column) ShowsCategory() bool {
	switch strings.TrimSpace(c.Value.Source) {
	case "line.funder_category", "line.budget.funder_category":
		return true
	}
	return false
}

// Columns are those of the report in the funder's form; there may be none. They
// must not be changed.
func (s *Set) Columns() []Column { return s.doc.Columns }

// Rows works out the funder's report: a row for each line of the claim, in their
// order, with a cell for each column.
func (s *Set) Rows(in Input) ([][]Cell, error) {
	w, err := s.prepare(&in)
	if err != nil {
		return nil, err
	}
	if err := s.workOutFacts(w); err != nil {
		return nil, err
	}
	rows := make([][]Cell, len(w.claimLines))
	cells := make([]Cell, len(rows)*len(s.columns))
	for i := range w.claimLines {
		w.line = &w.claimLines[i]
		rows[i], cells = cells[:len(s.columns):len(s.columns)], cells[len(s.columns):]
		for j := range s.columns {
			column := &s.columns[j]
			rows[i][j] = Cell{Kind: s.doc.Columns[j].kind, Empty: true}
			if column.when != nil {
				filled, err := column.when.truth(&w.scopeVars)
				if unknownFact(err) != nil {
					continue
				}
				if err != nil {
					return nil, s.failed("column "+s.doc.Columns[j].Key, w.claimLines[i].data.Key, err)
				}
				if !filled {
					continue
				}
			}
			v, err := column.value.eval(&w.scopeVars)
			if unknownFact(err) != nil {
				continue
			}
			if err != nil {
				return nil, s.failed("column "+s.doc.Columns[j].Key, w.claimLines[i].data.Key, err)
			}
			cell := &rows[i][j]
			cell.Empty = false
			switch v := v.(type) {
			case types.Int:
				cell.Number = int64(v)
			case types.Bool:
				cell.Flag = bool(v)
			case day:
				cell.Date = v.date()
			case types.String:
				cell.Text = string(v)
			}
		}
	}
	return rows, nil
}
