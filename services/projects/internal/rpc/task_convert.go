package rpc

import (
	"errors"
	"fmt"
	"strings"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// linkTypes and constraintTypes are those of the engine by those of the proto.
var (
	linkTypes = map[projectsv1.LinkType]schedule.LinkType{
		projectsv1.LinkType_LINK_TYPE_UNSPECIFIED:   schedule.FS,
		projectsv1.LinkType_LINK_TYPE_FINISH_START:  schedule.FS,
		projectsv1.LinkType_LINK_TYPE_START_START:   schedule.SS,
		projectsv1.LinkType_LINK_TYPE_FINISH_FINISH: schedule.FF,
		projectsv1.LinkType_LINK_TYPE_START_FINISH:  schedule.SF,
	}
	linkProtos = [...]projectsv1.LinkType{
		schedule.FS: projectsv1.LinkType_LINK_TYPE_FINISH_START,
		schedule.SS: projectsv1.LinkType_LINK_TYPE_START_START,
		schedule.FF: projectsv1.LinkType_LINK_TYPE_FINISH_FINISH,
		schedule.SF: projectsv1.LinkType_LINK_TYPE_START_FINISH,
	}
	constraintTypes = map[projectsv1.ConstraintType]schedule.ConstraintType{
		projectsv1.ConstraintType_CONSTRAINT_TYPE_UNSPECIFIED:            schedule.ASAP,
		projectsv1.ConstraintType_CONSTRAINT_TYPE_AS_LATE_AS_POSSIBLE:    schedule.ALAP,
		projectsv1.ConstraintType_CONSTRAINT_TYPE_START_NO_EARLIER_THAN:  schedule.StartNoEarlierThan,
		projectsv1.ConstraintType_CONSTRAINT_TYPE_START_NO_LATER_THAN:    schedule.StartNoLaterThan,
		projectsv1.ConstraintType_CONSTRAINT_TYPE_FINISH_NO_EARLIER_THAN: schedule.FinishNoEarlierThan,
		projectsv1.ConstraintType_CONSTRAINT_TYPE_FINISH_NO_LATER_THAN:   schedule.FinishNoLaterThan,
		projectsv1.ConstraintType_CONSTRAINT_TYPE_MUST_START_ON:          schedule.MustStartOn,
		projectsv1.ConstraintType_CONSTRAINT_TYPE_MUST_FINISH_ON:         schedule.MustFinishOn,
	}
	constraintProtos = inverse(constraintTypes)
)

func inverse[A, B comparable](m map[A]B) map[B]A {
	out := make(map[B]A, len(m))
	for a, b := range m {
		out[b] = a
	}
	return out
}

// wholeUnits is an assignment of one whole resource, in hundredths.
const wholeUnits = 100

func taskProto(t *domain.Task, today civil.Date) *projectsv1.Task {
	x := t.Times
	out := &projectsv1.Task{
		Name: t.Name(), Title: textProto(t.Title), DurationMinutes: t.Minutes, ElapsedDuration: t.Elapsed, DeadlineTime: t.Deadline.String(),
		Organisation: t.Organisation, AssigneeSubject: t.Assignee, WorkMinutes: t.Effort, Priority: t.Priority,
		LevelledStartTime: t.LevelledStart.String(), Notes: t.Notes,
		ProgressPercent: t.Done, ActualStartDate: string(t.ActualStart), ActualFinishDate: string(t.ActualFinish),
		StartTime: x.StartTime.String(), FinishTime: x.FinishTime.String(), StartDate: string(x.Start), FinishDate: string(x.Finish),
		EarlyStartTime: x.EarlyStart.String(), EarlyFinishTime: x.EarlyFinish.String(),
		LateStartTime: x.LateStart.String(), LateFinishTime: x.LateFinish.String(),
		EarlyStartDate: string(x.EarlyStart.Date()), EarlyFinishDate: string(x.EarlyFinish.Date()),
		LateStartDate: string(x.LateStart.Date()), LateFinishDate: string(x.LateFinish.Date()),
		TotalFloatMinutes: x.Float, FreeFloatMinutes: x.FreeFloat, Critical: x.Critical, DeadlineMissed: x.Missed, Summary: x.Summary, Late: t.Late(today),
		CreateTime: timeProto(t.Created), UpdateTime: timeProto(t.Updated), Etag: platform.Etag(t.Version),
	}
	if t.Parent != "" {
		out.ParentTask = domain.TaskName(t.Project, t.Parent)
	}
	if t.Calendar != "" {
		out.Calendar = domain.CalendarName(t.Project, t.Calendar)
	}
	if c := t.Constraint; c.Type != schedule.ASAP {
		out.Constraint = &projectsv1.Constraint{Type: constraintProtos[c.Type], Time: c.At.String(), Pinned: c.Pinned}
	}
	for _, l := range t.Links {
		out.Predecessors = append(out.Predecessors, &projectsv1.Link{Task: domain.TaskName(t.Project, l.Task), Type: linkProtos[l.Type], LagMinutes: l.Lag, Elapsed: l.Elapsed})
	}
	for _, a := range t.Assignments {
		out.Assignments = append(out.Assignments, &projectsv1.Assignment{Resource: domain.ResourceName(t.Project, a.Resource), UnitsPercent: a.Units})
	}
	if x.Driving != "" {
		for _, id := range strings.Split(x.Driving, ",") {
			out.DrivingPredecessors = append(out.DrivingPredecessors, domain.TaskName(t.Project, id))
		}
	}
	if x.Cause != "" {
		out.NegativeFloatCause = domain.TaskName(t.Project, x.Cause)
	}
	return out
}

func varianceProto(project, baseline string, v domain.Variance) *projectsv1.BaselineVariance {
	return &projectsv1.BaselineVariance{Baseline: domain.BaselineName(project, baseline), BaselineStartTime: v.Then.Start.String(),
		BaselineFinishTime: v.Then.Finish.String(), StartMinutes: v.Start, FinishMinutes: v.Finish, DurationMinutes: v.Duration, WorkMinutes: v.Effort}
}

// localTime reads an optional local date-time.
func localTime(path, s string) (schedule.Time, error) {
	if s == "" {
		return 0, nil
	}
	t, err := schedule.ParseTime(s)
	if err != nil {
		return 0, errs.InvalidField(domain.DatesWrong, path, "%s", err)
	}
	return t, nil
}

// workOf reads what people write about a task. Names of things of other projects
// are told as those of absent ones.
func workOf(project string, m *projectsv1.Task) (domain.Work, error) {
	refuse := func(reason errs.Reason, path, what, name string) error {
		return errs.InvalidField(reason, path, "%s is not a %s of the project", name, what)
	}
	w := domain.Work{
		Title: textOf(m.GetTitle()), Parent: childID(m.GetParentTask()), Minutes: m.GetDurationMinutes(), Elapsed: m.GetElapsedDuration(),
		Calendar: childID(m.GetCalendar()), Organisation: m.GetOrganisation(), Assignee: m.GetAssigneeSubject(),
		Effort: m.GetWorkMinutes(), Priority: m.GetPriority(), Notes: m.GetNotes(), Progress: m.GetProgressPercent(),
		ActualStart: civil.Date(m.GetActualStartDate()), ActualFinish: civil.Date(m.GetActualFinishDate()),
	}
	if !sameProject(project, m.GetParentTask()) {
		return w, refuse(domain.TaskUnknown, "task.parent_task", "task", m.GetParentTask())
	}
	if !sameProject(project, m.GetCalendar()) {
		return w, refuse(domain.CalendarUnknown, "task.calendar", "calendar", m.GetCalendar())
	}
	for i, l := range m.GetPredecessors() {
		if !sameProject(project, l.GetTask()) {
			return w, refuse(domain.TaskUnknown, fmt.Sprintf("task.predecessors[%d].task", i), "task", l.GetTask())
		}
		w.Links = append(w.Links, domain.Link{Task: childID(l.GetTask()), Type: linkTypes[l.GetType()], Lag: l.GetLagMinutes(), Elapsed: l.GetElapsed()})
	}
	for i, a := range m.GetAssignments() {
		if !sameProject(project, a.GetResource()) {
			return w, refuse(domain.ResourceUnknown, fmt.Sprintf("task.assignments[%d].resource", i), "resource", a.GetResource())
		}
		units := a.GetUnitsPercent()
		if units == 0 {
			units = wholeUnits
		}
		w.Assignments = append(w.Assignments, domain.Assignment{Resource: childID(a.GetResource()), Units: units})
	}
	c := m.GetConstraint()
	w.Constraint = domain.Constraint{Type: constraintTypes[c.GetType()], Pinned: c.GetPinned()}
	for _, x := range []struct {
		path, text string
		into       *schedule.Time
	}{
		{"task.constraint.time", c.GetTime(), &w.Constraint.At},
		{"task.deadline_time", m.GetDeadlineTime(), &w.Deadline},
		{"task.levelled_start_time", m.GetLevelledStartTime(), &w.LevelledStart},
	} {
		var err error
		if *x.into, err = localTime(x.path, x.text); err != nil {
			return w, err
		}
	}
	return w, nil
}

// inItem says of an error about a task of its own where in a batch that is.
func inItem(err error, from, to string) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return err
	}
	out := e.Under("") // a copy
	out.Message = to + ": " + strings.TrimPrefix(e.Message, from+".")
	for i, f := range e.Fields {
		out.Fields[i].Path = to + strings.TrimPrefix(f.Path, from)
	}
	return out
}
