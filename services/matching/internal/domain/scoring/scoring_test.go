package scoring

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var every = Policy{
	Rules: []Rule{Territory, Language, Budget, Deadline},
	Weights: []Weight{
		{Category, 300_000}, {Sector, 150_000}, {Tag, 150_000}, {Text, 250_000}, {Proximity, 100_000}, {Maturity, 50_000},
	},
}

func homeCare() (need, solution Entry) {
	need = Entry{
		Name: "needs/1", Kind: Need, Organisation: "organisations/a", Category: "home-care",
		Sectors: []string{"social care", "health"}, Tags: []string{"Mobile", "planning"},
		Stems:       Stems("it", "Pianificare l'assistenza domiciliare degli operatori"),
		Territories: []string{"IT-21"}, Languages: []string{"it"}, Money: 500_000, Currency: "EUR", Day: "2026-12-31",
	}
	solution = Entry{
		Name: "solutions/1", Kind: Solution, Organisation: "organisations/b", Serves: []string{"Home-Care"},
		Sectors: []string{"Social Care"}, Tags: []string{"mobile"},
		Stems:       Stems("it", "Gestione dell'assistenza domiciliare: turni e pianificazione"),
		Territories: []string{"IT"}, Languages: []string{"it-IT", "en"}, Money: 400_000, Currency: "EUR", Day: "2027-06-30", Maturity: 900,
	}
	return need, solution
}

func TestAPairIsExplainedTermByTerm(t *testing.T) {
	need, solution := homeCare()
	v := Judge(every, need, solution)
	if !v.Candidate {
		t.Fatalf("not a candidate: %+v", v.Checks)
	}
	want := map[Feature]int64{
		Category: 300_000, Sector: 75_000, Tag: 75_000,
		Proximity: 50_000, // a region on one side, the country on the other
		Maturity:  45_000,
	}
	for _, term := range v.Terms {
		if points, ok := want[term.Feature]; ok && term.Points != points {
			t.Errorf("%s: %d points, want %d (%v)", term.Feature, term.Points, points, term.Evidence)
		}
		if term.Feature == Text && (term.Points <= 0 || !slices.Contains(term.Evidence, "assistent") && !slices.ContainsFunc(term.Evidence, func(s string) bool { return strings.HasPrefix(s, "assist") })) {
			t.Errorf("the elided article hides the noun: %+v", term)
		}
	}
}

func TestWhatBreaksEachRule(t *testing.T) {
	for rule, spoil := range map[Rule]func(need, solution *Entry){
		DifferentBodies: func(n, s *Entry) { s.Organisation = n.Organisation },
		CommonGround:    func(_, s *Entry) { s.Serves, s.Sectors, s.Tags, s.Stems = nil, nil, nil, nil },
		Territory:       func(_, s *Entry) { s.Territories = []string{"IT-25", "SE"} },
		Language:        func(n, _ *Entry) { n.Languages = []string{"it", "lv"} },
		Budget:          func(_, s *Entry) { s.Money = 500_001 },
		Deadline:        func(_, s *Entry) { s.Day = "2026-12-30" },
	} {
		need, solution := homeCare()
		spoil(&need, &solution)
		v := Judge(every, need, solution)
		if v.Candidate {
			t.Errorf("%s: still a candidate", rule)
		}
		for _, c := range v.Checks {
			if c.Kept == (c.Rule == rule) {
				t.Errorf("%s broken: check %+v", rule, c)
			}
			if c.Detail == "" {
				t.Errorf("%s: no detail", c.Rule)
			}
		}
	}
	need, solution := homeCare()
	solution.Currency = "SEK"
	if Judge(every, need, solution).Candidate {
		t.Error("prices in different currencies were compared")
	}
}

// The properties that the rest of the service stands on: a score is the sum of
// its terms, each within its weight; a pair with no shared key is no candidate,
// so finding pairs by keys loses none; the order of lists does not matter.
func TestJudgeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		demand, supply := entry(t, "demand"), entry(t, "supply")
		v := Judge(every, demand, supply)
		var sum int64
		for i, term := range v.Terms {
			if term.Points < 0 || term.Points > every.Weights[i].Points {
				t.Fatalf("%s: %d of %d points", term.Feature, term.Points, term.Weight)
			}
			sum += term.Points
		}
		if sum != v.Score {
			t.Fatalf("score %d, terms sum to %d", v.Score, sum)
		}
		shared := false
		for _, k := range demand.Keys() {
			shared = shared || slices.Contains(supply.Keys(), k)
		}
		if v.Candidate && !shared {
			t.Fatal("a candidate that no key finds")
		}
		turned := demand
		turned.Sectors, turned.Tags = reversed(demand.Sectors), reversed(demand.Tags)
		turned.Territories = reversed(demand.Territories)
		if w := Judge(every, turned, supply); w.Score != v.Score || w.Candidate != v.Candidate {
			t.Fatalf("the order of lists changed %d to %d", v.Score, w.Score)
		}
	})
}

func reversed(s []string) []string {
	out := slices.Clone(s)
	slices.Reverse(out)
	return out
}

func entry(t *rapid.T, label string) Entry {
	words := func(prefix string, n int) *rapid.Generator[[]string] {
		var from []string
		for i := range n {
			from = append(from, fmt.Sprint(prefix, i))
		}
		return rapid.SliceOfN(rapid.SampledFrom(from), 0, 4)
	}
	stems := slices.Compact(slices.Sorted(slices.Values(words("w", 9).Draw(t, label+" stems"))))
	return Entry{
		Organisation: rapid.SampledFrom([]string{"o1", "o2"}).Draw(t, label+" organisation"),
		Category:     rapid.SampledFrom([]string{"", "c1", "C1", "c2"}).Draw(t, label+" category"),
		Serves:       words("c", 4).Draw(t, label+" serves"),
		Sectors:      words("s", 5).Draw(t, label+" sectors"),
		Tags:         words("t", 5).Draw(t, label+" tags"),
		Stems:        stems,
		Territories:  rapid.SliceOfN(rapid.SampledFrom([]string{"IT", "IT-21", "IT-25", "SE", "SE-O"}), 0, 3).Draw(t, label+" territories"),
		Languages:    rapid.SliceOfN(rapid.SampledFrom([]string{"it", "it-IT", "en"}), 0, 2).Draw(t, label+" languages"),
		Money:        rapid.Int64Range(0, 1000).Draw(t, label+" money"),
		Currency:     rapid.SampledFrom([]string{"", "EUR", "SEK"}).Draw(t, label+" currency"),
		Day:          rapid.SampledFrom([]string{"", "2026-01-01", "2026-06-30"}).Draw(t, label+" day"),
		Maturity:     rapid.Int64Range(-5, 1500).Draw(t, label+" maturity"),
	}
}

func TestStems(t *testing.T) {
	got := Stems("it-IT", "Dell'assistenza DOMICILIARE", "l’assistenza agli anziani")
	for _, stem := range got {
		if strings.ContainsAny(stem, "'’") {
			t.Errorf("%q keeps its article", stem)
		}
	}
	if len(got) != 3 {
		t.Errorf("stems %v: want those of assistenza, domiciliare, anziani", got)
	}
	if other := Stems("lv", "Sociālā aprūpe"); !slices.Equal(other, []string{"aprūpe", "sociālā"}) {
		t.Errorf("a language without a stemmer: %v", other)
	}
	if n := len(Stems("en", strings.Repeat("alpha beta gamma ", 500))); n != 3 {
		t.Errorf("repeats counted: %d", n)
	}
}
