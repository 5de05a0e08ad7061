package mspdi

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Read reads a document within the default limits. The error is an *Error,
// except where the reader itself fails.
func Read(from io.Reader) (*Plan, error) { return ReadWithin(from, DefaultLimits) }

// ReadWithin reads a document within limits.
func ReadWithin(from io.Reader, limits Limits) (*Plan, error) {
	r := &reader{walker: newWalker(from, limits), fields: map[int64]string{},
		plan: &Plan{CalendarUID: NoCalendar, MinutesPerDay: 480}, gone: map[int64]string{}}
	if err := r.root(); err != nil {
		return nil, err
	}
	if err := r.each(r.project); err != nil {
		return nil, err
	}
	for { // nothing may follow
		t, err := r.xml.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		r.guard.pending = 0
		if text, is := t.(textToken); err != nil || is && strings.TrimSpace(string(text)) != "" {
			return nil, r.fail(Malformed, "something follows the end of the document")
		} else if _, is := t.(startToken); is {
			return nil, r.fail(Malformed, "a second element follows the document's")
		}
	}
	if err := r.settle(); err != nil {
		return nil, err
	}
	r.plan.Dropped = r.drops.list
	return r.plan, nil
}

// reader reads a document.
type reader struct {
	*walker
	plan   *Plan
	fields map[int64]string // alias of each custom field
	gone   map[int64]string // UIDs of tasks that are not held, and why
	links  int
	// attributes that came before their definitions are resolved at the end.
	values []custom
}

type custom struct {
	resource bool // of a resource, otherwise of a task
	at       int  // which of them
	field    int64
	text     string
	line     int
}

func (r *reader) project(name string) error {
	p := r.plan
	switch name {
	case "Name":
		return r.words(&p.Name)
	case "Title":
		return r.words(&p.Title)
	case "StartDate":
		return r.moment(&p.Start)
	case "FinishDate":
		return r.moment(&p.Finish)
	case "StatusDate":
		return r.moment(&p.Status)
	case "ScheduleFromStart":
		start := true
		err := r.flag(&start)
		p.FromFinish = !start
		return err
	case "CalendarUID":
		return r.integer(&p.CalendarUID)
	case "HonorConstraints":
		return r.flag(&p.Honour)
	case "MinutesPerDay":
		return r.integer(&p.MinutesPerDay)
	case "Calendars":
		return r.all("Calendar", r.calendar)
	case "Tasks":
		return r.all("Task", r.task)
	case "Resources":
		return r.all("Resource", r.resource)
	case "Assignments":
		return r.all("Assignment", r.assignment)
	case "ExtendedAttributes":
		return r.all("ExtendedAttribute", r.definition)
	}
	return r.other(name)
}

// all reads the elements of a list.
func (r *reader) all(of string, read func() error) error {
	return r.each(func(name string) error {
		if name != of {
			return r.other(name)
		}
		r.uid = 0
		err := read()
		r.uid = 0
		return err
	})
}

func (r *reader) definition() error {
	var id int64
	var alias string
	err := r.each(func(name string) error {
		switch name {
		case "FieldID":
			return r.integer(&id)
		case "Alias":
			return r.words(&alias)
		}
		return r.skip()
	})
	if alias != "" {
		r.fields[id] = alias
	}
	return err
}

func (r *reader) task() error {
	if len(r.plan.Tasks) >= r.limits.Tasks {
		return r.fail(TooLarge, "the plan has more than %d tasks", r.limits.Tasks)
	}
	t := Task{CalendarUID: NoCalendar, Priority: 500, Line: r.line(), UID: -1}
	var null, external, subproject, active, format = false, false, false, true, int64(0)
	var manualStart, manualFinish time.Time
	hasManualDuration, manualMinutes := false, int64(0)
	at := len(r.plan.Tasks)
	err := r.each(func(name string) error {
		switch name {
		case "UID":
			err := r.integer(&t.UID)
			r.uid = max(t.UID, 0)
			return err
		case "IsNull":
			return r.flag(&null)
		case "ExternalTask":
			return r.flag(&external)
		case "IsSubproject":
			return r.flag(&subproject)
		case "Active":
			return r.flag(&active)
		case "DurationFormat":
			return r.integer(&format)
		case "ManualStart":
			return r.moment(&manualStart)
		case "ManualFinish":
			return r.moment(&manualFinish)
		case "ManualDuration":
			hasManualDuration = true
			return r.minutes(&manualMinutes)
		case "PredecessorLink":
			return r.link(&t)
		case "Baseline":
			return r.baseline(&t)
		case "ExtendedAttribute":
			return r.attribute(custom{at: at})
		}
		return r.taskValue(&t, name)
	})
	if err != nil {
		return err
	}
	t.Elapsed = elapsedFormat(format)
	if t.Manual {
		if t.Start.IsZero() {
			t.Start = manualStart
		}
		if t.Finish.IsZero() {
			t.Finish = manualFinish
		}
		if hasManualDuration && manualMinutes > 0 {
			t.Minutes = manualMinutes
		}
	}
	why := ""
	switch {
	case null:
		why = "the row is empty"
	case t.UID == 0 && t.level == 0:
		why = rootTask
	case t.UID == 0:
		why = "UID 0 is kept for the summary of the whole project"
	case !active:
		why = "the task is inactive"
	case external:
		why = "the task is of another project"
	case subproject:
		why = "the row stands for another project's file"
	}
	if t.UID < 0 && !null {
		return r.fail(Broken, "the task at line %d has no UID", t.Line)
	}
	if why != "" {
		r.forget(&t, why)
		return nil
	}
	if t.Minutes < 0 {
		return r.broken("the duration is negative")
	}
	r.plan.Tasks = append(r.plan.Tasks, t)
	return nil
}

// rootTask is why the summary of the whole plan is not a task: it is the project.
const rootTask = "it is the summary of the whole project"

// forget notes a task that is not held; the project's own summary loses nothing.
func (r *reader) forget(t *Task, why string) {
	if t.UID >= 0 {
		if _, twice := r.gone[t.UID]; !twice {
			r.gone[t.UID] = why
		}
	}
	r.values = slices.DeleteFunc(r.values, func(c custom) bool { return !c.resource && c.at == len(r.plan.Tasks) })
	if why != rootTask {
		r.drops.add("Project/Tasks/Task", why, t.Line, max(t.UID, 0))
	}
}

func (r *reader) taskValue(t *Task, name string) error {
	switch name {
	case "GUID":
		err := r.words(&t.GUID)
		t.GUID = strings.ToLower(strings.Trim(t.GUID, "{}"))
		return err
	case "Name":
		return r.words(&t.Name)
	case "Notes":
		return r.words(&t.Notes)
	case "OutlineLevel":
		return r.within(&t.level, 0, 1_000)
	case "Summary":
		return r.flag(&t.Summary)
	case "Milestone":
		return r.flag(&t.Milestone)
	case "Critical":
		return r.flag(&t.Critical)
	case "Manual":
		return r.flag(&t.Manual)
	case "Duration":
		return r.minutes(&t.Minutes)
	case "Priority":
		return r.within(&t.Priority, 0, 1_000)
	case "ConstraintType":
		n := 0
		err := r.within(&n, 0, 7)
		t.Constraint = Constraint(n)
		return err
	case "ConstraintDate":
		return r.moment(&t.ConstraintDate)
	case "Deadline":
		return r.moment(&t.Deadline)
	case "CalendarUID":
		return r.integer(&t.CalendarUID)
	case "PercentComplete":
		return r.within(&t.Percent, 0, 100)
	case "ActualStart":
		return r.moment(&t.ActualStart)
	case "ActualFinish":
		return r.moment(&t.ActualFinish)
	case "Work":
		return r.minutes(&t.Work)
	case "LevelingDelay":
		return r.tenths(&t.LevelingDelay)
	case "Start":
		return r.moment(&t.Start)
	case "Finish":
		return r.moment(&t.Finish)
	case "EarlyStart":
		return r.moment(&t.EarlyStart)
	case "EarlyFinish":
		return r.moment(&t.EarlyFinish)
	case "LateStart":
		return r.moment(&t.LateStart)
	case "LateFinish":
		return r.moment(&t.LateFinish)
	case "TotalSlack":
		return r.tenths(&t.TotalSlack)
	case "FreeSlack":
		return r.tenths(&t.FreeSlack)
	}
	return r.other(name)
}

func (r *reader) link(t *Task) error {
	if r.links++; r.links > r.limits.Links {
		return r.fail(TooLarge, "the plan has more than %d links", r.limits.Links)
	}
	l := Link{Predecessor: -1, Type: FinishStart, line: r.line()}
	var lag, format int64
	var elsewhere bool
	where := ""
	err := r.each(func(name string) error {
		switch name {
		case "PredecessorUID":
			return r.integer(&l.Predecessor)
		case "Type":
			n := 1
			err := r.within(&n, 0, 3)
			l.Type = LinkType(n)
			return err
		case "LinkLag":
			return r.integer(&lag)
		case "LagFormat":
			return r.integer(&format)
		case "CrossProject":
			return r.flag(&elsewhere)
		case "CrossProjectName":
			return r.words(&where)
		}
		return r.other(name)
	})
	if err != nil {
		return err
	}
	if elsewhere {
		r.drops.add("Project/Tasks/Task/PredecessorLink", "the predecessor is of another project", l.line, r.uid)
		return nil
	}
	l.Elapsed, l.Percent = elapsedFormat(format), percentFormat(format)
	switch {
	case l.Percent && (lag < -10_000 || lag > 10_000), lag < -10*maxMinutes || lag > 10*maxMinutes:
		return r.broken("the lag %d of a link is out of range", lag)
	case l.Percent:
		l.Lag = lag
	default:
		l.Lag = lag / 10
	}
	t.Links = append(t.Links, l)
	return nil
}

func (r *reader) baseline(t *Task) error {
	var b Baseline
	err := r.each(func(name string) error {
		switch name {
		case "Number":
			return r.within(&b.Number, 0, 10)
		case "Start":
			return r.moment(&b.Start)
		case "Finish":
			return r.moment(&b.Finish)
		case "Duration":
			return r.minutes(&b.Minutes)
		case "Work":
			return r.minutes(&b.Work)
		}
		return r.other(name)
	})
	if err == nil && !b.Start.IsZero() && !b.Finish.IsZero() {
		if slices.ContainsFunc(t.Baselines, func(x Baseline) bool { return x.Number == b.Number }) {
			return r.broken("baseline %d stands twice", b.Number)
		}
		t.Baselines = append(t.Baselines, b)
	}
	return err
}

func (r *reader) attribute(c custom) error {
	c.line = r.line()
	err := r.each(func(name string) error {
		switch name {
		case "FieldID":
			return r.integer(&c.field)
		case "Value":
			return r.words(&c.text)
		}
		return r.skip()
	})
	if err == nil && c.text != "" && len(r.values) < 10*r.limits.Others {
		r.values = append(r.values, c)
	}
	return err
}

func (r *reader) resource() error {
	x := Resource{UID: -1, MaxUnits: 10_000, CalendarUID: NoCalendar, Type: WorkResource, line: r.line()}
	if len(r.plan.Resources) >= r.limits.Others {
		return r.fail(TooLarge, "the plan has more than %d resources", r.limits.Others)
	}
	null := false
	err := r.each(func(name string) error {
		switch name {
		case "UID":
			err := r.integer(&x.UID)
			r.uid = max(x.UID, 0)
			return err
		case "IsNull":
			return r.flag(&null)
		case "GUID":
			err := r.words(&x.GUID)
			x.GUID = strings.ToLower(strings.Trim(x.GUID, "{}"))
			return err
		case "Name":
			return r.words(&x.Name)
		case "Type":
			n := 1
			err := r.within(&n, 0, 2)
			x.Type = ResourceType(n)
			return err
		case "MaxUnits":
			return r.units(&x.MaxUnits)
		case "CalendarUID":
			return r.integer(&x.CalendarUID)
		case "Code":
			return r.words(&x.Code)
		case "Group":
			return r.words(&x.Group)
		case "ExtendedAttribute":
			return r.attribute(custom{resource: true, at: len(r.plan.Resources)})
		case "Work":
			return r.skip() // the sum of the assignments'
		}
		return r.other(name)
	})
	if err != nil {
		return err
	}
	if x.UID < 0 {
		return r.fail(Broken, "the resource at line %d has no UID", x.line)
	}
	if !null && (x.Name != "" || x.UID != 0) { // UID 0 without a name is the program's "unassigned"
		r.plan.Resources = append(r.plan.Resources, x)
	}
	return nil
}

func (r *reader) assignment() error {
	a := Assignment{Task: -1, Resource: -1, Units: 10_000, line: r.line()}
	if len(r.plan.Assignments) >= r.limits.Others {
		return r.fail(TooLarge, "the plan has more than %d assignments", r.limits.Others)
	}
	err := r.each(func(name string) error {
		switch name {
		case "UID":
			err := r.integer(&r.uid)
			r.uid = max(r.uid, 0)
			return err
		case "TaskUID":
			return r.integer(&a.Task)
		case "ResourceUID":
			return r.integer(&a.Resource)
		case "Units":
			return r.units(&a.Units)
		case "Work":
			return r.minutes(&a.Work)
		case "Baseline":
			return r.skip() // the task has its own
		}
		return r.other(name)
	})
	if err == nil && a.Resource >= 0 { // a negative one is "nobody"
		r.plan.Assignments = append(r.plan.Assignments, a)
	}
	return err
}

// at makes an error about something that was read before.
func at(line int, path, format string, args ...any) error {
	return &Error{Kind: Broken, Line: line, Path: path, Text: fmt.Sprintf(format, args...)}
}

// sortDropped puts the list in the order of the document.
func sortDropped(all []Dropped) {
	slices.SortStableFunc(all, func(a, b Dropped) int { return cmp.Compare(a.Line, b.Line) })
}
