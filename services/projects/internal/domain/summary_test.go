package domain_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain"
	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Of a flat rate that several funders were shown, the most that one of them was
// shown counts; what they paid counts together.
func TestTheMostThatAFunderWasShownCounts(t *testing.T) {
	got := domain.MostClaimed([]domain.FlatClaim{
		{Line: "l", Funder: "a", Period: "p1", Figures: domain.Figures{Reported: 10, Certified: 9, Paid: 1}},
		{Line: "l", Funder: "a", Period: "p2", Figures: domain.Figures{Reported: 10, Paid: 2}},
		{Line: "l", Funder: "b", Period: "p1", Figures: domain.Figures{Reported: 15, Certified: 15, Paid: 4}},
		{Line: "m", Funder: "b", Period: "p1", Figures: domain.Figures{Reported: 1}},
	})
	sums := map[string]domain.Figures{}
	for _, c := range got {
		f := sums[c.Line]
		if err := f.Add(c.Figures); err != nil {
			t.Fatal(err)
		}
		sums[c.Line] = f
	}
	if sums["l"] != (domain.Figures{Reported: 20, Certified: 15, Paid: 7}) || sums["m"] != (domain.Figures{Reported: 1}) {
		t.Errorf("%v", sums)
	}
}

// Every list of a summary sums to its total, whatever is planned and spent.
func TestSummariesConserveCents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &domain.Project{ID: "p", Currency: "EUR"}
		p.Funders = []domain.Funder{{Key: "f1", Share: rapid.Int32Range(0, 5_000).Draw(t, "share")}, {Key: "f2", Share: rapid.Int32Range(0, 5_000).Draw(t, "share")}}
		small := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(0, 1_000_000_000))
		var lines []*domain.Line
		var want domain.Figures
		var costs []domain.LineCost
		for i := range rapid.IntRange(0, 8).Draw(t, "lines") {
			l := &domain.Line{ID: string(rune('a' + i)), Organisation: rapid.SampledFrom([]string{"o1", "o2"}).Draw(t, "partner")}
			l.Category, l.Amount = rapid.SampledFrom([]string{"STAFF", "TRAVEL"}).Draw(t, "category"), eur(small.Draw(t, "amount"))
			l.WorkPackage = rapid.SampledFrom([]string{"", "w"}).Draw(t, "package")
			if rapid.Bool().Draw(t, "by period") {
				l.Periods = []funding.Part{{Key: "p1", Amount: l.Amount.Minor / 3}, {Key: "p2", Amount: l.Amount.Minor - l.Amount.Minor/3}}
			}
			lines = append(lines, l)
			want.Planned += l.Amount.Minor
			for range rapid.IntRange(0, 3).Draw(t, "costs") {
				c := domain.LineCost{Line: l.ID, Period: rapid.SampledFrom([]string{"", "p1"}).Draw(t, "period"),
					Figures: domain.Figures{Spent: small.Draw(t, "spent"), Reported: small.Draw(t, "reported"), Certified: small.Draw(t, "certified"), Paid: small.Draw(t, "paid")}}
				costs = append(costs, c)
				if err := want.Add(c.Figures); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, err := domain.Summarise(p, lines, costs)
		if err != nil {
			t.Fatal(err)
		}
		for name, sums := range map[string][]domain.Sum{"total": {{Figures: got.Total}}, "lines": got.Lines, "partners": got.Partners, "categories": got.Categories,
			"packages": got.WorkPackages, "periods": got.PeriodSums, "funders": got.Funders} {
			var all domain.Figures
			for _, s := range sums {
				if err := all.Add(s.Figures); err != nil {
					t.Fatal(err)
				}
			}
			if all != want {
				t.Fatalf("%s sum to %+v, want %+v", name, all, want)
			}
			if !slices.IsSortedFunc(sums, func(a, b domain.Sum) int { return map[bool]int{true: -1, false: 1}[a.Key < b.Key] }) {
				t.Fatalf("%s are out of order", name)
			}
		}
	})
}
