package rpc

import (
	"context"
	"time"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/auth"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

// GetSessionRegister implements trainingv1.AttendanceServiceServer.
func (s *Server) GetSessionRegister(ctx context.Context, req *trainingv1.GetSessionRegisterRequest) (*trainingv1.SessionRegister, error) {
	now := s.now()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.SessionRegister, error) {
		x, err := s.store.Session(ctx, tx, req.GetName())
		if err != nil {
			return nil, err
		}
		e, err := s.store.Edition(ctx, tx, x.Edition, now)
		if err != nil {
			return nil, err
		}
		if err := auth.Require(ctx, e.Organisation, req.GetName()); err != nil {
			return nil, err
		}
		return s.sessionRegister(ctx, tx, x, now)
	})
}

// sessionRegister builds the register of a session, with names: its callers have
// checked that the caller may see it.
func (s *Server) sessionRegister(ctx context.Context, tx *sqldb.Tx, x *domain.Session, now time.Time) (*trainingv1.SessionRegister, error) {
	claims, err := s.store.EnrolmentsOf(ctx, tx, x.Edition)
	if err != nil {
		return nil, err
	}
	presences, err := s.store.PresencesIn(ctx, tx, x.Name)
	if err != nil {
		return nil, err
	}
	revisions, err := s.store.RevisionsIn(ctx, tx, x.Name)
	if err != nil {
		return nil, err
	}
	people, err := s.store.People(ctx, tx, x.Edition)
	if err != nil {
		return nil, err
	}
	out := &trainingv1.SessionRegister{Session: x.Name, Minutes: int32(x.Minutes()), Teacher: x.Teacher}
	for _, n := range claims {
		p := presences[n.Name]
		if p.Revision == 0 && n.State != domain.Enrolled && n.State != domain.Completed {
			continue
		}
		line := &trainingv1.RegisterLine{
			Enrolment: n.Name, Learner: n.Learner, Minutes: int32(p.Minutes), Intervals: intervalsTo(p.Intervals),
			Status: trainingv1.AttendanceStatus(trainingv1.AttendanceStatus_value["ATTENDANCE_STATUS_"+string(n.StatusIn(x, p.Minutes, now))]),
		}
		if l := people[n.Learner]; l != nil {
			line.GivenName, line.FamilyName = l.GivenName, l.FamilyName
		}
		for _, r := range revisions[n.Name] {
			line.Revisions = append(line.Revisions, &trainingv1.AttendanceRevision{
				Revision: int32(r.Revision), Intervals: intervalsTo(r.Intervals), Minutes: int32(r.Minutes),
				Reason: r.Reason, RecordedBy: r.By, RecordTime: timeTo(r.At),
			})
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}

// GetEditionRegister implements trainingv1.AttendanceServiceServer.
func (s *Server) GetEditionRegister(ctx context.Context, req *trainingv1.GetEditionRegisterRequest) (*trainingv1.EditionRegister, error) {
	now := s.now()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*trainingv1.EditionRegister, error) {
		e, err := s.store.Edition(ctx, tx, req.GetName(), now)
		if err != nil {
			return nil, err
		}
		if err := auth.Require(ctx, e.Organisation, req.GetName()); err != nil {
			return nil, err
		}
		return s.editionRegister(ctx, tx, e, now)
	})
}

func (s *Server) editionRegister(ctx context.Context, tx *sqldb.Tx, e *domain.Edition, now time.Time) (*trainingv1.EditionRegister, error) {
	sessions, err := s.store.SessionsOf(ctx, tx, e.Name)
	if err != nil {
		return nil, err
	}
	claims, err := s.store.EnrolmentsOf(ctx, tx, e.Name)
	if err != nil {
		return nil, err
	}
	lines, err := s.store.PresencesOf(ctx, tx, e.Name)
	if err != nil {
		return nil, err
	}
	people, err := s.store.People(ctx, tx, e.Name)
	if err != nil {
		return nil, err
	}
	minutes, byLearner := map[[2]string]int{}, map[string]int{}
	for _, p := range lines {
		minutes[[2]string{p.Session, p.Enrolment}] = p.Minutes
		byLearner[p.Learner] += p.Minutes
	}
	schedule := domain.ScheduleAt(sessions, now)
	out := &trainingv1.EditionRegister{Edition: e.Name, ScheduledMinutes: int32(schedule.Total), RequiredMinutes: int32(e.Required(schedule.Total))}
	for _, n := range claims {
		if n.Minutes == 0 && n.State != domain.Enrolled && n.State != domain.Completed {
			continue
		}
		line := &trainingv1.EditionRegisterLine{
			Enrolment: n.Name, Learner: n.Learner, State: enrolmentState(n.State), AttendedMinutes: int32(n.Minutes),
			RemainingMinutes: int32(schedule.Remaining),
		}
		if n.Live() {
			line.AttendedMinutes = int32(byLearner[n.Learner])
			line.ThresholdReachable = e.Reachable(byLearner[n.Learner], schedule)
		}
		if l := people[n.Learner]; l != nil {
			line.GivenName, line.FamilyName = l.GivenName, l.FamilyName
		}
		for i := range sessions {
			if n.StatusIn(&sessions[i], minutes[[2]string{sessions[i].Name, n.Name}], now) == domain.Absence {
				line.AbsentSessions++
			}
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}
