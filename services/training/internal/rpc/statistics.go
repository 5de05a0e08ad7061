package rpc

import (
	"context"
	"fmt"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// ListCourseStatistics implements trainingv1.StatisticsServiceServer.
func (s *Server) ListCourseStatistics(ctx context.Context, req *trainingv1.ListCourseStatisticsRequest) (*trainingv1.ListCourseStatisticsResponse, error) {
	now, scope := s.now(), auth.ScopeFrom(ctx)
	var args []any
	where := scope.Where("organisation", &args)
	after := []any{nil} // the present instant stands first there
	whereAfter := scope.Where("organisation", &after)
	plan, err := store.Courses.Plan(req, auth.CallerFrom(ctx).Subject)
	if err != nil {
		return nil, err
	}
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.ListCourseStatisticsResponse, error) {
		list, next, err := s.store.ListCourseFigures(ctx, tx, plan, where, args, now)
		if err != nil {
			return nil, err
		}
		totals, err := s.store.Totals(ctx, tx, whereAfter, after[1:], now)
		return &trainingv1.ListCourseStatisticsResponse{
			Courses: convert(list, func(c store.CourseFigures) *trainingv1.CourseStatistics {
				return &trainingv1.CourseStatistics{
					Course: c.Course.Name, Organisation: c.Course.Organisation, Title: textTo(c.Course.Title), Figures: figuresTo(c.Figures),
				}
			}),
			NextPageToken: next, Totals: figuresTo(totals),
		}, err
	})
}

func figuresTo(f store.Figures) *trainingv1.TrainingFigures {
	out := &trainingv1.TrainingFigures{
		SeatCount: f.Seats, EnrolledCount: f.Enrolled, OfferedCount: f.Offered, WaitingCount: f.Waiting, AttendedMinutes: f.Minutes,
		CompletedCount: f.Completed, CertificateCount: f.Certificates, OpenInterestCount: f.Interest,
	}
	for _, state := range []domain.EditionState{
		domain.EditionInterest, domain.EditionScheduled, domain.EditionOpen, domain.EditionRunning, domain.EditionClosed, domain.EditionCancelled,
	} {
		if n := f.Editions[state]; n > 0 {
			out.Editions = append(out.Editions, &trainingv1.EditionStateCount{
				State: trainingv1.EditionState(trainingv1.EditionState_value["EDITION_STATE_"+string(state)]), Count: n,
			})
		}
	}
	return out
}

// AuditEdition implements trainingv1.EditionServiceServer.
func (s *Server) AuditEdition(ctx context.Context, req *trainingv1.AuditEditionRequest) (*trainingv1.AuditEditionResponse, error) {
	now := s.now()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.AuditEditionResponse, error) {
		e, err := s.store.Edition(ctx, tx, req.GetName(), now)
		if err != nil {
			return nil, err
		}
		if err := auth.Require(ctx, e.Organisation, e.Name); err != nil {
			return nil, err
		}
		breaches, _, err := s.store.Audit(ctx, tx, e.Name, now)
		return &trainingv1.AuditEditionResponse{
			Breaches: convert(breaches, breachTo), Capacity: int32(e.Capacity), WaitingCap: int32(e.WaitingCap),
			EnrolledCount: int32(e.Use.Enrolled), OfferedCount: int32(e.Use.Offered), WaitingCount: int32(e.Use.Waiting),
		}, err
	})
}

// AuditSeats implements trainingv1.EditionServiceServer.
func (s *Server) AuditSeats(ctx context.Context, _ *trainingv1.AuditSeatsRequest) (*trainingv1.AuditSeatsResponse, error) {
	now := s.now()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.AuditSeatsResponse, error) {
		breaches, editions, err := s.store.Audit(ctx, tx, "", now)
		return &trainingv1.AuditSeatsResponse{Breaches: convert(breaches, breachTo), EditionCount: int32(editions)}, err
	})
}

func breachTo(b store.Breach) *trainingv1.SeatBreach {
	return &trainingv1.SeatBreach{
		Edition: b.Edition, Invariant: trainingv1.SeatInvariant(trainingv1.SeatInvariant_value["SEAT_INVARIANT_"+b.Invariant]),
		Counted: int32(b.Counted), Limit: int32(b.Limit),
	}
}

// CheckSeats is the check of `trama doctor`: nil where every edition's seats are
// as they must be.
func (s *Server) CheckSeats(ctx context.Context) error {
	now := s.now()
	breaches, err := read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) ([]store.Breach, error) {
		breaches, _, err := s.store.Audit(ctx, tx, "", now)
		return breaches, err
	})
	if err != nil || len(breaches) == 0 {
		return err
	}
	b := breaches[0]
	return fmt.Errorf("%d broken seat invariants; the first: %s of %s: %d where %d is the most", len(breaches), b.Invariant, b.Edition, b.Counted, b.Limit)
}
