package rpc

import (
	"context"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// planParts reads all of a plan but its tasks.
func planParts(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Plan, error) {
	out := &domain.Plan{Project: p}
	var err error
	if out.Settings, err = store.Schedule(ctx, tx, p); err != nil {
		return nil, err
	}
	if out.Calendars, err = store.AllCalendars(ctx, tx, p.ID); err != nil {
		return nil, err
	}
	out.Resources, err = store.AllResources(ctx, tx, p.ID)
	return out, err
}

// wholePlan reads all of a plan.
func wholePlan(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Plan, error) {
	out, err := planParts(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	out.Tasks, err = store.AllTasks(ctx, tx, p.ID)
	return out, err
}

// openPlan is wholePlan for a change: the tasks may come from memory.
func (s *Server) openPlan(ctx context.Context, tx *sqldb.Tx, p *domain.Project) (*domain.Plan, error) {
	plan, err := planParts(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	if plan.Settings.Token != "" {
		if known := s.plans.take(p.ID, plan.Settings.Token); known != nil {
			plan.Tasks, plan.Engine = known.Tasks, known.Engine
			return plan, nil
		}
	}
	plan.Tasks, err = store.AllTasks(ctx, tx, p.ID)
	return plan, err
}

// replan reads the whole plan, lets change alter it, recomputes it, and stores
// what was computed and the tasks that are new. Storing what people wrote of the
// others is left to the caller.
func (s *Server) replan(ctx context.Context, tx *sqldb.Tx, p *domain.Project, change func(plan *domain.Plan) error) error {
	return s.replanTasks(ctx, tx, p, func(plan *domain.Plan) ([]*domain.Task, error) { return nil, change(plan) })
}

// replanTasks is replan for a change of tasks that are there, which change
// returns, and of nothing else: it may be computed incrementally.
func (s *Server) replanTasks(ctx context.Context, tx *sqldb.Tx, p *domain.Project, change func(plan *domain.Plan) ([]*domain.Task, error)) error {
	plan, err := s.openPlan(ctx, tx, p)
	if err != nil {
		return err
	}
	before := store.ComputedOf(plan.Tasks)
	changed, err := change(plan)
	if err != nil {
		return err
	}
	if err := plan.Recompute(changed...); err != nil {
		return err
	}
	plan.Settings.Moved(s.newID())
	store.SaveSchedule(tx, plan.Settings)
	store.SaveTimes(tx, plan.Tasks, before)
	s.plans.keep(plan)
	return nil
}

// recompute computes a plan anew after something but its tasks has changed.
func (s *Server) recompute(ctx context.Context, tx *sqldb.Tx, p *domain.Project) error {
	return s.replan(ctx, tx, p, func(*domain.Plan) error { return nil })
}

// fewTasks is up to how many tasks are looked up in a baseline one by one.
const fewTasks = 20

// showVariances tells of tasks how they stand to the project's baseline.
func showVariances(ctx context.Context, tx *sqldb.Tx, p *domain.Project, tasks []*domain.Task, out []*projectsv1.Task) error {
	settings, err := store.Schedule(ctx, tx, p)
	if err != nil {
		return err
	}
	baseline, err := store.CurrentBaseline(ctx, tx, settings)
	if err != nil || baseline == "" || len(tasks) == 0 {
		return err
	}
	then := map[string]domain.BaselineTask{}
	if len(tasks) <= fewTasks {
		for _, t := range tasks {
			if was, known, err := store.InBaseline(ctx, tx, baseline, t.ID); err != nil {
				return err
			} else if known {
				then[t.ID] = was
			}
		}
	} else {
		all, err := store.AllBaselineTasks(ctx, tx, baseline)
		if err != nil {
			return err
		}
		for _, was := range all {
			then[was.Task] = was
		}
	}
	plan, err := planParts(ctx, tx, p)
	if err != nil {
		return err
	}
	for i, t := range tasks {
		was, known := then[t.ID]
		if !known {
			continue
		}
		v, err := plan.VarianceOf(t, was)
		if err != nil {
			return err
		}
		out[i].BaselineVariance = varianceProto(p.ID, baseline, v)
	}
	return nil
}
