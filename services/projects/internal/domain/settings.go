package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// DefaultZone is the time zone of a plan that names none.
const DefaultZone = "Europe/Rome"

// Schedule is how a project's plan is scheduled as a whole.
type Schedule struct {
	Project string `json:"-"`
	Stamp
	// PlanVersion counts the changes of the whole plan. The stamp does not cover it.
	PlanVersion int64 `json:"-"`
	// Token is another after each change of the whole plan.
	Token string `json:"-"`
	Settings
}

// Settings are what people write about a schedule.
type Settings struct {
	// Start is when the plan starts; zero for the project's first day.
	Start    schedule.Time `json:"start,omitempty"`
	Calendar string        `json:"calendar,omitempty"` // id
	Zone     string        `json:"zone,omitempty"`     // IANA name
	Status   civil.Date    `json:"status,omitempty"`
	Baseline string        `json:"baseline,omitempty"` // id
}

// Name returns the resource name.
func (s *Schedule) Name() string { return ids.Name("projects", s.Project, "schedule") }

// Moved notes a change of the whole plan, with a token that never comes again.
func (s *Schedule) Moved(token string) {
	s.PlanVersion++
	s.Token = token
}

// Location is the zone that the plan's local times are of.
func (s *Schedule) Location() *time.Location {
	zone := s.Zone
	if zone == "" {
		zone = DefaultZone
	}
	at, err := time.LoadLocation(zone)
	if err != nil { // check has loaded it
		return time.UTC
	}
	return at
}

// Revise replaces what people write; baselines are the ids of those that the
// project has.
func (s *Schedule) Revise(p *Project, x Settings, calendars []*Calendar, baselines []string, now time.Time) error {
	if err := first(p.Writable(), optionalDate("schedule.status_date", x.Status)); err != nil {
		return err
	}
	if x.Zone != "" {
		if _, err := time.LoadLocation(x.Zone); err != nil || x.Zone == "Local" {
			return errs.InvalidField(TimeZoneUnknown, "schedule.time_zone", "%q is not a time zone such as Europe/Rome", x.Zone)
		}
	}
	known := x.Calendar == ""
	for _, c := range calendars {
		known = known || c.ID == x.Calendar
	}
	if !known {
		return CalendarAbsent("schedule.calendar", p.ID, x.Calendar)
	}
	known = x.Baseline == ""
	for _, b := range baselines {
		known = known || b == x.Baseline
	}
	if !known {
		return errs.InvalidField(BaselineUnknown, "schedule.baseline", "%s is not a baseline of the project", BaselineName(p.ID, x.Baseline))
	}
	s.Settings = x
	s.Touch(now)
	return nil
}

// MaxBaselines is how many baselines a project may have: as many as Microsoft
// Project holds.
const MaxBaselines = 11

// Baseline is a plan as it was at one time.
type Baseline struct {
	ID      string `json:"-"`
	Project string `json:"-"`
	Stamp
	Title  Text          `json:"title"`
	Count  int32         `json:"count"`
	Start  schedule.Time `json:"start,omitempty"`
	Finish schedule.Time `json:"finish,omitempty"`
	// Tasks are only there when it is made.
	Tasks []BaselineTask `json:"-"`
}

// BaselineTask is one task as a baseline holds it.
type BaselineTask struct {
	Task    string        `json:"-"` // id
	Title   string        `json:"title"`
	Start   schedule.Time `json:"start"`
	Finish  schedule.Time `json:"finish"`
	Minutes int64         `json:"minutes"`
	Effort  int64         `json:"effort,omitempty"`
}

// Name returns the resource name.
func (b *Baseline) Name() string { return BaselineName(b.Project, b.ID) }

// BaselineName returns the resource name of a baseline of a project.
func BaselineName(project, id string) string { return ids.Name("projects", project, "baselines", id) }

// NewBaseline copies the dates of a plan; there are so many baselines already.
func NewBaseline(id string, p *Plan, title Text, there int, now time.Time) (*Baseline, error) {
	if err := first(p.Project.Writable(), title.require("baseline.title")); err != nil {
		return nil, err
	}
	if there >= MaxBaselines {
		return nil, errs.New(errs.FailedPrecondition, BaselinesFull, "the project has %d baselines already: delete one first", there)
	}
	b := &Baseline{ID: id, Project: p.Project.ID, Stamp: NewStamp(now), Title: title}
	for _, t := range p.Tasks {
		length, err := p.Length(t)
		if err != nil {
			return nil, err
		}
		b.Tasks = append(b.Tasks, BaselineTask{Task: t.ID, Title: t.Title.Text, Start: t.Times.StartTime, Finish: t.Times.FinishTime,
			Minutes: length, Effort: t.Effort})
	}
	b.Sum()
	return b, nil
}

// Sum fills in what is told of a baseline as a whole.
func (b *Baseline) Sum() {
	b.Count = int32(len(b.Tasks))
	for _, t := range b.Tasks {
		if b.Start == 0 || t.Start < b.Start {
			b.Start = t.Start
		}
		b.Finish = max(b.Finish, t.Finish)
	}
}

// Variance is how a task stands to a baseline, in minutes of its working time.
type Variance struct {
	Then                    BaselineTask
	Start, Finish, Duration int64
	Effort                  int64
}

// axis counts the working time of a task.
func (p *Plan) axis(t *Task) (*schedule.Axis, error) {
	id := t.Calendar
	switch {
	case t.Elapsed:
		id = clockCalendar
	case id == "" && p.Settings.Calendar != "":
		id = p.Settings.Calendar
	case id == "":
		id = standardCalendar
	}
	if p.axes[id] == nil {
		s := p.settings()
		axis, err := schedule.NewAxis(s.Start, s.Calendars, id)
		if err != nil {
			return nil, p.engineError(err)
		}
		if p.axes == nil {
			p.axes = map[string]*schedule.Axis{}
		}
		p.axes[id] = axis
	}
	return p.axes[id], nil
}

// Length is the duration of a task, of a summary the working time from its start
// to its finish.
func (p *Plan) Length(t *Task) (int64, error) {
	if !t.Times.Summary {
		return t.Minutes, nil
	}
	axis, err := p.axis(t)
	if err != nil {
		return 0, err
	}
	return int64(axis.Between(t.Times.StartTime, t.Times.FinishTime)), nil
}

// VarianceOf compares a task with what a baseline holds of it.
func (p *Plan) VarianceOf(t *Task, then BaselineTask) (Variance, error) {
	axis, err := p.axis(t)
	if err != nil {
		return Variance{}, err
	}
	length, err := p.Length(t)
	return Variance{Then: then, Start: int64(axis.Between(then.Start, t.Times.StartTime)),
		Finish: int64(axis.Between(then.Finish, t.Times.FinishTime)), Duration: length - then.Minutes, Effort: t.Effort - then.Effort}, err
}

// Same reports whether two date-times are the same instant of a task's work: the
// end of one working interval and the beginning of the next are.
func (p *Plan) Same(t *Task, a, b schedule.Time) (bool, error) {
	axis, err := p.axis(t)
	if err != nil {
		return false, err
	}
	return a == b || axis.Between(a, b) == 0, nil
}
