package report

import (
	"bufio"
	"io"
	"strings"
)

// CSV writes a table as text (RFC 4180, UTF-8, CRLF). English has commas between
// the fields and a decimal point; Italian has semicolons, a decimal comma and a
// byte order mark, as an Italian spreadsheet program expects when a file is
// opened by a double click. Days are 2026-01-31 in both.
//
// A text that a spreadsheet program would take for a formula gets a quote in
// front of it (OWASP, CSV Injection); numbers are numbers and are left alone.
func (t *Table) CSV(w io.Writer, l Language) error {
	out := bufio.NewWriterSize(w, 32<<10)
	between, mark := l.Pick(";", ","), l.Pick(",", ".")
	if l != English {
		_, _ = out.WriteString("\ufeff") // errors stay until Flush
	}
	header := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = c.Header
	}
	if err := line(out, header, between); err != nil {
		return err
	}
	fields := make([]string, len(t.Columns))
	err := t.rows(func(cells []Cell, _ bool) error {
		for i, cell := range cells {
			fields[i] = t.Columns[i].field(cell, mark)
		}
		return line(out, fields, between)
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// field writes a cell as text.
func (c Column) field(cell Cell, mark string) string {
	switch {
	case cell.Empty:
		return ""
	case c.Kind == Text, c.Kind == Date, cell.Text != "":
		return defuse(clean(cell.Text))
	}
	return fixed(cell.Number, decimals(c.Kind), mark)
}

// defuse keeps a text from being taken for a formula, also where blanks stand in
// front of it and where it begins with a wide form of the sign.
func defuse(s string) string {
	begin := strings.TrimLeft(s, " \t\r\n\u00a0\u3000")
	if strings.TrimLeft(begin, "=+-@＝＋－＠") != begin || strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\n") {
		return "'" + s
	}
	return s
}

func line(w *bufio.Writer, fields []string, between string) error {
	for i, f := range fields {
		if i > 0 {
			_, _ = w.WriteString(between)
		}
		if strings.ContainsAny(f, ",;\"\r\n\t") || strings.HasPrefix(f, "'") || strings.HasPrefix(f, " ") {
			f = `"` + strings.ReplaceAll(f, `"`, `""`) + `"`
		}
		_, _ = w.WriteString(f)
	}
	_, err := w.WriteString("\r\n")
	return err
}
