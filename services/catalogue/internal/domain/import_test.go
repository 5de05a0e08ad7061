package domain_test

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
)

func read(t *testing.T, table string, options domain.ImportOptions) []*domain.ImportLine {
	t.Helper()
	lines, err := domain.ReadImport([]byte(table), options)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// show writes lines as a test compares them: number, tax code, name, and the
// reasons of corrections and refusals.
func show(lines []*domain.ImportLine) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%d %s", l.Line, l.TaxCode.Value)
		for _, f := range l.Corrections {
			fmt.Fprintf(&b, " ~%s:%s", f.Field, f.Reason)
		}
		for _, f := range l.Refusals {
			fmt.Fprintf(&b, " !%s:%s", f.Field, f.Reason)
		}
		if len(l.Refusals) == 0 {
			p := l.Fresh(domain.ImportOptions{})
			fmt.Fprintf(&b, " %q", p.DisplayName.Text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestReadImport(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"plain": {
			"codice_fiscale,denominazione\n80051890152,Fondazione A\n97519070011,Fondazione B\n",
			"2 80051890152 \"Fondazione A\"\n3 97519070011 \"Fondazione B\"\n",
		},
		"byte order mark, semicolons, CRLF, no end": {
			"\ufeffCodice Fiscale;Denominazione\r\n80051890152;Lega del Filo d'Oro\r\n\r\n;;\r\n97519070011;\"A; B\"",
			"2 80051890152 \"Lega del Filo d'Oro\"\n5 97519070011 \"A; B\"\n",
		},
		"tabs": {
			"cf\tnome\n80051890152\tA\n", "2 80051890152 \"A\"\n",
		},
		"quotes and line breaks": {
			"cf,nome\n80051890152,\"A \"\"B\"\"\nC\"\n97519070011,D \"E\" F\n",
			"2 80051890152 ~display_name:VALUE_TIDIED \"A \\\"B\\\" C\"\n4 97519070011 \"D \\\"E\\\" F\"\n",
		},
		"corrections": {
			"cf,nome\n577500101, Istituto  Gaslini \n800.518.901-52,B\n",
			"2 00577500101 ~tax_code:ZEROS_RESTORED ~display_name:VALUE_TIDIED \"Istituto Gaslini\"\n3 80051890152 ~tax_code:VALUE_TIDIED \"B\"\n",
		},
		"a broken line costs itself only": {
			"cf,nome\n80051890152,\"A\n97519070011,B\n97147110155,\"C\"x\n80003150424,D\n",
			"2  !:LINE_BROKEN\n3 97519070011 \"B\"\n4  !:LINE_BROKEN\n5 80003150424 \"D\"\n",
		},
		"cells": {
			"cf,nome\n80051890152\n97519070011,B,\n97147110155,C,c\n",
			"2  !:LINE_BROKEN\n3 97519070011 \"B\"\n4  !:LINE_BROKEN\n",
		},
		"values": {
			"cf,nome,regione,partita_iva\n80051890153,A,Piemonte,\n,B,,\n97147110155,,,\n80003150424,D,Atlantide,1\n80051890152,E,IT-21,00577500101\n",
			"2  !tax_code:CHECK_DIGIT_WRONG\n3  !tax_code:VALUE_MISSING\n4 97147110155 !display_name:VALUE_MISSING\n" +
				"5 80003150424 !region:VALUE_UNKNOWN !vat_number:IDENTIFIER_SHAPE_WRONG\n6 80051890152 \"E\"\n",
		},
		"encoding": {
			"cf,nome\n80051890152,Caff\xe8\n97519070011,A\x00\n97147110155,B\n",
			"2  !:ENCODING_BROKEN\n3  !:ENCODING_BROKEN\n4 97147110155 \"B\"\n",
		},
		"repeated": {
			"cf,nome\n80051890152,A\n800518901 52,B\n",
			"2 80051890152 \"A\"\n3 80051890152 ~tax_code:VALUE_TIDIED !tax_code:LINE_REPEATED\n",
		},
		"too long": {
			"cf,nome\n80051890152," + strings.Repeat("x", 301) + "\n97519070011,\"" + strings.Repeat("y", 40_000) + "\"\n97147110155,B\n",
			"2 80051890152 !display_name:CELL_TOO_LONG\n3  !:CELL_TOO_LONG\n4 97147110155 \"B\"\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := show(read(t, c.table, domain.ImportOptions{})); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestReadImportRefusesTables(t *testing.T) {
	for name, c := range map[string]struct {
		table   string
		columns []domain.ImportColumn
		path    string
		reason  errs.Reason
	}{
		"empty":             {"\ufeff\n\n", nil, "csv", domain.ImportHeaderWrong},
		"broken heading":    {"cf,\"nome\n", nil, "csv", domain.ImportHeaderWrong},
		"no key":            {"nome\nA\n", nil, "csv", domain.ImportHeaderWrong},
		"no name":           {"cf\n80051890152\n", nil, "csv", domain.ImportHeaderWrong},
		"column twice":      {"cf,nome,CF\n", nil, "csv", domain.ImportHeaderWrong},
		"field twice":       {"cf,nome,tax_code\n", nil, "csv", domain.ImportHeaderWrong},
		"column absent":     {"cf,nome\n", []domain.ImportColumn{{Column: "x", Field: domain.FieldTaxCode}}, "columns[0].column", domain.ImportHeaderWrong},
		"attribute without": {"cf,nome\n", []domain.ImportColumn{{Column: "cf", Field: domain.FieldAttribute}}, "columns[0].attribute", domain.ImportHeaderWrong},
		"too many lines":    {"cf,nome\n" + strings.Repeat("1,x\n", domain.MaxImportLines+1), nil, "csv", domain.ImportTooManyLines},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := domain.ReadImport([]byte(c.table), domain.ImportOptions{Columns: c.columns})
			wantField(t, err, c.path, c.reason)
		})
	}
	_, err := domain.ReadImport([]byte("cf,nome\n"), domain.ImportOptions{MunicipalityDate: "2022-13-01"})
	wantField(t, err, "municipality_date", domain.DateWrong)
}

func TestImportLineApplies(t *testing.T) {
	table := "prog,codice_fiscale,denominazione,regione,pr,nome_comune,codice_comune,ets_e_onlus,asd,ricerca_scientifica,ricerca_sanitaria,comuni,beni_culturali_e_paesaggistici,enti_gestori_aree_protette\n" +
		"1,80051890152,COMUNE DI PROVA,EMILIA ROMAGNA,BO,BOLOGNA,37006,X,,,,X,,\n"
	options := domain.ImportOptions{Columns: domain.FivePerMilleColumns(), MunicipalityDate: "2022-12-31", Source: "5x1000 2022", Licence: "CC-BY-4.0"}
	line := read(t, table, options)[0]
	p := line.Fresh(options)
	want := domain.Profile{
		DisplayName: domain.LocalizedText{Text: "COMUNE DI PROVA", LanguageCode: "it"},
		LegalForm:   domain.LegalFormPublicBody, Kinds: []string{domain.KindListed},
		Identifiers: []domain.Identifier{{Type: domain.TaxCode, Value: "80051890152"}},
		Territory: domain.Territory{
			Country: "IT", Region: "IT-45", Province: "BO", Municipality: "BOLOGNA", MunicipalityCode: "037006", MunicipalityDate: "2022-12-31",
		},
		Attributes: map[string]string{"ets_e_onlus": "true", "comuni": "true"}, Licence: "CC-BY-4.0", Source: "5x1000 2022",
	}
	if !p.Equal(want) {
		t.Fatalf("got %+v", p)
	}
	if !line.Apply(p, options).Equal(p) {
		t.Fatal("the same line again changes something")
	}
	// What people have written since then stays, unless the line says otherwise.
	p.LegalForm, p.Website = "LEGAL_FORM_FOUNDATION", "https://example.org"
	p.DisplayName = domain.LocalizedText{Text: "COMUNE DI PROVA", LanguageCode: "it", Translations: map[string]string{"sv": "Prova kommun"}}
	if got := line.Apply(p, options); !got.Equal(p) {
		t.Fatalf("got %+v", got)
	}
	p.DisplayName.Text = "Prova"
	if got := line.Apply(p, options).DisplayName; got.Text != "COMUNE DI PROVA" || got.Translations != nil {
		t.Fatalf("got %+v: a translation of other words is kept", got)
	}
}

// Whatever a table says, written by encoding/csv with either separator and line
// end, is read back cell by cell.
func TestReadImportRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		comma := rapid.SampledFrom([]rune{',', ';', '\t'}).Draw(t, "separator")
		crlf := rapid.Bool().Draw(t, "crlf")
		bom := rapid.SampledFrom([]string{"", "\ufeff"}).Draw(t, "bom")
		var b strings.Builder
		b.WriteString(bom)
		w := csv.NewWriter(&b)
		w.Comma, w.UseCRLF = comma, crlf
		_ = w.Write([]string{"cf", "nome", "x"})
		names := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("àZ9 \"',;\t\n.")), 0, 12, -1), 1, 20).Draw(t, "names")
		for i, name := range names {
			ten := fmt.Sprintf("%010d", 8005189000+i)
			_ = w.Write([]string{ten + string(bodyCheckDigit(ten)), "N " + name, name})
		}
		w.Flush()
		lines, err := domain.ReadImport([]byte(b.String()), domain.ImportOptions{Columns: []domain.ImportColumn{
			{Column: "cf", Field: domain.FieldTaxCode}, {Column: "nome", Field: domain.FieldDisplayName}, {Column: "x", Field: domain.FieldAttribute, Attribute: "x"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(lines) != len(names) {
			t.Fatalf("%d lines of %d:\n%q", len(lines), len(names), b.String())
		}
		for i, l := range lines {
			if len(l.Refusals) > 0 {
				t.Fatalf("line %d: %+v", l.Line, l.Refusals)
			}
			p := l.Fresh(domain.ImportOptions{})
			if want := strings.Join(strings.Fields("N "+names[i]), " "); p.DisplayName.Text != want {
				t.Fatalf("got %q, want %q", p.DisplayName.Text, want)
			}
			if want := strings.Join(strings.Fields(names[i]), " "); p.Attributes["x"] != want {
				t.Fatalf("got %q, want %q", p.Attributes["x"], want)
			}
		}
	})
}

func FuzzImportCSV(f *testing.F) {
	for _, seed := range []string{
		"codice_fiscale,denominazione\n80051890152,Fondazione A\n",
		"\ufeffcf;nome;regione\r\n80051890152;\"A; \"\"B\"\"\";Piemonte\r\n",
		"cf\tnome\n577500101\t A \n",
		"cf,nome\n80051890152,\"A\n97519070011,B\n97147110155,\"C\"x\n",
		"cf,nome,sito,telefono,email,ruolo,forma_giuridica\n80051890152,A,example.org,011 000000,a@example.org,MEMBER|rete,ODV\n",
		"cf,nome\n\xff,\x00\n",
		"prog,codice_fiscale,denominazione,regione,pr,nome_comune,codice_comune,ets_e_onlus,asd,ricerca_scientifica,ricerca_sanitaria,comuni,beni_culturali_e_paesaggistici,enti_gestori_aree_protette\n1,80051890152,A,MARCHE,AN,OSIMO,042034,X,,,,,,\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, table []byte, preset bool) {
		options := domain.ImportOptions{Source: "fuzz"}
		if preset {
			options.Columns = domain.FivePerMilleColumns()
		}
		lines, err := domain.ReadImport(table, options)
		if err != nil {
			if errs.KindOf(err) != errs.Invalid {
				t.Fatalf("%v is no error of the table", err)
			}
			return
		}
		last := int64(1)
		for _, l := range lines {
			if l.Line < last {
				t.Fatalf("line %d after %d", l.Line, last)
			}
			last = l.Line
			for _, found := range [][]domain.Finding{l.Corrections, l.Refusals} {
				if len(found) > 3 {
					t.Fatalf("line %d has %d findings", l.Line, len(found))
				}
				for _, f := range found {
					if f.Reason == "" || f.Description == "" || len(f.Description) > 200 || !utf8.ValidString(f.Description) {
						t.Fatalf("line %d: %+v", l.Line, f)
					}
				}
			}
			if len(l.Refusals) > 0 {
				continue
			}
			o, err := domain.NewOrganisation(organisation, l.Fresh(options), noon)
			if err != nil {
				if errs.KindOf(err) != errs.Invalid {
					t.Fatal(err)
				}
				continue
			}
			if again := l.Apply(o.Profile, options); !again.Equal(o.Profile) {
				t.Fatalf("line %d taken twice changes %+v to %+v", l.Line, o.Profile, again)
			}
		}
	})
}
