package rpc

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/outbox"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
	"github.com/trama-suite/trama/services/training/internal/store"
)

// publishEdition tells the suite of an edition's change, if the network sees it.
func (s *Server) publishEdition(ctx context.Context, tx *sqldb.Tx, e *domain.Edition, scheduled bool) error {
	if !e.Published {
		return nil
	}
	told := editionTo(e)
	told.Link = ""         // for people who hold a seat only
	told.CancelReason = "" // free text: somebody may have written a name into it
	var data proto.Message = &trainingv1.EditionChanged{Edition: told}
	if scheduled {
		data = &trainingv1.EditionScheduled{Edition: told}
	}
	return s.Outbox.Add(ctx, tx, outbox.Event{Aggregate: e.Name, Version: e.Events, Owner: e.Organisation, Time: e.Updated, Data: data})
}

// publish tells the suite of changes of enrolments, and notes what is to be said
// to the people concerned. day is the session's for attendance.
func (s *Server) publish(ctx context.Context, tx *sqldb.Tx, changes []store.Change, day time.Time) error {
	for _, c := range changes {
		n := c.Enrolment
		event := outbox.Event{Aggregate: n.Name, Version: n.Version, Owner: n.Organisation, Time: n.Updated, Data: eventOf(c, day)}
		if err := s.Outbox.Add(ctx, tx, event); err != nil {
			return err
		}
		if kind := store.NoticeKind(c); kind != "" {
			s.store.AddNotice(tx, store.Notice{Name: s.name("notices"), Enrolment: n.Name, Learner: n.Learner, Kind: kind, Created: n.Updated})
		}
	}
	return nil
}

func eventOf(c store.Change, day time.Time) proto.Message {
	n := c.Enrolment
	switch c.Event {
	case domain.Confirmed:
		return &trainingv1.EnrolmentConfirmed{Enrolment: told(&n)}
	case domain.Ended:
		return &trainingv1.EnrolmentCancelled{Enrolment: told(&n)}
	case domain.Attended:
		return &trainingv1.AttendanceRecorded{
			Enrolment: n.Name, Organisation: n.Organisation, Course: n.Course, Edition: n.Edition, Project: n.Project,
			AttendedMinutes: int32(n.Minutes), Date: day.Format(time.DateOnly), LearnerOrganisation: n.LearnerOrganisation, Learner: n.Learner,
		}
	case domain.Done:
		return &trainingv1.EnrolmentCompleted{
			Enrolment: n.Name, Organisation: n.Organisation, Course: n.Course, Edition: n.Edition, Project: n.Project,
			Minutes: int32(n.Minutes), Date: n.CompletedAt.Format(time.DateOnly), LearnerOrganisation: n.LearnerOrganisation, Learner: n.Learner,
		}
	}
	return &trainingv1.EnrolmentRequested{Enrolment: told(&n)}
}

// told is an enrolment as events carry it. The reason of a cancellation is free
// text and stays here: somebody may have written a name into it.
func told(n *domain.Enrolment) *trainingv1.Enrolment {
	out := enrolmentTo(n)
	out.CancelReason = ""
	return out
}
