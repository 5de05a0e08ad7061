package catalogue_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestImport(t *testing.T) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		h := startHouse(t, open)
		t.Run("report", func(t *testing.T) { importReport(t, h) })
		t.Run("existing organisations", func(t *testing.T) { importExisting(t, h) })
		t.Run("refused tables", func(t *testing.T) { importRefused(t, h) })
		t.Run("at the same time", func(t *testing.T) { importTogether(t, h) })
		t.Run("largest answer", func(t *testing.T) { importLargestAnswer(t, h) })
	})
}

func (h *house) imported(t *testing.T, req *cataloguev1.ImportOrganisationsRequest) *cataloguev1.ImportOrganisationsResponse {
	t.Helper()
	resp, err := h.imports.ImportOrganisations(h.operator, req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// tell writes a report as the tests compare it.
func tell(resp *cataloguev1.ImportOrganisationsResponse) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d = %d accepted + %d corrected + %d unchanged + %d refused; %d created, %d updated\n",
		resp.GetTotal(), resp.GetAccepted(), resp.GetCorrected(), resp.GetUnchanged(), resp.GetRefused(), resp.GetCreated(), resp.GetUpdated())
	for _, l := range resp.GetLines() {
		fmt.Fprintf(&b, "%d %s", l.GetLine(), strings.TrimPrefix(l.GetOutcome().String(), "IMPORT_OUTCOME_"))
		if l.GetCreated() {
			b.WriteString(" created")
		}
		for _, f := range l.GetFindings() {
			fmt.Fprintf(&b, " %s:%s", f.GetField(), f.GetReason())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func wantReport(t *testing.T, got *cataloguev1.ImportOrganisationsResponse, want string) {
	t.Helper()
	if s := tell(got); s != want {
		t.Fatalf("got\n%swant\n%s", s, want)
	}
}

func (h *house) count(t *testing.T, table string) (n int64) {
	t.Helper()
	err := h.DB.Read(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		return tx.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func importReport(t *testing.T, h *house) {
	table := "\ufeffCodice fiscale;Denominazione;Regione;Partita IVA\r\n" +
		taxCode(300) + ";\"Uno; \"\"il primo\"\"\";Piemonte;\r\n" +
		taxCode(301) + "; Due ;VENETO;\r\n" +
		taxCode(302)[:10] + ";Tre;;\r\n" +
		taxCode(303) + ";;;\r\n" +
		";;;\r\n" +
		taxCode(304) + ";Cinque;Atlantide;\r\n" +
		taxCode(300) + ";Sei;;\r\n" +
		taxCode(305) + ";\"Sette\r\n" +
		taxCode(306) + ";Otto;;" + taxCode(300) + "\r\n" +
		taxCode(307) + ";Nove;;" + taxCode(300) + "\r\n" +
		taxCode(308) + ";Dieci\xff;;\r\n" +
		"1" + taxCode(309) + ";Undici;;\r\n"
	req := &cataloguev1.ImportOrganisationsRequest{Csv: []byte(table), Source: "prova", Licence: "CC-BY-4.0", FirstLine: 1001}
	const first = "11 = 2 accepted + 1 corrected + 0 unchanged + 8 refused; 3 created, 0 updated\n" +
		"1002 ACCEPTED created\n" +
		"1003 CORRECTED created display_name:VALUE_TIDIED\n" +
		"1004 REFUSED tax_code:IDENTIFIER_SHAPE_WRONG\n" +
		"1005 REFUSED display_name:VALUE_MISSING\n" +
		"1007 REFUSED region:VALUE_UNKNOWN\n" +
		"1008 REFUSED tax_code:LINE_REPEATED\n" +
		"1009 REFUSED :LINE_BROKEN\n" +
		"1010 ACCEPTED created\n" +
		"1011 REFUSED vat_number:IDENTIFIER_TAKEN\n" +
		"1012 REFUSED :ENCODING_BROKEN\n" +
		"1013 REFUSED tax_code:IDENTIFIER_SHAPE_WRONG\n"

	before := h.count(t, "organisations")
	dry := proto.CloneOf(req)
	dry.ValidateOnly = true
	wantReport(t, h.imported(t, dry), first)
	if n := h.count(t, "organisations"); n != before {
		t.Fatalf("a dry run wrote %d organisations", n-before)
	}
	resp := h.imported(t, req)
	wantReport(t, resp, first)
	if n := h.count(t, "organisations"); n != before+3 {
		t.Fatalf("%d organisations were written", n-before)
	}
	again := h.imported(t, req)
	if again.GetUnchanged() != 3 || again.GetRefused() != 8 || again.GetTotal() != 11 {
		t.Fatalf("importing twice changes something: %s", tell(again))
	}

	name := resp.GetLines()[0].GetOrganisation()
	o, err := h.organisations.GetOrganisation(h.Anonymous(), &cataloguev1.GetOrganisationRequest{Name: name})
	if err != nil {
		t.Fatalf("what is imported is not public: %v", err)
	}
	if o.GetDisplayName().GetText() != `Uno; "il primo"` || o.GetTerritory().GetRegionCode() != "IT-21" || o.GetSource() != "prova" ||
		o.GetIdentifiers()[0].GetValue() != taxCode(300) {
		t.Fatalf("got %v", o)
	}
	env, _ := testkit.AwaitEvent(h.Followed, func(env *eventv1.Envelope, _ *cataloguev1.OrganisationPublished) bool {
		return env.GetAggregate() == name
	})
	if env.GetAggregateVersion() != 1 || env.GetLicence() != "CC-BY-4.0" {
		t.Fatalf("got %v", env)
	}
}

func importExisting(t *testing.T, h *house) {
	draft := h.create(t, cooperative(320)).GetName()
	public := h.create(t, cooperative(321)).GetName()
	gone := h.create(t, cooperative(322)).GetName()
	h.publish(t, public)
	if _, err := h.organisations.ArchiveOrganisation(h.operator, &cataloguev1.ArchiveOrganisationRequest{Name: gone}); err != nil {
		t.Fatal(err)
	}
	resp := h.imported(t, &cataloguev1.ImportOrganisationsRequest{
		Csv: []byte("id,chi,dove,sito,note\n" + taxCode(320) + ",Nuovo nome,IT-21,example.org,\n" + taxCode(321) + ",Cooperativa 321,IT-21,,ciao\n" + taxCode(322) + ",x,,,\n"),
		Columns: []*cataloguev1.ImportColumn{
			{Column: "ID", Field: cataloguev1.ImportField_IMPORT_FIELD_TAX_CODE},
			{Column: "chi", Field: cataloguev1.ImportField_IMPORT_FIELD_DISPLAY_NAME},
			{Column: "dove", Field: cataloguev1.ImportField_IMPORT_FIELD_REGION},
			{Column: "sito", Field: cataloguev1.ImportField_IMPORT_FIELD_WEBSITE},
			{Column: "note", Field: cataloguev1.ImportField_IMPORT_FIELD_ATTRIBUTE, Attribute: "nota"},
		},
	})
	wantReport(t, resp, "3 = 1 accepted + 1 corrected + 0 unchanged + 1 refused; 0 created, 2 updated\n"+
		"2 CORRECTED website:VALUE_TIDIED\n3 ACCEPTED\n4 REFUSED tax_code:ORGANISATION_ARCHIVED\n")
	o, err := h.organisations.GetOrganisation(h.operator, &cataloguev1.GetOrganisationRequest{Name: draft})
	if err != nil || o.GetState() != cataloguev1.OrganisationState_ORGANISATION_STATE_DRAFT || o.GetDisplayName().GetText() != "Nuovo nome" ||
		o.GetWebsite() != "https://example.org" || o.GetLegalForm() != cataloguev1.LegalForm_LEGAL_FORM_SOCIAL_COOPERATIVE_A ||
		o.GetTerritory().GetMunicipality() != "Torino" {
		t.Fatalf("got %v, %v", o, err)
	}
	testkit.AwaitEvent(h.Followed, func(env *eventv1.Envelope, m *cataloguev1.OrganisationPublished) bool {
		return env.GetAggregate() == public && env.GetAggregateVersion() == 2 && m.GetOrganisation().GetAttributes()["nota"] == "ciao"
	})
}

func importRefused(t *testing.T, h *house) {
	try := func(csv string, columns ...*cataloguev1.ImportColumn) error {
		_, err := h.imports.ImportOrganisations(h.operator, &cataloguev1.ImportOrganisationsRequest{Csv: []byte(csv), Columns: columns})
		return err
	}
	refused(t, try(""), errs.Invalid, errs.InvalidRequest, "csv")
	refused(t, try(strings.Repeat("x", 2_900_001)), errs.Invalid, errs.InvalidRequest, "csv")
	refused(t, try("nome\nA\n"), errs.Invalid, "IMPORT_HEADER_WRONG", "csv")
	refused(t, try("cf,nome\n"+strings.Repeat("1,A\n", domain.MaxImportLines+1)), errs.Invalid, "IMPORT_TOO_MANY_LINES", "csv")
	refused(t, try("cf,nome\n", &cataloguev1.ImportColumn{Column: "x", Field: cataloguev1.ImportField_IMPORT_FIELD_TAX_CODE}), errs.Invalid, "IMPORT_HEADER_WRONG", "columns[0].column")
	_, err := h.imports.ImportOrganisations(h.As(authzv1.Role_ROLE_AUDITOR, ""), &cataloguev1.ImportOrganisationsRequest{Csv: []byte("cf,nome\n")})
	refused(t, err, errs.PermissionDenied, errs.RoleMissing, "")
}

// The same table from several callers at the same time makes each organisation
// once; whoever comes too late is told to send it again, and then changes nothing.
func importTogether(t *testing.T, h *house) {
	const lines, callers = 1200, 4
	var csv strings.Builder
	csv.WriteString("cf,nome\n")
	for n := range lines {
		fmt.Fprintf(&csv, "%s,Ente %d\n", taxCode(20_000+n), n)
	}
	before := h.count(t, "organisations")
	req := &cataloguev1.ImportOrganisationsRequest{Csv: []byte(csv.String())}
	results := make([]error, callers)
	var created atomic.Int32
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			resp, err := h.imports.ImportOrganisations(h.operator, req)
			created.Add(resp.GetCreated())
			results[i] = err
		})
	}
	group.Wait()
	for _, err := range results {
		if err != nil {
			refused(t, err, errs.Conflict, errs.ConcurrentUpdate, "")
		}
	}
	if n := h.count(t, "organisations") - before; n != lines || created.Load() != lines {
		t.Fatalf("%d organisations were written, %d reported", n, created.Load())
	}
	if again := h.imported(t, req); again.GetUnchanged() != lines {
		t.Fatalf("sent again: %d of %d unchanged", again.GetUnchanged(), lines)
	}
	once := proto.CloneOf(req)
	once.RequestId = "import-once"
	if first, second := h.imported(t, once), h.imported(t, once); !proto.Equal(first, second) {
		t.Fatal("the same request_id gives another report")
	}
}

// However much is wrong with a table, its report fits what gRPC and REST carry.
func importLargestAnswer(t *testing.T, h *house) {
	long := strings.Repeat("é", 20)
	for name, row := range map[string]func(n int) string{
		"refused": func(int) string { return "1234567890123456," + long + "," + long + "," + long + "\n" },
		"corrected": func(n int) string {
			return taxCode(5000 + n)[:10] + " " + taxCode(5000 + n)[10:] + ", Piemonte ,esempio." + long + ", " + long + " \n"
		},
	} {
		var csv strings.Builder
		csv.WriteString("cf,regione,sito,nome\n")
		for n := range domain.MaxImportLines {
			csv.WriteString(row(n))
		}
		resp := h.imported(t, &cataloguev1.ImportOrganisationsRequest{Csv: []byte(csv.String()), ValidateOnly: true})
		if got := len(resp.GetLines()[0].GetFindings()); got != 3 {
			t.Fatalf("%s: %d findings: %v", name, got, resp.GetLines()[0])
		}
		if size := proto.Size(resp); size > 4<<20 {
			t.Fatalf("%s: a report of %d bytes", name, size)
		}
	}
}

// TestImportFivePerMille takes in the whole list of the beneficiaries of the
// five per mille of 2022, where the folder with the real data is there.
func TestImportFivePerMille(t *testing.T) {
	dir := os.Getenv("TRAMA_DATA_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	archive, err := zip.OpenReader(filepath.Join(dir, "5x1000-it-2022", "cinque_per_mille.zip"))
	if err != nil {
		t.Logf("not run: the real data is not there: %v", err)
		return
	}
	defer archive.Close()
	chunks, bodies := chunked(t, archive.File[0])
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) {
		h := startHouse(t, open)
		for _, pass := range []string{"first", "second"} {
			start := time.Now()
			var total, created, refused, unchanged, corrected int32
			for _, chunk := range chunks {
				resp := h.imported(t, chunk)
				total, created, refused = total+resp.GetTotal(), created+resp.GetCreated(), refused+resp.GetRefused()
				unchanged, corrected = unchanged+resp.GetUnchanged(), corrected+resp.GetCorrected()
			}
			t.Logf("%s import: %d bodies in %.1f s", pass, total, time.Since(start).Seconds())
			if total != bodies || refused != 0 {
				t.Fatalf("%d of %d bodies taken, %d refused", total, bodies, refused)
			}
			if pass == "first" && created != bodies || pass == "second" && unchanged != bodies {
				t.Fatalf("%s import: %d created, %d unchanged, %d corrected", pass, created, unchanged, corrected)
			}
		}
		if n := h.count(t, "organisations"); n != int64(bodies) {
			t.Fatalf("%d organisations", n)
		}
		if n := h.count(t, "outbox"); n != int64(bodies) {
			t.Fatalf("%d events", n)
		}
	})
}

// chunked cuts a table into requests, each with the heading.
func chunked(t *testing.T, file *zip.File) (out []*cataloguev1.ImportOrganisationsRequest, lines int32) {
	t.Helper()
	r, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := bufio.NewReader(r)
	head, err := in.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var chunk bytes.Buffer
	first := int64(1)
	n := 0
	flush := func() {
		out = append(out, &cataloguev1.ImportOrganisationsRequest{
			Csv: append(bytes.Clone(head), chunk.Bytes()...), Preset: cataloguev1.ImportPreset_IMPORT_PRESET_FIVE_PER_MILLE,
			Source: "Agenzia delle Entrate, 5x1000 2022; onData", Licence: "CC-BY-4.0", FirstLine: first,
		})
		first += int64(n)
		n = 0
		chunk.Reset()
	}
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			if n == domain.MaxImportLines {
				flush()
			}
			chunk.Write(line)
			n++
			lines++
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	flush()
	return out, lines
}
