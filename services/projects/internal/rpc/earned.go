package rpc

import (
	"context"
	"errors"
	"math/big"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/earned"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// valued is a project whose value can be read.
type valued struct {
	*earned.Value
	planned projectsv1.PlannedBy
}

// value prepares a project's value: by the dates of its baseline where it has
// one, of the plan for tasks that the baseline does not hold.
func (s *Server) value(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*valued, error) {
	plan, err := wholePlan(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	baseline, by, err := baselineOf(ctx, tx, plan)
	if err != nil {
		return nil, err
	}
	reports, err := store.ProgressReports(ctx, tx, p.ID, s.zone)
	if err != nil {
		return nil, err
	}
	in := earned.Project{Start: p.Start, End: p.End}
	if in.Calendar, err = plan.WorkOn(); err != nil {
		return nil, err
	}
	for _, t := range plan.Tasks {
		x := earned.Task{ID: t.ID, Parent: t.Parent, Start: t.Times.Start, Finish: t.Times.Finish, Minutes: t.Minutes, Progress: reported(t, reports[t.ID])}
		if then, held := baseline[t.ID]; held {
			x.Start, x.Finish, x.Minutes = then.Start.Date(), max(then.Start, then.Finish-1).Date(), then.Minutes
		}
		in.Tasks = append(in.Tasks, x)
	}
	if in.Lines, err = store.EarnedLines(ctx, tx, p.ID); err != nil {
		return nil, err
	}
	if in.Costs, err = store.EarnedCosts(ctx, tx, p.ID); err != nil {
		return nil, err
	}
	v, err := earned.New(in)
	return &valued{v, by}, err
}

// baselineOf reads what the project's baseline holds of each task.
func baselineOf(ctx context.Context, tx *sqldb.Tx, plan *domain.Plan) (map[string]domain.BaselineTask, projectsv1.PlannedBy, error) {
	id, err := store.CurrentBaseline(ctx, tx, plan.Settings)
	if err != nil || id == "" {
		return nil, projectsv1.PlannedBy_PLANNED_BY_PLAN, err
	}
	tasks, err := store.AllBaselineTasks(ctx, tx, id)
	out := make(map[string]domain.BaselineTask, len(tasks))
	for _, t := range tasks {
		out[t.Task] = t
	}
	return out, projectsv1.PlannedBy_PLANNED_BY_BASELINE, err
}

// reported is a task's progress over time: what was reported when it was, and all
// of it from the day on that the work was finished.
func reported(t *domain.Task, reports []earned.Report) []earned.Report {
	if t.ActualFinish == "" {
		return reports
	}
	var out []earned.Report
	for _, r := range reports {
		if r.Day < t.ActualFinish {
			out = append(out, r)
		}
	}
	return append(out, earned.Report{Day: t.ActualFinish, Percent: 100})
}

// measure computes what the rules on performance look at.
func (s *Server) measure(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Measured, error) {
	v, err := s.value(ctx, tx, p)
	if errors.Is(err, earned.ErrRange) {
		return &domain.Measured{}, nil // a plan of ages: nothing to measure by
	}
	if err != nil {
		return nil, err
	}
	m, err := v.measures(earned.Scope{}, s.today(), earned.Booked)
	if err != nil {
		return nil, err
	}
	out := &domain.Measured{SPI: m.SPI, CPI: m.CPI}
	if m.Planned > 0 {
		out.Burn = big.NewRat(m.Booked, m.Planned)
	}
	return out, nil
}

func (v *valued) measures(scope earned.Scope, day civil.Date, actual int) (earned.Measures, error) {
	budget, err := v.Budget(scope)
	if err != nil {
		return earned.Measures{}, err
	}
	at, err := v.At(scope, day)
	if err != nil {
		return earned.Measures{}, err
	}
	return earned.Measure(budget, at[0], actual), nil
}

// valueScope is the part of a project that a request asks for and its caller may
// see.
func valueScope(ctx context.Context, p *domain.Project, organisation, workPackage string) (earned.Scope, error) {
	scope := earned.Scope{WorkPackage: childID(workPackage)}
	if !sameProject(p.ID, workPackage) {
		return scope, unknownPackage(workPackage)
	}
	switch {
	case organisation != "":
		if err := p.RequirePartner("organisation", organisation); err != nil {
			return scope, err
		}
		if !leads(ctx, p) && !auth.ScopeFrom(ctx).Covers(organisation) {
			return scope, errs.New(errs.PermissionDenied, domain.LeadOnly, "only the lead sees the value of other partners' work").With("resource", p.Name())
		}
		scope.Organisations = []string{organisation}
	case !leads(ctx, p):
		scope.Organisations = append([]string{}, auth.ScopeFrom(ctx).Organisations...)
	}
	return scope, nil
}

func unknownPackage(name string) error {
	return errs.InvalidField(errs.ReferenceNotFound, "work_package", "%s is not a task of the project", name)
}

// valueError tells what a request asks for that a value cannot say.
func valueError(err error, workPackage string) error {
	switch {
	case errors.Is(err, earned.ErrUnknownPackage):
		return unknownPackage(workPackage)
	case errors.Is(err, earned.ErrTooLong):
		return errs.InvalidField(domain.CurveTooLong, "step", "the curve would have more than %d points: choose a longer step", earned.MaxPoints)
	case errors.Is(err, earned.ErrRange):
		return errs.New(errs.FailedPrecondition, domain.ScheduleRange, "the plan is longer than a value can be computed for")
	}
	return err
}

// GetEarnedValue reads the value at the end of a day.
func (s *Server) GetEarnedValue(ctx context.Context, req *projectsv1.GetEarnedValueRequest) (*projectsv1.EarnedValue, error) {
	got, ok := ids.Parse("projects/{project}/earnedValue", req.GetName())
	if !ok {
		return nil, errs.AbsentResource(req.GetName())
	}
	day := s.today()
	if asked := civil.Date(req.GetAsOfDate()); asked != "" {
		if _, err := civil.Parse(req.GetAsOfDate()); err != nil || asked > day {
			return nil, errs.InvalidField(domain.DatesWrong, "as_of_date", "%q is not a day of the calendar up to today", asked)
		}
		day = asked
	}
	actual := map[projectsv1.ActualCost]int{projectsv1.ActualCost_ACTUAL_COST_REPORTED: earned.Reported, projectsv1.ActualCost_ACTUAL_COST_CERTIFIED: earned.Certified}[req.GetActualCost()]
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.EarnedValue, error) {
		p, err := seeProject(ctx, tx, got[0])
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		scope, err := valueScope(ctx, p, req.GetOrganisation(), req.GetWorkPackage())
		if err != nil {
			return nil, err
		}
		v, err := s.value(ctx, tx, p)
		if err != nil {
			return nil, valueError(err, req.GetWorkPackage())
		}
		m, err := v.measures(scope, day, actual)
		if err != nil {
			return nil, valueError(err, req.GetWorkPackage())
		}
		schedule, err := v.EarnedSchedule(scope, day)
		if err != nil {
			return nil, err
		}
		out := measuresProto(p, m, schedule)
		out.Name, out.AsOfDate, out.PlannedBy = req.GetName(), string(day), v.planned
		out.ActualCost = max(req.GetActualCost(), projectsv1.ActualCost_ACTUAL_COST_BOOKED)
		return out, nil
	})
}

func measuresProto(p *domain.Project, m earned.Measures, schedule earned.Schedule) *projectsv1.EarnedValue {
	amount := func(minor int64) *typev1.Money { return &typev1.Money{MinorUnits: minor, CurrencyCode: p.Currency} }
	rounded := func(x *big.Rat) *typev1.Money {
		if minor, ok := earned.Minor(x); ok {
			return amount(minor)
		}
		return nil
	}
	return &projectsv1.EarnedValue{
		BudgetAtCompletion: amount(m.Budget), PlannedValue: amount(m.Planned), EarnedValue: amount(m.Earned),
		BookedCost: amount(m.Booked), ReportedCost: amount(m.Reported), CertifiedCost: amount(m.Certified),
		CostVariance: amount(m.CostVariance), ScheduleVariance: amount(m.ScheduleVariance),
		CostPerformanceIndex: double(m.CPI), SchedulePerformanceIndex: double(m.SPI),
		EstimateAtCompletion: rounded(m.EstimateTypical), EstimateAtCompletionAsPlanned: rounded(m.EstimateAtypical),
		EstimateAtCompletionByBoth: rounded(m.EstimateCombined), VarianceAtCompletion: rounded(m.VarianceAtCompletion),
		ToCompletePerformanceIndex: double(m.TCPI), EarnedScheduleDays: double(schedule.Earned),
		ActualTimeDays: int32(schedule.Actual), SchedulePerformanceIndexTime: double(schedule.SPI),
	}
}

// double is a measure at the edge; nil where it is undefined.
func double(x *big.Rat) *float64 {
	if x == nil {
		return nil
	}
	f, _ := x.Float64()
	return &f
}

// GetSCurve reads the value over time.
func (s *Server) GetSCurve(ctx context.Context, req *projectsv1.GetSCurveRequest) (*projectsv1.SCurve, error) {
	got, ok := ids.Parse("projects/{project}/sCurve", req.GetName())
	if !ok {
		return nil, errs.AbsentResource(req.GetName())
	}
	step := map[projectsv1.CurveStep]earned.Step{projectsv1.CurveStep_CURVE_STEP_DAY: earned.Daily, projectsv1.CurveStep_CURVE_STEP_WEEK: earned.Weekly}
	steps, known := step[req.GetStep()]
	if !known {
		steps = earned.Monthly
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.SCurve, error) {
		p, err := seeProject(ctx, tx, got[0])
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		scope, err := valueScope(ctx, p, req.GetOrganisation(), req.GetWorkPackage())
		if err != nil {
			return nil, err
		}
		v, err := s.value(ctx, tx, p)
		if err != nil {
			return nil, valueError(err, req.GetWorkPackage())
		}
		days, err := v.Days(steps)
		if err != nil {
			return nil, valueError(err, "")
		}
		points, err := v.At(scope, days...)
		if err != nil {
			return nil, valueError(err, req.GetWorkPackage())
		}
		budget, err := v.Budget(scope)
		if err != nil {
			return nil, err
		}
		out := &projectsv1.SCurve{Name: req.GetName(), PlannedBy: v.planned,
			BudgetAtCompletion: &typev1.Money{MinorUnits: budget, CurrencyCode: p.Currency}}
		today := s.today()
		for _, x := range points {
			point := &projectsv1.SCurvePoint{Date: string(x.Day), Planned: x.Planned}
			if x.Day <= today {
				point.Earned, point.Booked, point.Reported, point.Certified = &x.Earned, &x.Booked, &x.Reported, &x.Certified
			}
			out.Points = append(out.Points, point)
		}
		return out, nil
	})
}
