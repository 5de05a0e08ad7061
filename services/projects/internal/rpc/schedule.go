package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// scheduleOf reads the project out of the name of its schedule.
func scheduleOf(name string) (string, error) {
	got, ok := ids.Parse("projects/{project}/schedule", name)
	if !ok {
		return "", errs.AbsentResource(name)
	}
	return got[0], nil
}

// settingsProto is what people write about a schedule.
func settingsProto(x *domain.Schedule) *projectsv1.Schedule {
	out := &projectsv1.Schedule{Name: x.Name(), TimeZone: x.Zone, StatusDate: string(x.Status), PlanStartTime: x.Start.String(),
		PlanVersion: x.PlanVersion, UpdateTime: timeProto(x.Updated), Etag: platform.Etag(x.Version)}
	if x.Calendar != "" {
		out.Calendar = domain.CalendarName(x.Project, x.Calendar)
	}
	if x.Baseline != "" {
		out.Baseline = domain.BaselineName(x.Project, x.Baseline)
	}
	return out
}

// scheduleProto is a schedule with what the plan as a whole tells.
func scheduleProto(plan *domain.Plan, today civil.Date) (*projectsv1.Schedule, error) {
	out := settingsProto(plan.Settings)
	start, err := plan.Start()
	if err != nil {
		return nil, err
	}
	out.StartTime, out.FinishTime = start.String(), plan.Finish().String()
	for _, t := range plan.Tasks {
		x := t.Times
		if x.Summary {
			continue
		}
		out.TaskCount++
		for count, is := range map[*int32]bool{
			&out.CriticalCount: x.Critical, &out.LateCount: t.Late(today) && plan.Project.Phase != domain.Closed,
			&out.MissedDeadlineCount: x.Missed, &out.NegativeFloatCount: x.Float < 0,
		} {
			if is {
				*count++
			}
		}
	}
	return out, nil
}

// GetSchedule reads the schedule of a project.
func (s *Server) GetSchedule(ctx context.Context, req *projectsv1.GetScheduleRequest) (*projectsv1.Schedule, error) {
	return readPlan(ctx, s, req.GetName(), func(_ context.Context, _ *sqldb.Tx, plan *domain.Plan) (*projectsv1.Schedule, error) {
		return scheduleProto(plan, s.today())
	})
}

// readPlan reads the whole plan of a project that the caller may see, named by
// its schedule.
func readPlan[T any](ctx context.Context, s *Server, name string, fn func(ctx context.Context, tx *sqldb.Tx, plan *domain.Plan) (T, error)) (T, error) {
	var none T
	project, err := scheduleOf(name)
	if err != nil {
		return none, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (T, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return none, under(name, err)
		}
		plan, err := wholePlan(ctx, tx, p)
		if err != nil {
			return none, err
		}
		return fn(ctx, tx, plan)
	})
}

// UpdateSchedule changes the settings and recomputes the plan.
func (s *Server) UpdateSchedule(ctx context.Context, req *projectsv1.UpdateScheduleRequest) (*projectsv1.Schedule, error) {
	patch := req.GetSchedule()
	project, err := scheduleOf(patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Schedule, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, under(patch.GetName(), err)
		}
		baselines, err := store.AllBaselines(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		err = s.replan(ctx, tx, p, func(plan *domain.Plan) error { return s.reviseSettings(plan, req, baselines) })
		if err != nil {
			return nil, err
		}
		plan, err := wholePlan(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		out, err := scheduleProto(plan, s.today())
		if err != nil {
			return nil, err
		}
		return out, s.refresh(ctx, tx, p)
	})
}

func (s *Server) reviseSettings(plan *domain.Plan, req *projectsv1.UpdateScheduleRequest, baselines []*domain.Baseline) error {
	x, patch := plan.Settings, req.GetSchedule()
	if err := platform.CheckEtag(x.Name(), patch.GetEtag(), x.Version); err != nil {
		return err
	}
	m, err := platform.UpdateMask("schedule", settingsProto(x), patch, req.GetUpdateMask())
	if err != nil {
		return err
	}
	settings := domain.Settings{Calendar: childID(m.GetCalendar()), Zone: m.GetTimeZone(), Status: civil.Date(m.GetStatusDate()), Baseline: childID(m.GetBaseline())}
	if settings.Start, err = localTime("schedule.plan_start_time", m.GetPlanStartTime()); err != nil {
		return err
	}
	project := plan.Project.ID
	if !sameProject(project, m.GetCalendar()) {
		return domain.CalendarAbsent("schedule.calendar", project, settings.Calendar)
	}
	if !sameProject(project, m.GetBaseline()) {
		return errs.InvalidField(domain.BaselineUnknown, "schedule.baseline", "%s is not a baseline of the project", m.GetBaseline())
	}
	known := make([]string, len(baselines))
	for i, b := range baselines {
		known[i] = b.ID
	}
	return x.Revise(plan.Project, settings, plan.Calendars, known, s.now())
}
