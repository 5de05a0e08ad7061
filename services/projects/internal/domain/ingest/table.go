// Package ingest reads tables of projects and payments that exist elsewhere: CSV
// and Excel workbooks, by a mapping of columns to fields. It says of each row
// what it holds and what is odd about it; nothing is dropped in silence.
package ingest

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// Bounds of a table.
const (
	MaxRows    = 8_000
	MaxColumns = 200
	MaxCell    = 20_000 // bytes
)

// Table is a table as it was read.
type Table struct {
	Headings []string
	Rows     []Row
	Sheet    bool // a workbook: dates and numbers are as a spreadsheet keeps them
	From1904 bool // the workbook counts days from 1904
}

// Row is one row of a table. A broken one has no cells.
type Row struct {
	Line     int64
	Cells    []string
	Formulas []string // references of the cells that are formulas
	Broken   string   // what is wrong with the row as a whole
}

// Read reads a table, at most MaxRows rows below the headings. What is wrong with
// the table as a whole is an error for the field `table`.
func Read(content []byte, sheet string) (*Table, error) {
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return readWorkbook(content, sheet)
	case bytes.HasPrefix(content, []byte("\xd0\xcf\x11\xe0")):
		return nil, wrong("is an Excel file of before 2007, or one with a password: save it as .xlsx without a password, or as CSV")
	case bytes.HasPrefix(content, []byte("%PDF")):
		return nil, wrong("is a PDF document: send a table, as CSV or .xlsx")
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")):
		return nil, wrong("is in UTF-16: save it as CSV in UTF-8")
	case sheet != "":
		return nil, errs.InvalidField(domain.MappingWrong, "mapping.sheet", "is given, but the table is no Excel workbook")
	}
	return readCSV(bytes.TrimPrefix(content, []byte("\ufeff")))
}

func wrong(format string, args ...any) error {
	return errs.InvalidField(domain.TableWrong, "table", format, args...)
}

func readCSV(content []byte) (*Table, error) {
	if at := bytes.IndexByte(content, 0); at >= 0 {
		return nil, wrong("is no text: byte %d is zero", at+1)
	}
	if !utf8.Valid(content) {
		return nil, wrong("is not in UTF-8: line %d has other bytes, perhaps of Windows-1252 (save it as CSV UTF-8)", badLine(content))
	}
	r := csv.NewReader(bytes.NewReader(content))
	r.Comma = separator(content)
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	t := &Table{}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		row := Row{}
		if parse, broken := errors.AsType[*csv.ParseError](err); broken {
			row.Line, row.Broken = int64(parse.StartLine), parse.Err.Error()
		} else {
			line, _ := r.FieldPos(0)
			row.Line, row.Cells = int64(line), append([]string(nil), cells...)
		}
		if done, err := t.add(row); done || err != nil {
			return t, err
		}
	}
	if t.Headings == nil {
		return nil, wrong("is empty: the first row holds the headings")
	}
	return t, nil
}

// add takes the next row: the first is the headings, empty ones are left out.
func (t *Table) add(row Row) (done bool, err error) {
	for len(row.Cells) > 0 && strings.TrimSpace(row.Cells[len(row.Cells)-1]) == "" && len(row.Cells) > len(t.Headings) {
		row.Cells = row.Cells[:len(row.Cells)-1]
	}
	empty := row.Broken == ""
	for _, cell := range row.Cells {
		empty = empty && strings.TrimSpace(cell) == ""
		if len(cell) > MaxCell {
			row.Broken = fmt.Sprintf("a cell has more than %d bytes", MaxCell)
		}
	}
	switch {
	case empty:
		return false, nil
	case t.Headings == nil && (row.Broken != "" || len(row.Cells) > MaxColumns):
		return true, wrong("the headings cannot be read: %s", max(row.Broken, fmt.Sprintf("%d columns, at most %d", len(row.Cells), MaxColumns)))
	case t.Headings == nil:
		t.Headings = row.Cells
		return false, nil
	case len(t.Rows) == MaxRows:
		return true, wrong("has more than %d rows: send it in parts, each with the headings", MaxRows)
	case row.Broken == "" && len(row.Cells) != len(t.Headings):
		row.Broken = fmt.Sprintf("has %d cells, the headings are %d", len(row.Cells), len(t.Headings))
	}
	t.Rows = append(t.Rows, row)
	return false, nil
}

// separator is whichever of comma, semicolon and tab the first line has most of
// outside quotes.
func separator(content []byte) rune {
	counts := map[byte]int{}
	quoted := false
	for _, c := range content {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[c]++
		}
	}
	best := ','
	for _, c := range ";\t" {
		if counts[byte(c)] > counts[byte(best)] {
			best = c
		}
	}
	return best
}

func badLine(content []byte) int {
	for i, line := range bytes.Split(content, []byte("\n")) {
		if !utf8.Valid(line) {
			return i + 1
		}
	}
	return 0
}
