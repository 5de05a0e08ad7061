package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Schedule is what an edition's sessions amount to at an instant.
type Schedule struct {
	// Total is the minutes of all sessions that are not cancelled.
	Total int
	// Remaining is the part of them that is still to come; of a session under
	// way, the rest.
	Remaining int
}

// ScheduleAt adds up sessions at an instant.
func ScheduleAt(sessions []Session, now time.Time) Schedule {
	var s Schedule
	for _, x := range sessions {
		if x.State == SessionCancelled {
			continue
		}
		s.Total += x.Minutes()
		switch {
		case !x.Start.Before(now):
			s.Remaining += x.Minutes()
		case x.End.After(now):
			s.Remaining += int(x.End.Sub(now) / time.Minute)
		}
	}
	return s
}

// Required returns the minutes that the threshold asks for: the percentage of
// the scheduled total, rounded up.
func (e *Edition) Required(total int) int { return (e.Threshold*total + 99) / 100 }

// Reachable reports whether a learner who has attended so many minutes can still
// reach the threshold.
func (e *Edition) Reachable(attended int, s Schedule) bool {
	return attended+s.Remaining >= e.Required(s.Total)
}

// MayJoin returns nil if a person may join at this instant, and otherwise the
// reason why not. attended is what the person has attended in this edition
// before, under an enrolment that ended. Sessions that are over are not due to
// somebody who joins now, but they are not attended either: what counts is
// whether the threshold can still be reached.
func (e *Edition) MayJoin(attended int, s Schedule, now time.Time) error {
	if !e.JoinDeadline.IsZero() && now.After(e.JoinDeadline) {
		return errs.New(errs.FailedPrecondition, LateJoinCutoff, "people could join until %s", e.JoinDeadline.Format(time.RFC3339)).
			With("join_deadline", e.JoinDeadline.Format(time.RFC3339))
	}
	if !e.Reachable(attended, s) {
		return errs.New(errs.FailedPrecondition, ThresholdUnreachable,
			"%d minutes attended and %d still to come do not reach the %d required", attended, s.Remaining, e.Required(s.Total)).
			With("attended_minutes", number(attended)).
			With("remaining_minutes", number(s.Remaining)).
			With("required_minutes", number(e.Required(s.Total)))
	}
	return nil
}

// Enrols returns nil if the edition's state takes enrolments. conversion is true
// for people who expressed interest: they come in before the edition opens.
func (e *Edition) Enrols(conversion bool) error {
	switch {
	case e.State == EditionOpen, e.State == EditionRunning && !conversion, e.State == EditionScheduled && conversion:
		return nil
	}
	return errs.New(errs.FailedPrecondition, EditionNotOpen, "an edition in the state %s takes no enrolments", e.State).
		With("state", string(e.State))
}

// TakesUp returns nil if a person may take up an offer of a seat at this instant:
// an offer keeps a seat free, but lets nobody in who may not join any more.
// attended is as for MayJoin.
func (e *Edition) TakesUp(attended int, s Schedule, now time.Time) error {
	if e.Finished() {
		return errs.New(errs.FailedPrecondition, EditionNotOpen, "an edition in the state %s takes no enrolments", e.State).
			With("state", string(e.State))
	}
	return e.MayJoin(attended, s, now)
}

// Frozen reports whether nobody may be promoted from the waiting list at this
// instant: promotion never goes where joining may not.
func (e *Edition) Frozen(s Schedule, now time.Time) bool {
	switch e.State {
	case EditionScheduled, EditionOpen, EditionRunning:
		return e.MayJoin(0, s, now) != nil
	}
	return true
}
