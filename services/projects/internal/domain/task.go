package domain

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// Task is one element of a project's work breakdown.
type Task struct {
	ID      string `json:"-"`
	Project string `json:"-"` // id
	Stamp
	Work
	// Times are computed by Reschedule; the stamp does not cover them.
	Times Times `json:"-"`
	// Done is the progress to show: the task's own, or its subtasks'.
	Done int32 `json:"-"`
}

// Times is what is computed for a task: days, and its total float in working
// days.
type Times struct {
	Start, Finish         civil.Date // early
	LateStart, LateFinish civil.Date
	Float                 int
	Critical, Summary     bool
}

// Work is what people write about a task.
type Work struct {
	Title        Text       `json:"title"`
	Parent       string     `json:"parent,omitempty"` // id
	Duration     int32      `json:"duration,omitempty"`
	NotBefore    civil.Date `json:"notBefore,omitempty"`
	Links        []Link     `json:"links,omitempty"`
	Organisation string     `json:"-"`
	Assignee     string     `json:"assignee,omitempty"`
	Progress     int32      `json:"progress,omitempty"`
	ActualStart  civil.Date `json:"actualStart,omitempty"`
	ActualFinish civil.Date `json:"actualFinish,omitempty"`
}

// Link is a finish-to-start link from a predecessor, by its id.
type Link struct {
	Task string `json:"task"`
	Lag  int32  `json:"lag,omitempty"`
}

// Name returns the resource name.
func (t *Task) Name() string { return TaskName(t.Project, t.ID) }

// TaskName returns the resource name of a task.
func TaskName(project, id string) string { return ids.Name("projects", project, "tasks", id) }

// Complete reports whether nothing is left to do.
func (t *Task) Complete() bool { return t.Done == 100 }

// Late reports whether the planned finish is past and the task is not complete.
func (t *Task) Late(today civil.Date) bool { return !t.Complete() && t.Times.Finish < today }

// Check returns what is wrong with a task by itself.
func (w *Work) Check(p *Project, today civil.Date) error {
	if err := first(w.Title.require("task.title"), optionalDate("task.not_before_date", w.NotBefore),
		optionalDate("task.actual_start_date", w.ActualStart), optionalDate("task.actual_finish_date", w.ActualFinish),
		p.RequirePartner("task.organisation", w.Organisation)); err != nil {
		return err
	}
	switch {
	case w.ActualStart > today:
		return errs.InvalidField(ProgressWrong, "task.actual_start_date", "%s is in the future", w.ActualStart)
	case w.ActualFinish > today:
		return errs.InvalidField(ProgressWrong, "task.actual_finish_date", "%s is in the future", w.ActualFinish)
	case w.ActualFinish != "" && w.ActualStart == "":
		return errs.InvalidField(ProgressWrong, "task.actual_start_date", "must be given where actual_finish_date is")
	case w.ActualFinish != "" && w.ActualFinish < w.ActualStart:
		return errs.InvalidField(ProgressWrong, "task.actual_finish_date", "must not be before actual_start_date")
	case w.ActualFinish != "" && w.Progress != 100:
		return errs.InvalidField(ProgressWrong, "task.progress_percent", "must be 100 where actual_finish_date is given")
	}
	seen := map[string]bool{}
	for i, l := range w.Links {
		if seen[l.Task] {
			return errs.InvalidField(errs.InvalidRequest, fmt.Sprintf("task.predecessors[%d].task", i), "stands twice")
		}
		seen[l.Task] = true
	}
	return nil
}

// A plan that counts in days has days of eight hours, Monday to Friday.
const minutesPerDay = 8 * 60

func officeWeek() schedule.Calendar {
	c := schedule.Standard("days")
	c.Italian = false
	return c
}

// Reschedule computes the times and the progress of all tasks of a project.
func Reschedule(p *Project, tasks []*Task) error {
	in := make([]schedule.Task, len(tasks))
	byID := make(map[string]*Task, len(tasks))
	for i, t := range tasks {
		byID[t.ID] = t
		in[i] = schedule.Task{ID: t.ID, Parent: t.Parent, Duration: int(t.Duration) * minutesPerDay}
		if t.NotBefore != "" {
			in[i].Constraint = schedule.Constraint{Type: schedule.StartNoEarlierThan, At: schedule.At(t.NotBefore, 0)}
			if t.Duration == 0 { // reached at the end of that day
				in[i].Constraint.At = schedule.At(t.NotBefore, 17*60)
			}
		}
		for _, l := range t.Links {
			in[i].Links = append(in[i].Links, schedule.Link{Predecessor: l.Task, Lag: int(l.Lag) * minutesPerDay})
		}
	}
	summary := map[string]bool{}
	for _, t := range tasks {
		summary[t.Parent] = t.Parent != ""
	}
	for _, t := range tasks {
		if summary[t.ID] && (len(t.Links) > 0 || t.NotBefore != "") {
			return summaryError(t.Name())
		}
		for _, l := range t.Links {
			if summary[l.Task] {
				return summaryError(TaskName(p.ID, l.Task))
			}
		}
	}
	times, err := schedule.Compute(schedule.Settings{
		Start: schedule.At(p.Start, 0), Calendar: "days", Calendars: []schedule.Calendar{officeWeek()},
	}, in)
	if err != nil {
		return scheduleError(p, err)
	}
	for i, t := range tasks {
		x := &times[i]
		t.Times = Times{
			Start: x.EarlyStart.Date(), Finish: x.EarlyFinish.Date(), LateStart: x.LateStart.Date(), LateFinish: x.LateFinish.Date(),
			Float: x.TotalFloat / minutesPerDay, Critical: x.Critical, Summary: x.Summary,
		}
		if x.Summary && (t.ActualStart != "" || t.ActualFinish != "") {
			return summaryError(t.Name())
		}
	}
	sumProgress(tasks, byID)
	return nil
}

func summaryError(name string) error {
	return errs.New(errs.FailedPrecondition, SummaryTask,
		"%s has subtasks: it can have no links and no dates of its own", name).With("resource", name)
}

func scheduleError(p *Project, err error) error {
	if e, ok := errors.AsType[*schedule.CycleError](err); ok {
		names := make([]string, len(e.Tasks))
		for i, id := range e.Tasks {
			names[i] = TaskName(p.ID, id)
		}
		return errs.New(errs.FailedPrecondition, TaskCycle,
			"the tasks would go round in a circle: %s → %s", strings.Join(names, " → "), names[0]).With("tasks", strings.Join(names, ","))
	}
	if e, ok := errors.AsType[*schedule.UnknownError](err); ok {
		return errs.New(errs.FailedPrecondition, TaskUnknown, "%s refers to %s, which is not a task of the project",
			TaskName(p.ID, e.Task), TaskName(p.ID, e.Reference)).With("resource", TaskName(p.ID, e.Reference))
	}
	if e, ok := errors.AsType[*schedule.SummaryError](err); ok {
		return summaryError(TaskName(p.ID, e.Task))
	}
	return errs.New(errs.FailedPrecondition, ScheduleRange, "%s", err)
}

// mean is a weighted mean of progress. Where everything has no duration, each
// task counts the same. It is 100 only where nothing is left to do: a milestone
// weighs nothing, and yet the work is not done before it is reached.
type mean struct {
	weight, done, count, plain int64
	left                       bool
}

func (m *mean) add(t *Task) {
	m.weight += int64(t.Duration)
	m.done += int64(t.Duration) * int64(t.Progress)
	m.count++
	m.plain += int64(t.Progress)
	m.left = m.left || t.Progress < 100
}

func (m mean) percent() int32 {
	most := int32(100)
	if m.left {
		most = 99
	}
	switch {
	case m.weight > 0:
		return min(most, int32(m.done/m.weight))
	case m.count > 0:
		return int32(m.plain / m.count)
	}
	return 0
}

func sumProgress(tasks []*Task, byID map[string]*Task) {
	sums := map[string]*mean{}
	for _, t := range tasks {
		if t.Times.Summary {
			continue
		}
		t.Done = t.Progress
		for up := t.Parent; up != ""; up = byID[up].Parent {
			if sums[up] == nil {
				sums[up] = &mean{}
			}
			sums[up].add(t)
		}
	}
	for id, m := range sums {
		byID[id].Done = m.percent()
	}
}

// Progress is the progress of a whole plan: the mean over the tasks that are not
// summaries, weighted by planned duration, rounded down. It is false without
// tasks.
func Progress(tasks []*Task) (percent int32, ok bool) {
	var m mean
	for _, t := range tasks {
		if !t.Times.Summary {
			m.add(t)
		}
	}
	return m.percent(), m.count > 0
}

// UsersOf names the tasks that need a task: its subtasks and its successors.
func UsersOf(task *Task, tasks []*Task) []string {
	var out []string
	for _, t := range tasks {
		uses := t.Parent == task.ID
		for _, l := range t.Links {
			uses = uses || l.Task == task.ID
		}
		if uses {
			out = append(out, t.Name())
		}
	}
	return out
}

// InUse is the error for something that others need.
func InUse(reason errs.Reason, name string, users []string) error {
	return errs.New(errs.FailedPrecondition, reason, "%s is needed by %s", name, strings.Join(users, ", ")).
		With("resource", name).With("users", strings.Join(users, ","))
}

// NewTask makes a task.
func NewTask(id string, p *Project, w Work, now time.Time) (*Task, error) {
	if err := first(p.Writable(), w.Check(p, civil.Of(now))); err != nil {
		return nil, err
	}
	return &Task{ID: id, Project: p.ID, Stamp: NewStamp(now), Work: w}, nil
}

// OnlyReports reports whether w says no more of the task than what has been done
// of it.
func (t *Task) OnlyReports(w Work) bool {
	plan := t.Work
	plan.Progress, plan.ActualStart, plan.ActualFinish = w.Progress, w.ActualStart, w.ActualFinish
	return reflect.DeepEqual(plan, w)
}

// Revise replaces what people write.
func (t *Task) Revise(p *Project, w Work, now time.Time) error {
	if err := first(p.Writable(), w.Check(p, civil.Of(now))); err != nil {
		return err
	}
	t.Work = w
	t.Touch(now)
	return nil
}
