package ingest_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/ingest"
)

func TestAmountsAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct {
		text    string
		decimal byte
		want    int64
		rounded bool
	}{
		{"574200", '.', 574_200_00, false}, {"1.234.567,89", ',', 1_234_567_89, false}, {"1,234,567.89", '.', 1_234_567_89, false},
		{"6600898.1200000001", '.', 6_600_898_12, true}, {"-755.99", '.', -755_99, false}, {"€ 1.000,5", ',', 1_000_50, false},
		{"0.005", '.', 1, true}, {"-0.005", '.', -1, true}, {"1.2e3", '.', 1_200_00, false}, {"1 000", ',', 1_000_00, false}, {"12'000.00", '.', 12_000_00, false},
	} {
		got, rounded, err := ingest.Amount(c.text, c.decimal)
		if err != nil || got != c.want || rounded != c.rounded {
			t.Errorf("%q: %d, %v, %v", c.text, got, rounded, err)
		}
	}
	for _, c := range []struct {
		text    string
		decimal byte
	}{{"1.234,56", '.'}, {"1,5", '.'}, {"1.23", ','}, {"abc", '.'}, {"", '.'}, {"1e99", '.'}, {"10000000000000.01", '.'}, {"NaN", '.'}, {"0x10", '.'}, {"1/3", '.'}, {"--1", '.'}} {
		if got, _, err := ingest.Amount(c.text, c.decimal); err == nil {
			t.Errorf("%q is taken as %d", c.text, got)
		}
	}
}

// An amount is what arbitrary precision rounds it to, half away from zero.
func TestAmountsAgainstRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64Range(-9_999_999_999_999, 9_999_999_999_999).Draw(t, "whole")
		digits := rapid.StringMatching(`[0-9]{0,12}`).Draw(t, "fraction")
		text := fmt.Sprint(whole)
		if digits != "" {
			text += "." + digits
		}
		x, _ := new(big.Rat).SetString(text)
		x.Mul(x, big.NewRat(100, 1))
		twice := new(big.Rat).Mul(x, big.NewRat(2, 1))
		sign := int64(twice.Sign())
		twice.Add(twice.Abs(twice), big.NewRat(1, 1))
		want := sign * new(big.Int).Quo(new(big.Int).Quo(twice.Num(), twice.Denom()), big.NewInt(2)).Int64()
		got, rounded, err := ingest.Amount(text, '.')
		if err != nil || got != want || rounded == x.IsInt() {
			t.Fatalf("%s: %d, %v, %v; want %d", text, got, rounded, err, want)
		}
	})
}

func mapping() ingest.Mapping {
	return ingest.Mapping{Rows: ingest.Projects, Source: "test", KeyColumns: []string{"Codice"}, DecimalSeparator: ",", DateLayout: "dd/mm/yyyy", Values: []ingest.Value{
		{Field: ingest.Title, Column: "titolo"}, {Field: ingest.CUP, Column: "CUP"},
		{Field: ingest.StartDate, Column: "Inizio"}, {Field: ingest.EndDate, Constant: "31/12/2026"}, {Field: ingest.Money, Column: "Importo"},
		{Field: ingest.Phase, Column: "Fase", Values: map[string]string{"F1": "PLANNING"}},
		{Field: ingest.Attribute, Attribute: "note", Column: "Note"},
	}}
}

const heading = "Codice;Titolo;CUP;Inizio;Importo;Fase;Note\r\n"

func records(t *testing.T, content string) []*ingest.Record {
	t.Helper()
	table, err := ingest.Read([]byte(content), "")
	if err != nil {
		t.Fatal(err)
	}
	out, err := ingest.Records(table, mapping(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func reasons(r *ingest.Record) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, string(f.Reason))
	}
	return strings.Join(out, " ")
}

func TestEveryOddRowIsToldOf(t *testing.T) {
	got := records(t, "\ufeff"+heading+
		"1;Uno;c49i19000010002;01/02/2026;1.234,56;f1;\"due\nrighe\"\r\n"+
		"2;Due;;1/2/2026;0;F1;\r\n"+
		"\r\n"+
		"3;Tre;X Y;01/02/2026;;F9;\r\n"+
		"1;Quattro;C49I19000010002;01/02/2026;1;F1;\r\n"+
		"5;Cinque;C49I19000010002;01/02/2026;-1;F1;\r\n"+
		"6;Sei;C49I19000010002;01/02/2026\r\n"+
		";Sette;C49I19000010002;01/02/2026;1,239;F1;"+strings.Repeat("x", 401)+"\r\n"+
		"8;;C49I19000010002;31/02/2026;uno;F1;\r\n")
	want := []struct {
		line    int64
		refused bool
		reasons string
	}{
		{2, false, "VALUE_CORRECTED CUP_REPEATED"}, {4, true, "DATE_WRONG VALUE_MISSING"}, {6, false, "CUP_WRONG VALUE_UNKNOWN VALUE_MISSING"},
		{7, true, "KEY_REPEATED CUP_REPEATED"}, {8, true, "AMOUNT_NOT_POSITIVE CUP_REPEATED"}, {9, true, "ROW_BROKEN"},
		{10, true, "KEY_MISSING AMOUNT_ROUNDED VALUE_CUT CUP_REPEATED"}, {11, true, "DATE_WRONG AMOUNT_WRONG CUP_REPEATED"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d records", len(got))
	}
	for i, w := range want {
		if got[i].Line != w.line || got[i].Refused != w.refused || reasons(got[i]) != w.reasons {
			t.Errorf("record %d: line %d, %v, %s (%v)", i, got[i].Line, got[i].Refused, reasons(got[i]), got[i].Findings)
		}
	}
	if r := got[0]; r.Amount != 1_234_56 || r.Start != "2026-02-01" || r.End != "2026-12-31" || r.Attributes["note"] != "due\nrighe" || r.Text[ingest.Phase] != "PLANNING" {
		t.Errorf("%+v", r)
	}
	if got[2].Attributes[ingest.CUPAsGiven] != "X Y" {
		t.Errorf("a CUP that is none is lost: %v", got[2].Attributes)
	}
	for _, r := range got {
		if r.Copy().Hash() != r.Hash() {
			t.Error("a hash changes")
		}
	}
}

func refusal(t *testing.T, what string, err error, reason errs.Reason, says string) {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Reason != reason || len(e.Fields) != 1 || !strings.Contains(e.Fields[0].Description, says) {
		t.Errorf("%s: %v", what, err)
	}
}

func TestTablesThatCannotBeRead(t *testing.T) {
	for what, c := range map[string]struct{ content, says string }{
		"nothing":       {"", "is empty"},
		"UTF-16":        {"\xff\xfeC\x00", "UTF-16"},
		"Windows-1252":  {heading + "1;Citt\xe0;;;;;\r\n", "line 2"},
		"a PDF":         {"%PDF-1.7", "PDF"},
		"an old Excel":  {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "before 2007"},
		"a broken zip":  {"PK\x03\x04rubbish", ".xlsx"},
		"binary":        {"a;b\n\x00;1\n", "byte 5 is zero"},
		"too many rows": {heading + strings.Repeat("1;a;b;c;d;e;f\n", ingest.MaxRows+1), "in parts"},
	} {
		_, err := ingest.Read([]byte(c.content), "")
		refusal(t, what, err, domain.TableWrong, c.says)
	}
	if table, err := ingest.Read([]byte("a,\"b;c\"\n1,2\n"), ""); err != nil || len(table.Headings) != 2 {
		t.Errorf("commas: %v %v", table, err)
	}
}

func TestMappingsThatCannotBe(t *testing.T) {
	table, err := ingest.Read([]byte(heading+"1;a;b;c;d;e;f\n"), "")
	if err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(m *ingest.Mapping){
		`no column "Boh"`:     func(m *ingest.Mapping) { m.Values[0].Column = "Boh" },
		`no column "Chiave"`:  func(m *ingest.Mapping) { m.KeyColumns = []string{"Chiave"} },
		"need a value for":    func(m *ingest.Mapping) { m.Values = m.Values[1:] },
		"does not belong":     func(m *ingest.Mapping) { m.Values[1].Field = ingest.PaymentDate },
		"either a column":     func(m *ingest.Mapping) { m.Values[0].Constant = "x" },
		"none of the phases":  func(m *ingest.Mapping) { m.Values[5].Values = map[string]string{"F1": "SOON"} },
		"stands twice":        func(m *ingest.Mapping) { m.Values[1] = m.Values[0] },
		"yyyy, mm and dd":     func(m *ingest.Mapping) { m.DateLayout = "dd/mm/yy" },
		"given for ATTRIBUTE": func(m *ingest.Mapping) { m.Values[6].Attribute = "" },
	} {
		m := mapping()
		change(&m)
		_, err := ingest.Records(table, m, 1)
		refusal(t, says, err, domain.MappingWrong, says)
	}
}

// workbook makes a workbook of rows, and lets more be done to it.
func workbook(t *testing.T, more func(f *excelize.File), rows ...[]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	if more != nil {
		more(f)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var headings = []any{"Codice", "Titolo", "CUP", "Inizio", "Importo", "Fase", "Note"}

func TestWorkbooks(t *testing.T) {
	content := workbook(t, func(f *excelize.File) {
		if err := errors.Join(f.SetCellFormula("Sheet1", "E3", "1+1"), f.SetCellValue("Sheet1", "A5", "4")); err != nil {
			t.Fatal(err)
		}
	}, headings,
		[]any{"1", "Uno", "C49I19000010002", time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), 1234.56, "F1", "x"},
		[]any{"2", "Due", "", "01/02/2026", "1.000,10", "F1"})
	table, err := ingest.Read(content, "")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ingest.Records(table, mapping(), 1)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	if r := got[0]; r.Refused || r.Amount != 1_234_56 || r.Start != "2026-02-01" {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(reasons(got[1]), "FORMULA") || got[1].Findings[0].Field != "E3" || got[1].Start != "2026-02-01" {
		t.Errorf("a formula: %+v", got[1])
	}
	if got[2].Line != 5 || !got[2].Refused {
		t.Errorf("a row after a gap: %+v", got[2])
	}
	_, err = ingest.Read(content, "Altro")
	refusal(t, "another sheet", err, domain.MappingWrong, "Sheet1")
	merged := workbook(t, func(f *excelize.File) {
		if err := f.MergeCell("Sheet1", "B2", "C4"); err != nil {
			t.Fatal(err)
		}
	}, headings, []any{"1"})
	_, err = ingest.Read(merged, "")
	refusal(t, "merged cells", err, domain.TableWrong, "B2:C4")
	_, err = ingest.Read(workbook(t, nil), "")
	refusal(t, "an empty sheet", err, domain.TableWrong, "empty")
}

// A small archive that unpacks into far too much is refused before it is.
func TestZipBombs(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for _, name := range []string{"[Content_Types].xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 200_000 {
		t.Fatalf("the bomb has %d bytes", b.Len())
	}
	begin := time.Now()
	_, err := ingest.Read(b.Bytes(), "")
	refusal(t, "a bomb", err, domain.TableWrong, "xlsx")
	if spent := time.Since(begin); spent > 5*time.Second {
		t.Errorf("it took %s", spent)
	}
}
