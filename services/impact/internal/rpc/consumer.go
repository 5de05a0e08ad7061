package rpc

import (
	"context"
	"time"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	eventv1 "github.com/trama-suite/trama/proto/gen/go/trama/event/v1"
	matchingv1 "github.com/trama-suite/trama/proto/gen/go/trama/matching/v1"
	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/territory"
	"github.com/trama-suite/trama/services/impact/internal/store"
	"github.com/trama-suite/trama/services/platform/bus"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Events says what this service does about the events of the others, by the
// service that publishes them.
func (s *Server) Events() map[string][]bus.Handler {
	return map[string][]bus.Handler{
		"catalogue": {bus.On(s.organisationPublished), bus.On(s.organisationArchived)},
		"training": {
			bus.On(s.enrolmentConfirmed), bus.On(s.enrolmentCancelled), bus.On(s.attendanceRecorded), bus.On(s.enrolmentCompleted),
		},
		"projects": {
			bus.On(s.projectOpened), bus.On(s.projectUpdated), bus.On(s.projectPhaseChanged), bus.On(s.projectClosed),
			bus.On(s.expenditureRecorded), bus.On(s.expenditureVoided),
		},
		"matching": {bus.On(s.matchActivated)},
	}
}

// happen stores what an event says of its source.
func (s *Server) happen(ctx context.Context, tx *sqldb.Tx, h domain.Happening) error {
	leaves, err := h.Leaves()
	if err != nil {
		return err
	}
	return store.Replace(ctx, tx, domain.Automatic[h.Indicator], h.Source, h.Indicator, h.Version, leaves, s.Now())
}

// source names what an event is about, across services.
func source(env *eventv1.Envelope) string { return env.GetService() + "/" + env.GetAggregate() }

// eventDay reads a day that an event tells; one that is malformed will not get
// better, so the event becomes a dead letter.
func eventDay(field, text string) (domain.Day, error) {
	d, err := day(field, text)
	if err != nil {
		return 0, errs.New(errs.Invalid, domain.PeriodInvalid, "event: %s is not a day: %q", field, text)
	}
	return d, nil
}

// dayOr returns the day of t, or that of the event where t is not told.
func dayOr(t interface {
	IsValid() bool
	AsTime() time.Time
}, env *eventv1.Envelope,
) domain.Day {
	if t.IsValid() && t.AsTime().Unix() > 0 {
		return domain.DayOf(t.AsTime())
	}
	return domain.DayOf(env.GetEventTime().AsTime())
}

func (s *Server) organisationPublished(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.OrganisationPublished) error {
	o := e.GetOrganisation()
	t := o.GetTerritory()
	return store.PutOrganisation(ctx, tx, domain.Organisation{
		Name: o.GetName(), Title: o.GetDisplayName().GetText(), Parent: o.GetParentNetwork(), Published: true,
		Place: territory.Nearest(t.GetCountryCode(), t.GetRegionCode(), t.GetNutsCode(), t.GetMunicipalityCode()),
	}, env.GetAggregateVersion())
}

func (s *Server) organisationArchived(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *cataloguev1.OrganisationArchived) error {
	return store.ArchiveOrganisation(ctx, tx, e.GetOrganisation(), env.GetAggregateVersion())
}

func (s *Server) enrolmentConfirmed(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *trainingv1.EnrolmentConfirmed) error {
	en := e.GetEnrolment()
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.PeopleEnrolled, Version: env.GetAggregateVersion(),
		Organisation: en.GetOrganisation(), Project: en.GetProject(), Day: dayOr(en.GetEnrolTime(), env), Person: en.GetLearner(),
	})
}

func (s *Server) enrolmentCancelled(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, _ *trainingv1.EnrolmentCancelled) error {
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.PeopleEnrolled, Version: env.GetAggregateVersion(), Gone: true,
	})
}

func (s *Server) enrolmentCompleted(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *trainingv1.EnrolmentCompleted) error {
	date, err := eventDay("date", e.GetDate())
	if err != nil {
		return err
	}
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.PeopleTrained, Version: env.GetAggregateVersion(),
		Organisation: e.GetOrganisation(), Project: e.GetProject(), Day: date, Person: e.GetLearner(),
	})
}

func (s *Server) attendanceRecorded(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *trainingv1.AttendanceRecorded) error {
	date, err := eventDay("date", e.GetDate())
	if err != nil {
		return err
	}
	if e.GetAttendedMinutes() < 0 {
		return errs.New(errs.Invalid, domain.ValueNegative, "event: attended_minutes is negative")
	}
	fact := source(env)
	if err := store.LockFact(ctx, tx, fact, domain.TrainingHours, env.GetAggregateVersion()); err != nil {
		return err
	}
	fresh, err := store.PutMark(ctx, tx, e.GetEnrolment(), domain.Mark{
		Version: env.GetAggregateVersion(), Minutes: e.GetAttendedMinutes(), Day: date, Organisation: e.GetOrganisation(), Project: e.GetProject(),
	})
	if err != nil || !fresh {
		return err
	}
	marks, err := store.Marks(ctx, tx, e.GetEnrolment())
	if err != nil {
		return err
	}
	leaves, err := domain.Hours(fact, marks)
	if err != nil {
		return err
	}
	return store.ReplaceAny(ctx, tx, domain.Automatic[domain.TrainingHours], fact, domain.TrainingHours, leaves, s.Now())
}

func putProject(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, p *projectsv1.Project) error {
	partners := []string{p.GetOrganisation()}
	for _, x := range p.GetPartners() {
		if x.GetOrganisation() != p.GetOrganisation() {
			partners = append(partners, x.GetOrganisation())
		}
	}
	return store.PutProject(ctx, tx, domain.Project{
		Name: p.GetName(), Organisation: p.GetOrganisation(), Title: p.GetTitle().GetText(), Partners: partners,
	}, env.GetAggregateVersion())
}

func (s *Server) projectOpened(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *projectsv1.ProjectOpened) error {
	return putProject(ctx, tx, env, e.GetProject())
}

func (s *Server) projectUpdated(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *projectsv1.ProjectUpdated) error {
	return putProject(ctx, tx, env, e.GetProject())
}

// projectPhaseChanged takes back the closing of a project that is opened again.
func (s *Server) projectPhaseChanged(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *projectsv1.ProjectPhaseChanged) error {
	p := e.GetProject()
	if err := putProject(ctx, tx, env, p); err != nil || e.GetFrom() != projectsv1.Phase_PHASE_CLOSED {
		return err
	}
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.ProjectsClosed, Version: env.GetAggregateVersion(), Gone: true,
		Organisation: p.GetOrganisation(), Project: p.GetName(), Day: dayOr(p.GetUpdateTime(), env), Value: exact.Int(1),
	})
}

func (s *Server) projectClosed(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *projectsv1.ProjectClosed) error {
	p := e.GetProject()
	if err := putProject(ctx, tx, env, p); err != nil {
		return err
	}
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.ProjectsClosed, Version: env.GetAggregateVersion(),
		Organisation: p.GetOrganisation(), Project: p.GetName(), Day: dayOr(p.GetCloseTime(), env), Value: exact.Int(1),
	})
}

// currency of the amounts that are added up. Amounts in another are not of the
// same unit and stay out of the figure.
const currency = "EUR"

func (s *Server) expenditureRecorded(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *projectsv1.ExpenditureRecorded) error {
	x := e.GetExpenditure()
	date, err := eventDay("document.date", x.GetDocument().GetDate())
	if err != nil {
		return err
	}
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.AmountSpent, Version: env.GetAggregateVersion(), Gone: x.GetAmount().GetCurrencyCode() != currency,
		Organisation: x.GetOrganisation(), Project: e.GetProject(), Day: date, Value: exact.Fraction(x.GetAmount().GetMinorUnits(), 100),
	})
}

func (s *Server) expenditureVoided(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, _ *projectsv1.ExpenditureVoided) error {
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.AmountSpent, Version: env.GetAggregateVersion(), Gone: true,
	})
}

// matchActivated counts a match at the side whose need is met.
func (s *Server) matchActivated(ctx context.Context, tx *sqldb.Tx, env *eventv1.Envelope, e *matchingv1.MatchActivated) error {
	m := e.GetMatch()
	return s.happen(ctx, tx, domain.Happening{
		Source: source(env), Indicator: domain.MatchesMade, Version: env.GetAggregateVersion(),
		Organisation: m.GetDemandOrganisation(), Day: domain.DayOf(env.GetEventTime().AsTime()), Value: exact.Int(1),
	})
}
