package domain

import (
	"fmt"
	"time"

	"github.com/trama-suite/trama/services/platform/errs"
)

// Day is a calendar day as the number yyyymmdd: 20260131. Days compare as they
// follow one another.
type Day int32

// ParseDay reads an ISO 8601 day.
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 || t.Year() > 2999 {
		return 0, false
	}
	return DayOf(t), true
}

// DayOf returns the day of an instant, UTC.
func DayOf(t time.Time) Day {
	y, m, d := t.UTC().Date()
	return Day(y*10000 + int(m)*100 + d)
}

// String returns the day as ISO 8601 has it.
func (d Day) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// Next returns the day after.
func (d Day) Next() Day {
	return DayOf(time.Date(int(d/10000), time.Month(d/100%100), int(d%100)+1, 0, 0, 0, 0, time.UTC))
}

// Period is a run of days: Start is in it, End is the day after its last.
type Period struct {
	Start Day `json:"start"`
	End   Day `json:"end"`
}

// ParsePeriod reads a period and checks that it starts before it ends.
func ParsePeriod(startField, start, endField, end string) (Period, error) {
	from, ok := ParseDay(start)
	if !ok {
		return Period{}, errs.InvalidField(PeriodInvalid, startField, "%q is not a day between 1900 and 2999", start)
	}
	to, ok := ParseDay(end)
	if !ok {
		return Period{}, errs.InvalidField(PeriodInvalid, endField, "%q is not a day between 1900 and 2999", end)
	}
	if to <= from {
		return Period{}, errs.InvalidField(PeriodInvalid, endField, "%s is not after %s: it is the day after the period's last", end, start)
	}
	if int(to-from) > maxYears*10000 {
		return Period{}, errs.InvalidField(PeriodInvalid, endField, "the period is longer than %d years", maxYears)
	}
	return Period{from, to}, nil
}

// On returns the period of one day.
func On(d Day) Period { return Period{d, d.Next()} }

// Contains reports whether q lies within p.
func (p Period) Contains(q Period) bool { return p.Start <= q.Start && q.End <= p.End }

// Overlaps reports whether p and q have a day in common.
func (p Period) Overlaps(q Period) bool { return p.Start < q.End && q.Start < p.End }

// String returns the period as ISO 8601 days.
func (p Period) String() string { return "[" + p.Start.String() + ", " + p.End.String() + ")" }

// Roll-ups are kept per calendar bucket: month, quarter and year. What was
// measured over a period counts in every bucket that contains the period, and
// besides in a cell of its exact period, filed under the smallest bucket that
// contains it (its home). A question over any period is then answered from few
// cells: the largest buckets that lie within it, and, for the few buckets that it
// cuts, the exact cells at home there.

// Bucket names a calendar bucket: "2026", "2026Q1", "2026-01".
type Bucket string

// everything is the home of what spans several years.
const everything Bucket = "*"

// exact returns the name under which the exact cells at home in b are filed.
func (b Bucket) exact() Bucket { return "=" + b }

type level struct {
	months int // length
	name   func(year, month int) Bucket
}

var levels = []level{ // largest first
	{12, func(y, _ int) Bucket { return Bucket(fmt.Sprintf("%04d", y)) }},
	{3, func(y, m int) Bucket { return Bucket(fmt.Sprintf("%04dQ%d", y, (m-1)/3+1)) }},
	{1, func(y, m int) Bucket { return Bucket(fmt.Sprintf("%04d-%02d", y, m)) }},
}

// holding returns the bucket of that level that the day is in, and its bounds.
func (l level) holding(d Day) (Bucket, Period) {
	y, m := int(d/10000), int(d/100%100)
	first := (m-1)/l.months*l.months + 1
	endYear, endMonth := y, first+l.months
	if endMonth > 12 {
		endYear, endMonth = y+1, 1
	}
	return l.name(y, first), Period{Day(y*10000 + first*100 + 1), Day(endYear*10000 + endMonth*100 + 1)}
}

// Cell is where a measurement counts: a bucket and the period that it is of.
type Cell struct {
	Bucket Bucket
	Period Period
}

// Exact reports whether the cell is of an exact period, not of a whole bucket.
func (c Cell) Exact() bool { return c.Bucket[0] == '=' }

// Cells returns the cells in which something measured over p counts.
func (p Period) Cells() []Cell {
	var out []Cell
	home, bounds := everything, Period{}
	for _, l := range levels {
		b, whole := l.holding(p.Start)
		if !whole.Contains(p) {
			break
		}
		home, bounds = b, whole
		out = append(out, Cell{b, whole})
	}
	if bounds != p {
		out = append(out, Cell{home.exact(), p})
	}
	return out
}

// Cover returns the buckets whose cells within p, taken together, hold
// everything measured over a period within p, and each thing exactly once.
func (p Period) Cover() []Bucket {
	out := []Bucket{everything.exact()}
	return p.cover(0, p, out)
}

// cover adds the buckets of one level within part, which lies in one bucket of
// the level above.
func (p Period) cover(depth int, part Period, out []Bucket) []Bucket {
	if depth == len(levels) {
		return out
	}
	for day := part.Start; day < part.End; {
		b, whole := levels[depth].holding(day)
		if p.Contains(whole) {
			out = append(out, b)
		} else {
			cut := Period{max(part.Start, whole.Start), min(part.End, whole.End)}
			out = p.cover(depth+1, cut, append(out, b.exact()))
		}
		day = whole.End
	}
	return out
}
