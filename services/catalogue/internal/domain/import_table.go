package domain

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Bounds of a table.
const (
	// MaxImportLines is how many lines one import may have: a report line may
	// take 520 bytes, and a whole answer 4 MiB.
	MaxImportLines = 8_000
	// maxCell is how many bytes a cell may have. It also bounds how far a quote
	// that does not end is followed.
	maxCell = 32 << 10
	// maxColumns is how many columns a table may have.
	maxColumns = 500
)

// Finding is something to know about a line of an import: a reason why it was
// refused, or a correction.
type Finding struct {
	Field       string // of the import, for example "tax_code"; empty: the whole line
	Reason      errs.Reason
	Description string
}

// record is one line of a table, or what of it could not be read.
type record struct {
	line  int64 // of its first line, counted from one
	cells []string
	fault *Finding
}

// table reads CSV: UTF-8 with or without byte order mark, LF or CRLF, RFC 4180
// quotes. A line that cannot be read costs itself only: reading goes on at the
// next line.
type table struct {
	data      []byte
	at        int
	line      int64
	separator byte
}

// newTable finds the separator: whichever of comma, semicolon and tab the first
// line has most of outside quotes.
func newTable(data []byte) *table {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	t := &table{data: data, line: 1, separator: ','}
	most, quoted := 0, false
	counts := map[byte]int{}
	for _, c := range data[:lineEnd(data, 0)] {
		switch {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ';' || c == '\t'):
			counts[c]++
		}
	}
	for _, c := range []byte(",;\t") {
		if counts[c] > most {
			t.separator, most = c, counts[c]
		}
	}
	return t
}

// next returns the next line that is not empty, false at the end.
func (t *table) next() (record, bool) {
	for t.at < len(t.data) {
		start, first := t.at, t.line
		cells, end, fault := t.read(start)
		if fault != nil {
			end = lineEnd(t.data, start)
		}
		t.line += int64(bytes.Count(t.data[start:end], []byte{'\n'}))
		t.at = end
		if end < len(t.data) { // the line's own end
			t.at++
			t.line++
		}
		if fault != nil {
			return record{line: first, fault: fault}, true
		}
		if !blank(cells) {
			return record{line: first, cells: cells}, true
		}
	}
	return record{}, false
}

// read splits the line that begins at start, and returns where it ends: at its
// LF or at the end of the data.
func (t *table) read(start int) (cells []string, end int, fault *Finding) {
	at := start
	for {
		if len(cells) >= maxColumns {
			return nil, 0, &Finding{Reason: LineBroken, Description: "the line has more than 500 cells"}
		}
		cell, next, fault := t.cell(at)
		if fault != nil {
			return nil, 0, fault
		}
		cells = append(cells, cell)
		if next >= len(t.data) || t.data[next] == '\n' {
			return cells, next, nil
		}
		at = next + 1
	}
}

// cell reads the cell that begins at at, and returns the position behind it: a
// separator, an LF or the end of the data.
func (t *table) cell(at int) (string, int, *Finding) {
	if at >= len(t.data) || t.data[at] != '"' {
		end := at
		for end < len(t.data) && t.data[end] != t.separator && t.data[end] != '\n' {
			end++
		}
		return t.plain(at, end)
	}
	var b []byte
	for from := at + 1; ; {
		quote := bytes.IndexByte(t.data[from:min(len(t.data), from+maxCell)], '"')
		if quote < 0 || len(b)+quote > maxCell {
			if len(t.data)-from >= maxCell {
				return "", 0, &Finding{Reason: CellTooLong, Description: "a quoted cell is longer than 32 KiB, or its quote does not end"}
			}
			return "", 0, &Finding{Reason: LineBroken, Description: "a quote does not end"}
		}
		b = append(b, t.data[from:from+quote]...)
		from += quote + 1
		if from < len(t.data) && t.data[from] == '"' {
			b = append(b, '"')
			from++
			continue
		}
		if from < len(t.data) && t.data[from] == '\r' && (from+1 == len(t.data) || t.data[from+1] == '\n') {
			from++
		}
		if from < len(t.data) && t.data[from] != t.separator && t.data[from] != '\n' {
			return "", 0, &Finding{Reason: LineBroken, Description: "a quote ends within a cell: a quote inside a quoted cell is written twice"}
		}
		text, fault := checkCell(b)
		return text, from, fault
	}
}

// plain takes a cell without quotes; quotes further inside are just characters.
func (t *table) plain(at, end int) (string, int, *Finding) {
	raw := t.data[at:end]
	if end == len(t.data) || t.data[end] == '\n' {
		raw = bytes.TrimSuffix(raw, []byte{'\r'})
	}
	text, fault := checkCell(raw)
	return text, end, fault
}

// checkCell refuses what is no text.
func checkCell(raw []byte) (string, *Finding) {
	if len(raw) > maxCell {
		return "", &Finding{Reason: CellTooLong, Description: "a cell is longer than 32 KiB"}
	}
	if !utf8.Valid(raw) {
		return "", &Finding{Reason: EncodingBroken, Description: "the line is not UTF-8"}
	}
	for _, c := range raw {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return "", &Finding{Reason: EncodingBroken, Description: "the line has control characters"}
		}
	}
	return string(raw), nil
}

// lineEnd returns the position of the LF that ends the line at start, or the end
// of the data.
func lineEnd(data []byte, start int) int {
	if at := bytes.IndexByte(data[start:], '\n'); at >= 0 {
		return start + at
	}
	return len(data)
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}
