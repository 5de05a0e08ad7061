package domain

import (
	"cmp"
	"slices"

	"github.com/trama-suite/trama/services/projects/internal/domain/funding"
)

// Figures are the amounts of one part of a budget, in minor units.
type Figures struct{ Planned, Spent, Reported, Certified, Paid int64 }

// Add adds other figures.
func (f *Figures) Add(o Figures) error {
	for _, x := range []struct {
		to *int64
		by int64
	}{{&f.Planned, o.Planned}, {&f.Spent, o.Spent}, {&f.Reported, o.Reported}, {&f.Certified, o.Certified}, {&f.Paid, o.Paid}} {
		sum, err := funding.Add(*x.to, x.by)
		if err != nil {
			return err
		}
		*x.to = sum
	}
	return nil
}

// LineCost is what was spent on a line in a reporting period, by the day of the
// documents; empty: in none.
type LineCost struct {
	Line, Period string
	Figures      // Planned is not looked at
}

// FlatClaim is what the claims to one funder hold of a flat rate in a period.
type FlatClaim struct {
	Line, Funder, Period string
	Figures              // Planned and Spent are not looked at
}

// MostClaimed are the costs of flat rates. Where several funders were shown the
// same line, the most that one of them was shown is reported, and certified; paid
// is what all of them paid: as it is of expenditures.
func MostClaimed(claims []FlatClaim) []LineCost {
	type shown struct{ line, funder string }
	reported, certified := map[shown]int64{}, map[shown]int64{}
	for _, c := range claims {
		reported[shown{c.Line, c.Funder}] += c.Reported
		certified[shown{c.Line, c.Funder}] += c.Certified
	}
	most := func(sums map[shown]int64) map[string]string {
		out := map[string]string{}
		for x, sum := range sums {
			best, any := out[x.line]
			if top := sums[shown{x.line, best}]; !any || sum > top || sum == top && x.funder < best {
				out[x.line] = x.funder
			}
		}
		return out
	}
	mostReported, mostCertified := most(reported), most(certified)
	out := make([]LineCost, len(claims))
	for i, c := range claims {
		out[i] = LineCost{Line: c.Line, Period: c.Period, Figures: Figures{Paid: c.Paid}}
		if mostReported[c.Line] == c.Funder {
			out[i].Reported = c.Reported
		}
		if mostCertified[c.Line] == c.Funder {
			out[i].Certified = c.Certified
		}
	}
	return out
}

// Sum is the figures of one key of a dimension.
type Sum struct {
	Key string
	Figures
}

// Dimensions is a budget summed up in every way; each list is in the order of its
// keys and sums to the total.
type Dimensions struct {
	Total                                                          Figures
	Lines, Partners, Categories, WorkPackages, PeriodSums, Funders []Sum
}

// Summarise sums up lines of a project and what was spent on them. Costs on other
// lines are not looked at.
func Summarise(p *Project, lines []*Line, costs []LineCost) (*Dimensions, error) {
	all := make([]funding.Line, len(lines))
	at := map[string]int{}
	for i, l := range lines {
		all[i] = l.Funding(p)
		at[l.ID] = i
	}
	cells, err := funding.Matrix(all)
	if err != nil {
		return nil, err
	}
	s := newSummer()
	for _, l := range lines { // those of zero too
		s.note("lines", l.ID, Figures{})
		s.note("partners", l.Organisation, Figures{})
		s.note("categories", l.Category, Figures{})
	}
	for _, c := range cells {
		s.cell(c, c.Period, Figures{Planned: c.Amount})
	}
	perLine := make([]Figures, len(lines))
	for _, c := range costs {
		i, mine := at[c.Line]
		if !mine {
			continue
		}
		c.Planned = 0
		s.note("periods", c.Period, c.Figures)
		s.hold(perLine[i].Add(c.Figures))
	}
	for i, f := range perLine {
		s.spent(all[i], f)
	}
	return s.dimensions()
}

// summer adds figures up by dimension and key; the first error stays.
type summer struct {
	by    map[string]map[string]*Figures
	total Figures
	err   error
}

func newSummer() *summer { return &summer{by: map[string]map[string]*Figures{}} }

func (s *summer) hold(err error) { s.err = cmp.Or(s.err, err) }

func (s *summer) note(dimension, key string, f Figures) {
	if s.by[dimension] == nil {
		s.by[dimension] = map[string]*Figures{}
	}
	if s.by[dimension][key] == nil {
		s.by[dimension][key] = &Figures{}
	}
	s.hold(s.by[dimension][key].Add(f))
}

func (s *summer) cell(c funding.Cell, period string, f Figures) {
	s.hold(s.total.Add(f))
	s.note("lines", c.Line, f)
	s.note("partners", c.Partner, f)
	s.note("categories", string(c.Category), f)
	s.note("packages", c.WorkPackage, f)
	s.note("periods", period, f)
	s.note("funders", c.Fund, f)
}

// spent adds what was spent on a line, but by period.
func (s *summer) spent(l funding.Line, f Figures) {
	if f == (Figures{}) {
		return
	}
	s.hold(s.total.Add(f))
	s.note("lines", l.Key, f)
	s.note("partners", l.Partner, f)
	s.note("categories", string(l.Category), f)
	s.note("packages", l.WorkPackage, f)
	for _, x := range []struct {
		amount int64
		figure func(int64) Figures
	}{
		{f.Spent, func(n int64) Figures { return Figures{Spent: n} }},
		{f.Reported, func(n int64) Figures { return Figures{Reported: n} }},
		{f.Certified, func(n int64) Figures { return Figures{Certified: n} }},
		{f.Paid, func(n int64) Figures { return Figures{Paid: n} }},
	} {
		parts, err := funding.CoFinance(x.amount, l.Shares)
		s.hold(err)
		for _, part := range parts {
			if part.Amount != 0 {
				s.note("funders", part.Key, x.figure(part.Amount))
			}
		}
	}
}

func (s *summer) dimensions() (*Dimensions, error) {
	list := func(dimension string) []Sum {
		out := make([]Sum, 0, len(s.by[dimension]))
		for key, f := range s.by[dimension] {
			out = append(out, Sum{key, *f})
		}
		slices.SortFunc(out, func(a, b Sum) int { return cmp.Compare(a.Key, b.Key) })
		return out
	}
	return &Dimensions{Total: s.total, Lines: list("lines"), Partners: list("partners"), Categories: list("categories"),
		WorkPackages: list("packages"), PeriodSums: list("periods"), Funders: list("funders")}, s.err
}

// WithKeys adds the keys of other sums, with zeros.
func WithKeys(sums, other []Sum) []Sum {
	out := slices.Clone(sums)
	for _, o := range other {
		if !slices.ContainsFunc(sums, func(x Sum) bool { return x.Key == o.Key }) {
			out = append(out, Sum{Key: o.Key})
		}
	}
	slices.SortFunc(out, func(a, b Sum) int { return cmp.Compare(a.Key, b.Key) })
	return out
}
