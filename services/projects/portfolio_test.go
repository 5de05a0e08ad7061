package projects_test

import (
	"maps"
	"math/big"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	projectsv1 "github.com/trama-suite/trama/proto/gen/go/trama/projects/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
)

// checkPortfolio holds the portfolio against sums over what the test knows.
func (s *suite) checkPortfolio(all []kept) {
	s.t.Helper()
	for _, filter := range []struct {
		text  string
		match func(k kept) bool
	}{
		{"", func(kept) bool { return true }},
		{`organisation = "` + member + `"`, func(k kept) bool { return slices.Contains(k.partners, member) }},
		{`territory = "it-25"`, func(k kept) bool { return k.territory == "it-25" || k.territory == "it-25-mi" }},
		{`programme = "Bando A" OR late = true`, func(k kept) bool { return k.programme == "Bando A" || k.late }},
		{`lead = "` + leader + `" AND NOT territory = "it-21" AND funder != "H"`, func(k kept) bool { return k.territory != "it-21" }},
		{`phase = PHASE_EXECUTION AND at_risk = false`, func(k kept) bool { return k.phase == projectsv1.Phase_PHASE_EXECUTION }},
		{`currency = "SEK" AND end_date >= "2026-06-01" AND year = 2026`, func(k kept) bool { return k.currency == "SEK" && k.end >= "2026-06-01" }},
		{`lead = "` + stranger + `"`, func(kept) bool { return false }},
	} {
		for by := range projectsv1.PortfolioGrouping_name {
			req := &projectsv1.QueryPortfolioRequest{Filter: filter.text, GroupBy: projectsv1.PortfolioGrouping(by)}
			got := must[*projectsv1.Portfolio](s.t)(s.QueryPortfolio(s.As(operator, ""), req))
			want := bruteForce(all, filter.match, req.GetGroupBy())
			got.AsOfTime = nil
			got.Total.OpenAlertCount = 0
			for _, g := range got.Groups {
				g.Sum.OpenAlertCount = 0
			}
			if !proto.Equal(got, want) {
				s.t.Fatalf("%v:\ngot  %v\nwant %v", req, got, want)
			}
		}
	}
}

// plain adds a project to a sum the plain way.
func plain(sum *projectsv1.PortfolioSum, k kept, granted, planned, spent int64) {
	sum.ProjectCount++
	if k.late {
		sum.LateCount++
	}
	find := func() int {
		return slices.IndexFunc(sum.Totals, func(x *projectsv1.CurrencyTotal) bool { return x.GetSpent().GetCurrencyCode() == k.currency })
	}
	if find() < 0 {
		zero := func() *typev1.Money { return &typev1.Money{CurrencyCode: k.currency} }
		sum.Totals = append(sum.Totals, &projectsv1.CurrencyTotal{Granted: zero(), Planned: zero(), Spent: zero(), Reported: zero(), Certified: zero(), Paid: zero()})
		slices.SortFunc(sum.Totals, func(a, b *projectsv1.CurrencyTotal) int {
			return strings.Compare(a.GetSpent().GetCurrencyCode(), b.GetSpent().GetCurrencyCode())
		})
	}
	i := find()
	sum.Totals[i].Granted.MinorUnits += granted
	sum.Totals[i].Planned.MinorUnits += planned
	sum.Totals[i].Spent.MinorUnits += spent
}

func bruteForce(all []kept, match func(kept) bool, by projectsv1.PortfolioGrouping) *projectsv1.Portfolio {
	out := &projectsv1.Portfolio{Total: &projectsv1.PortfolioSum{}}
	grouping := strings.TrimPrefix(by.String(), "PORTFOLIO_GROUPING_")
	out.GroupsOverlap = slices.Contains([]string{"FUNDER", "SECTOR", "ORGANISATION", "PROGRAMME"}, grouping)
	groups := map[string]*projectsv1.PortfolioSum{}
	for _, k := range all {
		if !match(k) {
			continue
		}
		plain(out.Total, k, k.granted, k.planned, k.spent)
		keys := map[string][]string{
			"TERRITORY": {k.territory}, "FUNDER": {"F", "G"}, "SECTOR": {"social-care"}, "PHASE": {k.phase.String()},
			"PROGRAMME": {k.programme}, "YEAR": {"2026"}, "ORGANISATION": k.partners,
		}[grouping]
		for _, key := range keys {
			if groups[key] == nil {
				groups[key] = &projectsv1.PortfolioSum{}
			}
			if grouping == "ORGANISATION" {
				plain(groups[key], k, k.share(key), k.partPlanned[key], k.partSpent[key])
			} else {
				plain(groups[key], k, k.granted, k.planned, k.spent)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		out.Groups = append(out.Groups, &projectsv1.PortfolioGroup{Key: key, Sum: groups[key]})
	}
	out.GroupCount = int32(len(groups))
	return out
}

// share is a partner's part of the grants, for one or two partners: by their
// budgets; what is left over goes to the larger remainder, the first of equal
// ones.
func (k kept) share(organisation string) int64 {
	if len(k.partners) == 1 {
		return k.granted
	}
	first := big.NewInt(k.partPlanned[leader])
	whole := new(big.Int).Add(first, big.NewInt(k.partPlanned[member]))
	if whole.Sign() == 0 {
		first, whole = big.NewInt(1), big.NewInt(2)
	}
	part, rest := new(big.Int).QuoRem(new(big.Int).Mul(big.NewInt(k.granted), first), whole, new(big.Int))
	n := part.Int64()
	if rest.Sign() > 0 && new(big.Int).Mul(rest, big.NewInt(2)).Cmp(whole) >= 0 {
		n++
	}
	if organisation == leader {
		return n
	}
	return k.granted - n
}
