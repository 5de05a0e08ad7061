package schedule

import (
	"fmt"
	"slices"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Interval is working time within a day, in minutes since midnight: from From up
// to but not including To, 0 ≤ From < To ≤ 1,440. A night shift is written on
// both its days.
type Interval struct{ From, To int }

// Week is the working time of the days of a week. A weekday that is not in the
// map is the base calendar's; one with no interval is not worked. Part-time work
// (tempo parziale), vertical or horizontal, is a week with fewer days or hours.
type Week map[time.Weekday][]Interval

// Period is a stretch of dates with a week of its own, for example summer hours
// (orario estivo).
type Period struct {
	From, To civil.Date // inclusive
	Week     Week
}

// Exception is one date or a stretch of dates that depart from everything else
// in the calendar: not worked where Hours is empty, otherwise with those hours.
type Exception struct {
	From, To civil.Date // inclusive; To may be empty for a single date
	Hours    []Interval
}

// MonthDay is a day that comes back each year.
type MonthDay struct {
	Month time.Month
	Day   int
}

// Calendar says when work is done (calendario di lavoro). Of several rules for a
// date the strongest is the last matching exception, then a holiday, then those
// of the base calendar, then the last matching period, then the week, then the
// same of the base calendar.
type Calendar struct {
	ID string
	// Base is the ID of the calendar that holds where this one says nothing: its
	// holidays and exceptions, and the hours of the weekdays that are not in Week.
	// Empty for none: then a weekday not stated is not worked.
	Base       string
	Week       Week
	Periods    []Period
	Exceptions []Exception
	// Italian leaves out the Italian national public holidays (legge 27 maggio
	// 1949, n. 260, and later ones).
	Italian bool
	// Patron is the feast of the patron saint (santo patrono), not worked either;
	// zero for none.
	Patron MonthDay
}

// Limits of calendars: a stranger's must not cost much time or memory.
const (
	MaxCalendars  = 200   // calendars in use in a plan
	MaxIntervals  = 24    // intervals a day
	MaxExceptions = 4_000 // exceptions and periods
	maxBases      = 8     // a calendar, its base, the base of that and so on
)

// Standard returns the usual Italian office calendar: Monday to Friday, 08:00 to
// 12:00 and 13:00 to 17:00, without the national holidays.
func Standard(id string) Calendar {
	hours := []Interval{{8 * 60, 12 * 60}, {13 * 60, 17 * 60}}
	w := Week{}
	for d := time.Monday; d <= time.Friday; d++ {
		w[d] = hours
	}
	return Calendar{ID: id, Week: w, Italian: true}
}

// RoundTheClock returns a calendar in which every minute is worked: a task with
// an elapsed duration uses it.
func RoundTheClock(id string) Calendar {
	w := Week{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		w[d] = []Interval{{0, day}}
	}
	return Calendar{ID: id, Week: w}
}

// CalendarError says what is wrong with a calendar.
type CalendarError struct{ Calendar, Reason string }

func (e *CalendarError) Error() string { return fmt.Sprintf("calendar %s: %s", e.Calendar, e.Reason) }

// check returns what is wrong with the calendar by itself.
func (c *Calendar) check() error {
	wrong := func(format string, args ...any) error {
		return &CalendarError{Calendar: c.ID, Reason: fmt.Sprintf(format, args...)}
	}
	if len(c.Exceptions)+len(c.Periods) > MaxExceptions {
		return wrong("%d exceptions and periods, at most %d are allowed", len(c.Exceptions)+len(c.Periods), MaxExceptions)
	}
	if reason := c.Week.check(); reason != "" {
		return wrong("%s", reason)
	}
	for i, p := range c.Periods {
		if reason := checkDates(p.From, p.To); reason != "" {
			return wrong("periods[%d]: %s", i, reason)
		}
		if reason := p.Week.check(); reason != "" {
			return wrong("periods[%d]: %s", i, reason)
		}
	}
	for i, x := range c.Exceptions {
		if reason := checkDates(x.From, x.last()); reason != "" {
			return wrong("exceptions[%d]: %s", i, reason)
		}
		if reason := checkHours(x.Hours); reason != "" {
			return wrong("exceptions[%d]: %s", i, reason)
		}
	}
	if p := c.Patron; p != (MonthDay{}) && (p.Month < 1 || p.Month > 12 || p.Day < 1 || p.Day > 31 ||
		time.Date(2024, p.Month, p.Day, 0, 0, 0, 0, time.UTC).Month() != p.Month) {
		return wrong("%d/%d is not a day of the year", p.Day, p.Month)
	}
	return nil
}

func (x Exception) last() civil.Date {
	if x.To == "" {
		return x.From
	}
	return x.To
}

func checkDates(from, to civil.Date) string {
	for _, d := range []civil.Date{from, to} {
		if _, err := civil.Parse(string(d)); err != nil {
			return err.Error()
		}
	}
	if to < from {
		return fmt.Sprintf("ends on %s, before it begins on %s", to, from)
	}
	return ""
}

func (w Week) check() string {
	for d := range 7 {
		if reason := checkHours(w[time.Weekday(d)]); reason != "" {
			return fmt.Sprintf("%s: %s", time.Weekday(d), reason)
		}
	}
	for d := range w {
		if d < time.Sunday || d > time.Saturday {
			return fmt.Sprintf("%d is not a weekday", d)
		}
	}
	return ""
}

func checkHours(hours []Interval) string {
	if len(hours) > MaxIntervals {
		return fmt.Sprintf("%d intervals, at most %d are allowed", len(hours), MaxIntervals)
	}
	sorted := slices.SortedFunc(slices.Values(hours), func(a, b Interval) int { return a.From - b.From })
	for i, h := range sorted {
		switch {
		case h.From < 0 || h.To > day || h.From >= h.To:
			return fmt.Sprintf("%s is not an interval within a day", h)
		case i > 0 && h.From < sorted[i-1].To:
			return fmt.Sprintf("%s overlaps %s", h, sorted[i-1])
		}
	}
	return ""
}

// String returns the interval as people write it: "08:00-12:00".
func (h Interval) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60)
}
