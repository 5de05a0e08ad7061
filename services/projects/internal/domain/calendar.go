package domain

import (
	"fmt"
	"strings"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
	"github.com/trama-suite/trama/services/platform/ids"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// MaxCalendars is how many calendars a project may have.
const MaxCalendars = 200

// Calendar is a working calendar of a project.
type Calendar struct {
	ID      string `json:"-"`
	Project string `json:"-"`
	Stamp
	Hours
}

// Hours are what people write about a calendar.
type Hours struct {
	Title      Text             `json:"title"`
	Base       string           `json:"base,omitempty"` // id
	Week       Week             `json:"week,omitempty"`
	Italian    bool             `json:"italian,omitempty"`
	Patron     string           `json:"patron,omitempty"` // --MM-DD
	Periods    []CalendarPeriod `json:"periods,omitempty"`
	Exceptions []Exception      `json:"exceptions,omitempty"`
}

// Week is the working time of some days of the week.
type Week []WeekDay

// WeekDay is the working time of one: Day is 1 for Monday to 7 for Sunday.
type WeekDay struct {
	Day   int                 `json:"day"`
	Times []schedule.Interval `json:"times,omitempty"`
}

// CalendarPeriod is a span of days with a week of its own.
type CalendarPeriod struct {
	From civil.Date `json:"from"`
	To   civil.Date `json:"to"`
	Week Week       `json:"week,omitempty"`
}

// Exception is a span of days with hours of their own.
type Exception struct {
	From        civil.Date          `json:"from"`
	To          civil.Date          `json:"to,omitempty"`
	DisplayName string              `json:"displayName,omitempty"`
	Times       []schedule.Interval `json:"times,omitempty"`
}

// Name returns the resource name.
func (c *Calendar) Name() string { return CalendarName(c.Project, c.ID) }

// CalendarName returns the resource name of a calendar of a project.
func CalendarName(project, id string) string { return ids.Name("projects", project, "calendars", id) }

// NewCalendar makes a calendar.
func NewCalendar(id string, p *Project, h Hours, now time.Time) (*Calendar, error) {
	if err := first(p.Writable(), h.check()); err != nil {
		return nil, err
	}
	return &Calendar{ID: id, Project: p.ID, Stamp: NewStamp(now), Hours: h}, nil
}

// Revise replaces what people write.
func (c *Calendar) Revise(p *Project, h Hours, now time.Time) error {
	if err := first(p.Writable(), h.check()); err != nil {
		return err
	}
	c.Hours = h
	c.Touch(now)
	return nil
}

func calendarError(path, format string, args ...any) error {
	return errs.InvalidField(CalendarWrong, path, format, args...)
}

func (h *Hours) check() error {
	if err := first(h.Title.require("calendar.title"), h.Week.check("calendar.week_days")); err != nil {
		return err
	}
	if h.Patron != "" {
		if _, err := time.Parse("2006-01-02", "2024-"+strings.TrimPrefix(h.Patron, "--")); err != nil {
			return calendarError("calendar.patron_day", "%q is not a day of the year such as --06-24", h.Patron)
		}
	}
	for i, x := range h.Periods {
		path := fmt.Sprintf("calendar.periods[%d]", i)
		if err := first(readDate(path+".start_date", x.From), readDate(path+".end_date", x.To), x.Week.check(path+".week_days")); err != nil {
			return err
		}
		if x.To < x.From {
			return errs.InvalidField(DatesWrong, path+".end_date", "must not be before start_date")
		}
	}
	for i, x := range h.Exceptions {
		path := fmt.Sprintf("calendar.exceptions[%d]", i)
		if err := first(readDate(path+".start_date", x.From), optionalDate(path+".end_date", x.To), checkTimes(path+".working_times", x.Times)); err != nil {
			return err
		}
		if x.To != "" && x.To < x.From {
			return errs.InvalidField(DatesWrong, path+".end_date", "must not be before start_date")
		}
	}
	return nil
}

func (w Week) check(path string) error {
	seen := map[int]bool{}
	for i, d := range w {
		if seen[d.Day] {
			return calendarError(fmt.Sprintf("%s[%d].day", path, i), "%d stands twice", d.Day)
		}
		seen[d.Day] = true
		if err := checkTimes(fmt.Sprintf("%s[%d].working_times", path, i), d.Times); err != nil {
			return err
		}
	}
	return nil
}

func checkTimes(path string, times []schedule.Interval) error {
	for i, x := range times {
		if x.To <= x.From {
			return calendarError(fmt.Sprintf("%s[%d].end", path, i), "must be after the start; a night shift is split on its two days")
		}
		if i > 0 && x.From < times[i-1].To {
			return calendarError(fmt.Sprintf("%s[%d].start", path, i), "must not be before the end of the one before")
		}
	}
	return nil
}

func (w Week) engine() schedule.Week {
	out := schedule.Week{}
	for _, d := range w {
		out[time.Weekday(d.Day%7)] = d.Times
	}
	return out
}

// engine is the calendar as the engine knows it.
func (c *Calendar) engine() schedule.Calendar {
	out := schedule.Calendar{ID: c.ID, Base: c.Base, Week: c.Week.engine(), Italian: c.Italian}
	if c.Patron != "" {
		t, err := time.Parse("2006-01-02", "2024-"+strings.TrimPrefix(c.Patron, "--"))
		if err == nil { // check has parsed it
			out.Patron = schedule.MonthDay{Month: t.Month(), Day: t.Day()}
		}
	}
	for _, x := range c.Periods {
		out.Periods = append(out.Periods, schedule.Period{From: x.From, To: x.To, Week: x.Week.engine()})
	}
	for _, x := range c.Exceptions {
		out.Exceptions = append(out.Exceptions, schedule.Exception{From: x.From, To: x.To, Hours: x.Times})
	}
	return out
}

// UsersOfCalendar names what works by a calendar of the plan.
func (p *Plan) UsersOfCalendar(c *Calendar) []string {
	var out []string
	if p.Settings.Calendar == c.ID {
		out = append(out, p.Settings.Name())
	}
	for _, x := range p.Calendars {
		if x.Base == c.ID {
			out = append(out, x.Name())
		}
	}
	for _, r := range p.Resources {
		if r.Calendar == c.ID {
			out = append(out, r.Name())
		}
	}
	for _, t := range p.Tasks {
		if t.Calendar == c.ID {
			out = append(out, t.Name())
		}
	}
	return out
}
