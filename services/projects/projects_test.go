package projects_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/app"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects"
)

const (
	admin    = authzv1.Role_ROLE_ORGANISATION_ADMIN
	manager  = authzv1.Role_ROLE_PROJECT_MANAGER
	partner  = authzv1.Role_ROLE_PROJECT_PARTNER
	auditor  = authzv1.Role_ROLE_AUDITOR
	operator = authzv1.Role_ROLE_NETWORK_OPERATOR
	learner  = authzv1.Role_ROLE_LEARNER
)

func organisation(n int) string {
	return fmt.Sprintf("organisations/00000000-0000-7000-8000-%012d", n)
}

var (
	leader   = organisation(1) // leads the project
	member   = organisation(2) // is a partner
	other    = organisation(3) // is a partner too
	stranger = organisation(4) // takes no part
)

// suite is the running service with a client for each of its gRPC services.
type suite struct {
	*testkit.Env
	projectsv1.ProjectServiceClient
	projectsv1.RiskServiceClient
	projectsv1.GateServiceClient
	projectsv1.PlanServiceClient
	projectsv1.CalendarServiceClient
	projectsv1.ResourceServiceClient
	projectsv1.ScheduleServiceClient
	projectsv1.BudgetServiceClient
	projectsv1.ExpenditureServiceClient
	projectsv1.ClaimServiceClient
	projectsv1.AlertServiceClient
	projectsv1.AlertRuleServiceClient
	projectsv1.EarnedValueServiceClient
	projectsv1.LessonServiceClient
	projectsv1.DashboardServiceClient
	projectsv1.FileServiceClient
	projectsv1.ExportServiceClient
	registers
	t testing.TB
}

func service(ctx context.Context, d app.Deps) (*app.Service, error) {
	return projects.New(ctx, d, projects.Config{AlertInterval: 25 * time.Millisecond, StreamHeartbeat: 25 * time.Millisecond, FileInterval: 25 * time.Millisecond})
}

func start(t testing.TB, open testkit.OpenDB) *suite {
	return suiteOf(t, testkit.Start(t, open, service))
}

func suiteOf(t testing.TB, env *testkit.Env) *suite {
	c := env.Conn
	return &suite{
		env, projectsv1.NewProjectServiceClient(c), projectsv1.NewRiskServiceClient(c), projectsv1.NewGateServiceClient(c),
		projectsv1.NewPlanServiceClient(c), projectsv1.NewCalendarServiceClient(c), projectsv1.NewResourceServiceClient(c), projectsv1.NewScheduleServiceClient(c),
		projectsv1.NewBudgetServiceClient(c), projectsv1.NewExpenditureServiceClient(c), projectsv1.NewClaimServiceClient(c), projectsv1.NewAlertServiceClient(c),
		projectsv1.NewAlertRuleServiceClient(c), projectsv1.NewEarnedValueServiceClient(c),
		projectsv1.NewLessonServiceClient(c), projectsv1.NewDashboardServiceClient(c), projectsv1.NewFileServiceClient(c), projectsv1.NewExportServiceClient(c), registersOf(c), t,
	}
}

func eachDB(t *testing.T, fn func(t *testing.T, s *suite)) {
	testkit.EachDB(t, func(t *testing.T, open testkit.OpenDB) { fn(t, start(t, open)) })
}

func text(s string) *typev1.LocalizedText { return &typev1.LocalizedText{Text: s, LanguageCode: "it"} }

func eur(minor int64) *typev1.Money { return &typev1.Money{MinorUnits: minor, CurrencyCode: "EUR"} }

// card is a project of the leader with two partners, from the clock's day on.
func card() *projectsv1.Project {
	return &projectsv1.Project{
		Organisation: leader, Title: text("Rete digitale per il sociale"), CurrencyCode: "EUR", StartDate: "2026-01-05", EndDate: "2026-12-31",
		Territory: "it-21", Sectors: []string{"social-care"}, Objectives: []*typev1.LocalizedText{text("Digitalizzare la rete")},
		Funders: []*projectsv1.Funder{{DisplayName: "Fondazione Esempio", Programme: "Bando 2026", Grant: eur(10_000_000), ShareBasisPoints: 5_000}},
		Partners: []*projectsv1.Partner{
			{Organisation: leader, Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD, ShareBasisPoints: 5_000},
			{Organisation: member, Role: projectsv1.PartnerRole_PARTNER_ROLE_PARTNER, ShareBasisPoints: 3_000},
			{Organisation: other, Role: projectsv1.PartnerRole_PARTNER_ROLE_PARTNER, ShareBasisPoints: 2_000},
		},
		Team: []*projectsv1.TeamMember{{Subject: "s-1", Role: projectsv1.TeamRole_TEAM_ROLE_MANAGER, Organisation: leader}},
	}
}

// must fails the test where a call that should succeed does not.
func must[T any](t testing.TB) func(x T, err error) T {
	return func(x T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
}

// refused fails the test where a call does not fail with that code and reason.
func refused(t *testing.T, err error, code codes.Code, reason errs.Reason) *errs.Error {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](rpc.FromStatus(err))
	if !ok || status.Code(err) != code || e.Reason != reason {
		t.Fatalf("got %v, want %s %s", err, code, reason)
	}
	return e
}

func (s *suite) project(change ...func(p *projectsv1.Project)) *projectsv1.Project {
	s.t.Helper()
	p := card()
	for _, f := range change {
		f(p)
	}
	return must[*projectsv1.Project](s.t)(s.CreateProject(s.As(manager, p.GetOrganisation()), &projectsv1.CreateProjectRequest{Project: p}))
}

func (s *suite) task(p *projectsv1.Project, title string, days int32, after ...*projectsv1.Task) *projectsv1.Task {
	s.t.Helper()
	x := &projectsv1.Task{Title: text(title), DurationMinutes: 480 * int64(days)}
	for _, a := range after {
		x.Predecessors = append(x.Predecessors, &projectsv1.Link{Task: a.GetName()})
	}
	return must[*projectsv1.Task](s.t)(s.CreateTask(s.As(manager, leader), &projectsv1.CreateTaskRequest{Parent: p.GetName(), Task: x}))
}

func (s *suite) line(p *projectsv1.Project, organisation string, amount int64) *projectsv1.BudgetLine {
	s.t.Helper()
	return must[*projectsv1.BudgetLine](s.t)(s.CreateBudgetLine(s.As(manager, leader), &projectsv1.CreateBudgetLineRequest{Parent: p.GetName(),
		BudgetLine: &projectsv1.BudgetLine{Organisation: organisation, Category: projectsv1.CostCategory_COST_CATEGORY_STAFF, Amount: eur(amount)}}))
}

func expenditure(l *projectsv1.BudgetLine, amount int64) *projectsv1.Expenditure {
	return &projectsv1.Expenditure{Organisation: l.GetOrganisation(), BudgetLine: l.GetName(), Amount: eur(amount),
		Document: &projectsv1.Document{Issuer: "IT00000000000", Number: "1/2026", Date: "2026-02-02"}}
}

func (s *suite) spend(as context.Context, l *projectsv1.BudgetLine, amount int64) (*projectsv1.Expenditure, error) {
	return s.CreateExpenditure(as, &projectsv1.CreateExpenditureRequest{Parent: projectOf(l.GetName()), Expenditure: expenditure(l, amount)})
}

func projectOf(name string) string { return strings.Join(strings.Split(name, "/")[:2], "/") }

// openAlerts lists the open alerts that somebody sees, without mere notices.
func (s *suite) openAlerts(as context.Context, parent string) []*projectsv1.Alert {
	s.t.Helper()
	return must[*projectsv1.ListAlertsResponse](s.t)(s.ListAlerts(as, &projectsv1.ListAlertsRequest{Parent: parent, Filter: "state = ALERT_STATE_OPEN AND severity != ALERT_SEVERITY_NOTICE"})).GetAlerts()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReasonsAreThoseOfTheProto(t *testing.T) {
	in := map[string]bool{}
	for name := range projectsv1.ProjectsError_value {
		in[strings.TrimPrefix(name, "PROJECTS_ERROR_")] = true
	}
	delete(in, "UNSPECIFIED")
	for _, r := range projects.Reasons {
		if !in[string(r)] {
			t.Errorf("%s is not in the proto", r)
		}
		delete(in, string(r))
	}
	for r := range in {
		t.Errorf("%s is in the proto and nowhere else", r)
	}
}

// fieldsOf are the fields that an INVALID_ARGUMENT names.
func fieldsOf(t *testing.T, err error) []string {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](rpc.FromStatus(err))
	if !ok || status.Code(err) != codes.InvalidArgument {
		t.Fatalf("got %v, want INVALID_ARGUMENT", err)
	}
	var out []string
	for _, f := range e.Fields {
		out = append(out, f.Path)
	}
	return out
}
