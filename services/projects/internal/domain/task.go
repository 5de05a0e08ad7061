package domain

import (
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
	// Times are computed by Plan.Compute; the stamp does not cover them.
	Times Times `json:"-"`
	// Done is the progress to show: the task's own, or its subtasks'.
	Done int32 `json:"-"`
}

// Work is what people write about a task. Identifiers are those of tasks,
// calendars and resources of the same project.
type Work struct {
	Title         Text          `json:"title"`
	Parent        string        `json:"parent,omitempty"`
	Minutes       int64         `json:"minutes,omitempty"`
	Elapsed       bool          `json:"elapsed,omitempty"`
	Constraint    Constraint    `json:"constraint,omitzero"`
	Deadline      schedule.Time `json:"deadline,omitempty"`
	Calendar      string        `json:"calendar,omitempty"`
	Links         []Link        `json:"links,omitempty"`
	Organisation  string        `json:"-"`
	Assignee      string        `json:"assignee,omitempty"`
	Assignments   []Assignment  `json:"assignments,omitempty"`
	Effort        int64         `json:"effort,omitempty"` // person-minutes
	Priority      int32         `json:"priority,omitempty"`
	LevelledStart schedule.Time `json:"levelledStart,omitempty"`
	Notes         string        `json:"notes,omitempty"`
	Progress      int32         `json:"progress,omitempty"`
	ActualStart   civil.Date    `json:"actualStart,omitempty"`
	ActualFinish  civil.Date    `json:"actualFinish,omitempty"`
}

// Link is a link from a predecessor, by its id.
type Link struct {
	Task    string            `json:"task"`
	Type    schedule.LinkType `json:"type,omitempty"`
	Lag     int64             `json:"lagMinutes,omitempty"`
	Elapsed bool              `json:"elapsed,omitempty"`
}

// Constraint is a demand on a task's dates. Pinned ones win over links.
type Constraint struct {
	Type   schedule.ConstraintType `json:"type,omitempty"`
	At     schedule.Time           `json:"at,omitempty"`
	Pinned bool                    `json:"pinned,omitempty"`
}

// Assignment is a resource at work on a task, in hundredths of one whole.
type Assignment struct {
	Resource string `json:"resource"`
	Units    int32  `json:"units"`
}

// Times are what is computed of a task. It is comparable, so that only what has
// changed is stored.
type Times struct {
	// Start and Finish are the days of the scheduled dates; a milestone falls on
	// the day at whose end it is reached.
	Start, Finish civil.Date
	// The scheduled, early and late dates.
	StartTime, FinishTime   schedule.Time
	EarlyStart, EarlyFinish schedule.Time
	LateStart, LateFinish   schedule.Time
	// Float and FreeFloat are minutes of working time.
	Float, FreeFloat          int64
	Critical, Summary, Missed bool
	// Cause is the id of the task that negative float comes from.
	Cause string
	// Driving are the ids of the predecessors that hold it where it is, with a
	// comma between them.
	Driving string
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
	if err := first(w.Title.require("task.title"), optionalDate("task.actual_start_date", w.ActualStart), optionalDate("task.actual_finish_date", w.ActualFinish),
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
	return first(w.checkLinks(), w.checkConstraint(), w.checkAssignments())
}

func (w *Work) checkLinks() error {
	type key struct {
		task string
		kind schedule.LinkType
	}
	seen := map[key]bool{}
	for i, l := range w.Links {
		if k := (key{l.Task, l.Type}); seen[k] {
			return errs.InvalidField(errs.InvalidRequest, fmt.Sprintf("task.predecessors[%d]", i), "stands twice with the type %s", l.Type)
		} else {
			seen[k] = true
		}
	}
	return nil
}

func (w *Work) checkConstraint() error {
	c := w.Constraint
	dated := c.Type != schedule.ASAP && c.Type != schedule.ALAP
	switch {
	case dated && c.At == 0:
		return errs.InvalidField(ConstraintWrong, "task.constraint.time", "must be given where the constraint is %s", c.Type)
	case !dated && c.At != 0:
		return errs.InvalidField(ConstraintWrong, "task.constraint.time", "must be empty where the constraint is %s", c.Type)
	case c.Pinned && (!dated || c.Type == schedule.StartNoEarlierThan || c.Type == schedule.FinishNoEarlierThan):
		return errs.InvalidField(ConstraintWrong, "task.constraint.pinned", "is not for a constraint that is %s", c.Type)
	}
	return nil
}

func (w *Work) checkAssignments() error {
	seen := map[string]bool{}
	for i, a := range w.Assignments {
		if seen[a.Resource] {
			return errs.InvalidField(errs.InvalidRequest, fmt.Sprintf("task.assignments[%d].resource", i), "stands twice")
		}
		seen[a.Resource] = true
	}
	return nil
}

// mean is a weighted mean of progress. Where everything has no duration, each
// task counts the same. It is 100 only where nothing is left to do: a milestone
// weighs nothing, and yet the work is not done before it is reached.
type mean struct {
	weight, done, count, plain int64
	left                       bool
}

func (m *mean) add(t *Task) {
	m.weight += t.Minutes
	m.done += t.Minutes * int64(t.Progress)
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
