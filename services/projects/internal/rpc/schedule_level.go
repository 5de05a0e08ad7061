package rpc

import (
	"cmp"
	"context"
	"slices"
	"time"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// levelTime bounds the search for a better levelling; what was found by then is
// the answer.
const levelTime = 5 * time.Second

// LevelSchedule levels a plan. The delays are found outside of any transaction;
// storing them checks that the plan is still the one that they are for.
func (s *Server) LevelSchedule(ctx context.Context, req *projectsv1.LevelScheduleRequest) (*projectsv1.LevelScheduleResponse, error) {
	plan, err := readPlan(ctx, s, req.GetName(), func(ctx context.Context, _ *sqldb.Tx, plan *domain.Plan) (*domain.Plan, error) {
		if err := requireLead(ctx, plan.Project); err != nil {
			return nil, err
		}
		// What applies is checked once more below, where a repeated request has its first answer.
		if v := req.GetPlanVersion(); !req.GetApply() && v != 0 && v != plan.Settings.PlanVersion {
			return nil, errs.Stale(req.GetName())
		}
		return plan, plan.Project.Writable()
	})
	if err != nil {
		return nil, err
	}
	starts := map[string]schedule.Time{}
	out := &projectsv1.LevelScheduleResponse{}
	if !req.GetClear() {
		search, cancel := context.WithTimeout(ctx, levelTime)
		defer cancel()
		levelled, err := plan.Level(search)
		if err != nil {
			return nil, err
		}
		starts = levelled.Starts
		out = levelProto(plan, levelled)
	}
	if !req.GetApply() {
		return out, nil
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.LevelScheduleResponse, error) {
		p, err := lockProject(ctx, tx, plan.Project.ID)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		changed, was := []*domain.Task{}, []int64{}
		err = s.replan(ctx, tx, p, func(now *domain.Plan) error {
			if v := req.GetPlanVersion(); v != 0 && v != now.Settings.PlanVersion {
				return errs.Stale(req.GetName())
			}
			if now.Settings.PlanVersion != plan.Settings.PlanVersion {
				return errs.New(errs.Conflict, errs.ConcurrentUpdate, "the plan was changed by another request at the same time: try again").With("resource", req.GetName())
			}
			for _, t := range now.Tasks {
				if t.LevelledStart != starts[t.ID] {
					changed, was = append(changed, t), append(was, t.Version)
					t.LevelledStart = starts[t.ID]
					t.Touch(s.now())
				}
			}
			return p.Writable()
		})
		if err != nil {
			return nil, err
		}
		for i, t := range changed {
			if err := store.SaveTask(ctx, tx, t, was[i]); err != nil {
				return nil, err
			}
		}
		out.Applied = true
		return out, s.refresh(ctx, tx, p)
	})
}

// mostOverloads is how many of them an answer tells of.
const mostOverloads = 1_000

func levelProto(plan *domain.Plan, x *domain.Levelled) *projectsv1.LevelScheduleResponse {
	project := plan.Project.ID
	out := &projectsv1.LevelScheduleResponse{FinishTime: x.Unlevelled.String(), LevelledFinishTime: x.Finish.String(), MakespanMinutes: x.Makespan,
		LowerBoundMinutes: x.Bound, GapBasisPoints: x.Gap(), MissedDeadlineCount: int32(len(x.Missed))}
	for _, m := range x.Moves {
		out.Tasks = append(out.Tasks, &projectsv1.LevelledTask{Task: domain.TaskName(project, m.Task), StartTime: x.Was[m.Task].String(),
			LevelledStartTime: m.Start.String(), LevelledFinishTime: m.Finish.String(), DelayMinutes: int64(m.Delay), DeadlineMissed: slices.Contains(x.Missed, m.Task)})
	}
	slices.SortStableFunc(out.Tasks, func(a, b *projectsv1.LevelledTask) int {
		return cmp.Compare(a.GetLevelledStartTime(), b.GetLevelledStartTime())
	})
	for _, o := range x.Overloads[:min(len(x.Overloads), mostOverloads)] {
		out.Overloads = append(out.Overloads, &projectsv1.Overload{Resource: domain.ResourceName(project, o.Resource), StartTime: o.From.String(),
			EndTime: o.To.String(), UnitsPercent: int32(o.Units)})
	}
	return out
}
