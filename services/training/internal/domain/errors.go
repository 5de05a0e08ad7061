// Package domain holds the rules of training: courses, editions, seats,
// attendance, completion. It knows no SQL, no gRPC and no clock.
package domain

import (
	"fmt"

	"github.com/trama-suite/trama/services/platform/errs"
)

// The reasons of this service, as in the TrainingError enum of the proto, which
// says what each means.
const (
	IllegalTransition      errs.Reason = "ILLEGAL_TRANSITION"
	CourseIsArchived       errs.Reason = "COURSE_ARCHIVED"
	CourseNotPublished     errs.Reason = "COURSE_NOT_PUBLISHED"
	CourseHasNoModules     errs.Reason = "COURSE_HAS_NO_MODULES"
	DuplicateModule        errs.Reason = "DUPLICATE_MODULE"
	CourseRequired         errs.Reason = "COURSE_REQUIRED"
	TitleRequired          errs.Reason = "TITLE_REQUIRED"
	EditionNumberTaken     errs.Reason = "EDITION_NUMBER_TAKEN"
	DatesReversed          errs.Reason = "DATES_REVERSED"
	DatesRequired          errs.Reason = "DATES_REQUIRED"
	EditionFinished        errs.Reason = "EDITION_FINISHED"
	EditionNotOpen         errs.Reason = "EDITION_NOT_OPEN"
	EditionNotRunning      errs.Reason = "EDITION_NOT_RUNNING"
	EditionFull            errs.Reason = "EDITION_FULL"
	CapacityBelowUse       errs.Reason = "CAPACITY_BELOW_USE"
	AlreadyClaimed         errs.Reason = "ALREADY_CLAIMED"
	LateJoinCutoff         errs.Reason = "LATE_JOIN_CUTOFF"
	ThresholdUnreachable   errs.Reason = "THRESHOLD_UNREACHABLE"
	OfferExpired           errs.Reason = "OFFER_EXPIRED"
	ThresholdNotReached    errs.Reason = "THRESHOLD_NOT_REACHED"
	EnrolmentIsCompleted   errs.Reason = "ENROLMENT_COMPLETED"
	EnrolmentNotCompleted  errs.Reason = "ENROLMENT_NOT_COMPLETED"
	NotEnrolled            errs.Reason = "NOT_ENROLLED"
	SessionTimes           errs.Reason = "SESSION_TIMES"
	SessionOverlap         errs.Reason = "SESSION_OVERLAP"
	SessionIsCancelled     errs.Reason = "SESSION_CANCELLED"
	SessionHasAttendance   errs.Reason = "SESSION_HAS_ATTENDANCE"
	UnknownModule          errs.Reason = "UNKNOWN_MODULE"
	IntervalReversed       errs.Reason = "INTERVAL_REVERSED"
	IntervalOutsideSession errs.Reason = "INTERVAL_OUTSIDE_SESSION"
	AttendanceInFuture     errs.Reason = "ATTENDANCE_IN_FUTURE"
	AttendanceOverlap      errs.Reason = "ATTENDANCE_OVERLAP"
	InterestExists         errs.Reason = "INTEREST_EXISTS"
	LearnerExists          errs.Reason = "LEARNER_EXISTS"
	SubjectTaken           errs.Reason = "SUBJECT_TAKEN"
	PersonRequired         errs.Reason = "PERSON_REQUIRED"
)

// Reasons lists all of the above, for the test that holds them against the proto.
var Reasons = []errs.Reason{
	IllegalTransition, CourseIsArchived, CourseNotPublished, CourseHasNoModules, DuplicateModule, CourseRequired,
	TitleRequired, EditionNumberTaken, DatesReversed, DatesRequired, EditionFinished, EditionNotOpen, EditionNotRunning,
	EditionFull, CapacityBelowUse, AlreadyClaimed, LateJoinCutoff, ThresholdUnreachable, OfferExpired,
	ThresholdNotReached, EnrolmentIsCompleted, EnrolmentNotCompleted, NotEnrolled, SessionTimes, SessionOverlap,
	SessionIsCancelled, SessionHasAttendance, UnknownModule, IntervalReversed, IntervalOutsideSession,
	AttendanceInFuture, AttendanceOverlap, InterestExists, LearnerExists, SubjectTaken, PersonRequired,
}

// illegal is the error for a verb that the state does not allow.
func illegal[S ~string](what, verb string, state S) error {
	return errs.New(errs.FailedPrecondition, IllegalTransition, "%s in the state %s cannot be %s", what, string(state), verb).
		With("state", string(state))
}

// Absent returns the error for a reference in a request's field to something
// that does not exist or is not the caller's.
func Absent(field, name string) error {
	return errs.InvalidField(errs.ReferenceNotFound, field, "%s does not exist, or is not yours to use", name).With("resource", name)
}

func number(n int) string { return fmt.Sprint(n) }
