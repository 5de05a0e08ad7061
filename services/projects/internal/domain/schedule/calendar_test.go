package schedule_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/schedule"
)

func drawWeek(t *rapid.T, name string, least int) schedule.Week {
	w := schedule.Week{}
	for d := range 7 {
		if rapid.IntRange(0, 3).Draw(t, name) < least {
			continue
		}
		hours := []schedule.Interval{}
		for at := rapid.IntRange(0, 700).Draw(t, "from"); at < 1440 && len(hours) < 3; {
			to := min(1440, at+rapid.IntRange(1, 600).Draw(t, "long"))
			hours = append(hours, schedule.Interval{From: at, To: to})
			at = to + rapid.IntRange(0, 200).Draw(t, "pause")
		}
		w[time.Weekday(d)] = hours[:rapid.IntRange(0, len(hours)).Draw(t, "intervals")]
	}
	return w
}

func drawCalendar(t *rapid.T, id, base string) schedule.Calendar {
	date := func(name string) civil.Date {
		return civil.Date("2026-01-01").AddDays(rapid.IntRange(0, 20).Draw(t, name))
	}
	c := schedule.Calendar{ID: id, Base: base, Week: drawWeek(t, "weekday", 1), Italian: rapid.Bool().Draw(t, "Italian")}
	if rapid.Bool().Draw(t, "patron") {
		c.Patron = schedule.MonthDay{Month: time.January, Day: rapid.IntRange(1, 31).Draw(t, "patron's day")}
	}
	for range rapid.IntRange(0, 2).Draw(t, "periods") {
		from := date("period")
		c.Periods = append(c.Periods, schedule.Period{From: from, To: from.AddDays(rapid.IntRange(0, 9).Draw(t, "days")), Week: drawWeek(t, "period weekday", 2)})
	}
	for range rapid.IntRange(0, 3).Draw(t, "exceptions") {
		from := date("exception")
		x := schedule.Exception{From: from, Hours: drawWeek(t, "hours", 0)[time.Sunday]}
		if rapid.Bool().Draw(t, "stretch") {
			x.To = from.AddDays(rapid.IntRange(0, 5).Draw(t, "days"))
		}
		c.Exceptions = append(c.Exceptions, x)
	}
	return c
}

// worked says by the rules in the order of their strength whether a minute of a
// date is worked.
func worked(calendars map[string]schedule.Calendar, id string, d civil.Date, minute int) bool {
	within := func(hours []schedule.Interval) bool {
		return slices.ContainsFunc(hours, func(h schedule.Interval) bool { return h.From <= minute && minute < h.To })
	}
	weekday := time.Weekday((d.Days() + 4) % 7)
	for at := id; at != ""; at = calendars[at].Base {
		c := calendars[at]
		for _, x := range slices.Backward(c.Exceptions) {
			if d >= x.From && d <= max(x.From, x.To) {
				return within(x.Hours)
			}
		}
		if c.Italian && holiday(d) || c.Patron == (schedule.MonthDay{Month: time.January, Day: d.Days() - civil.Date("2025-12-31").Days()}) {
			return false
		}
	}
	for at := id; at != ""; at = calendars[at].Base {
		c := calendars[at]
		for _, p := range slices.Backward(c.Periods) {
			if hours, stated := p.Week[weekday]; stated && d >= p.From && d <= p.To {
				return within(hours)
			}
		}
		if hours, stated := c.Week[weekday]; stated {
			return within(hours)
		}
	}
	return false
}

func TestAxisCountsMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base, own := drawCalendar(t, "base", ""), drawCalendar(t, "own", "base")
		calendars := map[string]schedule.Calendar{"base": base, "own": own}
		start := schedule.At("2026-01-01", 0)
		axis, err := schedule.NewAxis(start, []schedule.Calendar{own, base}, "own")
		if err != nil {
			if !isType[*schedule.CalendarError](err) {
				t.Fatal(err)
			}
			return
		}
		count, ends := 0, start // the last end of work, and minutes since the start
		for at := start; at < start+14*1440; at++ {
			works := worked(calendars, "own", at.Date(), at.Minute())
			if axis.Works(at) != works {
				t.Fatalf("%s: works %v, want %v", at, !works, works)
			}
			if n := axis.Between(start, at); n != count {
				t.Fatalf("%s: %d minutes, want %d", at, n, count)
			}
			if works {
				if s := axis.Start(at); s != at {
					t.Fatalf("%s: the next work is at %s", at, s)
				}
				count++
				ends = at + 1
				if f := axis.Finish(start, count); f != ends {
					t.Fatalf("%d minutes end at %s, want %s", count, f, ends)
				}
			} else if count > 0 && axis.Finish(at, -1) != ends-1 {
				t.Fatalf("the minute before %s is at %s, want %s", at, axis.Finish(at, -1), ends-1)
			}
		}
	})
}

func TestWrongCalendarsAreRefused(t *testing.T) {
	monday := func(hours ...schedule.Interval) schedule.Calendar {
		return schedule.Calendar{ID: "a", Week: schedule.Week{time.Monday: hours}}
	}
	works := monday(schedule.Interval{From: 0, To: 60})
	with := func(change func(c *schedule.Calendar)) schedule.Calendar {
		c := works
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		calendar schedule.Calendar
		want     string
	}{
		"no working time": {schedule.Calendar{ID: "a"}, "no working time"},
		"all excepted": {with(func(c *schedule.Calendar) {
			c.Exceptions = []schedule.Exception{{From: "1900-01-01", To: "2999-12-31"}}
		}), "no working time"},
		"worked in the past only": {schedule.Calendar{ID: "a", Exceptions: []schedule.Exception{{From: "2020-01-01", Hours: []schedule.Interval{{From: 0, To: 9}}}}}, "after the project's start"},
		"backwards":               {monday(schedule.Interval{From: 60, To: 0}), "01:00-00:00 is not an interval"},
		"beyond midnight":         {monday(schedule.Interval{From: 60, To: 1441}), "is not an interval"},
		"overlapping":             {monday(schedule.Interval{From: 0, To: 60}, schedule.Interval{From: 59, To: 61}), "overlaps"},
		"too many intervals":      {monday(make([]schedule.Interval, schedule.MaxIntervals+1)...), "at most"},
		"too many exceptions":     {with(func(c *schedule.Calendar) { c.Exceptions = make([]schedule.Exception, schedule.MaxExceptions+1) }), "at most"},
		"an exception backwards": {with(func(c *schedule.Calendar) {
			c.Exceptions = []schedule.Exception{{From: "2026-01-02", To: "2026-01-01"}}
		}), "exceptions[0]"},
		"an exception without day": {with(func(c *schedule.Calendar) { c.Exceptions = []schedule.Exception{{}} }), "exceptions[0]"},
		"a period without hours":   {with(func(c *schedule.Calendar) { c.Periods = []schedule.Period{{From: "2026-01-02", To: "x"}} }), "periods[0]"},
		"an eighth weekday":        {schedule.Calendar{ID: "a", Week: schedule.Week{7: nil}}, "not a weekday"},
		"30 February":              {with(func(c *schedule.Calendar) { c.Patron = schedule.MonthDay{Month: time.February, Day: 30} }), "not a day of the year"},
		"an absent base":           {with(func(c *schedule.Calendar) { c.Base = "b" }), "calendar b"},
		"its own base":             {with(func(c *schedule.Calendar) { c.Base = "a" }), "its own base"},
	} {
		_, err := schedule.Compute(schedule.Settings{Start: at(t, "2026-01-05T08:00"), Calendar: "a", Calendars: []schedule.Calendar{c.calendar}}, nil)
		if e, ok := errors.AsType[*schedule.CalendarError](err); !ok || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestWrongSettingsAreRefused(t *testing.T) {
	good := settings(t, "2026-01-05T08:00")
	for name, change := range map[string]func(s *schedule.Settings){
		"no start":           func(s *schedule.Settings) { s.Start = 0 },
		"a start in 3000":    func(s *schedule.Settings) { s.Start = 1 << 40 },
		"a status long ago":  func(s *schedule.Settings) { s.Status = at(t, "1950-01-01T00:00") },
		"an absent calendar": func(s *schedule.Settings) { s.Calendar = "x" },
		"the same ID twice": func(s *schedule.Settings) {
			s.Calendars = append(slices.Clone(s.Calendars), schedule.Standard("office"))
		},
		"no calendar at all":  func(s *schedule.Settings) { s.Calendar, s.Calendars = "", nil },
		"a long way of bases": func(s *schedule.Settings) { s.Calendars, s.Calendar = bases(20), "0" },
	} {
		s := good
		change(&s)
		if _, err := schedule.New(s, nil); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestTooManyCalendarsAreRefused(t *testing.T) {
	s := settings(t, "2026-01-05T08:00")
	var tasks []schedule.Task
	for i := range schedule.MaxCalendars + 1 {
		id := fmt.Sprint("c", i)
		s.Calendars = append(s.Calendars, schedule.RoundTheClock(id))
		tasks = append(tasks, schedule.Task{ID: id, Calendar: id})
	}
	if _, err := schedule.New(s, tasks); !isType[*schedule.CalendarError](err) {
		t.Errorf("got %v", err)
	}
	if _, err := schedule.New(s, tasks[:2]); err != nil {
		t.Error(err)
	}
}

func bases(n int) []schedule.Calendar {
	out := []schedule.Calendar{}
	for i := range n {
		c := schedule.Standard(string(rune('0' + i)))
		if i+1 < n {
			c.Base = string(rune('0' + i + 1))
		}
		out = append(out, c)
	}
	return out
}

func TestTimesOfTheClock(t *testing.T) {
	for s, want := range map[string]string{
		"2026-01-31T17:00": "2026-01-31T17:00", "2026-01-31T17:00:00": "2026-01-31T17:00", "1900-01-01T00:00": "1900-01-01T00:00",
		"2026-01-31T17:00:30": "", "2026-02-30T17:00": "", "1899-12-31T23:59": "", "2026-01-31": "", "2026-01-31T17:00Z": "",
	} {
		got, err := schedule.ParseTime(s)
		if got.String() != want || (err == nil) != (want != "") {
			t.Errorf("%s: got %s, %v", s, got, err)
		}
	}
	if x := at(t, "2026-01-31T17:05"); x != schedule.At("2026-01-31", 17*60+5) || x.Date() != "2026-01-31" || x.Minute() != 17*60+5 {
		t.Errorf("%s: %s and %d", x, x.Date(), x.Minute())
	}
}
