package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// EditionKind says what an edition is.
type EditionKind string

// The kinds of editions.
const (
	KindCourse  EditionKind = "COURSE"
	KindWebinar EditionKind = "WEBINAR"
	KindEvent   EditionKind = "EVENT"
)

// EditionState says where an edition stands; the proto explains each.
type EditionState string

// The states of an edition.
const (
	EditionInterest  EditionState = "INTEREST"
	EditionScheduled EditionState = "SCHEDULED"
	EditionOpen      EditionState = "OPEN"
	EditionRunning   EditionState = "RUNNING"
	EditionClosed    EditionState = "CLOSED"
	EditionCancelled EditionState = "CANCELLED"
)

// Edition is one dated run of a course, a webinar or an event (edizione).
type Edition struct {
	Name, Organisation, Course string
	Kind                       EditionKind
	Number                     int
	Title, Description         Text
	Capacity, WaitingCap       int
	StartDate, EndDate         string
	Place, Link                string
	JoinDeadline               time.Time
	Project                    string
	// Threshold in percent and Modules are fixed at scheduling.
	Threshold int
	Modules   []Module
	State     EditionState
	// Published is true from scheduling on, also once cancelled.
	Published bool
	// Events counts what was told of the edition: its events have these numbers.
	Events       int64
	CancelReason string
	// Revision counts the changes that the calendars of all its sessions show:
	// of its title or place, and its being called off; Revised is when the last
	// one was made.
	Revision         int
	Revised          time.Time
	NextSequence     int64
	Version          int64
	Created, Updated time.Time
	// Use is what was taken of it when it was read.
	Use Use
}

// Use is what is taken of an edition at an instant. Offers that have expired
// count for nothing, whether or not they have been swept.
type Use struct {
	Enrolled, Offered, Waiting int
	// Minutes are those of the sessions that are not cancelled.
	Minutes int
	// Lapsed are the expired offers that wait to be swept.
	Lapsed int
}

// NewEdition checks a new edition. course is nil where there is none.
func NewEdition(e Edition, course *Course, now time.Time) (*Edition, error) {
	e.State, e.Version, e.NextSequence, e.Created, e.Updated = EditionInterest, 1, 1, now, now
	switch {
	case course == nil && e.Kind == KindCourse:
		return nil, errs.InvalidField(CourseRequired, "edition.course", "an edition of the kind COURSE needs a course")
	case course == nil && e.Title.Text == "":
		return nil, errs.InvalidField(TitleRequired, "edition.title", "an edition without a course needs a title")
	case course == nil && e.Number != 0:
		return nil, errs.InvalidField(errs.InvalidRequest, "edition.number", "only editions of a course have a number")
	case course != nil && course.State == CourseArchived:
		return nil, errs.New(errs.FailedPrecondition, CourseIsArchived, "an archived course takes no new editions")
	case course != nil && e.Number == 0:
		return nil, errs.InvalidField(EditionNumberTaken, "edition.number", "must be from 1 to 9999")
	}
	if err := e.checkDates(); err != nil {
		return nil, err
	}
	return &e, nil
}

func (e *Edition) checkDates() error {
	for _, d := range []struct{ field, value string }{{"start_date", e.StartDate}, {"end_date", e.EndDate}} {
		if d.value != "" && !validDate(d.value) {
			return errs.InvalidField(DatesReversed, "edition."+d.field, "%s is not a day of the calendar", d.value)
		}
	}
	if e.StartDate != "" && e.EndDate != "" && e.EndDate < e.StartDate {
		return errs.InvalidField(DatesReversed, "edition.end_date", "%s is before the first day %s", e.EndDate, e.StartDate)
	}
	return nil
}

// Finished reports whether the edition is over or called off.
func (e *Edition) Finished() bool { return e.State == EditionClosed || e.State == EditionCancelled }

// Change applies the particulars in next; the seats are the Book's to change.
func (e *Edition) Change(next Edition, now time.Time) error {
	if e.Finished() {
		return errs.New(errs.FailedPrecondition, EditionFinished, "an edition in the state %s cannot change", e.State).
			With("state", string(e.State))
	}
	if e.State != EditionInterest && (next.Number != e.Number || next.Project != e.Project) {
		return errs.New(errs.FailedPrecondition, IllegalTransition,
			"the number and the project of an edition cannot change once it is scheduled").With("state", string(e.State))
	}
	if e.State != EditionInterest && (next.StartDate == "" || next.EndDate == "") {
		return errs.InvalidField(DatesRequired, "edition.start_date", "a scheduled edition needs a first and a last day")
	}
	if err := next.checkDates(); err != nil {
		return err
	}
	if e.Course == "" && next.Title.Text == "" {
		return errs.InvalidField(TitleRequired, "edition.title", "an edition without a course needs a title")
	}
	if e.Course != "" && next.Number == 0 {
		return errs.InvalidField(EditionNumberTaken, "edition.number", "must be from 1 to 9999")
	}
	if e.Course == "" && next.Number != 0 {
		return errs.InvalidField(errs.InvalidRequest, "edition.number", "only editions of a course have a number")
	}
	if next.Title.Text != e.Title.Text || next.Place != e.Place {
		e.revise(now)
	}
	e.Number, e.Project = next.Number, next.Project
	e.Title, e.Description = next.Title, next.Description
	e.Capacity, e.WaitingCap = next.Capacity, next.WaitingCap
	e.StartDate, e.EndDate = next.StartDate, next.EndDate
	e.Place, e.Link, e.JoinDeadline = next.Place, next.Link, next.JoinDeadline
	e.touch(now)
	return nil
}

// Schedule fixes what the course gives and shows the edition to the network.
func (e *Edition) Schedule(course *Course, now time.Time) error {
	if e.State != EditionInterest {
		return illegal("an edition", "scheduled", e.State)
	}
	if e.StartDate == "" || e.EndDate == "" {
		return errs.New(errs.FailedPrecondition, DatesRequired, "an edition needs a first and a last day to be scheduled")
	}
	if course != nil {
		if course.State != CoursePublished {
			return errs.New(errs.FailedPrecondition, CourseNotPublished, "the course is not published").With("state", string(course.State))
		}
		e.Modules, e.Threshold = course.Modules, course.ThresholdPercent
		if e.Project == "" {
			e.Project = course.Project
		}
		if e.Title.Text == "" {
			e.Title = course.Title
		}
	}
	e.State, e.Published = EditionScheduled, true
	e.touch(now)
	return nil
}

// Open lets people enrol.
func (e *Edition) Open(now time.Time) error {
	return e.move("opened", EditionOpen, now, EditionScheduled)
}

// Start says that the edition is under way.
func (e *Edition) Start(now time.Time) error {
	return e.move("started", EditionRunning, now, EditionOpen)
}

// Close says that the edition is over.
func (e *Edition) Close(now time.Time) error {
	return e.move("closed", EditionClosed, now, EditionRunning)
}

// Cancel calls the edition off.
func (e *Edition) Cancel(reason string, now time.Time) error {
	if err := e.move("cancelled", EditionCancelled, now, EditionInterest, EditionScheduled, EditionOpen, EditionRunning); err != nil {
		return err
	}
	e.CancelReason = reason
	e.revise(now)
	return nil
}

func (e *Edition) revise(now time.Time) {
	e.Revision++
	e.Revised = now
}

func (e *Edition) move(verb string, to EditionState, now time.Time, from ...EditionState) error {
	for _, f := range from {
		if e.State == f {
			e.State = to
			e.touch(now)
			return nil
		}
	}
	return illegal("an edition", verb, e.State)
}

func (e *Edition) touch(now time.Time) {
	e.Version++
	if e.Published {
		e.Events++
	}
	e.Updated = now
}

// Module returns the edition's module of that key.
func (e *Edition) Module(key string) (Module, bool) {
	for _, m := range e.Modules {
		if m.Key == key {
			return m, true
		}
	}
	return Module{}, false
}
