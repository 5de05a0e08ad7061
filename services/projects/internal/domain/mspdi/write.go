package mspdi

import (
	"bufio"
	"encoding/xml"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// textFields are the numbers of a task's custom fields Text1 to Text10, which
// hold the attributes that are written.
var (
	textFields = []int64{
		188_743_731, 188_743_734, 188_743_737, 188_743_740, 188_743_743,
		188_743_746, 188_743_747, 188_743_748, 188_743_749, 188_743_750,
	}
	// resourceFields are those of a resource's fields Text1 to Text5.
	resourceFields = []int64{205_520_904, 205_520_905, 205_520_906, 205_520_907, 205_520_908}
)

// Write writes a plan as MSPDI. Attributes get the custom text fields in the
// order of their aliases, of which at most ten are written.
func Write(to io.Writer, p *Plan) error {
	out := bufio.NewWriterSize(to, 32<<10)
	w := &writer{out: out}
	w.raw(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<Project xmlns="` + Namespace + `">`)
	w.project(p)
	w.raw("</Project>\n")
	if w.err != nil {
		return w.err
	}
	return out.Flush()
}

type writer struct {
	out     *bufio.Writer
	err     error
	aliases []string // of tasks
	means   []string // of resources
}

func (w *writer) raw(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

// text writes an element, but not an empty one.
func (w *writer) text(name, value string) {
	if value == "" || w.err != nil {
		return
	}
	w.raw("<" + name + ">")
	if w.err == nil {
		w.err = xml.EscapeText(w.out, []byte(value))
	}
	w.raw("</" + name + ">\n")
}

func (w *writer) integer(name string, n int64)       { w.text(name, strconv.FormatInt(n, 10)) }
func (w *writer) moment(name string, t time.Time)    { w.text(name, formatTime(t)) }
func (w *writer) minutes(name string, minutes int64) { w.text(name, formatMinutes(minutes)) }

func (w *writer) flag(name string, yes bool) {
	if yes {
		w.text(name, "1")
	} else {
		w.text(name, "0")
	}
}

// in writes an element with children.
func (w *writer) in(name string, write func()) {
	w.raw("<" + name + ">\n")
	write()
	w.raw("</" + name + ">\n")
}

func (w *writer) project(p *Plan) {
	w.integer("SaveVersion", 14)
	w.text("Name", p.Name)
	w.text("Title", p.Title)
	w.flag("ScheduleFromStart", !p.FromFinish)
	w.moment("StartDate", p.Start)
	w.moment("FinishDate", p.Finish)
	w.integer("CriticalSlackLimit", 0)
	w.integer("CalendarUID", p.CalendarUID)
	w.integer("MinutesPerDay", p.MinutesPerDay)
	w.integer("MinutesPerWeek", 5*p.MinutesPerDay)
	w.integer("DaysPerMonth", 20)
	w.moment("StatusDate", p.Status)
	w.flag("NewTasksAreManual", false)
	w.flag("HonorConstraints", p.Honour)
	seen := map[string]bool{}
	for i := range p.Tasks {
		for alias := range p.Tasks[i].Attributes {
			seen[alias] = true
		}
	}
	w.aliases = slices.Sorted(maps.Keys(seen))
	w.aliases = w.aliases[:min(len(w.aliases), len(textFields))]
	clear(seen)
	for i := range p.Resources {
		for alias := range p.Resources[i].Attributes {
			seen[alias] = true
		}
	}
	w.means = slices.Sorted(maps.Keys(seen))
	w.means = w.means[:min(len(w.means), len(resourceFields))]
	w.in("ExtendedAttributes", func() {
		for i, alias := range w.aliases {
			w.in("ExtendedAttribute", func() {
				w.integer("FieldID", textFields[i])
				w.text("FieldName", "Text"+strconv.Itoa(i+1))
				w.text("Alias", alias)
			})
		}
		for i, alias := range w.means {
			w.in("ExtendedAttribute", func() {
				w.integer("FieldID", resourceFields[i])
				w.text("FieldName", "Text"+strconv.Itoa(i+1))
				w.text("Alias", alias)
			})
		}
	})
	w.in("Calendars", func() {
		for i := range p.Calendars {
			w.in("Calendar", func() { w.calendar(&p.Calendars[i]) })
		}
	})
	w.in("Tasks", func() { w.tasks(p) })
	w.in("Resources", func() {
		for i := range p.Resources {
			w.in("Resource", func() { w.resource(&p.Resources[i], i+1) })
		}
	})
	w.in("Assignments", func() {
		for i, a := range p.Assignments {
			w.in("Assignment", func() {
				w.integer("UID", int64(i+1))
				w.integer("TaskUID", a.Task)
				w.integer("ResourceUID", a.Resource)
				w.text("Units", formatUnits(a.Units))
				w.minutes("Work", a.Work)
			})
		}
	})
}

func (w *writer) calendar(c *Calendar) {
	w.integer("UID", c.UID)
	w.text("Name", c.Name)
	w.flag("IsBaseCalendar", c.Base == NoCalendar)
	w.integer("BaseCalendarUID", c.Base)
	w.week(&c.Week)
	w.exceptions(c)
	if len(c.Weeks) == 0 {
		return
	}
	w.in("WorkWeeks", func() {
		for _, x := range c.Weeks {
			w.in("WorkWeek", func() {
				w.period(x.From, x.To)
				w.text("Name", x.Name)
				w.week(&x.Week)
			})
		}
	})
}

func (w *writer) week(week *[7]*Day) {
	w.in("WeekDays", func() {
		for i, d := range week {
			if d != nil {
				w.in("WeekDay", func() {
					w.integer("DayType", int64(i+1))
					w.day(*d)
				})
			}
		}
	})
}

func (w *writer) period(from, to time.Time) {
	w.in("TimePeriod", func() {
		w.moment("FromDate", from)
		w.moment("ToDate", to.Add(23*time.Hour+59*time.Minute))
	})
}

func (w *writer) exceptions(c *Calendar) {
	if len(c.Exceptions) == 0 {
		return
	}
	w.in("Exceptions", func() {
		for _, x := range c.Exceptions {
			w.in("Exception", func() {
				w.flag("EnteredByOccurrences", false)
				w.period(x.From, x.To)
				w.integer("Occurrences", int64(x.To.Sub(x.From).Hours()/24)+1)
				w.text("Name", x.Name)
				w.integer("Type", 1)
				w.day(x.Day)
			})
		}
	})
}

func (w *writer) day(d Day) {
	w.flag("DayWorking", len(d.Intervals) > 0)
	if len(d.Intervals) == 0 {
		return
	}
	w.in("WorkingTimes", func() {
		for _, x := range d.Intervals {
			w.in("WorkingTime", func() {
				w.text("FromTime", formatClock(x.From))
				w.text("ToTime", formatClock(x.To))
			})
		}
	})
}

func (w *writer) resource(x *Resource, id int) {
	w.integer("UID", x.UID)
	w.text("GUID", x.GUID)
	w.integer("ID", int64(id))
	w.text("Name", x.Name)
	w.integer("Type", int64(x.Type))
	w.flag("IsNull", false)
	w.text("Code", x.Code)
	w.text("Group", x.Group)
	w.text("MaxUnits", formatUnits(x.MaxUnits))
	w.integer("CalendarUID", x.CalendarUID)
	for i, alias := range w.means {
		w.attribute(resourceFields[i], x.Attributes[alias])
	}
}

func (w *writer) attribute(field int64, value string) {
	if value != "" {
		w.in("ExtendedAttribute", func() {
			w.integer("FieldID", field)
			w.text("Value", value)
		})
	}
}
