package rollup

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
)

func measures() []Measure {
	var out []Measure
	for m := Sum; m <= UniqueCount; m++ {
		measure := Measure{Method: m, Unit: "u"}
		if m == OrdinalHistogram {
			measure.Categories = 4
		}
		out = append(out, measure)
	}
	return out
}

// source of choices: rapid's (which shrinks) or a seeded generator (which is
// fast enough for a hundred thousand trees).
type chooser interface{ upTo(n int) int } // 0 … n

type seeded struct{ *rand.Rand }

func (s seeded) upTo(n int) int { return s.IntN(n + 1) }

type drawn struct{ *rapid.T }

func (d drawn) upTo(n int) int { return rapid.IntRange(0, n).Draw(d.T, "choice") }

func number(c chooser) exact.Number {
	switch c.upTo(9) {
	case 0:
		return exact.Int(0)
	case 1: // near the end of 64 bits, so that sums leave them and come back
		return exact.Int(int64(1)<<62 + int64(c.upTo(1000))).Mul(exact.Int(int64(1 - 2*c.upTo(1))))
	case 2:
		return exact.Fraction(int64(c.upTo(2000)-1000), 1000)
	}
	return exact.Int(int64(c.upTo(200) - 100))
}

func weight(c chooser) exact.Number {
	n := number(c)
	if n.Sign() < 0 {
		return n.Neg()
	}
	return n
}

// observe returns the leaves of one measurement: one, or one for each partner.
func observe(c chooser, m Measure, id int) []Observation {
	o := Observation{
		Value: number(c), Numerator: number(c), Denominator: weight(c), Weight: weight(c),
		Count:  int64(c.upTo(5)),
		Source: "m" + strconv.Itoa(id),
		Holder: "h" + strconv.Itoa(c.upTo(4)),
		Start:  int32(20260101 + c.upTo(3)), End: int32(20260110 + c.upTo(3)),
		Share: exact.Int(1),
	}
	if m.Method == StockLast { // no two measurements of one holder and period
		o.Start = int32(id)
	}
	for range m.Categories {
		o.Counts = append(o.Counts, int64(c.upTo(6)))
	}
	if m.Method == UniqueCount {
		o.Value = exact.Int(int64(c.upTo(9)))
		if c.upTo(2) > 0 {
			o.Key = "k" + strconv.Itoa(c.upTo(6))
		}
	}
	if c.upTo(4) == 0 {
		o.Qualifier = Qualifier(1 + c.upTo(3))
	}
	partners := 1
	if c.upTo(3) == 0 {
		partners = 2 + c.upTo(1)
	}
	out := make([]Observation, partners)
	rest := exact.Int(1)
	for i := range out {
		out[i] = o
		out[i].Share = rest
		if i < partners-1 {
			out[i].Share = exact.Fraction(int64(1+c.upTo(2)), 7)
			rest = rest.Sub(out[i].Share)
		}
	}
	return out
}

// tree merges leaves along a random tree.
func tree(c chooser, m Measure, leaves []State) (State, error) {
	if len(leaves) <= 1 {
		return Fold(m, leaves)
	}
	at := c.upTo(len(leaves))
	if at == 0 || at == len(leaves) { // an empty branch is a branch too
		rest, err := incremental(m, leaves)
		if err != nil {
			return State{}, err
		}
		return Merge(Empty(m), rest)
	}
	left, err := tree(c, m, leaves[:at])
	if err != nil {
		return State{}, err
	}
	right, err := tree(c, m, leaves[at:])
	if err != nil {
		return State{}, err
	}
	return Merge(left, right)
}

func incremental(m Measure, leaves []State) (State, error) {
	total := Empty(m)
	var err error
	for _, s := range leaves {
		if total, err = Merge(total, s); err != nil {
			return State{}, err
		}
	}
	return total, nil
}

// checkTree makes one random set of measurements and merges it in every way.
func checkTree(t interface {
	Helper()
	Fatalf(string, ...any)
}, c chooser, m Measure) {
	t.Helper()
	var all []Observation
	for id := range c.upTo(7) {
		all = append(all, observe(c, m, id)...)
	}
	leaves := make([]State, len(all))
	for i, o := range all {
		s, err := Of(m, o)
		if err != nil {
			t.Fatalf("%v: %v", m.Method, err)
		}
		leaves[i] = s
	}
	whole, err := incremental(m, leaves)
	if err != nil {
		t.Fatalf("%v: %v", m.Method, err)
	}
	shuffled := append([]State(nil), leaves...)
	for i := len(shuffled) - 1; i > 0; i-- {
		j := c.upTo(i)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	other, err := tree(c, m, shuffled)
	if err != nil {
		t.Fatalf("%v: %v", m.Method, err)
	}
	if !Equal(whole, other) {
		t.Fatalf("%v of %+v: leaf by leaf %q, along a tree %q", m.Method, all, whole.Encode(), other.Encode())
	}
	stored, err := Decode(m, other.Encode())
	if err != nil || !Equal(stored, whole) {
		t.Fatalf("%v: %q reads back as %q, %v", m.Method, other.Encode(), stored.Encode(), err)
	}
	f := whole.Figure()
	want := reference(m, all)
	onlyAtMost := m.Method == UniqueCount && len(leaves) > 0 && whole.keys == nil && len(whole.readings) == 1 && whole.readings[0].below
	switch {
	case onlyAtMost:
	case (want == nil) != (f.Value == nil):
		t.Fatalf("%v of %+v: value %v, want %v", m.Method, all, f.Value, want)
	case want != nil && f.Value.String() != want.RatString():
		t.Fatalf("%v of %+v: value %v, want %s", m.Method, all, f.Value, want.RatString())
	}
	if f.Value != nil {
		if f.Lower != nil && f.Lower.Cmp(*f.Value) > 0 || f.Upper != nil && f.Upper.Cmp(*f.Value) < 0 {
			t.Fatalf("%v of %+v: value %v outside [%v, %v]", m.Method, all, f.Value, f.Lower, f.Upper)
		}
		if f.Qualifier == 0 {
			t.Fatalf("%v of %+v: value without a qualifier", m.Method, all)
		}
	}
}

// Roll-up of roll-ups = roll-up of leaves = any order = incremental, exactly,
// and equal to the definition: 120,000 random trees with a fixed seed.
func TestMergingNeverDrifts(t *testing.T) {
	const seed, trees = 20261121, 120_000
	c := seeded{rand.New(rand.NewPCG(seed, 1))}
	all := measures()
	for i := range trees {
		checkTree(t, c, all[i%len(all)])
	}
}

// The same with fresh choices each run, shrunk where they fail.
func TestMergingNeverDriftsShrinking(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkTree(t, drawn{t}, rapid.SampledFrom(measures()).Draw(t, "measure"))
	})
}

func TestMergeRefusesDifferentMeasures(t *testing.T) {
	hours := Measure{Method: Sum, Unit: "h"}
	for _, other := range []Measure{
		{Method: Sum, Unit: "persons"},
		{Method: StockLast, Unit: "h"},
		{Method: Ratio, Unit: "h"},
	} {
		if _, err := Merge(Empty(hours), Empty(other)); !errors.Is(err, ErrNotMergeable) {
			t.Errorf("merging %v with %v: %v, want ErrNotMergeable", hours, other, err)
		}
		if _, err := Fold(hours, []State{Empty(hours), Empty(other)}); !errors.Is(err, ErrNotMergeable) {
			t.Errorf("folding %v with %v: %v, want ErrNotMergeable", hours, other, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint8(1), "2 3/4 0 a")
	f.Add(uint8(7), "1 0 0  h;20260101;20260201;5;")
	f.Add(uint8(9), "2 0 0   k1,k2")
	f.Fuzz(func(t *testing.T, method uint8, text string) {
		m := Measure{Method: Method(method%9 + 1), Unit: "u"}
		if s, err := Decode(m, text); err == nil {
			_ = s.Figure()
		}
	})
}
