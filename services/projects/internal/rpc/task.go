package rpc

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

// CreateTask adds a task to the plan.
func (s *Server) CreateTask(ctx context.Context, req *projectsv1.CreateTaskRequest) (*projectsv1.Task, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	work, err := workOf(project, req.GetTask())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Task, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		t, err := domain.NewTask(s.newID(), p, work, s.now())
		if err != nil {
			return nil, err
		}
		err = s.replan(ctx, tx, p, func(plan *domain.Plan) error {
			plan.Tasks = append(plan.Tasks, t)
			return plan.CheckReferences(t)
		})
		if err != nil {
			return nil, err
		}
		return taskProto(t, s.today()), s.refresh(ctx, tx, p)
	})
}

// BatchCreateTasks adds many tasks to the plan.
func (s *Server) BatchCreateTasks(ctx context.Context, req *projectsv1.BatchCreateTasksRequest) (*projectsv1.BatchCreateTasksResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	path := func(i int) string { return fmt.Sprintf("tasks[%d]", i) }
	works := make([]domain.Work, len(req.GetTasks()))
	standIns := map[string]int{} // which task of the batch an id stands for
	for i, m := range req.GetTasks() {
		if name := m.GetName(); name != "" {
			if _, twice := standIns[childID(name)]; twice || !sameProject(project, name) {
				return nil, errs.InvalidField(errs.InvalidRequest, path(i)+".name", "must be of the project, and stand once")
			}
			standIns[childID(name)] = i
		}
		if works[i], err = workOf(project, m); err != nil {
			return nil, inItem(err, "task", path(i))
		}
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BatchCreateTasksResponse, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		made := make([]*domain.Task, len(works))
		for i, w := range works {
			w.Links = slices.Clone(w.Links) // they may be needed once more
			if made[i], err = domain.NewTask(s.newID(), p, w, s.now()); err != nil {
				return nil, inItem(err, "task", path(i))
			}
		}
		actual := func(id *string) {
			if i, stands := standIns[*id]; stands {
				*id = made[i].ID
			}
		}
		for _, t := range made {
			actual(&t.Parent)
			for k := range t.Links {
				actual(&t.Links[k].Task)
			}
		}
		err = s.replan(ctx, tx, p, func(plan *domain.Plan) error {
			plan.Tasks = append(plan.Tasks, made...)
			for i, t := range made {
				if err := plan.CheckReferences(t); err != nil {
					return inItem(err, "task", path(i))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out := &projectsv1.BatchCreateTasksResponse{}
		for _, t := range made {
			out.Tasks = append(out.Tasks, taskProto(t, s.today()))
		}
		return out, s.refresh(ctx, tx, p)
	})
}

// GetTask reads a task.
func (s *Server) GetTask(ctx context.Context, req *projectsv1.GetTaskRequest) (*projectsv1.Task, error) {
	project, id, err := childOf("tasks", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Task, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, under(req.GetName(), err)
		}
		t, err := store.Task(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		out := []*projectsv1.Task{taskProto(t, s.today())}
		return out[0], showVariances(ctx, tx, p, []*domain.Task{t}, out)
	})
}

// ListTasks lists the plan.
func (s *Server) ListTasks(ctx context.Context, req *projectsv1.ListTasksRequest) (*projectsv1.ListTasksResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	list, err := store.Tasks.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	today := s.today()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListTasksResponse, error) {
		p, err := seeProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		items, next, err := store.ListTasks(ctx, tx, list, project)
		if err != nil {
			return nil, err
		}
		out := &projectsv1.ListTasksResponse{NextPageToken: next}
		for _, t := range items {
			out.Tasks = append(out.Tasks, taskProto(t, today))
		}
		return out, showVariances(ctx, tx, p, items, out.Tasks)
	})
}

// UpdateTask changes a task and recomputes the plan. The partner in charge of it
// reports what has been done, and changes nothing else.
func (s *Server) UpdateTask(ctx context.Context, req *projectsv1.UpdateTaskRequest) (*projectsv1.Task, error) {
	patch := req.GetTask()
	project, _, err := childOf("tasks", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Task, error) {
		p, err := lockShared(ctx, tx, project, patch.GetName())
		if err != nil {
			return nil, err
		}
		out, err := s.alterTasks(ctx, tx, p, []*projectsv1.UpdateTaskRequest{req}, false)
		if err != nil {
			return nil, err
		}
		return out[0], s.refresh(ctx, tx, p)
	})
}

// BatchUpdateTasks changes many tasks.
func (s *Server) BatchUpdateTasks(ctx context.Context, req *projectsv1.BatchUpdateTasksRequest) (*projectsv1.BatchUpdateTasksResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i, r := range req.GetRequests() {
		name := r.GetTask().GetName()
		if seen[name] || !sameProject(project, name) || name == "" {
			return nil, errs.InvalidField(errs.InvalidRequest, fmt.Sprintf("requests[%d].task.name", i), "must be of the project, and stand once")
		}
		seen[name] = true
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.BatchUpdateTasksResponse, error) {
		p, err := lockShared(ctx, tx, project, req.GetParent())
		if err != nil {
			return nil, err
		}
		out, err := s.alterTasks(ctx, tx, p, req.GetRequests(), true)
		if err != nil {
			return nil, err
		}
		return &projectsv1.BatchUpdateTasksResponse{Tasks: out}, s.refresh(ctx, tx, p)
	})
}

// alterTasks changes tasks of a locked project, each of which stands once, and
// recomputes the plan. Of a batch, errors tell the place.
func (s *Server) alterTasks(ctx context.Context, tx *sqldb.Tx, p *domain.Project, changes []*projectsv1.UpdateTaskRequest, batch bool) ([]*projectsv1.Task, error) {
	changed := make([]*domain.Task, len(changes))
	was := make([]int64, len(changes))
	err := s.replanTasks(ctx, tx, p, func(plan *domain.Plan) ([]*domain.Task, error) {
		byID := make(map[string]*domain.Task, len(plan.Tasks))
		for _, t := range plan.Tasks {
			byID[t.ID] = t
		}
		for i, r := range changes {
			t := byID[childID(r.GetTask().GetName())]
			if t == nil {
				return nil, errs.AbsentResource(r.GetTask().GetName())
			}
			changed[i], was[i] = t, t.Version
			err := s.reviseTask(ctx, plan, t, r)
			if err != nil && batch {
				err = inItem(err, "", fmt.Sprintf("requests[%d].", i))
			}
			if err != nil {
				return nil, err
			}
		}
		return changed, nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]*projectsv1.Task, len(changed))
	for i, t := range changed {
		if err := store.SaveTask(ctx, tx, t, was[i]); err != nil {
			return nil, err
		}
		out[i] = taskProto(t, s.today())
	}
	return out, showVariances(ctx, tx, p, changed, out)
}

func (s *Server) reviseTask(ctx context.Context, plan *domain.Plan, t *domain.Task, req *projectsv1.UpdateTaskRequest) error {
	p := plan.Project
	if err := requireCharge(ctx, p, t.Organisation); err != nil {
		return err
	}
	if err := platform.CheckEtag(t.Name(), req.GetTask().GetEtag(), t.Version); err != nil {
		return err
	}
	current := taskProto(t, s.today())
	current.ProgressPercent = t.Progress // what was written, not a summary's
	m, err := platform.UpdateMask("task", current, req.GetTask(), req.GetUpdateMask())
	if err != nil {
		return err
	}
	work, err := workOf(p.ID, m)
	if err != nil {
		return err
	}
	if !t.OnlyReports(work) {
		if err := requireLead(ctx, p); err != nil {
			return err
		}
	}
	if err := t.Revise(p, work, s.now()); err != nil {
		return err
	}
	return plan.CheckReferences(t)
}

// DeleteTask deletes a task that nothing needs.
func (s *Server) DeleteTask(ctx context.Context, req *projectsv1.DeleteTaskRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("tasks", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, t, err := lockChild(ctx, tx, project, id, req.GetName(), req.GetEtag(), store.Task)
		if err != nil {
			return nil, err
		}
		if err := p.Writable(); err != nil {
			return nil, err
		}
		users, err := store.TaskNeededBy(ctx, tx, t)
		if err != nil {
			return nil, err
		}
		err = s.replan(ctx, tx, p, func(plan *domain.Plan) error {
			users = append(users, domain.UsersOf(t, plan.Tasks)...)
			if len(users) > 0 {
				return domain.InUse(domain.TaskInUse, t.Name(), users)
			}
			plan.Tasks = slices.DeleteFunc(plan.Tasks, func(x *domain.Task) bool { return x.ID == id })
			return nil
		})
		if err != nil {
			return nil, err
		}
		if err := store.DeleteTask(ctx, tx, t, t.Version); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, s.refresh(ctx, tx, p)
	})
}
