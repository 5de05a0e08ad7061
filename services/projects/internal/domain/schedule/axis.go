package schedule

import (
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// Axis counts the working minutes of one calendar over the time that a plan may
// cover. Both directions are table look-ups: working minutes before each day as
// prefix sums, and an index into them.
//
// Outside that time every minute counts as worked, so that the functions are
// total and stay monotone; a plan that gets there is refused.
type Axis struct {
	prefix      []int32   // working minutes before day i; one more entry than days
	pattern     []uint32  // of each day, an index into patterns
	patterns    []pattern // 0 is a day off
	index       []int32   // day of working minute i<<shift
	shift       uint
	first, last Time // the time covered
	total       int  // working minutes in it
	origin      int  // working minutes before the project's start
}

// pattern is the working intervals of a day, in order and not touching.
type pattern []Interval

func (p pattern) minutes() int {
	sum := 0
	for _, h := range p {
		sum += h.To - h.From
	}
	return sum
}

// NewAxis returns the axis of one of the calendars around a start.
func NewAxis(start Time, calendars []Calendar, id string) (*Axis, error) {
	b, err := newAxes(start, calendars)
	if err != nil {
		return nil, err
	}
	return b.axis(id)
}

// Between returns the working minutes from one date-time to another; negative
// where to is before from.
func (a *Axis) Between(from, to Time) int { return a.count(to) - a.count(from) }

// Finish returns when so many working minutes after a date-time have been
// worked: the end of work, and for none the date-time itself. Negative minutes
// go back, to a beginning of work.
func (a *Axis) Finish(from Time, minutes int) Time {
	switch {
	case minutes > 0:
		return a.finishAt(a.count(from) + minutes)
	case minutes < 0:
		return a.startAt(a.count(from) + minutes)
	}
	return from
}

// Start returns the first instant at or after t at which work is done.
func (a *Axis) Start(t Time) Time { return a.startAt(a.count(t)) }

// Works reports whether the minute that begins at t is worked.
func (a *Axis) Works(t Time) bool { return a.count(t+1) > a.count(t) }

// count returns the working minutes before t.
func (a *Axis) count(t Time) int {
	if t < a.first {
		return int(t - a.first)
	}
	if t >= a.last {
		return a.total + int(t-a.last)
	}
	offset := int(t - a.first)
	d := offset / day
	n, minute := int(a.prefix[d]), offset%day
	for _, h := range a.patterns[a.pattern[d]] {
		if minute <= h.From {
			break
		}
		n += min(minute, h.To) - h.From
	}
	return n
}

// startAt returns when working minute x begins: the latest instant with x
// working minutes before it.
func (a *Axis) startAt(x int) Time {
	if x < 0 {
		return a.first + Time(x)
	}
	if x >= a.total {
		return a.last + Time(x-a.total)
	}
	i := x >> a.shift
	lo, hi := int(a.index[i]), int(a.index[i+1])+1 // prefix[lo] ≤ x < prefix[hi]
	for hi-lo > 1 {
		if mid := int(uint(lo+hi) >> 1); int(a.prefix[mid]) <= x {
			lo = mid
		} else {
			hi = mid
		}
	}
	t := a.first + Time(lo)*day
	rest := x - int(a.prefix[lo])
	for _, h := range a.patterns[a.pattern[lo]] {
		if length := h.To - h.From; rest >= length {
			rest -= length
			continue
		}
		return t + Time(h.From+rest)
	}
	panic("schedule: prefix sums and patterns differ")
}

// finishAt returns when x minutes have been worked: the earliest instant with x
// working minutes before it.
func (a *Axis) finishAt(x int) Time { return a.startAt(x-1) + 1 }

// seal builds the prefix sums and the index from the patterns.
func (a *Axis) seal() {
	lengths := make([]int32, len(a.patterns))
	for i, p := range a.patterns {
		lengths[i] = int32(p.minutes())
	}
	days := len(a.pattern)
	a.prefix = make([]int32, days+1)
	sum := int32(0)
	for d, p := range a.pattern {
		a.prefix[d] = sum
		sum += lengths[p]
	}
	a.prefix[days] = sum
	a.total = int(sum)
	for a.total>>a.shift > 2*days {
		a.shift++
	}
	a.index = make([]int32, a.total>>a.shift+2)
	d := 0
	for i := range a.index {
		x := int32(min(i<<a.shift, max(a.total-1, 0)))
		for d < days-1 && a.prefix[d+1] <= x {
			d++
		}
		a.index[i] = int32(d)
	}
}

// axes makes the axes of a plan's calendars, each once.
type axes struct {
	start     Time
	firstDay  int
	days      int
	calendars map[string]*Calendar
	made      map[string]*Axis
	italian   []int // memo
}

func newAxes(start Time, calendars []Calendar) (*axes, error) {
	from := start.std()
	b := &axes{start: start, calendars: make(map[string]*Calendar, len(calendars)), made: make(map[string]*Axis, len(calendars))}
	b.firstDay = dayNumber(from.Year()-beforeYears, from.Month(), 1)
	b.days = dayNumber(from.Year()+MaxYears+1, from.Month(), 1) - b.firstDay
	for i := range calendars {
		c := &calendars[i]
		if b.calendars[c.ID] != nil {
			return nil, &DuplicateError{ID: c.ID}
		}
		if err := c.check(); err != nil {
			return nil, err
		}
		b.calendars[c.ID] = c
	}
	return b, nil
}

// axis returns the axis of a calendar.
func (b *axes) axis(id string) (*Axis, error) {
	if a := b.made[id]; a != nil {
		return a, nil
	}
	if len(b.made) == MaxCalendars {
		return nil, &CalendarError{Calendar: id, Reason: fmt.Sprintf("is one too many: the tasks of a plan use at most %d calendars", MaxCalendars)}
	}
	a := &Axis{
		first: Time(b.firstDay) * day, last: Time(b.firstDay+b.days) * day,
		pattern: make([]uint32, b.days), patterns: []pattern{nil},
	}
	chain, err := b.chain(id)
	if err != nil {
		return nil, err
	}
	slices.Reverse(chain) // the deepest base first
	for _, c := range chain {
		b.weeks(a, c)
	}
	for _, c := range chain {
		b.exceptions(a, c)
	}
	a.seal()
	if a.total == 0 {
		return nil, &CalendarError{Calendar: id, Reason: "has no working time"}
	}
	a.origin = a.count(b.start)
	if a.origin >= a.total {
		return nil, &CalendarError{Calendar: id, Reason: "has no working time after the project's start"}
	}
	b.made[id] = a
	return a, nil
}

// chain returns a calendar and its bases, nearest first.
func (b *axes) chain(id string) ([]*Calendar, error) {
	var out []*Calendar
	for at := id; ; {
		c := b.calendars[at]
		if c == nil {
			return nil, &CalendarError{Calendar: at, Reason: "is not in the plan"}
		}
		if slices.Contains(out, c) {
			return nil, &CalendarError{Calendar: at, Reason: "is its own base"}
		}
		if len(out) == maxBases {
			return nil, &CalendarError{Calendar: id, Reason: "has too long a chain of base calendars"}
		}
		out = append(out, c)
		if at = c.Base; at == "" {
			return out, nil
		}
	}
}

// weeks writes a calendar's usual hours over those of its base.
func (b *axes) weeks(a *Axis, c *Calendar) {
	known := map[string]uint32{}
	week := func(w Week, from, to int) {
		var kinds [7]int
		for d := range kinds {
			kinds[d] = -1
			if hours, stated := w[time.Weekday(d)]; stated {
				kinds[d] = int(a.kind(known, hours))
			}
		}
		d := int(weekday(b.firstDay + from))
		for i := from; i <= to; i++ {
			if kinds[d] >= 0 {
				a.pattern[i] = uint32(kinds[d])
			}
			if d++; d == 7 {
				d = 0
			}
		}
	}
	if len(c.Week) > 0 {
		week(c.Week, 0, b.days-1)
	}
	for _, p := range c.Periods {
		from, to := b.clip(p.From, p.To)
		week(p.Week, from, to)
	}
}

// exceptions writes a calendar's holidays and exceptions over its usual hours
// and over what its base excepts.
func (b *axes) exceptions(a *Axis, c *Calendar) {
	known := map[string]uint32{}
	from, to := Time(b.firstDay)*day, Time(b.firstDay+b.days)*day
	if c.Italian {
		if b.italian == nil {
			b.italian = italianHolidays(from.std().Year(), to.std().Year())
		}
		b.off(a, b.italian)
	}
	if c.Patron != (MonthDay{}) {
		b.off(a, patronDays(c.Patron, from.std().Year(), to.std().Year()))
	}
	for _, x := range c.Exceptions {
		kind := a.kind(known, x.Hours)
		from, to := b.clip(x.From, x.last())
		for i := from; i <= to; i++ {
			a.pattern[i] = kind
		}
	}
}

func (b *axes) off(a *Axis, days []int) {
	for _, d := range days {
		if i := d - b.firstDay; i >= 0 && i < b.days {
			a.pattern[i] = 0
		}
	}
}

// kind returns the number of a pattern of hours, which are merged where they
// touch.
func (a *Axis) kind(known map[string]uint32, hours []Interval) uint32 {
	if len(hours) == 0 {
		return 0
	}
	sorted := slices.Clone(hours)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].From < sorted[j].From })
	merged := pattern{}
	key := make([]byte, 0, 4*len(sorted))
	for _, h := range sorted {
		key = append(key, byte(h.From), byte(h.From>>8), byte(h.To), byte(h.To>>8))
		if n := len(merged); n > 0 && merged[n-1].To == h.From {
			merged[n-1].To = h.To
			continue
		}
		merged = append(merged, h)
	}
	if k, met := known[string(key)]; met {
		return k
	}
	k := uint32(len(a.patterns))
	a.patterns = append(a.patterns, merged)
	known[string(key)] = k
	return k
}

// clip turns a stretch of dates into days of the axis; from > to where none is.
func (b *axes) clip(from, to civil.Date) (first, last int) {
	return max(from.Days()+unixEpoch-b.firstDay, 0), min(to.Days()+unixEpoch-b.firstDay, b.days-1)
}
