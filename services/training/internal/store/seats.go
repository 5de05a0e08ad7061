package store

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/domain/seats"
)

// Seats are one edition's seats, locked until the transaction ends. What is done
// to them is written at once and noted in Changes.
type Seats struct {
	// Edition as read under the lock.
	Edition *domain.Edition
	// Schedule of the edition's sessions at this instant.
	Schedule domain.Schedule
	// Changes of enrolments in this transaction, in their order, to be published.
	Changes []Change

	book  seats.Book
	store *Store
	tx    *sqldb.Tx
	now   time.Time
}

// Change is an enrolment as it stands after a change, and what that means.
type Change struct {
	// Enrolment after the change.
	Enrolment domain.Enrolment
	// Event is what happened.
	Event domain.Event
}

// OpenSeats locks an edition's seats, and only then reads them: what another
// transaction has committed while this one waited is seen. Offers whose time is
// up end here, and free seats go to those who wait. now is the transaction's one
// reading of the clock.
func (s *Store) OpenSeats(ctx context.Context, tx *sqldb.Tx, edition string, now time.Time) (*Seats, error) {
	s.Lock(tx, edition)
	e, err := s.Edition(ctx, tx, edition, now)
	if err != nil {
		return nil, err
	}
	sessions, err := s.SessionsOf(ctx, tx, edition)
	if err != nil {
		return nil, err
	}
	x := &Seats{
		Edition: e, Schedule: domain.ScheduleAt(sessions, now), store: s, tx: tx, now: now,
		book: seats.Book{
			Capacity: e.Capacity, WaitingCap: e.WaitingCap, Next: e.NextSequence,
			Enrolled: e.Use.Enrolled, Offered: e.Use.Offered, Waiting: e.Use.Waiting,
		},
	}
	x.book.Frozen = e.Frozen(x.Schedule, now)
	if err := x.sweep(ctx); err != nil {
		return nil, err
	}
	return x, x.promote(ctx)
}

// sweep ends the offers whose time is up. The book has not counted them.
func (x *Seats) sweep(ctx context.Context) error {
	if x.Edition.Use.Lapsed == 0 {
		return nil
	}
	rows, err := x.tx.Query(ctx, "SELECT "+enrolmentColumns+" FROM enrolments WHERE edition = $1 AND state = 'OFFERED' AND offer_expires <= $2 ORDER BY sequence",
		x.Edition.Name, sqldb.Micros(x.now))
	expired, err := collect(rows, err, scanEnrolment)
	for _, n := range expired {
		if err := x.save(ctx, n, n.Expire(x.now)); err != nil {
			return err
		}
	}
	return err
}

// promote gives the free seats to the first of the queue.
func (x *Seats) promote(ctx context.Context) error {
	due := x.book.Vacancies()
	if due == 0 {
		return nil
	}
	rows, err := x.tx.Query(ctx, "SELECT "+enrolmentColumns+" FROM enrolments WHERE edition = $1 AND state = 'WAITING' ORDER BY sequence LIMIT $2",
		x.Edition.Name, int64(due))
	head, err := collect(rows, err, scanEnrolment)
	if err != nil {
		return err
	}
	byName := map[string]*domain.Enrolment{}
	queue := make([]seats.Waiter, 0, len(head))
	for _, n := range head {
		byName[n.Name] = n
		queue = append(queue, seats.Waiter{ID: n.Name, Sequence: n.Sequence})
	}
	for _, w := range x.book.Promote(queue) {
		n := byName[w.ID]
		if err := x.save(ctx, n, n.Promote(x.now)); err != nil {
			return err
		}
	}
	return nil
}

// save writes a changed enrolment and notes the change.
func (x *Seats) save(ctx context.Context, n *domain.Enrolment, event domain.Event) error {
	if err := x.store.SaveEnrolment(ctx, x.tx, n); err != nil {
		return err
	}
	x.Changes = append(x.Changes, Change{*n, event})
	return nil
}

// Terms say how a person comes in.
type Terms struct {
	// OfferUntil, where set, has a free seat offered until then instead of given.
	OfferUntil time.Time
	// Conversion is true for people who come in by the interest they expressed.
	Conversion bool
}

// Claim takes a new claim, n, whose person and particulars the caller has
// filled in: a seat, an offer, or a place in the queue.
func (x *Seats) Claim(ctx context.Context, n *domain.Enrolment, terms Terms) error {
	if err := x.Edition.Enrols(terms.Conversion); err != nil {
		return err
	}
	claims, err := x.store.ClaimsOf(ctx, x.tx, x.Edition.Name, n.Learner)
	if err != nil {
		return err
	}
	attended := 0
	var held *domain.Enrolment
	for _, c := range claims {
		attended += c.Minutes
		if c.Live() {
			held = c
		}
	}
	if held == nil {
		if err := x.Edition.MayJoin(attended, x.Schedule, x.now); err != nil {
			return err
		}
	}
	place, sequence, err := x.book.Admit(held != nil, !terms.OfferUntil.IsZero())
	switch {
	case errors.Is(err, seats.ErrHeld):
		return errs.New(errs.AlreadyExists, domain.AlreadyClaimed, "the person has a claim in this edition already").With("enrolment", held.Name)
	case errors.Is(err, seats.ErrFull):
		return errs.New(errs.FailedPrecondition, domain.EditionFull, "all %d seats and %d places on the waiting list are taken",
			x.Edition.Capacity, x.Edition.WaitingCap)
	case err != nil:
		return err
	}
	n.Edition, n.Course, n.Organisation, n.Project = x.Edition.Name, x.Edition.Course, x.Edition.Organisation, x.Edition.Project
	event := n.Begin(place, sequence, terms.OfferUntil, x.now)
	insertEnrolment(x.tx, n)
	x.tx.Queue("UPDATE editions SET next_sequence = $2 WHERE name = $1", x.Edition.Name, x.book.Next)
	x.Changes = append(x.Changes, Change{*n, event})
	return nil
}

// Release writes a claim that has just ended; before is the place that it had.
// Its seat goes to who waits first.
func (x *Seats) Release(ctx context.Context, n *domain.Enrolment, before seats.Place, event domain.Event) error {
	x.book.Release(before)
	if err := x.save(ctx, n, event); err != nil {
		return err
	}
	return x.promote(ctx)
}

// Accept writes an offer that has just been taken up.
func (x *Seats) Accept(ctx context.Context, n *domain.Enrolment, event domain.Event) error {
	x.book.Take()
	return x.save(ctx, n, event)
}

// Update writes a claim that has changed without giving its place up.
func (x *Seats) Update(ctx context.Context, n *domain.Enrolment, event domain.Event) error {
	return x.save(ctx, n, event)
}

// Resize changes the capacity and the waiting list's cap, and gives new seats to
// who waits first, if the edition as it stands now still lets people in. The
// caller saves the edition.
func (x *Seats) Resize(ctx context.Context, capacity, waitingCap int) error {
	if err := x.book.Resize(capacity, waitingCap); err != nil {
		field, use := "edition.capacity", x.book.Enrolled+x.book.Offered
		if capacity >= use {
			field, use = "edition.waiting_cap", x.book.Waiting
		}
		return errs.New(errs.FailedPrecondition, domain.CapacityBelowUse, "%d are in use: nobody is evicted", use).
			With("field", field).With("in_use", strconv.Itoa(use))
	}
	return x.Reconsider(ctx)
}

// Reconsider promotes after the edition's terms of joining have changed.
func (x *Seats) Reconsider(ctx context.Context) error {
	x.book.Frozen = x.Edition.Frozen(x.Schedule, x.now)
	return x.promote(ctx)
}

// ReleaseAll ends every claim of an edition that was called off.
func (x *Seats) ReleaseAll(ctx context.Context, reason string) error {
	x.book.Frozen = true
	claims, err := x.store.EnrolmentsOf(ctx, x.tx, x.Edition.Name)
	if err != nil {
		return err
	}
	for _, n := range claims {
		if n.State == domain.Completed || !n.Live() {
			continue
		}
		before := n.Place()
		event, err := n.Cancel(reason, x.now)
		if err != nil {
			return err
		}
		if err := x.Release(ctx, n, before, event); err != nil {
			return err
		}
	}
	return nil
}

// Use returns what is taken now.
func (x *Seats) Use() domain.Use {
	return domain.Use{Enrolled: x.book.Enrolled, Offered: x.book.Offered, Waiting: x.book.Waiting, Minutes: x.Schedule.Total}
}

// LapsedOffers returns the editions that have offers whose time is up, at most limit.
func (s *Store) LapsedOffers(ctx context.Context, tx *sqldb.Tx, now time.Time, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, "SELECT DISTINCT edition FROM enrolments WHERE state = 'OFFERED' AND offer_expires <= $1 ORDER BY edition LIMIT $2",
		sqldb.Micros(now), int64(limit))
	return collect(rows, err, func(scan func(dest ...any) error) (string, error) {
		var name string
		return name, scan(&name)
	})
}

// Now is the transaction's one reading of the clock.
func (x *Seats) Now() time.Time { return x.now }
