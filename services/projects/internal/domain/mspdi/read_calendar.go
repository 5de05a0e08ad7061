package mspdi

import (
	"slices"
	"time"
)

// ordinary is what the program takes for a working day without times.
var ordinary = []Interval{{8 * 60, 12 * 60}, {13 * 60, 17 * 60}}

func (r *reader) calendar() error {
	c := Calendar{UID: -1, Base: NoCalendar, line: r.line()}
	if len(r.plan.Calendars) >= 1_000 {
		return r.fail(TooLarge, "the plan has more than 1,000 calendars")
	}
	base := true
	var days []Exception
	err := r.each(func(name string) error {
		switch name {
		case "UID":
			return r.integer(&c.UID)
		case "Name":
			return r.words(&c.Name)
		case "IsBaseCalendar":
			return r.flag(&base)
		case "BaseCalendarUID":
			return r.integer(&c.Base)
		case "WeekDays":
			return r.all("WeekDay", func() error { return r.weekDay(&c.Week, &days, true) })
		case "Exceptions":
			return r.all("Exception", func() error { return r.exception(&c) })
		case "WorkWeeks":
			return r.all("WorkWeek", func() error { return r.workWeek(&c) })
		}
		return r.other(name)
	})
	if err != nil {
		return err
	}
	if c.UID < 0 {
		return r.fail(Broken, "the calendar at line %d has no UID", c.line)
	}
	if c.Base < 0 || base && c.Base == 0 { // some write 0 for a base calendar's own base
		c.Base = NoCalendar
	}
	if c.Base == NoCalendar {
		fillWeek(&c.Week)
	}
	// The program writes each exception twice, as a WeekDay for its elders: what is
	// in Exceptions wins, and both win over a work week.
	c.Exceptions = slices.Concat(days, c.Exceptions)
	if len(c.Exceptions) > r.limits.Others {
		return r.fail(TooLarge, "calendar %d has more than %d exceptions", c.UID, r.limits.Others)
	}
	r.plan.Calendars = append(r.plan.Calendars, c)
	return nil
}

// fillWeek completes the week of a calendar that inherits from none: Monday to
// Friday where the file says nothing of any day, and no work on the days that it
// leaves out otherwise.
func fillWeek(week *[7]*Day) {
	silent := true
	for _, d := range week {
		silent = silent && d == nil
	}
	for i, d := range week {
		switch {
		case d != nil:
		case silent && i >= 1 && i <= 5:
			week[i] = &Day{slices.Clone(ordinary)}
		default:
			week[i] = &Day{}
		}
	}
}

// weekDay reads a day of the week, or (DayType 0) an exception.
func (r *reader) weekDay(week *[7]*Day, days *[]Exception, exceptions bool) error {
	kind, working := -1, false
	x := Exception{}
	var times []Interval
	err := r.each(func(name string) error {
		switch name {
		case "DayType":
			return r.within(&kind, 0, 10)
		case "DayWorking":
			return r.flag(&working)
		case "TimePeriod":
			return r.period(&x)
		case "WorkingTimes":
			return r.all("WorkingTime", func() error { return r.workingTime(&times) })
		}
		return r.other(name)
	})
	if err != nil {
		return err
	}
	day, err := r.day(working, times)
	if err != nil {
		return err
	}
	switch {
	case kind == 0 && exceptions && !x.From.IsZero():
		x.Day = day
		return r.keep(days, x)
	case kind >= 1 && kind <= 7:
		week[kind-1] = &day
	case kind > 7: // 8 weekdays, 9 weekends, 10 every day
		for i := range week {
			weekend := i == 0 || i == 6
			if kind == 10 || weekend == (kind == 9) {
				d := day
				week[i] = &d
			}
		}
	}
	return nil
}

func (r *reader) day(working bool, times []Interval) (Day, error) {
	switch {
	case !working:
		return Day{}, nil
	case len(times) == 0:
		return Day{slices.Clone(ordinary)}, nil
	}
	slices.SortFunc(times, func(a, b Interval) int { return a.From - b.From })
	for i := 1; i < len(times); i++ {
		if times[i].From < times[i-1].To {
			return Day{}, r.broken("two working times of a day overlap")
		}
	}
	return Day{times}, nil
}

func (r *reader) workingTime(into *[]Interval) error {
	if len(*into) >= 24 {
		return r.fail(TooLarge, "a day has more than 24 working times")
	}
	var x Interval
	some := false
	err := r.each(func(name string) error {
		switch name {
		case "FromTime":
			some = true
			return value(r.walker, &x.From, parseClock)
		case "ToTime":
			return value(r.walker, &x.To, parseClock)
		}
		return r.other(name)
	})
	if err != nil || !some {
		return err
	}
	switch {
	case x.To == 0:
		x.To = 24 * 60
	case x.To < x.From: // past midnight: the rest belongs to this day too
		*into = append(*into, Interval{0, x.To})
		x.To = 24 * 60
	case x.To == x.From:
		return nil
	}
	*into = append(*into, x)
	return nil
}

func (r *reader) period(x *Exception) error {
	err := r.each(func(name string) error {
		switch name {
		case "FromDate":
			return r.moment(&x.From)
		case "ToDate":
			return r.moment(&x.To)
		}
		return r.other(name)
	})
	x.From, x.To = midnight(x.From), midnight(x.To)
	if err == nil && x.To.Before(x.From) {
		if !x.To.IsZero() {
			return r.broken("the period ends before it begins")
		}
		x.To = x.From
	}
	return err
}

func midnight(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func (r *reader) keep(into *[]Exception, x Exception) error {
	if len(*into) >= r.limits.Others {
		return r.fail(TooLarge, "a calendar has more than %d exceptions", r.limits.Others)
	}
	*into = append(*into, x)
	return nil
}

func (r *reader) workWeek(c *Calendar) error {
	var span Exception
	var w WorkWeek
	err := r.each(func(name string) error {
		switch name {
		case "Name":
			return r.words(&w.Name)
		case "TimePeriod":
			return r.period(&span)
		case "WeekDays":
			return r.all("WeekDay", func() error { return r.weekDay(&w.Week, nil, false) })
		}
		return r.other(name)
	})
	if err != nil || span.From.IsZero() {
		return err
	}
	if len(c.Weeks) >= 1_000 {
		return r.fail(TooLarge, "a calendar has more than 1,000 work weeks")
	}
	w.From, w.To = span.From, span.To
	c.Weeks = append(c.Weeks, w)
	return nil
}
