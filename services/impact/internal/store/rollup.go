package store

import (
	"context"
	"strconv"
	"time"

	"github.com/trama-suite/trama/services/impact/internal/domain"
	"github.com/trama-suite/trama/services/impact/internal/domain/rollup"
	"github.com/trama-suite/trama/services/platform/page"
	"github.com/trama-suite/trama/services/platform/sqldb"
)

// Narrow keeps a roll-up to an organisation or a project; empty fields do not.
type Narrow struct{ Organisation, Project string }

func (n Narrow) where(args *[]any) string {
	out := ""
	if n.Organisation != "" {
		out += " AND organisation = " + list([]string{n.Organisation}, args)
	}
	if n.Project != "" {
		out += " AND project = " + list([]string{n.Project}, args)
	}
	return out
}

// Rows returns what was measured of the indicators over periods within p, merged
// ahead as far as possible. asOf is the instant whose knowledge counts; zero is
// now, which is read from the cells.
func Rows(ctx context.Context, tx *sqldb.Tx, indicators []domain.Indicator, p domain.Period, n Narrow, asOf time.Time) (map[string][]domain.Row, error) {
	measures := make(map[string]rollup.Measure, len(indicators))
	names := make([]string, len(indicators))
	for i, indicator := range indicators {
		measures[indicator.Name], names[i] = indicator.Measure(), indicator.Name
	}
	out := make(map[string][]domain.Row, len(indicators))
	if len(names) == 0 {
		return out, nil
	}
	args := []any{int64(p.Start), int64(p.End)}
	query := " WHERE start_day >= $1 AND end_day <= $2 AND indicator IN (" + list(names, &args) + ")"
	if asOf.IsZero() {
		buckets := p.Cover()
		texts := make([]string, len(buckets))
		for i, b := range buckets {
			texts[i] = string(b)
		}
		query = " FROM cells" + query + " AND bucket IN (" + list(texts, &args) + ")"
	} else {
		known := list([]int64{sqldb.Micros(asOf)}, &args)
		query = " FROM leaves" + query + " AND known_from <= " + known + " AND (known_until = 0 OR known_until > " + known + ")"
	}
	query = "SELECT indicator, organisation, project, place, value" + query + n.where(&args)
	var indicator, organisation, value string
	err := each(ctx, tx, query, args, func(scan func(dest ...any) error) error {
		row := domain.Row{}
		if err := scan(&indicator, &organisation, &row.Project, &row.Place, &value); err != nil {
			return err
		}
		row.Organisation = organisation
		var err error
		row.State, err = rollup.Decode(measures[indicator], value)
		out[indicator] = append(out[indicator], row)
		return err
	})
	return out, err
}

// Contributions is what automatic contributions are listed by.
var Contributions = page.New(
	page.Column{Field: "id", SQL: "l.fact || ' ' || CAST(1000000000 + l.revision AS TEXT) || ' ' || CAST(1000000000 + l.part AS TEXT)", Kind: page.String},
	page.Column{Field: "source", SQL: "l.fact", Kind: page.String},
	page.Column{Field: "organisation", SQL: "l.organisation", Kind: page.String},
	page.Column{Field: "project", SQL: "l.project", Kind: page.String},
	page.Column{Field: "date", SQL: "substr(CAST(l.start_day AS TEXT), 1, 4) || '-' || substr(CAST(l.start_day AS TEXT), 5, 2) || '-' || substr(CAST(l.start_day AS TEXT), 7, 2)", Kind: page.String},
)

// ListContributions lists what counts of an indicator now, leaf by leaf, within
// the organisations of a condition on l.organisation.
func ListContributions(ctx context.Context, tx *sqldb.Tx, plan *page.Plan, indicator domain.Indicator, where string, args []any) ([]domain.Leaf, string, error) {
	args = append(args, indicator.Name)
	condition := "l.known_until = 0 AND l.indicator = $" + strconv.Itoa(len(args)) + " AND (" + where + ")"
	return page.List(ctx, tx, plan, page.Select{
		Columns: "l.fact, l.organisation, l.project, l.place, l.start_day, l.end_day, l.value", From: "leaves l", Where: condition, Args: args,
	}, func(scan func(dest ...any) error) (domain.Leaf, error) {
		l := domain.Leaf{Indicator: indicator.Name}
		err := scanLeaf(func(dest ...any) error { return scan(append([]any{&l.Fact}, dest...)...) }, indicator.Measure(), &l)
		return l, err
	})
}
