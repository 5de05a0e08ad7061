package domain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// MaxTasks is how many tasks a plan may have, summaries included.
const MaxTasks = 20_000

// MaxLevels is how many levels a plan may have. It bounds what summing up costs:
// each task counts for all the summaries above it.
const MaxLevels = 100

// Plan is all that a project's dates are computed from.
type Plan struct {
	Project   *Project
	Settings  *Schedule
	Calendars []*Calendar
	Resources []*Resource
	Tasks     []*Task
	// Engine is the plan as it was last computed; nil before.
	Engine *schedule.Plan

	axes map[string]*schedule.Axis // by calendar
}

// Ids of the calendars that a plan has without anybody's doing. Those of people
// are UUIDs.
const (
	standardCalendar = "standard"
	clockCalendar    = "clock" // every minute works
)

// settings are what the engine needs to know of the plan as a whole.
func (p *Plan) settings() schedule.Settings {
	s := schedule.Settings{Start: schedule.At(p.Project.Start, 0), Calendar: p.Settings.Calendar,
		Calendars: []schedule.Calendar{schedule.Standard(standardCalendar), schedule.RoundTheClock(clockCalendar)}}
	if s.Calendar == "" {
		s.Calendar = standardCalendar
	}
	if p.Settings.Start != 0 {
		s.Start = p.Settings.Start
	}
	if p.Settings.Status != "" {
		s.Status = schedule.At(p.Settings.Status, 24*60)
	}
	for _, c := range p.Calendars {
		s.Calendars = append(s.Calendars, c.engine())
	}
	return s
}

// engine is the task as the engine knows it.
func (t *Task) engine() schedule.Task {
	out := schedule.Task{ID: t.ID, Parent: t.Parent, Calendar: t.Calendar, Duration: int(t.Minutes), Work: t.Effort,
		Constraint: schedule.Constraint{Type: t.Constraint.Type, At: t.Constraint.At}, Pinned: t.Constraint.Pinned,
		Deadline: t.Deadline, LevelStart: t.LevelledStart, Progress: int(t.Progress)}
	if t.Elapsed {
		out.Calendar = clockCalendar
	}
	if t.ActualStart != "" {
		out.ActualStart = schedule.At(t.ActualStart, 0)
	}
	if t.ActualFinish != "" {
		out.ActualFinish = schedule.At(t.ActualFinish, 24*60)
	}
	for _, l := range t.Links {
		out.Links = append(out.Links, schedule.Link{Predecessor: l.Task, Type: l.Type, Lag: int(l.Lag), Elapsed: l.Elapsed})
	}
	return out
}

// Compute computes the times and the progress of all tasks.
func (p *Plan) Compute() error {
	if len(p.Tasks) > MaxTasks {
		return errs.New(errs.FailedPrecondition, PlanFull, "the plan would have %d tasks, but may have %d", len(p.Tasks), MaxTasks)
	}
	in := make([]schedule.Task, len(p.Tasks))
	for i, t := range p.Tasks {
		in[i] = t.engine()
	}
	engine, err := schedule.New(p.settings(), in)
	if err != nil {
		return p.engineError(err)
	}
	p.Engine = engine
	return p.read()
}

// fewChanges is up to how many changed tasks the engine is told of one by one.
const fewChanges = 20

// Recompute computes the plan after a change of some tasks and of nothing else;
// without any, or before the first time, all of it anew. Where it fails, the plan
// is of no use any more.
func (p *Plan) Recompute(changed ...*Task) error {
	if p.Engine == nil || len(changed) == 0 || len(changed) > fewChanges {
		return p.Compute()
	}
	for _, t := range changed {
		if err := p.Engine.Update(t.engine()); err != nil {
			return p.engineError(err)
		}
	}
	return p.read()
}

// read takes over what the engine has computed.
func (p *Plan) read() error {
	byID := make(map[string]*Task, len(p.Tasks))
	for _, t := range p.Tasks {
		byID[t.ID] = t
	}
	for _, t := range p.Tasks {
		if err := checkLevels(t, byID); err != nil {
			return err
		}
		x, _ := p.Engine.Times(t.ID)
		t.Times = timesOf(x, p.Engine.Links(t.ID), t.Minutes == 0)
		if !x.Summary {
			continue
		}
		for what, wrong := range map[string]bool{"actual dates": t.ActualStart != "" || t.ActualFinish != "", "assignments": len(t.Assignments) > 0} {
			if wrong {
				return summaryError(t.Name(), "it can have no "+what+" of its own")
			}
		}
	}
	sumProgress(p.Tasks, byID)
	return nil
}

// checkLevels returns an error for a task that is too deep in the outline, which
// has no circles.
func checkLevels(t *Task, byID map[string]*Task) error {
	level := 1
	for up := t.Parent; up != ""; up = byID[up].Parent {
		if level++; level > MaxLevels {
			return errs.New(errs.FailedPrecondition, PlanFull, "%s is more than %d levels deep", t.Name(), MaxLevels).With("resource", t.Name())
		}
	}
	return nil
}

func timesOf(x schedule.Times, links []schedule.LinkTimes, milestone bool) Times {
	out := Times{StartTime: x.Start, FinishTime: x.Finish, EarlyStart: x.EarlyStart, EarlyFinish: x.EarlyFinish,
		LateStart: x.LateStart, LateFinish: x.LateFinish, Float: int64(x.TotalFloat), FreeFloat: int64(x.FreeFloat),
		Critical: x.Critical, Summary: x.Summary, Missed: x.DeadlineMissed, Cause: x.Cause.Task,
		Start: x.Start.Date(), Finish: x.Finish.Date()}
	if milestone && !x.Summary { // reached at the end of a day, not at the beginning of the next
		out.StartTime, out.EarlyStart, out.LateStart, out.Start = x.Finish, x.EarlyFinish, x.LateFinish, x.Finish.Date()
	}
	var driving []string
	for _, l := range links {
		if l.Driving {
			driving = append(driving, l.Predecessor)
		}
	}
	out.Driving = strings.Join(driving, ",")
	return out
}

// CheckReferences returns an error where a task names a calendar or resource that
// the plan does not have.
func (p *Plan) CheckReferences(t *Task) error {
	if t.Calendar != "" && !slices.ContainsFunc(p.Calendars, func(c *Calendar) bool { return c.ID == t.Calendar }) {
		return CalendarAbsent("task.calendar", p.Project.ID, t.Calendar)
	}
	for i, a := range t.Assignments {
		if !slices.ContainsFunc(p.Resources, func(r *Resource) bool { return r.ID == a.Resource }) {
			return errs.InvalidField(ResourceUnknown, fmt.Sprintf("task.assignments[%d].resource", i), "%s is not a resource of the project",
				ResourceName(p.Project.ID, a.Resource))
		}
	}
	return nil
}

// CalendarAbsent is the error for a calendar that is not of the project.
func CalendarAbsent(path, project, id string) error {
	return errs.InvalidField(CalendarUnknown, path, "%s is not a calendar of the project", CalendarName(project, id))
}

func summaryError(name, why string) error {
	return errs.New(errs.FailedPrecondition, SummaryTask, "%s has subtasks: %s", name, why).With("resource", name)
}

// engineError turns what the engine says into what callers are told.
func (p *Plan) engineError(err error) error {
	name := func(id string) string { return TaskName(p.Project.ID, id) }
	if e, ok := errors.AsType[*schedule.CycleError](err); ok {
		names := make([]string, len(e.Tasks))
		for i, id := range e.Tasks {
			names[i] = name(id)
		}
		return errs.New(errs.FailedPrecondition, TaskCycle,
			"the tasks would go round in a circle: %s → %s", strings.Join(names, " → "), names[0]).With("tasks", strings.Join(names, ","))
	}
	if e, ok := errors.AsType[*schedule.UnknownError](err); ok {
		return errs.New(errs.FailedPrecondition, TaskUnknown, "%s refers to %s, which is not a task of the project",
			name(e.Task), name(e.Reference)).With("resource", name(e.Reference))
	}
	if e, ok := errors.AsType[*schedule.SummaryError](err); ok {
		return summaryError(name(e.Task), e.Field+": "+e.Reason)
	}
	if e, ok := errors.AsType[*schedule.LinkError](err); ok {
		return errs.New(errs.FailedPrecondition, LinkWrong, "the link from %s to %s cannot be: %s", name(e.Predecessor), name(e.Task), e.Reason).
			With("resource", name(e.Task)).With("predecessor", name(e.Predecessor))
	}
	if e, ok := errors.AsType[*schedule.TaskError](err); ok {
		return errs.New(errs.FailedPrecondition, ConstraintWrong, "%s: %s: %s", name(e.Task), e.Field, e.Reason).With("resource", name(e.Task))
	}
	if e, ok := errors.AsType[*schedule.RangeError](err); ok {
		return errs.New(errs.FailedPrecondition, ScheduleRange, "%s would reach further than %d years from the project's start",
			name(e.Task), schedule.MaxYears).With("resource", name(e.Task))
	}
	if e, ok := errors.AsType[*schedule.CalendarError](err); ok {
		calendar := CalendarName(p.Project.ID, e.Calendar)
		return errs.New(errs.FailedPrecondition, CalendarWrong, "%s: %s", calendar, e.Reason).With("resource", calendar)
	}
	return err
}

// Start is when the plan starts: the first working minute of the default
// calendar.
func (p *Plan) Start() (schedule.Time, error) {
	s := p.settings()
	axis, err := schedule.NewAxis(s.Start, s.Calendars, s.Calendar)
	if err != nil {
		return 0, p.engineError(err)
	}
	return axis.Start(s.Start), nil
}

// Finish is when all work is done; zero for a plan without tasks.
func (p *Plan) Finish() schedule.Time {
	var out schedule.Time
	for _, t := range p.Tasks {
		out = max(out, t.Times.FinishTime)
	}
	return out
}

// Task returns the task of an id, nil where there is none.
func (p *Plan) Task(id string) *Task {
	for _, t := range p.Tasks {
		if t.ID == id {
			return t
		}
	}
	return nil
}
