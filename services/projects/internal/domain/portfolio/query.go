package portfolio

import (
	"math"
	"slices"
	"strings"

	"github.com/trama-suite/trama/services/projects/internal/domain/civil"
)

// columnOf is the column that a grouping is by.
var columnOf = map[Grouping]column{
	ByTerritory: territories, ByFunder: funders, BySector: sectors, ByPhase: phases,
	ByOrganisation: organisations, ByProgramme: programmes, ByYear: years,
}

// sum is Sum while it grows.
type sum struct {
	projects, late, atRisk, open int64
	money                        []moneySum // few: one for each currency
}

type moneySum struct {
	amounts  Amounts
	currency uint32
}

func (s *sum) add(r *row, amounts *Amounts, late bool) error {
	s.projects++
	s.open += r.open
	if late {
		s.late++
	}
	if r.atRisk() {
		s.atRisk++
	}
	currency := r.words[currencies]
	i := 0
	for i < len(s.money) && s.money[i].currency != currency {
		i++
	}
	if i == len(s.money) {
		s.money = append(s.money, moneySum{currency: currency})
	}
	into := &s.money[i].amounts
	for a, x := range amounts {
		if x > math.MaxInt64-into[a] {
			return ErrOverflow
		}
		into[a] += x
	}
	return nil
}

// Query sums up the projects that an AIP-160 filter matches, as they stand on a
// day. Several may ask at the same time, while nobody puts anything in.
func (b *Book) Query(filter string, by Grouping, today civil.Date) (Result, error) {
	match, err := b.parse(filter)
	if err != nil {
		return Result{}, err
	}
	q := query{match: match, by: columnOf[by], grouped: by != None, today: dayOf(today)}
	if q.grouped {
		q.groups = make([]sum, len(b.columns[q.by].words))
	}
	for _, p := range b.parts {
		if err := q.over(p); err != nil {
			return Result{}, err
		}
	}
	out := Result{Total: b.summed(&q.total)}
	for key := range q.groups {
		if s := &q.groups[key]; s.projects > 0 {
			out.Groups = append(out.Groups, Group{b.columns[q.by].words[key], b.summed(s)})
		}
	}
	slices.SortFunc(out.Groups, func(a, b Group) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

type query struct {
	match   match
	by      column
	grouped bool
	today   int32
	total   sum
	groups  []sum // by the number of the key
}

// unnamed is where projects stand that have no word in the column.
var unnamed = []uint32{0}

func (q *query) over(p *part) error {
	for i := range p.rows {
		r := &p.rows[i]
		if q.match != nil && !q.match(p, r, q.today) {
			continue
		}
		late := r.late(q.today)
		if err := q.total.add(r, &r.amounts, late); err != nil {
			return err
		}
		if q.grouped {
			if err := q.group(p, r, late); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *query) group(p *part, r *row, late bool) error {
	switch {
	case q.by == organisations:
		parties := p.partiesOf(r)
		for i := range parties {
			if err := q.groups[parties[i].organisation].add(r, &parties[i].amounts, late); err != nil {
				return err
			}
		}
		return nil
	case q.by < funders:
		return q.groups[r.words[q.by]].add(r, &r.amounts, late)
	}
	keys := p.list(r, q.by)
	if len(keys) == 0 {
		keys = unnamed
	}
	for _, key := range keys {
		if err := q.groups[key].add(r, &r.amounts, late); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) summed(s *sum) Sum {
	out := Sum{Projects: s.projects, Late: s.late, AtRisk: s.atRisk, Open: s.open}
	for _, m := range s.money {
		out.Money = append(out.Money, Money{b.columns[currencies].words[m.currency], m.amounts})
	}
	slices.SortFunc(out.Money, func(a, b Money) int { return strings.Compare(a.Currency, b.Currency) })
	return out
}
