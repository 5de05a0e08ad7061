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
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func taskProto(t *domain.Task, today civil.Date) *projectsv1.Task {
	x := t.Times
	out := &projectsv1.Task{
		Name: t.Name(), Title: textProto(t.Title), DurationDays: t.Duration, NotBeforeDate: string(t.NotBefore), Organisation: t.Organisation,
		AssigneeSubject: t.Assignee, ProgressPercent: t.Done, ActualStartDate: string(t.ActualStart), ActualFinishDate: string(t.ActualFinish),
		EarlyStartDate: string(x.Start), EarlyFinishDate: string(x.Finish), LateStartDate: string(x.LateStart), LateFinishDate: string(x.LateFinish),
		TotalFloatDays: int32(x.Float), Critical: x.Critical, Summary: x.Summary, Late: t.Late(today),
		CreateTime: timeProto(t.Created), UpdateTime: timeProto(t.Updated), Etag: platform.Etag(t.Version),
	}
	if t.Parent != "" {
		out.ParentTask = domain.TaskName(t.Project, t.Parent)
	}
	for _, l := range t.Links {
		out.Predecessors = append(out.Predecessors, &projectsv1.Link{Task: domain.TaskName(t.Project, l.Task), LagDays: l.Lag})
	}
	return out
}

// workOf reads what people write about a task. Names of tasks of other projects
// are told as those of absent ones.
func workOf(project string, m *projectsv1.Task) (domain.Work, error) {
	unknown := func(path, name string) error {
		return errs.InvalidField(domain.TaskUnknown, path, "%s is not a task of the project", name)
	}
	w := domain.Work{
		Title: textOf(m.GetTitle()), Parent: childID(m.GetParentTask()), Duration: m.GetDurationDays(), NotBefore: civil.Date(m.GetNotBeforeDate()),
		Organisation: m.GetOrganisation(), Assignee: m.GetAssigneeSubject(), Progress: m.GetProgressPercent(),
		ActualStart: civil.Date(m.GetActualStartDate()), ActualFinish: civil.Date(m.GetActualFinishDate()),
	}
	if !sameProject(project, m.GetParentTask()) {
		return w, unknown("task.parent_task", m.GetParentTask())
	}
	for i, l := range m.GetPredecessors() {
		if !sameProject(project, l.GetTask()) {
			return w, unknown(fmt.Sprintf("task.predecessors[%d].task", i), l.GetTask())
		}
		w.Links = append(w.Links, domain.Link{Task: childID(l.GetTask()), Lag: l.GetLagDays()})
	}
	return w, nil
}

// replan reads the whole plan, lets change alter it, recomputes it, and stores
// what was computed. Storing what people wrote is left to the caller, before a
// delete and after an insert; change returns the plan as it is to be.
func (s *Server) replan(ctx context.Context, tx *sqldb.Tx, p *domain.Project, change func(tasks []*domain.Task) ([]*domain.Task, error)) error {
	tasks, err := store.AllTasks(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	before := store.ComputedOf(tasks)
	if tasks, err = change(tasks); err != nil {
		return err
	}
	if err := domain.Reschedule(p, tasks); err != nil {
		return err
	}
	for _, t := range tasks {
		if _, known := before[t.ID]; !known {
			store.InsertTask(tx, t)
			before[t.ID] = store.ComputedOf([]*domain.Task{t})[t.ID]
		}
	}
	store.SaveTimes(tx, tasks, before)
	return nil
}

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
		if err := s.replan(ctx, tx, p, func(tasks []*domain.Task) ([]*domain.Task, error) { return append(tasks, t), nil }); err != nil {
			return nil, err
		}
		return taskProto(t, s.today()), s.refresh(ctx, tx, p)
	})
}

// GetTask reads a task.
func (s *Server) GetTask(ctx context.Context, req *projectsv1.GetTaskRequest) (*projectsv1.Task, error) {
	project, id, err := childOf("tasks", req.GetName())
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Task, error) {
		if err := seeIn(ctx, tx, project, req.GetName()); err != nil {
			return nil, err
		}
		t, err := store.Task(ctx, tx, project, id)
		if err != nil {
			return nil, err
		}
		return taskProto(t, s.today()), nil
	})
}

// ListTasks lists the plan.
func (s *Server) ListTasks(ctx context.Context, req *projectsv1.ListTasksRequest) (*projectsv1.ListTasksResponse, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	plan, err := store.Tasks.Plan(req, binding(ctx, project)...)
	if err != nil {
		return nil, err
	}
	today := s.today()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.ListTasksResponse, error) {
		if _, err := seeProject(ctx, tx, project); err != nil {
			return nil, err
		}
		items, next, err := store.ListTasks(ctx, tx, plan, project)
		return &projectsv1.ListTasksResponse{NextPageToken: next,
			Tasks: each(items, func(t *domain.Task) *projectsv1.Task { return taskProto(t, today) })}, err
	})
}

// UpdateTask changes a task and recomputes the plan. The partner in charge of it
// reports what has been done, and changes nothing else.
func (s *Server) UpdateTask(ctx context.Context, req *projectsv1.UpdateTaskRequest) (*projectsv1.Task, error) {
	patch := req.GetTask()
	project, id, err := childOf("tasks", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Task, error) {
		p, err := lockShared(ctx, tx, project, patch.GetName())
		if err != nil {
			return nil, err
		}
		var t *domain.Task
		var was int64
		err = s.replan(ctx, tx, p, func(tasks []*domain.Task) ([]*domain.Task, error) {
			i := slices.IndexFunc(tasks, func(t *domain.Task) bool { return t.ID == id })
			if i < 0 {
				return nil, errs.AbsentResource(patch.GetName())
			}
			t = tasks[i]
			was = t.Version
			return tasks, s.reviseTask(ctx, p, t, req)
		})
		if err != nil {
			return nil, err
		}
		if err := store.SaveTask(ctx, tx, t, was); err != nil {
			return nil, err
		}
		return taskProto(t, s.today()), s.refresh(ctx, tx, p)
	})
}

func (s *Server) reviseTask(ctx context.Context, p *domain.Project, t *domain.Task, req *projectsv1.UpdateTaskRequest) error {
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
	return t.Revise(p, work, s.now())
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
		err = s.replan(ctx, tx, p, func(tasks []*domain.Task) ([]*domain.Task, error) {
			users = append(users, domain.UsersOf(t, tasks)...)
			if len(users) > 0 {
				return nil, domain.InUse(domain.TaskInUse, t.Name(), users)
			}
			return slices.DeleteFunc(tasks, func(x *domain.Task) bool { return x.ID == id }), nil
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
