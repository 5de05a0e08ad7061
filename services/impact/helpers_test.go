package impact_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	impactv1 "github.com/trama-suite/trama/proto/gen/go/trama/impact/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/impact"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/testkit"
)

const (
	operator = authzv1.Role_ROLE_NETWORK_OPERATOR
	auditor  = authzv1.Role_ROLE_AUDITOR
	admin    = authzv1.Role_ROLE_ORGANISATION_ADMIN
	manager  = authzv1.Role_ROLE_PROJECT_MANAGER
)

// Organisations, projects and the like of the tests.
func org(n byte) string     { return "organisations/" + uuid('a', n) }
func project(n byte) string { return "projects/" + uuid('b', n) }

func uuid(kind, n byte) string {
	return "0197f000-0000-7000-8" + string(kind) + "00-0000000000" + string("0123456789abcdef"[n/16]) + string("0123456789abcdef"[n%16])
}

type env struct {
	*testkit.Env
	t            *testing.T
	theories     impactv1.TheoryServiceClient
	indicators   impactv1.IndicatorServiceClient
	measurements impactv1.MeasurementServiceClient
	rollUps      impactv1.RollUpServiceClient
}

func start(t *testing.T, open testkit.OpenDB) *env {
	t.Helper()
	e := testkit.Start(t, open, func(ctx context.Context, d app.Deps) (*app.Service, error) {
		return impact.New(ctx, d, impact.Config{})
	})
	return &env{
		Env: e, t: t,
		theories:     impactv1.NewTheoryServiceClient(e.Conn),
		indicators:   impactv1.NewIndicatorServiceClient(e.Conn),
		measurements: impactv1.NewMeasurementServiceClient(e.Conn),
		rollUps:      impactv1.NewRollUpServiceClient(e.Conn),
	}
}

// each runs a test of the service on both databases.
func each(t *testing.T, fn func(t *testing.T, e *env)) {
	t.Helper()
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) { fn(t, start(t, open)) })
}

func (e *env) operator() context.Context    { return e.As(operator, "") }
func (e *env) admin(n byte) context.Context { return e.As(admin, org(n)) }
func text(s string) *typev1.LocalizedText   { return &typev1.LocalizedText{Text: s, LanguageCode: "en"} }
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T { t.Helper(); ok(t, err); return v }
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v %v", err, status.Convert(err).Details())
	}
}

// reason returns an error's reason, and fails where there is no error.
func reason(t *testing.T, err error) (codes.Code, string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	s := status.Convert(err)
	for _, d := range s.Details() {
		if info, is := d.(*errdetails.ErrorInfo); is {
			return s.Code(), info.GetReason()
		}
	}
	t.Fatal(errors.Join(errors.New("error without a reason"), err))
	return 0, ""
}

func refused(t *testing.T, err error, code codes.Code, why string) {
	t.Helper()
	if c, r := reason(t, err); c != code || r != why {
		t.Errorf("%v %s, want %v %s (%v)", c, r, code, why, err)
	}
}

// indicator creates an indicator of an organisation, or of the network for 0.
func (e *env) indicator(n byte, method impactv1.Aggregation, change ...func(*impactv1.Indicator)) *impactv1.Indicator {
	e.t.Helper()
	i := &impactv1.Indicator{
		Title: text("indicator"), Unit: "u", Direction: impactv1.Direction_DIRECTION_INCREASE, Aggregation: method,
	}
	ctx := e.operator()
	if n > 0 {
		i.Organisation, ctx = org(n), e.admin(n)
	}
	for _, c := range change {
		c(i)
	}
	return must[*impactv1.Indicator](e.t)(e.indicators.CreateIndicator(ctx, &impactv1.CreateIndicatorRequest{Indicator: i}))
}

func value(v string) *impactv1.MeasuredValue { return &impactv1.MeasuredValue{Value: v} }
func ratio(num, den string) *impactv1.MeasuredValue {
	return &impactv1.MeasuredValue{Numerator: num, Denominator: den}
}

// draft returns a measurement of January 2026 in a project, changed.
func draft(indicator string, n byte, v *impactv1.MeasuredValue, change ...func(*impactv1.Measurement)) *impactv1.Measurement {
	m := &impactv1.Measurement{
		Indicator: indicator, Organisation: org(n), Project: project(n), StartDate: "2026-01-01", EndDate: "2026-02-01", Value: v,
	}
	for _, c := range change {
		c(m)
	}
	return m
}

// accepted creates a measurement and takes it to acceptance.
func (e *env) accepted(m *impactv1.Measurement) *impactv1.Measurement {
	e.t.Helper()
	ctx := e.As(admin, m.GetOrganisation())
	m = must[*impactv1.Measurement](e.t)(e.measurements.CreateMeasurement(ctx, &impactv1.CreateMeasurementRequest{Measurement: m}))
	return e.accept(m)
}

func (e *env) accept(m *impactv1.Measurement) *impactv1.Measurement {
	e.t.Helper()
	e.Clock.Advance(time.Second)
	ctx := e.As(admin, m.GetOrganisation())
	must[*impactv1.Measurement](e.t)(e.measurements.SubmitMeasurement(ctx, &impactv1.SubmitMeasurementRequest{Name: m.GetName()}))
	return must[*impactv1.Measurement](e.t)(e.measurements.AcceptMeasurement(e.operator(), &impactv1.AcceptMeasurementRequest{Name: m.GetName()}))
}

// rollUp asks for 2026 as an operator unless the request says otherwise.
func (e *env) rollUp(indicator string, change ...func(*impactv1.RollUpRequest)) *impactv1.RollUpResponse {
	e.t.Helper()
	return e.rollUpAs(e.operator(), indicator, change...)
}

func (e *env) rollUpAs(ctx context.Context, indicator string, change ...func(*impactv1.RollUpRequest)) *impactv1.RollUpResponse {
	e.t.Helper()
	req := &impactv1.RollUpRequest{Indicator: indicator, StartDate: "2026-01-01", EndDate: "2027-01-01"}
	for _, c := range change {
		c(req)
	}
	return must[*impactv1.RollUpResponse](e.t)(e.rollUps.RollUp(ctx, req))
}

func by(axis impactv1.Axis) func(*impactv1.RollUpRequest) {
	return func(r *impactv1.RollUpRequest) { r.Axis = axis }
}

// show returns the nodes and values of a roll-up's parts.
func show(parts []*impactv1.Figure) map[string]string {
	out := map[string]string{}
	for _, p := range parts {
		node := p.GetNode()
		if p.GetOthers() {
			node = "others"
		}
		out[node] = p.GetValue().GetExact()
		if p.GetWithheld() {
			out[node] = "withheld"
		}
	}
	return out
}

func clone[M proto.Message](m M, change func(M)) M {
	out := proto.CloneOf(m)
	change(out)
	return out
}
