package rpc

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/emptypb"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	"github.com/trama-suite/trama/services/platform/errs"
	platform "github.com/trama-suite/trama/services/platform/rpc"
	"github.com/trama-suite/trama/services/platform/sqldb"
	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
	"github.com/trama-suite/trama/services/projects/internal/store"
)

func clockOf(s string) int {
	var h, m int
	_, _ = fmt.Sscanf(s, "%d:%d", &h, &m) // its pattern was checked
	return h*60 + m
}

func clockText(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

func timesOf(in []*projectsv1.WorkingTime) []schedule.Interval {
	var out []schedule.Interval
	for _, x := range in {
		out = append(out, schedule.Interval{From: clockOf(x.GetStart()), To: clockOf(x.GetEnd())})
	}
	return out
}

func timesProto(in []schedule.Interval) []*projectsv1.WorkingTime {
	var out []*projectsv1.WorkingTime
	for _, x := range in {
		out = append(out, &projectsv1.WorkingTime{Start: clockText(x.From), End: clockText(x.To)})
	}
	return out
}

func weekOf(in []*projectsv1.WeekDay) domain.Week {
	var out domain.Week
	for _, d := range in {
		out = append(out, domain.WeekDay{Day: int(d.GetDay()), Times: timesOf(d.GetWorkingTimes())})
	}
	return out
}

func weekProto(in domain.Week) []*projectsv1.WeekDay {
	var out []*projectsv1.WeekDay
	for _, d := range in {
		out = append(out, &projectsv1.WeekDay{Day: int32(d.Day), WorkingTimes: timesProto(d.Times)})
	}
	return out
}

func calendarProto(c *domain.Calendar) *projectsv1.Calendar {
	out := &projectsv1.Calendar{Name: c.Name(), Title: textProto(c.Title), WeekDays: weekProto(c.Week), ItalianHolidays: c.Italian, PatronDay: c.Patron,
		CreateTime: timeProto(c.Created), UpdateTime: timeProto(c.Updated), Etag: platform.Etag(c.Version)}
	if c.Base != "" {
		out.BaseCalendar = domain.CalendarName(c.Project, c.Base)
	}
	for _, x := range c.Periods {
		out.Periods = append(out.Periods, &projectsv1.CalendarPeriod{StartDate: string(x.From), EndDate: string(x.To), WeekDays: weekProto(x.Week)})
	}
	for _, x := range c.Exceptions {
		out.Exceptions = append(out.Exceptions, &projectsv1.CalendarException{StartDate: string(x.From), EndDate: string(x.To), DisplayName: x.DisplayName, WorkingTimes: timesProto(x.Times)})
	}
	return out
}

// hoursOf reads what people write about a calendar, and checks its base.
func hoursOf(ctx context.Context, tx *sqldb.Tx, project string, m *projectsv1.Calendar) (domain.Hours, error) {
	h := domain.Hours{Title: textOf(m.GetTitle()), Base: childID(m.GetBaseCalendar()), Week: weekOf(m.GetWeekDays()), Italian: m.GetItalianHolidays(), Patron: m.GetPatronDay()}
	for _, x := range m.GetPeriods() {
		h.Periods = append(h.Periods, domain.CalendarPeriod{From: civil.Date(x.GetStartDate()), To: civil.Date(x.GetEndDate()), Week: weekOf(x.GetWeekDays())})
	}
	for _, x := range m.GetExceptions() {
		h.Exceptions = append(h.Exceptions, domain.Exception{From: civil.Date(x.GetStartDate()), To: civil.Date(x.GetEndDate()), DisplayName: x.GetDisplayName(), Times: timesOf(x.GetWorkingTimes())})
	}
	if m.GetBaseCalendar() == "" {
		return h, nil
	}
	return h, requireCalendar(ctx, tx, project, "calendar.base_calendar", m.GetBaseCalendar())
}

// requireCalendar returns an error where a name is not empty and not that of a
// calendar of the project.
func requireCalendar(ctx context.Context, tx *sqldb.Tx, project, path, name string) error {
	if name == "" {
		return nil
	}
	_, err := store.Calendar(ctx, tx, project, childID(name))
	if !sameProject(project, name) || errs.KindOf(err) == errs.NotFound {
		return domain.CalendarAbsent(path, project, childID(name))
	}
	return err
}

// CreateCalendar adds a calendar to a project.
func (s *Server) CreateCalendar(ctx context.Context, req *projectsv1.CreateCalendarRequest) (*projectsv1.Calendar, error) {
	project, err := projectOf(req.GetParent())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Calendar, error) {
		p, err := lockProject(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		hours, err := hoursOf(ctx, tx, project, req.GetCalendar())
		if err != nil {
			return nil, err
		}
		there, err := store.AllCalendars(ctx, tx, project)
		if err != nil {
			return nil, err
		}
		if len(there) >= domain.MaxCalendars {
			return nil, errs.New(errs.FailedPrecondition, domain.CalendarWrong, "the project has %d calendars already", len(there))
		}
		c, err := domain.NewCalendar(s.newID(), p, hours, s.now())
		if err != nil {
			return nil, err
		}
		store.InsertCalendar(tx, c)
		return calendarProto(c), s.recompute(ctx, tx, p) // the engine has the last word on what works
	})
}

// GetCalendar reads a calendar.
func (s *Server) GetCalendar(ctx context.Context, req *projectsv1.GetCalendarRequest) (*projectsv1.Calendar, error) {
	return readChild(ctx, s, "calendars", req.GetName(), store.Calendar, calendarProto)
}

// ListCalendars lists the calendars of a project.
func (s *Server) ListCalendars(ctx context.Context, req *projectsv1.ListCalendarsRequest) (*projectsv1.ListCalendarsResponse, error) {
	items, next, err := listChildren(ctx, s, store.Calendars, req, store.ListCalendars)
	if err != nil {
		return nil, err
	}
	return &projectsv1.ListCalendarsResponse{Calendars: each(items, calendarProto), NextPageToken: next}, nil
}

// UpdateCalendar changes a calendar and recomputes the plan.
func (s *Server) UpdateCalendar(ctx context.Context, req *projectsv1.UpdateCalendarRequest) (*projectsv1.Calendar, error) {
	patch := req.GetCalendar()
	project, id, err := childOf("calendars", patch.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*projectsv1.Calendar, error) {
		p, c, err := lockChild(ctx, tx, project, id, patch.GetName(), patch.GetEtag(), store.Calendar)
		if err != nil {
			return nil, err
		}
		m, err := platform.UpdateMask("calendar", calendarProto(c), patch, req.GetUpdateMask())
		if err != nil {
			return nil, err
		}
		hours, err := hoursOf(ctx, tx, project, m)
		if err != nil {
			return nil, err
		}
		was := c.Version
		if err := c.Revise(p, hours, s.now()); err != nil {
			return nil, err
		}
		if err := store.SaveCalendar(ctx, tx, c, was); err != nil {
			return nil, err
		}
		if err := s.recompute(ctx, tx, p); err != nil {
			return nil, err
		}
		return calendarProto(c), s.refresh(ctx, tx, p)
	})
}

// DeleteCalendar deletes a calendar that nothing works by.
func (s *Server) DeleteCalendar(ctx context.Context, req *projectsv1.DeleteCalendarRequest) (*emptypb.Empty, error) {
	project, id, err := childOf("calendars", req.GetName())
	if err != nil {
		return nil, err
	}
	return platform.Mutate(ctx, s.db, req, func(ctx context.Context, tx *sqldb.Tx) (*emptypb.Empty, error) {
		p, c, err := lockChild(ctx, tx, project, id, req.GetName(), req.GetEtag(), store.Calendar)
		if err != nil {
			return nil, err
		}
		if err := p.Writable(); err != nil {
			return nil, err
		}
		plan, err := wholePlan(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		if users := plan.UsersOfCalendar(c); len(users) > 0 {
			return nil, domain.InUse(domain.CalendarInUse, c.Name(), users)
		}
		if err := store.DeleteCalendar(ctx, tx, c, c.Version); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, s.recompute(ctx, tx, p)
	})
}
