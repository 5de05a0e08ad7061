package projects_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	authzv1 "github.com/trama-suite/trama/proto/gen/go/trama/authz/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// world is a project with one of everything.
type world struct {
	*suite
	p     *projectsv1.Project
	task  *projectsv1.Task
	risk  *projectsv1.Risk
	thing *projectsv1.Deliverable
	// The parts of its plan.
	calendar *projectsv1.Calendar
	means    *projectsv1.Resource
	baseline *projectsv1.Baseline
	// A line and an overspending expenditure for each of leader, member and other.
	lines map[string]*projectsv1.BudgetLine
	spent map[string]*projectsv1.Expenditure
}

func build(t *testing.T, s *suite) *world {
	t.Helper()
	w := &world{suite: s, p: s.project(), lines: map[string]*projectsv1.BudgetLine{}, spent: map[string]*projectsv1.Expenditure{}}
	me := s.As(manager, leader)
	w.task = s.task(w.p, "Analisi", 5)
	w.calendar = must[*projectsv1.Calendar](t)(s.CreateCalendar(me, &projectsv1.CreateCalendarRequest{Parent: w.p.GetName(), Calendar: &projectsv1.Calendar{Title: text("Mattine")}}))
	w.means = must[*projectsv1.Resource](t)(s.CreateResource(me, &projectsv1.CreateResourceRequest{Parent: w.p.GetName(), Resource: aResource()}))
	w.baseline = must[*projectsv1.Baseline](t)(s.CreateBaseline(me, &projectsv1.CreateBaselineRequest{Parent: w.p.GetName(), Baseline: &projectsv1.Baseline{Title: text("RfE")}}))
	w.risk = must[*projectsv1.Risk](t)(s.CreateRisk(me, &projectsv1.CreateRiskRequest{Parent: w.p.GetName(),
		Risk: &projectsv1.Risk{Title: text("Ritardo"), Probability: 3, Impact: 4}}))
	w.thing = must[*projectsv1.Deliverable](t)(s.CreateDeliverable(me, &projectsv1.CreateDeliverableRequest{Parent: w.p.GetName(),
		Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-06-30", Task: w.task.GetName()}}))
	for _, o := range []string{leader, member, other} {
		w.lines[o] = s.line(w.p, o, 1_000)
		w.spent[o] = must[*projectsv1.Expenditure](t)(s.spend(me, w.lines[o], 1_500))
	}
	return w
}

func aResource() *projectsv1.Resource {
	return &projectsv1.Resource{Title: text("Formatrice"), Kind: projectsv1.ResourceKind_RESOURCE_KIND_PERSON, CapacityPercent: 100}
}

// call is one RPC on the world's project, by somebody.
type call struct {
	name string
	run  func(as context.Context) error
}

func (w *world) sharedReads() []call {
	name := w.p.GetName()
	return []call{
		{"GetProject", func(as context.Context) error {
			_, err := w.GetProject(as, &projectsv1.GetProjectRequest{Name: name})
			return err
		}},
		{"GetRisk", func(as context.Context) error {
			_, err := w.GetRisk(as, &projectsv1.GetRiskRequest{Name: w.risk.GetName()})
			return err
		}},
		{"ListRisks", func(as context.Context) error {
			_, err := w.ListRisks(as, &projectsv1.ListRisksRequest{Parent: name})
			return err
		}},
		{"GetGate", func(as context.Context) error {
			_, err := w.GetGate(as, &projectsv1.GetGateRequest{Name: name + "/gates/rfe"})
			return err
		}},
		{"ListGates", func(as context.Context) error {
			_, err := w.ListGates(as, &projectsv1.ListGatesRequest{Parent: name})
			return err
		}},
		{"ListPhaseMoves", func(as context.Context) error {
			_, err := w.ListPhaseMoves(as, &projectsv1.ListPhaseMovesRequest{Parent: name})
			return err
		}},
		{"GetTask", func(as context.Context) error {
			_, err := w.GetTask(as, &projectsv1.GetTaskRequest{Name: w.task.GetName()})
			return err
		}},
		{"ListTasks", func(as context.Context) error {
			_, err := w.ListTasks(as, &projectsv1.ListTasksRequest{Parent: name})
			return err
		}},
		{"GetSchedule", func(as context.Context) error {
			_, err := w.GetSchedule(as, &projectsv1.GetScheduleRequest{Name: name + "/schedule"})
			return err
		}},
		{"ExportSchedule", func(as context.Context) error {
			_, err := body(w.ExportSchedule(as, &projectsv1.ExportScheduleRequest{Name: name + "/schedule"}))
			return err
		}},
		{"ExportCalendarFeed", func(as context.Context) error {
			_, err := body(w.ExportCalendarFeed(as, &projectsv1.ExportCalendarFeedRequest{Name: name + "/schedule"}))
			return err
		}},
		{"GetCalendar", func(as context.Context) error {
			_, err := w.GetCalendar(as, &projectsv1.GetCalendarRequest{Name: w.calendar.GetName()})
			return err
		}},
		{"ListCalendars", func(as context.Context) error {
			_, err := w.ListCalendars(as, &projectsv1.ListCalendarsRequest{Parent: name})
			return err
		}},
		{"GetResource", func(as context.Context) error {
			_, err := w.GetResource(as, &projectsv1.GetResourceRequest{Name: w.means.GetName()})
			return err
		}},
		{"ListResources", func(as context.Context) error {
			_, err := w.ListResources(as, &projectsv1.ListResourcesRequest{Parent: name})
			return err
		}},
		{"GetBaseline", func(as context.Context) error {
			_, err := w.GetBaseline(as, &projectsv1.GetBaselineRequest{Name: w.baseline.GetName()})
			return err
		}},
		{"ListBaselines", func(as context.Context) error {
			_, err := w.ListBaselines(as, &projectsv1.ListBaselinesRequest{Parent: name})
			return err
		}},
		{"ListBaselineTasks", func(as context.Context) error {
			_, err := w.ListBaselineTasks(as, &projectsv1.ListBaselineTasksRequest{Parent: w.baseline.GetName()})
			return err
		}},
		{"GetDeliverable", func(as context.Context) error {
			_, err := w.GetDeliverable(as, &projectsv1.GetDeliverableRequest{Name: w.thing.GetName()})
			return err
		}},
		{"ListDeliverables", func(as context.Context) error {
			_, err := w.ListDeliverables(as, &projectsv1.ListDeliverablesRequest{Parent: name})
			return err
		}},
		{"ListBudgetLines", func(as context.Context) error {
			_, err := w.ListBudgetLines(as, &projectsv1.ListBudgetLinesRequest{Parent: name})
			return err
		}},
		{"GetBudgetSummary", func(as context.Context) error {
			_, err := w.GetBudgetSummary(as, &projectsv1.GetBudgetSummaryRequest{Name: name + "/budgetSummary"})
			return err
		}},
		{"ListBudgetVersions", func(as context.Context) error {
			_, err := w.ListBudgetVersions(as, &projectsv1.ListBudgetVersionsRequest{Parent: name})
			return err
		}},
		{"ListExpenditures", func(as context.Context) error {
			_, err := w.ListExpenditures(as, &projectsv1.ListExpendituresRequest{Parent: name})
			return err
		}},
		{"ListAlerts", func(as context.Context) error {
			_, err := w.ListAlerts(as, &projectsv1.ListAlertsRequest{Parent: name})
			return err
		}},
		{"GetDashboard", func(as context.Context) error {
			_, err := w.GetDashboard(as, &projectsv1.GetDashboardRequest{Name: name + "/dashboard"})
			return err
		}},
	}
}

func (w *world) leadWrites() []call {
	name, gate := w.p.GetName(), w.p.GetName()+"/gates/rfe"
	return []call{
		{"UpdateProject", func(as context.Context) error {
			_, err := w.UpdateProject(as, &projectsv1.UpdateProjectRequest{Project: &projectsv1.Project{Name: name, Acronym: "X"}})
			return err
		}},
		{"CreateRisk", func(as context.Context) error {
			_, err := w.CreateRisk(as, &projectsv1.CreateRiskRequest{Parent: name, Risk: &projectsv1.Risk{Title: text("x"), Probability: 1, Impact: 1}})
			return err
		}},
		{"UpdateRisk", func(as context.Context) error {
			_, err := w.UpdateRisk(as, &projectsv1.UpdateRiskRequest{Risk: &projectsv1.Risk{Name: w.risk.GetName(), Impact: 5}})
			return err
		}},
		{"RecordArtefact", func(as context.Context) error {
			_, err := w.RecordArtefact(as, &projectsv1.RecordArtefactRequest{Name: gate, Artefact: "handbook", Uri: "https://example.org"})
			return err
		}},
		{"WaiveArtefact", func(as context.Context) error {
			_, err := w.WaiveArtefact(as, &projectsv1.WaiveArtefactRequest{Name: gate, Artefact: "handbook", Reason: "x"})
			return err
		}},
		{"RequireArtefact", func(as context.Context) error {
			_, err := w.RequireArtefact(as, &projectsv1.RequireArtefactRequest{Name: gate, Artefact: "handbook", Reason: "x"})
			return err
		}},
		{"RemoveArtefact", func(as context.Context) error {
			_, err := w.RemoveArtefact(as, &projectsv1.RemoveArtefactRequest{Name: gate, Artefact: "handbook", Reason: "x"})
			return err
		}},
		{"CreateTask", func(as context.Context) error {
			_, err := w.CreateTask(as, &projectsv1.CreateTaskRequest{Parent: name, Task: &projectsv1.Task{Title: text("x")}})
			return err
		}},
		{"UpdateTask", func(as context.Context) error {
			_, err := w.UpdateTask(as, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: w.task.GetName(), ProgressPercent: 10}})
			return err
		}},
		{"BatchCreateTasks", func(as context.Context) error {
			_, err := w.BatchCreateTasks(as, &projectsv1.BatchCreateTasksRequest{Parent: name, Tasks: []*projectsv1.Task{{Title: text("x")}}})
			return err
		}},
		{"BatchUpdateTasks", func(as context.Context) error {
			_, err := w.BatchUpdateTasks(as, &projectsv1.BatchUpdateTasksRequest{Parent: name, Requests: []*projectsv1.UpdateTaskRequest{{Task: &projectsv1.Task{Name: w.task.GetName(), Notes: "x"}}}})
			return err
		}},
		{"UpdateSchedule", func(as context.Context) error {
			_, err := w.UpdateSchedule(as, &projectsv1.UpdateScheduleRequest{Schedule: &projectsv1.Schedule{Name: name + "/schedule", TimeZone: "Europe/Riga"}})
			return err
		}},
		{"LevelSchedule", func(as context.Context) error {
			_, err := w.LevelSchedule(as, &projectsv1.LevelScheduleRequest{Name: name + "/schedule", Apply: true})
			return err
		}},
		{"CreateCalendar", func(as context.Context) error {
			_, err := w.CreateCalendar(as, &projectsv1.CreateCalendarRequest{Parent: name, Calendar: &projectsv1.Calendar{Title: text("x")}})
			return err
		}},
		{"UpdateCalendar", func(as context.Context) error {
			_, err := w.UpdateCalendar(as, &projectsv1.UpdateCalendarRequest{Calendar: &projectsv1.Calendar{Name: w.calendar.GetName(), Title: text("y")}})
			return err
		}},
		{"DeleteCalendar", func(as context.Context) error {
			_, err := w.DeleteCalendar(as, &projectsv1.DeleteCalendarRequest{Name: w.calendar.GetName()})
			return err
		}},
		{"CreateResource", func(as context.Context) error {
			_, err := w.CreateResource(as, &projectsv1.CreateResourceRequest{Parent: name, Resource: aResource()})
			return err
		}},
		{"UpdateResource", func(as context.Context) error {
			_, err := w.UpdateResource(as, &projectsv1.UpdateResourceRequest{Resource: &projectsv1.Resource{Name: w.means.GetName(), CapacityPercent: 50}})
			return err
		}},
		{"DeleteResource", func(as context.Context) error {
			_, err := w.DeleteResource(as, &projectsv1.DeleteResourceRequest{Name: w.means.GetName()})
			return err
		}},
		{"CreateBaseline", func(as context.Context) error {
			_, err := w.CreateBaseline(as, &projectsv1.CreateBaselineRequest{Parent: name, Baseline: &projectsv1.Baseline{Title: text("x")}})
			return err
		}},
		{"DeleteBaseline", func(as context.Context) error {
			_, err := w.DeleteBaseline(as, &projectsv1.DeleteBaselineRequest{Name: w.baseline.GetName()})
			return err
		}},
		{"CreateDeliverable", func(as context.Context) error {
			_, err := w.CreateDeliverable(as, &projectsv1.CreateDeliverableRequest{Parent: name, Deliverable: &projectsv1.Deliverable{Title: text("x"), DueDate: "2026-05-05"}})
			return err
		}},
		{"UpdateDeliverable", func(as context.Context) error {
			_, err := w.UpdateDeliverable(as, &projectsv1.UpdateDeliverableRequest{Deliverable: &projectsv1.Deliverable{Name: w.thing.GetName(), DueDate: "2026-05-05"}})
			return err
		}},
		{"SubmitDeliverable", func(as context.Context) error {
			_, err := w.SubmitDeliverable(as, &projectsv1.SubmitDeliverableRequest{Name: w.thing.GetName(), Uri: "https://example.org"})
			return err
		}},
		{"AcceptDeliverable", func(as context.Context) error {
			_, err := w.AcceptDeliverable(as, &projectsv1.AcceptDeliverableRequest{Name: w.thing.GetName()})
			return err
		}},
		{"ReturnDeliverable", func(as context.Context) error {
			_, err := w.ReturnDeliverable(as, &projectsv1.ReturnDeliverableRequest{Name: w.thing.GetName(), Reason: "x"})
			return err
		}},
		{"CreateBudgetLine", func(as context.Context) error {
			_, err := w.CreateBudgetLine(as, &projectsv1.CreateBudgetLineRequest{Parent: name, BudgetLine: &projectsv1.BudgetLine{Organisation: member, Category: projectsv1.CostCategory_COST_CATEGORY_OTHER, Amount: eur(1)}})
			return err
		}},
		{"UpdateBudgetLine", func(as context.Context) error {
			_, err := w.UpdateBudgetLine(as, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: w.lines[member].GetName(), Description: "x"}})
			return err
		}},
		{"CreateBudgetVersion", func(as context.Context) error {
			_, err := w.CreateBudgetVersion(as, &projectsv1.CreateBudgetVersionRequest{Parent: name, BudgetVersion: &projectsv1.BudgetVersion{Reason: "x"}})
			return err
		}},
		{"CreateLesson", func(as context.Context) error {
			_, err := w.CreateLesson(as, &projectsv1.CreateLessonRequest{Parent: name, Lesson: &projectsv1.Lesson{Title: text("x"), WhatHappened: text("x"), Recommendation: text("x")}})
			return err
		}},
		{"DeleteRisk", func(as context.Context) error {
			_, err := w.DeleteRisk(as, &projectsv1.DeleteRiskRequest{Name: w.risk.GetName()})
			return err
		}},
		{"DeleteDeliverable", func(as context.Context) error {
			_, err := w.DeleteDeliverable(as, &projectsv1.DeleteDeliverableRequest{Name: w.thing.GetName()})
			return err
		}},
		{"DeleteTask", func(as context.Context) error {
			_, err := w.DeleteTask(as, &projectsv1.DeleteTaskRequest{Name: w.task.GetName()})
			return err
		}},
		{"ReturnProject", func(as context.Context) error {
			_, err := w.ReturnProject(as, &projectsv1.ReturnProjectRequest{Name: name, Phase: projectsv1.Phase_PHASE_INITIATION, Reason: "x"})
			return err
		}},
	}
}

func TestSharedPlansAreReadByPartnersAndWrittenByTheLead(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		readers := map[string]context.Context{
			"the lead's manager": s.As(manager, leader), "the lead's admin": s.As(admin, leader), "somebody of the lead": s.As(partner, leader),
			"a partner's manager": s.As(manager, member), "a partner's admin": s.As(admin, member), "somebody of a partner": s.As(partner, member),
			"an operator": s.As(operator, ""), "an auditor": s.As(auditor, ""), "a service": s.As(authzv1.Role_ROLE_SERVICE, ""),
		}
		for who, as := range readers {
			for _, c := range w.sharedReads() {
				if err := c.run(as); err != nil {
					t.Errorf("%s: %s: %v", who, c.name, err)
				}
			}
		}
		for _, c := range slices.Concat(w.sharedReads(), w.leadWrites()) {
			refusedAs(t, c, "a stranger's manager", c.run(s.As(manager, stranger)), codes.NotFound, errs.Absent)
			refusedAs(t, c, "a learner", c.run(s.As(learner, leader)), codes.PermissionDenied, errs.RoleMissing)
			refusedAs(t, c, "nobody", c.run(s.Anonymous()), codes.Unauthenticated, errs.TokenAbsent)
		}
		for _, c := range w.leadWrites() {
			refusedAs(t, c, "a partner's manager", c.run(s.As(manager, member)), codes.PermissionDenied, domain.LeadOnly)
			reason := errs.RoleMissing
			if slices.Contains([]string{"CreateRisk", "UpdateRisk", "SubmitDeliverable"}, c.name) {
				reason = domain.LeadOnly // they might be in charge, and are not
			}
			refusedAs(t, c, "somebody of a partner", c.run(s.As(partner, member)), codes.PermissionDenied, reason)
			refusedAs(t, c, "somebody of the lead", c.run(s.As(partner, leader)), codes.PermissionDenied, reason)
			refusedAs(t, c, "an auditor", c.run(s.As(auditor, "")), codes.PermissionDenied, errs.RoleMissing)
		}
		for _, c := range w.leadWrites() { // all of this was the caller's, not the call's fault
			if err := c.run(s.As(admin, leader)); status.Code(err) == codes.NotFound || status.Code(err) == codes.PermissionDenied || status.Code(err) == codes.InvalidArgument {
				t.Errorf("the lead's admin: %s: %v", c.name, err)
			}
		}
	})
}

// A partner reports on the work that it is in charge of, and on no other; the
// plan stays the lead's.
func TestPartnersReportOnTheirOwnWork(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		lead, own, theirs := s.As(manager, leader), s.As(manager, member), s.As(manager, other)
		p := s.project()
		task := must[*projectsv1.Task](t)(s.CreateTask(lead, &projectsv1.CreateTaskRequest{Parent: p.GetName(),
			Task: &projectsv1.Task{Title: text("Prove"), DurationMinutes: days(5), Organisation: member}}))
		thing := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(lead, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-03-01", Organisation: member}}))
		nobodys := s.task(p, "Di nessuno", 1)
		update := func(as context.Context, x *projectsv1.Task) error {
			if x.GetName() == "" {
				x.Name = task.GetName()
			}
			_, err := s.UpdateTask(as, &projectsv1.UpdateTaskRequest{Task: x})
			return err
		}
		submit := func(as context.Context) error {
			_, err := s.SubmitDeliverable(as, &projectsv1.SubmitDeliverableRequest{Name: thing.GetName(), Uri: "https://example.org/r"})
			return err
		}
		done := &projectsv1.Task{ProgressPercent: 40, ActualStartDate: "2026-01-05"}
		for _, as := range []context.Context{theirs, s.As(admin, other)} {
			refused(t, update(as, proto.CloneOf(done)), codes.PermissionDenied, domain.LeadOnly)
			refused(t, submit(as), codes.PermissionDenied, domain.LeadOnly)
		}
		refused(t, update(s.As(manager, stranger), proto.CloneOf(done)), codes.NotFound, errs.Absent)
		refused(t, submit(s.As(manager, stranger)), codes.NotFound, errs.Absent)
		for _, x := range []*projectsv1.Task{
			{DurationMinutes: days(50), ProgressPercent: 40}, {Title: text("Altro")}, {Organisation: other}, {Constraint: notBefore("2026-05-05T08:00")},
			{Predecessors: []*projectsv1.Link{{Task: nobodys.GetName()}}}, {Name: nobodys.GetName(), ProgressPercent: 40},
		} {
			refused(t, update(own, x), codes.PermissionDenied, domain.LeadOnly)
		}
		if err := errors.Join(update(own, proto.CloneOf(done)), submit(own)); err != nil {
			t.Fatal(err)
		}
		if got := s.readTask(task.GetName()); got.GetProgressPercent() != 40 || got.GetActualStartDate() != "2026-01-05" || got.GetDurationMinutes() != days(5) {
			t.Errorf("the task is %v", got)
		}
		_, err := s.AcceptDeliverable(own, &projectsv1.AcceptDeliverableRequest{Name: thing.GetName()})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		if err := update(own, &projectsv1.Task{Title: text("Prove"), ProgressPercent: 50}); err != nil { // what was read, sent back
			t.Error(err)
		}
	})
}

func refusedAs(t *testing.T, c call, who string, err error, code codes.Code, reason errs.Reason) {
	t.Helper()
	t.Run(c.name+" by "+who, func(t *testing.T) { refused(t, err, code, reason) })
}

func TestPartnersSeeAndKeepOnlyTheirOwnCosts(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		name := w.p.GetName()
		everyone := []string{leader, member, other}
		for who, c := range map[string]struct {
			as   context.Context
			sees []string
		}{
			"the lead's manager":    {s.As(manager, leader), everyone},
			"somebody of the lead":  {s.As(partner, leader), []string{leader}},
			"a partner's manager":   {s.As(manager, member), []string{member}},
			"somebody of a partner": {s.As(partner, other), []string{other}},
			"an auditor":            {s.As(auditor, ""), everyone},
			"an operator":           {s.As(operator, ""), everyone},
		} {
			var lines, spent, alerts, dashboard, warned []string
			for _, l := range must[*projectsv1.ListBudgetLinesResponse](t)(s.ListBudgetLines(c.as, &projectsv1.ListBudgetLinesRequest{Parent: name})).GetBudgetLines() {
				lines = append(lines, l.GetOrganisation())
			}
			for _, e := range must[*projectsv1.ListExpendituresResponse](t)(s.ListExpenditures(c.as, &projectsv1.ListExpendituresRequest{Parent: name})).GetExpenditures() {
				spent = append(spent, e.GetOrganisation())
			}
			for _, parent := range []string{name, "projects/-"} {
				alerts = nil
				for _, a := range s.openAlerts(c.as, parent) {
					alerts = append(alerts, a.GetOrganisation())
				}
				slices.Sort(alerts)
				if !slices.Equal(alerts, c.sees) {
					t.Errorf("%s sees in %s the alerts of %v, want %v", who, parent, alerts, c.sees)
				}
			}
			d := must[*projectsv1.Dashboard](t)(s.GetDashboard(c.as, &projectsv1.GetDashboardRequest{Name: name + "/dashboard"}))
			for _, l := range d.GetBudgetLines() {
				dashboard = append(dashboard, l.GetOrganisation())
			}
			for _, a := range d.GetOpenAlerts() {
				warned = append(warned, a.GetOrganisation())
			}
			slices.Sort(warned)
			for what, got := range map[string][]string{"lines": lines, "expenditures": spent, "lines of the dashboard": dashboard, "alerts of the dashboard": warned} {
				if !slices.Equal(got, c.sees) {
					t.Errorf("%s sees the %s of %v, want %v", who, what, got, c.sees)
				}
			}
			n := int64(len(c.sees))
			if d.GetPlanned().GetMinorUnits() != 1_000*n || d.GetSpent().GetMinorUnits() != 1_500*n {
				t.Errorf("%s sees %v planned and %v spent", who, d.GetPlanned(), d.GetSpent())
			}
			for _, o := range everyone {
				_, err1 := s.GetBudgetLine(c.as, &projectsv1.GetBudgetLineRequest{Name: w.lines[o].GetName()})
				_, err2 := s.GetExpenditure(c.as, &projectsv1.GetExpenditureRequest{Name: w.spent[o].GetName()})
				for _, err := range []error{err1, err2} {
					if slices.Contains(c.sees, o) {
						if err != nil {
							t.Errorf("%s: %v", who, err)
						}
						continue
					}
					refused(t, err, codes.NotFound, errs.Absent)
				}
			}
		}

		// Writing: a partner for itself, not for another, and not on another's line.
		as := s.As(partner, member)
		own := must[*projectsv1.Expenditure](t)(s.spend(as, w.lines[member], 1))
		_, err := s.spend(as, w.lines[other], 1)
		refused(t, err, codes.InvalidArgument, errs.ReferenceNotFound)
		stray := expenditure(w.lines[member], 1)
		stray.Organisation = other
		_, err = s.CreateExpenditure(as, &projectsv1.CreateExpenditureRequest{Parent: name, Expenditure: stray})
		refused(t, err, codes.PermissionDenied, domain.LeadOnly)
		_, err = s.CreateExpenditure(s.As(manager, leader), &projectsv1.CreateExpenditureRequest{Parent: name, Expenditure: stray})
		refused(t, err, codes.InvalidArgument, domain.LineOfOtherPartner)
		stray.Organisation = stranger
		_, err = s.CreateExpenditure(as, &projectsv1.CreateExpenditureRequest{Parent: name, Expenditure: stray})
		refused(t, err, codes.InvalidArgument, domain.NotAPartner)
		_, err = s.VoidExpenditure(as, &projectsv1.VoidExpenditureRequest{Name: w.spent[other].GetName(), Reason: "x"})
		refused(t, err, codes.NotFound, errs.Absent)
		must[*projectsv1.Expenditure](t)(s.VoidExpenditure(as, &projectsv1.VoidExpenditureRequest{Name: own.GetName(), Reason: "x"}))
		_, err = s.spend(s.As(partner, stranger), w.lines[member], 1)
		refused(t, err, codes.NotFound, errs.Absent)
		_, err = s.spend(s.As(auditor, ""), w.lines[member], 1)
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)

		// Creating for another organisation, and who lists what.
		stolen := card()
		_, err = s.CreateProject(s.As(manager, member), &projectsv1.CreateProjectRequest{Project: stolen})
		refused(t, err, codes.NotFound, errs.Absent)
		for who, n := range map[string]int{member: 1, stranger: 0} {
			if got := must[*projectsv1.ListProjectsResponse](t)(s.ListProjects(s.As(partner, who), &projectsv1.ListProjectsRequest{})).GetProjects(); len(got) != n {
				t.Errorf("%s lists %d projects, want %d", who, len(got), n)
			}
		}
		_, err = s.QueryPortfolio(s.As(admin, leader), &projectsv1.QueryPortfolioRequest{})
		refused(t, err, codes.PermissionDenied, errs.RoleMissing)
	})
}

func TestAnAbsentIdAndAnothersLookTheSame(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		w := build(t, s)
		as := s.As(manager, stranger)
		absent := "projects/00000000-0000-7000-8000-00000000dead"
		_, others := s.GetProject(as, &projectsv1.GetProjectRequest{Name: w.p.GetName()})
		_, none := s.GetProject(as, &projectsv1.GetProjectRequest{Name: absent})
		a, b := refused(t, others, codes.NotFound, errs.Absent), refused(t, none, codes.NotFound, errs.Absent)
		if len(a.Message)-len(w.p.GetName()) != len(b.Message)-len(absent) {
			t.Errorf("%q and %q", a.Message, b.Message)
		}
		task := "/tasks/00000000-0000-7000-8000-00000000beef"
		for _, name := range []string{w.task.GetName(), w.p.GetName() + task, absent + task} {
			_, err := s.GetTask(as, &projectsv1.GetTaskRequest{Name: name})
			if e := refused(t, err, codes.NotFound, errs.Absent); e.Metadata["resource"] != name {
				t.Errorf("%s: told of %s", name, e.Metadata["resource"])
			}
			_, err = s.DeleteTask(as, &projectsv1.DeleteTaskRequest{Name: name})
			if e := refused(t, err, codes.NotFound, errs.Absent); e.Metadata["resource"] != name {
				t.Errorf("%s: told of %s", name, e.Metadata["resource"])
			}
		}
	})
}
