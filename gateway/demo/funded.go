package demo

import (
	"context"
	"fmt"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// The funded project: three partners and two funders, each with its own rules,
// from the request to start it to its closing report. All of it is a sample.
const (
	projectFunded    = "progetto-finanziato"
	fundedTitle      = "Competenze digitali di prossimità (progetto campione)"
	fundedAcronym    = "PROSSIMA"
	fundedProgramme  = "Prossimità digitale (bando campione)"
	fundedStart      = "2023-01-09"
	fundedEnd        = "2024-12-20"
	authority        = "autorita-campione"
	sampleFoundation = "fondazione-campione"
	esf              = "fse"        // key of the authority among the project's funders
	grantMaker       = "fondazione" // key of the foundation
	firstYear        = "p1"
	secondYear       = "p2"
	whole            = 10_000 // basis points
)

var (
	fundedLead     = coopKey(1)
	fundedTrainer  = etsKey(2)
	fundedSupplier = firmKey(3)
	fundedOutsider = etsKey(9) // takes no part: reads the lessons only

	fundedPartners = []string{fundedLead, fundedTrainer, fundedSupplier}
)

// sampleFunders are bodies, of the funded project only.
var sampleFunders = []struct {
	key, name, description string
	form                   cataloguev1.LegalForm
}{
	{authority, "Autorità di gestione campione", "Voce campione: finanzia il progetto campione con il FSE+.", publicBody},
	{sampleFoundation, "Fondazione campione", "Voce campione: finanzia il progetto campione con anticipo, acconti e saldo.", foundation},
}

// patron is a funder of the funded project. Shares are basis points.
type patron struct {
	key, organisation, ruleSet string
	share                      int64
	grant                      int64 // cents
}

var patrons = []patron{
	// The foundation first: it finds the cost that is not eligible.
	{grantMaker, sampleFoundation, "ruleSets/fondazione-anticipo-saldo", 2_500, 45_000_00},
	{esf, authority, "ruleSets/esf-plus-2021-27", 6_000, 100_000_00},
}

// fundedPeriods are the reporting periods: key, first and last day, report due.
var fundedPeriods = [][4]string{
	{firstYear, fundedStart, "2023-12-31", "2024-02-28"},
	{secondYear, "2024-01-01", fundedEnd, "2025-01-31"},
}

// fundedLine is a budget line. Amounts are cents.
type fundedLine struct {
	key, partner, title, work string // work: key of the work package
	category                  projectsv1.CostCategory
	amount                    int64            // of a real cost
	flat                      int64            // basis points of staff costs, of a flat rate
	units, price              int64            // ten-thousandths of an hour, cents, of a unit cost
	shares                    map[string]int64 // basis points by funder; nil: the project's
}

const (
	staffCost     = projectsv1.CostCategory_COST_CATEGORY_STAFF
	officeCost    = projectsv1.CostCategory_COST_CATEGORY_OFFICE
	travelCost    = projectsv1.CostCategory_COST_CATEGORY_TRAVEL
	externalCost  = projectsv1.CostCategory_COST_CATEGORY_EXTERNAL
	equipmentCost = projectsv1.CostCategory_COST_CATEGORY_EQUIPMENT
)

var fundedLines = []fundedLine{
	{key: "staff-a", partner: fundedLead, title: "Coordinamento e qualità", work: "wp1", category: staffCost, amount: 60_000_00},
	{key: "indirect-a", partner: fundedLead, title: "Costi indiretti della capofila", work: "wp1", category: officeCost, flat: 1_500},
	{key: "external-a", partner: fundedLead, title: "Revisione contabile e comunicazione", work: "wp1", category: externalCost, amount: 12_500_50},
	{key: "staff-b", partner: fundedTrainer, title: "Tutor e docenti", work: "wp2", category: staffCost, amount: 28_000_00},
	{key: "indirect-b", partner: fundedTrainer, title: "Costi indiretti del partner di formazione", work: "wp2", category: officeCost, flat: 1_500},
	{key: "travel-b", partner: fundedTrainer, title: "Trasferte dei tutor", work: "wp2", category: travelCost, amount: 3_333_33},
	{key: "development-c", partner: fundedSupplier, title: "Sviluppo degli sportelli digitali", work: "wp3", category: externalCost, amount: 24_000_00,
		shares: map[string]int64{esf: 5_000, grantMaker: 3_000}},
	{key: "hours-c", partner: fundedSupplier, title: "Assistenza agli sportelli", work: "wp3", category: staffCost, units: 320_0000, price: 35_50},
	{key: "equipment-c", partner: fundedSupplier, title: "Postazioni degli sportelli", work: "wp3", category: equipmentCost, amount: 7_777_77},
}

// planned is the amount of a line, in cents.
func (b fundedLine) planned() int64 {
	switch {
	case b.flat > 0:
		var staff int64
		for _, x := range fundedLines {
			if x.partner == b.partner && x.category == staffCost {
				staff += x.planned()
			}
		}
		return staff * b.flat / whole
	case b.units > 0:
		return b.units * b.price / 10_000
	}
	return b.amount
}

// share is what a funder bears of a line, in basis points.
func (b fundedLine) share(f patron) int64 {
	if b.shares != nil {
		return b.shares[f.key]
	}
	return f.share
}

// cost is an expenditure with its document. Amounts are cents.
type cost struct {
	line, period, number, date, paid, title string
	amount                                  int64 // eligible, and claimed in the end
	asked                                   int64 // what was claimed first, where that was more
	net                                     int64 // where the partner recovers the VAT
	units                                   int64 // ten-thousandths of an hour
}

// vat is the ordinary rate of value added tax, in basis points.
const vat = 2_200

var fundedCosts = []cost{
	{line: "staff-a", period: firstYear, number: "CED 2023/1", date: "2023-06-30", paid: "2023-07-10", title: "Personale, primo semestre 2023", amount: 14_950_25},
	{line: "staff-a", period: firstYear, number: "CED 2023/2", date: "2023-12-15", paid: "2023-12-27", title: "Personale, secondo semestre 2023", amount: 15_049_75},
	{line: "external-a", period: firstYear, number: "FT 118/2023", date: "2023-10-20", paid: "2023-11-20", title: "Campagna di comunicazione", amount: 6_100_00},
	{line: "staff-a", period: secondYear, number: "CED 2024/1", date: "2024-06-28", paid: "2024-07-10", title: "Personale, primo semestre 2024", amount: 14_800_10},
	{line: "staff-a", period: secondYear, number: "CED 2024/2", date: "2024-12-13", paid: "2024-12-27", title: "Personale, secondo semestre 2024", amount: 15_100_40},
	{line: "external-a", period: secondYear, number: "FT 77/2024", date: "2024-10-18", paid: "2024-11-18", title: "Revisione contabile", amount: 6_000_00},
	{line: "staff-b", period: firstYear, number: "BP 2023", date: "2023-12-20", paid: "2023-12-27", title: "Tutor e docenti 2023", amount: 13_500_00},
	{line: "travel-b", period: firstYear, number: "NS 4/2023", date: "2023-11-30", paid: "2023-12-15", title: "Trasferte 2023", amount: 1_600_01},
	{line: "staff-b", period: secondYear, number: "BP 2024", date: "2024-12-12", paid: "2024-12-19", title: "Tutor e docenti 2024", amount: 14_200_00},
	{line: "travel-b", period: secondYear, number: "NS 2/2024", date: "2024-10-31", paid: "2024-11-15", title: "Trasferte 2024", amount: 1_500_50},
	{line: "development-c", period: firstYear, number: "FT 45/2023", date: "2023-11-10", paid: "2023-12-11", title: "Sviluppo, prima versione", amount: 10_000_00, asked: 12_200_00, net: 10_000_00},
	{line: "equipment-c", period: firstYear, number: "FT 901/2023", date: "2023-09-15", paid: "2023-10-16", title: "Quattro postazioni", amount: 7_600_00, net: 7_600_00},
	{line: "hours-c", period: firstYear, number: "FT 46/2023", date: "2023-12-18", paid: "2023-12-29", title: "Assistenza 2023: 160 ore", amount: 5_680_00, units: 160_0000},
	{line: "development-c", period: secondYear, number: "FT 12/2024", date: "2024-05-20", paid: "2024-06-20", title: "Sviluppo, seconda versione", amount: 12_000_00, net: 12_000_00},
	{line: "hours-c", period: secondYear, number: "FT 30/2024", date: "2024-12-02", paid: "2024-12-16", title: "Assistenza 2024: 150 ore", amount: 5_325_00, units: 150_0000},
}

// gross is the total of the document: with the VAT, where it is known.
func (c cost) gross() int64 {
	if c.net > 0 {
		return c.net + c.net*vat/whole
	}
	return c.amount
}

// ruling is what a funder's controller decides of a line that is not accepted as
// it is: a cut, or that the line waits for the next claim.
type ruling struct {
	funder, period, number string
	cut                    int64 // cents; 0: parked
	reason                 string
}

var rulings = []ruling{
	{esf, firstYear, "FT 118/2023", 150_00, "Cena sociale compresa nella fattura: non è una spesa del progetto"},
	{esf, firstYear, "NS 4/2023", 0, "Manca il foglio firme delle trasferte di novembre"},
}

func rulingOf(funder, period, number string) *ruling {
	for i, r := range rulings {
		if r.funder == funder && r.period == period && r.number == number {
			return &rulings[i]
		}
	}
	return nil
}

func lineOf(key string) fundedLine {
	for _, b := range fundedLines {
		if b.key == key {
			return b
		}
	}
	panic("demo: no line " + key)
}

// cast are the people of the funded project.
type cast struct {
	operator    *loader
	manager     *loader            // of the lead
	partners    map[string]*loader // who claims, by organisation's key
	controllers map[string]*loader // of the funders, by the funder's key
	outsider    *loader            // of an organisation that takes no part
}

// The subjects of the people of the funded project. FundedOutsider is of an
// organisation that takes no part in it.
var (
	FundedManager  = "pm." + projectFunded + "@example.org"
	FundedOutsider = "pm." + fundedOutsider + "@example.org"
)

// FundedPartner is the subject of who claims for a partner beside the lead: the
// first or the second.
func FundedPartner(n int) string { return "rendiconta." + fundedPartners[n] + "@example.org" }

// FundedController is the subject of who controls the claims for a funder: the
// first or the second of the project.
func FundedController(n int) string { return "controlla." + patrons[n].key + "@example.org" }

// theCast returns the loaders of the cast, without making anybody a member.
func (l *loader) theCast() (*cast, error) {
	out := &cast{operator: l, partners: map[string]*loader{}, controllers: map[string]*loader{}}
	var err error
	if out.manager, err = l.as(FundedManager); err != nil {
		return nil, err
	}
	if out.outsider, err = l.as(FundedOutsider); err != nil {
		return nil, err
	}
	out.partners[fundedLead] = out.manager
	for i, p := range fundedPartners[1:] {
		if out.partners[p], err = l.as(FundedPartner(i + 1)); err != nil {
			return nil, err
		}
	}
	for i, f := range patrons {
		if out.controllers[f.key], err = l.as(FundedController(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// join makes the people of the funded project members of their organisations.
func (l *loader) join(ctx context.Context, w *world) error {
	type member struct {
		organisation, subject string
		role                  authzv1.Role
	}
	all := []member{
		{fundedLead, FundedManager, authzv1.Role_ROLE_PROJECT_MANAGER}, {fundedOutsider, FundedOutsider, authzv1.Role_ROLE_PROJECT_MANAGER},
		{fundedTrainer, FundedPartner(1), authzv1.Role_ROLE_PROJECT_PARTNER}, {fundedSupplier, FundedPartner(2), authzv1.Role_ROLE_PROJECT_PARTNER},
	}
	for i, f := range patrons {
		all = append(all, member{f.organisation, FundedController(i), authzv1.Role_ROLE_FUNDER})
	}
	for _, m := range all {
		path := "/v1/" + w.organisations[m.organisation] + "/memberships"
		page := &cataloguev1.ListMembershipsResponse{}
		have, err := list(ctx, l, path, "", page, page.GetMemberships)
		if err != nil {
			return err
		}
		known := false
		for _, x := range have {
			known = known || x.GetSubject() == m.subject && x.GetRole() == m.role
		}
		if known {
			continue
		}
		if err := l.post(ctx, path, "membership/"+m.organisation, &cataloguev1.Membership{Subject: m.subject, Role: m.role}, nil); err != nil {
			return err
		}
	}
	return nil
}

// fundedCard is the card of the funded project.
func fundedCard(w *world) *projectsv1.Project {
	need := w.needs[needKey(1)]
	out := plan{
		key: projectFunded, lead: fundedLead, title: fundedTitle, acronym: fundedAcronym, start: fundedStart, end: fundedEnd, territory: "it-21",
		sectors: []string{"economia-sociale"}, partners: fundedPartners[1:], sample: true,
		objectives: []string{"Aprire quattro sportelli digitali di prossimità", "Formare 120 operatori e volontari ad accompagnare chi vi si rivolge"},
	}.card(w.organisations)
	out.Needs = []string{need}
	out.Stakeholders = []*projectsv1.Stakeholder{
		{DisplayName: "Cittadini che chiedono aiuto con i servizi digitali", Interest: high, Influence: low, Engagement: "Prove agli sportelli", Needs: []string{need},
			CurrentEngagement: projectsv1.Engagement_ENGAGEMENT_UNAWARE, DesiredEngagement: projectsv1.Engagement_ENGAGEMENT_SUPPORTIVE, Expectations: "Orari serali e nessuna coda"},
		{DisplayName: "Comuni della cintura torinese", Interest: medium, Influence: high, Engagement: "Protocollo d'intesa e tavolo semestrale"},
	}
	out.Charter = &projectsv1.Charter{
		BusinessNeed:    it("Chi non usa servizi digitali resta senza prestazioni che gli spettano"),
		SuccessCriteria: texts("Quattro sportelli aperti per almeno dodici mesi", "120 operatori e volontari formati"),
		Constraints:     texts("Spese ammissibili dal 9 gennaio 2023 al 20 dicembre 2024"),
		Assumptions:     texts("I Comuni mettono a disposizione i locali"),
		Exclusions:      texts("Assistenza a domicilio"),
		Governance: []*projectsv1.GovernanceBody{{DisplayName: "Comitato di progetto", Mandate: "Decide su piano, bilancio e modifiche", Meets: "Ogni tre mesi",
			Organisations: []string{w.organisations[fundedLead], w.organisations[fundedTrainer], w.organisations[fundedSupplier]}}},
	}
	out.Funders = nil
	for _, f := range patrons {
		out.Funders = append(out.Funders, &projectsv1.Funder{
			Key: f.key, DisplayName: funderName(f.organisation), Organisation: w.organisations[f.organisation], Programme: fundedProgramme,
			Grant: cents(f.grant), ShareBasisPoints: int32(f.share), RuleSet: f.ruleSet,
		})
	}
	for _, p := range fundedPeriods {
		out.ReportingPeriods = append(out.ReportingPeriods, &projectsv1.ReportingPeriod{Key: p[0], StartDate: p[1], EndDate: p[2], ReportDueDate: p[3]})
	}
	return out
}

func funderName(key string) string {
	for _, f := range sampleFunders {
		if f.key == key {
			return f.name
		}
	}
	panic("demo: no funder " + key)
}

// funded takes the funded project from its card to its closing.
func (l *loader) funded(ctx context.Context, w *world) error {
	if l.people == nil {
		return nil
	}
	if err := l.join(ctx, w); err != nil {
		return err
	}
	who, err := l.theCast()
	if err != nil {
		return err
	}
	project, err := l.findFunded(ctx)
	if err != nil {
		return err
	}
	if project == nil {
		project = &projectsv1.Project{}
		path := "/v1/projects?gateTemplate=gateTemplates/registers"
		if err := who.manager.post(ctx, path, "project/"+projectFunded, fundedCard(w), project); err != nil {
			return err
		}
	}
	w.projects[projectFunded] = project.GetName()
	if project.GetPhase() == projectsv1.Phase_PHASE_CLOSED {
		return nil
	}
	for _, step := range []struct {
		title string
		do    func(context.Context, *world, *cast, *projectsv1.Project) error
	}{
		{"refused at the gate, corrected, planned", l.start},
		{"plan", l.fundedPlan},
		{"budget", l.fundedBudget},
		{"registers", l.fundedRegisters},
		{"ready to execute", l.execute},
		{"costs", l.fundedCosts},
		{"claims", l.fundedClaims},
		{"closing", l.close},
	} {
		l.progress("funded project: " + step.title)
		if err := step.do(ctx, w, who, project); err != nil {
			return fmt.Errorf("%s: %w", step.title, err)
		}
	}
	return nil
}

// findFunded reads the funded project; nil where it is not there.
func (l *loader) findFunded(ctx context.Context) (*projectsv1.Project, error) {
	page := &projectsv1.ListProjectsResponse{}
	all, err := list(ctx, l, "/v1/projects", "", page, page.GetProjects)
	if err != nil {
		return nil, err
	}
	return byKey(all)[projectFunded], nil
}
