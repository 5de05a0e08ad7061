package interchange

import (
	"encoding/json"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// exporter makes a document of a plan.
type exporter struct {
	plan      *domain.Plan
	out       *mspdi.Plan
	tasks     map[string]int64
	calendars map[string]int64
	resources map[string]int64
}

// standardUID is that of the calendar of a plan that names none.
const standardUID = 1

// To makes a document of a computed plan and its baselines, with their tasks,
// the oldest first.
func To(p *domain.Plan, baselines []*domain.Baseline) (*mspdi.Plan, error) {
	ex := &exporter{plan: p, tasks: map[string]int64{}, calendars: map[string]int64{"": mspdi.NoCalendar}, resources: map[string]int64{},
		out: &mspdi.Plan{Name: p.Project.Acronym, Title: p.Project.Title.Text, MinutesPerDay: 480, CalendarUID: standardUID,
			Finish: toTime(p.Finish()), Status: midnight(p.Settings.Status)}}
	start, err := p.Start()
	if err != nil {
		return nil, err
	}
	ex.out.Start = toTime(start)
	if p.Settings.Start != 0 {
		ex.out.Start = toTime(p.Settings.Start)
	}
	if err := ex.exportCalendars(); err != nil {
		return nil, err
	}
	for i, r := range p.Resources {
		ex.resources[r.ID] = int64(i + 1)
		ex.out.Resources = append(ex.out.Resources, mspdi.Resource{UID: int64(i + 1), GUID: r.ID, Name: r.Title.Text, Type: mspdi.WorkResource,
			MaxUnits: int64(r.Capacity) * 100, CalendarUID: ex.calendars[r.Calendar], Code: r.Subject,
			Attributes: attributes(r.Title, map[string]string{fieldOrganisation: r.Organisation, fieldKind: r.Kind})})
	}
	ex.exportTasks()
	for n, b := range baselines[:min(len(baselines), domain.MaxBaselines)] {
		for _, t := range b.Tasks {
			if uid, known := ex.tasks[t.Task]; known {
				row := &ex.out.Tasks[uid-1]
				row.Baselines = append(row.Baselines, mspdi.Baseline{Number: n, Start: toTime(t.Start), Finish: toTime(t.Finish), Minutes: t.Minutes, Work: t.Effort})
			}
		}
	}
	return ex.out, nil
}

func midnight(d civil.Date) time.Time {
	if d == "" {
		return time.Time{}
	}
	return epoch.AddDate(0, 0, d.Days())
}

// attributes are the custom fields: those of a title, and others that are given.
func attributes(t domain.Text, more map[string]string) map[string]string {
	out := map[string]string{}
	more[fieldLanguage] = t.Language
	if len(t.Translations) > 0 {
		if text, err := json.Marshal(t.Translations); err == nil { // a map of strings always marshals
			more[fieldTranslations] = string(text)
		}
	}
	for alias, value := range more {
		if value != "" {
			out[alias] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// exportTasks writes the tasks in outline order: each before its subtasks, and
// those of one summary in the order of their creation.
func (ex *exporter) exportTasks() {
	children := map[string][]*domain.Task{}
	for _, t := range ex.plan.Tasks {
		children[t.Parent] = append(children[t.Parent], t)
	}
	var order []*domain.Task
	stack := []*domain.Task{}
	push := func(list []*domain.Task) {
		for i := len(list) - 1; i >= 0; i-- {
			stack = append(stack, list[i])
		}
	}
	for push(children[""]); len(stack) > 0; {
		t := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		order = append(order, t)
		ex.tasks[t.ID] = int64(len(order))
		push(children[t.ID])
	}
	for _, t := range order {
		ex.out.Tasks = append(ex.out.Tasks, ex.task(t))
		for _, a := range t.Assignments {
			units := int64(a.Units) * 100
			ex.out.Assignments = append(ex.out.Assignments, mspdi.Assignment{Task: ex.tasks[t.ID], Resource: ex.resources[a.Resource],
				Units: units, Work: t.Minutes * units / 10_000})
		}
	}
}

func (ex *exporter) task(t *domain.Task) mspdi.Task {
	x := t.Times
	out := mspdi.Task{
		UID: ex.tasks[t.ID], GUID: t.ID, Name: t.Title.Text, Notes: t.Notes, Parent: ex.tasks[t.Parent], Summary: x.Summary,
		Minutes: t.Minutes, Elapsed: t.Elapsed, Manual: t.Constraint.Pinned, Milestone: t.Minutes == 0 && !x.Summary, Priority: 500,
		Constraint: constraintNumbers[t.Constraint.Type], ConstraintDate: toTime(t.Constraint.At), Deadline: toTime(t.Deadline),
		CalendarUID: ex.calendars[t.Calendar], Percent: int(t.Done), Work: t.Effort,
		ActualStart: midnight(t.ActualStart), ActualFinish: midnight(t.ActualFinish),
		Start: toTime(x.StartTime), Finish: toTime(x.FinishTime), EarlyStart: toTime(x.EarlyStart), EarlyFinish: toTime(x.EarlyFinish),
		LateStart: toTime(x.LateStart), LateFinish: toTime(x.LateFinish), TotalSlack: x.Float, FreeSlack: x.FreeFloat, Critical: x.Critical,
	}
	if t.Priority != 0 {
		out.Priority = int(t.Priority)
	}
	if t.ActualStart != "" { // the hours are those of the plan: the day alone is known
		out.ActualStart = onDay(t.ActualStart, x.StartTime)
	}
	if t.ActualFinish != "" {
		out.ActualFinish = onDay(t.ActualFinish, x.FinishTime)
	}
	own := map[string]string{fieldOrganisation: t.Organisation, fieldAssignee: t.Assignee, fieldLevelled: t.LevelledStart.String()}
	if t.Constraint.Pinned {
		own[fieldPinned] = "1"
	}
	out.Attributes = attributes(t.Title, own)
	for _, l := range t.Links {
		out.Links = append(out.Links, mspdi.Link{Predecessor: ex.tasks[l.Task], Type: linkNumbers[l.Type], Lag: l.Lag, Elapsed: l.Elapsed})
	}
	return out
}

// onDay is the planned instant where it falls on that day, otherwise the day's
// beginning.
func onDay(d civil.Date, planned schedule.Time) time.Time {
	if planned.Date() == d {
		return toTime(planned)
	}
	return midnight(d)
}
