package impact_test

import (
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	"github.com/trama-suite/trama/services/platform/testkit"
)

func TestMeasurementLife(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		ctx := e.As(manager, org(1))
		create := &impactv1.CreateMeasurementRequest{RequestId: "one", Measurement: draft(i, 1, value("12.50"), func(m *impactv1.Measurement) {
			m.Qualifier, m.Source = impactv1.Qualifier_QUALIFIER_AT_LEAST, "register"
			m.Territory = &impactv1.Territory{CountryCode: "ES", Region: "es-ct", NutsCode: "ES51"}
		})}
		m := must[*impactv1.Measurement](t)(e.measurements.CreateMeasurement(ctx, create))
		if again := must[*impactv1.Measurement](t)(e.measurements.CreateMeasurement(ctx, create)); !proto.Equal(m, again) {
			t.Errorf("repeated: %v, want %v", again, m)
		}
		if got := must[*impactv1.Measurement](t)(e.measurements.GetMeasurement(ctx, &impactv1.GetMeasurementRequest{Name: m.GetName()})); !proto.Equal(m, got) ||
			got.GetValue().GetValue() != "12.5" || got.GetTerritory().GetRegion() != "es-ct" || got.GetQualifier() != impactv1.Qualifier_QUALIFIER_AT_LEAST {
			t.Errorf("read %v, created %v", got, m)
		}
		accept := func() error {
			_, err := e.measurements.AcceptMeasurement(e.operator(), &impactv1.AcceptMeasurementRequest{Name: m.GetName()})
			return err
		}
		refused(t, accept(), codes.FailedPrecondition, "STATE_NOT_ALLOWED")
		must[*impactv1.Measurement](t)(e.measurements.SubmitMeasurement(ctx, &impactv1.SubmitMeasurementRequest{Name: m.GetName(), Etag: m.GetEtag()}))
		_, err := e.measurements.SubmitMeasurement(ctx, &impactv1.SubmitMeasurementRequest{Name: m.GetName(), Etag: m.GetEtag()})
		refused(t, err, codes.Aborted, "STALE_ETAG")
		_, err = e.measurements.UpdateMeasurement(ctx, &impactv1.UpdateMeasurementRequest{Measurement: &impactv1.Measurement{Name: m.GetName(), Value: value("1")}})
		refused(t, err, codes.FailedPrecondition, "STATE_NOT_ALLOWED")
		_, err = e.measurements.AcceptMeasurement(e.admin(1), &impactv1.AcceptMeasurementRequest{Name: m.GetName()})
		refused(t, err, codes.PermissionDenied, "ACCEPTANCE_NOT_OWN")
		m = must[*impactv1.Measurement](t)(e.measurements.ReturnMeasurement(e.operator(), &impactv1.ReturnMeasurementRequest{Name: m.GetName(), Reason: "no source"}))
		if m.GetState() != impactv1.MeasurementState_MEASUREMENT_STATE_RETURNED || m.GetReason() != "no source" {
			t.Errorf("returned = %v", m)
		}
		must[*impactv1.Measurement](t)(e.measurements.SubmitMeasurement(ctx, &impactv1.SubmitMeasurementRequest{Name: m.GetName()}))
		ok(t, accept())
		refused(t, accept(), codes.FailedPrecondition, "STATE_NOT_ALLOWED")
		m = must[*impactv1.Measurement](t)(e.measurements.WithdrawMeasurement(ctx, &impactv1.WithdrawMeasurementRequest{Name: m.GetName(), Reason: "counted elsewhere"}))
		if m.GetState() != impactv1.MeasurementState_MEASUREMENT_STATE_WITHDRAWN || m.GetAcceptedRevision() != 0 {
			t.Errorf("withdrawn = %v", m)
		}
		if told := testkit.EventsOf[*impactv1.MeasurementWithdrawn](e.Env); len(told) != 1 || told[0].GetMeasurement().GetName() != m.GetName() || told[0].GetMeasurement().GetReason() != "" {
			t.Errorf("told of %v", told)
		}
		for state, want := range map[string]int{"MEASUREMENT_STATE_WITHDRAWN": 1, "MEASUREMENT_STATE_ACCEPTED": 0} { // as it stands in JSON
			list := must[*impactv1.ListMeasurementsResponse](t)(e.measurements.ListMeasurements(ctx, &impactv1.ListMeasurementsRequest{Filter: `state = "` + state + `"`}))
			if len(list.GetMeasurements()) != want {
				t.Errorf("%s: %v", state, list)
			}
		}
		_, err = e.measurements.UpdateMeasurement(ctx, &impactv1.UpdateMeasurementRequest{Measurement: &impactv1.Measurement{Name: m.GetName(), Value: value("1")}})
		refused(t, err, codes.FailedPrecondition, "STATE_NOT_ALLOWED")

		changes := must[*impactv1.ListMeasurementChangesResponse](t)(e.measurements.ListMeasurementChanges(ctx, &impactv1.ListMeasurementChangesRequest{Parent: m.GetName()})).GetChanges()
		var states []string
		for _, c := range changes {
			states = append(states, c.GetMeasurement().GetState().String())
		}
		if len(changes) != 6 || changes[0].GetActor() == changes[2].GetActor() || changes[0].GetActor() == "" {
			t.Errorf("changes %v by %v", states, changes)
		}
		if n := len(testkit.EventsOf[*impactv1.MeasurementAccepted](e.Env)); n != 1 {
			t.Errorf("%d times accepted", n)
		}
		if n := len(testkit.EventsOf[*impactv1.MeasurementWithdrawn](e.Env)); n != 1 {
			t.Errorf("%d times withdrawn", n)
		}
	})
}

func TestMeasurementRefusesNonsense(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		sum := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		rate := e.indicator(0, impactv1.Aggregation_AGGREGATION_RATIO).GetName()
		unique := e.indicator(0, impactv1.Aggregation_AGGREGATION_UNIQUE_COUNT).GetName()
		histogram := e.indicator(0, impactv1.Aggregation_AGGREGATION_ORDINAL_HISTOGRAM, func(i *impactv1.Indicator) {
			i.Categories = append(i.Categories, text("bad"), text("good"))
		}).GetName()
		foreign := e.indicator(2, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		retired := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		must[*impactv1.Indicator](t)(e.indicators.RetireIndicator(e.operator(), &impactv1.RetireIndicatorRequest{Name: retired}))
		shares := func(all ...string) func(*impactv1.Measurement) {
			return func(m *impactv1.Measurement) {
				for n, s := range all {
					m.Shares = append(m.Shares, &impactv1.PartnerShare{Organisation: org(byte(n + 1)), Share: s})
				}
			}
		}
		for _, c := range []struct {
			m    *impactv1.Measurement
			code codes.Code
			why  string
		}{
			{draft(sum, 1, &impactv1.MeasuredValue{}), codes.InvalidArgument, "VALUE_SHAPE"},
			{draft(sum, 1, ratio("1", "2")), codes.InvalidArgument, "VALUE_SHAPE"},
			{draft(sum, 1, value("1e5")), codes.InvalidArgument, "INVALID_REQUEST"},
			{draft(sum, 1, nil), codes.InvalidArgument, "INVALID_REQUEST"},
			{draft(rate, 1, ratio("1", "-2")), codes.InvalidArgument, "VALUE_NEGATIVE"},
			{draft(unique, 1, value("1.5")), codes.InvalidArgument, "VALUE_NEGATIVE"},
			{draft(histogram, 1, &impactv1.MeasuredValue{CategoryCounts: []int64{1, 2, 3}}), codes.InvalidArgument, "VALUE_SHAPE"},
			{draft(histogram, 1, &impactv1.MeasuredValue{CategoryCounts: []int64{1, -2}}), codes.InvalidArgument, "VALUE_NEGATIVE"},
			{draft(sum, 1, value("1"), func(m *impactv1.Measurement) { m.EndDate = m.StartDate }), codes.InvalidArgument, "PERIOD_INVALID"},
			{draft(sum, 1, value("1"), func(m *impactv1.Measurement) { m.Territory = &impactv1.Territory{MunicipalityCode: "999999"} }), codes.InvalidArgument, "TERRITORY_INVALID"},
			{draft(sum, 1, value("1"), shares("0.5", "0.4")), codes.InvalidArgument, "SHARES_INVALID"},
			{draft(sum, 1, value("1"), shares("1", "0")), codes.InvalidArgument, "SHARES_INVALID"},
			{draft(sum, 1, value("1"), shares("1/0")), codes.InvalidArgument, "NUMBER_INVALID"},
			{draft(sum, 1, value("1"), shares("1"), func(m *impactv1.Measurement) { m.Project = "" }), codes.InvalidArgument, "SHARES_INVALID"},
			{draft(retired, 1, value("1")), codes.FailedPrecondition, "INDICATOR_RETIRED"},
			{draft(foreign, 1, value("1")), codes.InvalidArgument, "REFERENCE_NOT_FOUND"},
			{draft("indicators/"+uuid('c', 1), 1, value("1")), codes.InvalidArgument, "REFERENCE_NOT_FOUND"},
			{draft(trainingHours, 1, value("1")), codes.FailedPrecondition, "INDICATOR_AUTOMATIC"},
		} {
			_, err := e.measurements.CreateMeasurement(e.admin(1), &impactv1.CreateMeasurementRequest{Measurement: c.m})
			refused(t, err, c.code, c.why)
		}
		_, err := e.measurements.CreateMeasurement(e.operator(), &impactv1.CreateMeasurementRequest{Measurement: draft(foreign, 1, value("1"))})
		refused(t, err, codes.FailedPrecondition, "INDICATOR_NOT_OWN")
		if list := must[*impactv1.ListMeasurementsResponse](t)(e.measurements.ListMeasurements(e.operator(), &impactv1.ListMeasurementsRequest{})); len(list.GetMeasurements()) != 0 {
			t.Errorf("%d measurements were half-written", len(list.GetMeasurements()))
		}
	})
}

func TestNoDayCountsTwice(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(1, impactv1.Aggregation_AGGREGATION_SUM).GetName()
		first := e.accepted(draft(i, 1, value("1")))
		submit := func(from, to string) (*impactv1.Measurement, error) {
			m := must[*impactv1.Measurement](t)(e.measurements.CreateMeasurement(e.admin(1), &impactv1.CreateMeasurementRequest{
				Measurement: draft(i, 1, value("1"), func(m *impactv1.Measurement) { m.StartDate, m.EndDate = from, to }),
			}))
			return e.measurements.SubmitMeasurement(e.admin(1), &impactv1.SubmitMeasurementRequest{Name: m.GetName()})
		}
		_, err := submit("2026-01-31", "2026-03-01")
		refused(t, err, codes.FailedPrecondition, "PERIOD_OVERLAP")
		_, err = submit("2026-02-01", "2026-03-01")
		ok(t, err)
		// Moving the accepted one does not make room while its old revision counts.
		must[*impactv1.Measurement](t)(e.measurements.UpdateMeasurement(e.admin(1), &impactv1.UpdateMeasurementRequest{
			Measurement: &impactv1.Measurement{Name: first.GetName(), StartDate: "2025-01-01", EndDate: "2025-02-01"},
		}))
		_, err = submit("2026-01-01", "2026-02-01")
		refused(t, err, codes.FailedPrecondition, "PERIOD_OVERLAP")
		e.accept(first)
		second, err := submit("2026-01-01", "2026-02-01")
		ok(t, err)
		// Its own organisation accepts what is measured of its own indicator.
		_, err = e.measurements.AcceptMeasurement(e.admin(1), &impactv1.AcceptMeasurementRequest{Name: second.GetName()})
		ok(t, err)
		if got := e.rollUpAs(e.admin(1), i).GetTotal(); got.GetValue().GetExact() != "1" || got.GetCoverage().GetExpected() != 1 {
			t.Errorf("2026 = %v", got)
		}
	})
}

func TestIndicatorVersions(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		i := e.indicator(0, impactv1.Aggregation_AGGREGATION_SUM, func(i *impactv1.Indicator) {
			i.Baseline, i.Headline, i.Target = "0", true, &impactv1.Target{Value: "300", Date: "2026-12-31"}
			i.Codes = []*impactv1.ExternalCode{{Scheme: impactv1.CodeScheme_CODE_SCHEME_SDG, Code: "4.4.1"}, {Scheme: impactv1.CodeScheme_CODE_SCHEME_IRIS, Code: "PI2476"}}
		})
		e.accepted(draft(i.GetName(), 1, value("150")))
		before := e.Clock.Now()
		e.Clock.Advance(1e9)
		next := must[*impactv1.Indicator](t)(e.indicators.UpdateIndicator(e.operator(), &impactv1.UpdateIndicatorRequest{
			Indicator: &impactv1.Indicator{Name: i.GetName(), Etag: i.GetEtag(), Target: &impactv1.Target{Value: "600", Date: "2027-12-31"}},
		}))
		if next.GetVersion() != 2 || next.GetCodes()[0].GetCode() != "4.4.1" {
			t.Errorf("second version = %v", next)
		}
		if got := e.rollUp(i.GetName()).GetTotal().GetProgress().GetExact(); got != "1/4" {
			t.Errorf("progress = %s", got)
		}
		was := e.rollUp(i.GetName(), func(r *impactv1.RollUpRequest) { r.AsOfTime = stamp(before) })
		if was.GetTotal().GetProgress().GetExact() != "1/2" || was.GetIndicator().GetVersion() != 1 {
			t.Errorf("before = %v", was)
		}
		v1 := must[*impactv1.IndicatorVersion](t)(e.indicators.GetIndicatorVersion(e.admin(1), &impactv1.GetIndicatorVersionRequest{Name: i.GetName() + "/versions/1"}))
		if v1.GetIndicator().GetTarget().GetValue() != "300" || !v1.GetIndicator().GetHeadline() {
			t.Errorf("version 1 = %v", v1)
		}
		if list := must[*impactv1.ListIndicatorVersionsResponse](t)(e.indicators.ListIndicatorVersions(e.admin(1), &impactv1.ListIndicatorVersionsRequest{Parent: i.GetName()})); len(list.GetIndicatorVersions()) != 2 {
			t.Errorf("versions = %v", list)
		}
		_, err := e.indicators.UpdateIndicator(e.operator(), &impactv1.UpdateIndicatorRequest{
			Indicator: &impactv1.Indicator{Name: i.GetName(), Unit: "kg"}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"unit"}},
		})
		refused(t, err, codes.InvalidArgument, "INVALID_UPDATE_MASK")
		_, err = e.indicators.UpdateIndicator(e.admin(1), &impactv1.UpdateIndicatorRequest{Indicator: &impactv1.Indicator{Name: i.GetName(), Title: text("mine")}})
		refused(t, err, codes.PermissionDenied, "NETWORK_ONLY")
		for why, spoil := range map[string]func(*impactv1.Indicator){
			"HEADLINE_NOT_NETWORK": func(i *impactv1.Indicator) { i.Headline = true },
			"VALUE_SHAPE":          func(i *impactv1.Indicator) { i.Aggregation = impactv1.Aggregation_AGGREGATION_ORDINAL_HISTOGRAM },
			"NUMBER_INVALID": func(i *impactv1.Indicator) {
				i.Baseline, i.Target = "5", &impactv1.Target{Value: "4", Date: "2026-12-31"}
			},
			"PERIOD_INVALID":      func(i *impactv1.Indicator) { i.Target = &impactv1.Target{Value: "4", Date: "2026-13-31"} },
			"REFERENCE_NOT_FOUND": func(i *impactv1.Indicator) { i.Theory, i.Node = "theories/"+uuid('c', 9), "skills" },
			"INVALID_REQUEST": func(i *impactv1.Indicator) {
				i.Codes = []*impactv1.ExternalCode{{Scheme: impactv1.CodeScheme_CODE_SCHEME_SDG, Code: "18"}}
			},
		} {
			in := &impactv1.Indicator{Organisation: org(1), Title: text("x"), Unit: "u", Direction: impactv1.Direction_DIRECTION_INCREASE, Aggregation: impactv1.Aggregation_AGGREGATION_SUM}
			_, err := e.indicators.CreateIndicator(e.admin(1), &impactv1.CreateIndicatorRequest{Indicator: clone(in, spoil)})
			refused(t, err, codes.InvalidArgument, why)
		}
	})
}
