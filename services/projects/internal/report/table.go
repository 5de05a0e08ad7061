// Package report writes documents for people: tables as spreadsheets (XLSX) and
// as text (CSV), and the closing report of a project (PDF). It gets plain data
// and a writer and knows neither the database nor the wire. The same data give
// the same bytes.
package report

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/money"
)

// Language of headings and of the form of numbers.
type Language string

// The languages.
const (
	Italian Language = "it"
	English Language = "en"
)

// Pick returns the text in the language.
func (l Language) Pick(italian, english string) string {
	if l == English {
		return english
	}
	return italian
}

// Kind is what the cells of a column are.
type Kind int

// The kinds.
const (
	Text    Kind = iota
	Money        // with two decimals
	Date         // a day
	Count        // a whole number
	Percent      // of basis points, with two decimals
	Decimal      // in ten-thousandths
)

// Column is one column of a table.
type Column struct {
	Header string
	Kind   Kind
	// Width in characters; 0 for one that fits the kind.
	Width float64
	// Sum adds the column up in the last row.
	Sum bool
}

// Cell is one cell. The zero value is an empty one.
type Cell struct {
	// Text of a Text column, or a day as 2026-01-31 of a Date column.
	Text string
	// Number of all other columns: minor units, a count, basis points or
	// ten-thousandths.
	Number int64
	// Empty leaves the cell out, whatever it holds.
	Empty bool
}

// Words is a cell of text.
func Words(s string) Cell { return Cell{Text: s, Empty: s == ""} }

// Day is a cell of a day; empty for none.
func Day(iso string) Cell { return Cell{Text: iso, Empty: iso == ""} }

// Number is a cell of any kind of number.
func Number(n int64) Cell { return Cell{Number: n} }

// Nothing is an empty cell.
func Nothing() Cell { return Cell{Empty: true} }

// Table is a table whose rows come one after another, so that it may be longer
// than memory. Each row has a cell for each column.
type Table struct {
	// Title is the sheet's name, at most 31 characters, without \/?*[]:
	Title   string
	Columns []Column
	Rows    iter.Seq2[[]Cell, error]
	// Total is the first cell of the last row, which has the sums; empty for no
	// such row.
	Total string
}

// sums adds up the columns of a table as its rows go by.
type sums struct {
	columns []Column
	totals  []int64
}

func (s *sums) add(row []Cell) error {
	if len(row) != len(s.columns) {
		return fmt.Errorf("report: a row has %d cells for %d columns", len(row), len(s.columns))
	}
	for i, c := range s.columns {
		if !c.Sum || row[i].Empty {
			continue
		}
		sum, err := money.Add(money.Amount{Minor: s.totals[i]}, money.Amount{Minor: row[i].Number})
		if err != nil {
			return fmt.Errorf("report: column %q: %w", c.Header, err)
		}
		s.totals[i] = sum.Minor
	}
	return nil
}

// last is the row of the totals.
func (s *sums) last(label string) []Cell {
	out := make([]Cell, len(s.columns))
	for i, c := range s.columns {
		out[i] = Cell{Number: s.totals[i], Empty: !c.Sum}
	}
	if len(out) > 0 && out[0].Empty {
		out[0] = Cell{Text: label}
	}
	return out
}

// rows goes over the rows of a table and its totals; last is true for those.
func (t *Table) rows(row func(cells []Cell, last bool) error) error {
	s := &sums{columns: t.Columns, totals: make([]int64, len(t.Columns))}
	for cells, err := range t.Rows {
		if err != nil {
			return err
		}
		if err := s.add(cells); err != nil {
			return err
		}
		if err := row(cells, false); err != nil {
			return err
		}
	}
	if t.Total == "" {
		return nil
	}
	return row(s.last(t.Total), true)
}

// decimals is how many digits of a number of that kind stand behind the decimal
// mark.
func decimals(k Kind) int {
	switch k {
	case Money, Percent:
		return 2
	case Decimal:
		return 4
	}
	return 0
}

// fixed writes n with its last digits behind the mark.
func fixed(n int64, digits int, mark string) string {
	negative := n < 0
	s := strings.TrimPrefix(strconv.FormatInt(n, 10), "-")
	if digits > 0 {
		for len(s) <= digits {
			s = "0" + s
		}
		s = s[:len(s)-digits] + mark + s[len(s)-digits:]
	}
	if negative {
		s = "-" + s
	}
	return s
}

// clean takes out of a text what XML and people cannot read: control characters
// but tab and line end.
func clean(s string) string {
	if !strings.ContainsFunc(s, unreadable) && utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(c rune) rune {
		if unreadable(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, ""))
}

func unreadable(c rune) bool {
	return c < ' ' && c != '\t' && c != '\n' || c == 0x7f || c == '\ufffe' || c == '\uffff'
}

// Slice gives the rows of a slice.
func Slice(rows [][]Cell) iter.Seq2[[]Cell, error] {
	return func(yield func([]Cell, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Format is what a table is written as.
type Format int

// The formats.
const (
	XLSX Format = iota
	CSV
)

// Media returns the media type and the extension of a format.
func (f Format) Media() (mediaType, extension string) {
	if f == CSV {
		return "text/csv", "csv"
	}
	return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"
}

// Write writes a table in a format.
func (t *Table) Write(w io.Writer, f Format, l Language) error {
	if f == CSV {
		return t.CSV(w, l)
	}
	return t.XLSX(w)
}
