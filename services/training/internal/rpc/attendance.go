package rpc

import (
	"context"
	"fmt"
	"time"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/domain/interval"
	"github.com/trama-suite/trama/services/training/internal/store"
)

func intervalsOf(list []*trainingv1.Interval) []interval.Interval {
	return convert(list, func(i *trainingv1.Interval) interval.Interval {
		return interval.Interval{In: timeOf(i.GetInTime()), Out: timeOf(i.GetOutTime())}
	})
}

func intervalsTo(list []interval.Interval) []*trainingv1.Interval {
	return convert(list, func(i interval.Interval) *trainingv1.Interval {
		return &trainingv1.Interval{InTime: timeTo(i.In), OutTime: timeTo(i.Out)}
	})
}

// sheet is a session's register, locked, while entries are made.
type sheet struct {
	s         *Server
	edition   *domain.Edition
	session   *domain.Session
	claims    map[string]*domain.Enrolment
	presences map[string]domain.Presence
	by        string
	now       time.Time
	changes   []store.Change
}

// openSheet locks the edition and the learners concerned, in this order, and
// reads the register.
func (s *Server) openSheet(ctx context.Context, tx *sqldb.Tx, name string, enrolments []string, now time.Time) (*sheet, error) {
	e, err := s.lockedEdition(ctx, tx, editionOfSession(name), name, now)
	if err != nil {
		return nil, err
	}
	x, err := s.store.Session(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	sh := &sheet{s: s, edition: e, session: x, claims: map[string]*domain.Enrolment{}, by: auth.CallerFrom(ctx).Subject, now: now}
	claims, err := s.store.EnrolmentsOf(ctx, tx, e.Name)
	if err != nil {
		return nil, err
	}
	for _, n := range claims {
		sh.claims[n.Name] = n
	}
	var learners []string
	for _, name := range enrolments {
		n := sh.claims[name]
		if n == nil {
			return nil, errs.AbsentResource(name)
		}
		learners = append(learners, n.Learner)
	}
	s.store.LockLearners(tx, learners)
	sh.presences, err = s.store.PresencesIn(ctx, tx, name)
	return sh, err
}

// enter writes the next revision of one learner's line.
func (h *sheet) enter(ctx context.Context, tx *sqldb.Tx, enrolment, reason string, revise func(p domain.Presence) (domain.Presence, error)) error {
	n := h.claims[enrolment]
	if err := domain.Registers(h.edition, h.session, n, reason != ""); err != nil {
		return err
	}
	before := h.presences[enrolment]
	before.Session, before.Enrolment, before.Learner = h.session.Name, n.Name, n.Learner
	p, err := revise(before)
	if err != nil {
		return err
	}
	elsewhere, err := h.s.store.Elsewhere(ctx, tx, p)
	if err != nil {
		return err
	}
	for _, o := range elsewhere {
		if interval.Overlap(p.Intervals, o.Intervals) {
			return overlap(n, o, h.edition)
		}
	}
	h.s.store.SavePresence(tx, domain.Revision{Presence: p, Reason: reason, By: h.by, At: h.now})
	h.presences[enrolment] = p
	if p.Minutes == before.Minutes {
		return nil
	}
	event := n.Attend(n.Minutes-before.Minutes+p.Minutes, h.now)
	if err := h.s.store.SaveEnrolment(ctx, tx, n); err != nil {
		return err
	}
	h.changes = append(h.changes, store.Change{Enrolment: *n, Event: event})
	return nil
}

// overlap is the error for somebody who would be in two places at once. Another
// organisation's session is not named.
func overlap(n *domain.Enrolment, o domain.Presence, e *domain.Edition) error {
	err := errs.New(errs.FailedPrecondition, domain.AttendanceOverlap, "%s: the learner is on another register at the same time", n.Name).
		With("enrolment", n.Name)
	if editionOfSession(o.Session) == e.Name {
		err = err.With("session", o.Session)
	}
	return err
}

// RecordAttendance implements trainingv1.AttendanceServiceServer.
func (s *Server) RecordAttendance(ctx context.Context, req *trainingv1.RecordAttendanceRequest) (*trainingv1.SessionRegister, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.SessionRegister, error) {
		names := convert(req.GetEntries(), (*trainingv1.AttendanceEntry).GetEnrolment)
		h, err := s.openSheet(ctx, tx, req.GetName(), names, now)
		if err != nil {
			return nil, err
		}
		for i, entry := range req.GetEntries() {
			err := h.enter(ctx, tx, entry.GetEnrolment(), "", func(p domain.Presence) (domain.Presence, error) {
				return p.Record(h.session, intervalsOf(entry.GetIntervals()), fmt.Sprintf("entries[%d].intervals", i), now)
			})
			if err != nil {
				return nil, err
			}
		}
		return h.finish(ctx, tx)
	})
}

// CorrectAttendance implements trainingv1.AttendanceServiceServer.
func (s *Server) CorrectAttendance(ctx context.Context, req *trainingv1.CorrectAttendanceRequest) (*trainingv1.SessionRegister, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.SessionRegister, error) {
		h, err := s.openSheet(ctx, tx, req.GetName(), []string{req.GetEnrolment()}, now)
		if err != nil {
			return nil, err
		}
		err = h.enter(ctx, tx, req.GetEnrolment(), req.GetReason(), func(p domain.Presence) (domain.Presence, error) {
			return p.Correct(h.session, intervalsOf(req.GetIntervals()), "intervals", now)
		})
		if err != nil {
			return nil, err
		}
		return h.finish(ctx, tx)
	})
}

// finish tells of the changes and returns the register.
func (h *sheet) finish(ctx context.Context, tx *sqldb.Tx) (*trainingv1.SessionRegister, error) {
	if err := h.s.publish(ctx, tx, h.changes, h.session.Start); err != nil {
		return nil, err
	}
	return h.s.sessionRegister(ctx, tx, h.session, h.now)
}
