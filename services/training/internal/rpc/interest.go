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

// ExpressInterest implements trainingv1.InterestServiceServer.
func (s *Server) ExpressInterest(ctx context.Context, req *trainingv1.ExpressInterestRequest) (*trainingv1.Interest, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Interest, error) {
		s.store.LockCourse(tx, req.GetName())
		c, err := s.visibleCourse(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		l, err := s.me(ctx, tx, req.GetPerson(), now)
		if err != nil {
			return nil, err
		}
		return s.addInterest(ctx, tx, c, l, l.Role, req.GetTerritory(), now)
	})
}

// CreateInterest implements trainingv1.InterestServiceServer.
func (s *Server) CreateInterest(ctx context.Context, req *trainingv1.CreateInterestRequest) (*trainingv1.Interest, error) {
	now, in := s.now(), req.GetInterest()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Interest, error) {
		s.store.LockCourse(tx, in.GetCourse())
		c, err := s.visibleCourse(ctx, tx, in.GetCourse())
		if errs.KindOf(err) == errs.NotFound {
			return nil, domain.Absent("interest.course", in.GetCourse())
		}
		if err != nil {
			return nil, err
		}
		l, err := s.ownPerson(ctx, tx, "interest.learner", in.GetLearner())
		if err != nil {
			return nil, err
		}
		role := roleOf(in.GetRole())
		if role == "" {
			role = l.Role
		}
		return s.addInterest(ctx, tx, c, l, role, in.GetTerritory(), now)
	})
}

func (s *Server) addInterest(ctx context.Context, tx *sqldb.Tx, c *domain.Course, l *domain.Learner, role, territory string, now time.Time) (*trainingv1.Interest, error) {
	if c.State != domain.CoursePublished {
		return nil, errs.New(errs.FailedPrecondition, domain.CourseNotPublished, "the course is not published").With("state", string(c.State))
	}
	i := &domain.Interest{
		Name: s.name("interests"), Course: c.Name, Organisation: c.Organisation, Learner: l.Name, LearnerOrganisation: l.Organisation,
		Role: role, Territory: territory, State: domain.InterestOpen, Version: 1, Created: now, Updated: now,
	}
	fresh, err := s.store.InsertInterest(ctx, tx, i)
	if err == nil && !fresh {
		err = errs.New(errs.AlreadyExists, domain.InterestExists, "the person has open interest in this course")
	}
	return interestTo(i), err
}

// ListInterests implements trainingv1.InterestServiceServer.
func (s *Server) ListInterests(ctx context.Context, req *trainingv1.ListInterestsRequest) (*trainingv1.ListInterestsResponse, error) {
	var args []any
	scope := auth.ScopeFrom(ctx)
	where := scope.Where("organisation", &args) + " OR " + scope.Where("learner_organisation", &args)
	plan, err := store.Interests.Plan(req, auth.CallerFrom(ctx).Subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListInterestsResponse, error) {
		list, next, err := s.store.ListInterests(ctx, tx, plan, where, args)
		return &trainingv1.ListInterestsResponse{Interests: convert(list, interestTo), NextPageToken: next}, err
	})
}

// WithdrawInterest implements trainingv1.InterestServiceServer.
func (s *Server) WithdrawInterest(ctx context.Context, req *trainingv1.WithdrawInterestRequest) (*trainingv1.Interest, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Interest, error) {
		i, err := s.store.Interest(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		own, err := s.ownOrAdministered(ctx, tx, viewerOf(ctx), i.Learner, i.LearnerOrganisation)
		if err != nil {
			return nil, err
		}
		if !own {
			return nil, errs.AbsentResource(i.Name)
		}
		if err := rpc.CheckEtag(i.Name, req.GetEtag(), i.Version); err != nil {
			return nil, err
		}
		if err := i.Withdraw(now); err != nil {
			return nil, err
		}
		return interestTo(i), s.store.SaveInterest(ctx, tx, i)
	})
}

// ownOrAdministered reports whether the viewer is the learner, administers the
// learner's organisation, or runs the network.
func (s *Server) ownOrAdministered(ctx context.Context, tx *sqldb.Tx, v viewer, learner, organisation string) (bool, error) {
	if v.administered().Covers(organisation) {
		return true, nil
	}
	me, err := s.store.LearnerOf(ctx, tx, v.subject)
	return me != nil && me.Name == learner, err
}

// conversionMax bounds one conversion.
const conversionMax = 1000

// ConvertInterest implements trainingv1.EditionServiceServer.
func (s *Server) ConvertInterest(ctx context.Context, req *trainingv1.ConvertInterestRequest) (*trainingv1.ConvertInterestResponse, error) {
	now := s.now()
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ConvertInterestResponse, error) {
		x, err := s.store.OpenSeats(ctx, tx, req.GetName(), now)
		if err != nil {
			return nil, err
		}
		if err := auth.Require(ctx, x.Edition.Organisation, req.GetName()); err != nil {
			return nil, err
		}
		if x.Edition.Course == "" {
			return nil, errs.New(errs.FailedPrecondition, domain.CourseRequired, "interest is in courses, and this edition has none")
		}
		if err := x.Edition.Enrols(true); err != nil {
			return nil, err
		}
		s.store.LockCourse(tx, x.Edition.Course)
		open, err := s.store.OpenInterest(ctx, tx, x.Edition.Course)
		if err != nil {
			return nil, err
		}
		terms := store.Terms{Conversion: true}
		if m := req.GetOfferMinutes(); m > 0 {
			terms.OfferUntil = now.Add(time.Duration(m) * time.Minute)
		}
		out := &trainingv1.ConvertInterestResponse{RemainingCount: int32(len(open))}
		most := conversionMax
		if n := int(req.GetMaxCount()); n > 0 {
			most = n
		}
		for _, i := range open {
			if len(out.Enrolments) == most {
				break
			}
			if len(req.GetRoles()) > 0 && !slices.Contains(req.GetRoles(), roleTo(i.Role)) {
				continue
			}
			done, err := s.convertOne(ctx, tx, x, i, terms, out)
			if err != nil {
				return nil, err
			}
			if !done {
				break
			}
		}
		return out, s.publish(ctx, tx, x.Changes, now)
	})
}

// convertOne turns interest into a claim. It reports false where the edition is full.
func (s *Server) convertOne(ctx context.Context, tx *sqldb.Tx, x *store.Seats, i *domain.Interest, terms store.Terms, out *trainingv1.ConvertInterestResponse) (bool, error) {
	n := &domain.Enrolment{Name: s.name("enrolments"), Learner: i.Learner, LearnerOrganisation: i.LearnerOrganisation, Role: i.Role}
	err := x.Claim(ctx, n, terms)
	switch errs.ReasonOf(err) {
	case "":
		if err != nil {
			return false, err
		}
		out.Enrolments = append(out.Enrolments, n.Name)
		switch n.State {
		case domain.Enrolled:
			out.EnrolledCount++
		case domain.Offered:
			out.OfferedCount++
		default:
			out.WaitingCount++
		}
	case domain.EditionFull:
		return false, nil
	case domain.AlreadyClaimed:
		// The person came in by another way: the interest is met.
		claims, err := s.store.ClaimsOf(ctx, tx, x.Edition.Name, i.Learner)
		if err != nil {
			return false, err
		}
		n = claims[len(claims)-1]
	default:
		return false, err
	}
	out.RemainingCount--
	i.Convert(n.Name, x.Now())
	return true, s.store.SaveInterest(ctx, tx, i)
}
