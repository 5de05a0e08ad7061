package rpc

import (
	"context"
	"errors"
	"time"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// CreateEnrolment implements trainingv1.EnrolmentServiceServer.
func (s *Server) CreateEnrolment(ctx context.Context, req *trainingv1.CreateEnrolmentRequest) (*trainingv1.Enrolment, error) {
	now, in := s.now(), req.GetEnrolment()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Enrolment, error) {
		// The person is looked up before the lock is taken: it keeps others waiting
		// a round trip less.
		l, err := s.ownPerson(ctx, tx, "enrolment.learner", in.GetLearner())
		if err != nil {
			return nil, err
		}
		x, err := s.openSeats(ctx, tx, in.GetEdition(), now)
		if errs.KindOf(err) == errs.NotFound {
			return nil, domain.Absent("enrolment.edition", in.GetEdition())
		}
		if err != nil {
			return nil, err
		}
		role := roleOf(in.GetRole())
		if role == "" {
			role = l.Role
		}
		return s.enrol(ctx, tx, x, l, role, now)
	})
}

// JoinEdition implements trainingv1.EnrolmentServiceServer.
func (s *Server) JoinEdition(ctx context.Context, req *trainingv1.JoinEditionRequest) (*trainingv1.Enrolment, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Enrolment, error) {
		l, err := s.me(ctx, tx, req.GetPerson(), now)
		if err != nil {
			return nil, err
		}
		x, err := s.openSeats(ctx, tx, req.GetName(), now)
		if err != nil {
			return nil, err
		}
		return s.enrol(ctx, tx, x, l, l.Role, now)
	})
}

// openSeats opens the seats of an edition that the caller may see.
func (s *Server) openSeats(ctx context.Context, tx *sqldb.Tx, edition string, now time.Time) (*store.Seats, error) {
	x, err := s.store.OpenSeats(ctx, tx, edition, now)
	if err == nil && !x.Edition.Published && !viewerOf(ctx).managed().Covers(x.Edition.Organisation) {
		return nil, errs.AbsentResource(edition)
	}
	return x, err
}

// enrol takes a claim for a person and tells of everything that followed.
func (s *Server) enrol(ctx context.Context, tx *sqldb.Tx, x *store.Seats, l *domain.Learner, role string, now time.Time) (*trainingv1.Enrolment, error) {
	n := &domain.Enrolment{Name: s.name("enrolments"), Learner: l.Name, LearnerOrganisation: l.Organisation, Role: role}
	if err := x.Claim(ctx, n, store.Terms{}); err != nil {
		return nil, err
	}
	return enrolmentTo(n), s.publish(ctx, tx, x.Changes, now)
}

// GetEnrolment implements trainingv1.EnrolmentServiceServer.
func (s *Server) GetEnrolment(ctx context.Context, req *trainingv1.GetEnrolmentRequest) (*trainingv1.Enrolment, error) {
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Enrolment, error) {
		n, err := s.claimOf(ctx, tx, readerOf(ctx), req.GetName(), true)
		if err != nil {
			return nil, err
		}
		return enrolmentTo(n), nil
	})
}

// claimOf reads an enrolment that the viewer may see: its own, or one of a person
// of an organisation that it administers, or, where owner is true, one in an
// edition of an organisation where it is an administrator or a trainer.
func (s *Server) claimOf(ctx context.Context, tx *sqldb.Tx, v viewer, name string, owner bool) (*domain.Enrolment, error) {
	n, err := s.store.Enrolment(ctx, tx, name)
	if err != nil {
		return nil, err
	}
	if owner && v.managed().Covers(n.Organisation) {
		return n, nil
	}
	own, err := s.ownOrAdministered(ctx, tx, v, n.Learner, n.LearnerOrganisation)
	if err == nil && !own {
		err = errs.AbsentResource(name)
	}
	return n, err
}

// ListEnrolments implements trainingv1.EnrolmentServiceServer.
func (s *Server) ListEnrolments(ctx context.Context, req *trainingv1.ListEnrolmentsRequest) (*trainingv1.ListEnrolmentsResponse, error) {
	v := readerOf(ctx)
	var args []any
	where := v.managed().Where("organisation", &args) + " OR " + v.administered().Where("learner_organisation", &args)
	plan, err := store.Enrolments.Plan(req, v.subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListEnrolmentsResponse, error) {
		list, next, err := s.store.ListEnrolments(ctx, tx, plan, where, args)
		return &trainingv1.ListEnrolmentsResponse{Enrolments: convert(list, enrolmentTo), NextPageToken: next}, err
	})
}

// ListMyEnrolments implements trainingv1.EnrolmentServiceServer.
func (s *Server) ListMyEnrolments(ctx context.Context, req *trainingv1.ListMyEnrolmentsRequest) (*trainingv1.ListMyEnrolmentsResponse, error) {
	subject := auth.CallerFrom(ctx).Subject
	plan, err := store.Enrolments.Plan(req, subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListMyEnrolmentsResponse, error) {
		me, err := s.store.LearnerOf(ctx, tx, subject)
		if err != nil || me == nil {
			return &trainingv1.ListMyEnrolmentsResponse{}, err
		}
		list, next, err := s.store.ListEnrolments(ctx, tx, plan, "learner = $1", []any{me.Name})
		return &trainingv1.ListMyEnrolmentsResponse{Enrolments: convert(list, enrolmentTo), NextPageToken: next}, err
	})
}

// changeClaim finds a claim of the caller's, locks its edition's seats, and only
// then reads the claim to change it: opening the seats may have ended it.
func (s *Server) changeClaim(ctx context.Context, tx *sqldb.Tx, name, etag string, owner bool, now time.Time,
	change func(x *store.Seats, n *domain.Enrolment) error,
) (*trainingv1.Enrolment, error) {
	n, err := s.claimOf(ctx, tx, viewerOf(ctx), name, owner)
	if err != nil {
		return nil, err
	}
	x, err := s.store.OpenSeats(ctx, tx, n.Edition, now)
	if err != nil {
		return nil, err
	}
	if n, err = s.store.Enrolment(ctx, tx, name); err != nil {
		return nil, err
	}
	if err := rpc.CheckEtag(name, etag, n.Version); err != nil {
		return nil, err
	}
	if err := change(x, n); err != nil {
		return nil, err
	}
	return enrolmentTo(n), s.publish(ctx, tx, x.Changes, now)
}

// CancelEnrolment implements trainingv1.EnrolmentServiceServer.
func (s *Server) CancelEnrolment(ctx context.Context, req *trainingv1.CancelEnrolmentRequest) (*trainingv1.Enrolment, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Enrolment, error) {
		return s.changeClaim(ctx, tx, req.GetName(), req.GetEtag(), true, now, func(x *store.Seats, n *domain.Enrolment) error {
			before := n.Place()
			event, err := n.Cancel(req.GetReason(), now)
			if err != nil {
				return err
			}
			return x.Release(ctx, n, before, event)
		})
	})
}

// AcceptOffer implements trainingv1.EnrolmentServiceServer.
func (s *Server) AcceptOffer(ctx context.Context, req *trainingv1.AcceptOfferRequest) (*trainingv1.Enrolment, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Enrolment, error) {
		return s.changeClaim(ctx, tx, req.GetName(), req.GetEtag(), false, now, func(x *store.Seats, n *domain.Enrolment) error {
			event, err := n.Accept(now)
			if err != nil {
				return err
			}
			attended, err := s.store.Earlier(ctx, tx, n)
			if err != nil {
				return err
			}
			if err := x.Edition.TakesUp(attended, x.Schedule, now); err != nil {
				return err
			}
			return x.Accept(ctx, n, event)
		})
	})
}

// DeclineOffer implements trainingv1.EnrolmentServiceServer.
func (s *Server) DeclineOffer(ctx context.Context, req *trainingv1.DeclineOfferRequest) (*trainingv1.Enrolment, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Enrolment, error) {
		return s.changeClaim(ctx, tx, req.GetName(), req.GetEtag(), false, now, func(x *store.Seats, n *domain.Enrolment) error {
			before := n.Place()
			event, err := n.Decline(now)
			if err != nil {
				return err
			}
			return x.Release(ctx, n, before, event)
		})
	})
}

// CompleteEnrolment implements trainingv1.EnrolmentServiceServer.
func (s *Server) CompleteEnrolment(ctx context.Context, req *trainingv1.CompleteEnrolmentRequest) (*trainingv1.Enrolment, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Enrolment, error) {
		n, err := s.store.Enrolment(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		if err := auth.Require(ctx, n.Organisation, n.Name); err != nil {
			return nil, err
		}
		return s.changeClaim(ctx, tx, n.Name, req.GetEtag(), true, now, func(x *store.Seats, n *domain.Enrolment) error {
			if n.State == domain.Completed {
				return nil
			}
			earlier, err := s.store.Earlier(ctx, tx, n)
			if err != nil {
				return err
			}
			event, err := n.Complete(x.Edition, earlier, x.Schedule.Total, now)
			if err != nil {
				return err
			}
			return x.Update(ctx, n, event)
		})
	})
}

// sweepEvery is how often offers whose time is up are looked for. They count for
// nothing before that; sweeping tells the people and moves the queue.
const (
	sweepEvery = time.Second
	sweepBatch = 100
)

// SweepOffers ends offers whose time is up, until the context ends.
func (s *Server) SweepOffers(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.sweepOnce(ctx); err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Server) sweepOnce(ctx context.Context) error {
	now := s.now()
	editions, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) ([]string, error) {
		return s.store.LapsedOffers(ctx, tx, now, sweepBatch)
	})
	if err != nil {
		return err
	}
	for _, edition := range editions {
		err := s.DB.Write(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
			x, err := s.store.OpenSeats(ctx, tx, edition, now)
			if err != nil {
				return err
			}
			return s.publish(ctx, tx, x.Changes, now)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
