package domain

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/impact/internal/domain/exact"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
)

// What a viewer is shown never lets another organisation's figure be worked out
// from one answer: each figure shown, and what is left of the whole after taking
// the parts shown, has either none or at least the threshold of other
// organisations behind it. And what is shown is what everybody is shown.
func TestNothingShownTellsOneOrganisation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := Indicator{Name: "i", Method: rollup.Sum, Unit: "u"}
		var rows []Row
		for range rapid.IntRange(0, 12).Draw(t, "rows") {
			state, err := rollup.Of(i.Measure(), rollup.Observation{Value: exact.Int(int64(rapid.IntRange(1, 9).Draw(t, "value"))), Share: exact.Int(1)})
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, Row{
				Organisation: fmt.Sprint("o", rapid.IntRange(0, 7).Draw(t, "organisation")), Project: rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "project"),
				Place: rapid.SampledFrom([]string{"001272", "015146", "058091", "004078"}).Draw(t, "place"), State: state,
			})
		}
		known := Context{Viewer: Viewer{Organisations: []string{"o0"}, Threshold: 3}, Projects: map[string]Project{"p": {Organisation: "o0"}, "q": {Organisation: "o1"}}}
		q := Question{Axis: rapid.SampledFrom([]Axis{Whole, ByOrganisation, ByProject, ByMunicipality, ByNUTS2, ByCountry}).Draw(t, "axis")}
		got, err := Build(i, rows, q, known)
		if err != nil {
			t.Fatal(err)
		}
		few := func(s set) bool { return len(s) > 0 && len(s) < known.Viewer.Threshold }
		rest := set{}
		maps.Copy(rest, got.Total.foreign)
		hidden := set{}
		for _, p := range got.Parts {
			if p.Withheld {
				maps.Copy(hidden, p.foreign)
				if p.Figure.Value != nil || p.Reporting != 0 || p.Progress != nil {
					t.Fatalf("withheld, and yet %+v", p)
				}
			} else if few(p.foreign) {
				t.Fatalf("shown with %d others: %+v", len(p.foreign), p)
			}
		}
		if !got.Total.Withheld && (few(rest) || few(hidden)) {
			t.Fatalf("the whole is shown with %d others, %d of them in hidden parts", len(rest), len(hidden))
		}
		// The same parts, for one who sees all, have the same figures.
		known.Viewer = Viewer{All: true}
		full, err := Build(i, rows, q, known)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]*exact.Number{}
		var sum exact.Number
		for _, p := range full.Parts {
			if p.Withheld || p.Others {
				t.Fatalf("withheld from one who sees all: %+v", p)
			}
			values[p.Node] = p.Figure.Value
			sum = sum.Add(*p.Figure.Value)
		}
		if q.Axis != Whole && full.Total.Figure.Value != nil && !full.Total.Figure.Value.Equal(sum) {
			t.Fatalf("the parts sum to %v, the whole is %v", sum, full.Total.Figure.Value)
		}
		if v := got.Total.Figure.Value; v != nil && !v.Equal(*full.Total.Figure.Value) {
			t.Fatalf("the viewer is shown %v of %v", v, full.Total.Figure.Value)
		}
		if q.Axis.Territorial() {
			for _, p := range got.Parts {
				if v := p.Figure.Value; v != nil && !v.Equal(*values[p.Node]) {
					t.Fatalf("%s is shown as %v, is %v", p.Node, v, values[p.Node])
				}
			}
		}
	})
}
