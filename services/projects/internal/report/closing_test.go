package report_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/report"
)

// closing is the report of a project with long titles and long tables.
func closing() *report.Closing {
	rome := time.FixedZone("CET", 3600)
	c := &report.Closing{
		Language: report.Italian, Generated: time.Date(2027, 1, 15, 9, 30, 0, 0, rome),
		Name:    "projects/0190a000-0000-7000-8000-000000000001",
		Title:   "Comunità che cura: rete digitale per l’inclusione lavorativa delle persone più fragili nelle aree interne del Piemonte e della Valle d’Aosta — perché nessuno resti indietro",
		Acronym: "RETE-CURA", CUP: "B11B23000110001", Lead: "Consorzio Sociale «Città Aperta» s.c.s.", Territory: "it-21", Currency: "EUR",
		Start: "2026-01-05", End: "2026-12-31", Closed: "2027-01-14", Phase: "CLOSED", Sectors: []string{"social-care", "work-integration"},
		Objectives: []string{"Portare la banda larga in 12 comunità, affinché i servizi siano raggiungibili", "Costo medio per utente ≤ 350 €"},
		Partners:   []report.ClosingPartner{{Name: "Consorzio Sociale «Città Aperta» s.c.s.", Lead: true, Share: 5000}, {Name: "Cooperativa L’Arcobaleno", Share: 3000}, {Name: "Società Mutua di Cuorgnè", Share: 2000}},
		Funders:    []report.ClosingFunder{{Name: "Fondazione Esempio", Programme: "Bando 2026", Grant: 123_456_789, Share: 5000}},
		Gates: []report.ClosingGate{{Key: "rfp", Role: "PROJECT_MANAGER", Note: "Il comitato ha approvato all'unanimità", Approved: "2026-01-10", Artefacts: 3}, {Key: "rfe", Approved: "2026-02-01", Artefacts: 9,
			Waivers: []report.ClosingWaiver{{Artefact: "Piano degli acquisti", Date: "2026-01-30", Reason: "Non ci sono acquisti: tutto è già della capofila"}}}},
		Moves:     []report.ClosingMove{{Date: "2026-01-10", From: "INITIATION", To: "PLANNING"}, {Date: "2026-03-01", From: "EXECUTION", To: "PLANNING", Reason: "Il partner è cambiato"}},
		Risks:     []report.ClosingRisk{{Title: "Ritardo delle forniture", Score: 12, Response: "Secondo fornitore", State: "CLOSED"}},
		Outcome:   "COMPLETED",
		Issues:    []report.ClosingIssue{{Title: "Sede non accessibile", Resolution: "Attività spostate al piano terra", State: "RESOLVED"}},
		Decisions: []report.ClosingDecision{{Date: "2026-04-02", Title: "Fornitore della rete", Outcome: "Si affida alla società con l'offerta più bassa fra le tre", State: "TAKEN"}},
		Changes:   []report.ClosingChange{{Title: "Proroga di due mesi", Reason: "Permessi in ritardo", Days: 60, Cost: 250_000, State: "IMPLEMENTED"}},
		Checks:    []report.ClosingCheck{{Deliverable: "Prodotto 1", Criterion: "Leggibile da chi non vede", Date: "2026-06-20", Findings: "nessuno", State: "PASSED"}},
		Lessons:   []report.ClosingLesson{{Title: "Coinvolgere prima gli operatori", Context: "Avvio", Happened: strings.Repeat("Gli operatori hanno saputo tardi del progetto. ", 12), Recommendation: "Incontrarli prima della firma"}},
	}
	for i := range 60 {
		title := fmt.Sprintf("Prodotto %d", i+1)
		if i%7 == 0 {
			title += ": " + strings.Repeat("relazione sulle attività svolte nella comunità montana ", 3)
		}
		c.Deliverables = append(c.Deliverables, report.ClosingDeliverable{Title: title, Partner: "Cooperativa L’Arcobaleno", Due: "2026-06-30", State: "ACCEPTED"})
	}
	for _, p := range c.Partners {
		for _, k := range []string{"STAFF", "TRAVEL", "EXTERNAL", "EQUIPMENT"} {
			c.Costs = append(c.Costs, report.ClosingCost{Partner: p.Name, Category: k, Planned: 10_000_00, Spent: 9_876_54, Reported: 9_000_00, Certified: 8_765_43})
		}
	}
	return c
}

func render(t *testing.T, c *report.Closing) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := c.PDF(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTheClosingReportIsTheSameForTheSameData(t *testing.T) {
	first := render(t, closing())
	if !bytes.HasPrefix(first, []byte("%PDF-1.")) || !bytes.HasSuffix(bytes.TrimSpace(first), []byte("%%EOF")) {
		t.Fatal("no PDF")
	}
	for range 3 {
		if !bytes.Equal(first, render(t, closing())) {
			t.Fatal("the same data give other bytes")
		}
	}
	c := closing()
	before, err := c.Checksum()
	if err != nil {
		t.Fatal(err)
	}
	c.Generated = c.Generated.Add(time.Hour)
	if later, _ := c.Checksum(); later != before {
		t.Error("the checksum depends on when the report was made")
	}
	c.Costs[0].Certified++
	if other, _ := c.Checksum(); other == before {
		t.Error("the checksum does not see a cent")
	}
	if dir := os.Getenv("TRAMA_TEST_REPORT_DIR"); dir != "" { // to look at it
		if err := os.WriteFile(filepath.Join(dir, "closing.pdf"), first, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever people write, there is a document with all pages.
func TestTheClosingReportTakesWhatPeopleWrite(t *testing.T) {
	long := strings.Repeat("W", 3000) + strings.Repeat(" à è ì ò ù É € ☂ 日本 \x00 \n", 400)
	c := &report.Closing{Language: report.English, Title: long, Lead: long, Objectives: []string{long, ""}, Phase: "SOMETHING_NEW",
		Partners: []report.ClosingPartner{{Name: long}}, Deliverables: []report.ClosingDeliverable{{Title: long, Partner: long, Due: "soon", State: "?"}},
		Lessons: []report.ClosingLesson{{Title: long, Context: long}}}
	b := render(t, c)
	if pages := len(regexp.MustCompile(`/Type /Page\b[^s]`).FindAll(b, -1)); pages < 10 {
		t.Errorf("%d pages", pages)
	}
	if len(render(t, &report.Closing{})) < 1000 {
		t.Error("an empty report is no document")
	}
	c = closing()
	c.Costs = append(c.Costs, report.ClosingCost{Planned: 1<<63 - 1})
	if err := c.PDF(&bytes.Buffer{}); err == nil {
		t.Error("sums that do not fit")
	}
}

// shown is what a text operator of a page shows (ISO 32000-1, 9.4.3).
var shown = regexp.MustCompile(`(?s)\(((?:\\.|[^\\()])*)\)\s*Tj`)

// text is what the pages of a document say: their streams, unpacked, and what
// these show, in their order. The standard fonts are coded in Windows-1252.
func text(t *testing.T, pdf []byte) string {
	t.Helper()
	var out strings.Builder
	for _, part := range bytes.Split(pdf, []byte("stream\n")) {
		unpacked, err := zlib.NewReader(bytes.NewReader(part))
		if err != nil {
			continue // not a packed stream
		}
		page, err := io.ReadAll(unpacked)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range shown.FindAllSubmatch(page, -1) {
			for _, c := range regexp.MustCompile(`(?s)\\(.)`).ReplaceAll(run[1], []byte("$1")) {
				if c == 0x80 {
					out.WriteRune('€')
				} else {
					out.WriteRune(rune(c))
				}
			}
			out.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// The words, the sums, the accents.
func TestTheClosingReportSaysItAll(t *testing.T) {
	out := text(t, render(t, closing()))
	sum, _ := closing().Checksum()
	for _, want := range []string{
		"Comunità che cura", "perché nessuno resti", "Rapporto finale di progetto", "Società Mutua di Cuorgnè", "1.234.567,89", "350 €", "Prodotto 60",
		"39.506,16", "118.518,48", "105.185,16", "Piano degli acquisti", "Il partner è cambiato", "Pagina 1 di", "Generato il 15/01/2027 09:30 CET", sum, "Il legale rappresentante", "Sede non accessibile", "Attività spostate", "Fornitore della rete", "Proroga di due mesi", "Leggibile da chi", "Concluso", "unanimità",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if n := strings.Count(out, "Responsabile"); n < 2 {
		t.Errorf("the heading of a table over pages stands %d times", n)
	}
}
