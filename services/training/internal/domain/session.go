package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/training/internal/domain/interval"
)

// SessionState says where a session stands.
type SessionState string

// The states of a session.
const (
	SessionScheduled SessionState = "SCHEDULED"
	SessionCancelled SessionState = "CANCELLED"
)

// Session is one meeting of an edition (incontro).
type Session struct {
	Name, Edition        string
	Title, Module        string
	Start, End           time.Time
	Place, Link, Teacher string
	State                SessionState
	// Sequence is iCalendar's: one more for every change.
	Sequence         int
	Version          int64
	Created, Updated time.Time
}

// sessionMax bounds a session's length.
const sessionMax = 24 * time.Hour

// Sessions take place from the one instant up to the other: a year that somebody
// has mistyped is refused before anything is kept or told of it.
var (
	sessionEarliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	sessionLatest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Minutes returns the session's length in whole minutes.
func (s *Session) Minutes() int { return int(s.End.Sub(s.Start) / time.Minute) }

// Bounds returns the session's time.
func (s *Session) Bounds() interval.Interval { return interval.Interval{In: s.Start, Out: s.End} }

// NewSession checks a new session against its edition and the edition's others.
func NewSession(s Session, e *Edition, others []Session, now time.Time) (*Session, error) {
	s.State, s.Version, s.Created, s.Updated = SessionScheduled, 1, now, now
	if err := s.check(e, others); err != nil {
		return nil, err
	}
	return &s, nil
}

func (s *Session) check(e *Edition, others []Session) error {
	if e.Finished() {
		return errs.New(errs.FailedPrecondition, EditionFinished, "an edition in the state %s takes no change of its sessions", e.State).
			With("state", string(e.State))
	}
	switch length := s.End.Sub(s.Start); {
	case length < time.Minute:
		return errs.InvalidField(SessionTimes, "session.end_time", "must be at least a minute after the start")
	case length > sessionMax:
		return errs.InvalidField(SessionTimes, "session.end_time", "must be at most 24 hours after the start")
	case s.Start.Before(sessionEarliest) || !s.Start.Before(sessionLatest):
		return errs.InvalidField(SessionTimes, "session.start_time", "must be in the years %d to %d", sessionEarliest.Year(), sessionLatest.Year()-1)
	}
	if s.Module != "" && e.Course == "" {
		return errs.InvalidField(UnknownModule, "session.module_id", "an edition without a course has no modules")
	}
	for _, o := range others {
		if o.Name != s.Name && o.State == SessionScheduled && o.Start.Before(s.End) && s.Start.Before(o.End) {
			return errs.New(errs.FailedPrecondition, SessionOverlap, "another session of the edition takes place at the same time").
				With("session", o.Name)
		}
	}
	return nil
}

// CheckModule returns nil if the session's module is among the edition's: those
// fixed at scheduling, or, before that, the course's.
func (s *Session) CheckModule(modules []Module) error {
	if s.Module == "" {
		return nil
	}
	for _, m := range modules {
		if m.Key == s.Module {
			return nil
		}
	}
	return errs.InvalidField(UnknownModule, "session.module_id", "the edition has no module %s", s.Module)
}

// Change applies the particulars in next.
func (s *Session) Change(next Session, e *Edition, others []Session, attended bool, now time.Time) error {
	if s.State == SessionCancelled {
		return errs.New(errs.FailedPrecondition, SessionIsCancelled, "a cancelled session cannot change")
	}
	if attended && (!next.Start.Equal(s.Start) || !next.End.Equal(s.End)) {
		return hasAttendance()
	}
	next.Name, next.State = s.Name, s.State
	if err := next.check(e, others); err != nil {
		return err
	}
	s.Title, s.Module, s.Start, s.End = next.Title, next.Module, next.Start, next.End
	s.Place, s.Link, s.Teacher = next.Place, next.Link, next.Teacher
	s.touch(now)
	return nil
}

// Cancel calls the session off.
func (s *Session) Cancel(e *Edition, attended bool, now time.Time) error {
	switch {
	case s.State == SessionCancelled:
		return errs.New(errs.FailedPrecondition, SessionIsCancelled, "the session is cancelled already")
	case e.Finished():
		return errs.New(errs.FailedPrecondition, EditionFinished, "an edition in the state %s takes no change of its sessions", e.State).
			With("state", string(e.State))
	case attended:
		return hasAttendance()
	}
	s.State = SessionCancelled
	s.touch(now)
	return nil
}

func (s *Session) touch(now time.Time) {
	s.Version++
	s.Sequence++
	s.Updated = now
}

func hasAttendance() error {
	return errs.New(errs.FailedPrecondition, SessionHasAttendance, "attendance was recorded: the session's time is a fact now")
}
