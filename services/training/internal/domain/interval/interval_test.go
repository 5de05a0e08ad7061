package interval

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var day = time.Date(2026, 1, 30, 9, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return day.Add(time.Duration(seconds) * time.Second) }

func draw(t *rapid.T, label string) []Interval {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Interval {
		in := rapid.IntRange(-400, 900).Draw(t, "in")
		return Interval{at(in), at(in + rapid.IntRange(-60, 500).Draw(t, "length"))}
	}), 0, 8).Draw(t, label)
}

// seconds is the reference: a box for every second of the session, ticked where
// some interval covers it.
func seconds(from, to int, intervals []Interval) (ticked map[int]bool) {
	ticked = map[int]bool{}
	for s := from; s < to; s++ {
		for _, i := range intervals {
			if !at(s).Before(i.In) && at(s).Before(i.Out) {
				ticked[s] = true
			}
		}
	}
	return ticked
}

func TestMinutesAgainstTickingEverySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, 200).Draw(t, "from")
		to := from + rapid.IntRange(1, 600).Draw(t, "length")
		intervals := draw(t, "intervals")
		union := Union(Interval{at(from), at(to)}, intervals...)
		want := seconds(from, to, intervals)
		if got := Minutes(union); got != len(want)/60 {
			t.Fatalf("got %d minutes, the reference ticked %d seconds", got, len(want))
		}
		if got := seconds(from-500, to+500, union); len(got) != len(want) {
			t.Fatalf("the union covers %d seconds, the reference %d", len(got), len(want))
		}
		for n, i := range union {
			if i.Empty() || n > 0 && !union[n-1].Out.Before(i.In) {
				t.Fatalf("not disjoint and in order: %v", union)
			}
		}
	})
}

func TestMinutesAgainstTickingEveryMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.IntRange(1, 240).Draw(t, "length")
		minute := func(m int) time.Time { return day.Add(time.Duration(m) * time.Minute) }
		ticked := map[int]bool{}
		var intervals []Interval
		for range rapid.IntRange(0, 6).Draw(t, "count") {
			in := rapid.IntRange(-30, 250).Draw(t, "in")
			out := in + rapid.IntRange(0, 100).Draw(t, "minutes")
			intervals = append(intervals, Interval{minute(in), minute(out)})
			for m := max(in, 0); m < min(out, length); m++ {
				ticked[m] = true
			}
		}
		if got := Minutes(Union(Interval{day, minute(length)}, intervals...)); got != len(ticked) {
			t.Fatalf("got %d minutes, the reference ticked %d", got, len(ticked))
		}
	})
}

func TestOverlapAgainstTickingEverySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := Interval{at(-500), at(1500)}
		a, b := Union(all, draw(t, "a")...), Union(all, draw(t, "b")...)
		want := false
		inB := seconds(-500, 1500, b)
		for s := range seconds(-500, 1500, a) {
			want = want || inB[s]
		}
		if got := Overlap(a, b); got != want {
			t.Fatalf("got %t, the reference says %t: %v and %v", got, want, a, b)
		}
	})
}

func TestUnionIsIdempotentAndOrderFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bounds := Interval{at(0), at(600)}
		intervals := draw(t, "intervals")
		once := Union(bounds, intervals...)
		again := Union(bounds, append(rapid.Permutation(intervals).Draw(t, "shuffled"), once...)...)
		if len(once) != len(again) {
			t.Fatalf("%v became %v", once, again)
		}
		for i := range once {
			if !once[i].In.Equal(again[i].In) || !once[i].Out.Equal(again[i].Out) {
				t.Fatalf("%v became %v", once, again)
			}
		}
	})
}
