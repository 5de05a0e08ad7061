package demo

import (
	"context"
	"fmt"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
)

// The figures of I3S about its effects.
const (
	mentoringHours  = 75 // at least
	mentoredBodies  = 33
	pilotBodies     = 15
	surveyedYoung   = 3000 // at least: answers to “Giovani e Terzo Settore”
	atLeast         = impactv1.Qualifier_QUALIFIER_AT_LEAST
	exactly         = impactv1.Qualifier_QUALIFIER_EXACT
	impactFrom      = "2020-01-01"
	impactTo        = "2100-01-01" // the day after the last
	secondYearStart = "2021-10-01"
	secondYearEnd   = "2023-04-01"
)

// gauge is an indicator with what was measured.
type gauge struct {
	key, owner           string // owner empty: the network's, on its dashboard
	title, english, unit string
	theory, node         string // of a theory of change, by its key
	measured             []reading
}

type reading struct {
	project    string
	by         string
	start, end string
	value      int
	of         int // denominator, of a ratio
	qualifier  impactv1.Qualifier
	source     string
}

var gauges = []gauge{
	{"ore-mentoring", "", "Ore di mentoring individuale erogate", "Hours of individual mentoring", "h", i3s, "mentoring", []reading{
		{projectI3S, "piemonte-innova", secondYearStart, secondYearEnd, mentoringHours, 0, atLeast, "I numeri delle due annualità: +75 ore per 33 enti"}}},
	{"enti-mentoring", "", "Enti seguiti con mentoring individuale", "Bodies mentored", "organisations", i3s, "enti-accompagnati", []reading{
		{projectI3S, "piemonte-innova", secondYearStart, secondYearEnd, mentoredBodies, 0, exactly, "I numeri delle due annualità: +75 ore per 33 enti"}}},
	{"enti-pilota", "", "Enti serviti dal progetto pilota", "Bodies served by the pilot", "organisations", i3s, "enti-accompagnati", []reading{
		{projectI3S, "piemonte-innova", "2023-02-06", secondYearEnd, pilotBodies, 0, exactly, "Progetto pilota partito il 6 febbraio, per 15 ETS"}}},
	{"incontri-b2b", "", "Incontri B2B organizzati", "B2B meetings", "meetings", i3s, "rete", []reading{
		{projectI3S, "piemonte-innova", "2022-11-16", "2022-11-17", corporateB2B, 0, atLeast, "Corporate Meeting: +150 incontri B2B"},
		{projectI3S, "piemonte-innova", "2022-07-14", "2022-09-15", researchB2B, 0, exactly, "Research Meeting: 2 eventi, 60 B2B"}}},
	{"progetti-candidati", "", "Progetti candidati nei Research Meeting", "Candidate projects", "projects", i3s, "rete", []reading{
		{projectI3S, "piemonte-innova", "2022-07-14", "2022-09-15", candidates, 0, exactly, "Research Meeting: 12 progetti candidati"}}},
	{"giovani", "", "Giovani che hanno risposto alla ricerca Giovani e Terzo Settore", "Young people surveyed", "persons", i3s, "consapevolezza", []reading{
		{projectI3S, "torino-social-impact", secondYearStart, secondYearEnd, surveyedYoung, 0, atLeast, "Ricerca nazionale: +3000 giovani"}}},
	{"realta-survey", "cedel", surveyTitle, "Bodies in survey and assessment", "organisations", digiCompSoc, "realta-coinvolte", []reading{
		{projectDCS, "cedel", "2025-05-05", "2025-07-01", surveyed, 0, exactly, "Survey e assessment iniziali con un gruppo di 41 realtà"}}},
	{"quota-formati", "cedel", trainedShare, "Operators trained of those planned", "1", digiCompSoc, "operatori-formati", []reading{
		{projectDCS, "cedel", "2025-06-19", "2026-03-01", expected(false).trained, operatorsToTrain, exactly, "Registri della piattaforma (campione) sui 300 operatori da formare"}}},
}

// DigiCompSoc's own indicators.
const (
	surveyTitle  = "Realtà della rete coinvolte in survey e assessment"
	trainedShare = "Operatori formati sul totale da formare"
)

// chain is a theory of change: what leads to what.
type chain struct {
	key, owner, project, title string
	nodes                      []link
	leads                      [][2]string
	// assumption under the first of leads.
	assumption string
}

type link struct {
	key, title string
	kind       impactv1.NodeType
}

const (
	input    = impactv1.NodeType_NODE_TYPE_INPUT
	activity = impactv1.NodeType_NODE_TYPE_ACTIVITY
	output   = impactv1.NodeType_NODE_TYPE_OUTPUT
	effect   = impactv1.NodeType_NODE_TYPE_OUTCOME
	change   = impactv1.NodeType_NODE_TYPE_IMPACT
)

// chains are the theories of change of I3S (with Torino Social Impact and
// Tiresia), which is the network's, and of DigiCompSoc. The wording of nodes and
// assumptions is a sample.
var chains = []chain{
	{i3s, "", projectI3S, "Teoria del Cambiamento di I3S", []link{
		{"risorse", "Competenze della rete e dei partner", input},
		{"accompagnamento", "Accompagnamento e mentoring", activity},
		{"incontri", "Eventi e incontri tra ETS e ICT", activity},
		{"mentoring", "Ore di mentoring erogate", output},
		{"enti-accompagnati", "Enti accompagnati", output},
		{"rete", "Relazioni tra ETS, imprese ICT e ricerca", effect},
		{"consapevolezza", "Consapevolezza e capacità di governare il digitale", effect},
		{"transizione", "Transizione digitale del terzo settore", change},
	}, [][2]string{
		{"mentoring", "consapevolezza"}, {"risorse", "accompagnamento"}, {"risorse", "incontri"}, {"accompagnamento", "mentoring"},
		{"accompagnamento", "enti-accompagnati"}, {"enti-accompagnati", "consapevolezza"}, {"incontri", "rete"},
		{"consapevolezza", "transizione"}, {"rete", "transizione"},
	}, "Gli enti dedicano tempo di persone che restano"},
	{digiCompSoc, "cedel", projectDCS, "Teoria del Cambiamento di DigiCompSoc", []link{
		{"risorse", "Docenti, facilitatori e fornitore tecnologico", input},
		{"formazione", "Formazione di operatori, coordinatori e responsabili", activity},
		{"co-progettazione", "Co-progettazione della piattaforma DCS", activity},
		{"realta-coinvolte", "Realtà coinvolte nella co-progettazione", output},
		{"operatori-formati", "Operatori formati", effect},
		{"adozione", "Organizzazioni che adottano la piattaforma", effect},
		{"cultura", "Cultura digitale comune nell'economia sociale", change},
	}, [][2]string{
		{"realta-coinvolte", "adozione"}, {"risorse", "formazione"}, {"risorse", "co-progettazione"}, {"formazione", "operatori-formati"},
		{"co-progettazione", "realta-coinvolte"}, {"operatori-formati", "cultura"}, {"adozione", "cultura"},
	}, "Uno strumento che si piega all'organizzazione viene adottato"},
}

func (c chain) theory(w *world) *impactv1.Theory {
	out := &impactv1.Theory{Organisation: w.organisations[c.owner], Project: w.projects[c.project], Title: it(c.title)}
	for _, n := range c.nodes {
		out.Nodes = append(out.Nodes, &impactv1.Node{Key: n.key, Type: n.kind, Title: it(n.title)})
	}
	for _, l := range c.leads {
		out.Links = append(out.Links, &impactv1.Link{From: l[0], To: l[1], Type: impactv1.LinkType_LINK_TYPE_LEADS_TO})
	}
	out.Links[0].Assumptions = []*impactv1.Assumption{{Key: "premessa", Statement: it(c.assumption)}}
	return out
}

// indicator is what a gauge reads.
func (g gauge) indicator(w *world, theory string) *impactv1.Indicator {
	out := &impactv1.Indicator{
		Organisation: w.organisations[g.owner], Title: text("it", g.title, "en", g.english), Unit: g.unit, Direction: impactv1.Direction_DIRECTION_INCREASE,
		Aggregation: impactv1.Aggregation_AGGREGATION_SUM, Baseline: "0", Theory: theory, Node: g.node, Headline: g.owner == "",
	}
	if g.measured[0].of > 0 {
		out.Aggregation = impactv1.Aggregation_AGGREGATION_RATIO
		out.Target = &impactv1.Target{Value: "1", Date: dcsPlan.end}
	}
	return out
}

// impact loads the theories of change, the indicators and what was measured.
func (l *loader) impact(ctx context.Context, w *world) error {
	theories, err := l.theories(ctx, w)
	if err != nil {
		return err
	}
	names, err := l.listIndicators(ctx)
	if err != nil {
		return err
	}
	for _, g := range gauges {
		name := names[g.title]
		if name == "" {
			made := &impactv1.Indicator{}
			if err := l.post(ctx, "/v1/indicators", "indicator/"+g.key, g.indicator(w, theories[g.theory]), made); err != nil {
				return err
			}
			name = made.GetName()
		}
		if err := l.measure(ctx, w, g, name); err != nil {
			return fmt.Errorf("%s: %w", g.key, err)
		}
	}
	return nil
}

// theories returns the names of the theories of change, by key.
func (l *loader) theories(ctx context.Context, w *world) (map[string]string, error) {
	page := &impactv1.ListTheoriesResponse{}
	all, err := list(ctx, l, "/v1/theories", "", page, page.GetTheories)
	if err != nil {
		return nil, err
	}
	have, names := map[string]*impactv1.Theory{}, map[string]string{}
	for _, t := range all {
		have[t.GetTitle().GetText()] = t
	}
	for _, c := range chains {
		made := have[c.title]
		if made == nil {
			made = &impactv1.Theory{}
			if err := l.post(ctx, "/v1/theories", "theory/"+c.key, c.theory(w), made); err != nil {
				return nil, err
			}
		}
		names[c.key] = made.GetName()
		if made.GetPublishedVersion() == 0 {
			if err := l.post(ctx, "/v1/"+made.GetName()+":publish", "theory/"+c.key+"/publish", nil, nil); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

// listIndicators returns the names of the indicators, by title.
func (l *loader) listIndicators(ctx context.Context) (map[string]string, error) {
	page := &impactv1.ListIndicatorsResponse{}
	all, err := list(ctx, l, "/v1/indicators", "", page, page.GetIndicators)
	out := map[string]string{}
	for _, i := range all {
		out[i.GetTitle().GetText()] = i.GetName()
	}
	return out, err
}

// measure has each reading written, submitted and accepted.
func (l *loader) measure(ctx context.Context, w *world, g gauge, indicator string) error {
	page := &impactv1.ListMeasurementsResponse{}
	all, err := list(ctx, l, "/v1/measurements", fmt.Sprintf("indicator = %q", indicator), page, page.GetMeasurements)
	if err != nil {
		return err
	}
	have := map[string]*impactv1.Measurement{}
	for _, m := range all {
		have[m.GetOrganisation()+m.GetProject()+m.GetStartDate()] = m
	}
	for i, r := range g.measured {
		key := fmt.Sprintf("measurement/%s/%d", g.key, i+1)
		in := &impactv1.Measurement{
			Indicator: indicator, Organisation: w.organisations[r.by], Project: w.projects[r.project], StartDate: r.start, EndDate: r.end,
			Value: &impactv1.MeasuredValue{Value: fmt.Sprint(r.value)}, Qualifier: r.qualifier, Source: r.source,
		}
		if r.of > 0 {
			in.Value = &impactv1.MeasuredValue{Numerator: fmt.Sprint(r.value), Denominator: fmt.Sprint(r.of)}
		}
		m := have[in.GetOrganisation()+in.GetProject()+in.GetStartDate()]
		if m == nil {
			m = &impactv1.Measurement{}
			if err := l.post(ctx, "/v1/measurements", key, in, m); err != nil {
				return err
			}
		}
		for _, step := range []struct {
			from impactv1.MeasurementState
			verb string
		}{{impactv1.MeasurementState_MEASUREMENT_STATE_DRAFT, "submit"}, {impactv1.MeasurementState_MEASUREMENT_STATE_SUBMITTED, "accept"}} {
			if m.GetState() != step.from {
				continue
			}
			if err := l.post(ctx, "/v1/"+m.GetName()+":"+step.verb, key+"/"+step.verb, nil, m); err != nil {
				return err
			}
		}
	}
	return nil
}
