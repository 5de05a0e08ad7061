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

// gauge is an indicator of the network with what was measured.
type gauge struct {
	key, title, english, unit string
	node                      string // of the theory of change of I3S
	measured                  []reading
}

type reading struct {
	project    string
	by         string
	start, end string
	value      int
	qualifier  impactv1.Qualifier
	source     string
}

var gauges = []gauge{
	{"ore-mentoring", "Ore di mentoring individuale erogate", "Hours of individual mentoring", "h", "mentoring", []reading{
		{projectI3S, "piemonte-innova", secondYearStart, secondYearEnd, mentoringHours, atLeast, "I numeri delle due annualità: +75 ore per 33 enti"}}},
	{"enti-mentoring", "Enti seguiti con mentoring individuale", "Bodies mentored", "organisations", "enti-accompagnati", []reading{
		{projectI3S, "piemonte-innova", secondYearStart, secondYearEnd, mentoredBodies, exactly, "I numeri delle due annualità: +75 ore per 33 enti"}}},
	{"enti-pilota", "Enti serviti dal progetto pilota", "Bodies served by the pilot", "organisations", "enti-accompagnati", []reading{
		{projectI3S, "piemonte-innova", "2023-02-06", secondYearEnd, pilotBodies, exactly, "Progetto pilota partito il 6 febbraio, per 15 ETS"}}},
	{"incontri-b2b", "Incontri B2B organizzati", "B2B meetings", "meetings", "rete", []reading{
		{projectI3S, "piemonte-innova", "2022-11-16", "2022-11-17", corporateB2B, atLeast, "Corporate Meeting: +150 incontri B2B"},
		{projectI3S, "piemonte-innova", "2022-07-14", "2022-09-15", researchB2B, exactly, "Research Meeting: 2 eventi, 60 B2B"}}},
	{"progetti-candidati", "Progetti candidati nei Research Meeting", "Candidate projects", "projects", "rete", []reading{
		{projectI3S, "piemonte-innova", "2022-07-14", "2022-09-15", candidates, exactly, "Research Meeting: 12 progetti candidati"}}},
	{"giovani", "Giovani che hanno risposto alla ricerca Giovani e Terzo Settore", "Young people surveyed", "persons", "consapevolezza", []reading{
		{projectI3S, "torino-social-impact", secondYearStart, secondYearEnd, surveyedYoung, atLeast, "Ricerca nazionale: +3000 giovani"}}},
}

const theoryTitle = "Teoria del Cambiamento di I3S"

// theory is the chain of value of I3S, with TSI and Tiresia; the wording of
// nodes and assumption is a sample.
func theory(w *world) *impactv1.Theory {
	node := func(key, title string, kind impactv1.NodeType) *impactv1.Node {
		return &impactv1.Node{Key: key, Type: kind, Title: it(title)}
	}
	leads := func(from, to string) *impactv1.Link {
		return &impactv1.Link{From: from, To: to, Type: impactv1.LinkType_LINK_TYPE_LEADS_TO}
	}
	out := &impactv1.Theory{
		Project: w.projects[projectI3S], Title: it(theoryTitle),
		Nodes: []*impactv1.Node{
			node("risorse", "Competenze della rete e dei partner", impactv1.NodeType_NODE_TYPE_INPUT),
			node("accompagnamento", "Accompagnamento e mentoring", impactv1.NodeType_NODE_TYPE_ACTIVITY),
			node("incontri", "Eventi e incontri tra ETS e ICT", impactv1.NodeType_NODE_TYPE_ACTIVITY),
			node("mentoring", "Ore di mentoring erogate", impactv1.NodeType_NODE_TYPE_OUTPUT),
			node("enti-accompagnati", "Enti accompagnati", impactv1.NodeType_NODE_TYPE_OUTPUT),
			node("rete", "Relazioni tra ETS, imprese ICT e ricerca", impactv1.NodeType_NODE_TYPE_OUTCOME),
			node("consapevolezza", "Consapevolezza e capacità di governare il digitale", impactv1.NodeType_NODE_TYPE_OUTCOME),
			node("transizione", "Transizione digitale del terzo settore", impactv1.NodeType_NODE_TYPE_IMPACT),
		},
		Links: []*impactv1.Link{
			leads("risorse", "accompagnamento"), leads("risorse", "incontri"), leads("accompagnamento", "mentoring"),
			leads("accompagnamento", "enti-accompagnati"), leads("mentoring", "consapevolezza"), leads("enti-accompagnati", "consapevolezza"),
			leads("incontri", "rete"), leads("consapevolezza", "transizione"), leads("rete", "transizione"),
		},
	}
	out.Links[4].Assumptions = []*impactv1.Assumption{{Key: "tempo", Statement: it("Gli enti dedicano tempo di persone che restano")}}
	return out
}

// impact loads the theory of change, the network's indicators and what was
// measured. Theory and indicators are the network's, so that any body can
// measure with them.
func (l *loader) impact(ctx context.Context, w *world) error {
	chain, err := l.theory(ctx, w)
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
			in := &impactv1.Indicator{
				Title: text("it", g.title, "en", g.english), Unit: g.unit, Direction: impactv1.Direction_DIRECTION_INCREASE,
				Aggregation: impactv1.Aggregation_AGGREGATION_SUM, Baseline: "0", Theory: chain, Node: g.node, Headline: true,
			}
			if err := l.post(ctx, "/v1/indicators", "indicator/"+g.key, in, made); err != nil {
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

func (l *loader) theory(ctx context.Context, w *world) (string, error) {
	page := &impactv1.ListTheoriesResponse{}
	all, err := list(ctx, l, "/v1/theories", "", page, page.GetTheories)
	if err != nil {
		return "", err
	}
	var made *impactv1.Theory
	for _, t := range all {
		if t.GetTitle().GetText() == theoryTitle {
			made = t
		}
	}
	if made == nil {
		made = &impactv1.Theory{}
		if err := l.post(ctx, "/v1/theories", "theory", theory(w), made); err != nil {
			return "", err
		}
	}
	if made.GetPublishedVersion() == 0 {
		err = l.post(ctx, "/v1/"+made.GetName()+":publish", "theory/publish", nil, nil)
	}
	return made.GetName(), err
}

// listIndicators returns the network's indicators, by title.
func (l *loader) listIndicators(ctx context.Context) (map[string]string, error) {
	page := &impactv1.ListIndicatorsResponse{}
	all, err := list(ctx, l, "/v1/indicators", "", page, page.GetIndicators)
	out := map[string]string{}
	for _, i := range all {
		if i.GetOrganisation() == "" {
			out[i.GetTitle().GetText()] = i.GetName()
		}
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
