package rpc

import (
	"context"
	"strings"
	"time"
	"unicode"

	ics "github.com/arran4/golang-ical"
	"google.golang.org/genproto/googleapis/api/httpbody"

	trainingv1 "github.com/trama-suite/trama/proto/gen/go/trama/training/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/training/internal/domain"
)

const (
	calendarType    = "text/calendar; charset=utf-8"
	calendarProduct = "-//trama-suite//Trama training//IT"
	// calendarRefresh is how often subscribers are asked to look again.
	calendarRefresh = "PT6H"
)

// GetEditionCalendar implements trainingv1.EditionServiceServer.
func (s *Server) GetEditionCalendar(ctx context.Context, req *trainingv1.GetEditionCalendarRequest) (*httpbody.HttpBody, error) {
	now := s.now()
	return read(ctx, s, func(ctx context.Context, tx *sqldb.Tx) (*httpbody.HttpBody, error) {
		e, err := s.store.Edition(ctx, tx, req.GetName(), now)
		if err != nil {
			return nil, err
		}
		if !e.Published {
			return nil, errs.AbsentResource(e.Name)
		}
		sessions, err := s.store.SessionsOf(ctx, tx, e.Name)
		return &httpbody.HttpBody{ContentType: calendarType, Data: []byte(calendar(e, sessions))}, err
	})
}

// calendar writes an edition's sessions as an iCalendar document (RFC 5545): UTC
// times, lines folded at 75 octets and ended by CRLF. A session keeps its UID for
// good, and a cancelled one stays, as cancelled, so that it goes away on phones
// that already have it.
func calendar(e *domain.Edition, sessions []domain.Session) string {
	cal := ics.NewCalendar()
	cal.SetProductId(calendarProduct)
	cal.SetMethod(ics.MethodPublish)
	cal.SetName(lines(e.Title.Text))
	cal.SetXWRCalName(lines(e.Title.Text))
	cal.SetRefreshInterval(calendarRefresh)
	for _, x := range sessions {
		event := cal.AddEvent(uid(x.Name))
		// The stamp is the last change's, not the present: the same calendar reads
		// the same until something in it changes.
		stamp := laterOf(x.Updated, e.Revised)
		event.SetStatus(ics.ObjectStatusConfirmed)
		if x.State == domain.SessionCancelled || e.State == domain.EditionCancelled {
			event.SetStatus(ics.ObjectStatusCancelled)
		}
		event.SetDtStampTime(stamp)
		event.SetModifiedAt(stamp)
		event.SetCreatedTime(x.Created)
		event.SetSequence(x.Sequence + e.Revision)
		event.SetStartAt(x.Start)
		event.SetEndAt(x.End)
		event.SetSummary(lines(sessionTitle(e, &x)))
		if place := x.Place; place != "" || e.Place != "" {
			if place == "" {
				place = e.Place
			}
			event.SetLocation(lines(place))
		}
	}
	return cal.Serialize(ics.WithNewLineWindows)
}

// lines ends lines by LF alone, which is then escaped, and leaves out all other
// control characters: a text holds none (RFC 5545, 3.3.11), and a reader that took
// a bare CR for the end of a line would read on as if the calendar said it.
func lines(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// uid is a session's identity in calendars, stable for good.
func uid(session string) string {
	return session[strings.LastIndexByte(session, '/')+1:] + "@sessions.trama"
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sessionTitle is the session's own title, else its module's, else the edition's.
func sessionTitle(e *domain.Edition, x *domain.Session) string {
	if x.Title != "" {
		return x.Title
	}
	if m, ok := e.Module(x.Module); ok {
		return m.Title.Text
	}
	return e.Title.Text
}
