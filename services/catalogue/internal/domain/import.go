package domain

import (
	"strconv"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
)

// ImportOptions is what holds for all lines of an import.
type ImportOptions struct {
	Columns          []ImportColumn // empty: the default mapping
	LanguageCode     string         // of names and descriptions; empty: it
	MunicipalityDate string         // a day on which the municipality codes are in force
	Source           string
	Licence          string
	FirstLine        int64 // number of the heading's line in the file that the table is a part of
}

// text returns a text with what an import says in it. The same words keep their
// translations; other words are not what was translated.
func (o ImportOptions) text(has LocalizedText, says string) LocalizedText {
	if says == "" || says == has.Text {
		return has
	}
	language := o.LanguageCode
	if language == "" {
		language = "it"
	}
	return LocalizedText{Text: says, LanguageCode: language}
}

// ReadImport reads a table of organisations. What is wrong with the table as a
// whole is an error; what is wrong with a line is in that line's refusals.
func ReadImport(csv []byte, options ImportOptions) ([]*ImportLine, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	t := newTable(csv)
	head, ok := t.next()
	if !ok {
		return nil, errs.InvalidField(ImportHeaderWrong, "csv", "is empty: the first line holds the headings")
	}
	if head.fault != nil {
		return nil, errs.InvalidField(ImportHeaderWrong, "csv", "the heading cannot be read: %s", head.fault.Description)
	}
	m, err := bind(head.cells, options.Columns)
	if err != nil {
		return nil, err
	}
	var out []*ImportLine
	seen := map[string]int64{}
	for r, ok := t.next(); ok; r, ok = t.next() {
		if len(out) == MaxImportLines {
			return nil, errs.InvalidField(ImportTooManyLines, "csv", "has more than %d lines: send it in parts, each with the heading", MaxImportLines)
		}
		l := m.line(r)
		if options.FirstLine > 1 {
			l.Line += options.FirstLine - 1
		}
		l.unrepeated(seen)
		out = append(out, l)
	}
	return out, nil
}

func (o ImportOptions) check() error {
	var f faults
	f.date("municipality_date", o.MunicipalityDate)
	return f.err()
}

// unrepeated refuses a line whose key an earlier line has.
func (l *ImportLine) unrepeated(seen map[string]int64) {
	if len(l.Refusals) > 0 {
		return
	}
	key := l.TaxCode.Key()
	if first, twice := seen[key]; twice {
		l.refuse(LineRepeated, FieldTaxCode.path(), "is the same as in line "+strconv.FormatInt(first, 10))
		return
	}
	seen[key] = l.Line
}

// FindingsOf tells an error of the organisation that a line would make as the
// report does, with the paths of the organisation's own fields.
func FindingsOf(e *errs.Error) []Finding {
	if len(e.Fields) == 0 {
		return []Finding{{Reason: e.Reason, Description: e.Message}}
	}
	var out []Finding
	for _, f := range e.Fields[:min(len(e.Fields), maxFindings)] {
		out = append(out, Finding{Field: f.Path, Reason: f.Reason, Description: f.Description})
	}
	return out
}

// ImportFieldOf returns what findings call the field of a type of identifiers.
func ImportFieldOf(t IdentifierType) string {
	return strings.ToLower(strings.TrimPrefix(string(t), "IDENTIFIER_TYPE_"))
}
