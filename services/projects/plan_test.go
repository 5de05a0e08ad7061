package projects_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/testkit"
	"github.com/trama-suite/trama/services/projects/internal/domain"
)

// days are so many working days in minutes.
func days[N int | int32 | int64](n N) int64 { return 480 * int64(n) }

func notBefore(at string) *projectsv1.Constraint {
	return &projectsv1.Constraint{Type: projectsv1.ConstraintType_CONSTRAINT_TYPE_START_NO_EARLIER_THAN, Time: at}
}

func mask(paths ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: paths} }

func (s *suite) readTask(name string) *projectsv1.Task {
	s.t.Helper()
	return must[*projectsv1.Task](s.t)(s.GetTask(s.As(manager, leader), &projectsv1.GetTaskRequest{Name: name}))
}

func TestThePlanIsRecomputedAtEveryChange(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		wp := s.task(p, "WP1", 0)
		a := s.task(p, "Analisi", 5)
		b := s.task(p, "Prototipo", 10, a)
		c := s.task(p, "Formazione", 3, a)
		for _, x := range []*projectsv1.Task{a, b, c} {
			must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: x.GetName(), Etag: x.GetEtag(), ParentTask: wp.GetName()}}))
		}
		expect := func(name, from, through string, float int32, critical bool) {
			t.Helper()
			x := s.readTask(name)
			if x.GetEarlyStartDate() != from || x.GetEarlyFinishDate() != through || x.GetTotalFloatMinutes() != days(float) || x.GetCritical() != critical {
				t.Errorf("%s: %s to %s, float %d, critical %v", x.GetTitle().GetText(), x.GetEarlyStartDate(), x.GetEarlyFinishDate(), x.GetTotalFloatMinutes(), x.GetCritical())
			}
		}
		// Tuesday 6 January is a public holiday.
		expect(wp.GetName(), "2026-01-05", "2026-01-26", 0, true)
		expect(b.GetName(), "2026-01-13", "2026-01-26", 0, true)
		expect(c.GetName(), "2026-01-13", "2026-01-15", 7, false)

		// A longer predecessor moves what follows, and not its etag.
		etag := s.readTask(b.GetName()).GetEtag()
		must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: a.GetName(), DurationMinutes: days(6), ProgressPercent: 50}}))
		expect(b.GetName(), "2026-01-14", "2026-01-27", 0, true)
		if now := s.readTask(b.GetName()).GetEtag(); now != etag {
			t.Errorf("etag %s became %s", etag, now)
		}
		if got := s.readTask(wp.GetName()); got.GetProgressPercent() != 15 || !got.GetSummary() { // 6×50 / 19
			t.Errorf("the work package is at %d %%", got.GetProgressPercent())
		}
		// Another start of the project moves the whole plan.
		must[*projectsv1.Project](t)(s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: &projectsv1.Project{Name: p.GetName(), StartDate: "2026-01-12"}}))
		expect(a.GetName(), "2026-01-12", "2026-01-19", 0, true)

		// A circle is refused with its tasks named, and leaves the plan as it was.
		_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: a.GetName(), Predecessors: []*projectsv1.Link{{Task: b.GetName()}}}})
		e := refused(t, err, codes.FailedPrecondition, domain.TaskCycle)
		if n := strings.Split(e.Metadata["tasks"], ","); len(n) != 2 || !strings.Contains(e.Metadata["tasks"], a.GetName()) || !strings.Contains(e.Metadata["tasks"], b.GetName()) {
			t.Errorf("the cycle names %v", n)
		}
		expect(a.GetName(), "2026-01-12", "2026-01-19", 0, true)

		elsewhere := s.task(s.project(), "Altrove", 1)
		for name, c := range map[string]struct {
			task   *projectsv1.Task
			code   codes.Code
			reason errs.Reason
		}{
			"a predecessor of another project": {&projectsv1.Task{Predecessors: []*projectsv1.Link{{Task: elsewhere.GetName()}}}, codes.InvalidArgument, domain.TaskUnknown},
			"an absent predecessor":            {&projectsv1.Task{Predecessors: []*projectsv1.Link{{Task: p.GetName() + "/tasks/00000000-0000-7000-8000-000000000000"}}}, codes.FailedPrecondition, domain.TaskUnknown},
			"its own summary as predecessor":   {&projectsv1.Task{Predecessors: []*projectsv1.Link{{Task: wp.GetName()}}}, codes.FailedPrecondition, domain.LinkWrong},
			"the work package within itself":   {&projectsv1.Task{Name: wp.GetName(), ParentTask: wp.GetName()}, codes.FailedPrecondition, domain.TaskCycle},
			"a date for the work package":      {&projectsv1.Task{Name: wp.GetName(), Assignments: nil, ActualStartDate: "2026-01-05"}, codes.FailedPrecondition, domain.SummaryTask},
			"finished tomorrow":                {&projectsv1.Task{ActualStartDate: "2026-01-05", ActualFinishDate: "2026-01-06", ProgressPercent: 100}, codes.InvalidArgument, domain.ProgressWrong},
			"finished at half":                 {&projectsv1.Task{ActualStartDate: "2026-01-05", ActualFinishDate: "2026-01-05", ProgressPercent: 50}, codes.InvalidArgument, domain.ProgressWrong},
			"30 February":                      {&projectsv1.Task{Constraint: notBefore("2026-02-30T08:00")}, codes.InvalidArgument, domain.DatesWrong},
			"the year 9999":                    {&projectsv1.Task{Constraint: notBefore("9999-01-01T08:00")}, codes.InvalidArgument, domain.DatesWrong},
			"a stranger in charge":             {&projectsv1.Task{Organisation: stranger}, codes.InvalidArgument, domain.NotAPartner},
			"longer than a century":            {&projectsv1.Task{Constraint: notBefore("2999-01-01T08:00")}, codes.FailedPrecondition, domain.ConstraintWrong},
			"too long":                         {&projectsv1.Task{DurationMinutes: 50_000_000}, codes.FailedPrecondition, domain.ScheduleRange},
			"101 per cent":                     {&projectsv1.Task{ProgressPercent: 101}, codes.InvalidArgument, errs.InvalidRequest},
		} {
			if c.task.GetName() == "" {
				c.task.Name = b.GetName()
			}
			_, err := s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: c.task})
			t.Run(name, func(t *testing.T) { refused(t, err, c.code, c.reason) })
		}

		// What others need stays.
		_, err = s.DeleteTask(me, &projectsv1.DeleteTaskRequest{Name: a.GetName()})
		if e := refused(t, err, codes.FailedPrecondition, domain.TaskInUse); e.Metadata["users"] != b.GetName()+","+c.GetName() {
			t.Errorf("needed by %s", e.Metadata["users"])
		}
		_, err = s.DeleteTask(me, &projectsv1.DeleteTaskRequest{Name: c.GetName(), Etag: c.GetEtag()})
		refused(t, err, codes.Aborted, errs.StaleEtag)
		if _, err = s.DeleteTask(me, &projectsv1.DeleteTaskRequest{Name: c.GetName()}); err != nil {
			t.Fatal(err)
		}
		list := must[*projectsv1.ListTasksResponse](t)(s.ListTasks(me, &projectsv1.ListTasksRequest{Parent: p.GetName(), Filter: "critical = true AND summary = false", OrderBy: "early_start_date desc"})).GetTasks()
		if len(list) != 2 || list[0].GetName() != b.GetName() || list[1].GetName() != a.GetName() {
			t.Errorf("critical tasks, the last first: %v", list)
		}
	})
}

func TestAlertsOpenAndCloseWithTheirCause(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		a := s.task(p, "Analisi", 4)  // to 9 January
		b := s.task(p, "Prove", 5, a) // to 16 January
		d := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(me, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-01-09", Organisation: member}}))
		if got := s.openAlerts(me, p.GetName()); len(got) != 0 {
			t.Fatalf("alerts on the first day: %v", got)
		}
		causes := func() string {
			var out []string
			for _, x := range s.openAlerts(me, p.GetName()) {
				out = append(out, strings.TrimPrefix(x.GetKind().String(), "ALERT_KIND_")+" "+x.GetCause())
			}
			return strings.Join(out, "; ")
		}
		// The last day is still in time; the clock opens the alerts on the day after.
		s.Clock.Set(time.Date(2026, time.January, 9, 22, 59, 0, 0, time.UTC))
		must[*projectsv1.Risk](t)(s.CreateRisk(me, &projectsv1.CreateRiskRequest{Parent: p.GetName(), Risk: &projectsv1.Risk{Title: text("x"), Probability: 1, Impact: 1}}))
		s.task(p, "Altro", 9)
		if got := causes(); got != "" {
			t.Errorf("alerts on the last day: %s", got)
		}
		s.Clock.Advance(time.Hour)
		s.Until("two alerts", func() bool { return len(s.openAlerts(me, p.GetName())) == 2 })
		if got := causes(); !strings.Contains(got, "TASK_LATE "+a.GetName()) || !strings.Contains(got, "DELIVERABLE_OVERDUE "+d.GetName()) {
			t.Errorf("alerts of %s", got)
		}
		// Work elsewhere neither doubles nor closes them.
		must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: b.GetName(), ProgressPercent: 1}}))
		s.task(p, "Ancora", 20)
		if got := s.openAlerts(me, p.GetName()); len(got) != 2 {
			t.Errorf("after work elsewhere: %v", got)
		}
		// Whoever is in charge from now on is who the alert tells of.
		must[*projectsv1.Deliverable](t)(s.UpdateDeliverable(me, &projectsv1.UpdateDeliverableRequest{Deliverable: &projectsv1.Deliverable{Name: d.GetName(), Organisation: other}}))
		list := s.openAlerts(me, p.GetName())
		if len(list) != 2 || !slices.ContainsFunc(list, func(x *projectsv1.Alert) bool { return x.GetCause() == d.GetName() && x.GetOrganisation() == other }) {
			t.Errorf("after the deliverable went to another partner: %v", list)
		}
		// Doing what was late closes them, at once.
		late := s.readTask(a.GetName())
		if !late.GetLate() {
			t.Error("the task is not shown as late")
		}
		must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: a.GetName(), ProgressPercent: 100, ActualStartDate: "2026-01-05", ActualFinishDate: "2026-01-10"}}))
		must[*projectsv1.Deliverable](t)(s.SubmitDeliverable(me, &projectsv1.SubmitDeliverableRequest{Name: d.GetName(), Uri: "https://example.org/r"}))
		if got := causes(); got != "" {
			t.Errorf("alerts when all is done: %s", got)
		}
		// What comes back opens a new one.
		must[*projectsv1.Deliverable](t)(s.ReturnDeliverable(me, &projectsv1.ReturnDeliverableRequest{Name: d.GetName(), Reason: "incompleto"}))
		if got := causes(); got != "DELIVERABLE_OVERDUE "+d.GetName() {
			t.Errorf("after the return: %s", got)
		}
		if _, err := s.DeleteDeliverable(me, &projectsv1.DeleteDeliverableRequest{Name: d.GetName()}); err != nil {
			t.Fatal(err)
		}

		// Money: over, still over, back by a voiding, over, back by a higher budget.
		l := s.line(p, member, 1_000)
		first := must[*projectsv1.Expenditure](t)(s.spend(me, l, 1_000))
		if got := causes(); got != "" {
			t.Errorf("alerts at exactly the budget: %s", got)
		}
		must[*projectsv1.Expenditure](t)(s.spend(me, l, 1))
		must[*projectsv1.Expenditure](t)(s.spend(me, l, 1))
		if got := causes(); got != "LINE_OVERSPENT "+l.GetName() {
			t.Errorf("after too much: %s", got)
		}
		must[*projectsv1.Expenditure](t)(s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: first.GetName(), Reason: "doppia"}))
		_, err := s.VoidExpenditure(me, &projectsv1.VoidExpenditureRequest{Name: first.GetName(), Reason: "doppia"})
		refused(t, err, codes.FailedPrecondition, domain.ExpenditureVoided)
		if got := causes(); got != "" {
			t.Errorf("after the voiding: %s", got)
		}
		must[*projectsv1.Expenditure](t)(s.spend(me, l, 2_000))
		must[*projectsv1.BudgetLine](t)(s.UpdateBudgetLine(me, &projectsv1.UpdateBudgetLineRequest{BudgetLine: &projectsv1.BudgetLine{Name: l.GetName(), Amount: eur(2_002)}}))
		if got := causes(); got != "" {
			t.Errorf("after a higher budget: %s", got)
		}
		var opened, closed int
		for _, e := range testkit.EventsOf[*projectsv1.AlertOpened](s.Env) {
			if e.GetAlert().GetSeverity() != projectsv1.AlertSeverity_ALERT_SEVERITY_NOTICE {
				opened++
			}
		}
		for _, e := range testkit.EventsOf[*projectsv1.AlertClosed](s.Env) {
			if e.GetAlert().GetSeverity() != projectsv1.AlertSeverity_ALERT_SEVERITY_NOTICE {
				closed++
			}
		}
		if opened != 6 || closed != 6 {
			t.Errorf("%d alerts opened and %d closed, want 6 and 6", opened, closed)
		}
		recorded, voided := testkit.EventsOf[*projectsv1.ExpenditureRecorded](s.Env), testkit.EventsOf[*projectsv1.ExpenditureVoided](s.Env)
		sum := int64(0)
		for _, e := range recorded {
			sum += e.GetExpenditure().GetAmount().GetMinorUnits()
		}
		for _, e := range voided {
			sum -= e.GetExpenditure().GetAmount().GetMinorUnits()
		}
		if e := recorded[0].GetExpenditure(); e.GetDocument().GetIssuer() != "" || e.GetDocument().GetDate() != "2026-02-02" {
			t.Errorf("told of %v", e)
		}
		if sum != 2_002 || recorded[0].GetProjectOrganisation() != leader || recorded[0].GetExpenditure().GetOrganisation() != member {
			t.Errorf("the events sum to %d; %v", sum, recorded[0])
		}
	})
}

func TestMoneyIsRefusedWithItsReason(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		l := s.line(p, member, 100)
		for name, c := range map[string]struct {
			change func(e *projectsv1.Expenditure)
			code   codes.Code
			reason errs.Reason
		}{
			"the day before": {func(e *projectsv1.Expenditure) { e.Document.Date = "2026-01-04" }, codes.InvalidArgument, domain.ExpenditureOutsideDates},
			"the day after":  {func(e *projectsv1.Expenditure) { e.Document.Date = "2027-01-01" }, codes.InvalidArgument, domain.ExpenditureOutsideDates},
			"no such day":    {func(e *projectsv1.Expenditure) { e.Document.Date = "2026-02-30" }, codes.InvalidArgument, domain.DatesWrong},
			"nothing":        {func(e *projectsv1.Expenditure) { e.Amount.MinorUnits = 0 }, codes.InvalidArgument, domain.AmountWrong},
			"less":           {func(e *projectsv1.Expenditure) { e.Amount.MinorUnits = -1 }, codes.InvalidArgument, domain.AmountWrong},
			"too much":       {func(e *projectsv1.Expenditure) { e.Amount.MinorUnits = 1<<63 - 1 }, codes.InvalidArgument, domain.AmountWrong},
			"crowns":         {func(e *projectsv1.Expenditure) { e.Amount.CurrencyCode = "SEK" }, codes.InvalidArgument, domain.CurrencyMismatch},
			"another's line": {func(e *projectsv1.Expenditure) { e.Organisation = leader }, codes.InvalidArgument, domain.LineOfOtherPartner},
			"nobody's":       {func(e *projectsv1.Expenditure) { e.Organisation = "" }, codes.InvalidArgument, domain.FieldMissing},
			"no line": {func(e *projectsv1.Expenditure) {
				e.BudgetLine = p.GetName() + "/budgetLines/00000000-0000-7000-8000-000000000000"
			}, codes.InvalidArgument, errs.ReferenceNotFound},
			"no document":     {func(e *projectsv1.Expenditure) { e.Document = nil }, codes.InvalidArgument, domain.DocumentWrong},
			"a bad line name": {func(e *projectsv1.Expenditure) { e.BudgetLine = "budgetLines/1" }, codes.InvalidArgument, errs.InvalidRequest},
		} {
			e := expenditure(l, 10)
			c.change(e)
			_, err := s.CreateExpenditure(me, &projectsv1.CreateExpenditureRequest{Parent: p.GetName(), Expenditure: e})
			t.Run(name, func(t *testing.T) { refused(t, err, c.code, c.reason) })
		}
		must[*projectsv1.Expenditure](t)(s.spend(me, l, 10))
		_, err := s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: &projectsv1.Project{Name: p.GetName(), EndDate: "2026-02-01"}, UpdateMask: mask("end_date")})
		refused(t, err, codes.FailedPrecondition, domain.ExpenditureOutsideDates)
		alone := &projectsv1.Project{Name: p.GetName(), Partners: []*projectsv1.Partner{{Organisation: leader, Role: projectsv1.PartnerRole_PARTNER_ROLE_LEAD}}}
		_, err = s.UpdateProject(me, &projectsv1.UpdateProjectRequest{Project: alone})
		refused(t, err, codes.FailedPrecondition, domain.PartnerInUse)
		_, err = s.DeleteBudgetLine(me, &projectsv1.DeleteBudgetLineRequest{Name: l.GetName()})
		refused(t, err, codes.FailedPrecondition, domain.LineInUse)
		empty := s.line(p, other, 7)
		if _, err = s.DeleteBudgetLine(me, &projectsv1.DeleteBudgetLineRequest{Name: empty.GetName(), Etag: empty.GetEtag()}); err != nil {
			t.Error(err)
		}
		d := must[*projectsv1.Dashboard](t)(s.GetDashboard(me, &projectsv1.GetDashboardRequest{Name: p.GetName() + "/dashboard"}))
		if d.GetPlanned().GetMinorUnits() != 100 || d.GetSpent().GetMinorUnits() != 10 {
			t.Errorf("planned %v, spent %v", d.GetPlanned(), d.GetSpent())
		}
	})
}

func TestTheDashboardTellsHowAProjectStands(t *testing.T) {
	eachDB(t, func(t *testing.T, s *suite) {
		me := s.As(manager, leader)
		p := s.project()
		read := func() *projectsv1.Dashboard {
			return must[*projectsv1.Dashboard](t)(s.GetDashboard(me, &projectsv1.GetDashboardRequest{Name: p.GetName() + "/dashboard"}))
		}
		if d := read(); d.ProgressPercent != nil || d.GetScheduleFinishDate() != "" || len(d.GetNextDeadlines()) != 1 {
			t.Errorf("an empty project: %v", d)
		}
		a := s.task(p, "Analisi", 30)
		b := s.task(p, "Prove", 10, a)
		must[*projectsv1.Task](t)(s.UpdateTask(me, &projectsv1.UpdateTaskRequest{Task: &projectsv1.Task{Name: a.GetName(), ProgressPercent: 51}}))
		for _, r := range []*projectsv1.Risk{
			{Title: text("a"), Probability: 2, Impact: 3}, {Title: text("b"), Probability: 5, Impact: 4, State: projectsv1.RiskState_RISK_STATE_CLOSED}, {Title: text("c"), Probability: 3, Impact: 3},
		} {
			must[*projectsv1.Risk](t)(s.CreateRisk(me, &projectsv1.CreateRiskRequest{Parent: p.GetName(), Risk: r}))
		}
		d := must[*projectsv1.Deliverable](t)(s.CreateDeliverable(me, &projectsv1.CreateDeliverableRequest{Parent: p.GetName(),
			Deliverable: &projectsv1.Deliverable{Title: text("Rapporto"), DueDate: "2026-03-01"}}))
		s.Clock.Set(time.Date(2026, time.February, 20, 8, 0, 0, 0, time.UTC)) // a ended on 16 February
		got := read()
		if got.GetProgressPercent() != 38 || got.GetTaskCount() != 2 || got.GetCompleteTaskCount() != 0 { // 30×51 / 40, rounded down
			t.Errorf("progress %d %% of %d tasks", got.GetProgressPercent(), got.GetTaskCount())
		}
		if got.GetLateTaskCount() != 1 || got.GetLateTasks()[0].GetName() != a.GetName() {
			t.Errorf("late %v", got.GetLateTasks())
		}
		if got.GetOpenRiskCount() != 2 || got.GetHighestRiskScore() != 9 {
			t.Errorf("%d open risks up to %d", got.GetOpenRiskCount(), got.GetHighestRiskScore())
		}
		var deadlines []string
		for _, x := range got.GetNextDeadlines() {
			deadlines = append(deadlines, x.GetDate()+" "+x.GetResource())
		}
		want := "2026-03-01 " + d.GetName() + "; 2026-03-02 " + b.GetName() + "; 2026-12-31 " + p.GetName()
		if strings.Join(deadlines, "; ") != want || got.GetScheduleFinishDate() != "2026-03-02" {
			t.Errorf("deadlines %v, plan to %s", deadlines, got.GetScheduleFinishDate())
		}
	})
}
