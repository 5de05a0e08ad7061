package rpc

import (
	"context"
	"slices"
	"strings"
	"time"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// asAbsent turns the absence of one resource into that of the one which the
// caller has named; other errors stay as they are.
func asAbsent(err error, name string) error {
	if errs.KindOf(err) == errs.NotFound {
		return errs.AbsentResource(name)
	}
	return err
}

// CreateLearner implements trainingv1.LearnerServiceServer.
func (s *Server) CreateLearner(ctx context.Context, req *trainingv1.CreateLearnerRequest) (*trainingv1.Learner, error) {
	learner := learnerOf(req.GetLearner())
	if err := s.Owners.Require(ctx, "learner.organisation", learner.Organisation); err != nil {
		return nil, err
	}
	if err := s.requireMember(ctx, learner.Organisation, learner.Subject); err != nil {
		return nil, err
	}
	learner.Name = s.name("learners")
	l := domain.NewLearner(learner, s.now())
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Learner, error) {
		if err := s.checkIdentity(ctx, tx, l); err != nil {
			return nil, err
		}
		fresh, err := s.store.InsertLearner(ctx, tx, l)
		if err == nil && !fresh {
			err = errs.New(errs.Conflict, errs.ConcurrentUpdate, "the person was registered at the same instant: try again")
		}
		return learnerTo(l), err
	})
}

// requireMember refuses a subject that is no member of the organisation: who
// signs in as a learner is not for another organisation to say, and whether a
// subject exists elsewhere is not told. Operators may name any. It calls
// another service: not from within a transaction.
func (s *Server) requireMember(ctx context.Context, organisation, subject string) error {
	if subject == "" || auth.ScopeFrom(ctx).All {
		return nil
	}
	memberships, err := s.Members.Of(ctx, subject)
	if err != nil {
		return errs.New(errs.Unavailable, errs.ServiceDown, "the catalogue does not answer: try again").Because(err)
	}
	for _, m := range memberships {
		if m.Organisation == organisation {
			return nil
		}
	}
	return errs.InvalidField(errs.ReferenceNotFound, "learner.subject", "no member of %s has this subject", organisation)
}

// checkIdentity refuses a mail or a subject that another learner has.
func (s *Server) checkIdentity(ctx context.Context, tx *sqldb.Tx, l *domain.Learner) error {
	other, err := s.store.LearnerAt(ctx, tx, l.Organisation, l.Mail)
	if err != nil {
		return err
	}
	if other != nil && other.Name != l.Name {
		return errs.New(errs.AlreadyExists, domain.LearnerExists, "the organisation has a learner with this mail address").With("learner", other.Name)
	}
	other, err = s.store.LearnerOf(ctx, tx, l.Subject)
	if err == nil && other != nil && other.Name != l.Name {
		return errs.New(errs.AlreadyExists, domain.SubjectTaken, "another learner has this subject")
	}
	return err
}

// GetLearner implements trainingv1.LearnerServiceServer.
func (s *Server) GetLearner(ctx context.Context, req *trainingv1.GetLearnerRequest) (*trainingv1.Learner, error) {
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Learner, error) {
		l, err := s.store.Learner(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		return learnerTo(l), auth.Require(ctx, l.Organisation, l.Name)
	})
}

// ListLearners implements trainingv1.LearnerServiceServer.
func (s *Server) ListLearners(ctx context.Context, req *trainingv1.ListLearnersRequest) (*trainingv1.ListLearnersResponse, error) {
	var args []any
	where := auth.ScopeFrom(ctx).Where("organisation", &args)
	plan, err := store.Learners.Plan(req, auth.CallerFrom(ctx).Subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListLearnersResponse, error) {
		list, next, err := s.store.ListLearners(ctx, tx, plan, where, args)
		return &trainingv1.ListLearnersResponse{Learners: convert(list, learnerTo), NextPageToken: next}, err
	})
}

// UpdateLearner implements trainingv1.LearnerServiceServer.
func (s *Server) UpdateLearner(ctx context.Context, req *trainingv1.UpdateLearnerRequest) (*trainingv1.Learner, error) {
	now := s.now()
	if subject := req.GetLearner().GetSubject(); subject != "" {
		before, err := s.GetLearner(ctx, &trainingv1.GetLearnerRequest{Name: req.GetLearner().GetName()})
		if err != nil {
			return nil, err
		}
		if subject != before.GetSubject() {
			if err := s.requireMember(ctx, before.GetOrganisation(), subject); err != nil {
				return nil, err
			}
		}
	}
	return rpc.Mutate(ctx, s.DB, req, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.Learner, error) {
		l, err := s.store.Learner(ctx, tx, req.GetLearner().GetName())
		if err != nil {
			return nil, err
		}
		if err := auth.Require(ctx, l.Organisation, l.Name); err != nil {
			return nil, err
		}
		if err := rpc.CheckEtag(l.Name, req.GetLearner().GetEtag(), l.Version); err != nil {
			return nil, err
		}
		next, err := rpc.UpdateMask("learner", learnerTo(l), req.GetLearner(), req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		l.Change(learnerOf(next), now)
		if err := s.checkIdentity(ctx, tx, l); err != nil {
			return nil, err
		}
		return learnerTo(l), s.store.SaveLearner(ctx, tx, l)
	})
}

// me returns the learner that the caller is, and registers it the first time.
func (s *Server) me(ctx context.Context, tx *sqldb.Tx, person *trainingv1.Person, now time.Time) (*domain.Learner, error) {
	v := viewerOf(ctx)
	l, err := s.store.LearnerOf(ctx, tx, v.subject)
	if err != nil || l != nil {
		return l, err
	}
	if person == nil {
		return nil, errs.InvalidField(domain.PersonRequired, "person", "is needed the first time: who are you?")
	}
	slices.Sort(v.member)
	member := slices.Compact(v.member)
	organisation := person.GetOrganisation()
	switch {
	case organisation == "" && len(member) == 1:
		organisation = member[0]
	case organisation == "" && len(member) > 1:
		return nil, errs.InvalidField(domain.PersonRequired, "person.organisation", "you belong to several organisations: say which one")
	case organisation != "" && !slices.Contains(member, organisation):
		return nil, domain.Absent("person.organisation", organisation)
	}
	l = domain.NewLearner(domain.Learner{
		Name: s.name("learners"), Organisation: organisation, GivenName: person.GetGivenName(), FamilyName: person.GetFamilyName(),
		Mail: strings.ToLower(person.GetMail()), Role: roleOf(person.GetRole()), Subject: v.subject,
	}, now)
	other, err := s.store.LearnerAt(ctx, tx, l.Organisation, l.Mail)
	if err != nil {
		return nil, err
	}
	if other != nil {
		// Mail addresses are not proven here, so nobody becomes somebody by naming one.
		return nil, errs.New(errs.AlreadyExists, domain.LearnerExists,
			"your organisation keeps a learner with this mail address: ask its administrator to add your sign-in to it")
	}
	fresh, err := s.store.InsertLearner(ctx, tx, l)
	if err == nil && !fresh {
		err = errs.New(errs.Conflict, errs.ConcurrentUpdate, "you were registered at the same instant: try again")
	}
	return l, err
}

// ownPerson returns a learner of an organisation in the caller's scope.
func (s *Server) ownPerson(ctx context.Context, tx *sqldb.Tx, field, name string) (*domain.Learner, error) {
	l, err := s.store.Learner(ctx, tx, name)
	if errs.KindOf(err) == errs.NotFound || err == nil && !auth.ScopeFrom(ctx).Covers(l.Organisation) {
		return nil, domain.Absent(field, name)
	}
	return l, err
}
