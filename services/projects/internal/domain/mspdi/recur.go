package mspdi

import (
	"time"
)

// recurrence is how an exception repeats (Exception/Type and what belongs to it).
type recurrence struct {
	kind        int // 1 daily, 2 and 3 yearly, 4 and 5 monthly, 6 weekly
	period      int // every so many days, months or weeks
	occurrences int // 0 where the period's end counts
	byNumber    bool
	weekdays    int // bit 0 is Sunday
	month       int // 0 is January
	monthDay    int
	position    int // 0 first … 3 fourth, 4 last
	item        int // 0 day, 1 weekday, 2 weekend day, 3 Sunday … 9 Saturday
}

// maxOccurrences bounds what one exception may expand to.
const maxOccurrences = 2_000

func (r *reader) exception(c *Calendar) error {
	var x Exception
	var rec recurrence
	working := false
	var times []Interval
	err := r.each(func(name string) error {
		switch name {
		case "Name":
			return r.words(&x.Name)
		case "TimePeriod":
			return r.period(&x)
		case "DayWorking":
			return r.flag(&working)
		case "WorkingTimes":
			return r.all("WorkingTime", func() error { return r.workingTime(&times) })
		case "Type":
			return r.within(&rec.kind, 0, 9)
		case "Period":
			return r.within(&rec.period, 0, 10_000)
		case "Occurrences":
			return r.within(&rec.occurrences, 0, 100_000)
		case "EnteredByOccurrences":
			return r.flag(&rec.byNumber)
		case "DaysOfWeek":
			return r.within(&rec.weekdays, 0, 127)
		case "Month":
			return r.within(&rec.month, 0, 11)
		case "MonthDay":
			return r.within(&rec.monthDay, 0, 31)
		case "MonthPosition":
			return r.within(&rec.position, 0, 4)
		case "MonthItem":
			return r.within(&rec.item, 0, 9)
		}
		return r.other(name)
	})
	if err != nil {
		return err
	}
	if x.From.IsZero() {
		return r.broken("the exception has no FromDate")
	}
	if x.Day, err = r.day(working, times); err != nil {
		return err
	}
	if rec.kind < 2 && rec.period <= 1 || rec.kind > 6 {
		return r.keep(&c.Exceptions, x)
	}
	return r.expand(c, x, rec)
}

// expand writes out the days of an exception that repeats.
func (r *reader) expand(c *Calendar, x Exception, rec recurrence) error {
	period, days := max(rec.period, 1), 0
	for d := x.From; !d.After(x.To) || rec.byNumber && days < rec.occurrences; d = d.AddDate(0, 0, 1) {
		if rec.byNumber && days >= rec.occurrences || d.Year() > 2999 {
			break
		}
		if !rec.falls(x.From, d, period) {
			continue
		}
		if days++; days > maxOccurrences {
			return r.fail(TooLarge, "an exception repeats more than %d times", maxOccurrences)
		}
		if err := r.keep(&c.Exceptions, Exception{Name: x.Name, From: d, To: d, Day: x.Day}); err != nil {
			return err
		}
	}
	return nil
}

// falls reports whether a day is one of the recurrence that begins on from.
func (rec *recurrence) falls(from, d time.Time, period int) bool {
	months := (d.Year()-from.Year())*12 + int(d.Month()) - int(from.Month())
	switch rec.kind {
	case 1:
		return int(d.Sub(from).Hours()/24)%period == 0
	case 2:
		return int(d.Month()) == rec.month+1 && d.Day() == rec.monthDay
	case 3:
		return int(d.Month()) == rec.month+1 && rec.positioned(d)
	case 4:
		return months%period == 0 && d.Day() == rec.monthDay
	case 5:
		return months%period == 0 && rec.positioned(d)
	case 6:
		weeks := (int(d.Sub(from).Hours()/24) + int(from.Weekday())) / 7
		return weeks%period == 0 && rec.weekdays>>int(d.Weekday())&1 == 1
	}
	return false
}

// positioned reports whether a day is the first, … or last of its month of the
// kind that item names.
func (rec *recurrence) positioned(d time.Time) bool {
	if !rec.fits(d) {
		return false
	}
	before, after := 0, 0
	for k := d.AddDate(0, 0, -1); k.Month() == d.Month(); k = k.AddDate(0, 0, -1) {
		if rec.fits(k) {
			before++
		}
	}
	for k := d.AddDate(0, 0, 1); k.Month() == d.Month(); k = k.AddDate(0, 0, 1) {
		if rec.fits(k) {
			after++
		}
	}
	if rec.position == 4 {
		return after == 0
	}
	return before == rec.position
}

func (rec *recurrence) fits(d time.Time) bool {
	weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
	switch rec.item {
	case 0:
		return true
	case 1:
		return !weekend
	case 2:
		return weekend
	}
	return int(d.Weekday()) == rec.item-3
}
