package domain

import (
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/training/internal/domain/seats"
)

// EnrolmentState says where a claim stands; the proto explains each.
type EnrolmentState string

// The states of an enrolment. The first four are live: they hold a seat or a
// place in the queue.
const (
	Enrolled  EnrolmentState = "ENROLLED"
	Completed EnrolmentState = "COMPLETED"
	Offered   EnrolmentState = "OFFERED"
	Waiting   EnrolmentState = "WAITING"
	Cancelled EnrolmentState = "CANCELLED"
	Declined  EnrolmentState = "DECLINED"
	Expired   EnrolmentState = "EXPIRED"
)

// Event says what a change of an enrolment means to the rest of the suite. Every
// change returns one, so that none can be forgotten.
type Event int

// The events of an enrolment.
const (
	// Requested: offered a seat, or put on the waiting list.
	Requested Event = iota + 1
	// Confirmed: holds a seat now.
	Confirmed
	// Ended: cancelled, declined or expired.
	Ended
	// Attended: the minutes attended have changed.
	Attended
	// Done: completed.
	Done
)

// Enrolment is a person's claim in an edition (iscrizione).
type Enrolment struct {
	Name, Edition, Course        string
	Organisation, Project        string
	Learner, LearnerOrganisation string
	Role                         string
	State                        EnrolmentState
	Sequence                     int64
	OfferExpires, EnrolledAt     time.Time
	CompletedAt                  time.Time
	Minutes                      int
	CancelReason                 string
	Version                      int64
	Created, Updated             time.Time
}

// Place returns what the claim holds; 0 once it has ended.
func (n *Enrolment) Place() seats.Place {
	switch n.State {
	case Enrolled, Completed:
		return seats.Seat
	case Offered:
		return seats.Offer
	case Waiting:
		return seats.Queue
	}
	return 0
}

// Live reports whether the claim holds anything.
func (n *Enrolment) Live() bool { return n.Place() != 0 }

// Begin gives a new claim its place.
func (n *Enrolment) Begin(place seats.Place, sequence int64, offerExpires, now time.Time) Event {
	n.Sequence, n.Version, n.Created, n.Updated = sequence, 1, now, now
	switch place {
	case seats.Seat:
		n.State, n.EnrolledAt = Enrolled, now
		return Confirmed
	case seats.Offer:
		n.State, n.OfferExpires = Offered, offerExpires
	default:
		n.State = Waiting
	}
	return Requested
}

// Promote gives a seat to somebody in the queue.
func (n *Enrolment) Promote(now time.Time) Event {
	n.State, n.EnrolledAt = Enrolled, now
	n.touch(now)
	return Confirmed
}

// Accept takes up an offer.
func (n *Enrolment) Accept(now time.Time) (Event, error) {
	if n.State == Expired || n.State == Offered && !now.Before(n.OfferExpires) {
		return 0, errs.New(errs.FailedPrecondition, OfferExpired, "the offer expired at %s", n.OfferExpires.Format(time.RFC3339))
	}
	if n.State != Offered {
		return 0, illegal("an enrolment", "accepted", n.State)
	}
	n.State, n.EnrolledAt = Enrolled, now
	n.touch(now)
	return Confirmed, nil
}

// Decline turns an offer down.
func (n *Enrolment) Decline(now time.Time) (Event, error) {
	if n.State != Offered {
		return 0, illegal("an enrolment", "declined", n.State)
	}
	n.State = Declined
	n.touch(now)
	return Ended, nil
}

// Expire ends an offer whose time is up.
func (n *Enrolment) Expire(now time.Time) Event {
	n.State = Expired
	n.touch(now)
	return Ended
}

// Cancel gives the claim up.
func (n *Enrolment) Cancel(reason string, now time.Time) (Event, error) {
	switch n.State {
	case Enrolled, Offered, Waiting:
	default:
		return 0, illegal("an enrolment", "cancelled", n.State)
	}
	n.State, n.CancelReason = Cancelled, reason
	n.touch(now)
	return Ended, nil
}

// Attend sets the minutes attended so far.
func (n *Enrolment) Attend(total int, now time.Time) Event {
	n.Minutes = total
	n.touch(now)
	return Attended
}

// Complete declares the edition completed if the minutes attended, those of
// earlier enrolments of the person included, reach what is required.
func (n *Enrolment) Complete(e *Edition, earlier, total int, now time.Time) (Event, error) {
	if n.State != Enrolled {
		return 0, illegal("an enrolment", "completed", n.State)
	}
	if e.State != EditionRunning && e.State != EditionClosed {
		return 0, errs.New(errs.FailedPrecondition, EditionNotRunning, "the edition is in the state %s", e.State).With("state", string(e.State))
	}
	attended, required := n.Minutes+earlier, e.Required(total)
	if attended < required || attended == 0 {
		required = max(required, 1)
		return 0, errs.New(errs.FailedPrecondition, ThresholdNotReached,
			"%d minutes attended of %d required: %d are missing", attended, required, required-attended).
			With("attended_minutes", number(attended)).
			With("required_minutes", number(required)).
			With("missing_minutes", number(required-attended))
	}
	n.State, n.CompletedAt = Completed, now
	n.touch(now)
	return Done, nil
}

func (n *Enrolment) touch(now time.Time) {
	n.Version++
	n.Updated = now
}
