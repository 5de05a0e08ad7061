package projects_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

func take(field projectsv1.ProjectImportField, column string) *projectsv1.ProjectImportValue {
	return &projectsv1.ProjectImportValue{Field: field, Column: column}
}

func projectTable() *projectsv1.ProjectImportMapping {
	phase := take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_PHASE, "fase")
	phase.Values = map[string]string{"avvio": "INITIATION", "piano": "PLANNING", "lavori": "EXECUTION", "finito": "CLOSED"}
	place := take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_TERRITORY, "regione")
	place.Values = map[string]string{"Piemonte": "it-21"}
	return &projectsv1.ProjectImportMapping{
		Rows: projectsv1.ProjectImportRows_PROJECT_IMPORT_ROWS_PROJECTS, Source: "prova", KeyColumns: []string{"id"}, DecimalSeparator: ",", FallbackOrganisation: leader,
		Values: []*projectsv1.ProjectImportValue{
			take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_TITLE, "titolo"), take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_CUP, "cup"),
			take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_AMOUNT, "importo"), phase, place,
			take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_IMPLEMENTER_TAX_CODE, "cf"),
			{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_START_DATE, Constant: "2024-01-01"},
			{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_END_DATE, Constant: "2026-12-31"},
			{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_FUNDER, Constant: "Regione"},
		},
	}
}

func paymentTable() *projectsv1.ProjectImportMapping {
	return &projectsv1.ProjectImportMapping{
		Rows: projectsv1.ProjectImportRows_PROJECT_IMPORT_ROWS_PAYMENTS, Source: "prova", KeyColumns: []string{"cup", "giorno", "pagato"}, DateLayout: "dd/mm/yyyy",
		Values: []*projectsv1.ProjectImportValue{
			take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_CUP, "cup"), take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_AMOUNT, "pagato"),
			take(projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_DATE, "giorno"),
			{Field: projectsv1.ProjectImportField_PROJECT_IMPORT_FIELD_DOCUMENT_ISSUER, Constant: "Tesoreria"},
		},
	}
}

const projectRows = "id;titolo;cup;importo;fase;regione;cf\n" +
	"1;Uno;C49I19000010002;1.000,00;lavori;Piemonte;00000000001\n" +
	"2;Due;C49I19000010003;2.000,10;boh;Atlantide;00000000009\n" +
	"3;Tre;C49I19000010002x;;piano;Piemonte;\n" +
	"4;Quattro;;-5,00;piano;Piemonte;\n" +
	"5;Cinque;C49I19000010005;1,00;piano;Piemonte;00000000001\n" +
	"6;Sei;C49I19000010005;2,00;finito;Piemonte;00000000001\n"

const paymentRows = "cup,giorno,pagato\n" +
	"C49I19000010002,31/12/2025,600.00\nC49I19000010002,31/12/2025,600.00\nC49I19000010005,31/12/2025,1.00\n" +
	"C49I19000019999,31/12/2025,7.00\nC49I19000010003,31/12/2025,-3.00\nC49I19000010003,31/12/2023,4.00\n"

func found(lines []*projectsv1.ProjectImportLine) []string {
	var out []string
	for _, l := range lines {
		words := []string{l.GetOutcome().String()[len("PROJECT_IMPORT_OUTCOME_"):]}
		for _, f := range l.GetFindings() {
			words = append(words, f.GetReason().String()[len("PROJECT_IMPORT_REASON_"):])
		}
		out = append(out, strings.Join(words, " "))
	}
	return out
}

func TestImportsTellOfEveryRow(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		s := start(t, open)
		client, as := projectsv1.NewProjectImportServiceClient(s.Conn), s.As(operator, "")
		s.TaxCode("00000000001", member)
		load := func(rows string, m *projectsv1.ProjectImportMapping, dry bool) *projectsv1.ImportProjectsResponse {
			return must[*projectsv1.ImportProjectsResponse](t)(client.ImportProjects(as, &projectsv1.ImportProjectsRequest{Table: []byte(rows), Mapping: m, ValidateOnly: dry}))
		}
		want := []string{"CREATED", "CREATED VALUE_UNKNOWN VALUE_UNKNOWN IMPLEMENTER_UNKNOWN", "CREATED CUP_WRONG VALUE_MISSING VALUE_MISSING",
			"REFUSED AMOUNT_NOT_POSITIVE VALUE_MISSING VALUE_MISSING", "CREATED CUP_REPEATED", "CREATED CUP_REPEATED"}
		dry := load(projectRows, projectTable(), true)
		if n := s.written(t); n != 0 {
			t.Fatalf("a dry run wrote %d events", n)
		}
		first := load(projectRows, projectTable(), false)
		for i, l := range found(first.GetLines()) {
			if l != want[i] || found(dry.GetLines())[i] != l {
				t.Errorf("row %d: %s, in the dry run %s; want %s", i+1, l, found(dry.GetLines())[i], want[i])
			}
		}
		if first.GetAmount().GetMinorUnits() != 299_810 || first.GetAmountTaken().GetMinorUnits() != 300_310 || first.GetAmountRefused().GetMinorUnits() != -500 {
			t.Errorf("amounts %v", first)
		}
		one := must[*projectsv1.Project](t)(s.GetProject(as, &projectsv1.GetProjectRequest{Name: first.GetLines()[0].GetProject()}))
		if one.GetPhase() != projectsv1.Phase_PHASE_EXECUTION || one.GetOrganisation() != member || one.GetFunders()[0].GetGrant().GetMinorUnits() != 100_000 {
			t.Errorf("the first project is %v", one)
		}
		gate := must[*projectsv1.Gate](t)(s.GetGate(as, &projectsv1.GetGateRequest{Name: one.GetName() + "/gates/rfe"}))
		for _, a := range gate.GetArtefacts() {
			if a.GetReadiness() != projectsv1.Readiness_READINESS_WAIVED || a.GetNote() != "imported in this phase from prova" {
				t.Errorf("%s is %s because %q", a.GetArtefact(), a.GetReadiness(), a.GetNote())
			}
		}
		paid := load(paymentRows, paymentTable(), false)
		for i, want := range []string{"CREATED", "CREATED OVERPAID", "REFUSED PROJECT_AMBIGUOUS", "REFUSED PROJECT_UNKNOWN", "REFUSED AMOUNT_NOT_POSITIVE", "REFUSED RULE"} {
			if got := found(paid.GetLines())[i]; got != want {
				t.Errorf("payment %d: %s, want %s: %v", i+1, got, want, paid.GetLines()[i])
			}
		}
		before := s.written(t)
		for _, again := range []*projectsv1.ImportProjectsResponse{load(projectRows, projectTable(), false), load(paymentRows, paymentTable(), false)} {
			if again.GetCreated()+again.GetUpdated() != 0 {
				t.Errorf("again: %v", again)
			}
		}
		if n := s.written(t); n != before {
			t.Errorf("sending the same again wrote %d events", n-before)
		}
		changed := load(strings.ReplaceAll(strings.ReplaceAll(projectRows, "1.000,00;lavori", "1.500,00;avvio"), ";boh;", ";piano;"), projectTable(), false)
		if changed.GetUpdated() != 2 || changed.GetUnchanged() != 3 {
			t.Fatalf("a changed table: %v", changed)
		}
		after := must[*projectsv1.Project](t)(s.GetProject(as, &projectsv1.GetProjectRequest{Name: one.GetName()}))
		sums := must[*projectsv1.BudgetSummary](t)(s.GetBudgetSummary(as, &projectsv1.GetBudgetSummaryRequest{Name: one.GetName() + "/budgetSummary"}))
		if after.GetPhase() != projectsv1.Phase_PHASE_INITIATION || sums.GetTotals().GetTotal().GetPlanned().GetMinorUnits() != 150_000 ||
			sums.GetTotals().GetTotal().GetSpent().GetMinorUnits() != 120_000 {
			t.Errorf("the changed project is %v with %v", after.GetPhase(), sums.GetTotals().GetTotal())
		}
	})
}

func TestWhoImportsAndWhat(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		s := start(t, open)
		client := projectsv1.NewProjectImportServiceClient(s.Conn)
		call := func(as context.Context, change func(*projectsv1.ImportProjectsRequest)) error {
			req := &projectsv1.ImportProjectsRequest{Table: []byte(projectRows), Mapping: proto.CloneOf(projectTable())}
			if change != nil {
				change(req)
			}
			_, err := client.ImportProjects(as, req)
			return err
		}
		for _, as := range []context.Context{s.As(admin, leader), s.As(manager, leader), s.As(partner, leader), s.As(auditor, "")} {
			refused(t, call(as, nil), codes.PermissionDenied, errs.RoleMissing)
		}
		refused(t, call(s.Anonymous(), nil), codes.Unauthenticated, errs.TokenAbsent)
		as := s.As(operator, "")
		s.NoOrganisation(stranger)
		refused(t, call(as, func(r *projectsv1.ImportProjectsRequest) { r.Mapping.FallbackOrganisation = stranger }), codes.InvalidArgument, errs.ReferenceNotFound)
		refused(t, call(as, func(r *projectsv1.ImportProjectsRequest) { r.Table = []byte("%PDF-1.7") }), codes.InvalidArgument, domain.TableWrong)
		refused(t, call(as, func(r *projectsv1.ImportProjectsRequest) { r.Mapping.KeyColumns = []string{"x"} }), codes.InvalidArgument, domain.MappingWrong)
		book := excelize.NewFile()
		defer book.Close()
		var b bytes.Buffer
		if err := book.MergeCell("Sheet1", "A1", "B2"); err != nil {
			t.Fatal(err)
		}
		if err := book.Write(&b); err != nil {
			t.Fatal(err)
		}
		e := refused(t, call(as, func(r *projectsv1.ImportProjectsRequest) { r.Table = b.Bytes() }), codes.InvalidArgument, domain.TableWrong)
		if len(e.Fields) != 1 || !strings.Contains(e.Fields[0].Description, "A1:B2") {
			t.Errorf("merged cells: %v", e.Fields)
		}
		if n := s.written(t); n != 0 {
			t.Errorf("%d events written", n)
		}
	})
}
