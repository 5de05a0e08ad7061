package impact_test

import (
	"maps"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
)

// publishOrganisation tells the service of an organisation in a municipality.
func (e *env) publishOrganisation(n byte, municipality string) {
	e.t.Helper()
	e.Apply("catalogue", org(n), 1, &cataloguev1.OrganisationPublished{Organisation: &cataloguev1.Organisation{
		Name: org(n), DisplayName: text("Organisation " + string('0'+rune(n))),
		Territory: &cataloguev1.Territory{CountryCode: "IT", MunicipalityCode: municipality},
	}})
}

func TestRollUpAlongEveryAxis(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		e.publishOrganisation(1, "001272") // Torino
		e.publishOrganisation(2, "004078") // Cuneo
		e.publishOrganisation(3, "015146") // Milano
		e.publishOrganisation(4, "015146") // Milano, silent
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_RATIO, func(i *impactv1.Indicator) {
			i.Baseline, i.Target, i.Unit = "0.25", &impactv1.Target{Value: "0.75", Date: "2026-12-31"}, "1"
		}).GetName()
		e.accepted(draft(i, 1, ratio("0", "50")))
		e.accepted(draft(i, 2, ratio("50", "50")))
		e.accepted(draft(i, 3, ratio("1", "2")))
		e.accepted(draft(i, 3, ratio("1", "2"), func(m *impactv1.Measurement) {
			m.Project, m.Territory = "", &impactv1.Territory{MunicipalityCode: "001272"} // a Milanese organisation at work in Torino
		}))

		got := e.rollUp(i)
		if v := got.GetTotal(); v.GetValue().GetExact() != "1/2" || v.GetProgress().GetDecimal() != "0.5" {
			t.Errorf("network = %v", v)
		}
		if c := got.GetTotal(); c.GetCoverage().GetReporting() != 3 || c.GetCoverage().GetExpected() != 4 ||
			c.GetContributors().GetProjects() != 3 || c.GetContributors().GetValues() != 4 {
			t.Errorf("coverage %v, contributors %v", c.GetCoverage(), c.GetContributors())
		}
		for axis, want := range map[impactv1.Axis]map[string]string{
			impactv1.Axis_AXIS_UNSPECIFIED:  {},
			impactv1.Axis_AXIS_PROJECT:      {project(1): "0", project(2): "1", project(3): "1/2", "": "1/2"},
			impactv1.Axis_AXIS_ORGANISATION: {org(1): "0", org(2): "1", org(3): "1/2"},
			impactv1.Axis_AXIS_MUNICIPALITY: {"001272": "1/52", "004078": "1", "015146": "1/2"},
			impactv1.Axis_AXIS_NUTS3:        {"ITC11": "1/52", "ITC16": "1", "ITC4C": "1/2"},
			impactv1.Axis_AXIS_NUTS2:        {"ITC1": "1/2", "ITC4": "1/2"},
			impactv1.Axis_AXIS_REGION:       {"it-21": "1/2", "it-25": "1/2"},
			impactv1.Axis_AXIS_NUTS1:        {"ITC": "1/2"},
			impactv1.Axis_AXIS_COUNTRY:      {"IT": "1/2"},
		} {
			if parts := show(e.rollUp(i, by(axis)).GetParts()); !maps.Equal(parts, want) {
				t.Errorf("%v: %v, want %v", axis, parts, want)
			}
		}
		piemonte := e.rollUp(i, func(r *impactv1.RollUpRequest) { r.Territory, r.Axis = "it-21", impactv1.Axis_AXIS_NUTS3 })
		if v := piemonte.GetTotal(); v.GetValue().GetExact() != "1/2" || v.GetCoverage().GetReporting() != 3 || v.GetCoverage().GetExpected() != 3 {
			t.Errorf("Piemonte = %v", v)
		}
		if p := piemonte.GetParts()[0]; p.GetTitle() != "Torino" || p.GetCoverage().GetExpected() != 2 {
			t.Errorf("first of Piemonte = %v", p)
		}
		own := e.rollUp(i, func(r *impactv1.RollUpRequest) { r.Organisation = org(3) })
		if own.GetTotal().GetContributors().GetValues() != 2 || own.GetTotal().GetCoverage().GetExpected() != 1 {
			t.Errorf("organisation 3 = %v", own.GetTotal())
		}
	})
}

func TestMissingIsNotZero(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		if got := e.rollUp(i).GetTotal(); got.GetValue() != nil || got.GetCoverage().GetReporting() != 0 {
			t.Errorf("nothing measured = %v", got)
		}
		e.accepted(draft(i, 1, value("0")))
		if got := e.rollUp(i).GetTotal(); got.GetValue().GetExact() != "0" || got.GetCoverage().GetReporting() != 1 {
			t.Errorf("zero measured = %v", got)
		}
	})
}

func TestPeriodsAndBounds(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM, func(i *impactv1.Indicator) { i.Unit = "h" }).GetName()
		over := func(n byte, from, to, v string, q impactv1.Qualifier) {
			e.accepted(draft(i, n, value(v), func(m *impactv1.Measurement) { m.StartDate, m.EndDate, m.Qualifier = from, to, q }))
		}
		exact, least := impactv1.Qualifier_QUALIFIER_EXACT, impactv1.Qualifier_QUALIFIER_AT_LEAST
		over(1, "2026-01-01", "2026-02-01", "1", exact)
		over(2, "2026-01-15", "2026-01-20", "10", exact)
		over(3, "2026-01-01", "2026-04-01", "100", exact)
		over(4, "2025-10-01", "2026-10-01", "1000", exact)
		over(5, "2026-05-05", "2026-08-08", "75", least)
		for _, c := range []struct {
			from, to, want string
			qualifier      impactv1.Qualifier
		}{
			{"2026-01-01", "2027-01-01", "186", least},
			{"2025-01-01", "2027-01-01", "1186", least},
			{"2026-01-01", "2026-02-01", "11", exact},
			{"2026-01-01", "2026-04-01", "111", exact},
			{"2026-01-02", "2026-04-01", "10", exact},
			{"2026-05-05", "2026-08-08", "75", least},
			{"2026-05-06", "2026-08-08", "", 0},
		} {
			got := e.rollUp(i, func(r *impactv1.RollUpRequest) { r.StartDate, r.EndDate = c.from, c.to }).GetTotal()
			if got.GetValue().GetExact() != c.want || got.GetQualifier() != c.qualifier {
				t.Errorf("%s to %s = %v, want %s %v", c.from, c.to, got, c.want, c.qualifier)
			}
		}
	})
}

func TestCoLedProjectCountsOnce(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		e.accepted(draft(i, 1, value("100"), func(m *impactv1.Measurement) {
			m.Shares = []*impactv1.PartnerShare{{Organisation: org(1), Share: "1/3"}, {Organisation: org(2), Share: "0.5"}, {Organisation: org(3), Share: "1/6"}}
		}))
		got := e.rollUp(i, by(impactv1.Axis_AXIS_ORGANISATION))
		if got.GetTotal().GetValue().GetExact() != "100" {
			t.Errorf("network = %v", got.GetTotal())
		}
		if parts, want := show(got.GetParts()), (map[string]string{org(1): "100/3", org(2): "50", org(3): "50/3"}); !maps.Equal(parts, want) {
			t.Errorf("partners = %v, want %v", parts, want)
		}
		if parts := show(e.rollUp(i, by(impactv1.Axis_AXIS_PROJECT)).GetParts()); !maps.Equal(parts, map[string]string{project(1): "100"}) {
			t.Errorf("project = %v", parts)
		}
	})
}

func TestAsOfAnyInstant(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_MAXIMUM).GetName()
		var instants []time.Time
		note := func() { instants = append(instants, e.Clock.Now()); e.Clock.Advance(time.Minute) }
		note()
		m := e.accepted(draft(i, 1, value("7")))
		e.accepted(draft(i, 2, value("5")))
		note()
		m = must[*impactv1.Measurement](t)(e.measurements.UpdateMeasurement(e.admin(1), &impactv1.UpdateMeasurementRequest{
			Measurement: &impactv1.Measurement{Name: m.GetName(), Value: value("3")},
		}))
		if m.GetState() != impactv1.MeasurementState_MEASUREMENT_STATE_DRAFT || m.GetAcceptedRevision() != 1 || m.GetRevision() != 2 {
			t.Fatalf("revised = %v", m)
		}
		note() // what was accepted still counts
		e.accept(m)
		note()
		must[*impactv1.Measurement](t)(e.measurements.WithdrawMeasurement(e.admin(2), &impactv1.WithdrawMeasurementRequest{
			Name: must[*impactv1.ListMeasurementsResponse](t)(e.measurements.ListMeasurements(e.admin(2), &impactv1.ListMeasurementsRequest{})).GetMeasurements()[0].GetName(), Reason: "wrong",
		}))
		note()
		for n, want := range []string{"", "7", "7", "5", "3"} {
			at := timestamppb.New(instants[n])
			if got := e.rollUp(i, func(r *impactv1.RollUpRequest) { r.AsOfTime = at }).GetTotal().GetValue().GetExact(); got != want {
				t.Errorf("as of instant %d = %q, want %q", n, got, want)
			}
			was, err := e.measurements.GetMeasurement(e.admin(1), &impactv1.GetMeasurementRequest{Name: m.GetName(), AsOfTime: at})
			if n == 0 {
				refused(t, err, codes.NotFound, "NOT_FOUND")
			} else if want := []string{"", "7", "7", "3", "3"}[n]; n != 2 && was.GetValue().GetValue() != want {
				t.Errorf("measurement at instant %d = %v, want %s", n, was, want)
			}
		}
		if got := e.rollUp(i).GetTotal().GetValue().GetExact(); got != "3" {
			t.Errorf("now = %q", got)
		}
	})
}

func TestOthersAreSeenOnlyMerged(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		for n := byte(1); n <= 3; n++ {
			e.publishOrganisation(n, "001272")
			e.accepted(draft(i, n, value("10")))
		}
		view := func(axis impactv1.Axis) *impactv1.RollUpResponse { return e.rollUpAs(e.admin(1), i, by(axis)) }
		// Two others: their sum would let each find out the other's figure.
		got := view(impactv1.Axis_AXIS_ORGANISATION)
		if !got.GetTotal().GetWithheld() || got.GetTotal().GetValue() != nil {
			t.Errorf("total of two others = %v", got.GetTotal())
		}
		if parts, want := show(got.GetParts()), (map[string]string{org(1): "10", "others": "withheld"}); !maps.Equal(parts, want) {
			t.Errorf("%v, want %v", parts, want)
		}
		e.publishOrganisation(4, "015146")
		e.accepted(draft(i, 4, value("10")))
		got = view(impactv1.Axis_AXIS_ORGANISATION)
		if got.GetTotal().GetValue().GetExact() != "40" {
			t.Errorf("total of three others = %v", got.GetTotal())
		}
		if parts, want := show(got.GetParts()), (map[string]string{org(1): "10", "others": "30"}); !maps.Equal(parts, want) {
			t.Errorf("%v, want %v", parts, want)
		}
		// Milano's one organisation is withheld, and Torino too, else Milano is
		// what is left of the total.
		got = view(impactv1.Axis_AXIS_MUNICIPALITY)
		if parts, want := show(got.GetParts()), (map[string]string{"001272": "withheld", "015146": "withheld"}); !maps.Equal(parts, want) {
			t.Errorf("%v, want %v", parts, want)
		}
		for _, axis := range []impactv1.Axis{impactv1.Axis_AXIS_ORGANISATION, impactv1.Axis_AXIS_MUNICIPALITY} {
			for _, p := range e.rollUpAs(e.As(auditor, ""), i, by(axis)).GetParts() {
				if p.GetWithheld() || p.GetOthers() {
					t.Errorf("the auditor is shown %v", p)
				}
			}
		}
		_, err := e.rollUps.RollUp(e.admin(1), &impactv1.RollUpRequest{Indicator: i, StartDate: "2026-01-01", EndDate: "2027-01-01", Organisation: org(2)})
		refused(t, err, codes.NotFound, "NOT_FOUND")
		_, err = e.rollUps.RollUp(e.admin(1), &impactv1.RollUpRequest{Indicator: i, StartDate: "2026-01-01", EndDate: "2027-01-01", Project: project(2)})
		refused(t, err, codes.NotFound, "NOT_FOUND")
	})
}

// Anybody can name a project in what they measure; only what its partners
// measured counts in it, and only they see it.
func TestOnlyPartnersCountInAProject(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		for n := byte(1); n <= 3; n++ {
			e.accepted(draft(i, n, value("10"), func(m *impactv1.Measurement) { m.Project = project(1) }))
		}
		narrow := func(r *impactv1.RollUpRequest) { r.Project = project(1) }
		if got := e.rollUp(i, narrow).GetTotal().GetValue().GetExact(); got != "30" { // nothing is known of it yet
			t.Errorf("unknown project = %q", got)
		}
		partners := func(n ...byte) (out []*projectsv1.Partner) {
			for _, o := range n {
				out = append(out, &projectsv1.Partner{Organisation: org(o)})
			}
			return out
		}
		p := &projectsv1.Project{Name: project(1), Organisation: org(1), Title: text("DigiCompSoc"), Partners: partners(1, 2)}
		e.Apply("projects", project(1), 1, &projectsv1.ProjectOpened{Project: p})
		check := func(when string) {
			t.Helper()
			if got := e.rollUp(i, narrow).GetTotal(); got.GetValue().GetExact() != "20" || got.GetContributors().GetOrganisations() != 2 {
				t.Errorf("%s: the project = %v", when, got)
			}
			got := e.rollUp(i, by(impactv1.Axis_AXIS_PROJECT))
			if parts, want := show(got.GetParts()), (map[string]string{project(1): "20", "": "10"}); !maps.Equal(parts, want) || got.GetTotal().GetValue().GetExact() != "30" {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		check("opened")
		if parts, want := show(e.rollUpAs(e.admin(1), i, by(impactv1.Axis_AXIS_ORGANISATION)).GetParts()),
			(map[string]string{org(1): "10", org(2): "10", "others": "withheld"}); !maps.Equal(parts, want) {
			t.Errorf("the lead is shown %v, want %v", parts, want)
		}
		in := func(n byte, year string) (*impactv1.RollUpResponse, error) {
			return e.rollUps.RollUp(e.admin(n), &impactv1.RollUpRequest{Indicator: i, StartDate: year + "-01-01", EndDate: year + "-12-31", Project: project(1)})
		}
		_, err := in(3, "2026")
		refused(t, err, codes.NotFound, "NOT_FOUND")
		if got := must[*impactv1.RollUpResponse](t)(in(2, "2024")).GetTotal(); got.GetValue() != nil || got.GetWithheld() {
			t.Errorf("a partner is shown %v of a year without anything", got)
		}
		// Whoever leaves, leaves behind what was measured.
		e.Apply("projects", project(1), 2, &projectsv1.ProjectUpdated{Project: clone(p, func(p *projectsv1.Project) { p.Partners = partners(1) })})
		check("left")
	})
}

func TestRollUpRefusesNonsense(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		for why, r := range map[string]*impactv1.RollUpRequest{
			"PERIOD_INVALID":    {Indicator: i, StartDate: "2026-02-30", EndDate: "2027-01-01"},
			"TERRITORY_INVALID": {Indicator: i, StartDate: "2026-01-01", EndDate: "2027-01-01", Territory: "ITX"},
			"INVALID_REQUEST":   {Indicator: "indicators/1", StartDate: "2026-01-01", EndDate: "2027-01-01"},
		} {
			_, err := e.rollUps.RollUp(e.operator(), r)
			refused(t, err, codes.InvalidArgument, why)
		}
	})
}
