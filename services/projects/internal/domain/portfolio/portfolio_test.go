package portfolio_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
	"github.com/trama-suite/trama/services/projects/internal/domain/portfolio"
)

func draw(t *rapid.T, id int) *portfolio.Project {
	one := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	several := func(label string, of ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, 2, rapid.ID).Draw(t, label)
	}
	number := rapid.Int64Range(0, 1_000_000)
	p := &portfolio.Project{ID: fmt.Sprint(id), Lead: one("lead", "o1", "o2"), Currency: one("currency", "EUR", "SEK"), Phase: one("phase", "EXECUTION", "CLOSED"),
		Territory: one("territory", "", "it-2", "it-21", "it-21-to"), Start: civil.Date(one("start", "2025-01-01", "2026-03-01")), End: civil.Date(one("end", "2026-04-30", "2026-12-31")),
		Unfinished: civil.Date(one("unfinished", "", "2026-04-01", "2026-06-01")), Open: number.Draw(t, "open"), Critical: rapid.Int64Range(0, 1).Draw(t, "critical"),
		Funders: several("funders", "F", "G", "H"), Programmes: several("programmes", "A", "B"), Sectors: several("sectors", "s", "t")}
	for _, o := range several("partners", "o1", "o2", "o3") {
		p.Partners = append(p.Partners, portfolio.Part{Organisation: o, Amounts: portfolio.Amounts{number.Draw(t, "part")}})
	}
	for a := range p.Amounts {
		p.Amounts[a] = number.Draw(t, "amount")
	}
	return p
}

// plainSum adds a project the plain way.
func plainSum(s portfolio.Sum, p *portfolio.Project, amounts portfolio.Amounts, today civil.Date) portfolio.Sum {
	s.Projects++
	s.Open += p.Open
	if plainLate(p, today) {
		s.Late++
	}
	if plainRisk(p) {
		s.AtRisk++
	}
	i := slices.IndexFunc(s.Money, func(m portfolio.Money) bool { return m.Currency == p.Currency })
	if i < 0 {
		s.Money = append(s.Money, portfolio.Money{Currency: p.Currency})
		i = len(s.Money) - 1
	}
	for a, x := range amounts {
		s.Money[i].Amounts[a] += x
	}
	slices.SortFunc(s.Money, func(a, b portfolio.Money) int { return strings.Compare(a.Currency, b.Currency) })
	return s
}

func plainLate(p *portfolio.Project, today civil.Date) bool {
	return p.Phase != "CLOSED" && (p.End < today || p.Unfinished != "" && p.Unfinished < today)
}

func plainRisk(p *portfolio.Project) bool { return p.Phase != "CLOSED" && p.Critical > 0 }

func keysOf(p *portfolio.Project, by portfolio.Grouping) []string {
	keys := map[portfolio.Grouping][]string{
		portfolio.ByTerritory: {p.Territory}, portfolio.ByFunder: p.Funders, portfolio.BySector: p.Sectors, portfolio.ByPhase: {p.Phase},
		portfolio.ByProgramme: p.Programmes, portfolio.ByYear: {string(p.Start[:4])},
	}[by]
	if len(keys) == 0 && by != portfolio.None {
		return []string{""}
	}
	return keys
}

func plainQuery(all []*portfolio.Project, match func(*portfolio.Project) bool, by portfolio.Grouping, today civil.Date) portfolio.Result {
	var out portfolio.Result
	groups := map[string]portfolio.Sum{}
	for _, p := range all {
		if !match(p) {
			continue
		}
		out.Total = plainSum(out.Total, p, p.Amounts, today)
		if by == portfolio.ByOrganisation {
			for _, x := range p.Partners {
				groups[x.Organisation] = plainSum(groups[x.Organisation], p, x.Amounts, today)
			}
			continue
		}
		for _, key := range keysOf(p, by) {
			groups[key] = plainSum(groups[key], p, p.Amounts, today)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		out.Groups = append(out.Groups, portfolio.Group{Key: key, Sum: groups[key]})
	}
	return out
}

// Whatever is put in, and put in again, a query equals the plain sums over what
// is there.
func TestTheBookEqualsPlainSums(t *testing.T) {
	const today = civil.Date("2026-05-15")
	within := func(p *portfolio.Project, whole string) bool {
		return p.Territory == whole || strings.HasPrefix(p.Territory, whole+"-")
	}
	filters := map[string]func(p *portfolio.Project) bool{
		``:                    func(*portfolio.Project) bool { return true },
		`territory = "it-21"`: func(p *portfolio.Project) bool { return within(p, "it-21") },
		`territory != "it-2"`: func(p *portfolio.Project) bool { return !within(p, "it-2") },
		`funder = "F" OR late = true`: func(p *portfolio.Project) bool {
			return slices.Contains(p.Funders, "F") || plainLate(p, today)
		},
		`NOT sector = "s" AND programme != "Z"`: func(p *portfolio.Project) bool { return !slices.Contains(p.Sectors, "s") },
		`organisation = "o3" AND lead != "o1"`: func(p *portfolio.Project) bool {
			return p.Lead != "o1" && slices.ContainsFunc(p.Partners, func(x portfolio.Part) bool { return x.Organisation == "o3" })
		},
		`phase = PHASE_CLOSED OR at_risk = true`: func(p *portfolio.Project) bool { return p.Phase == "CLOSED" || plainRisk(p) },
		`currency = "SEK" AND start_date > "2025-06-01" AND end_date <= "2026-12-31"`: func(p *portfolio.Project) bool {
			return p.Currency == "SEK" && p.Start > "2025-06-01"
		},
		`year < 2026`: func(p *portfolio.Project) bool { return p.Start < "2026" },
		`funder = ""`: func(*portfolio.Project) bool { return false },
	}
	groupings := []portfolio.Grouping{portfolio.None, portfolio.ByTerritory, portfolio.ByFunder, portfolio.BySector, portfolio.ByPhase,
		portfolio.ByOrganisation, portfolio.ByProgramme, portfolio.ByYear}
	rapid.Check(t, func(t *rapid.T) {
		book, parts := portfolio.NewBook(), map[string][]*portfolio.Project{}
		for range rapid.IntRange(1, 6).Draw(t, "puts") {
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "part")
			parts[name] = nil
			for i := range rapid.IntRange(0, 5).Draw(t, "projects") {
				parts[name] = append(parts[name], draw(t, i))
			}
			book.Put(name, parts[name])
		}
		all := slices.Concat(slices.Collect(maps.Values(parts))...)
		filter := rapid.SampledFrom(slices.Sorted(maps.Keys(filters))).Draw(t, "filter")
		for _, by := range groupings {
			got, err := book.Query(filter, by, today)
			if want := plainQuery(all, filters[filter], by, today); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%s by %s, %v:\ngot  %+v\nwant %+v", filter, by, err, got, want)
			}
		}
	})
}

// BenchmarkQuery is a query over 100,000 projects in memory, by organisation: the
// slowest grouping.
func BenchmarkQuery(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	book := portfolio.NewBook()
	for part := range 4096 {
		var list []*portfolio.Project
		for i := range 100_000 / 4096 {
			p := &portfolio.Project{Lead: fmt.Sprint("o", random.IntN(628)), Currency: "EUR", Phase: "EXECUTION", Start: "2026-01-01", End: "2026-12-31", Funders: []string{"F"}}
			for k := range 2 {
				p.Partners = append(p.Partners, portfolio.Part{Organisation: fmt.Sprint("o", (i*7+k+part)%628), Amounts: portfolio.Amounts{1}})
			}
			list = append(list, p)
		}
		book.Put(fmt.Sprintf("%03x", part), list)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := book.Query("late = false", portfolio.ByOrganisation, "2026-05-05"); err != nil {
			b.Fatal(err)
		}
	}
}
