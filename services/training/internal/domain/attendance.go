package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/training/internal/domain/interval"
)

// Presence is a learner's line in a session's register as it stands now.
type Presence struct {
	Session, Enrolment, Learner string
	// Intervals are clipped to the session, merged, in order.
	Intervals []interval.Interval
	Minutes   int
	// Revision counts the entries and corrections of the line.
	Revision int
}

// Revision is one entry in a line's history. It is never changed.
type Revision struct {
	Presence
	// Reason is empty for plain entries.
	Reason string
	// By is the subject of the caller's token.
	By string
	At time.Time
}

// Record adds intervals to what is on the register and returns the line's next
// revision. path names the intervals in the request.
func (p Presence) Record(s *Session, added []interval.Interval, path string, now time.Time) (Presence, error) {
	if err := checkIntervals(s, added, path, now); err != nil {
		return Presence{}, err
	}
	return p.with(s, append(added, p.Intervals...)), nil
}

// Correct replaces what is on the register.
func (p Presence) Correct(s *Session, right []interval.Interval, path string, now time.Time) (Presence, error) {
	if err := checkIntervals(s, right, path, now); err != nil {
		return Presence{}, err
	}
	return p.with(s, right), nil
}

func (p Presence) with(s *Session, intervals []interval.Interval) Presence {
	p.Intervals = interval.Union(s.Bounds(), intervals...)
	p.Minutes = interval.Minutes(p.Intervals)
	p.Revision++
	return p
}

func checkIntervals(s *Session, intervals []interval.Interval, path string, now time.Time) error {
	for i, x := range intervals {
		at := path + "[" + number(i) + "]"
		switch {
		case x.Empty():
			return errs.InvalidField(IntervalReversed, at+".out_time", "must be after in_time")
		case x.Clip(s.Bounds()).Empty():
			return errs.InvalidField(IntervalOutsideSession, at, "lies wholly outside the session")
		case x.In.After(now) || x.Clip(s.Bounds()).Out.After(now):
			return errs.InvalidField(AttendanceInFuture, at, "attendance cannot be recorded before it happens")
		}
	}
	return nil
}

// Registers returns nil if attendance may be entered for the enrolment in the
// session, and otherwise why not. correction is true for corrections, which a
// closed edition still takes.
func Registers(e *Edition, s *Session, n *Enrolment, correction bool) error {
	switch {
	case e.State == EditionRunning, e.State == EditionClosed && correction:
	default:
		return errs.New(errs.FailedPrecondition, EditionNotRunning, "an edition in the state %s takes no attendance", e.State).
			With("state", string(e.State))
	}
	if s.State == SessionCancelled {
		return errs.New(errs.FailedPrecondition, SessionIsCancelled, "the session is cancelled")
	}
	name := n.Name
	switch {
	case n.Edition != e.Name:
		return errs.AbsentResource(name)
	case n.State == Completed:
		return errs.New(errs.FailedPrecondition, EnrolmentIsCompleted, "%s is completed: its register is closed", name).With("enrolment", name)
	case n.State == Enrolled, correction && n.Minutes > 0:
		return nil
	}
	return errs.New(errs.FailedPrecondition, NotEnrolled, "%s does not hold a seat in this edition", name).With("enrolment", name)
}

// AttendanceStatus says how a learner stands in one session.
type AttendanceStatus string

// The statuses; the proto explains each.
const (
	Present AttendanceStatus = "PRESENT"
	Absence AttendanceStatus = "ABSENT"
	NotDue  AttendanceStatus = "NOT_DUE"
	Pending AttendanceStatus = "PENDING"
)

// StatusIn returns how an enrolment stands in a session. Who was there was
// there; a session that ended before the person joined is not due.
func (n *Enrolment) StatusIn(s *Session, minutes int, now time.Time) AttendanceStatus {
	switch {
	case minutes > 0:
		return Present
	case s.State == SessionCancelled, n.EnrolledAt.IsZero(), !s.End.After(n.EnrolledAt), n.endedBefore(s):
		return NotDue
	case s.End.After(now):
		return Pending
	}
	return Absence
}

// endedBefore reports whether the claim had ended before the session did.
func (n *Enrolment) endedBefore(s *Session) bool { return !n.Live() && n.Updated.Before(s.End) }

// Certificate says that a person has completed an edition (attestato).
type Certificate struct {
	Name, Number, Organisation   string
	Enrolment, Learner           string
	LearnerOrganisation          string
	Edition, Course              string
	Title                        Text
	Attended, Scheduled, Percent int
	Competences                  []Competence
	Code                         string
	Issued                       time.Time
}

// NewCertificate certifies a completed enrolment.
func NewCertificate(n *Enrolment, e *Edition, earlier, total int) (*Certificate, error) {
	if n.State != Completed {
		return nil, errs.New(errs.FailedPrecondition, EnrolmentNotCompleted, "the enrolment is in the state %s", n.State).With("state", string(n.State))
	}
	c := &Certificate{
		Organisation: n.Organisation, Enrolment: n.Name, Learner: n.Learner, LearnerOrganisation: n.LearnerOrganisation,
		Edition: e.Name, Course: e.Course, Title: e.Title, Attended: n.Minutes + earlier, Scheduled: total,
	}
	if total > 0 {
		c.Percent = min(100, c.Attended*100/total)
	}
	seen := map[Competence]bool{}
	for _, m := range e.Modules {
		for _, k := range m.Competences {
			if !seen[k] {
				seen[k] = true
				c.Competences = append(c.Competences, k)
			}
		}
	}
	return c, nil
}
