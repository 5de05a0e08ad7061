package rpc

import (
	"context"
	"slices"
	"time"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// CreateEdition implements trainingv1.EditionServiceServer.
func (s *Server) CreateEdition(ctx context.Context, req *trainingv1.CreateEditionRequest) (*trainingv1.Edition, error) {
	edition, now := editionOf(req.GetEdition()), s.now()
	if err := auth.Require(ctx, edition.Organisation, edition.Organisation); err != nil {
		return nil, err
	}
	edition.Name = s.name("editions")
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		var course *domain.Course
		if edition.Course != "" {
			var err error
			course, err = s.store.Course(ctx, tx, edition.Course)
			if errs.KindOf(err) == errs.NotFound || err == nil && course.Organisation != edition.Organisation {
				return nil, domain.Absent("edition.course", edition.Course)
			}
			if err != nil {
				return nil, err
			}
		}
		e, err := domain.NewEdition(edition, course, now)
		if err != nil {
			return nil, err
		}
		fresh, err := s.store.InsertEdition(ctx, tx, e)
		if err == nil && !fresh {
			err = numberTaken(e)
		}
		return editionTo(e), err
	})
}

func numberTaken(e *domain.Edition) error {
	return errs.New(errs.AlreadyExists, domain.EditionNumberTaken, "the course has an edition %d already", e.Number).
		WithField("edition.number", domain.EditionNumberTaken, "must be unique in the course")
}

// GetEdition implements trainingv1.EditionServiceServer.
func (s *Server) GetEdition(ctx context.Context, req *trainingv1.GetEditionRequest) (*trainingv1.Edition, error) {
	now := s.now()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		e, err := s.store.Edition(ctx, tx, req.GetName(), now)
		if err != nil {
			return nil, err
		}
		inside, err := s.insider(ctx, tx, e)
		if err != nil {
			return nil, err
		}
		out := editionTo(e)
		if !inside {
			out.Link = ""
		}
		return out, nil
	})
}

// insider reports whether the caller manages the edition or holds a seat in it,
// and so may see webinar links. An edition that the caller may not see at all is
// absent.
func (s *Server) insider(ctx context.Context, tx *sqldb.Tx, e *domain.Edition) (bool, error) {
	v := readerOf(ctx)
	if v.managed().Covers(e.Organisation) {
		return true, nil
	}
	if !e.Published {
		return false, errs.AbsentResource(e.Name)
	}
	me, err := s.store.LearnerOf(ctx, tx, v.subject)
	if err != nil || me == nil {
		return false, err
	}
	claims, err := s.store.ClaimsOf(ctx, tx, e.Name, me.Name)
	return slices.ContainsFunc(claims, func(n *domain.Enrolment) bool {
		return n.State == domain.Enrolled || n.State == domain.Completed
	}), err
}

// ListEditions implements trainingv1.EditionServiceServer.
func (s *Server) ListEditions(ctx context.Context, req *trainingv1.ListEditionsRequest) (*trainingv1.ListEditionsResponse, error) {
	args := []any{sqldb.Micros(s.now())}
	mine := readerOf(ctx).managed()
	where := mine.Where("e.organisation", &args) + " OR e.published = TRUE"
	plan, err := store.Editions.Plan(req, auth.CallerFrom(ctx).Subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListEditionsResponse, error) {
		list, next, err := s.store.ListEditions(ctx, tx, plan, where, args)
		return &trainingv1.ListEditionsResponse{Editions: convert(list, func(e *domain.Edition) *trainingv1.Edition {
			out := editionTo(e)
			if !mine.Covers(e.Organisation) {
				out.Link = ""
			}
			return out
		}), NextPageToken: next}, err
	})
}

// changeEdition locks an edition of the caller's with its seats, checks the etag,
// changes and saves it, and tells of everything that followed.
func (s *Server) changeEdition(ctx context.Context, tx *sqldb.Tx, name, etag string, now time.Time, change func(x *store.Seats) error) (*trainingv1.Edition, error) {
	x, err := s.store.OpenSeats(ctx, tx, name, now)
	if err != nil {
		return nil, err
	}
	e := x.Edition
	if err := auth.Require(ctx, e.Organisation, name); err != nil {
		return nil, err
	}
	if err := rpc.CheckEtag(name, etag, e.Version); err != nil {
		return nil, err
	}
	scheduled := e.Published
	if err := change(x); err != nil {
		return nil, err
	}
	if err := x.Reconsider(ctx); err != nil {
		return nil, err
	}
	if err := s.store.SaveEdition(ctx, tx, e); err != nil {
		return nil, err
	}
	e.Use = x.Use()
	if err := s.publishEdition(ctx, tx, e, !scheduled); err != nil {
		return nil, err
	}
	return editionTo(e), s.publish(ctx, tx, x.Changes, e.Updated)
}

// UpdateEdition implements trainingv1.EditionServiceServer.
func (s *Server) UpdateEdition(ctx context.Context, req *trainingv1.UpdateEditionRequest) (*trainingv1.Edition, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		return s.changeEdition(ctx, tx, req.GetEdition().GetName(), req.GetEdition().GetEtag(), now, func(x *store.Seats) error {
			patched, err := rpc.UpdateMask("edition", editionTo(x.Edition), req.GetEdition(), req.GetUpdateMask())
			if err != nil {
				return err
			}
			next := editionOf(patched)
			number := x.Edition.Number
			if err := x.Edition.Change(next, now); err != nil {
				return err
			}
			if next.Number != number {
				taken, err := s.store.NumberTaken(ctx, tx, x.Edition)
				if err != nil {
					return err
				}
				if taken {
					return numberTaken(x.Edition)
				}
			}
			return x.Resize(ctx, next.Capacity, next.WaitingCap)
		})
	})
}

// ScheduleEdition implements trainingv1.EditionServiceServer.
func (s *Server) ScheduleEdition(ctx context.Context, req *trainingv1.ScheduleEditionRequest) (*trainingv1.Edition, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		return s.changeEdition(ctx, tx, req.GetName(), req.GetEtag(), now, func(x *store.Seats) error {
			course, err := s.courseOfEdition(ctx, tx, x.Edition)
			if err != nil {
				return err
			}
			return x.Edition.Schedule(course, now)
		})
	})
}

// courseOfEdition reads an edition's course; nil where it has none.
func (s *Server) courseOfEdition(ctx context.Context, tx *sqldb.Tx, e *domain.Edition) (*domain.Course, error) {
	if e.Course == "" {
		return nil, nil
	}
	return s.store.Course(ctx, tx, e.Course)
}

// OpenEdition implements trainingv1.EditionServiceServer.
func (s *Server) OpenEdition(ctx context.Context, req *trainingv1.OpenEditionRequest) (*trainingv1.Edition, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		return s.changeEdition(ctx, tx, req.GetName(), req.GetEtag(), now, func(x *store.Seats) error { return x.Edition.Open(now) })
	})
}

// StartEdition implements trainingv1.EditionServiceServer.
func (s *Server) StartEdition(ctx context.Context, req *trainingv1.StartEditionRequest) (*trainingv1.Edition, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		return s.changeEdition(ctx, tx, req.GetName(), req.GetEtag(), now, func(x *store.Seats) error { return x.Edition.Start(now) })
	})
}

// CloseEdition implements trainingv1.EditionServiceServer.
func (s *Server) CloseEdition(ctx context.Context, req *trainingv1.CloseEditionRequest) (*trainingv1.Edition, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		return s.changeEdition(ctx, tx, req.GetName(), req.GetEtag(), now, func(x *store.Seats) error { return x.Edition.Close(now) })
	})
}

// CancelEdition implements trainingv1.EditionServiceServer.
func (s *Server) CancelEdition(ctx context.Context, req *trainingv1.CancelEditionRequest) (*trainingv1.Edition, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Edition, error) {
		return s.changeEdition(ctx, tx, req.GetName(), req.GetEtag(), now, func(x *store.Seats) error {
			if err := x.Edition.Cancel(req.GetReason(), now); err != nil {
				return err
			}
			if err := x.ReleaseAll(ctx, req.GetReason()); err != nil {
				return err
			}
			if x.Edition.Course != "" {
				s.store.LockCourse(tx, x.Edition.Course)
				s.store.ReopenInterest(tx, x.Edition.Name, sqldb.Micros(now))
			}
			return nil
		})
	})
}
