package interchange

import (
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// exportCalendars writes the calendar of a plan that names none, where it is
// needed, and the plan's own.
func (ex *exporter) exportCalendars() error {
	uid := int64(0)
	if ex.plan.Settings.Calendar == "" {
		uid = standardUID
		c := domain.Calendar{Hours: domain.Hours{Title: domain.Text{Text: "Standard"}, Italian: true, Week: office()}}
		if err := ex.calendar(&c, uid); err != nil {
			return err
		}
	}
	for _, c := range ex.plan.Calendars {
		uid++
		ex.calendars[c.ID] = uid
	}
	for _, c := range ex.plan.Calendars {
		if err := ex.calendar(c, ex.calendars[c.ID]); err != nil {
			return err
		}
	}
	if id := ex.plan.Settings.Calendar; id != "" {
		ex.out.CalendarUID = ex.calendars[id]
	}
	return nil
}

// office is the week of the standard calendar.
func office() domain.Week {
	var out domain.Week
	for d, times := range schedule.Standard("").Week {
		out = append(out, domain.WeekDay{Day: int(d), Times: times})
	}
	return out
}

func (ex *exporter) calendar(c *domain.Calendar, uid int64) error {
	out := mspdi.Calendar{UID: uid, Name: c.Title.Text, Base: mspdi.NoCalendar, Week: days(c.Week)}
	if c.Base != "" {
		out.Base = ex.calendars[c.Base]
	} else {
		for i := range out.Week { // without a base, a day that is not there is off
			if out.Week[i] == nil {
				out.Week[i] = &mspdi.Day{}
			}
		}
	}
	for _, p := range c.Periods {
		out.Weeks = append(out.Weeks, mspdi.WorkWeek{From: midnight(p.From), To: midnight(p.To), Week: days(p.Week)})
	}
	if err := ex.holidays(c, &out); err != nil {
		return err
	}
	for _, x := range c.Exceptions {
		to := x.To
		if to == "" {
			to = x.From
		}
		out.Exceptions = append(out.Exceptions, mspdi.Exception{Name: x.DisplayName, From: midnight(x.From), To: midnight(to), Day: dayOf(x.Times)})
	}
	ex.out.Calendars = append(ex.out.Calendars, out)
	return nil
}

// Around the plan, so many years of holidays are written.
const (
	yearsBefore = 1
	yearsAfter  = 3
	mostYears   = 30
)

// holidays writes the days that the calendar's switches take off, before its
// exceptions, which win over them.
func (ex *exporter) holidays(c *domain.Calendar, out *mspdi.Calendar) error {
	if !c.Italian && c.Patron == "" {
		return nil
	}
	first := ex.out.Start.Year() - yearsBefore
	last := min(max(ex.out.Finish.Year(), ex.out.Start.Year())+yearsAfter, first+mostYears)
	off := func(name string, d time.Time) {
		out.Exceptions = append(out.Exceptions, mspdi.Exception{Name: name, From: d, To: d})
	}
	if c.Italian {
		every := schedule.RoundTheClock("every")
		every.Italian = true
		axis, err := schedule.NewAxis(schedule.At(civil.Of(ex.out.Start), 0), []schedule.Calendar{every}, "every")
		if err != nil {
			return err
		}
		for d := time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() <= last; d = d.AddDate(0, 0, 1) {
			if !axis.Works(schedule.At(civil.Of(d), 12*60)) {
				off(holidayName, d)
			}
		}
	}
	if c.Patron != "" {
		for year := first; year <= last; year++ {
			if d, err := time.Parse("2006--01-02", time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006")+c.Patron); err == nil {
				off(patronName+c.Patron, d)
			}
		}
	}
	return nil
}

func days(w domain.Week) [7]*mspdi.Day {
	var out [7]*mspdi.Day
	for _, d := range w {
		x := dayOf(d.Times)
		out[d.Day%7] = &x
	}
	return out
}

func dayOf(times []schedule.Interval) mspdi.Day {
	var out mspdi.Day
	for _, x := range times {
		out.Intervals = append(out.Intervals, mspdi.Interval{From: x.From, To: x.To})
	}
	return out
}
