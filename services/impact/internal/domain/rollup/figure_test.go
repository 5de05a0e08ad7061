package rollup

import (
	"testing"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
)

func n(s string) exact.Number { return exact.MustParse(s) }

func fold(t *testing.T, m Measure, all ...Observation) Figure {
	t.Helper()
	var states []State
	for _, o := range all {
		if o.Share.Sign() == 0 {
			o.Share = exact.Int(1)
		}
		s, err := Of(m, o)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	s, err := Fold(m, states)
	if err != nil {
		t.Fatal(err)
	}
	return s.Figure()
}

func show(v *exact.Number) string {
	if v == nil {
		return "-"
	}
	return v.String()
}

func ratio(num, den string) Observation {
	return Observation{Numerator: n(num), Denominator: n(den)}
}

// Zero results count, and no denominator starts at 1.
func TestRatioIsOfSums(t *testing.T) {
	m := Measure{Method: Ratio, Unit: "1"}
	for _, c := range []struct {
		parts []Observation
		want  string
	}{
		{[]Observation{ratio("0", "50"), ratio("50", "50")}, "1/2"},
		{[]Observation{ratio("1", "2"), ratio("1", "2")}, "1/2"},
		{[]Observation{ratio("0", "50")}, "0"},
		{[]Observation{ratio("0", "0")}, "-"},
		{nil, "-"},
	} {
		if got := show(fold(t, m, c.parts...).Value); got != c.want {
			t.Errorf("%v = %s, want %s", c.parts, got, c.want)
		}
	}
}

func TestStockIsNotSummedOverTime(t *testing.T) {
	m := Measure{Method: StockLast, Unit: "beds"}
	reading := func(holder string, end int32, v string) Observation {
		return Observation{Holder: holder, Start: end - 1, End: end, Value: n(v)}
	}
	got := fold(t, m, reading("a", 20260131, "10"), reading("a", 20260228, "12"), reading("b", 20260131, "5"))
	if show(got.Value) != "17" {
		t.Errorf("beds = %s, want the last 12 of a and the last 5 of b", show(got.Value))
	}
}

func TestCoLedMeasurementCountsOnce(t *testing.T) {
	for _, m := range []Measure{
		{Method: Sum}, {Method: StockLast}, {Method: Minimum}, {Method: Maximum}, {Method: UniqueCount},
	} {
		third := Observation{Value: n("100"), Share: n("1/3"), Holder: "projects/x", Source: "measurements/x", Start: 1, End: 2}
		got := fold(t, m, third, third, third)
		if show(got.Value) != "100" || got.Qualifier != Exact {
			t.Errorf("%v of three thirds = %s %v, want exactly 100", m.Method, show(got.Value), got.Qualifier)
		}
	}
}

func TestBoundsPropagate(t *testing.T) {
	v := func(q Qualifier, value string) Observation {
		return Observation{Value: n(value), Qualifier: q, Source: "s" + value, Holder: "h" + value}
	}
	for _, c := range []struct {
		method              Method
		parts               []Observation
		value, lower, upper string
		qualifier           Qualifier
	}{
		{Sum, []Observation{v(AtLeast, "75"), v(Exact, "5")}, "80", "80", "-", AtLeast},
		{Sum, []Observation{v(AtMost, "75"), v(Exact, "5")}, "80", "-", "80", AtMost},
		{Sum, []Observation{v(AtMost, "75"), v(AtLeast, "5")}, "80", "-", "-", Estimate},
		{Sum, []Observation{v(Estimate, "75"), v(Exact, "5")}, "80", "80", "80", Estimate},
		{Minimum, []Observation{v(AtLeast, "3"), v(Exact, "5")}, "3", "3", "5", AtLeast},
		{Minimum, []Observation{v(AtLeast, "5"), v(Exact, "3")}, "3", "3", "3", Exact},
		{Maximum, []Observation{v(AtMost, "9"), v(Exact, "5")}, "9", "5", "9", AtMost},
		{Maximum, []Observation{v(AtLeast, "9"), v(Exact, "5")}, "9", "9", "-", AtLeast},
		{UniqueCount, []Observation{v(Exact, "30"), v(Exact, "20")}, "30", "30", "50", AtLeast},
		{UniqueCount, []Observation{v(Exact, "30")}, "30", "30", "30", Exact},
		{UniqueCount, []Observation{v(AtMost, "30")}, "30", "-", "30", AtMost},
		{UniqueCount, []Observation{v(Exact, "2"), {Key: "a"}, {Key: "a"}, {Key: "b"}, {Key: "c"}}, "3", "3", "5", AtLeast},
		{StockLast, []Observation{v(AtLeast, "4"), v(Exact, "1")}, "5", "5", "-", AtLeast},
	} {
		got := fold(t, Measure{Method: c.method}, c.parts...)
		if show(got.Value) != c.value || show(got.Lower) != c.lower || show(got.Upper) != c.upper || got.Qualifier != c.qualifier {
			t.Errorf("%v of %+v = %s in [%s, %s] %v, want %s in [%s, %s] %v", c.method, c.parts,
				show(got.Value), show(got.Lower), show(got.Upper), got.Qualifier, c.value, c.lower, c.upper, c.qualifier)
		}
	}
}

func TestZeroIsNotMissing(t *testing.T) {
	if got := fold(t, Measure{Method: Sum}); got.Value != nil || got.Values != 0 {
		t.Errorf("nothing measured gives %s", show(got.Value))
	}
	if got := fold(t, Measure{Method: Sum}, Observation{}); show(got.Value) != "0" || got.Values != 1 {
		t.Errorf("zero measured gives %s of %d values", show(got.Value), got.Values)
	}
}

func TestMedianCategory(t *testing.T) {
	m := Measure{Method: OrdinalHistogram, Categories: 4}
	for _, c := range []struct {
		counts []int64
		want   string
	}{{[]int64{1, 1, 1, 1}, "2"}, {[]int64{0, 0, 5, 0}, "3"}, {[]int64{1, 0, 0, 3}, "4"}, {[]int64{0, 0, 0, 0}, "-"}} {
		if got := show(fold(t, m, Observation{Counts: c.counts}).Value); got != c.want {
			t.Errorf("median of %v is category %s, want %s", c.counts, got, c.want)
		}
	}
}

func TestProgressInBothDirections(t *testing.T) {
	for _, c := range []struct{ actual, baseline, target, want string }{
		{"150", "100", "200", "1/2"},
		{"15", "20", "10", "1/2"}, // to fall from 20 to 10
		{"10", "20", "10", "1"},
		{"25", "20", "10", "-1/2"}, // got worse
		{"5", "10", "10", "undefined"},
		{"0", "0", "300", "0"},
	} {
		got, ok := Progress(n(c.actual), n(c.baseline), n(c.target))
		text := "undefined"
		if ok {
			text = got.String()
		}
		if text != c.want {
			t.Errorf("progress of %s from %s to %s = %s, want %s", c.actual, c.baseline, c.target, text, c.want)
		}
	}
}
