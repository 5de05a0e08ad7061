package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/trama-suite/trama/services/projects/internal/report"
)

var columns = []report.Column{
	{Header: "Voce"}, {Header: "Importo", Kind: report.Money, Sum: true}, {Header: "Data", Kind: report.Date},
	{Header: "Numero", Kind: report.Count, Sum: true}, {Header: "Quota", Kind: report.Percent},
}

func write(t *testing.T, table report.Table, f report.Format, l report.Language) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := table.Write(&out, f, l); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func sheet(t *testing.T, b []byte, raw bool) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{RawCellValue: raw})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("Budget")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func some() report.Table {
	return report.Table{Title: "Budget", Total: "Totale", Columns: columns, Rows: report.Slice([][]report.Cell{
		{report.Words("Città à é €"), report.Number(123_456), report.Day("2026-03-01"), report.Number(3), report.Number(1_250)},
		{report.Words(`=HYPERLINK("http://x";"a")`), report.Number(-5), report.Nothing(), report.Number(0), report.Nothing()},
		{report.Words("riga\nsotto; \"così\""), report.Number(1), report.Day("2026-12-31"), report.Nothing(), report.Number(10_000)},
	})}
}

func TestCSVIsReadBack(t *testing.T) {
	for _, c := range []struct {
		language report.Language
		comma    rune
		mark     string
	}{{report.Italian, ';', ","}, {report.English, ',', "."}} {
		b := write(t, some(), report.CSV, c.language)
		text, bom := strings.CutPrefix(string(b), "\ufeff")
		if bom != (c.language == report.Italian) {
			t.Errorf("%s: byte order mark %v", c.language, bom)
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = c.comma
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		m := func(s string) string { return strings.ReplaceAll(s, ".", c.mark) }
		want := [][]string{
			{"Voce", "Importo", "Data", "Numero", "Quota"},
			{"Città à é €", m("1234.56"), "2026-03-01", "3", m("12.50")},
			{`'=HYPERLINK("http://x";"a")`, m("-0.05"), "", "0", ""},
			{"riga\nsotto; \"così\"", m("0.01"), "2026-12-31", "", m("100.00")},
			{"Totale", m("1234.52"), "", "3", ""},
		}
		if fmt.Sprint(rows) != fmt.Sprint(want) {
			t.Errorf("%s:\n%q\nwant\n%q", c.language, rows, want)
		}
	}
}

func TestFormulasAreDefused(t *testing.T) {
	for text, defused := range map[string]bool{
		"=1+1": true, "+39 011": true, "-5": true, "@SUM(A1)": true, "\t=1": true, "  =1": true, "＝1": true, "＠x": true, "\n=1": true, "\u00a0=1": true,
		"a=1": false, "": false, "1-2": false, "'x": false, "è": false,
	} {
		table := report.Table{Title: "Budget", Columns: columns[:1], Rows: report.Slice([][]report.Cell{{report.Words(text)}})}
		got := strings.TrimSuffix(strings.TrimPrefix(string(write(t, table, report.CSV, report.English)), "Voce\r\n"), "\r\n")
		if strings.HasPrefix(got, `"'`) != (defused || text == "'x") {
			t.Errorf("%q becomes %s", text, got)
		}
		f, err := excelize.OpenReader(bytes.NewReader(write(t, table, report.XLSX, report.Italian)))
		if err != nil {
			t.Fatal(err)
		}
		formula, _ := f.GetCellFormula("Budget", "A2")
		value, _ := f.GetCellValue("Budget", "A2")
		kind, _ := f.GetCellType("Budget", "A2")
		if formula != "" || value != text || text != "" && kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
			t.Errorf("%q: formula %q, value %q, type %v", text, formula, value, kind)
		}
		_ = f.Close()
	}
}

func TestXLSXIsReadBack(t *testing.T) {
	b := write(t, some(), report.XLSX, report.Italian)
	rows := sheet(t, b, false)
	want := [][]string{
		{"Voce", "Importo", "Data", "Numero", "Quota"},
		{"Città à é €", "1,234.56", "01/03/2026", "3", "12.50"},
		{`=HYPERLINK("http://x";"a")`, "-0.05", "", "0"},
		{"riga\nsotto; \"così\"", "0.01", "31/12/2026", "", "100.00"},
		{"Totale", "1,234.52", "", "3"},
	}
	if fmt.Sprint(rows) != fmt.Sprint(want) {
		t.Errorf("\n%q\nwant\n%q", rows, want)
	}
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if p, err := f.GetPanes("Budget"); err != nil || !p.Freeze || p.YSplit != 1 {
		t.Errorf("panes %+v, %v", p, err)
	}
	if kind, _ := f.GetCellType("Budget", "B2"); kind != excelize.CellTypeUnset && kind != excelize.CellTypeNumber {
		t.Errorf("an amount is of type %v", kind)
	}
	if again := write(t, some(), report.XLSX, report.Italian); !bytes.Equal(again, b) {
		t.Error("the same data give other bytes")
	}
}

// The last row is the sum of the rows to the cent, whatever the amounts.
func TestTotalsAreTheSums(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var cells [][]report.Cell
	var want int64
	for range 2000 {
		n := random.Int64N(1_000_000_000) - 300_000_000
		want += n
		cells = append(cells, []report.Cell{report.Words("x"), report.Number(n)})
	}
	rows := sheet(t, write(t, report.Table{Title: "Budget", Total: "Totale", Columns: columns[:2], Rows: report.Slice(cells)}, report.XLSX, report.Italian), true)
	var got int64
	for i, r := range rows[1:] {
		f, err := strconv.ParseFloat(r[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		minor := int64(math.Round(f * 100))
		if i < len(cells) {
			if minor != cells[i][1].Number {
				t.Fatalf("row %d: %s, want %d", i, r[1], cells[i][1].Number)
			}
			got += minor
		} else if minor != want || got != want {
			t.Errorf("total %s, rows sum to %d, want %d", r[1], got, want)
		}
	}
}

func TestAmountsThatNoSpreadsheetHoldsStayExact(t *testing.T) {
	const big = 9_007_199_254_740_993 // 2^53 + 1
	table := report.Table{Title: "Budget", Columns: columns[:2], Rows: report.Slice([][]report.Cell{{report.Words("x"), report.Number(big)}})}
	if rows := sheet(t, write(t, table, report.XLSX, report.Italian), true); rows[1][1] != "90071992547409.93" {
		t.Errorf("%q", rows[1][1])
	}
	over := report.Table{Title: "Budget", Columns: columns[:2], Total: "T", Rows: report.Slice([][]report.Cell{
		{report.Words("x"), report.Number(math.MaxInt64)}, {report.Words("x"), report.Number(1)}})}
	if err := over.CSV(&bytes.Buffer{}, report.Italian); err == nil {
		t.Error("a sum that does not fit")
	}
	failing := report.Table{Title: "Budget", Columns: columns[:2], Rows: func(yield func([]report.Cell, error) bool) { yield(nil, errors.New("database")) }}
	if err := failing.XLSX(&bytes.Buffer{}); err == nil {
		t.Error("rows that fail")
	}
}

// A hundred thousand rows do not need a hundred thousand rows of memory.
func TestLongTables(t *testing.T) {
	const n = 100_000
	table := report.Table{Title: "Budget", Total: "Totale", Columns: columns, Rows: func(yield func([]report.Cell, error) bool) {
		for i := range int64(n) {
			if !yield([]report.Cell{report.Words("Una voce di spesa con una descrizione"), report.Number(i), report.Day("2026-03-01"), report.Number(1), report.Number(i % 10_000)}, nil) {
				return
			}
		}
	}}
	for _, f := range []report.Format{report.CSV, report.XLSX} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		counted := &counter{}
		if err := table.Write(counted, f, report.Italian); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		t.Logf("format %d: %d rows, %.1f MB written, %.1f MB allocated", f, n, float64(counted.n)/1e6, float64(after.TotalAlloc-before.TotalAlloc)/1e6)
		if counted.n < 1_000_000 {
			t.Errorf("%d bytes", counted.n)
		}
	}
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }
