package interchange

import (
	"fmt"
	"strings"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/mspdi"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

// importCalendars takes over the calendars. One that only passes on another, as
// programs make for each resource, is that other one.
func (im *importer) importCalendars() {
	same := map[int64]int64{}
	for _, c := range im.doc.Calendars {
		if c.Base != mspdi.NoCalendar && plain(c) {
			same[c.UID] = c.Base
		}
	}
	for _, c := range im.doc.Calendars {
		if _, passes := same[c.UID]; !passes {
			im.calendars[c.UID] = im.NewID()
		}
	}
	root := func(uid int64) int64 {
		for {
			next, passes := same[uid]
			if !passes {
				return uid
			}
			uid = next // bases were checked not to go round
		}
	}
	for uid := range same {
		im.calendars[uid] = im.calendars[root(uid)]
	}
	for _, c := range im.doc.Calendars {
		if _, passes := same[c.UID]; passes {
			continue
		}
		im.out.Plan.Calendars = append(im.out.Plan.Calendars, &domain.Calendar{ID: im.calendars[c.UID], Project: im.Project.ID,
			Stamp: domain.NewStamp(im.Now), Hours: im.hours(c)})
	}
}

func plain(c mspdi.Calendar) bool {
	for _, d := range c.Week {
		if d != nil {
			return false
		}
	}
	return len(c.Exceptions) == 0 && len(c.Weeks) == 0
}

func (im *importer) hours(c mspdi.Calendar) domain.Hours {
	out := domain.Hours{Title: domain.Text{Text: im.cut(c.Name, maxTitle, 1, c.UID, "Project/Calendars/Calendar/Name"), Language: im.Language},
		Week: week(&c.Week)}
	if strings.TrimSpace(out.Title.Text) == "" {
		out.Title.Text = fmt.Sprintf("Calendar %d", c.UID)
	}
	if c.Base != mspdi.NoCalendar {
		out.Base = im.calendars[c.Base]
	}
	for _, w := range c.Weeks {
		out.Periods = append(out.Periods, domain.CalendarPeriod{From: day(w.From), To: day(w.To), Week: week(&w.Week)})
	}
	for _, x := range c.Exceptions {
		off := len(x.Day.Intervals) == 0
		switch patron, is := strings.CutPrefix(x.Name, patronName); {
		case off && x.Name == holidayName:
			out.Italian = true
		case off && is && len(patron) == len("--01-01"):
			out.Patron = patron
		default:
			e := domain.Exception{From: day(x.From), DisplayName: im.cut(x.Name, 200, 1, c.UID, "Project/Calendars/Calendar/Exceptions/Exception/Name"), Times: intervals(x.Day)}
			if !x.To.Equal(x.From) {
				e.To = day(x.To)
			}
			out.Exceptions = append(out.Exceptions, e)
		}
	}
	return out
}

// week numbers the days from Monday; the document from Sunday.
func week(in *[7]*mspdi.Day) domain.Week {
	var out domain.Week
	for n := 1; n <= 7; n++ {
		if d := in[n%7]; d != nil {
			out = append(out, domain.WeekDay{Day: n, Times: intervals(*d)})
		}
	}
	return out
}

func intervals(d mspdi.Day) []schedule.Interval {
	var out []schedule.Interval
	for _, x := range d.Intervals {
		out = append(out, schedule.Interval{From: x.From, To: x.To})
	}
	return out
}
