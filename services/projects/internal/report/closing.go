package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/trama-suite/trama/services/platform/money"
)

// Closing is what a project-end report says: the parts that the PM² methodology
// (European Commission, Guide 3.1, closing phase) asks for, with the money as
// funders look at it. Days are 2026-01-31, amounts minor units of Currency.
type Closing struct {
	Language Language `json:"-"`
	// Generated is printed, and is the document's date. The checksum is over
	// everything else.
	Generated time.Time `json:"-"`

	Name, Title, Acronym, CUP, Lead, Territory, Currency string
	Start, End, Closed                                   string
	Phase                                                string // as in the proto, without its prefix
	Outcome                                              string // of a closed project, alike
	Sectors, Objectives                                  []string
	Partners                                             []ClosingPartner
	Funders                                              []ClosingFunder
	Gates                                                []ClosingGate
	Moves                                                []ClosingMove
	Deliverables                                         []ClosingDeliverable
	Costs                                                []ClosingCost
	Risks                                                []ClosingRisk
	Issues                                               []ClosingIssue
	Decisions                                            []ClosingDecision
	Changes                                              []ClosingChange
	Checks                                               []ClosingCheck
	Lessons                                              []ClosingLesson
}

// ClosingPartner is one organisation of the partnership.
type ClosingPartner struct {
	Name  string
	Lead  bool
	Share int32 // basis points
}

// ClosingFunder is one source of money.
type ClosingFunder struct {
	Name, Programme string
	Grant           int64
	Share           int32 // basis points of the total cost
}

// ClosingGate is what one gate asked for. Approved is empty where it was not;
// Role is the one by which it was, Note what was said then.
type ClosingGate struct {
	Key, Approved     string
	Role, Note        string
	Artefacts, Missed int
	Waivers           []ClosingWaiver
}

// ClosingWaiver is an artefact that somebody did without.
type ClosingWaiver struct{ Artefact, Date, Reason string }

// ClosingMove is one change of phase. From and To are as in Closing.Phase.
type ClosingMove struct{ Date, From, To, Reason string }

// ClosingDeliverable is something that the project owed.
type ClosingDeliverable struct{ Title, Partner, Due, State string }

// ClosingCost is the money of one partner in one category.
type ClosingCost struct {
	Partner, Category                   string
	Planned, Spent, Reported, Certified int64
}

// ClosingRisk is one risk of the register.
type ClosingRisk struct {
	Title, Response, State string
	Score                  int32
}

// ClosingIssue is one issue of the log.
type ClosingIssue struct{ Title, Resolution, State string }

// ClosingDecision is one decision that was taken.
type ClosingDecision struct{ Date, Title, Outcome, State string }

// ClosingChange is one change that was approved. Days and Cost are what it was
// expected to do to the plan and the budget.
type ClosingChange struct {
	Title, Reason, State string
	Days                 int32
	Cost                 int64
}

// ClosingCheck is one quality check of a deliverable.
type ClosingCheck struct{ Deliverable, Criterion, Date, Findings, State string }

// ClosingLesson is one lesson learned.
type ClosingLesson struct{ Title, Context, Happened, Recommendation string }

// Checksum is the SHA-256 of the report's data in hexadecimal: the same as long
// as nothing that the report says has changed.
func (c *Closing) Checksum() (string, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("report: checksum: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// PDF writes the report. The same data at the same time give the same bytes.
func (c *Closing) PDF(w io.Writer) error {
	sum, err := c.Checksum()
	if err != nil {
		return err
	}
	l := c.Language
	d := newDocument(paper{
		title: c.Title, kind: l.Pick("Rapporto finale di progetto", "Project-end report"), at: c.Generated,
		foot: l.Pick("Generato il ", "Generated on ") + l.moment(c.Generated) + " · " + l.Pick("impronta dei dati SHA-256 ", "SHA-256 of the data ") + sum,
		page: l.Pick("Pagina", "Page"), of: l.Pick("di", "of"),
	})
	d.cover(c.Title)
	c.card(d)
	c.parties(d)
	c.objectives(d)
	c.timeline(d)
	c.deliverables(d)
	if err := c.costs(d); err != nil {
		return err
	}
	c.checks(d)
	c.registers(d)
	c.logs(d)
	c.lessons(d)
	c.signatures(d)
	return d.write(w)
}

func (c *Closing) card(d *document) {
	l := c.Language
	d.heading(l.Pick("Scheda del progetto", "Project card"))
	d.facts([][2]string{
		{l.Pick("Acronimo", "Acronym"), c.Acronym},
		{"CUP", c.CUP},
		{l.Pick("Capofila", "Lead partner"), c.Lead},
		{l.Pick("Periodo", "Dates"), l.day(c.Start) + " – " + l.day(c.End)},
		{l.Pick("Fase", "Phase"), l.word(c.Phase)},
		{l.Pick("Esito", "Outcome"), l.word(c.Outcome)},
		{l.Pick("Chiuso il", "Closed on"), l.day(c.Closed)},
		{l.Pick("Territorio", "Territory"), c.Territory},
		{l.Pick("Settori", "Sectors"), joined(c.Sectors)},
		{l.Pick("Riferimento", "Reference"), c.Name},
	})
}

func (c *Closing) parties(d *document) {
	l := c.Language
	d.heading(l.Pick("Partner", "Partners"))
	t := table{columns: []column{{head: l.Pick("Organizzazione", "Organisation"), width: 110}, {head: l.Pick("Ruolo", "Role"), width: 36},
		{head: l.Pick("Quota %", "Share %"), width: 28, right: true}}}
	for _, p := range c.Partners {
		role := l.Pick("Partner", "Partner")
		if p.Lead {
			role = l.Pick("Capofila", "Lead partner")
		}
		t.rows = append(t.rows, []string{p.Name, role, l.number(int64(p.Share), 2)})
	}
	d.table(t)
	if len(c.Funders) == 0 {
		return
	}
	d.heading(l.Pick("Finanziatori", "Funders"))
	t = table{columns: []column{{head: l.Pick("Finanziatore", "Funder"), width: 66}, {head: l.Pick("Programma", "Programme"), width: 46},
		{head: l.Pick("Contributo ", "Grant ") + c.Currency, width: 38, right: true}, {head: l.Pick("Quota %", "Share %"), width: 24, right: true}}}
	for _, f := range c.Funders {
		t.rows = append(t.rows, []string{f.Name, f.Programme, l.number(f.Grant, 2), l.number(int64(f.Share), 2)})
	}
	d.table(t)
}

func (c *Closing) objectives(d *document) {
	d.heading(c.Language.Pick("Obiettivi", "Objectives"))
	for i, o := range c.Objectives {
		d.paragraph(fmt.Sprintf("%d. %s", i+1, o))
	}
	d.none(len(c.Objectives), c.Language)
}

func (c *Closing) timeline(d *document) {
	l := c.Language
	d.heading(l.Pick("Fasi e approvazioni", "Phases and gates"))
	t := table{columns: []column{{head: l.Pick("Passaggio", "Gate"), width: 74}, {head: l.Pick("Approvato il", "Approved on"), width: 30},
		{head: l.Pick("Documenti", "Artefacts"), width: 24, right: true}, {head: l.Pick("Mancanti", "Missing"), width: 22, right: true},
		{head: l.Pick("Derogati", "Waived"), width: 24, right: true}}}
	notes := table{columns: []column{{head: l.Pick("Approvazione", "Approval"), width: 62}, {head: l.Pick("Ruolo", "Role"), width: 44}, {head: l.Pick("Nota", "Note"), width: 68}}}
	waivers := table{columns: []column{{head: l.Pick("Deroga", "Waiver"), width: 62}, {head: l.Pick("Data", "Date"), width: 24}, {head: l.Pick("Motivo", "Reason"), width: 88}}}
	for _, g := range c.Gates {
		t.rows = append(t.rows, []string{l.word(g.Key), l.day(g.Approved), fmt.Sprint(g.Artefacts), fmt.Sprint(g.Missed), fmt.Sprint(len(g.Waivers))})
		if g.Role != "" {
			notes.rows = append(notes.rows, []string{l.word(g.Key), l.word(g.Role), g.Note})
		}
		for _, w := range g.Waivers {
			waivers.rows = append(waivers.rows, []string{w.Artefact, l.day(w.Date), w.Reason})
		}
	}
	d.table(t)
	if len(notes.rows) > 0 {
		d.table(notes)
	}
	if len(waivers.rows) > 0 {
		d.table(waivers)
	}
	moves := table{columns: []column{{head: l.Pick("Data", "Date"), width: 24}, {head: l.Pick("Da", "From"), width: 32}, {head: l.Pick("A", "To"), width: 32},
		{head: l.Pick("Motivo", "Reason"), width: 86}}}
	for _, m := range c.Moves {
		moves.rows = append(moves.rows, []string{l.day(m.Date), l.word(m.From), l.word(m.To), m.Reason})
	}
	d.table(moves)
}

func (c *Closing) deliverables(d *document) {
	l := c.Language
	d.heading(l.Pick("Prodotti", "Deliverables"))
	t := table{columns: []column{{head: l.Pick("Prodotto", "Deliverable"), width: 80}, {head: l.Pick("Responsabile", "In charge"), width: 44},
		{head: l.Pick("Scadenza", "Due"), width: 24}, {head: l.Pick("Stato", "State"), width: 26}}}
	for _, x := range c.Deliverables {
		t.rows = append(t.rows, []string{x.Title, x.Partner, l.day(x.Due), l.word(x.State)})
	}
	d.table(t)
	d.none(len(c.Deliverables), l)
}

// costs prints the money by partner and category, with the sums of each partner
// and of the project.
func (c *Closing) costs(d *document) error {
	l := c.Language
	d.heading(l.Pick("Budget, spesa e spesa certificata", "Budget, actual and certified costs") + " (" + c.Currency + ")")
	t := table{columns: []column{{head: l.Pick("Partner e categoria", "Partner and category"), width: 62},
		{head: l.Pick("Previsto", "Planned"), width: 28, right: true}, {head: l.Pick("Speso", "Spent"), width: 28, right: true},
		{head: l.Pick("Rendicontato", "Reported"), width: 28, right: true}, {head: l.Pick("Certificato", "Certified"), width: 28, right: true}}}
	row := func(label string, f ClosingCost) []string {
		return []string{label, l.number(f.Planned, 2), l.number(f.Spent, 2), l.number(f.Reported, 2), l.number(f.Certified, 2)}
	}
	var all, partner ClosingCost
	for i, x := range c.Costs {
		if i == 0 || x.Partner != c.Costs[i-1].Partner {
			partner = ClosingCost{}
		}
		if err := partner.add(x); err != nil {
			return err
		}
		if err := all.add(x); err != nil {
			return err
		}
		t.rows = append(t.rows, row(l.word(x.Category), x))
		if i == len(c.Costs)-1 || c.Costs[i+1].Partner != x.Partner {
			t.bold = append(t.bold, len(t.rows))
			t.rows = append(t.rows, row(l.Pick("Totale ", "Total ")+x.Partner, partner))
		}
	}
	t.bold = append(t.bold, len(t.rows))
	t.rows = append(t.rows, row(l.Pick("Totale del progetto", "Project total"), all))
	d.table(t)
	return nil
}

func (f *ClosingCost) add(o ClosingCost) error {
	for _, x := range []struct {
		to *int64
		by int64
	}{{&f.Planned, o.Planned}, {&f.Spent, o.Spent}, {&f.Reported, o.Reported}, {&f.Certified, o.Certified}} {
		sum, err := money.Add(money.Amount{Minor: *x.to}, money.Amount{Minor: x.by})
		if err != nil {
			return fmt.Errorf("report: sums of costs: %w", err)
		}
		*x.to = sum.Minor
	}
	return nil
}

func (c *Closing) registers(d *document) {
	l := c.Language
	d.heading(l.Pick("Rischi", "Risks"))
	t := table{columns: []column{{head: l.Pick("Rischio", "Risk"), width: 70}, {head: l.Pick("Livello", "Level"), width: 18, right: true},
		{head: l.Pick("Risposta", "Response"), width: 60}, {head: l.Pick("Stato", "State"), width: 26}}}
	for _, r := range c.Risks {
		t.rows = append(t.rows, []string{r.Title, fmt.Sprint(r.Score), r.Response, l.word(r.State)})
	}
	d.table(t)
	d.none(len(c.Risks), l)
	d.heading(l.Pick("Problemi", "Issues"))
	t = table{columns: []column{{head: l.Pick("Problema", "Issue"), width: 70}, {head: l.Pick("Soluzione", "Resolution"), width: 78}, {head: l.Pick("Stato", "State"), width: 26}}}
	for _, x := range c.Issues {
		t.rows = append(t.rows, []string{x.Title, x.Resolution, l.word(x.State)})
	}
	d.table(t)
	d.none(len(c.Issues), l)
}

func (c *Closing) lessons(d *document) {
	l := c.Language
	d.heading(l.Pick("Lezioni apprese", "Lessons learned"))
	for _, x := range c.Lessons {
		d.subheading(x.Title)
		for _, part := range [][2]string{{l.Pick("Contesto", "Context"), x.Context}, {l.Pick("Che cosa è successo", "What happened"), x.Happened},
			{l.Pick("Raccomandazione", "Recommendation"), x.Recommendation}} {
			if part[1] != "" {
				d.paragraph(part[0] + ": " + part[1])
			}
		}
	}
	d.none(len(c.Lessons), l)
}

func (c *Closing) signatures(d *document) {
	l := c.Language
	d.heading(l.Pick("Firme", "Signatures"))
	for _, p := range c.Partners {
		d.signature(p.Name, l.Pick("Luogo e data", "Place and date"), l.Pick("Il legale rappresentante", "The legal representative"))
	}
}
