// Package interval counts the time that somebody was in a room: intervals
// clipped to a session, merged where they touch or overlap, and added up, so
// that no instant counts twice.
package interval

import (
	"cmp"
	"slices"
	"time"
)

// Interval is the time from In up to, and not including, Out.
type Interval struct {
	// In is the entry and Out the exit; an interval is empty unless In is before Out.
	In, Out time.Time
}

// Empty reports whether no time passes between entry and exit.
func (i Interval) Empty() bool { return !i.In.Before(i.Out) }

// Clip returns the part of i within bounds; it may be empty.
func (i Interval) Clip(bounds Interval) Interval {
	if i.In.Before(bounds.In) {
		i.In = bounds.In
	}
	if i.Out.After(bounds.Out) {
		i.Out = bounds.Out
	}
	return i
}

// Union clips every interval to the bounds and returns their union: disjoint,
// not touching, in order, none of them empty.
func Union(bounds Interval, intervals ...Interval) []Interval {
	parts := make([]Interval, 0, len(intervals))
	for _, i := range intervals {
		if i = i.Clip(bounds); !i.Empty() {
			parts = append(parts, i)
		}
	}
	slices.SortFunc(parts, func(a, b Interval) int {
		return cmp.Or(a.In.Compare(b.In), a.Out.Compare(b.Out))
	})
	var out []Interval
	for _, p := range parts {
		if n := len(out); n > 0 && !p.In.After(out[n-1].Out) {
			if p.Out.After(out[n-1].Out) {
				out[n-1].Out = p.Out
			}
			continue
		}
		out = append(out, p)
	}
	return out
}

// Minutes returns the whole minutes of a union, rounded down once over all of
// it: 30 seconds in the morning and 30 in the afternoon make one minute.
func Minutes(union []Interval) int {
	var total time.Duration
	for _, i := range union {
		total += i.Out.Sub(i.In)
	}
	return int(total / time.Minute)
}

// Overlap reports whether some instant lies in both unions.
func Overlap(a, b []Interval) bool {
	for _, x := range a {
		for _, y := range b {
			if x.In.Before(y.Out) && y.In.Before(x.Out) {
				return true
			}
		}
	}
	return false
}
